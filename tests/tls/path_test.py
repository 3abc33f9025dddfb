"""Whether the client accepts the certificates that curl accepts, and no others.

Every chain of path_corpus.py is served by a real server; curl (OpenSSL) is asked what it thinks of
it, GnuTLS as well, and then the client (path_client.cpp, all in one process). The client has to
agree with curl. The few chains where it knowingly does not, and those where curl and GnuTLS differ,
are listed here with the reason.
"""

import concurrent.futures
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time

from path_corpus import HOST, NAMES, Chain, Corpus
from support.workspace import Workspace, main
from support.x509 import CLIENT_AUTH, authority, name_constraints, purposes

PATIENCE = 20
# What curl says when it is the certificate that it does not like, or its file of CAs.
CURL_REFUSALS = (35, 51, 60, 77)
AT_ONCE = 4

# Chains that the client accepts and curl does not: OpenSSL takes the first issuer that looks right
# and never goes back, so that it refuses a server for a certificate that it need not have sent. A
# way up that is good is good (RFC 4158 2.4, RFC 5280 6.1), as for Go, Java and the browsers.
FINDS_ANOTHER_WAY = {
    "cross: expired root trusted, another way by the twin",  # GnuTLS accepts it
    "cross: two intermediates, the first constrained",
    "cross: two intermediates, the first of an unknown root",
    "cross: two issuers of one name, no key ids, the right one last",
}
# Chains that curl accepts and the client may refuse, with these words.
NOT_SUPPORTED = {
    # wolfSSL 5.7 has no signatures of TLS 1.3 by a key of the kind RSASSA-PSS.
    "key: rsa-pss of the server": "RSASSA-PSS only",
    # RFC 9525 2: common names are no host names. Go, Java and the browsers say the same.
    "host: only a common name": "a common name alone does not count",
    # wolfSSL reads every certificate that is sent, before anybody is asked, and gives up at these:
    # at extensions of no consequence whose values are malformed, at names with two attributes in
    # one of their parts, and at a default that DER would leave out.
    "unusual: malformed places of its issuer": "has a form that cannot be read here",
    "unusual: malformed places of CRLs, one": "has a form that cannot be read here",
    "unusual: malformed policies": "has a form that cannot be read here",
    "unusual: a subject of many kinds": "has a form that cannot be read here",
    "unusual: no CA, spelt out": "has a form that cannot be read here",
}

# Where GnuTLS thinks otherwise than curl, the client follows curl in each case; why:
GNUTLS_DIFFERS = {
    "dns: '.' excluded": "GnuTLS takes it for all names, OpenSSL for none",
    "dns: the common name is no host": "GnuTLS takes every common name for a host",
    "ip: ::": "GnuTLS lets IPv4 through where only IPv6 is permitted; RFC 5280 does not",
    "ip: only DNS is constrained": "as above: the common name is 'leaf'",
    "mail: without an @": "no mailbox, which GnuTLS does not mind",
    "uri: ": "GnuTLS does not compare URIs, and refuses all of them or none",
    "kinds: ": "kinds that neither compares: GnuTLS looks at the constraint, OpenSSL and RFC 5280 "
               "at whether such a name is there",
    "directory: ": "GnuTLS does not compare directory names",
    "where: an intermediate of Other": "as above",
    "where: an intermediate for ca.example.org": "GnuTLS does not look at the names of CAs",
    "odd: a m": "GnuTLS passes over minimum and maximum, which RFC 5280 forbids",
    "purpose: of the root": "GnuTLS does not look at the purposes of what is trusted",
    "purpose: of the server, any": "RFC 5280 leaves it open whether any purpose is this one",
    "purpose: of the server, gated": "an old form of serverAuth",
    "usage: 20 of the server": "GnuTLS wants it to fit the handshake, OpenSSL to fit TLS",
    "usage: 08 of the server": "as above",
    "usage: Netscape's type, client": "GnuTLS does not know it",
    "ca: basic constraints of the root: none, no key usage": "GnuTLS trusts what it is told to",
    "length: 0, and a self-issued one": "RFC 5280 4.2.1.9 does not count it",
    "bag: thirty certificates": "GnuTLS takes at most sixteen",
    "cross: an expired and a good intermediate": "GnuTLS takes the first of them",
    "key: rsa1024": "GnuTLS in its defaults takes keys of 1024 bits",
    "host: a wildcard at the end of a label": "RFC 9525 6.3 allows whole labels only",
    "host: a dot behind it": "GnuTLS wants the very name",
    "extension: twice": "an extension without consequence: GnuTLS refuses any that comes twice",
    "extension: a policy required": "GnuTLS does not know policy constraints",
    "unusual: malformed places of CRLs": "an extension without consequence for GnuTLS",
    "unusual: a key of secp256k1 beside": "GnuTLS reads all that is sent",
    "spelling: another case": "GnuTLS compares names octet by octet; RFC 5280 7.1 does not",
    "spelling: more blanks": "as above",
    "spelling: TeletexString": "as above",
    "key id: another serial": "GnuTLS looks at the key id alone",
    "key id: another issuer": "as above",
    "anchor: the server's own certificate": "GnuTLS wants a CA",
    "anchor: an intermediate below a constrained one": "curl takes all that is trusted for an end",
}


