"""How `ringpost send` logs in: mechanisms, refusals, and how often it tries.

Goal: each mechanism against the sink over TLS, and against exchanges that Python's own hashes make;
one wrong password costs one attempt, whatever --connections says. Method: the sink counts logins, a
scripted server writes down what it was told.
"""

import base64
import hashlib
import hmac
import unittest

from support.certificates import Authority
from support.jobs import recipients_of, simple_jobs
from support.program import PASSWORD, USER
from support.scripted_server import ScriptedServer, expect, hang_up, say, take_content
from support.sink import SinkTest

PASSWORD_MECHANISMS = ("plain", "login", "cram-md5", "scram-sha-256")
TOKEN = "ya29." + "t0ken-" * 20


def encode(text):
    return base64.b64encode(text.encode()).decode()


def decode(text):
    return base64.b64decode(text).decode()


class MechanismTest(SinkTest):
    """Each mechanism against the sink."""

    def check(self, sink, *flags, auth=None, **more):
        jobs = simple_jobs(20)
        endpoint = sink.endpoint() + (f"&auth={auth}" if auth else "")
        run = self.send(jobs, endpoint, *flags, **more)
        self.assert_all_accepted(run, jobs)
        report = sink.stop()
        self.assertEqual(report.recipients(), recipients_of(jobs))
        self.assertEqual({one["auth"] for one in report.record}, {USER})
        self.assertEqual(report.summary["auth_failed"], 0)
        self.assert_strict(report)
        return run

    def test_each_with_a_password(self):
        """A server that announces one mechanism is logged in to with it, named or not."""
        for mechanism in PASSWORD_MECHANISMS:
            for auth in (None, mechanism):
                with self.subTest(mechanism=mechanism, auth=auth):
                    run = self.check(self.sink("--auth", mechanism), auth=auth)
                    self.assert_secret_absent(run)

    def test_many_sessions_with_scram(self):
        """A pool of sessions on two cores logs in with SCRAM as one does."""
        sink = self.sink("--auth", "all")
        jobs = simple_jobs(2000)
        run = self.send(jobs, sink.endpoint() + "&auth=scram-sha-256", "--connections", "20",
                        "--cores", "2")
        self.assert_all_accepted(run, jobs)
        self.assert_strict(sink.stop())

    def test_password_as_token(self):
        """With a mechanism that takes a token, the password is one."""
        (self.folder / "tokens").write_text(TOKEN + "\n", encoding="ascii")
        for mechanism in ("xoauth2", "oauthbearer"):
            with self.subTest(mechanism=mechanism):
                sink = self.sink("--auth", mechanism, "--token-file", self.folder / "tokens")
                run = self.check(sink, auth=mechanism, RINGPOST_PASSWORD=TOKEN)
                self.assert_secret_absent(run, password=TOKEN)

    def test_mechanism_that_is_not_there(self):
        """A mechanism that was asked for and is not announced is replaced by no other."""
        sink = self.sink("--auth", "plain,login")
        jobs = simple_jobs(3)
        run = self.send(jobs, sink.endpoint() + "&auth=scram-sha-256")
        self.assert_exit(run, 7)
        self.assert_each_recipient_once(run, jobs)
        self.assert_says(run, "SCRAM-SHA-256 was asked for", "it offers PLAIN LOGIN")
        report = sink.stop()
        self.assertEqual(report.summary["auth_failed"] + report.summary["auth_succeeded"], 0)

    def test_wrong_password_is_tried_once(self):
        """535 stops the endpoint: one attempt by the canary, however many sessions are allowed."""
        for mechanism in PASSWORD_MECHANISMS:
            with self.subTest(mechanism=mechanism):
                sink = self.sink("--auth", mechanism)
                jobs = simple_jobs(200)
                run = self.send(jobs, sink.endpoint(), "--connections", "50", "--cores", "2",
                                RINGPOST_PASSWORD="not-the-password")
                self.assert_exit(run, 7)
                self.assert_each_recipient_once(run, jobs)
                self.assertEqual(set(run.statuses()), {"unsent"})
                self.assertEqual({one["stage"] for one in run.outcomes}, {"auth"})
                report = sink.stop()
                self.assertEqual(report.summary["auth_failed"], 1)
                self.assertEqual(report.summary["sessions"], 1)


