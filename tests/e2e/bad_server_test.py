"""Servers that are wrong, hostile or broken: each is named in words that a person can act on.

Goal: whatever a server does, every job has its outcome line, nothing is called accepted that was
not, nothing is sent twice by itself, no password is sent or shown where it should not be, and the
exit code tells what to do. Method: a scripted server that writes down every octet that it gets.
"""

import base64
import json
import ssl
import time
import unittest

from support.certificates import self_signed
from support.jobs import simple_job, simple_jobs
from support.program import PASSWORD, USER
from support.scripted_server import (CAPABILITIES, GREETING, any_messages, end_tls,
                                     envelope, expect, hang_up, hello,
                                     in_clear, logged_in, one_message,
                                     read_to_the_end, reset, say, say_octets, secured, stall,
                                     start_tls, take_content, take_octets)
from support.trusted_server import TrustedServerTest
from support.workspace import free_port, wait_until

# Connections that two seconds of patience make at most: the pauses are 0.25, 0.5 s and so on, a
# quarter more or less.
ATTEMPTS_MAX = 6


class BadServerTest(TrustedServerTest):
    """With a certificate authority, a scripted server, and the checks that all of these share."""

    patience = "2s"

    def check(self, run, jobs, exit_code, status, stage, *words):
        """All jobs ended alike, and what a person reads has the words."""
        self.assert_exit(run, exit_code)
        self.assert_each_recipient_once(run, jobs)
        found = {(outcome["status"], outcome["stage"]) for outcome in run.outcomes}
        self.assertEqual(found, {(status, stage)}, run.describe())
        self.assert_says(run, *words)
        self.assert_secret_absent(run)

    def assert_silent_about(self, server, *verbs):
        for verb in verbs:
            self.assertNotIn(verb, server.verbs())

    def configured(self, server, **settings):
        """An endpoint of the configuration, for what has no flag; without TLS and login."""
        return self.configure(**{"host": "127.0.0.1", "port": server.port, "security": "none",
                                 **settings})


class LoginTest(BadServerTest):
    """AUTH that is refused or not to be had."""

    def test_wrong_password(self):
        """535: exit code 7 and all jobs unsent; one session tried the password, once."""
        server = self.server([*secured(), *hello("AUTH PLAIN LOGIN"), expect("AUTH"),
                              say("535 5.7.8 Error: authentication failed"), read_to_the_end])
        jobs = simple_jobs(200)
        run = self.send(jobs, self.trusted(server), "--connections", "20", "--cores", "2")
        self.check(run, jobs, 7, "unsent", "auth", "password", "535", "authentication failed")
        self.assertEqual({outcome["code"] for outcome in run.outcomes}, {535})
        self.assertEqual(server.verbs().count("AUTH"), 1)
        self.assert_silent_about(server, "MAIL")

    def test_server_that_repeats_the_password(self):
        """A server's reply with our own credentials in it is shown without them."""
        plain = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
        for echo in (plain, PASSWORD, base64.b64encode(PASSWORD.encode()).decode()):
            with self.subTest(echo=echo):
                server = self.server([*secured(), *hello("AUTH PLAIN"), expect("AUTH"),
                                      say(f"535 5.7.8 AUTH PLAIN {echo} is wrong"),
                                      read_to_the_end])
                jobs = simple_jobs(1)
                run = self.send(jobs, self.trusted(server), "-v", "-v")
                self.check(run, jobs, 7, "unsent", "auth", "is wrong")

    def test_temporary_refusal(self):
        """454 is tried again, a few times and not at once, and then given up."""
        server = self.server([*secured(), *hello("AUTH PLAIN"), expect("AUTH"),
                              say("454 4.7.0 try later"), read_to_the_end])
        jobs = simple_jobs(5)
        run = self.send(jobs, self.trusted(server))
        self.check(run, jobs, 7, "unsent", "auth", "454", "try later")
        self.assertLessEqual(server.verbs().count("AUTH"), ATTEMPTS_MAX)
        self.assertGreater(server.verbs().count("AUTH"), 1)
        self.assertGreater(run.seconds, 0.2)

    def test_temporary_refusal_that_ends(self):
        """454 once, and then a welcome: everything is sent."""
        server = self.server([*secured(), *hello("AUTH PLAIN"), expect("AUTH"),
                              say("454 4.7.0 try later"), read_to_the_end],
                             [*logged_in(), any_messages])
        jobs = simple_jobs(20)
        self.assert_all_accepted(self.send(jobs, self.trusted(server)), jobs)
        self.assertEqual(len(server.messages), 20)

    def test_no_authentication_offered(self):
        """No AUTH, or none that we know: no credentials and no mail."""
        for offer in (CAPABILITIES, ("AUTH GSSAPI NTLM",)):
            with self.subTest(offer=offer):
                server = self.server([*secured(), *hello(*offer), read_to_the_end])
                jobs = simple_jobs(2)
                run = self.send(jobs, self.trusted(server))
                self.check(run, jobs, 7, "unsent", "auth", "authentication")
                self.assert_silent_about(server, "AUTH", "MAIL")


