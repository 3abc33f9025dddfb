"""How a session begins with servers that are not what they seem.

They are on the wrong port, announce a way to log in that does not work, do not like a name, or
break the protocol in their greeting. Goal: it goes on where that can be, and else a person reads at
once what came and what to change; no password goes where it should not, nor more often than a user
would try it. Method: scripted servers.
"""

import base64
import socket
import threading
import unittest

from support.jobs import simple_jobs
from support.program import PASSWORD, USER
from support.scripted_server import (GREETING, any_messages, expect, hang_up, hello,
                                     read_to_the_end, say, say_octets, secured, start_tls)
from support.trusted_server import TrustedServerTest

PLAIN = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()


def encode(text):
    return base64.b64encode(text.encode()).decode()


class OpeningTest(TrustedServerTest):
    """With a certificate authority and scripted servers."""

    def check_unsent(self, run, jobs, stage, *words):
        self.assert_exit(run, 7)
        self.assert_each_recipient_once(run, jobs)
        self.assertEqual({(outcome["status"], outcome["stage"]) for outcome in run.outcomes},
                         {("unsent", stage)}, run.describe())
        self.assert_says(run, *words)
        self.assert_secret_absent(run)


class WrongPortTest(OpeningTest):
    """The other end expects another protocol."""

    def test_port_with_tls_from_the_first_octet(self):
        """STARTTLS is expected: told after ten seconds, tried, and given up with the right URL."""
        server = self.server([read_to_the_end], implicit_tls=True)
        jobs = simple_jobs(20)
        run = self.send(jobs, self.trusted(server), "--connections", "5", "--cores", "2")
        self.check_unsent(run, jobs, "greeting", "has not greeted for 10 s",
                          f"use smtps://localhost:{server.port}")
        self.assertLess(run.seconds, 40)
        self.assertEqual(run.stderr.count("has not greeted"), 1)
        for dialogue in server.dialogues:
            self.assertNotIn(b"EHLO", bytes(dialogue.clear + dialogue.secured))

    def test_port_with_tls_that_does_not_wait_long(self):
        """It closes before it is told: found out as well."""
        def close_soon(dialogue):
            dialogue.connection.settimeout(0.3)
            start_tls(dialogue)
            read_to_the_end(dialogue)

        server = self.server([close_soon])
        jobs = simple_jobs(5)
        run = self.send(jobs, self.trusted(server))
        self.check_unsent(run, jobs, "greeting", f"use smtps://localhost:{server.port}")
        self.assertLess(run.seconds, 10)

    def test_web_server(self):
        """It waits for a request, and says what it is when it gets something else."""
        def answer(dialogue):
            dialogue.receive()
            dialogue.send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

        server = self.server([answer])
        jobs = simple_jobs(2)
        run = self.send(jobs, self.trusted(server))
        self.check_unsent(run, jobs, "greeting", "HTTP/1.1 400 Bad Request", "an HTTP server")
        self.assertLess(run.seconds, 20)

    def test_port_that_says_nothing(self):
        """Neither a greeting nor TLS: told after ten seconds, while the run waits on."""
        server = self.server([read_to_the_end])
        jobs = simple_jobs(2)
        run = self.send(jobs, self.trusted(server), "--deadline", "18s")
        self.assert_each_recipient_once(run, jobs)
        self.assert_says(run, "has not greeted for 10 s", "smtps://")

    def test_slow_greeting(self):
        """A server that greets after twelve seconds is spoken to, and nothing disturbs it."""
        def wait(dialogue):
            dialogue.server.stopping.wait(12)

        script = [wait, say(GREETING), *hello("8BITMIME"), any_messages]
        server = self.server(script)
        jobs = simple_jobs(3)
        run = self.send(jobs, server.endpoint(tls="none"), "--connections", "1")
        self.assert_all_accepted(run, jobs)
        self.assertEqual(len(server.dialogues), 1)
        self.assert_says(run, "has not greeted for 10 s")

    def test_port_that_greets_in_clear(self):
        """TLS is expected: what came, and the right scheme."""
        for greeting in ("220 mx.example ESMTP", "554 5.7.1 no service"):
            with self.subTest(greeting=greeting):
                server = self.server([say(greeting), read_to_the_end])
                jobs = simple_jobs(2)
                run = self.send(jobs, self.trusted(server, "smtps"))
                self.check_unsent(run, jobs, "tls", greeting, "speaks clear text first",
                                  f"use smtp://localhost:{server.port}")

    def test_other_protocols(self):
        """IMAP, POP3, HTTP and TLS alerts are told at once, by their names and with what came."""
        for octets, words in ((b"* OK [CAPABILITY IMAP4rev1] ready.\r\n", ("IMAP", "* OK [CAP")),
                              (b"+OK ready.\r\n", ("POP3", "+OK ready")),
                              (b"HTTP/1.1 400 Bad Request\r\n\r\n", ("HTTP", "400 Bad Request")),
                              (b"\x15\x03\x03\0\x02\x02\x50", ("use smtps://",))):
            for scheme in ("smtp", "smtps"):
                if scheme == "smtps" and octets[0] == 0x15:
                    continue  # an alert is a proper answer there
                with self.subTest(octets=octets, scheme=scheme):
                    server = self.server([say_octets(octets), hang_up])
                    jobs = simple_jobs(1)
                    run = self.send(jobs, self.trusted(server, scheme))
                    self.assert_exit(run, 7)
                    self.assert_says(run, *words)
                    self.assertLess(run.seconds, 20)  # it does not wait for what cannot come


