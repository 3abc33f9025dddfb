"""`ringpost probe`: what works is described, and each way to fail is told apart in words.

Goal: a person who cannot send reads why and what to do next; a program reads the same as JSON; no
byte of a password goes to a peer that has not proved itself, or into any output. Method: the sink,
and scripted servers that break in each way.
"""

import base64
import contextlib
import json
import re
import socket
import subprocess
import unittest

from support.certificates import self_signed
from support.program import PASSWORD, USER
from support.scripted_server import (GREETING, expect, hang_up, hello, logged_in,
                                     read_to_the_end, say, say_octets, secured, stall, start_tls)
from support.trusted_server import TrustedServerTest
from support.workspace import free_port

# Everything below 0x20 but the newline, DEL, and an escape in its UTF-8 form.
CONTROLS = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")


class ProbeTest(TrustedServerTest):
    """What the tests of the probe share."""

    def probe(self, endpoint, *flags, password=PASSWORD):
        flags = ("--timeout", "5s", *flags)
        environment = {"RINGPOST_PASSWORD": password} if password else {}
        run = self.run_program("probe", endpoint, *flags, **environment)
        self.assert_secret_absent(run)
        self.assertIsNone(CONTROLS.search(run.stdout), run.describe())
        return run

    def probe_json(self, endpoint, *flags, exit_code=0, **more):
        run = self.probe(endpoint, "--json", *flags, **more)
        self.assert_exit(run, exit_code)
        self.assertEqual(run.stdout.count(b"\n"), 1)
        return json.loads(run.stdout)

    def check_fault(self, endpoint, kind, *words, flags=(), **more):
        """Text and JSON of an endpoint with one port say the same; returns the JSON of the port."""
        found = self.probe_json(endpoint, *flags, exit_code=7, **more)
        port = found["ports"][0]
        self.assertEqual(port["fault"]["kind"], kind, found)
        self.assertFalse(port["usable"])
        self.assertEqual(found["verdict"], {"usable": False})
        self.assertTrue(port["fault"]["next"])
        run = self.probe(endpoint, *flags, **more)
        self.assert_exit(run, 7)
        # The text is wrapped.
        said = " ".join(run.stdout.decode().split())
        self.assertNotIn("as above", said)
        self.assertIn(port["fault"]["message"], said)
        for advice in port["fault"]["next"]:
            self.assertIn(" ".join(advice.split()), said)
        for word in words:
            self.assertIn(word.lower(), said.lower(), run.describe())
        return port

    def assert_no_secret_received(self, server):
        for dialogue in server.dialogues:
            octets = bytes(dialogue.clear + dialogue.secured)
            for secret in (PASSWORD.encode(), b"AUTH",
                           base64.b64encode(f"\0{USER}\0{PASSWORD}".encode())):
                self.assertNotIn(secret, octets)


