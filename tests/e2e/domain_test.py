"""`ringpost probe --from`: what DNS says of a sender's domain, and which record is missing.

Goal: whoever will be refused by receivers learns it before, with the record to add. Method: NSD on
loopback with the zones of senders who do it right and wrong, and of their provider; sockets that
never answer for what a real server does not do. The endpoint is the sink, with Mailjet's preset.
"""

import json
import socket
import unittest

from support.nsd import Nsd, strings
from support.sink import SinkTest

RSA_2048 = ("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA4aslbfO87x49Qy3uq70spE8y21YN22+PRgMj"
            "GZ6y2Tnqv/cbqeYYPqemesuTsyZNLhBNM8hzJ/RR4EDe4rpEMMWc7zyxQKO+SEkSfJyREANzDBCwLzIj"
            "Qt9Vr7hQ+xpfz4m6c6bj8e7sWaH7AhacTw2nz7eqlo4K96BCc0tMmEXSYQZXdSLgT8In/Qu9qJNJw7sA"
            "uZEqIN7dNPoyRRdxEmnLaN2o8rI/IsQrfGcRCpKnpNcvPSXpe3o0/CSV3a+uSDNV8hrEWqNunGtPNMgi"
            "q2uA+uBM4z9EL6UTgN91D6V2vRnIHlzdG1uAkiy19TB8nAfo9GZ1pOnELXpM6EnKFwIDAQAB")
PROVIDER = "include:spf.mailjet.com"


def txt(name, text):
    return f"{name} IN TXT {strings(text)}\n"


def good(name, policy="v=DMARC1; p=quarantine; rua=mailto:d@good.test"):
    return (txt(name, f"v=spf1 {PROVIDER} -all") + f"{name} IN MX 10 mx.{name}\n" +
            f"mailjet._domainkey.{name} IN CNAME key.good\n" + txt(f"_dmarc.{name}", policy))


ZONE = (
    good("good") + txt("key.good", f"v=DKIM1; k=rsa; p={RSA_2048}") +
    "good IN A 192.0.2.1\n" +
    # News of the same organisation, which has no DMARC record of its own.
    txt("news.good", "v=spf1 redirect=good.test") + "news.good IN MX 10 mx.good\n" +
    txt("mailjet._domainkey.news.good", f"p={RSA_2048}") +
    "bare IN A 192.0.2.2\n" +
    txt("two", f"v=spf1 {PROVIDER} ~all") + txt("two", "v=spf1 a ip4:192.0.2.0/24 -all") +
    txt("loop", "v=spf1 include:round.test -all") + txt("round", "v=spf1 include:loop.test -all") +
    txt("many", "v=spf1 " + " ".join(f"include:part{n}.test" for n in range(11)) + " -all") +
    "".join(txt(f"part{n}", "v=spf1 ip4:192.0.2.1 -all") for n in range(11)) +
    txt("full", "v=spf1 " + " ".join(f"include:part{n}.test" for n in range(10)) + " -all") +
    txt("void", f"v=spf1 {PROVIDER} a:x.test mx:y.test exists:z.test -all") +
    txt("big", "v=spf1 " + " ".join(f"ip4:198.51.{n}.0/24" for n in range(200)) +
        f" {PROVIDER} -all") +
    txt("long", "v=spf1 " + " ".join(f"ip4:198.51.{n}.0/24" for n in range(200)) + " -all") +
    txt("typo", "v=spf1 includ:spf.mailjet.com -all") +
    txt("outage", f"v=spf1 include:broken.example {PROVIDER} -all") +
    good("strict", "v=DMARC1; p=reject; aspf=s; rua=mailto:d@good.test") +
    txt("bounce.strict", f"v=spf1 {PROVIDER} -all") + "bounce.strict IN MX 10 mx.good\n" +
    good("silent", "v=DMARC1; p=none") + "null IN MX 0 .\n"
)
ZONES = {"test.": ZONE, "mailjet.com.": txt("spf", "v=spf1 ip4:192.0.2.0/24 -all"),
         "broken.example.": None}