class CertificateTest(BadServerTest):
    """Certificates that prove nothing: no credentials, no mail, and a reason."""

    def check_refused(self, certificate, *words, trusted=True):
        for implicit in (False, True):
            with self.subTest(implicit_tls=implicit):
                script = [read_to_the_end] if implicit else [*secured(), read_to_the_end]
                server = self.server(script, certificate=certificate, implicit_tls=implicit)
                jobs = simple_jobs(5)
                endpoint = (self.trusted(server, "smtps" if implicit else "smtp") if trusted else
                            server.endpoint("smtps" if implicit else "smtp", user=USER))
                run = self.send(jobs, endpoint)
                self.check(run, jobs, 7, "unsent", "tls", "localhost", *words)
                self.assertEqual(len(server.dialogues), 1, "it was asked again")
                server.stop()
                self.assertEqual(bytes(server.dialogues[0].secured), b"")
                in_clear_verbs = [] if implicit else ["EHLO", "STARTTLS"]
                self.assertEqual(server.dialogues[0].verbs(False), in_clear_verbs)

    def test_wrong_host(self):
        """A good certificate for somebody else."""
        self.check_refused(self.authority.wrong_host(), "certificate", "mail.example.com")

    def test_unknown_authority(self):
        """A certificate that is signed by nobody we trust."""
        self.check_refused(self.good, "certificate", "CA", "?ca=", trusted=False)

    def test_self_signed(self):
        """A certificate that is signed by nobody at all."""
        self.check_refused(self_signed(self.folder), "certificate", "CA", trusted=False)
        self.check_refused(self_signed(self.folder), "certificate", "CA")

    def test_expired(self):
        """A certificate whose time is over."""
        self.check_refused(self.authority.expired(), "certificate", "expired")

    def test_not_yet_valid(self):
        """A certificate whose time has not come."""
        self.check_refused(self.authority.not_yet_valid(), "certificate", "not valid yet", "clock")

    def test_wrong_address(self):
        """An endpoint that is an IP address wants it in the certificate."""
        server = self.server([*secured(), read_to_the_end],
                             certificate=self.authority.issue("name-only", ("DNS:localhost",)))
        jobs = simple_jobs(1)
        run = self.send(jobs, self.trusted(server, host="127.0.0.1"))
        self.check(run, jobs, 7, "unsent", "tls", "127.0.0.1", "localhost")

    def test_old_tls(self):
        """A server that speaks TLS 1.1 at most."""
        context = self.good.server_context()
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        server = self.server([*secured(), read_to_the_end])
        server.tls = context
        jobs = simple_jobs(1)
        run = self.send(jobs, self.trusted(server))
        self.assert_exit(run, 7)
        self.assert_each_recipient_once(run, jobs)
        self.assert_says(run, "TLS")
        self.assertEqual(bytes(server.dialogues[0].secured), b"")

    def test_missing_ca_file(self):
        """A ?ca= that is not there is a mistake of usage, named before any connection."""
        server = self.server([read_to_the_end])
        run = self.send(simple_jobs(1), server.endpoint(user=USER, ca="no-such-ca.pem"))
        self.assert_exit(run, 2)
        self.assert_says(run, "no-such-ca.pem")
        self.assertEqual(server.dialogues, [])


