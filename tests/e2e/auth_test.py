"""How `ringpost send` logs in: mechanisms, refusals, and how often it tries.

Goal: each mechanism against the sink over TLS, and against exchanges that Python's own hashes make;
one wrong password costs one attempt, whatever --connections says. Method: the sink counts logins, a
scripted server writes down what it was told.
"""

import base64
import hashlib
import hmac
import ssl
import unittest

from support.certificates import Authority
from support.jobs import recipients_of, simple_jobs
from support.program import PASSWORD, USER, interrupt
from support.scripted_server import (ScriptedServer, expect, hang_up, read_to_the_end, say,
                                     take_content)
from support.sink import SinkTest
from support.workspace import wait_until

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


class TokenTest(SinkTest):
    """OAuth tokens from a command and from a file."""

    patience = "2s"

    TOKENS = ["ya29.first-token-0001", "ya29.second-token-0002", "ya29.third-token-0003"]

    def tokens_of_sink(self, *tokens):
        path = self.folder / "tokens"
        path.write_text("".join(token + "\n" for token in tokens), encoding="ascii")
        return ("--auth", "xoauth2,oauthbearer", "--token-file", path)

    def command(self, *outputs):
        """A command that prints the next of `outputs` each time it runs, the last one for ever."""
        for number, text in enumerate(outputs):
            (self.folder / f"token-{number}").write_text(text + "\n", encoding="ascii")
        script = self.folder / "print-token"
        script.write_text(
            f"#!/bin/sh\ncd '{self.folder}'\nn=$(cat count 2>/dev/null || echo 0)\n"
            f"echo $((n + 1)) > count\n[ $n -lt {len(outputs)} ] || n={len(outputs) - 1}\n"
            "cat token-$n\n", encoding="ascii")
        script.chmod(0o700)
        return str(script)

    def reads(self):
        return int((self.folder / "count").read_text(encoding="ascii"))

    def check(self, sink, jobs, *flags):
        run = self.send(jobs, "esp", *flags, RINGPOST_PASSWORD="")
        for token in self.TOKENS:
            self.assert_secret_absent(run, password=token)
        return run, sink.stop()

    def test_command(self):
        """The command runs once, and every session logs in with what it printed."""
        first = self.TOKENS[0]
        for output in (first, f'{{"access_token": "{first}", "expires_in": 3600}}'):
            for auth in ("auto", "xoauth2", "oauthbearer"):
                with self.subTest(output=output, auth=auth):
                    (self.folder / "count").unlink(missing_ok=True)
                    sink = self.sink(*self.tokens_of_sink(first))
                    self.configuration(sink, auth=auth, oauth_token_command=self.command(output))
                    jobs = simple_jobs(500)
                    run, report = self.check(sink, jobs, "--connections", "10")
                    self.assert_all_accepted(run, jobs)
                    self.assert_strict(report)
                    self.assertEqual({one["auth"] for one in report.record}, {USER})
                    self.assertEqual(self.reads(), 1)

    def test_file(self):
        """oauth_token_file holds a token."""
        token = self.folder / "token"
        token.write_text(self.TOKENS[0] + "\n", encoding="ascii")
        token.chmod(0o600)
        sink = self.sink(*self.tokens_of_sink(self.TOKENS[0]))
        self.configuration(sink, oauth_token_file=str(token))
        jobs = simple_jobs(5)
        run, _ = self.check(sink, jobs)
        self.assert_all_accepted(run, jobs)

    def test_token_that_expires_in_mid_run(self):
        """A refused token is replaced by the next one, and no message is lost."""
        sink = self.sink(*self.tokens_of_sink(*self.TOKENS), "--token-uses", "3",
                         "--close-after", "20")
        self.configuration(sink, oauth_token_command=self.command(*self.TOKENS))
        jobs = simple_jobs(100)
        run, report = self.check(sink, jobs, "--connections", "1")
        self.assert_all_accepted(run, jobs)
        self.assertEqual(report.recipients(), recipients_of(jobs))
        self.assertEqual(report.summary["auth_failed"], 1)
        self.assertEqual(self.reads(), 2)

    def test_stale_token_at_the_start(self):
        """A token that has aged before the run is read anew once."""
        sink = self.sink(*self.tokens_of_sink(self.TOKENS[1]))
        self.configuration(sink, oauth_token_command=self.command(*self.TOKENS[:2]))
        jobs = simple_jobs(50)
        run, report = self.check(sink, jobs, "--connections", "10")
        self.assert_all_accepted(run, jobs)
        self.assertEqual(report.summary["auth_failed"], 1)

    def test_fresh_token_that_is_refused(self):
        """Two different tokens refused are the end, and so is the same one read twice."""
        for outputs, attempts in ((self.TOKENS[:2], 2), (self.TOKENS[:1], 1)):
            with self.subTest(attempts=attempts):
                (self.folder / "count").unlink(missing_ok=True)
                sink = self.sink(*self.tokens_of_sink("another-token"))
                self.configuration(sink, oauth_token_command=self.command(*outputs))
                jobs = simple_jobs(50)
                run, report = self.check(sink, jobs, "--connections", "10", "--cores", "2")
                self.assert_exit(run, 7)
                self.assert_each_recipient_once(run, jobs)
                self.assertEqual(set(run.statuses()), {"unsent"})
                self.assertEqual(report.summary["auth_failed"], attempts)
                self.assertEqual(self.reads(), 2)

    def test_command_that_fails(self):
        """It is tried again a few times, and then its words are the reason."""
        sink = self.sink(*self.tokens_of_sink(self.TOKENS[0]))
        self.configuration(sink, oauth_token_command="echo no such account >&2; exit 3")
        jobs = simple_jobs(3)
        run, report = self.check(sink, jobs)
        self.assert_exit(run, 7)
        self.assert_each_recipient_once(run, jobs)
        self.assert_says(run, "oauth_token_command", "no such account")
        self.assertEqual(report.summary["sessions"], 0)

    def test_command_that_does_not_end(self):
        """A signal ends a run whose command hangs."""
        sink = self.sink(*self.tokens_of_sink(self.TOKENS[0]))
        self.configuration(sink, oauth_token_command="touch started; sleep 30")
        program = self.start_send(simple_jobs(3), "esp", RINGPOST_PASSWORD="")
        wait_until((self.folder / "started").exists, "the command runs")
        interrupt(program)
        run = self.finish(program, seconds=20)
        self.assert_exit(run, 130)
        self.assertEqual(set(run.statuses()), {"unsent"})


