"""Certificates made with the openssl command at test time: a good one, and each way to be bad."""

import datetime
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

CA_CONFIGURATION = """
[ca]
default_ca = authority
[authority]
dir = {folder}
database = $dir/index.txt
serial = $dir/serial
new_certs_dir = $dir
default_md = sha256
policy = anything
unique_subject = no
[anything]
commonName = supplied
"""

# Kinds of keys, as openssl is asked for them.
EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA = ("-newkey", "rsa:2048")


@dataclass(frozen=True)
class Certificate:
    """PEM files of a server's certificate and of its key."""

    certificate: Path
    key: Path

    def server_context(self):
        """What Python's ssl needs to be a server with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


class Authority:
    """A certificate authority of one test; nobody trusts it unless told to."""

    def __init__(self, folder, name="ringpost test authority"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificate = self.folder / "ca.pem"
        self.key = self.folder / "ca.key"
        (self.folder / "index.txt").touch()
        (self.folder / "serial").write_text("1000\n", encoding="ascii")
        (self.folder / "ca.cnf").write_text(
            CA_CONFIGURATION.format(folder=self.folder), encoding="ascii")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
                 "-keyout", self.key, "-out", self.certificate, "-days", "2",
                 "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def good(self):
        """For localhost and its addresses."""
        return self.issue("good")

    def good_rsa(self):
        """The same for servers that have trouble with other keys."""
        return self.issue("good-rsa", key=RSA)

    def wrong_host(self):
        return self.issue("wrong-host", names=("DNS:mail.example.com",))

    def expired(self):
        return self.issue("expired", first_day=-30, last_day=-1)

    def not_yet_valid(self):
        return self.issue("not-yet-valid", first_day=1, last_day=30)

    def client(self):
        """For somebody who logs in with it."""
        return self.issue("client", names=("DNS:client.example",), usage="clientAuth")

    def issue(self, name, names=("DNS:localhost", "IP:127.0.0.1", "IP:::1"), first_day=-1,
              last_day=2, usage="serverAuth", key=EC):
        """Signs a certificate for `names`; its days are counted from today."""
        request = self.folder / f"{name}.csr"
        result = Certificate(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(
            f"subjectAltName = {','.join(names)}\nbasicConstraints = critical,CA:FALSE\n"
            f"keyUsage = critical,digitalSignature\nextendedKeyUsage = {usage}\n",
            encoding="ascii")
        common_name = names[0].partition(":")[2]
        _openssl("req", "-new", *key, "-noenc", "-keyout", result.key, "-out", request, "-subj",
                 f"/CN={common_name}")
        # "openssl ca", because "openssl x509" of Debian 12 cannot set the day of beginning.
        _openssl("ca", "-batch", "-notext", "-config", self.folder / "ca.cnf", "-cert",
                 self.certificate, "-keyfile", self.key, "-in", request, "-out",
                 result.certificate, "-extfile", extensions, "-startdate", _time(first_day),
                 "-enddate", _time(last_day))
        result.key.chmod(0o600)
        return result


def self_signed(folder):
    """A certificate for localhost that no authority has signed."""
    result = Certificate(Path(folder) / "self-signed.pem", Path(folder) / "self-signed.key")
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
             "-keyout", result.key, "-out", result.certificate, "-days", "2", "-subj",
             "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1",
             "-addext", "basicConstraints=critical,CA:FALSE")
    return result


def _time(days_from_now):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days_from_now)
    return moment.strftime("%Y%m%d%H%M%SZ")


def _openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr}")