class UsablePortTest(ProbeTest):
    """A server as it should be."""

    def test_starttls(self):
        """All of a STARTTLS port with a login, in text on one screen and in JSON."""
        sink = self.sink()
        run = self.probe(sink.endpoint())
        self.assert_exit(run, 0)
        text = run.stdout.decode()
        self.assertLessEqual(len(text.splitlines()), 40, text)
        self.assertLessEqual(max(len(line) for line in text.splitlines()
                                 if str(sink.certificate) not in line), 100, text)
        for part in ("usable", "TLS 1.3", "certificate verified", "days left", "SHA-256",
                     "PIPELINING", "messages up to 50 MiB", f"PLAIN as {USER}: 235", "flights",
                     f"Use port {sink.ports['starttls']}, STARTTLS", "[endpoint.localhost]",
                     sink.endpoint()):
            self.assertIn(part, text)
        self.assertEqual(run.stderr, "")
        report = sink.stop()
        self.assertEqual(report.record, [])
        self.assert_strict(report)

    def test_json(self):
        """The members that docs/how-to/which-port.md shows, with what the sink is known to be."""
        sink = self.sink("--size-max", "1M", "--no-chunking")
        found = self.probe_json(sink.endpoint())
        self.assertEqual((found["endpoint"], found["host"], found["username"]),
                         ("localhost", "localhost", USER))
        self.assertIn("127.0.0.1", found["dns"]["addresses"])
        port, = found["ports"]
        self.assertEqual((port["port"], port["security"], port["usable"]),
                         (sink.ports["starttls"], "starttls", True))
        self.assertEqual(set(port["ms"]), {"connect", "greeting", "ehlo", "starttls", "tls",
                                           "ehlo_tls", "auth"})
        self.assertEqual(port["round_trips"], 7)
        self.assertEqual(port["greeting"]["code"], 220)
        self.assertIn("STARTTLS", port["ehlo"]["keywords"])
        self.assertNotIn("AUTH PLAIN LOGIN", port["ehlo"]["keywords"])
        self.assertIn("AUTH PLAIN LOGIN", port["ehlo_tls"]["keywords"])
        self.assertEqual(port["tls"], {"version": "TLSv1.3", "cipher": port["tls"]["cipher"],
                                       "resumed": False, "verified": True, "chain_length": 1})
        self.assertEqual(port["certificate"]["hosts"], ["localhost"])
        self.assertEqual(port["certificate"]["addresses"], ["127.0.0.1", "::1"])
        self.assertEqual(port["certificate"]["problems"], [])
        self.assertEqual(port["certificate"]["key"], "ECDSA P-256")
        self.assertEqual(port["limits"]["message_bytes"], 1000000)
        self.assertEqual(port["mode"], "groups")
        self.assertEqual(port["auth"], {"tried": True, "accepted": True, "mechanism": "PLAIN",
                                        "reply": {"code": 235, "enhanced": "2.7.0",
                                                  "text": port["auth"]["reply"]["text"]}})
        said = [line["text"] for line in port["transcript"] if line["from"] == "client"]
        self.assertEqual([line.partition(" ")[0] for line in said],
                         ["EHLO", "STARTTLS", "EHLO", "AUTH", "QUIT"])
        self.assertEqual(said[3], "AUTH PLAIN [redacted]")
        verdict = found["verdict"]
        self.assertEqual((verdict["usable"], verdict["port"], verdict["mode"], verdict["url"]),
                         (True, sink.ports["starttls"], "groups", sink.endpoint()))

    def test_implicit_tls_and_its_configuration(self):
        """smtps:// as well; the section that it prints is one that the probe takes."""
        sink = self.sink(listeners=("tls",))
        found = self.probe_json(sink.endpoint("tls"))
        self.assertEqual(found["ports"][0]["round_trips"], 5)
        self.assertNotIn("ehlo_tls", found["ports"][0])
        path = self.folder / "ringpost.toml"
        path.write_text(found["verdict"]["toml"], encoding="utf-8")
        path.chmod(0o600)
        again = self.probe_json("localhost")
        self.assertEqual(again["verdict"]["toml"], found["verdict"]["toml"])
        self.assertEqual(again["verdict"]["url"], sink.endpoint("tls"))
        # The only endpoint there is need not be named.
        self.assert_exit(self.run_program("probe", RINGPOST_PASSWORD=PASSWORD), 0)

    def test_certificate_is_the_one_that_openssl_sees(self):
        """Subject, issuer, serial, dates and fingerprint agree with the file."""
        server = self.server([*logged_in(), expect("QUIT")])
        port = self.probe_json(self.trusted(server))["ports"][0]
        shown = subprocess.run(["openssl", "x509", "-in", self.good.certificate, "-noout",
                                "-serial", "-fingerprint", "-sha256", "-subject", "-issuer"],
                               capture_output=True, text=True, check=True).stdout
        lines = dict(line.partition("=")[::2] for line in shown.splitlines())
        certificate = port["certificate"]
        self.assertEqual(certificate["serial"], lines["serial"].lower())
        self.assertEqual(certificate["sha256"],
                         lines["sha256 Fingerprint"].replace(":", "").lower())
        self.assertEqual(certificate["subject"], lines["subject"].replace(" = ", "="))
        self.assertEqual(certificate["issuer"], lines["issuer"].replace(" = ", "="))
        self.assertIn(certificate["days_left"], (1, 2))

    def test_several_ports_side_by_side(self):
        """The best of those that work is chosen, a dead one costs the others nothing."""
        sink = self.sink(listeners=("starttls", "tls"))
        dead = free_port()
        self.configure(host="localhost", ports=[sink.ports["tls"]], security="implicit",
                       username=USER, ca_file=str(sink.certificate))
        found = self.probe_json("esp", "--ports",
                                f"{dead},{sink.ports['starttls']},{sink.ports['tls']}")
        self.assertEqual([port["usable"] for port in found["ports"]], [False, True, True])
        self.assertEqual(found["ports"][0]["fault"]["kind"], "refused")
        # Both work; TLS from the first octet is ready earlier.
        self.assertEqual(found["verdict"]["port"], sink.ports["tls"])
        self.assertIn("5 round trips instead of 7", " ".join(found["verdict"]["reasons"]))

    def test_without_a_password(self):
        """Nothing but the login is left out, and the text says why."""
        sink = self.sink()
        run = self.probe(sink.endpoint(), password="")
        self.assert_exit(run, 0)
        self.assert_says(run, "not tried: there is no password")
        self.assertFalse(self.probe_json(sink.endpoint(), password="")["ports"][0]["auth"]["tried"])

    def test_plaintext_relay(self):
        """?tls=none is probed as it is, and has no TLS in its finding."""
        sink = self.sink("--no-pipelining", listeners=("plain",))
        found = self.probe_json(sink.endpoint("plain"))
        self.assertNotIn("tls", found["ports"][0])
        self.assertEqual(found["verdict"]["mode"], "lock-step")
        self.assertEqual(found["verdict"]["url"], sink.endpoint("plain"))

    def test_transcript(self):
        """--transcript shows every line of both sides, but the secret."""
        sink = self.sink()
        run = self.probe(sink.endpoint(), "--transcript")
        text = run.stdout.decode()
        for part in ("C: EHLO", "S: 250-STARTTLS", "C: STARTTLS", "-- TLS begins",
                     "C: AUTH PLAIN [redacted]", "S: 235 ", "C: QUIT"):
            self.assertIn(part, text)

    def test_limits_of_rfc_9422(self):
        """LIMITS is read for people and programs."""
        server = self.server([*logged_in("PIPELINING", "SIZE 1500", "LIMITS RCPTMAX=50 MAILMAX=9"),
                              expect("QUIT")])
        self.assertEqual(self.probe_json(self.trusted(server))["ports"][0]["limits"],
                         {"message_bytes": 1500, "recipients_per_message": 50,
                          "messages_per_connection": 9, "recipient_domains_per_message": None})
        self.assert_says(self.probe(self.trusted(server)), "1.5 KiB", "50 recipients a message",
                         "9 messages a connection")

    def test_login_with_challenges(self):
        """AUTH LOGIN: neither the name nor the password of its answers is shown."""
        server = self.server([*secured(), *hello("AUTH LOGIN"), expect("AUTH LOGIN"),
                              say("334 VXNlcm5hbWU6"), expect(""), say("334 UGFzc3dvcmQ6"),
                              expect(""), say("235 2.7.0 ok"), expect("QUIT")])
        port = self.probe_json(self.trusted(server))["ports"][0]
        said = [line["text"] for line in port["transcript"] if line["from"] == "client"]
        self.assertEqual(said[3:], ["AUTH LOGIN", "[redacted]", "[redacted]", "QUIT"])

    def test_a_token_is_said_with_the_port_that_is_probed(self):
        """OAUTHBEARER names the port: that of --ports, not the endpoint's own."""
        server = self.server([*secured(), *hello("AUTH OAUTHBEARER"), expect("AUTH OAUTHBEARER "),
                              say("235 2.7.0 ok"), expect("QUIT")])
        url = self.trusted(server, auth="oauthbearer")
        self.probe_json(url.replace(f":{server.port}", f":{free_port()}"),
                        "--ports", str(server.port))
        response = re.search(rb"AUTH OAUTHBEARER (\S+)", bytes(server.dialogues[0].secured))[1]
        self.assertIn(f"\x01port={server.port}\x01".encode(), base64.b64decode(response))

    def test_verification_switched_off(self):
        """?verify=off shows the certificate and what is wrong with it, and warns."""
        server = self.server([*logged_in(), expect("QUIT")],
                             certificate=self.authority.expired())
        endpoint = server.endpoint(user=USER, verify="off")
        port = self.probe_json(endpoint)["ports"][0]
        self.assertFalse(port["tls"]["verified"])
        self.assertIn("expired", port["certificate"]["problems"][0])
        self.assert_says(self.probe(endpoint), "warning", "certificate not verified")