class Server:
    """Shakes hands with whoever comes, with these certificates, and says good-bye."""

    def __init__(self, certificate, key, version):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = version
        context.set_ciphers("ALL:@SECLEVEL=0")  # it may show anything
        context.load_cert_chain(certificate, key)
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            try:
                with self._context.wrap_socket(connection, server_side=True) as tls:
                    tls.recv(4096)
                    tls.sendall(b"HTTP/1.0 204 No Content\r\n\r\n")
            except OSError:
                pass
            finally:
                connection.close()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE)


class PathClient:
    """The client under test, one process for all chains."""

    def __init__(self):
        self._process = subprocess.Popen([os.environ["PATH_CLIENT"]], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)
        self._lock = threading.Lock()

    def ask(self, port, host, trusted):
        """Whether it accepts the server, and what it says about it."""
        with self._lock:
            self._process.stdin.write(f"{port} {host} {trusted}\n")
            self._process.stdin.flush()
            kind, _, message = self._process.stdout.readline().rstrip("\n").partition("\t")
        return kind == "accepted", f"{kind}: {message}"

    def close(self):
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()


def ask_curl(port, host, trusted):
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", str(PATIENCE), "--noproxy", "*",
         "--cacert", trusted, "--resolve", f"{host}:{port}:127.0.0.1", f"https://{host}:{port}/"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2 * PATIENCE, check=False)
    if done.returncode not in (0, *CURL_REFUSALS):
        raise RuntimeError(f"curl ends with {done.returncode}: {done.stderr}")
    return done.returncode == 0, done.stderr.strip()


def ask_gnutls(port, host, trusted):
    done = subprocess.run(
        ["gnutls-cli", "--x509cafile", trusted, "--verify-hostname", host, "--no-ocsp",
         "--port", str(port), "127.0.0.1"], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, errors="replace", timeout=2 * PATIENCE, check=False)
    status = [line for line in done.stdout.splitlines() if "Status:" in line or "***" in line]
    return done.returncode == 0, " ".join(status) or done.stderr.strip()[-200:]


def ask_everybody(chain, number, folder, client):
    """What each of them says: label -> (accepted, words)."""
    sent, key, trusted = chain.write(folder, number)
    # Each version reads certificates in its own way; half of the chains meet each.
    server = Server(sent, key, ssl.TLSVersion.TLSv1_2 if number % 2 else ssl.TLSVersion.TLSv1_3)
    try:
        answers = {"ringpost": client.ask(server.port, chain.host, trusted),
                   "curl": ask_curl(server.port, chain.host, str(trusted))}
        if shutil.which("gnutls-cli"):
            answers["gnutls"] = ask_gnutls(server.port, chain.host, str(trusted))
        return answers
    finally:
        server.close()