class ScriptedAuthTest(SinkTest):
    """What the server says in AUTH is Python's, to the octet."""

    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder / "authority")
        self.certificate = self.authority.good()

    def server(self, *scripts):
        return ScriptedServer(*scripts, cleanup=self.addCleanup, certificate=self.certificate,
                              implicit_tls=True)

    def endpoint(self, server, **parameters):
        return server.endpoint("smtps", user=USER, ca=self.authority.certificate, **parameters)

    @staticmethod
    def login(mechanisms, *steps):
        return [say("220 scripted ESMTP"), expect("EHLO"),
                say("250-scripted", f"250 AUTH {mechanisms}"), *steps]

    MESSAGE = [expect("MAIL"), say("250 ok"), expect("RCPT"), say("250 ok"), expect("DATA"),
               say("354 go"), take_content, say("250 2.0.0 taken"), expect("QUIT")]

    def test_cram_md5(self):
        """CRAM-MD5, checked with Python's hmac."""
        challenge = "<1896.697170952@postoffice.example>"

        def check(dialogue):
            digest = hmac.new(PASSWORD.encode(), challenge.encode(), "md5").hexdigest()
            if decode(dialogue.read_line()) != f"{USER} {digest}":
                dialogue.server.surprises.append("a wrong digest")
            dialogue.send(b"235 ok\r\n")

        server = self.server(self.login("CRAM-MD5", expect("AUTH CRAM-MD5"),
                                        say(f"334 {encode(challenge)}"), check, *self.MESSAGE))
        jobs = simple_jobs(1)
        self.assert_all_accepted(self.send(jobs, self.endpoint(server)), jobs)
        self.assertEqual(server.surprises, [])

    def scram(self, iterations=4096, honest=True):
        """The steps of a SCRAM server that Python's hashlib makes."""
        def exchange(dialogue):
            first = decode(dialogue.read_line().split()[2])
            bare = first.removeprefix("n,,")
            nonce = bare.partition(",r=")[2] + "server-part"
            salt = b"0123456789abcdef"
            server_first = f"r={nonce},s={base64.b64encode(salt).decode()},i={iterations}"
            dialogue.send(f"334 {encode(server_first)}\r\n".encode())
            final = decode(dialogue.read_line())
            without_proof, _, proof = final.rpartition(",p=")
            message = ",".join([bare, server_first, without_proof]).encode()
            salted = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt, iterations)
            client_key = hmac.digest(salted, b"Client Key", "sha256")
            signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
            expected = bytes(a ^ b for a, b in zip(client_key, signature))
            if base64.b64decode(proof) != expected or without_proof != f"c=biws,r={nonce}":
                dialogue.server.surprises.append("a wrong proof")
            key = hmac.digest(salted, b"Server Key" if honest else b"No Key", "sha256")
            verifier = base64.b64encode(hmac.digest(key, message, "sha256")).decode()
            dialogue.send(f"334 {encode('v=' + verifier)}\r\n".encode())
            if dialogue.read_line() != "":
                dialogue.server.surprises.append("an answer that is not empty")
            dialogue.send(b"235 ok\r\n")
        return exchange

    def test_scram(self):
        """SCRAM-SHA-256, checked with Python's hashlib; with many iterations, too."""
        for iterations in (4096, 600_000):
            with self.subTest(iterations=iterations):
                server = self.server(self.login("PLAIN SCRAM-SHA-256", self.scram(iterations),
                                                *self.MESSAGE))
                jobs = simple_jobs(1)
                self.assert_all_accepted(self.send(jobs, self.endpoint(server)), jobs)
                self.assertEqual(server.surprises, [])

    def test_scram_server_that_does_not_prove_itself(self):
        """A server with a wrong signature gets no mail, though it would take it."""
        server = self.server(self.login("SCRAM-SHA-256", self.scram(honest=False),
                                        *self.MESSAGE))
        run = self.send(simple_jobs(3), self.endpoint(server))
        self.assert_exit(run, 7)
        self.assert_says(run, "did not prove that it knows the password")
        self.assertEqual(server.verbs().count("MAIL"), 0)
        self.assertEqual(len(server.dialogues), 1)

    def test_454_is_tried_again(self):
        """454 backs off and goes on; nobody else tries meanwhile."""
        refuse = self.login("PLAIN", expect("AUTH PLAIN"),
                            say("454 4.7.0 Temporary authentication failure"), hang_up)
        accept = self.login("PLAIN", expect("AUTH PLAIN"), say("235 ok"), *self.MESSAGE)
        server = self.server(refuse, refuse, accept)
        jobs = simple_jobs(1)
        run = self.send(jobs, self.endpoint(server), "--connections", "20")
        self.assert_all_accepted(run, jobs)
        self.assertEqual(len(server.dialogues), 3)

    def test_454_for_ever(self):
        """454 again and again ends as no usable endpoint, after four attempts and not at once."""
        server = self.server(self.login("PLAIN", expect("AUTH PLAIN"),
                                        say("454 4.7.0 Temporary authentication failure"),
                                        hang_up))
        run = self.send(simple_jobs(50), self.endpoint(server), "--connections", "20")
        self.assert_exit(run, 7)
        self.assertEqual(set(run.statuses()), {"unsent"})
        self.assertEqual(len(server.dialogues), 4)
        self.assertGreater(run.seconds, 1.5)

    def test_535_is_final(self):
        """535 is asked for once, and the server's words are told without the password."""
        server = self.server(self.login("PLAIN", expect("AUTH PLAIN"),
                                        say(f"535 5.7.8 {PASSWORD} is wrong"), hang_up))
        run = self.send(simple_jobs(50), self.endpoint(server), "--connections", "20")
        self.assert_exit(run, 7)
        self.assertEqual(len(server.dialogues), 1)
        self.assert_says(run, "535 5.7.8 [redacted] is wrong")
        self.assert_secret_absent(run)


if __name__ == "__main__":
    unittest.main()