class ConnectionTest(ProbeTest):
    """Before a word is said."""

    def test_refused(self):
        """Nobody listens: told apart from a blocked port."""
        port = self.check_fault(f"smtp://127.0.0.1:{free_port()}", "refused", "nothing listens",
                                "--all-ports")
        self.assertEqual(port["fault"]["step"], "connect")

    def test_blocked(self):
        """A port that drops what comes costs one timeout, and reads as a blocked port."""
        with full_backlog() as port:
            run = self.probe(f"smtp://127.0.0.1:{port}", "--timeout", "500ms")
            self.assertLess(run.seconds, 20)
            self.check_fault(f"smtp://127.0.0.1:{port}", "no_answer", "blocked port", "2525",
                             "cloud", flags=("--timeout", "500ms"))

    def test_silent(self):
        """Connected, and nothing ever comes."""
        server = self.server([stall])
        self.check_fault(server.endpoint(), "silent", "no greeting", "--timeout 60s",
                         flags=("--timeout", "300ms"))

    def test_unknown_name(self):
        """A name that does not resolve is not a port that fails."""
        found = self.probe_json("smtp://no-such-host.invalid", exit_code=7)
        self.assertEqual(found["ports"], [])
        self.assertIn("no-such-host.invalid", found["dns"]["error"])
        self.assertTrue(found["dns"]["next"])
        self.assert_says(self.probe("smtp://no-such-host.invalid"), "what to do")

    def test_greeting_refused(self):
        server = self.server([say("554 5.7.1 Your address is listed"), hang_up])
        self.check_fault(server.endpoint(), "greeting_refused", "554", "5.7.1",
                         "Your address is listed", "block list")
        busy = self.server([say("421 4.7.0 Too many connections"), hang_up])
        self.check_fault(busy.endpoint(), "greeting_refused", "421", "for now")

    def test_closed_at_once(self):
        self.check_fault(self.server([hang_up]).endpoint(), "closed", "closed the connection")

    def test_no_smtp_at_all(self):
        server = self.server([say("HTTP/1.1 400 Bad Request", ""), hang_up])
        self.check_fault(server.endpoint(), "not_smtp", "HTTP/1.1 400", "not SMTP")


