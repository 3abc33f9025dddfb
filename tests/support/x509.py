"""Writes certificates octet by octet, with any fault; openssl makes the keys and signs.

    pool = KeyPool(folder)
    root = authority(pool, "Root")
    leaf = root.issue("x", names=["DNS:mail.example.com"])
    leaf.pem + root.pem
"""

import base64
import datetime
import hashlib
import ipaddress
import itertools
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
ANY_PURPOSE = "2.5.29.37.0"
NETSCAPE_GATED = "2.16.840.1.113730.4.1"

UTF8, PRINTABLE, TELETEX, IA5, BMP = 0x0c, 0x13, 0x14, 0x16, 0x1e
ATTRIBUTES = {"CN": "2.5.4.3", "C": "2.5.4.6", "O": "2.5.4.10", "OU": "2.5.4.11",
              "emailAddress": "1.2.840.113549.1.9.1"}
# The bits of a key usage, RFC 5280 4.2.1.3.
DIGITAL_SIGNATURE, NON_REPUDIATION, KEY_ENCIPHERMENT, KEY_AGREEMENT = 0x80, 0x40, 0x20, 0x08
CERTIFICATE_SIGNING, CRL_SIGNING = 0x04, 0x02

# How openssl is told to sign, and what the certificate then says about it.
PSS = "pss"
SIGNATURES = {
    ("ec", "sha1"): "1.2.840.10045.4.1", ("ec", "sha224"): "1.2.840.10045.4.3.1",
    ("ec", "sha256"): "1.2.840.10045.4.3.2", ("ec", "sha384"): "1.2.840.10045.4.3.3",
    ("ec", "sha512"): "1.2.840.10045.4.3.4",
    ("rsa", "md5"): "1.2.840.113549.1.1.4", ("rsa", "sha1"): "1.2.840.113549.1.1.5",
    ("rsa", "sha256"): "1.2.840.113549.1.1.11", ("rsa", "sha384"): "1.2.840.113549.1.1.12",
    ("rsa", "sha512"): "1.2.840.113549.1.1.13",
}


# ---- DER ---------------------------------------------------------------------------------------

def der(tag, *contents):
    """One element with these octets, one behind the other, inside."""
    content = b"".join(contents)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*contents):
    return der(0x30, *contents)


def integer(number):
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def oid(text):
    first, second, *rest = map(int, text.split("."))
    octets = b""
    for number in (first * 40 + second, *rest):
        septets = [number & 0x7f]
        while number := number >> 7:
            septets.insert(0, 0x80 | number & 0x7f)
        octets += bytes(septets)
    return der(0x06, octets)


def bits(octets, unused=0):
    return der(0x03, bytes([unused]), octets)


def named_bits(value):
    """A BIT STRING of one octet, as short as DER wants it."""
    unused = 8 if value == 0 else (value & -value).bit_length() - 1
    return bits(b"", 0) if value == 0 else bits(bytes([value]), unused)


def time(moment):
    if moment.year < 2050:
        return der(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())
    return der(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode())


def name(text, tag=UTF8):
    """ "O=Example, CN=Root" as a Name; an empty text is a name without attributes."""
    relatives = []
    for part in filter(None, text.split(", ")):
        kind, _, value = part.partition("=")
        used = IA5 if kind == "emailAddress" else tag
        coding = {BMP: "utf-16-be", TELETEX: "latin-1"}.get(used, "utf-8")
        relatives.append(der(0x31, sequence(oid(ATTRIBUTES[kind]),
                                            der(used, value.encode(coding)))))
    return sequence(*relatives)


def general_name(text):
    """ "DNS:a.example", "IP:192.0.2.1", "IP:192.0.2.0/24", "email:", "URI:", "dir:CN=x", "RID:1.2",
    "other:text" (an otherName), "raw:" and hexadecimal octets."""
    kind, _, value = text.partition(":")
    if kind == "IP" and "/" in value:
        network = ipaddress.ip_network(value)
        return der(0x87, network.network_address.packed, network.netmask.packed)
    if kind == "IP":
        return der(0x87, ipaddress.ip_address(value).packed)
    if kind == "dir":
        return der(0xa4, name(value))
    if kind == "RID":
        return b"\x88" + oid(value)[1:]
    if kind == "other":
        return der(0xa0, oid("1.3.6.1.4.1.311.20.2.3"), der(0xa0, der(UTF8, value.encode())))
    if kind == "raw":
        return bytes.fromhex(value)
    return der({"email": 0x81, "DNS": 0x82, "URI": 0x86}[kind], value.encode())