class ScriptedAuthTest(SinkTest):
    """What the server says in AUTH is Python's, to the octet."""

    patience = "2s"

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
        self.patience = "2m"  # many iterations are many seconds on a machine that is busy
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
        """454 again and again ends as no usable endpoint, after a few attempts and not at once."""
        server = self.server(self.login("PLAIN", expect("AUTH PLAIN"),
                                        say("454 4.7.0 Temporary authentication failure"),
                                        hang_up))
        run = self.send(simple_jobs(50), self.endpoint(server), "--connections", "20")
        self.assert_exit(run, 7)
        self.assertEqual(set(run.statuses()), {"unsent"})
        self.assertIn(len(server.dialogues), range(3, 7))
        self.assertGreater(run.seconds, 1.5)

    def test_a_token_that_is_refused_behind_its_login_is_read_anew_once(self):
        """Some servers let it age in a session and say so at MAIL: a rule knows their words."""
        for number in (1, 2):
            (self.folder / f"token-{number}").write_text(f"ya29.token-{number}\n", encoding="ascii")
        script = self.folder / "print-token"
        script.write_text(f"#!/bin/sh\ncd '{self.folder}'\necho >> read\n"
                          "exec cat token-$(wc -l < read)\n", encoding="ascii")
        script.chmod(0o700)
        login = self.login("XOAUTH2", expect("AUTH XOAUTH2"), say("235 2.7.0 welcome"))
        refused = [*login, expect("MAIL"), say("450 4.7.0 The token has expired"), read_to_the_end]
        for scripts, status, exit_code in (((refused, [*login, *self.MESSAGE]), "accepted", 0),
                                           ((refused, refused), "unsent", 7)):
            with self.subTest(status=status):
                (self.folder / "read").unlink(missing_ok=True)
                server = self.server(*scripts)
                self.configure(host="localhost", port=server.port, security="implicit",
                               username=USER, ca_file=str(self.authority.certificate),
                               oauth_token_command=str(script))
                with (self.folder / "ringpost.toml").open("a", encoding="utf-8") as file:
                    file.write('[[endpoint.esp.reply]]\ntext = "token has expired"\n'
                               'stage = "mail"\nscope = "login"\naction = "renew-token"\n'
                               'hint = "sign in again"\n')
                run = self.send(simple_jobs(1), "esp", "--connections", "1", RINGPOST_PASSWORD="")
                self.assert_exit(run, exit_code)
                self.assertEqual(run.statuses(), {status: 1}, run.describe())
                self.assertEqual(run.outcomes[0]["attempts"], 1 if exit_code == 0 else 0)
                tokens = [decode(line.split()[2]) for dialogue in server.dialogues
                          for _, line in dialogue.lines if line.startswith("AUTH")]
                self.assertEqual([token.partition("ya29.")[2][:7] for token in tokens],
                                 ["token-1", "token-2"], run.describe())
                if exit_code:
                    self.assert_says(run, "sign in again", "The token has expired")

    def test_535_is_final(self):
        """535 is asked for once, and the server's words are told without the password."""
        server = self.server(self.login("PLAIN", expect("AUTH PLAIN"),
                                        say(f"535 5.7.8 {PASSWORD} is wrong"), hang_up))
        run = self.send(simple_jobs(50), self.endpoint(server), "--connections", "20")
        self.assert_exit(run, 7)
        self.assertEqual(len(server.dialogues), 1)
        self.assert_says(run, "535 5.7.8 [redacted] is wrong")
        self.assert_secret_absent(run)

    def test_client_certificate(self):
        """A server that asks who we are is shown the certificate, and lets nobody else in."""
        client = self.authority.client()
        server = self.server(self.login("PLAIN", expect("AUTH PLAIN"), say("235 ok"),
                                        *self.MESSAGE))
        server.tls.verify_mode = ssl.CERT_REQUIRED
        server.tls.load_verify_locations(self.authority.certificate)
        shown = {"client_certificate": str(client.certificate), "client_key": str(client.key)}
        for settings, exit_code in ((shown, 0), ({}, 7)):
            with self.subTest(shown=bool(settings)):
                self.configure(host="localhost", port=server.port, security="implicit",
                               username=USER, ca_file=str(self.authority.certificate), **settings)
                run = self.send(simple_jobs(1), "esp")
                self.assert_exit(run, exit_code)
        self.assertEqual(len(server.messages), 1)

    def test_client_key_that_is_not_the_certificates(self):
        """A key that does not fit is a mistake that names the file, before any connection."""
        server = self.server([])
        self.configure(host="localhost", port=server.port, security="implicit",
                       client_certificate=str(self.authority.client().certificate),
                       client_key=str(self.certificate.key))
        run = self.send(simple_jobs(1), "esp")
        self.assert_exit(run, 2)
        self.assert_says(run, "good.key")
        self.assertEqual(server.dialogues, [])


if __name__ == "__main__":
    unittest.main()