class StarttlsTest(BadServerTest):
    """On the way from clear text to TLS."""

    def test_not_offered(self):
        """No STARTTLS: nothing but EHLO and QUIT in clear."""
        server = self.server([say(GREETING), *hello("AUTH PLAIN LOGIN", *CAPABILITIES),
                              read_to_the_end])
        jobs = simple_jobs(10)
        run = self.send(jobs, self.trusted(server))
        self.check(run, jobs, 7, "unsent", "starttls", "STARTTLS", "587", "465")
        self.assertLessEqual(set(server.verbs()), {"EHLO", "QUIT"})
        self.assertEqual(len(server.dialogues), 1)

    def test_refused(self):
        """Any reply to STARTTLS but 220 ends the session, the good-natured ones too."""
        replies = ("454 4.7.0 not now", "502 5.5.1 what", "250 2.0.0 ok", "354 go on",
                   "221 2.0.0 bye", "235 2.7.0 welcome")
        servers = [self.server([say(GREETING), *hello("STARTTLS"), expect("STARTTLS"), say(reply),
                                read_to_the_end]) for reply in replies]
        jobs = simple_jobs(3)
        runs = self.send_together(jobs, [self.trusted(server) for server in servers])
        for reply, server, run in zip(replies, servers, runs):
            with self.subTest(reply=reply):
                self.check(run, jobs, 7, "unsent", "starttls", "STARTTLS", reply[:3])
                self.assertLessEqual(set(server.verbs()), {"EHLO", "STARTTLS", "QUIT"})

    def test_injected(self):
        """Octets in clear behind the 220, before TLS: an attack, whole lines or not."""
        attacks = (b"220 go\r\n250-scripted.test\r\n250 AUTH PLAIN\r\n", b"220 go\r\n25",
                   b"220 go\r\n\r\n", b"220 go\r\n220 go\r\n")
        servers = [self.server([say(GREETING), *hello("STARTTLS"), expect("STARTTLS"),
                                say_octets(octets), start_tls, read_to_the_end])
                   for octets in attacks]
        jobs = simple_jobs(3)
        runs = self.send_together(jobs, [self.trusted(server) for server in servers])
        for octets, server, run in zip(attacks, servers, runs):
            with self.subTest(octets=octets):
                self.check(run, jobs, 7, "unsent", "starttls", "STARTTLS", "clear")
                server.stop()
                self.assertTrue(all(not dialogue.secured for dialogue in server.dialogues))
                self.assert_silent_about(server, "AUTH", "MAIL")

    def test_answer_before_the_question(self):
        """A 220 that comes before STARTTLS was sent is not the answer to it."""
        server = self.server([say(GREETING), expect("EHLO"),
                              say("250-scripted.test", "250 STARTTLS", "220 injected"),
                              read_to_the_end])
        jobs = simple_jobs(3)
        run = self.send(jobs, self.trusted(server))
        self.assert_exit(run, 7)
        self.assert_each_recipient_once(run, jobs)
        self.assertEqual(run.statuses(), {"unsent": 3})
        server.stop()
        # Neither a login nor a handshake, which begins with 0x16, followed.
        self.assert_silent_about(server, "AUTH", "MAIL")
        self.assertTrue(all(b"\x16\x03" not in dialogue.clear for dialogue in server.dialogues))

    def test_capabilities_before_tls_are_forgotten(self):
        """AUTH and PIPELINING that only the clear EHLO announced do not count."""
        server = self.server([say(GREETING), *hello("STARTTLS", "AUTH PLAIN", "PIPELINING"),
                              expect("STARTTLS"), say("220 go"), start_tls, *hello("8BITMIME"),
                              read_to_the_end])
        jobs = simple_jobs(2)
        run = self.send(jobs, self.trusted(server))
        self.check(run, jobs, 7, "unsent", "auth", "authentication")
        self.assert_silent_about(server, "AUTH", "MAIL")

    def test_handshake_that_breaks(self):
        """A server that closes where the handshake should begin."""
        server = self.server([say(GREETING), *hello("STARTTLS"), expect("STARTTLS"),
                              say("220 go"), hang_up])
        jobs = simple_jobs(2)
        run = self.send(jobs, self.trusted(server))
        self.check(run, jobs, 7, "unsent", "tls", "handshake")

    def test_clear_text_on_the_tls_port(self):
        """smtps:// to a server that begins in clear: said so, with the other scheme named."""
        server = self.server([say(GREETING), read_to_the_end])
        jobs = simple_jobs(2)
        run = self.send(jobs, self.trusted(server, "smtps"))
        self.check(run, jobs, 7, "unsent", "tls", "TLS", "smtp://", "STARTTLS")
        self.assert_silent_about(server, "EHLO", "AUTH")