class PathTest(Workspace):
    def setUp(self):
        super().setUp()
        self.client = PathClient()
        self.addCleanup(self.client.close)
        self.corpus = Corpus(self.folder)

    def test_agrees_with_curl(self):
        chains = self.corpus.all()
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(
                lambda numbered: ask_everybody(numbered[1], numbered[0], self.folder, self.client),
                enumerate(chains)))
        accepted = sum(answer["curl"][0] for answer in answers)
        print(f"{len(chains)} chains, of which curl accepts {accepted}")
        self.assertGreaterEqual(len(chains), 150)
        self.assertGreater(accepted, 100)
        self.assertGreater(len(chains) - accepted, 100)
        for chain, answer in zip(chains, answers):
            with self.subTest(chain.label):
                self.check(chain.label, answer)

    def check(self, label, answer):
        ours, words = answer["ringpost"]
        told = f"ringpost says {words!r}, curl {answer['curl']}, GnuTLS {answer.get('gnutls')}"
        if label in FINDS_ANOTHER_WAY:
            self.assertTrue(ours, told)
        elif reasons := [reason for known, reason in NOT_SUPPORTED.items()
                         if label.startswith(known) and answer["curl"][0]]:
            self.assertTrue(ours or reasons[0] in words, told)
        else:
            self.assertEqual(ours, answer["curl"][0], told)
        if not ours and "alert" not in answer["curl"][1]:
            # Whatever it is, it has a name of its own; "internal" is wolfSSL's own words. A server
            # of TLS 1.2 may itself refuse to use its key, and tells every client so in an alert.
            self.assertNotRegex(words, "^(internal|peer_alert|nobody)", told)
        if "gnutls" in answer and answer["gnutls"][0] != answer["curl"][0]:
            self.assertTrue(label in FINDS_ANOTHER_WAY or
                            any(label.startswith(known) for known in GNUTLS_DIFFERS), told)

    def ask(self, sent, trusted, host="mail.example.com"):
        """The client's answer to these certificates."""
        number = self.numbers = getattr(self, "numbers", 0) + 1
        chain = Chain("", sent, trusted, host)
        return ask_everybody(chain, number, self.folder, self.client)["ringpost"]

    def test_each_handshake_stands_alone(self):
        """What one server sent is not there for the next, in either order."""
        leaf, middle, root = self.corpus.leaf, self.corpus.middle, self.corpus.root
        for _ in range(2):
            self.assertFalse(self.ask([leaf], [root])[0])
            self.assertTrue(self.ask([leaf, middle], [root])[0])
        upper = root.authority("Upper")
        lower = upper.authority("Lower")
        low = lower.issue(names=NAMES)
        self.assertTrue(self.ask([low, lower, upper], [root])[0])
        self.assertFalse(self.ask([low, lower], [root])[0])
        self.assertFalse(self.ask([low, upper], [root])[0])

    def test_many_certificates_end(self):
        """A maze of CAs that certify each other is left again, in time."""
        keys = [self.corpus.pool.key(f"maze {number}") for number in range(5)]
        names = [authority(self.corpus.pool, f"Maze {number}", key=keys[number])
                 for number in range(5)]
        maze = [above.authority(below.text, key=below.key, subject=below.subject)
                for above in names for below in names if above is not below]
        leaf = names[0].issue(names=NAMES)
        begin = time.monotonic()
        accepted, words = self.ask([leaf, *maze], [self.corpus.root])
        self.assertFalse(accepted)
        self.assertLess(time.monotonic() - begin, PATIENCE)
        self.assertRegex(words, "too long to find a way|not signed by any CA")
        self.assertTrue(self.ask([leaf, *maze], [self.corpus.root, names[3]])[0])

    def test_too_many_certificates(self):
        """How many are looked at is said, of a way up and of what is sent."""
        chain = [self.corpus.root]
        for level in range(12):
            chain.insert(0, chain[0].authority(f"Level {level}"))
        leaf = chain[0].issue(names=NAMES)
        self.assertTrue(self.ask([chain[2].issue(names=NAMES), *chain[2:-1]],
                                 [self.corpus.root])[0])
        accepted, words = self.ask([leaf, *chain[:-1]], [self.corpus.root])
        self.assertFalse(accepted)
        for word in ("too many certificates: 12 are looked at", "the server's owner"):
            self.assertIn(word, words)
        for sent in (33, 40, 100):
            accepted, words = self.ask(
                [self.corpus.leaf, self.corpus.middle, *[self.corpus.middle] * (sent - 2)],
                [self.corpus.root])
            self.assertFalse(accepted)
            for word in ("more than the 32 certificates that are looked at", "and no others"):
                self.assertIn(word, words)

    def test_keys_that_are_not_supported(self):
        """Which key it is, whose, and what is taken instead."""
        root, pool = self.corpus.root, self.corpus.pool
        supported = "RSA of 2048 to 8192 bits, ECDSA P-256"
        for kind, name in (("secp256k1", "ECDSA secp256k1"), ("brainpool", "brainpoolP256r1")):
            with self.subTest(kind):
                key = pool.key("odd", kind)
                odd = root.authority("Odd", key=key)
                own = authority(pool, "Odd Root", key=key)
                for sent, trusted, whose in (
                        ([odd.issue(names=NAMES), odd], root, "'Odd', which the server sent, "),
                        ([own.issue(names=NAMES)], own, "'Odd Root', which is trusted here, ")):
                    accepted, words = self.ask(sent, [trusted])
                    self.assertFalse(accepted)
                    for word in (whose, name, "not supported", supported):
                        self.assertIn(word, words)
                # A server cannot even show such a certificate to who did not offer its curve.
                leaf = root.issue(names=NAMES, key=key)
                self.assertIn(supported, self.ask([leaf], [root])[1])

    def test_says_what_it_is_and_what_to_do(self):
        corpus = self.corpus
        pool, leaf, middle, root = corpus.pool, corpus.leaf, corpus.middle, corpus.root
        rsa = authority(pool, "RSA Root", key=pool.key("signer", "rsa2048"))
        late = authority(pool, "Late Root", days=(-20, -1))
        other_late = authority(pool, "Later Root", days=(-20, -2))
        narrow = root.authority("Narrow", extensions=[
            name_constraints(permitted=["DNS:example.org"])])
        short = root.authority("Short", path_length=0)
        long = short.authority("Long")
        own = authority(pool, "own", key=pool.key(0), names=NAMES, authority=False)
        stranger = authority(pool, "Stranger")
        for sent, trusted, host, *words in (
                ([leaf], [root], HOST, "'Test Intermediate', who issued it, was not sent",
                 "full chain", "?ca=FILE"),
                ([leaf, middle, root], [stranger], HOST, "root CA 'Test Root'", "not trusted",
                 "?ca=FILE"),
                ([own], [root], HOST, "self-signed", "?ca=FILE"),
                ([rsa.issue(names=NAMES, digest="sha1")], [rsa], HOST, "SHA-1 with RSA", "forged",
                 "issued anew"),
                ([middle.issue(names=NAMES, key=pool.key("kind", "rsa-pss")), middle], [root],
                 HOST, "RSASSA-PSS only", "ordinary RSA"),
                ([middle.issue(names=["DNS:127.0.0.1"]), middle], [root], "127.0.0.1",
                 "127.0.0.1 as a DNS name", "does not count", "subjectAltName IP:"),
                ([middle.issue(names=["DNS:www.example.com"]), middle], [root], HOST,
                 "not for mail.example.com but for www.example.com", "use the name"),
                ([middle.issue(names=NAMES, days=(-20, -1)), middle], [root], HOST,
                 "it expired on 20", "renew it", "clock"),
                ([middle.issue(names=NAMES, days=(1, 20)), middle], [root], HOST,
                 "it is not valid yet", "clock"),
                ([late.issue(names=NAMES)], [late], HOST, "CA file", "'Late Root' expired on 20",
                 "get a current one"),
                ([late.issue(names=NAMES)], [late, other_late], HOST,
                 "all its CA certificates have expired, the last, 'Late Root'"),
                ([late.issue(names=NAMES)], [late, root], HOST,
                 "'Late Root', which is trusted here, expired on 20", "get a current CA"),
                ([narrow.issue(names=NAMES), narrow], [root], HOST, "name constraints", "'Narrow'",
                 "the name mail.example.com"),
                ([long.issue(names=NAMES), long, short], [root], HOST, "'Short'", "path length"),
                ([middle.issue(names=NAMES, extensions=[purposes(CLIENT_AUTH)]), middle], [root],
                 HOST, "not for TLS servers", "serverAuth"),
                ([leaf.issue(names=NAMES), leaf, middle], [root], HOST, "'leaf'", "is no CA's")):
            with self.subTest(words[0]):
                accepted, said = self.ask(sent, trusted, host)
                self.assertFalse(accepted)
                for word in words:
                    self.assertIn(word, said)
                self.assertNotIn("wolfSSL", said)
                self.assertLess(len(said), 400)


if __name__ == "__main__":
    main("" if shutil.which("curl") else "there is no curl")