class MechanismTest(OpeningTest):
    """Ways to log in that do not work."""

    MECHANISMS = "AUTH PLAIN LOGIN SCRAM-SHA-256"

    def begin(self, mechanisms=MECHANISMS):
        return [*secured(), *hello(mechanisms, "PIPELINING", "8BITMIME")]

    def said(self, server, command):
        return sum(line.startswith(command) for dialogue in server.dialogues
                   for _, line in dialogue.lines)

    def check_scram_fails_plain_works(self, *refusal, next_session=False):
        """All is sent over several sessions, and SCRAM was tried once for all of them."""
        lock = threading.Lock()
        tried = []

        def login(dialogue):
            line = dialogue.read_line()
            if line.startswith("AUTH SCRAM-SHA-256"):
                with lock:
                    tried.append(line)
                for step in refusal:
                    step(dialogue)
                if next_session:
                    hang_up(dialogue)
                line = dialogue.read_line()
            if line != f"AUTH PLAIN {PLAIN}":
                dialogue.server.surprises.append(line)
            dialogue.send(b"235 2.7.0 welcome\r\n")

        server = self.server([*self.begin(), login, any_messages])
        jobs = simple_jobs(200)
        run = self.send(jobs, self.trusted(server), "--connections", "6", "--cores", "2")
        self.assert_all_accepted(run, jobs)
        self.assertEqual(server.surprises, [])
        self.assertEqual(len(tried), 1)
        self.assert_secret_absent(run)
        return run

    def test_mechanism_that_is_not_known(self):
        run = self.check_scram_fails_plain_works(say("504 5.5.4 Unrecognized authentication type"))
        self.assert_says(run, "logs in with PLAIN after SCRAM-SHA-256 failed", "504 5.5.4")

    def test_account_without_data_for_scram(self):
        run = self.check_scram_fails_plain_works(say("535 5.7.8 authentication failed"))
        self.assert_says(run, "logs in with PLAIN after SCRAM-SHA-256 failed", "535 5.7.8")

    def test_server_that_closes_behind_it(self):
        self.check_scram_fails_plain_works(say("504 5.5.4 no"), next_session=True)

    def test_server_that_dies_of_it(self):
        self.check_scram_fails_plain_works(next_session=True)

    def test_broken_challenge(self):
        """It is cancelled with `*`."""
        self.check_scram_fails_plain_works(say("334 bm9uc2Vuc2U="), expect("*"),
                                           say("501 5.7.0 cancelled"))

    def test_password_that_is_wrong_everywhere(self):
        """One login more than the first, and both are named."""
        server = self.server([*self.begin(), expect("AUTH SCRAM"), say("535 5.7.8 no"),
                              expect("AUTH PLAIN"), say("535 5.7.8 no"), read_to_the_end])
        jobs = simple_jobs(50)
        run = self.send(jobs, self.trusted(server), "--connections", "10", "--cores", "2")
        self.check_unsent(run, jobs, "auth", "SCRAM-SHA-256, PLAIN were tried",
                          "and it offers PLAIN LOGIN SCRAM-SHA-256")
        self.assertEqual(server.verbs().count("AUTH"), 2)

    def test_mechanism_that_was_named(self):
        """It is that or none."""
        server = self.server([*self.begin(), expect("AUTH SCRAM"), say("504 5.5.4 no"),
                              read_to_the_end])
        jobs = simple_jobs(3)
        run = self.send(jobs, self.trusted(server, auth="scram-sha-256"))
        self.check_unsent(run, jobs, "auth", "refused the way to log in",
                          "SCRAM-SHA-256 was tried")
        self.assertEqual(server.verbs().count("AUTH"), 1)

    def test_prompts_that_are_no_base64(self):
        for first, second in (("Username:", "Password:"), ("VXNlcm5hbWU6 ", "UGFzc3dvcmQ"),
                              ("ok. go on", "")):
            with self.subTest(first=first, second=second):
                server = self.server([*self.begin("AUTH LOGIN"), expect("AUTH LOGIN"),
                                      say(f"334 {first}"), expect(encode(USER)),
                                      say(f"334 {second}"), expect(encode(PASSWORD)),
                                      say("235 ok"), any_messages])
                jobs = simple_jobs(2)
                self.assert_all_accepted(self.send(jobs, self.trusted(server)), jobs)
                self.assertEqual(server.surprises, [])