class ConnectTest(BadServerTest):
    """No server at all, or one that does not want us."""

    def test_connection_refused(self):
        """Nobody listens: tried a few times with pauses, and then all jobs are unsent."""
        jobs = simple_jobs(100)
        endpoint = f"smtp://{USER}@127.0.0.1:{free_port()}"
        run = self.send(jobs, endpoint, "--connections", "10")
        self.check(run, jobs, 7, "unsent", "connect", "connection refused", "127.0.0.1")

    def test_name_that_does_not_resolve(self):
        """A name that there is not (RFC 6761 6.4)."""
        jobs = simple_jobs(3)
        run = self.send(jobs, f"smtp://{USER}@mail.name.invalid")
        self.check(run, jobs, 7, "unsent", "connect", "mail.name.invalid", "resolve")

    def test_server_that_comes_back(self):
        """A server that is not there at first and comes up soon is not given up."""
        port = free_port()
        jobs = simple_jobs(5)
        program = self.start_send(jobs, f"smtp://127.0.0.1:{port}?tls=none", "--summary", "json")
        wait_until(lambda: "is away" in program.stderr(), "it is missed")
        server = self.server([*in_clear(), any_messages], port=port)
        run = self.finish(program)
        totals = json.loads(run.stdout)["summary"]
        self.assert_all_accepted(run, jobs)
        self.assertGreater(totals["sessions_opened"], totals["sessions_ready"], run.describe())
        self.assertEqual(len(server.messages), 5)

    def test_greetings(self):
        """554 is final; 421 is tried again before the endpoint is given up."""
        for greeting, connections in (("554 5.7.1 go away", 1), ("421 4.3.2 too busy",
                                                                ATTEMPTS_MAX)):
            with self.subTest(greeting=greeting):
                server = self.server([say(greeting), read_to_the_end])
                jobs = simple_jobs(20)
                run = self.send(jobs, self.trusted(server))
                self.check(run, jobs, 7, "unsent", "greeting", greeting[:3], greeting[10:])
                self.assertLessEqual(len(server.dialogues), connections)
                self.assert_silent_about(server, "EHLO", "AUTH")

    def test_busy_at_first(self):
        """421 in the first greeting, and a welcome in the second."""
        server = self.server([say("421 4.3.2 too busy"), read_to_the_end],
                             [*in_clear(), any_messages])
        jobs = simple_jobs(5)
        self.assert_all_accepted(self.send(jobs, server.endpoint(tls="none")), jobs)

    def test_hello_refused(self):
        """EHLO is refused where TLS is wanted: no HELO, because that has none."""
        server = self.server([say(GREETING), expect("EHLO"), say("550 5.7.1 no"), read_to_the_end])
        jobs = simple_jobs(2)
        run = self.send(jobs, self.trusted(server))
        self.check(run, jobs, 7, "unsent", "ehlo", "EHLO", "550")
        self.assert_silent_about(server, "HELO", "AUTH", "MAIL")