# ---- Extensions --------------------------------------------------------------------------------

def extension(identifier, value, critical=False):
    return sequence(oid(identifier), der(0x01, b"\xff") if critical else b"", der(0x04, value))


def basic_constraints(is_authority, path_length=None, critical=True):
    return extension("2.5.29.19", sequence(
        der(0x01, b"\xff") if is_authority else b"",
        integer(path_length) if path_length is not None else b""), critical)


def key_usage(value, critical=True):
    return extension("2.5.29.15", named_bits(value), critical)


def purposes(*identifiers, critical=False):
    return extension("2.5.29.37", sequence(*map(oid, identifiers)), critical)


def alternative_names(names, critical=False):
    return extension("2.5.29.17", sequence(*map(general_name, names)), critical)


def subtree(text, minimum=b"", maximum=b""):
    return sequence(general_name(text), minimum, maximum)


def name_constraints(permitted=(), excluded=(), critical=True):
    """Each subtree is a text for general_name(), or ready octets."""
    def subtrees(tag, bases):
        ready = [base if isinstance(base, bytes) else subtree(base) for base in bases]
        return der(tag, *ready) if ready else b""
    return extension("2.5.29.30",
                     sequence(subtrees(0xa0, permitted), subtrees(0xa1, excluded)), critical)


def subject_key_id(key_id):
    return extension("2.5.29.14", der(0x04, key_id))


def authority_key_id(key_id=None, issuer=None, serial=None):
    return extension("2.5.29.35", sequence(
        der(0x80, key_id) if key_id is not None else b"",
        der(0xa1, der(0xa4, issuer)) if issuer is not None else b"",
        b"\x82" + integer(serial)[1:] if serial is not None else b""))


# ---- Keys --------------------------------------------------------------------------------------

def _openssl(*arguments, octets=b""):
    done = subprocess.run(["openssl", *map(str, arguments)], input=octets, capture_output=True,
                          timeout=60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr.decode()}")
    return done.stdout


@dataclass(frozen=True)
class Key:
    """A private key in a file, and its public half as certificates have it."""
    file: Path
    kind: str  # "ec", "rsa", "ed25519"
    public: bytes  # SubjectPublicKeyInfo
    signing: tuple = ()

    @property
    def key_id(self):
        return hashlib.sha1(self.public).digest()

    def algorithm(self, digest):
        """The AlgorithmIdentifier of a signature by this key."""
        if self.kind == "ed25519":
            return sequence(oid("1.3.101.112"))
        if digest == PSS:
            sha256 = sequence(oid("2.16.840.1.101.3.4.2.1"))
            return sequence(oid("1.2.840.113549.1.1.10"), sequence(
                der(0xa0, sha256), der(0xa1, sequence(oid("1.2.840.113549.1.1.8"), sha256)),
                der(0xa2, integer(32))))
        null = der(0x05) if self.kind == "rsa" else b""
        return sequence(oid(SIGNATURES[self.kind, digest]), null)

    def sign(self, octets, digest):
        if self.kind == "ed25519":
            return _sign_ed25519(self.file, octets)
        pss = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32")
        return _openssl("dgst", f"-{'sha256' if digest == PSS else digest}",
                        *(pss if digest == PSS else ()), "-sign", self.file, octets=octets)


def _sign_ed25519(file, octets):
    message = file.with_suffix(".message")
    message.write_bytes(octets)
    return _openssl("pkeyutl", "-sign", "-rawin", "-inkey", file, "-in", message)