class GreetingTest(OpeningTest):
    """Replies that break the protocol, or refuse the client's name."""

    def test_refusal_in_a_muddle(self):
        """Its words stand in the outcome as those of a refusal."""
        server = self.server([say("220-mx.example", "521 5.7.1 blocked using rbl.example"),
                              read_to_the_end])
        jobs = simple_jobs(3)
        run = self.send(jobs, server.endpoint(tls="none"))
        self.check_unsent(run, jobs, "greeting", "521", "blocked using rbl.example")
        self.assertEqual({outcome["code"] for outcome in run.outcomes}, {521})

    def test_line_that_is_no_reply(self):
        """It is shown, escaped."""
        server = self.server([say_octets(b"\x1b[31mwelcome\x07\r\n"), read_to_the_end])
        run = self.send(simple_jobs(1), server.endpoint(tls="none"))
        self.assert_exit(run, 7)
        self.assert_says(run, "broke the protocol", "[31mwelcome")
        self.assertNotIn("\x1b", run.stderr)

    def test_name_that_is_refused(self):
        server = self.server([say(GREETING), expect("EHLO"),
                              say("421-4.7.0 Try again later, closing connection. (EHLO)",
                                  "421 4.7.0 see the documentation"), hang_up])
        run = self.send(simple_jobs(1), server.endpoint(tls="none"))
        self.assert_exit(run, 7)
        self.assert_says(run, "client_name sets another name")

    def test_literal_of_the_own_address(self):
        """Where the host's name says nothing, EHLO has the address that the server sees."""
        if "." in socket.gethostname():
            self.skipTest("this machine has a name")
        address = own_address()
        if address is None:
            self.skipTest("this machine has no address but the loopback's")
        server = self.server([say(GREETING), *hello("8BITMIME"), any_messages], host=address)
        jobs = simple_jobs(1)
        self.assert_all_accepted(self.send(jobs, server.endpoint(host=address, tls="none")), jobs)
        self.assertIn(f"EHLO [{address}]", [line for _, line in server.dialogues[0].lines])


def own_address():
    """The address towards a far one; nothing is sent there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = probe.getsockname()[0]
    return None if address.startswith(("127.", "0.")) else address


if __name__ == "__main__":
    unittest.main()