class TlsTest(ProbeTest):
    """Ports of the wrong kind, and certificates that prove nothing."""

    def test_implicit_tls_on_a_starttls_port(self):
        """smtps:// to a port that speaks first."""
        server = self.server([say(GREETING), read_to_the_end])
        self.check_fault(server.endpoint("smtps", user=USER), "not_tls", GREETING, "STARTTLS port",
                         f"smtp://localhost:{server.port}")
        self.assert_no_secret_received(server)

    def test_starttls_on_a_port_with_implicit_tls(self):
        """smtp:// to a port that waits for a ClientHello: asked, and found out."""
        sink = self.sink(listeners=("tls",))
        endpoint = sink.endpoint("tls").replace("smtps://", "smtp://")
        self.check_fault(endpoint, "tls_expected", "TLS from the first octet", "smtps://localhost:",
                         flags=("--timeout", "3s"))

    def test_port_with_implicit_tls_that_does_not_wait_long(self):
        """The server closes before the probe's patience is over; it is asked once more."""
        def close_soon(dialogue):
            dialogue.connection.settimeout(1)
            start_tls(dialogue)
            read_to_the_end(dialogue)

        server = self.server([close_soon])
        self.check_fault(self.trusted(server), "tls_expected", f"smtps://localhost:{server.port}")
        self.assert_no_secret_received(server)

    def test_port_that_closes_at_once(self):
        """Without a greeting and without TLS."""
        server = self.server([hang_up])
        self.check_fault(self.trusted(server), "closed", "in place of a greeting", "smtps://")

    def test_web_server(self):
        """It waits for a request, and says what it is when it gets something else."""
        def answer(dialogue):
            dialogue.receive()
            dialogue.send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

        server = self.server([answer])
        self.check_fault(server.endpoint(), "not_smtp", "HTTP/1.1 400 Bad Request",
                         "an HTTP server", flags=("--timeout", "2s"))

    def test_other_protocol(self):
        server = self.server([say("* OK [CAPABILITY IMAP4rev1] ready."), read_to_the_end])
        self.check_fault(server.endpoint(), "not_smtp", "an IMAP server answers", "* OK [CAP")

    def test_no_starttls(self):
        """Not announced: nothing more is said, and no secret."""
        server = self.server([say(GREETING), *hello("AUTH PLAIN", "8BITMIME"), read_to_the_end])
        port = self.check_fault(server.endpoint(user=USER), "starttls_missing", "not announced",
                                "465")
        self.assertEqual(set(port["ms"]), {"connect", "greeting", "ehlo"})
        self.assert_no_secret_received(server)

    def test_masked_keywords(self):
        """A firewall that overwrites keywords is recognised."""
        server = self.server([say(GREETING), *hello("X" * 8 + "A"), read_to_the_end])
        self.check_fault(server.endpoint(), "starttls_missing", "inspection")

    def test_starttls_refused(self):
        server = self.server([say(GREETING), *hello("STARTTLS"), expect("STARTTLS"),
                              say("454 4.7.0 TLS not available"), read_to_the_end])
        self.check_fault(server.endpoint(), "starttls_refused", "454", "TLS not available")

    def test_injected(self):
        server = self.server([say(GREETING), *hello("STARTTLS"), expect("STARTTLS"),
                              say("220 go", "250 injected"), read_to_the_end])
        self.check_fault(server.endpoint(user=USER), "starttls_injected", "attack")
        self.assert_no_secret_received(server)

    def check_certificate(self, certificate, *words, trusted=True):
        """Refused with and without STARTTLS; shown all the same; no AUTH."""
        for scheme in ("smtp", "smtps"):
            with self.subTest(scheme=scheme):
                server = self.server([*secured(), *hello("AUTH PLAIN"), expect("AUTH")]
                                     if scheme == "smtp" else [say(GREETING), read_to_the_end],
                                     certificate=certificate, implicit_tls=scheme == "smtps")
                endpoint = (self.trusted(server, scheme) if trusted
                            else server.endpoint(scheme, user=USER))
                port = self.check_fault(endpoint, "certificate", "certificate is refused", *words)
                self.assertFalse(port["tls"]["verified"])
                self.assertNotIn("version", port["tls"])
                self.assertEqual(len(port["certificate"]["sha256"]), 64)
                self.assertTrue(port["certificate"]["problems"])
                self.assert_no_secret_received(server)

    def test_expired(self):
        self.check_certificate(self.authority.expired(), "it expired on ", "a day ago")

    def test_not_yet_valid(self):
        self.check_certificate(self.authority.not_yet_valid(), "it is not valid before ", "clock")

    def test_wrong_name(self):
        self.check_certificate(self.authority.wrong_host(),
                               "it is for mail.example.com and not for localhost")

    def test_unknown_authority(self):
        self.check_certificate(self.good, "ringpost test authority", "was not sent",
                               "full chain", "?ca=FILE", trusted=False)

    def test_self_signed(self):
        self.check_certificate(self_signed(self.folder), "it is self-signed", trusted=False)

    def test_everything_wrong_at_once(self):
        """All that is wrong is told, not only what TLS met first."""
        certificate = self.authority.issue("all-wrong", names=("DNS:other.example",),
                                           first_day=-30, last_day=-3)
        self.check_certificate(certificate, "it expired on", "3 days ago", "renew it", "use a name",
                               "it is for other.example and not for localhost")