class KeyPool:
    """Makes keys, and hands the same ones out again: making them is what takes the time."""

    KINDS = {
        "P-256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
        "P-384": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
        "P-521": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"),
        "secp256k1": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"),
        "brainpool": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"),
        "ed448": ("-algorithm", "ED448"),
        "rsa2048": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
        "rsa1024": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"),
        "rsa-pss": ("-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"),
        "ed25519": ("-algorithm", "ED25519"),
    }

    def __init__(self, folder):
        self.folder = Path(folder)
        self._keys = {}
        self._numbers = itertools.count(1)

    def key(self, number=0, kind="P-256"):
        """The key of this number; the same number is the same key."""
        if (kind, number) not in self._keys:
            file = self.folder / f"{kind}-{number}.key"
            _openssl("genpkey", *self.KINDS[kind], "-out", file)
            public = _openssl("pkey", "-in", file, "-pubout", "-outform", "DER")
            family = "ed25519" if kind == "ed25519" else "rsa" if "rsa" in kind else "ec"
            self._keys[kind, number] = Key(file, family, public)
        return self._keys[kind, number]

    def serial(self):
        return 0x1000 + next(self._numbers)


# ---- Certificates ------------------------------------------------------------------------------

@dataclass
class Issued:
    """A certificate with its key, which may issue further ones."""
    pool: KeyPool
    der: bytes
    key: Key
    subject: bytes
    serial: int
    has_key_id: bool = True
    text: str = field(default="", compare=False)

    @property
    def pem(self):
        body = base64.encodebytes(self.der).decode()
        return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"

    def issue(self, common_name="leaf", **more):
        """A certificate that this one signs: see certificate()."""
        more.setdefault("key", self.pool.key(0))
        return certificate(self.pool, common_name, self, **more)

    def authority(self, common_name, **more):
        """A CA below this one."""
        more.setdefault("authority", True)
        more.setdefault("key", self.pool.key(common_name))
        return certificate(self.pool, common_name, self, **more)


def authority(pool, common_name="Test Root", **more):
    """A root CA."""
    more.setdefault("authority", True)
    more.setdefault("key", pool.key(common_name))
    return certificate(pool, common_name, None, **more)


def certificate(pool, common_name, issuer, *, key, names=None, authority=False, usage=None,
                path_length=None, extensions=(), days=(-2, 20), digest="sha256", version=3,
                subject=None, issuer_name=None, key_ids=True, authority_key=None, basic=None,
                serial=None, spoil=None, signed_algorithm=None, signer=None):
    """Signs a certificate. `issuer` None: by itself. `usage` and `basic` False: no such extension.
    `days` are those of its beginning and end, counted from now. `spoil` changes the certificate
    that is ready."""
    serial = serial if serial is not None else pool.serial()
    subject = subject if subject is not None else name(f"CN={common_name}")
    signer = signer or (issuer.key if issuer else key)
    if issuer_name is None:
        issuer_name = issuer.subject if issuer else subject
    now = datetime.datetime.now(datetime.timezone.utc)
    begin, end = (now + datetime.timedelta(days=day) for day in days)

    parts = []
    if basic is not False and (basic or authority):
        parts.append(basic or basic_constraints(True, path_length))
    if usage is not False and (usage is not None or authority):
        parts.append(key_usage(CERTIFICATE_SIGNING | CRL_SIGNING if usage is None else usage))
    if key_ids:
        parts.append(subject_key_id(key.key_id))
        if authority_key is None and (issuer is None or issuer.has_key_id):
            parts.append(authority_key_id(signer.key_id))
    if authority_key:
        parts.append(authority_key)
    if names is not None:
        parts.append(alternative_names(names, critical=subject == sequence()))
    parts.extend(extensions)

    algorithm = signer.algorithm(digest)
    to_be_signed = sequence(
        der(0xa0, integer(version - 1)) if version > 1 else b"", integer(serial),
        signed_algorithm or algorithm, issuer_name, sequence(time(begin), time(end)), subject,
        key.public, der(0xa3, sequence(*parts)) if parts and version == 3 else b"")
    whole = sequence(to_be_signed, algorithm, bits(signer.sign(to_be_signed, digest)))
    return Issued(pool, spoil(whole) if spoil else whole, key, subject, serial, key_ids,
                  common_name)