class ClosingTest(BadServerTest):
    """Servers that close in the middle of something."""

    OFFER = CAPABILITIES

    def greeted(self):
        return in_clear(*self.OFFER)

    def send_to(self, *scripts, jobs=None, flags=()):
        server = self.server(*scripts)
        jobs = jobs or simple_jobs(10)
        run = self.send(jobs, server.endpoint(tls="none"), "--connections", "1", *flags)
        self.assert_each_recipient_once(run, jobs)
        self.assertEqual(server.surprises, [])
        return server, run, jobs

    def assert_each_once(self, server, jobs):
        """The server has each message exactly once."""
        ids = sorted(content.split(b"\r\n")[0].decode() for content in server.messages)
        self.assertEqual(ids, sorted(f"X-Id: {job['id']}" for job in jobs))

    def test_before_mail(self):
        """Closed before anything was sent: everything goes through the next session."""
        server, run, jobs = self.send_to([*self.greeted(), hang_up],
                                         [*self.greeted(), any_messages])
        self.assert_all_accepted(run, jobs)
        self.assert_each_once(server, jobs)

    def test_after_mail(self):
        """Closed between MAIL and RCPT."""
        server, run, jobs = self.send_to([*self.greeted(), expect("MAIL"), say("250 2.1.0 ok"),
                                          hang_up], [*self.greeted(), any_messages])
        self.assert_all_accepted(run, jobs)
        self.assert_each_once(server, jobs)

    def test_in_content(self):
        """Closed, in order and with a reset, within the content: nothing is in doubt."""
        for end in (hang_up, reset):
            with self.subTest(end=end.__name__):
                jobs = [simple_job("large", body="x" * 78 + "\r\n"), simple_job("small")]
                jobs[0]["raw"] += ("y" * 78 + "\r\n") * 100_000
                server, run, _ = self.send_to(
                    [*self.greeted(), *envelope(), expect("DATA"), say("354 go on"),
                     take_octets(100_000), end], [*self.greeted(), any_messages], jobs=jobs)
                self.assert_all_accepted(run, jobs)
                self.assert_each_once(server, jobs)

    def test_after_end_of_data(self):
        """Closed between the end of data and its reply: in doubt, and not sent again."""
        for end in ([hang_up], [reset], [say_octets(b"250"), hang_up],
                    [say_octets(b"250-2.0.0 half of it\r\n"), hang_up]):
            with self.subTest(steps=len(end), end=end[-1].__name__):
                server, run, jobs = self.send_to(
                    [*self.greeted(), *envelope(), expect("DATA"), say("354 go on"), take_content,
                     *end], [*self.greeted(), any_messages])
                self.assert_exit(run, 6)
                self.assertEqual(run.statuses(), {"unknown": 1, "accepted": len(jobs) - 1},
                                 run.describe())
                self.assertEqual(run.outcome("job-0")["status"], "unknown")
                self.assertEqual(run.outcome("job-0")["stage"], "eod")
                self.assert_says(run, "may have")
                self.assert_each_once(server, jobs)

    def test_after_end_of_data_under_tls(self):
        """The same under TLS, which ends without its close_notify."""
        server = self.server([*logged_in(), *envelope(), expect("DATA"), say("354 go on"),
                              take_content, reset], [*logged_in(), any_messages])
        jobs = simple_jobs(5)
        run = self.send(jobs, self.trusted(server), "--connections", "1")
        self.assert_exit(run, 6)
        self.assertEqual(run.statuses(), {"unknown": 1, "accepted": 4}, run.describe())
        self.assert_each_once(server, jobs)
        self.assert_secret_absent(run)

    def test_after_every_few_messages_under_tls(self):
        """Ended in order, by TLS and then by TCP, right behind a 250: that one was accepted."""
        server = self.server([*logged_in(*self.OFFER), *one_message() * 3, end_tls, hang_up])
        jobs = simple_jobs(10)
        run = self.send(jobs, self.trusted(server), "--connections", "1")
        self.assert_all_accepted(run, jobs)
        self.assert_each_once(server, jobs)

    def test_goodbye_at_end_of_data(self):
        """421 to the end of data is an answer: put off, and not in doubt."""
        scripts = ([*self.greeted(), *one_message("421 4.3.2 shutting down"), hang_up],
                   [*self.greeted(), any_messages])
        _, run, jobs = self.send_to(*scripts, flags=("--max-attempts", "1"))
        self.assert_exit(run, 5)
        self.assertEqual(run.statuses(), {"deferred": 1, "accepted": len(jobs) - 1})
        _, run, jobs = self.send_to(*scripts)
        self.assert_all_accepted(run, jobs)
        self.assertEqual(run.outcome("job-0")["attempts"], 2)

    def test_after_every_few_messages(self):
        """Closed after each third message, without a word: every message arrives, once."""
        for end in (hang_up, reset):
            with self.subTest(end=end.__name__):
                server, run, jobs = self.send_to([*self.greeted(), *one_message() * 3, end])
                self.assert_all_accepted(run, jobs)
                self.assert_each_once(server, jobs)

    def test_always_before_mail(self):
        """A server that lets us in and always closes is given up, and all jobs are unsent."""
        server, run, jobs = self.send_to([*self.greeted(), hang_up])
        self.assertIn(run.exit_code, (5, 7), run.describe())
        self.assertEqual(run.statuses(), {"unsent": len(jobs)})
        self.assert_says(run, "closed the connection")
        self.assertLessEqual(len(server.dialogues), 3 * ATTEMPTS_MAX)

    def test_always_in_one_message(self):
        """A message that ends every session is given up after a few; its neighbours arrive."""
        server = self.server([*self.greeted(), self.closing_at_poison])
        jobs = simple_jobs(9)
        jobs.insert(4, simple_job("poison", sender="poison@example.com"))
        run = self.send(jobs, server.endpoint(tls="none"), "--connections", "1")
        self.assert_each_recipient_once(run, jobs)
        self.assertEqual(run.outcome("poison")["status"], "unsent", run.describe())
        self.assertEqual(run.statuses()["accepted"], 9, run.describe())
        self.assert_exit(run, 5)

    @staticmethod
    def closing_at_poison(dialogue):
        while True:
            line = dialogue.read_line().upper()
            if "POISON" in line:
                hang_up(dialogue)
            if line.startswith("DATA"):
                dialogue.send(b"354 go on\r\n")
                take_content(dialogue)
            dialogue.send(b"250 2.0.0 ok\r\n")
            if line == "QUIT":
                hang_up(dialogue)