class DialogueTest(ProbeTest):
    """Servers that refuse, lie or talk too much."""

    def test_wrong_password(self):
        sink = self.sink()
        port = self.check_fault(sink.endpoint(), "auth_refused", f'login of "{USER}"', "535",
                                password="not the one")
        self.assertEqual(port["fault"]["reply"]["code"], 535)
        self.assertTrue(port["tls"]["verified"])

    def test_password_in_the_reply(self):
        """A server that repeats what it was sent is shown without it."""
        plain = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
        server = self.server([*secured(), *hello("AUTH PLAIN"), expect("AUTH"),
                              say(f"535-5.7.8 {plain}", f"535 5.7.8 {PASSWORD} is wrong"),
                              read_to_the_end])
        for flags in ((), ("--transcript",)):
            self.check_fault(self.trusted(server), "auth_refused", "is wrong", flags=flags)

    def test_temporary_refusal(self):
        server = self.server([*secured(), *hello("AUTH PLAIN"), expect("AUTH"),
                              say("454 4.7.0 later"), read_to_the_end])
        self.check_fault(self.trusted(server), "auth_deferred", "454", "put off")

    def test_mechanism_that_does_not_work(self):
        """The next one is tried, as a send would."""
        server = self.server([*secured(), *hello("AUTH SCRAM-SHA-256 PLAIN"), expect("AUTH SCRAM"),
                              say("504 5.5.4 no"), expect("AUTH PLAIN"), say("235 ok"),
                              expect("QUIT"), say("221 bye")])
        port, = self.probe_json(self.trusted(server))["ports"]
        self.assertEqual((port["auth"]["accepted"], port["auth"]["mechanism"]), (True, "PLAIN"))

    def test_no_mechanism_that_works(self):
        server = self.server([*secured(), *hello("AUTH PLAIN"), expect("AUTH"),
                              say("504 5.5.4 no"), read_to_the_end])
        self.check_fault(self.trusted(server), "mechanism_refused", "504", "PLAIN was tried")

    def test_no_authentication(self):
        """Credentials are there and AUTH is not."""
        server = self.server([*secured(), *hello("8BITMIME"), read_to_the_end])
        self.check_fault(self.trusted(server), "auth_missing", "not announced")
        self.assert_no_secret_received(server)

    def test_no_mechanism_that_is_known(self):
        server = self.server([*secured(), *hello("AUTH GSSAPI XOAUTH2"), read_to_the_end])
        self.check_fault(self.trusted(server), "auth_missing", "GSSAPI XOAUTH2", "PLAIN and LOGIN")
        self.assertNotIn("AUTH", server.verbs())

    def test_a_step_that_times_out(self):
        server = self.server([say(GREETING), expect("EHLO"), stall])
        self.check_fault(server.endpoint(), "timed_out", "no answer at ehlo",
                         flags=("--timeout", "2s"))

    def test_hostile_reply_to_ehlo(self):
        """Escapes, controls, endless lines and too many of them: bounded, and harmless."""
        lines = [f"250-X{number} \x1b]0;owned\x07\x9b31m\u202e{'y' * 3000}\r\n"
                 for number in range(200)]
        server = self.server([say(GREETING), expect("EHLO"),
                              say_octets("".join(lines[:15]).encode("latin-1", "replace")),
                              say("250 STARTTLS"), expect("STARTTLS"), say("220 go"), stall])
        run = self.probe(server.endpoint(), "--transcript", "--timeout", "500ms")
        self.assert_exit(run, 7)
        self.assertLess(len(run.stdout), 60_000)
        self.probe_json(server.endpoint(), "--timeout", "500ms", exit_code=7)
        endless = self.server([say(GREETING), expect("EHLO"),
                               say_octets("".join(lines).encode("latin-1", "replace")), stall])
        self.check_fault(endless.endpoint(), "not_smtp")

    def test_dripping_greeting(self):
        """A server that says a little for ever is given up in time."""

        def drip(dialogue):
            while not dialogue.server.stopping.wait(0.05):
                dialogue.send(b"220-still here\r\n")

        run = self.probe(self.server([drip]).endpoint(), "--timeout", "300ms")
        self.assert_exit(run, 7)
        self.assertLess(run.seconds, 20)