class DomainTest(SinkTest):
    """Senders' domains in a DNS of our own."""

    def setUp(self):
        super().setUp()
        self.dns = Nsd(self.folder, ZONES)
        self.addCleanup(self.dns.stop)
        sink = self.sink(listeners=("plain",))
        (self.folder / "ringpost.toml").write_text(
            '[endpoint.news]\npreset = "mailjet"\nhost = "localhost"\nauth = "none"\n'
            f'ports = ["{sink.ports["plain"]} none"]\n', encoding="utf-8")

    def probe(self, domain, *flags, resolver=None):
        return self.run_program("probe", "news", "--from", domain, "--timeout", "5s", "--resolver",
                                resolver or self.dns.resolver, *flags)

    def found(self, domain, *flags, exit_code=1, **more):
        """The JSON, after the text was seen to say the same."""
        run = self.probe(domain, "--json", *flags, **more)
        self.assert_exit(run, exit_code)
        domain_found = json.loads(run.stdout)["domain"]
        self.assertEqual(domain_found["ok"], exit_code == 0)
        text = self.probe(domain, *flags, **more)
        self.assert_exit(text, exit_code)
        said = " ".join(text.stdout.decode().split())
        for point in domain_found["points"]:
            self.assertIn(" ".join(point["message"].split()), said)
        return domain_found

    def messages(self, found, area, level):
        return [one["message"] for one in found["points"]
                if one["area"] == area and one["level"] == level]

    def records(self, found):
        return [one["record"] for one in found["points"] if "record" in one]

    def test_a_sender_whose_records_are_there(self):
        found = self.found("good.test", "--one-click", "https://good.test/u?x=1", exit_code=0)
        self.assertEqual(found["provider"], "Mailjet")
        spf = found["spf"]
        self.assertEqual((spf["standing"], spf["lookups"], spf["void_lookups"], spf["aligned"]),
                         ("usable", 1, 0, True))
        self.assertEqual(spf["provider"], {"term": PROVIDER, "found": True, "in": "good.test",
                                           "after_lookups": 1})
        key, = found["dkim"]
        self.assertEqual((key["name"], key["standing"], key["bits"], key["alias_of"]),
                         ("mailjet._domainkey.good.test", "usable", 2048, "key.good.test"))
        self.assertEqual((found["dmarc"]["policy"], found["dmarc"]["found_at"]),
                         ("quarantine", "good.test"))
        self.assertEqual(found["mx"], [{"domain": "good.test", "hosts": ["mx.good.test"]}])
        self.assertTrue(found["one_click"]["resolves"])
        self.assertEqual(self.records(found), [])

    def test_an_address_is_its_domain(self):
        self.assertEqual(self.found("News@Good.Test", exit_code=0)["from"], "good.test")

    def test_what_is_missing_is_named_with_its_record(self):
        found = self.found("bare.test")
        self.assertEqual(found["spf"]["standing"], "none")
        self.assertEqual(
            [(one["action"], one["name"], one["type"]) for one in self.records(found)],
            [("add", "bare.test", "TXT"), ("add", "mailjet._domainkey.bare.test", "TXT"),
             ("add", "_dmarc.bare.test", "TXT")])
        self.assertEqual(self.records(found)[0]["value"], f"v=spf1 {PROVIDER} ~all")
        self.assertTrue(self.messages(found, "mx", "warning"))
        text = self.probe("bare.test").stdout.decode()
        self.assertIn(f'bare.test TXT "v=spf1 {PROVIDER} ~all"', text)

    def test_a_name_that_nobody_has(self):
        found = self.found("nobody.test")
        self.assertEqual(found["spf"]["standing"], "none")
        self.assertIn("neither an MX record nor an address",
                      self.messages(found, "mx", "problem")[0])

    def test_the_organisation_speaks_for_its_parts(self):
        found = self.found("news.good.test", exit_code=0)
        self.assertEqual((found["dmarc"]["found_at"], found["dmarc"]["organizational_domain"]),
                         ("good.test", "good.test"))
        self.assertEqual((found["spf"]["lookups"], found["spf"]["provider"]["in"]),
                         (2, "good.test"))

    def test_several_records_are_one_too_many(self):
        found = self.found("two.test")
        self.assertEqual(found["spf"]["standing"], "permerror")
        self.assertEqual(self.records(found)[0]["action"], "replace")
        self.assertIn(self.records(found)[0]["value"],
                      (f"v=spf1 {PROVIDER} a ip4:192.0.2.0/24 {end}" for end in ("~all", "-all")))

    def test_a_loop_ends(self):
        found = self.found("loop.test")
        self.assertEqual(found["spf"]["standing"], "permerror")
        self.assertIn("refers to itself", found["spf"]["problem"])

    def test_eleven_look_ups_are_one_too_many(self):
        found = self.found("many.test")
        self.assertEqual((found["spf"]["standing"], found["spf"]["lookups"]), ("permerror", 11))
        full = self.found("full.test")
        self.assertEqual((full["spf"]["standing"], full["spf"]["lookups"]), ("usable", 10))
        self.assertIn("needs 11 look-ups of 10", self.messages(full, "spf", "problem")[0])

    def test_three_void_look_ups_are_one_too_many(self):
        found = self.found("void.test")
        self.assertEqual((found["spf"]["standing"], found["spf"]["void_lookups"]),
                         ("permerror", 3))

    def test_an_answer_that_fits_no_datagram_comes_by_tcp(self):
        found = self.found("big.test")
        self.assertEqual((found["spf"]["standing"], found["spf"]["provider"]["found"]),
                         ("usable", True))
        # Of texts of strangers JSON has the first 1,024 octets, of what is to be pasted all.
        self.assertGreater(len(found["spf"]["records"][0]), 1000)
        lacking = self.found("long.test")
        self.assertGreater(len(self.records(lacking)[0]["value"]), 3000)

    def test_a_typing_mistake_is_shown(self):
        found = self.found("typo.test")
        self.assertEqual(found["spf"]["standing"], "permerror")
        self.assertIn('"includ:spf.mailjet.com" is no mechanism', found["spf"]["problem"])

    def test_a_server_that_fails_is_no_missing_record(self):
        found = self.found("broken.example")
        self.assertEqual(found["spf"]["standing"], "temperror")
        self.assertIn("SERVFAIL", found["spf"]["problem"])
        self.assertEqual(self.records(found), [])
        refused = self.found("elsewhere.org")
        self.assertIn("REFUSED", refused["spf"]["problem"])
        outage = self.found("outage.test")
        self.assertEqual(outage["spf"]["standing"], "temperror")
        self.assertIn("broken.example: SERVFAIL", outage["spf"]["problem"])

    def test_nobody_answers(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
            deaf.bind(("127.0.0.1", 0))
            found = self.found("good.test", "--timeout", "300ms",
                               resolver=f"127.0.0.1:{deaf.getsockname()[1]}")
        self.assertEqual(found["spf"]["standing"], "temperror")
        self.assertIn("no answer", found["spf"]["problem"])
        self.assertEqual(self.records(found), [])

    def test_alignment(self):
        found = self.found("strict.test", "--envelope-from", "bounce.strict.test", exit_code=0)
        self.assertFalse(found["spf"]["aligned"])
        self.assertIn("aspf=s", self.messages(found, "dmarc", "warning")[0])
        relaxed = self.found("good.test", "--envelope-from", "news.good.test", exit_code=0)
        self.assertTrue(relaxed["spf"]["aligned"])
        other = self.found("good.test", "--envelope-from", "strict.test", exit_code=0)
        self.assertFalse(other["spf"]["aligned"])
        none = self.found("strict.test", "--envelope-from", "bounce.strict.test",
                          "--selector", "no")
        self.assertIn("neither SPF nor DKIM passes", self.messages(none, "dmarc", "problem")[1])

    def test_notes_are_no_problems(self):
        found = self.found("silent.test", exit_code=0)
        self.assertEqual(len(self.messages(found, "dmarc", "note")), 2)

    def test_a_domain_that_takes_no_mail(self):
        self.assertIn("null MX", self.messages(self.found("null.test"), "mx", "problem")[0])

    def test_usage(self):
        for flags, words in (
                (("--from", "no domain"), "--from: "),
                (("--from", "localhost"), "is no domain of mail"),
                (("--from", "good.test", "--resolver", "nonsense"), "is no ADDRESS:PORT"),
                (("--from", "good.test", "--selector", "a b"), "is no selector"),
                (("--selector", "s1"), "go with --from")):
            run = self.run_program("probe", "news", *flags)
            self.assert_exit(run, 2)
            self.assertIn(words, run.stderr)

    def test_ports_come_first(self):
        """Without a usable port the exit code is as ever; without --from nothing is asked."""
        (self.folder / "ringpost.toml").write_text(
            '[endpoint.news]\npreset = "mailjet"\nhost = "localhost"\nauth = "none"\n'
            'ports = ["1 none"]\n', encoding="utf-8")
        run = self.probe("good.test", "--json")
        self.assert_exit(run, 7)
        self.assertTrue(json.loads(run.stdout)["domain"]["ok"])
        self.assertNotIn("domain", json.loads(self.run_program("probe", "news", "--json").stdout))


if __name__ == "__main__":
    unittest.main()
