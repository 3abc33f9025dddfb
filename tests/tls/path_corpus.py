"""Servers' certificates of every kind, good and bad: what they send, and what is trusted.

Nothing here says which are good: path_test.py asks curl. Each chain has a label, which is unique;
those of one group share what stands before the colon.
"""

from dataclasses import dataclass
from pathlib import Path

from support import x509
from support.x509 import (ANY_PURPOSE, BMP, CERTIFICATE_SIGNING, CLIENT_AUTH, CODE_SIGNING,
                          CRL_SIGNING, DIGITAL_SIGNATURE, EMAIL_PROTECTION, KEY_AGREEMENT,
                          KEY_ENCIPHERMENT, NETSCAPE_GATED, NON_REPUDIATION, OCSP_SIGNING,
                          PRINTABLE, PSS, SERVER_AUTH, TELETEX, KeyPool, alternative_names,
                          authority, authority_key_id, basic_constraints, der, extension, integer,
                          key_usage, name, name_constraints, oid, purposes, sequence, subtree)

HOST = "mail.example.com"
NAMES = ["DNS:" + HOST]


@dataclass
class Chain:
    label: str
    sent: list  # the server's own first
    trusted: list
    host: str = HOST

    def write(self, folder, number):
        """Puts it into files: what is sent, the server's key, what is trusted."""
        sent = Path(folder) / f"{number}-sent.pem"
        trusted = Path(folder) / f"{number}-trusted.pem"
        sent.write_text("".join(one.pem for one in self.sent), encoding="ascii")
        trusted.write_text("".join(one.pem for one in self.trusted), encoding="ascii")
        return sent, self.sent[0].key.file, trusted