class PipelinedClosingTest(ClosingTest):
    """The same, with the next message's commands on their way already."""

    OFFER = (*CAPABILITIES, "PIPELINING")

    def test_goodbye_at_end_of_data(self):
        """Of a way that it never showed, 421 is no verdict: the message goes again, for nothing."""
        scripts = ([*self.greeted(), *one_message("421 4.3.2 shutting down"), hang_up],
                   [*self.greeted(), any_messages])
        _, run, jobs = self.send_to(*scripts, flags=("--max-attempts", "1"))
        self.assert_all_accepted(run, jobs)


class GarbageTest(BadServerTest):
    """Replies that are none, or that answer nothing."""

    GARBAGE = (b"banana\r\n", b"850 what\r\n", b"2500 ok\r\n", b"25 ok\r\n", b"+250 ok\r\n",
               b"\r\n", b"250 o\0k\r\n", b"250-ok\r\n550 not ok\r\n", b"x" * 200_000,
               b"250-go on\r\n" * 20_000, b"\xff\xfe\x16\x03\x01\r\n")

    def send_garbage(self, before, behind, jobs):
        """Sends to one server for each kind of garbage, which comes behind the steps `before`."""
        servers = [self.server([*before, say_octets(garbage), read_to_the_end], *behind)
                   for garbage in self.GARBAGE]
        runs = self.send_together(jobs, [server.endpoint(tls="none") for server in servers],
                                  "--connections", "1")
        return zip(self.GARBAGE, servers, runs)

    def test_in_place_of_a_greeting(self):
        """Garbage from the first octet: no session at all."""
        jobs = simple_jobs(2)
        for garbage, server, run in self.send_garbage([], [], jobs):
            with self.subTest(garbage=garbage[:30]):
                self.check(run, jobs, 7, "unsent", "greeting")
                self.assertEqual(server.verbs(), [])

    def test_in_place_of_the_reply_to_mail(self):
        """Garbage in a transaction ends the session; the message goes through another one."""
        jobs = simple_jobs(3)
        good = [[*in_clear(), any_messages]]
        for garbage, server, run in self.send_garbage([*in_clear(), expect("MAIL")], good, jobs):
            with self.subTest(garbage=garbage[:30]):
                self.assert_all_accepted(run, jobs)
                self.assertEqual(len(server.messages), 3)

    def test_in_place_of_the_reply_to_end_of_data(self):
        """Garbage where the 250 should stand: that message is in doubt, the others are not."""
        jobs = simple_jobs(3)
        good = [[*in_clear(), any_messages]]
        before = [*in_clear(), *envelope(), expect("DATA"), say("354 go on"), take_content]
        for garbage, server, run in self.send_garbage(before, good, jobs):
            with self.subTest(garbage=garbage[:30]):
                self.assert_exit(run, 6)
                self.assert_each_recipient_once(run, jobs)
                self.assertEqual(run.statuses(), {"unknown": 1, "accepted": 2}, run.describe())
                self.assertEqual(len(server.messages), 3)

    def test_surplus_reply(self):
        """Two replies to one end of data: the second one is nobody's, least of all the next's."""
        surplus = [*in_clear(), *one_message("250 2.0.0 ok\r\n250 2.0.0 surplus"), read_to_the_end]
        server = self.server(surplus, surplus, [*in_clear(), any_messages])
        jobs = simple_jobs(5)
        run = self.send(jobs, server.endpoint(tls="none"), "--connections", "1")
        self.assert_all_accepted(run, jobs)
        self.assertEqual(len(server.messages), 5)

    def test_early_reply(self):
        """A 250 in the middle of the content accepts nothing."""
        server = self.server([*in_clear(), *envelope(), expect("DATA"),
                              say("354 go on", "250 2.0.0 that was quick"), read_to_the_end])
        jobs = [simple_job("early", body=("y" * 78 + "\r\n") * 100_000)]
        run = self.send(jobs, server.endpoint(tls="none"))
        self.assert_each_recipient_once(run, jobs)
        self.assertNotEqual(run.outcome("early")["status"], "accepted", run.describe())
        self.assertIn(run.exit_code, (5, 6, 7))

    def test_refusal_within_the_content(self):
        """A 5xx in the middle of the content is the answer to it."""
        server = self.server([*in_clear(), *envelope(), expect("DATA"), say("354 go on"),
                              take_octets(1000), say("552 5.3.4 too big"), read_to_the_end],
                             [*in_clear(), any_messages])
        jobs = [simple_job("large", body=("y" * 78 + "\r\n") * 200_000), simple_job("small")]
        run = self.send(jobs, server.endpoint(tls="none"), "--connections", "1")
        self.assert_exit(run, 4)
        self.assertEqual(run.outcome("large")["code"], 552, run.describe())
        self.assertEqual(run.outcome("small")["status"], "accepted")

    HOSTILE = b"5.1.1 \x1b[31mred\x1b[0m \x07 \xff\xfe \"quoted\" \\ tab\there\r\n"

    def assert_tame(self, run):
        """The server's words are shown, and nothing in them can steer a terminal."""
        for shown in (run.stderr, run.stdout.decode("utf-8")):
            self.assertIn("red", shown)
            self.assertNotRegex(shown, r"[\x00-\x08\x0b-\x1f\x7f]")

    def test_hostile_words_to_a_recipient(self):
        """Control characters and broken UTF-8 of a reply reach no terminal and no outcome raw."""
        server = self.server([*in_clear(), expect("MAIL"), say("250 2.1.0 ok"), expect("RCPT"),
                              say_octets(b"550 " + self.HOSTILE), expect("RSET"),
                              say("250 2.0.0 ok"), any_messages])
        jobs = simple_jobs(2)
        run = self.send(jobs, server.endpoint(tls="none"), "--connections", "1", "-v")
        self.assert_exit(run, 4)
        self.assertIn("red", run.outcome("job-0")["text"])
        run.stderr += "red"  # it has nothing to say of a recipient
        self.assert_tame(run)

    def test_hostile_words_in_a_greeting(self):
        """The same where they end the run."""
        server = self.server([say_octets(b"554 " + self.HOSTILE), read_to_the_end])
        run = self.send(simple_jobs(2), server.endpoint(tls="none"))
        self.assert_exit(run, 7)
        self.assertIn("red", run.outcome("job-0")["reason"])
        self.assert_tame(run)

    def test_server_that_loses_the_recipients(self):
        """Every RCPT is refused and DATA gets 354 all the same: a lone dot, and no acceptance.

        Asked once more, one by one, it takes them: only that counts.
        """
        server = self.server([*in_clear("PIPELINING"), expect("MAIL"), expect("RCPT"),
                              expect("DATA"), say("250 2.1.0 ok", "550 5.1.1 no", "354 go on"),
                              take_content, say("250 2.0.0 an empty message"), any_messages])
        jobs = simple_jobs(2)
        run = self.send(jobs, server.endpoint(tls="none"), "--connections", "1")
        self.assert_each_recipient_once(run, jobs)
        self.assert_all_accepted(run, jobs)
        self.assertEqual(server.dialogues[0].messages[0], b"")
        self.assertEqual(len(server.dialogues[0].messages), 1 + len(jobs))