class UsageTest(ProbeTest):
    """Exit code 2, with the flag named."""

    def test_wrong_usage(self):
        for arguments, words in (
                (("smtp://h", "--ports", "0"), "--ports"),
                (("smtp://h", "--ports", "587,x"), "--ports"),
                (("smtp://h", "--timeout", "never"), "--timeout"),
                (("smtp://h", "--timeout", "0"), "--timeout"),
                (("smtp://user:hunter2@h",), "RINGPOST_PASSWORD"),
                (("nowhere",), "endpoint"),
                ((), "endpoint"),
                (("smtps://h?ca=missing.pem",), "missing.pem")):
            with self.subTest(arguments=arguments):
                run = self.run_program("probe", *arguments)
                self.assert_exit(run, 2)
                self.assertEqual(run.stdout, b"")
                self.assertIn(words, run.stderr)
                self.assertNotIn("hunter2", run.stderr)


@contextlib.contextmanager
def full_backlog():
    """A port that neither takes nor refuses connections: its queue is full, so that the kernel
    drops what comes, as a firewall does."""
    with contextlib.ExitStack() as open_sockets:
        listener = open_sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listener.getsockname()
        for _ in range(8):
            one = open_sockets.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(address)
        yield address[1]


if __name__ == "__main__":
    unittest.main()