class Corpus:
    """Makes the chains, group by group."""

    def __init__(self, folder):
        self.pool = KeyPool(folder)
        self.root = authority(self.pool, "Test Root")
        self.middle = self.root.authority("Test Intermediate")
        self.leaf = self.middle.issue(names=NAMES)
        self.chains = []

    def add(self, label, sent, trusted=None, host=HOST):
        self.chains.append(Chain(label, sent, trusted or [self.root], host))

    def below(self, label, authority_extensions, names=None, host=HOST, **leaf):
        """A leaf below an intermediate with these extensions."""
        middle = self.root.authority("Constrained", extensions=authority_extensions)
        self.add(label, [middle.issue(names=NAMES if names is None else names, **leaf), middle],
                 host=host)

    def all(self):
        for group in (self.plain, self.dns, self.addresses, self.other_names, self.directories,
                      self.where_constrained, self.odd_constraints, self.purposes_of_each,
                      self.usages, self.authorities, self.lengths, self.bags, self.cross_signed,
                      self.times, self.signatures, self.keys, self.extensions, self.spellings,
                      self.key_ids, self.hosts, self.anchors, self.unusual):
            group()
        labels = [chain.label for chain in self.chains]
        assert len(labels) == len(set(labels)), sorted(x for x in labels if labels.count(x) > 1)
        return self.chains

    # ---- Nothing special -----------------------------------------------------------------------

    def plain(self):
        self.add("plain: a full chain", [self.leaf, self.middle])
        self.add("plain: with its root", [self.leaf, self.middle, self.root])
        # Behind the full chains: what they sent must not be trusted for these.
        self.add("plain: without its intermediate", [self.leaf])
        self.add("plain: only the root beside it", [self.leaf, self.root])
        stranger = authority(self.pool, "Stranger")
        self.add("plain: another root of another name", [self.leaf, self.middle], [stranger])
        double = authority(self.pool, "Test Root", key=self.pool.key("impostor"))
        self.add("plain: another root of the same name", [self.leaf, self.middle], [double])
        again = authority(self.pool, "Test Root", key=self.pool.key("impostor"), key_ids=False)
        self.add("plain: another root of the same name, without key ids",
                 [self.leaf, self.middle], [again])
        self.add("plain: the root issues it", [self.root.issue(names=NAMES)])
        deep = [self.root]
        for level in range(6):
            deep.insert(0, deep[0].authority(f"Level {level}"))
        self.add("plain: six intermediates", [deep[0].issue(names=NAMES), *deep[:-1]])

    # ---- Name constraints ----------------------------------------------------------------------

    def dns(self):
        bases = ["example.com", ".example.com", "mail.example.com", "com", "", "EXAMPLE.Com",
                 "ample.com", "example.org", "a.mail.example.com", "."]
        for base in bases:
            for host in (HOST, "example.com", "MAIL.EXAMPLE.COM"):
                self.below(f"dns: {base!r} permitted for {host}",
                           [name_constraints(permitted=["DNS:" + base])], ["DNS:" + host], host)
            self.below(f"dns: {base!r} excluded",
                       [name_constraints(excluded=["DNS:" + base])])
        self.below("dns: one name of two lies outside",
                   [name_constraints(permitted=["DNS:example.com"])],
                   [*NAMES, "DNS:mail.example.org"])
        self.below("dns: one of two permitted", [name_constraints(
            permitted=["DNS:example.org", "DNS:example.com"])])
        self.below("dns: permitted and excluded below it", [name_constraints(
            permitted=["DNS:example.com"], excluded=["DNS:mail.example.com"])])
        self.below("dns: permitted, and a neighbour excluded", [name_constraints(
            permitted=["DNS:example.com"], excluded=["DNS:www.example.com"])])
        for base in ("example.com", "mail.example.com", "www.mail.example.com", "com"):
            for kind in ("permitted", "excluded"):
                self.below(f"dns: a wildcard, {base} {kind}",
                           [name_constraints(**{kind: ["DNS:" + base]})], ["DNS:*.example.com"])
        self.below("dns: not critical",
                   [name_constraints(permitted=["DNS:example.org"], critical=False)])
        self.below("dns: the common name is a host outside, no dNSName",
                   [name_constraints(permitted=["DNS:example.org"])], ["IP:127.0.0.1"],
                   "127.0.0.1", common_name=HOST)
        self.below("dns: the common name is a host outside, beside a dNSName inside",
                   [name_constraints(permitted=["DNS:example.com"])],
                   common_name="www.example.org")
        self.below("dns: the common name is no host, no dNSName",
                   [name_constraints(permitted=["DNS:example.org"])], ["IP:127.0.0.1"],
                   "127.0.0.1", common_name="The Mail Server")

    def addresses(self):
        for base in ("127.0.0.0/8", "127.0.0.1/32", "127.0.0.2/32", "10.0.0.0/8", "0.0.0.0/0",
                     "::/0", "::1/128"):
            for kind in ("permitted", "excluded"):
                self.below(f"ip: {base} {kind}", [name_constraints(**{kind: ["IP:" + base]})],
                           ["IP:127.0.0.1"], "127.0.0.1")
        self.below("ip: a mask with a hole",
                   [name_constraints(permitted=["raw:87087f0000fe" + "ff0000fe"])],
                   ["IP:127.0.0.1"], "127.0.0.1")
        self.below("ip: a base of four octets", [name_constraints(permitted=["IP:127.0.0.1"])],
                   ["IP:127.0.0.1"], "127.0.0.1")
        self.below("ip: only DNS is constrained",
                   [name_constraints(permitted=["DNS:example.com"])], ["IP:127.0.0.1"],
                   "127.0.0.1")
        self.below("ip: DNS is constrained, both kinds of names",
                   [name_constraints(permitted=["DNS:example.com"])], [*NAMES, "IP:127.0.0.1"])
        self.below("ip: only addresses are constrained, and the host is a name",
                   [name_constraints(permitted=["IP:10.0.0.0/8"])])
        self.below("ip: the host is a name, and an address lies outside",
                   [name_constraints(permitted=["IP:10.0.0.0/8"])], [*NAMES, "IP:127.0.0.1"])

    def other_names(self):
        for base in ("example.com", ".example.com", "a@example.com", "b@example.com",
                     "example.org", "EXAMPLE.COM"):
            for kind in ("permitted", "excluded"):
                self.below(f"mail: {base} {kind}",
                           [name_constraints(**{kind: ["email:" + base]})],
                           [*NAMES, "email:a@example.com"])
        self.below("mail: below a host", [name_constraints(permitted=["email:.example.com"])],
                   [*NAMES, "email:a@mail.example.com"])
        self.below("mail: without an @", [name_constraints(permitted=["email:example.com"])],
                   [*NAMES, "email:example.com"])
        for address in ("a@example.com", "a@example.org"):
            self.below(f"mail: {address} in the subject",
                       [name_constraints(permitted=["email:example.com"])],
                       subject=name(f"CN=x, emailAddress={address}"))
        for base in ("example.com", ".example.com", "example.org"):
            for kind in ("permitted", "excluded"):
                self.below(f"uri: {base} {kind}", [name_constraints(**{kind: ["URI:" + base]})],
                           [*NAMES, "URI:https://www.example.com:443/a"])
        self.below("uri: the host itself", [name_constraints(permitted=["URI:example.com"])],
                   [*NAMES, "URI:https://example.com/a"])
        self.below("uri: without a host", [name_constraints(permitted=["URI:example.com"])],
                   [*NAMES, "URI:urn:example"])
        for kind in ("permitted", "excluded"):
            self.below(f"kinds: a registered id, {kind}",
                       [name_constraints(**{kind: ["RID:1.2.3"]})], [*NAMES, "RID:1.2.3.4"])
            self.below(f"kinds: a registered id {kind}, and none there",
                       [name_constraints(**{kind: ["RID:1.2.3"]})])
            self.below(f"kinds: an otherName, {kind}",
                       [name_constraints(**{kind: ["other:a"]})], [*NAMES, "other:a"])
            self.below(f"kinds: an otherName {kind}, and none there",
                       [name_constraints(**{kind: ["other:a"]})])

    def directories(self):
        for base in ("O=Example", "O=Example, OU=Mail", "O=Other", "O=EXAMPLE", "O=Exam",
                     "O=Example, CN=x", "CN=x", ""):
            for kind in ("permitted", "excluded"):
                self.below(f"directory: {base!r} {kind}",
                           [name_constraints(**{kind: ["dir:" + base]})],
                           subject=name("O=Example, CN=x"))
        self.below("directory: as an alternative name, outside",
                   [name_constraints(permitted=["dir:O=Example"])], [*NAMES, "dir:O=Other"],
                   subject=name("O=Example, CN=x"))
        self.below("directory: as an alternative name, inside",
                   [name_constraints(permitted=["dir:O=Example"])],
                   [*NAMES, "dir:O=Example, CN=y"], subject=name("O=Example, CN=x"))
        self.below("directory: an empty subject", [name_constraints(permitted=["dir:O=Example"])],
                   subject=sequence())
        self.below("directory: another kind of string",
                   [name_constraints(permitted=["dir:O=Example"])],
                   subject=name("O=Example, CN=x", PRINTABLE))

    def where_constrained(self):
        inside, outside = (name_constraints(permitted=["DNS:" + base])
                           for base in ("example.com", "example.org"))
        for text, constraints in (("inside", inside), ("outside", outside)):
            root = authority(self.pool, "Constrained Root", extensions=[constraints])
            self.add(f"where: at the root, {text}", [root.issue(names=NAMES)], [root])
            middle = root.authority("Below Constrained Root")
            self.add(f"where: at the root, an intermediate between, {text}",
                     [middle.issue(names=NAMES), middle], [root])
            lower = middle.authority("Two Below Constrained Root")
            self.add(f"where: at the root, two intermediates between, {text}",
                     [lower.issue(names=NAMES), lower, middle], [root])
            first = self.root.authority("First", extensions=[constraints])
            second = first.authority("Second")
            self.add(f"where: two above, {text}", [second.issue(names=NAMES), second, first])
            own = first.authority("First", key=self.pool.key("rekeyed"), subject=first.subject)
            self.add(f"where: above a self-issued one, {text}",
                     [own.issue(names=NAMES), own, first])
            self.add(f"where: at the server's own, {text}",
                     [self.middle.issue(names=NAMES, extensions=[constraints]), self.middle])
        wide = self.root.authority("Wide", extensions=[inside])
        narrow = wide.authority("Narrow", extensions=[
            name_constraints(permitted=["DNS:mail.example.com"])])
        self.add("where: narrower below", [narrow.issue(names=NAMES), narrow, wide])
        self.add("where: narrower below, and outside of it",
                 [narrow.issue(names=["DNS:www.example.com"]), narrow, wide],
                 host="www.example.com")
        wider = wide.authority("Wider", extensions=[name_constraints(permitted=["DNS:com"])])
        self.add("where: wider below, outside of the narrow one",
                 [wider.issue(names=["DNS:example2.com"]), wider, wide], host="example2.com")
        # The names of CAs are held by the constraints above them, too.
        upper = self.root.authority("Upper", extensions=[
            name_constraints(permitted=["dir:O=Example", "DNS:example.com"])])
        for organisation in ("Example", "Other"):
            lower = upper.authority("Lower", subject=name(f"O={organisation}, CN=Lower"))
            self.add(f"where: an intermediate of {organisation}",
                     [lower.issue(names=NAMES, subject=name("O=Example, CN=x")), lower, upper])
        for host in ("ca.example.com", "ca.example.org"):
            lower = wide.authority("Lower", names=["DNS:" + host])
            self.add(f"where: an intermediate for {host}",
                     [lower.issue(names=NAMES), lower, wide])
        common = wide.authority("ca.example.org")
        self.add("where: an intermediate whose common name looks like a host",
                 [common.issue(names=NAMES), common, wide])

    def odd_constraints(self):
        minimum, maximum = der(0x80, b"\x01"), der(0x81, b"\x05")
        self.below("odd: a minimum", [name_constraints([subtree("DNS:example.com", minimum)])])
        self.below("odd: a minimum of nothing",
                   [name_constraints([subtree("DNS:example.com", der(0x80, b"\0"))])])
        self.below("odd: a maximum",
                   [name_constraints([subtree("DNS:example.com", b"", maximum)])])
        self.below("odd: a minimum for another kind",
                   [name_constraints([subtree("IP:10.0.0.0/8", minimum)])])
        self.below("odd: no subtrees", [name_constraints()])
        self.below("odd: no value", [extension("2.5.29.30", b"", True)])
        self.below("odd: malformed", [extension("2.5.29.30", b"\x30\x05\xa0", True)])
        self.below("odd: twice", [name_constraints(permitted=["DNS:example.com"]),
                                  name_constraints(permitted=["DNS:com"])])
        self.below("odd: a hundred subtrees", [name_constraints(
            permitted=[f"DNS:{number}.example" for number in range(100)] + ["DNS:example.com"])])

    # ---- What a certificate is for -------------------------------------------------------------

    def purposes_of_each(self):
        kinds = {
            "servers": [SERVER_AUTH], "clients": [CLIENT_AUTH], "both": [SERVER_AUTH, CLIENT_AUTH],
            "any": [ANY_PURPOSE], "any and mail": [ANY_PURPOSE, EMAIL_PROTECTION],
            "code": [CODE_SIGNING], "OCSP": [OCSP_SIGNING], "gated": [NETSCAPE_GATED],
        }
        for label, identifiers in kinds.items():
            for critical in ((False, True) if label in ("servers", "clients", "any") else (False,)):
                wanted = purposes(*identifiers, critical=critical)
                told = f"{label}{', critical' if critical else ''}"
                self.add(f"purpose: of the server, {told}",
                         [self.middle.issue(names=NAMES, extensions=[wanted]), self.middle])
                self.below(f"purpose: of an intermediate, {told}", [wanted])
                upper = self.root.authority("Upper", extensions=[wanted])
                lower = upper.authority("Lower")
                self.add(f"purpose: two above, {told}", [lower.issue(names=NAMES), lower, upper])
                root = authority(self.pool, "Purposeful Root", extensions=[wanted])
                self.add(f"purpose: of the root, {told}", [root.issue(names=NAMES)], [root])

    def usages(self):
        for usage in (DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, KEY_AGREEMENT, NON_REPUDIATION,
                      CERTIFICATE_SIGNING, DIGITAL_SIGNATURE | KEY_ENCIPHERMENT):
            self.add(f"usage: {usage:02x} of the server",
                     [self.middle.issue(names=NAMES, usage=usage), self.middle])
        for usage in (DIGITAL_SIGNATURE, CRL_SIGNING, CERTIFICATE_SIGNING, False):
            told = "none" if usage is False else f"{usage:02x}"
            middle = self.root.authority("Used", usage=usage)
            self.add(f"usage: {told} of an intermediate", [middle.issue(names=NAMES), middle])
            root = authority(self.pool, "Used Root", usage=usage)
            self.add(f"usage: {told} of the root", [root.issue(names=NAMES)], [root])
        for kind, bit in (("client", 0x80), ("server", 0x40)):
            netscape = extension("2.16.840.1.113730.1.1", x509.named_bits(bit))
            self.add(f"usage: Netscape's type, {kind}",
                     [self.middle.issue(names=NAMES, extensions=[netscape]), self.middle])

    def authorities(self):
        for label, basic in (("not a CA", basic_constraints(False)), ("none", False),
                             ("not critical", basic_constraints(True, critical=False))):
            for usage in (None, False):
                told = f"{label}{', no key usage' if usage is False else ''}"
                middle = self.root.authority("Basic", basic=basic, usage=usage)
                self.add(f"ca: basic constraints of an intermediate: {told}",
                         [middle.issue(names=NAMES), middle])
                root = authority(self.pool, "Basic Root", basic=basic, usage=usage)
                self.add(f"ca: basic constraints of the root: {told}",
                         [root.issue(names=NAMES)], [root])
        old = authority(self.pool, "Old Root", version=1)
        self.add("ca: a root of version 1", [old.issue(names=NAMES, authority_key=b"")], [old])
        middle = self.root.authority("Old Intermediate", version=1)
        self.add("ca: an intermediate of version 1", [middle.issue(names=NAMES), middle])
        other = self.middle.issue("another server", names=["DNS:other.example.com"],
                                  key=self.pool.key("another"))
        self.add("ca: a server's certificate issues another",
                 [other.issue(names=NAMES), other, self.middle])
        self.add("ca: the server's own is a CA's",
                 [self.middle.authority("leaf CA", names=NAMES, key=self.pool.key(0)),
                  self.middle])

    def lengths(self):
        for length in (0, 1, 2):
            root = authority(self.pool, f"Root {length}", path_length=length)
            path = [root]
            for depth in range(3):
                self.add(f"length: {length} at the root, {depth} below",
                         [path[0].issue(names=NAMES), *path[:-1]], [root])
                path.insert(0, path[0].authority(f"Depth {depth}"))
        upper = self.root.authority("Short", path_length=0)
        self.add("length: 0 at an intermediate", [upper.issue(names=NAMES), upper])
        lower = upper.authority("Below Short")
        self.add("length: 0 at an intermediate, one below",
                 [lower.issue(names=NAMES), lower, upper])
        again = upper.authority("Short", key=self.pool.key("rekeyed"), subject=upper.subject)
        self.add("length: 0, and a self-issued one below, which does not count",
                 [again.issue(names=NAMES), again, upper])

    # ---- What is sent --------------------------------------------------------------------------

    def bags(self):
        leaf, middle = self.leaf, self.middle
        other = authority(self.pool, "Unrelated")
        others = [other.authority(f"Unrelated {number}") for number in range(4)]
        crowd = [other.authority(f"Crowd {number}", key=self.pool.key(0), names=[
            f"DNS:a-rather-long-name-{name}.example.com" for name in range(20)])
            for number in range(28)]
        stranger = self.middle.issue("other", names=["DNS:other.example.com"],
                                     key=self.pool.key("another"))
        for label, sent in {
                "leaf again": [leaf, middle, leaf], "leaf twice first": [leaf, leaf, middle],
                "intermediate twice": [leaf, middle, middle],
                "another server's behind": [leaf, middle, stranger],
                "another server's between": [leaf, stranger, middle],
                "another CA behind": [leaf, middle, other],
                "another CA between": [leaf, other, middle],
                "another chain behind": [leaf, middle, others[0], other],
                "another chain between": [leaf, others[0], other, middle],
                "many others between": [leaf, *others, other, middle],
                "thirty certificates, the right one last": [leaf, *crowd, middle],
                "the root before": [leaf, self.root, middle],
                "only another's": [leaf, stranger]}.items():
            self.add(f"bag: {label}", sent)
        upper = self.root.authority("Upper")
        lower = upper.authority("Lower")
        low = lower.issue(names=NAMES)
        self.add("bag: right order", [low, lower, upper])
        self.add("bag: wrong order", [low, upper, lower])
        self.add("bag: wrong order with the root", [low, self.root, upper, lower])
        self.add("bag: the one in the middle is missing", [low, upper])
        self.add("bag: the upper one is missing", [low, lower])
        self.add("bag: the upper one is missing, another instead", [low, lower, other])

    def cross_signed(self):
        old = authority(self.pool, "Old Root", days=(-20, -1))
        new = self.root
        cross = old.authority("Test Root", key=new.key, subject=new.subject)
        self.add("cross: the new root is trusted, its cross-signed twin is sent",
                 [self.leaf, self.middle, cross])
        self.add("cross: and the expired old root", [self.leaf, self.middle, cross, old])
        stale = old.authority("Test Root", key=new.key, subject=new.subject, days=(-20, -1))
        self.add("cross: the twin has expired", [self.leaf, self.middle, stale])
        spent = authority(self.pool, "Test Root", key=new.key, days=(-20, -1))
        self.add("cross: an expired form of the root is sent",
                 [self.leaf, self.middle, spent])
        self.add("cross: an expired form of the root is trusted beside the good one",
                 [self.leaf, self.middle], [spent, new])
        self.add("cross: only the expired form is trusted", [self.leaf, self.middle], [spent])
        good = authority(self.pool, "Other Root")
        bridge = good.authority("Test Root", key=new.key, subject=new.subject)
        self.add("cross: trusted by way of the twin", [self.leaf, self.middle, bridge], [good])
        self.add("cross: expired root trusted, another way by the twin",
                 [self.leaf, self.middle, bridge], [spent, good])
        # The same CA certified twice: the way that is bad comes first.
        late = self.root.authority("Test Intermediate", key=self.middle.key, days=(-20, -1))
        self.add("cross: an expired and a good intermediate", [self.leaf, late, self.middle])
        narrow = self.root.authority("Test Intermediate", key=self.middle.key, extensions=[
            name_constraints(permitted=["DNS:example.org"])])
        self.add("cross: two intermediates, the first constrained",
                 [self.leaf, narrow, self.middle])
        foreign = authority(self.pool, "Foreign").authority("Test Intermediate",
                                                            key=self.middle.key)
        self.add("cross: two intermediates, the first of an unknown root",
                 [self.leaf, foreign, self.middle])
        double = self.root.authority("Test Intermediate", key=self.pool.key("double"))
        self.add("cross: two issuers of one name, told apart by key ids",
                 [self.leaf, double, self.middle])
        nameless = [self.root.authority("Twin", key=self.pool.key(key), key_ids=False)
                    for key in ("twin one", "twin two")]
        leaf = nameless[1].issue(names=NAMES)
        self.add("cross: two issuers of one name, no key ids, the right one last",
                 [leaf, *nameless])
        self.add("cross: two issuers of one name, no key ids, the right one first",
                 [leaf, *reversed(nameless)])
        # Two CAs that certify each other, and nobody else.
        left, right = authority(self.pool, "Left"), authority(self.pool, "Right")
        left_by_right = right.authority("Left", key=left.key, subject=left.subject)
        right_by_left = left.authority("Right", key=right.key, subject=right.subject)
        circle = [left.issue(names=NAMES), left_by_right, right_by_left]
        self.add("cross: a circle", circle)
        self.add("cross: a circle, one of it trusted", circle, [right])

    # ---- Times, signatures, keys ---------------------------------------------------------------

    def times(self):
        for label, days in (("expired", (-20, -1)), ("not yet valid", (1, 20)),
                            ("until 2060", (-1, 12600)), ("since 1960", (-23900, 20))):
            self.add(f"time: of the server, {label}",
                     [self.middle.issue(names=NAMES, days=days), self.middle])
            middle = self.root.authority("Timed", days=days)
            self.add(f"time: of an intermediate, {label}", [middle.issue(names=NAMES), middle])
            root = authority(self.pool, "Timed Root", days=days)
            self.add(f"time: of the root, {label}", [root.issue(names=NAMES)], [root])

    def signatures(self):
        def spoil(octets):
            return octets[:-1] + bytes([octets[-1] ^ 1])
        self.add("signature: the server's is wrong",
                 [self.middle.issue(names=NAMES, spoil=spoil), self.middle])
        middle = self.root.authority("Spoilt", spoil=spoil)
        self.add("signature: an intermediate's is wrong", [middle.issue(names=NAMES), middle])
        root = authority(self.pool, "Spoilt Root", spoil=spoil)
        self.add("signature: the root's own is wrong", [root.issue(names=NAMES)], [root])
        self.add("signature: by another key", [self.middle.issue(
            names=NAMES, signer=self.pool.key("impostor"),
            authority_key=authority_key_id(self.middle.key.key_id)), self.middle])
        for kind, digests in (("P-256", ("sha1", "sha224", "sha384", "sha512")),
                              ("rsa2048", ("md5", "sha1", "sha256", "sha384", "sha512", PSS))):
            authority_key = self.pool.key("signer", kind)
            root = authority(self.pool, f"Root {kind}", key=authority_key)
            for digest in digests:
                self.add(f"signature: {digest} with {kind}, the server's",
                         [root.issue(names=NAMES, digest=digest)], [root])
                middle = root.authority("Digested", digest=digest)
                self.add(f"signature: {digest} with {kind}, an intermediate's",
                         [middle.issue(names=NAMES), middle], [root])
                old = authority(self.pool, f"Old {kind}", key=authority_key, digest=digest)
                self.add(f"signature: {digest} with {kind}, the root's own",
                         [old.issue(names=NAMES)], [old])
        other = self.pool.key("signer").algorithm("sha384")
        self.add("signature: another algorithm inside",
                 [self.middle.issue(names=NAMES, signed_algorithm=other), self.middle])

    def keys(self):
        for kind in ("P-384", "P-521", "rsa2048", "rsa1024", "ed25519", "rsa-pss"):
            key = self.pool.key("kind", kind)
            digest = PSS if kind == "rsa-pss" else "sha256"
            self.add(f"key: {kind} of the server",
                     [self.middle.issue(names=NAMES, key=key), self.middle])
            middle = self.root.authority("Keyed", key=key)
            self.add(f"key: {kind} of an intermediate",
                     [middle.issue(names=NAMES, digest=digest), middle])
            root = authority(self.pool, "Keyed Root", key=key, digest=digest)
            self.add(f"key: {kind} of the root", [root.issue(names=NAMES, digest=digest)], [root])

    # ---- Extensions, spellings, key ids --------------------------------------------------------

    def extensions(self):
        unknown = "1.3.6.1.4.1.99999.1"
        policy = extension("2.5.29.32", sequence(sequence(oid("1.3.6.1.4.1.99999.2"))), True)
        no_policy = extension("2.5.29.36", sequence(der(0x80, b"\0")), True)
        kinds = {
            "unknown": extension(unknown, der(0x05)),
            "unknown and critical": extension(unknown, der(0x05), True),
            "twice": extension(unknown, der(0x05)) * 2,
            "a critical policy": policy,
            "a policy required": no_policy,
            "no critical names": extension("2.5.29.18", sequence(b"\x82\x01a")),
        }
        for label, octets in kinds.items():
            self.add(f"extension: {label}, of the server",
                     [self.middle.issue(names=NAMES, extensions=[octets]), self.middle])
            self.below(f"extension: {label}, of an intermediate", [octets])
            root = authority(self.pool, "Extended Root", extensions=[octets])
            self.add(f"extension: {label}, of the root", [root.issue(names=NAMES)], [root])
        self.add("extension: critical alternative names", [self.middle.issue(
            extensions=[alternative_names(NAMES, critical=True)]), self.middle])
        self.add("extension: two hundred names", [self.middle.issue(
            names=[f"DNS:{number}.example.com" for number in range(200)] + NAMES), self.middle])

    def spellings(self):
        for label, subject, issuer_name in (
                ("another kind of string", name("CN=Spelt"), name("CN=Spelt", PRINTABLE)),
                ("another case", name("CN=Spelt"), name("CN=SPELT")),
                ("more blanks", name("CN=Spelt Out"), name("CN= Spelt  Out ")),
                ("BMPString", name("CN=Sp\u00e4lt"), name("CN=Sp\u00e4lt", BMP)),
                ("TeletexString", name("CN=Sp\u00e4lt"), name("CN=Sp\u00e4lt", TELETEX)),
                ("another word", name("CN=Spelt"), name("CN=Spelled")),
                ("another order", name("O=A, CN=Spelt"), name("CN=Spelt, O=A")),
                ("one attribute more", name("CN=Spelt"), name("CN=Spelt, O=A"))):
            middle = self.root.authority("Spelt", subject=subject)
            self.add(f"spelling: {label}",
                     [middle.issue(names=NAMES, issuer_name=issuer_name), middle])

    def key_ids(self):
        middle, root = self.middle, self.root
        for label, octets in (
                ("another key", authority_key_id(b"another key")),
                ("issuer and serial", authority_key_id(
                    middle.key.key_id, root.subject, middle.serial)),
                ("another serial", authority_key_id(middle.key.key_id, root.subject, 77)),
                ("another issuer", authority_key_id(
                    middle.key.key_id, name("CN=Nobody"), middle.serial)),
                ("only issuer and serial", authority_key_id(None, root.subject, middle.serial)),
                ("nothing in it", authority_key_id())):
            self.add(f"key id: {label}",
                     [middle.issue(names=NAMES, authority_key=octets), middle])
        plain = root.authority("Without Key Id", key_ids=False)
        self.add("key id: none at the issuer", [plain.issue(
            names=NAMES, authority_key=authority_key_id(b"another key")), plain])

    def unusual(self):
        """Odd and harmless, in the server's own, in its CA, in the root, in one that counts not."""
        blob = der(0x04, b"not what it should be")
        odd = {
            "serial 0": {"serial": 0},
            "a negative serial": {"serial": -5},
            "a serial of 30 octets": {"serial": 1 << 235},
            "malformed places of its issuer": {"extensions": [
                extension("1.3.6.1.5.5.7.1.1", blob)]},
            "malformed places of CRLs": {"extensions": [extension("2.5.29.31", blob)]},
            "malformed policies": {"extensions": [extension("2.5.29.32", blob)]},
            "malformed time stamps": {"extensions": [extension("1.3.6.1.4.1.11129.2.4.2", blob)]},
            "names of its issuer": {"extensions": [
                extension("2.5.29.18", sequence(b"\x82\x01a"))]},
            "a subject of many kinds": {"subject": sequence(
                der(0x31, sequence(oid("2.5.4.3"), der(0x0c, b"a")),
                    sequence(oid("2.5.4.11"), der(0x14, b"b"))),
                der(0x31, sequence(oid("1.2.3.4.5"), der(0x16, b"c"))))},
            "a very long subject": {"subject": name("CN=" + "long " * 200)},
            "an empty common name": {"subject": name("CN=")},
        }
        for label, more in odd.items():
            if label != "malformed places of CRLs":  # openssl would not serve it
                self.add(f"unusual: {label}, the server's",
                         [self.middle.issue(names=NAMES, **more), self.middle])
            middle = self.root.authority("Unusual", **more)
            self.add(f"unusual: {label}, an intermediate's",
                     [middle.issue(names=NAMES), middle])
            self.add(f"unusual: {label}, one that is sent beside",
                     [self.leaf, self.middle, middle])
            root = authority(self.pool, "Unusual Root", **more)
            self.add(f"unusual: {label}, the root's", [root.issue(names=NAMES)], [root])
        for kind in ("secp256k1", "brainpool", "ed448", "rsa1024"):
            other = self.root.authority("Of Another Kind", key=self.pool.key("odd", kind))
            self.add(f"unusual: a key of {kind} beside", [self.leaf, self.middle, other])
        for label, basic in (("a length without a CA", x509.extension("2.5.29.19", sequence(
                                integer(1)), True)),
                             ("no CA, spelt out", x509.extension("2.5.29.19", sequence(
                                 der(0x01, b"\0")), True))):
            self.add(f"unusual: {label}", [
                self.middle.issue(names=NAMES, basic=basic), self.middle])
        self.add("unusual: purposes that nobody knows", [self.middle.issue(
            names=NAMES, extensions=[purposes("1.2.3.4.5", SERVER_AUTH, "1.2.3.4.6")]),
            self.middle])
        self.add("unusual: not critical, spelt out", [self.middle.issue(
            names=NAMES, extensions=[sequence(oid("1.2.3.4"), der(0x01, b"\0"),
                                              der(0x04, der(0x05)))]), self.middle])

    # ---- Hosts and anchors ---------------------------------------------------------------------

    def hosts(self):
        for label, names, host in (
                ("another", ["DNS:www.example.com"], HOST), ("a wildcard", ["DNS:*.example.com"],
                                                             HOST),
                ("a wildcard of two labels", ["DNS:*.com"], "example.com"),
                ("a wildcard over two labels", ["DNS:*.example.com"], "a.mail.example.com"),
                ("a wildcard within a label", ["DNS:m*.example.com"], HOST),
                ("a wildcard at the end of a label", ["DNS:*l.example.com"], HOST),
                ("a wildcard below", ["DNS:mail.*.com"], HOST),
                ("a wildcard for an A-label", ["DNS:*.example.com"], "xn--bcher-kva.example.com"),
                ("a wildcard alone", ["DNS:*"], HOST),
                ("another case", ["DNS:MAIL.example.COM"], HOST),
                ("a dot behind it", ["DNS:mail.example.com."], HOST),
                ("a blank behind it", ["DNS:mail.example.com "], HOST),
                ("empty", ["DNS:"], HOST),
                ("an address", ["IP:127.0.0.1"], "127.0.0.1"),
                ("another address", ["IP:127.0.0.2"], "127.0.0.1"),
                ("an address as a name", ["DNS:127.0.0.1"], "127.0.0.1"),
                ("a name beside an address", [*NAMES, "IP:127.0.0.1"], "127.0.0.1"),
                ("only a mail address", ["email:a@" + HOST], HOST),
                ("a NUL in it", ["raw:8213" + b"mail.example.com\0.x".hex()], HOST)):
            self.add(f"host: {label}", [self.middle.issue(names=names), self.middle], host=host)
        self.add("host: only a common name", [self.middle.issue(HOST), self.middle])
        self.add("host: a common name beside another name",
                 [self.middle.issue(HOST, names=["DNS:www.example.com"]), self.middle])

    def anchors(self):
        leaf, middle, root = self.leaf, self.middle, self.root
        self.add("anchor: the intermediate alone", [leaf], [middle])
        self.add("anchor: the intermediate alone, which is sent, too", [leaf, middle], [middle])
        self.add("anchor: the server's own certificate", [leaf], [leaf])
        self.add("anchor: the server's own certificate and not the CA", [leaf, middle], [leaf])
        self.add("anchor: another certificate of the server's key",
                 [leaf], [middle.issue(names=NAMES)])
        for label, more in (("CA", {"authority": True, "usage": False}), ("no CA", {})):
            own = authority(self.pool, "self", key=self.pool.key(0), names=NAMES,
                            **{"authority": False, **more})
            self.add(f"anchor: self-signed, {label}, trusted", [own], [own])
            self.add(f"anchor: self-signed, {label}, not trusted", [own])
        late = authority(self.pool, "self", key=self.pool.key(0), names=NAMES, days=(-20, -1),
                         authority=False)
        self.add("anchor: self-signed and expired, trusted", [late], [late, root])
        self.add("anchor: several, the right one last", [leaf, middle],
                 [authority(self.pool, "A"), authority(self.pool, "B"), root])
        narrow = authority(self.pool, "Test Root", key=root.key, extensions=[
            name_constraints(permitted=["DNS:example.org"])])
        self.add("anchor: the constrained form of a root is sent", [leaf, middle, narrow])
        self.add("anchor: only the constrained form is trusted", [leaf, middle, root], [narrow])
        upper = root.authority("Anchored", extensions=[
            name_constraints(permitted=["DNS:example.org"])])
        lower = upper.authority("Below Anchored")
        self.add("anchor: an intermediate below a constrained one",
                 [lower.issue(names=NAMES), lower, upper], [lower])
        spent = root.authority("Spent", days=(-20, -1))
        self.add("anchor: an intermediate that has expired", [spent.issue(names=NAMES), spent],
                 [spent])
        self.add("anchor: an intermediate that has expired, and its root",
                 [spent.issue(names=NAMES), spent], [spent, root])