class StallTest(BadServerTest):
    """Servers that say nothing, with timeouts that a test can wait for.

    Where the server has something to say before or afterwards, the timeout leaves it seconds for
    that, on a machine that may have much else to do."""

    def send_to(self, *scripts, timeout):
        server = self.server(*scripts)
        jobs = simple_jobs(3)
        run = self.send(jobs, self.configured(server, command_timeout=timeout,
                                              end_of_data_timeout=timeout, connections=1))
        self.assert_each_recipient_once(run, jobs)
        return server, run, jobs

    def check_given_up(self, run, stage):
        self.assert_exit(run, 7)
        self.assertEqual({(outcome["status"], outcome["stage"]) for outcome in run.outcomes},
                         {("unsent", stage)}, run.describe())
        self.assert_says(run, "in time")

    def test_greeting(self):
        """No greeting."""
        _, run, _ = self.send_to([stall], timeout="300ms")
        self.check_given_up(run, "greeting")

    def test_hello(self):
        """No reply to EHLO."""
        _, run, _ = self.send_to([say(GREETING), stall], timeout="2s")
        self.check_given_up(run, "ehlo")

    def test_handshake(self):
        """No handshake on the port for TLS."""
        server = self.server([stall])
        endpoint = self.configured(server, host="localhost", security="implicit",
                                   tls_timeout="300ms")
        jobs = simple_jobs(3)
        run = self.send(jobs, endpoint)
        self.assert_exit(run, 7)
        self.assert_each_recipient_once(run, jobs)
        self.assertEqual({outcome["stage"] for outcome in run.outcomes}, {"tls"})
        self.assert_says(run, "timed out", "handshake")

    def test_mail(self):
        """No reply to MAIL: the message goes through the next session."""
        _, run, jobs = self.send_to([*in_clear(), stall], [*in_clear(), any_messages],
                                    timeout="5s")
        self.assert_all_accepted(run, jobs)

    def check_in_doubt(self, *ending):
        """The first message's end of data is followed by these steps; the others go elsewhere."""
        server, run, _ = self.send_to([*in_clear(), *envelope(), expect("DATA"),
                                       say("354 go on"), take_content, *ending],
                                      [*in_clear(), any_messages], timeout="5s")
        self.assert_exit(run, 6)
        self.assertEqual(run.statuses(), {"unknown": 1, "accepted": 2}, run.describe())
        self.assertEqual(run.outcome("job-0")["status"], "unknown")
        self.assert_says(run, "in time", "may have")
        self.assertEqual(len(server.messages), 3)

    def test_end_of_data(self):
        """No reply to the end of data: in doubt, and not sent again."""
        self.check_in_doubt(stall)

    def test_late_reply(self):
        """A 250 that comes after the timeout is credited to nobody."""

        def wait_for_next_session(dialogue):
            wait_until(lambda: len(dialogue.server.dialogues) > 1, "the next session is there")

        self.check_in_doubt(wait_for_next_session, say("250 2.0.0 at last"), read_to_the_end)

    def test_one_octet_at_a_time(self):
        """A reply that never ends though it never stops runs into the same timeout."""

        def trickle(dialogue):
            while not dialogue.server.stopping.wait(0.05):
                dialogue.send(b"2")

        _, run, _ = self.send_to([trickle], timeout="300ms")
        self.check_given_up(run, "greeting")
        self.assertLess(run.seconds, 30)


if __name__ == "__main__":
    unittest.main()
