"""The program `ringpost sink` against clients that are not ours: smtplib, raw sockets, openssl.

Needs $RINGPOST, the program. Everything listens on loopback, on ports that the kernel picks.
"""

import hashlib
import json
import os
import random
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

RINGPOST = os.environ["RINGPOST"]
LOGIN = ("ringpost", "ringpost")
AUTH_PLAIN = "AUTH PLAIN AHJpbmdwb3N0AHJpbmdwb3N0\r\n"
CRLF = b"\r\n"


class Sink:
    """A running sink; a context manager. stop() returns its summary."""

    def __init__(self, *flags, record=False):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.ready_file = self.path / "ready.json"
        self.record_file = self.path / "record.jsonl"
        command = [RINGPOST, "sink", "--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0",
                   "--listen-plain", "127.0.0.1:0", "--ready-file", str(self.ready_file),
                   "--summary", "json", *flags]
        if record:
            command += ["--record", str(self.record_file)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.summary = None

    def __enter__(self):
        until = time.monotonic() + 20
        while not self.ready_file.exists():
            if self.process.poll() is not None or time.monotonic() > until:
                self.process.kill()
                raise RuntimeError(self.process.communicate()[1].decode())
            time.sleep(0.005)
        self.ready = json.loads(self.ready_file.read_text())
        self.port = self.ready["ports"]
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        self.process.stdout.close()
        self.process.stderr.close()
        self.folder.cleanup()

    def stop(self, how=signal.SIGTERM):
        if self.summary is None:
            self.process.send_signal(how)
            self.wait()
        return self.summary

    def wait(self):
        out, self.errors = self.process.communicate(timeout=20)
        # A sanitizer's finding, or a crash, must not hide behind a good summary.
        if self.process.returncode not in (0, 11) or b"Sanitizer" in self.errors:
            raise RuntimeError(self.errors.decode())
        self.summary = json.loads(out)
        return self.summary

    def context(self):
        context = ssl.create_default_context(cafile=self.ready["certificate"])
        # Python sets it with OpenSSL 3, and an end without close_notify is not to be missed here.
        context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        return context

    def smtp(self):
        """A session over STARTTLS, certificate and host name verified, not logged in."""
        client = smtplib.SMTP("127.0.0.1", self.port["starttls"], timeout=20)
        client.starttls(context=self.context())
        client.ehlo()
        return client

    def raw(self, kind="plain"):
        return Raw(self, kind)

    def records(self):
        return [json.loads(line) for line in self.record_file.read_text().splitlines()]


class Raw:
    """Octets on a socket, and replies read one by one."""

    def __init__(self, sink, kind):
        connection = socket.create_connection(("127.0.0.1", sink.port[kind]), timeout=20)
        if kind == "tls":
            # An end without close_notify is an error of its own.
            connection = sink.context().wrap_socket(connection, server_hostname="localhost",
                                                    suppress_ragged_eofs=False)
        self.socket = connection
        self.buffer = b""
        self.at = 0  # of what was not returned yet
        assert self.reply().startswith("220 ")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets if isinstance(octets, bytes) else octets.encode())

    def reply(self):
        """The next reply, its lines joined by LF; empty at the end of the stream."""
        lines = []
        while not lines or lines[-1][3:4] == "-":
            while (end := self.buffer.find(CRLF, self.at)) < 0:
                octets = self.socket.recv(65536)
                if not octets:
                    return ""
                self.buffer = self.buffer[self.at:] + octets
                self.at = 0
            lines.append(self.buffer[self.at:end].decode())
            self.at = end + 2
        return "\n".join(lines)

    def replies(self, count):
        return [self.reply() for _ in range(count)]

    def say(self, octets):
        self.send(octets)
        return self.reply()

    def ehlo(self):
        return self.say("EHLO client.example\r\n")

    def at_end(self):
        return self.reply() == ""


def codes(replies):
    return [int(reply[:3]) for reply in replies]


def sha256(octets):
    return hashlib.sha256(octets).hexdigest()


def lines(count, seed):
    """Text with dots in bad places, CRLF at the end of each line."""
    chooser = random.Random(seed)
    made = [chooser.choice(["", ".", "..", ". x", "x.", "x" * chooser.randrange(990)])
            for _ in range(count)]
    return "".join(line + "\r\n" for line in made).encode()


class Sessions(unittest.TestCase):
    def test_auth_plain_and_login_over_starttls(self):
        with Sink(record=True) as sink:
            for mechanism in ("auth_plain", "auth_login"):
                with sink.smtp() as client:
                    client.user, client.password = LOGIN
                    name = mechanism.removeprefix("auth_").upper()
                    for initial in (True, False):
                        if not initial:
                            client.rset()
                            continue
                        code, _ = client.auth(name, getattr(client, mechanism))
                        self.assertEqual(code, 235)
                    refused = client.sendmail("a@b.example", "c@d.example", "X-Id: 7\n\nx\n")
                    self.assertEqual(refused, {})
            summary = sink.stop()
            first, second = sink.records()
            self.assertEqual((first["session"], second["session"]), (1, 2))
            for record in (first, second):
                self.assertEqual(record["message"], 1)
                self.assertEqual(record["from"], "a@b.example")
                self.assertEqual(record["to"], ["c@d.example"])
                self.assertEqual(record["sha256"], sha256(b"X-Id: 7\r\n\r\nx\r\n"))
                self.assertEqual(record["bytes"], 14)
                self.assertEqual(record["x_id"], "7")
                self.assertEqual(record["auth"], "ringpost")
                self.assertEqual(record["tls"], "TLSv1.3")
                self.assertEqual(record["via"], "DATA")
                self.assertEqual(record["violations"], {})
            self.assertEqual(summary["messages_accepted"], 2)
            self.assertEqual(summary["tls_sessions"], 2)
            self.assertEqual(summary["auth_succeeded"], 2)
            self.assertEqual(summary["violations_total"], 0)

    def test_auth_without_initial_response(self):
        with Sink() as sink:
            with sink.smtp() as client:
                client.user, client.password = LOGIN
                self.assertEqual(
                    235, client.auth("PLAIN", client.auth_plain, initial_response_ok=False)[0])

    def test_implicit_tls(self):
        with Sink(record=True) as sink:
            with smtplib.SMTP_SSL("localhost", sink.port["tls"], context=sink.context()) as client:
                client.login(*LOGIN)
                client.sendmail("a@b", ["c@d", "e@f"], b"x\r\n")
            sink.stop()
            self.assertEqual(sink.records()[0]["to"], ["c@d", "e@f"])

    def test_tls_1_2_is_taken_and_older_ones_are_not(self):
        with Sink(record=True) as sink:
            context = sink.context()
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            with smtplib.SMTP_SSL("localhost", sink.port["tls"], context=context) as client:
                client.login(*LOGIN)
                client.sendmail("a@b", "c@d", b"x\r\n")
            sink.stop()
            self.assertEqual(sink.records()[0]["tls"], "TLSv1.2")

    def test_a_ticket_resumes(self):
        with Sink() as sink:
            context = sink.context()
            session = None
            for _ in range(2):
                connection = socket.create_connection(("127.0.0.1", sink.port["tls"]))
                with context.wrap_socket(connection, server_hostname="localhost",
                                         session=session) as tls:
                    tls.recv(100)
                    tls.sendall(b"QUIT\r\n")
                    tls.recv(100)
                    session = tls.session
            summary = sink.stop()
            self.assertEqual((summary["tls_sessions"], summary["tls_resumed"]), (2, 1))

    def test_a_wrong_password_is_refused(self):
        with Sink() as sink:
            with sink.smtp() as client:
                with self.assertRaises(smtplib.SMTPAuthenticationError) as caught:
                    client.login("ringpost", "wrong")
                self.assertEqual(caught.exception.smtp_code, 535)
            self.assertEqual(sink.stop()["auth_failed"], 2)  # PLAIN, then LOGIN

    def test_user_and_password_of_ones_own(self):
        with tempfile.NamedTemporaryFile("w") as password:
            password.write("s3cret\n")
            password.flush()
            with Sink("--user", "me", "--password-file", password.name) as sink:
                with sink.smtp() as client:
                    self.assertEqual(client.login("me", "s3cret")[0], 235)

    def test_no_login_without_tls(self):
        with Sink() as sink:
            with sink.raw("starttls") as raw:
                self.assertNotIn("AUTH", raw.ehlo())
                self.assertTrue(raw.say(AUTH_PLAIN).startswith("538 "))
                self.assertTrue(raw.say("MAIL FROM:<a@b>\r\n").startswith("530 "))

    def test_plain_listener_is_a_relay_and_with_plain_auth_it_is_not(self):
        with Sink() as sink, sink.raw() as raw:
            self.assertNotIn("AUTH", raw.ehlo())
            self.assertTrue(raw.say("MAIL FROM:<a@b>\r\n").startswith("250 "))
        with Sink("--plain-auth") as sink, sink.raw() as raw:
            self.assertIn("AUTH PLAIN LOGIN", raw.ehlo())
            self.assertTrue(raw.say("MAIL FROM:<a@b>\r\n").startswith("530 "))
            self.assertTrue(raw.say(AUTH_PLAIN).startswith("235 "))

    def test_openssl_s_client(self):
        with Sink() as sink:
            for flags in (["-starttls", "smtp", "-connect", f"127.0.0.1:{sink.port['starttls']}"],
                          ["-connect", f"127.0.0.1:{sink.port['tls']}"]):
                client = subprocess.Popen(
                    ["openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile",
                     sink.ready["certificate"], "-verify_hostname", "localhost", "-crlf", *flags],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                # In step, as a person would type: s_client ends with its input.
                client.stdin.write(b"EHLO client.example\n")
                client.stdin.flush()
                heard = b""
                while b"250 HELP" not in heard:
                    line = client.stdout.readline()
                    self.assertTrue(line, "the connection ended")
                    heard += line
                out, _ = client.communicate(b"QUIT\n", timeout=20)
                self.assertIn(b"221 2.0.0 Bye", out)
                self.assertIn(b"AUTH PLAIN LOGIN", heard)
            summary = sink.stop()
            self.assertEqual(summary["tls_sessions"], 2)
            self.assertEqual(summary["tls_failed"], 0)

    def test_octets_in_clear_behind_starttls_end_the_session(self):
        with Sink() as sink, sink.raw("starttls") as raw:
            raw.ehlo()
            raw.send("STARTTLS\r\nEHLO evil\r\n")
            self.assertEqual(codes(raw.replies(2)), [220, 554])
            self.assertTrue(raw.at_end())
            self.assertEqual(sink.stop()["violations"]["plaintext_behind_starttls"], 1)

    def test_plaintext_on_a_tls_port_ends_it(self):
        with Sink() as sink:
            with socket.create_connection(("127.0.0.1", sink.port["tls"]), timeout=20) as client:
                client.sendall(b"EHLO client.example\r\n")
                while client.recv(1000):
                    pass
            self.assertEqual(sink.stop()["tls_failed"], 1)


class Content(unittest.TestCase):
    def test_any_text_arrives_as_it_was_sent(self):
        with Sink("--no-auth", record=True) as sink:
            bodies = [lines(count, seed=count) for count in (1, 2, 3, 10, 100, 3000)]
            with sink.smtp() as client:
                for body in bodies:
                    client.sendmail("a@b", "c@d", body)
            self.assertEqual(sink.stop()["violations_total"], 0)
            self.assertEqual([record["sha256"] for record in sink.records()],
                             [sha256(body) for body in bodies])
            self.assertEqual([record["bytes"] for record in sink.records()],
                             [len(body) for body in bodies])

    def test_25_megabytes_over_tls(self):
        line = b"." + b"x" * 76 + CRLF
        body = line * (25_000_000 // len(line))
        with Sink("--no-auth", record=True) as sink:
            with sink.smtp() as client:
                client.sendmail("a@b", "c@d", body)  # with SIZE, of its own accord
            self.assertEqual(sink.stop()["violations_total"], 0)
            record = sink.records()[0]
            self.assertEqual((record["bytes"], record["sha256"]), (len(body), sha256(body)))

    def test_a_record_without_digests(self):
        """--no-digest leaves out the SHA-256 and nothing else."""
        with Sink("--no-digest", record=True) as sink, sink.raw() as raw:
            raw.ehlo()
            raw.send("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 12 LAST\r\nX-Id: 7\r\n\r\nx")
            self.assertEqual(codes(raw.replies(3)), [250, 250, 250])
            sink.stop()
            (record,) = sink.records()
            self.assertIsNone(record["sha256"])
            self.assertEqual((record["x_id"], record["bytes"]), ("7", 12))

    def test_bdat_takes_exact_octets_over_clear_and_tls(self):
        body = lines(200, seed=1)
        for kind in ("plain", "tls"):
            with Sink("--no-auth", record=True) as sink, sink.raw(kind) as raw:
                raw.ehlo()
                raw.send(b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n")
                for at in range(0, len(body), 5000):
                    chunk = body[at:at + 5000]
                    raw.send(b"BDAT %d\r\n" % len(chunk) + chunk)
                raw.send(b"BDAT 0 LAST\r\nQUIT\r\n")
                count = 2 + (len(body) + 4999) // 5000 + 2
                self.assertEqual(codes(raw.replies(count)), [250] * (count - 1) + [221])
                self.assertEqual(sink.stop()["violations_total"], 0)
                record = sink.records()[0]
                self.assertEqual((record["via"], record["sha256"]), ("BDAT", sha256(body)))

    def test_fifty_messages_in_one_write(self):
        message = b"X-Id: %d\r\n\r\n" + b"x" * 500 + CRLF
        flight = b""
        for number in range(50):
            body = message % number
            flight += b"RSET\r\nMAIL FROM:<a@b> SIZE=%d\r\nRCPT TO:<%d@d>\r\nBDAT %d LAST\r\n" % (
                len(body), number, len(body)) + body
        for kind in ("plain", "tls"):
            with Sink("--no-auth", record=True) as sink, sink.raw(kind) as raw:
                raw.ehlo()
                raw.send(flight)
                replies = raw.replies(200)
                self.assertEqual(codes(replies), [250] * 200)
                self.assertEqual(sink.stop()["violations_total"], 0)
                records = sink.records()
                self.assertEqual([record["x_id"] for record in records],
                                 [str(number) for number in range(50)])
                self.assertEqual([reply.split()[-1] for reply in replies[3::4]],
                                 [record["queue_id"] for record in records])

    def test_bare_line_feeds_are_refused_and_counted(self):
        with Sink(record=True) as sink, sink.raw() as raw:
            raw.ehlo()
            raw.send("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n")
            raw.replies(3)
            self.assertTrue(raw.say("x\n.\r\ny\r\n.\r\n").startswith("554 5.6.0 Bare line feed"))
            self.assertTrue(raw.say("NOOP\n").startswith("554 5.6.0"))
            summary = sink.stop()
            self.assertEqual(summary["violations"]["bare_lf"], 2)
            self.assertEqual(summary["messages_refused"], 1)
            self.assertEqual(sink.records(), [])

    def test_violations_of_the_session_stand_in_its_records(self):
        with Sink(record=True) as sink, sink.raw() as raw:
            raw.ehlo()
            raw.say("RCPT TO:<c@d>\r\n")
            for _ in range(2):
                raw.send("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 4 LAST\r\n\xf6\r\n")
                raw.replies(3)
            sink.stop()
            self.assertEqual([record["violations"] for record in sink.records()],
                             [{"sequence": 1, "undeclared_8bit": 1},
                              {"sequence": 1, "undeclared_8bit": 2}])

    def test_contents_are_stored_when_asked_for(self):
        with tempfile.TemporaryDirectory() as folder:
            stored = Path(folder, "content")
            with Sink("--record-content", str(stored)) as sink, sink.raw() as raw:
                raw.ehlo()
                raw.send("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n")
                raw.replies(3)
                raw.say("..one\r\n.\r\n")
                raw.send("MAIL FROM:<a@b>\r\nRCPT TO:<reject-data@d>\r\nBDAT 5 LAST\r\ntwo\r\n")
                self.assertEqual(codes(raw.replies(3)), [250, 250, 554])
                sink.stop()
                self.assertEqual([path.name for path in stored.iterdir()], ["1-1.eml"])
                self.assertEqual((stored / "1-1.eml").read_bytes(), b".one\r\n")

    def test_a_message_that_is_not_ended_is_not_recorded(self):
        with Sink(record=True) as sink:
            with sink.raw() as raw:
                raw.ehlo()
                raw.send("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n")
                raw.replies(3)
                raw.send("all of it\r\n.\r")
                raw.socket.shutdown(socket.SHUT_WR)
                self.assertTrue(raw.at_end())
            summary = sink.stop()
            self.assertEqual(sink.records(), [])
            self.assertEqual(summary["sessions_lost"], 1)

    def test_a_client_that_closes_its_half_still_hears_everything(self):
        with Sink(record=True) as sink, sink.raw() as raw:
            raw.ehlo()
            raw.send("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 2 LAST\r\n\r\n")
            raw.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(codes(raw.replies(3)), [250, 250, 250])
            self.assertTrue(raw.at_end())
            sink.stop()
            self.assertEqual(len(sink.records()), 1)

    def test_the_record_is_on_disk_soon_without_a_stop(self):
        with Sink(record=True) as sink, sink.raw() as raw:
            raw.ehlo()
            raw.send("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 0 LAST\r\n")
            raw.replies(3)
            until = time.monotonic() + 60
            while not sink.records() and time.monotonic() < until:
                time.sleep(0.01)
            self.assertEqual(len(sink.records()), 1)

    def test_a_record_that_cannot_be_written_fails_the_run(self):
        with Sink("--record", "/dev/full") as sink, sink.raw() as raw:
            raw.ehlo()
            raw.send("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 0 LAST\r\n")
            raw.replies(3)
            self.assertIn("No space left", sink.stop()["record_failure"])
            self.assertEqual(sink.process.returncode, 11)


class Refusals(unittest.TestCase):
    def test_addresses_decide(self):
        with Sink() as sink, sink.raw() as raw:
            raw.ehlo()
            for sender, code in (("reject-mail@b", 550), ("defer-mail@b", 450), ("reject@b", 250)):
                self.assertEqual(int(raw.say(f"MAIL FROM:<{sender}>\r\n")[:3]), code)
            for recipient, code in (("reject@d", 550), ("reject-x@d", 550), ("defer@d", 450),
                                    ("defer-data@d", 250)):
                self.assertEqual(int(raw.say(f"RCPT TO:<{recipient}>\r\n")[:3]), code)
            self.assertTrue(raw.say("BDAT 2 LAST\r\n\r\n").startswith("451 "))
            self.assertEqual(sink.stop()["violations_total"], 0)

    def test_size(self):
        with Sink("--size-max", "1k") as sink, sink.raw() as raw:
            self.assertIn("SIZE 1000", raw.ehlo())
            self.assertTrue(raw.say("MAIL FROM:<a@b> SIZE=1001\r\n").startswith("552 "))
            self.assertTrue(raw.say("MAIL FROM:<a@b> SIZE=1000\r\n").startswith("250 "))

    def test_close_after(self):
        with Sink("--close-after", "2") as sink, sink.raw() as raw:
            raw.ehlo()
            raw.send("RSET\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 2 LAST\r\n\r\n" * 3)
            self.assertEqual(codes(raw.replies(10)), [250] * 9 + [421])
            self.assertTrue(raw.at_end())

    def test_a_silent_client_is_told_421(self):
        with Sink("--idle-timeout", "500ms") as sink, sink.raw() as raw:
            self.assertTrue(raw.reply().startswith("421 4.4.2"))
            self.assertTrue(raw.at_end())
            self.assertEqual(sink.stop()["sessions_timed_out"], 1)

    def test_too_many_sessions(self):
        with Sink("--sessions-max", "1") as sink, sink.raw() as raw:
            raw.ehlo()
            with socket.create_connection(("127.0.0.1", sink.port["plain"]), timeout=20) as other:
                self.assertTrue(other.recv(100).startswith(b"421 4.3.2"))
            self.assertEqual(sink.stop()["sessions_refused"], 1)

    def test_a_client_that_never_reads_is_let_go(self):
        with Sink() as sink:
            with socket.create_connection(("127.0.0.1", sink.port["plain"]), timeout=60) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                try:
                    for _ in range(2000):
                        client.sendall(b"HELP\r\n" * 4000)
                    self.fail("it was never stopped")
                except OSError:
                    pass
            self.assertEqual(sink.stop()["violations"]["unread_replies"], 1)

    def test_strict_close(self):
        with Sink("--strict-close") as sink, sink.raw() as raw:
            raw.ehlo()
            raw.send("RCPT TO:<c@d>\r\n")
            self.assertEqual(codes(raw.replies(2)), [503, 421])
            self.assertTrue(raw.at_end())


class Time(unittest.TestCase):
    GROUP = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 2 LAST\r\n\r\n"

    def seconds(self, action):
        before = time.monotonic()
        action()
        return time.monotonic() - before

    def test_a_pipelined_group_costs_one_delay_and_lock_step_one_each(self):
        with Sink("--latency", "500ms") as sink, sink.raw() as raw:
            self.assertGreater(self.seconds(raw.ehlo), 0.5)

            def group():
                raw.send(self.GROUP * 20)
                raw.replies(60)

            took = self.seconds(group)
            self.assertGreater(took, 0.5)
            self.assertLess(took, 15)  # 60 delays are 30 s; a busy machine adds some

            def lock_step():
                for _ in range(3):
                    raw.say("RSET\r\n")

            self.assertGreater(self.seconds(lock_step), 1.5)

    def test_replies_keep_their_own_times_and_their_order(self):
        with Sink("--latency", "100ms") as sink, sink.raw() as raw:
            raw.ehlo()
            sent = []
            for number in range(4):
                sent.append(time.monotonic())
                raw.send("MAIL FROM:<a@b>\r\n" if number == 0 else f"RCPT TO:<{number}@d>\r\n")
                time.sleep(0.03)
            for number in range(4):
                self.assertIn("2.1.0" if number == 0 else "2.1.5", raw.reply())
                delay = time.monotonic() - sent[number]
                self.assertGreater(delay, 0.099)
                self.assertLess(delay, 20)

    def test_a_heap_of_replies_that_wait_stays_in_order(self):
        with Sink("--latency", "300ms", "--no-auth") as sink:
            for kind in ("plain", "tls"):
                with sink.raw(kind) as raw:
                    raw.ehlo()
                    commands = ["RSET", "MAIL FROM:<a@b>", "RCPT TO:<reject@b>", "RCPT TO:<c@d>"]
                    raw.send("".join(command + "\r\n" for command in commands) * 4000)
                    expected = ["250 2.0.0 Ok", "250 2.1.0 Ok",
                                "550 5.1.1 No such user, as its address asks", "250 2.1.5 Ok"]
                    self.assertEqual(raw.replies(16000), expected * 4000)

    def test_the_greeting_has_a_delay_of_its_own(self):
        with Sink("--latency-connect", "500ms") as sink:
            self.assertGreater(self.seconds(lambda: sink.raw().__exit__()), 0.5)
            with socket.create_connection(("127.0.0.1", sink.port["plain"])) as early:
                early.sendall(b"EHLO x\r\n")
                heard = b""
                while b"250 HELP" not in heard:
                    heard += early.recv(1000)
                self.assertTrue(heard.startswith(b"220 "))
            self.assertEqual(sink.stop()["violations"]["pipelining"], 1)

    def test_octets_in_clear_while_the_reply_to_starttls_waits(self):
        with Sink("--latency", "5s") as sink, sink.raw("starttls") as raw:
            raw.ehlo()
            raw.send("STARTTLS\r\n")
            time.sleep(0.03)
            raw.send("EHLO evil\r\n")
            self.assertEqual(codes(raw.replies(2)), [220, 554])
            self.assertTrue(raw.at_end())


class Runs(unittest.TestCase):
    def test_max_messages_stops_it(self):
        with Sink("--max-messages", "3") as sink, sink.raw() as raw:
            raw.ehlo()
            raw.send(Time.GROUP * 3)
            self.assertEqual(codes(raw.replies(10)), [250] * 9 + [421])
            self.assertTrue(raw.at_end())
            self.assertEqual(sink.wait()["messages_accepted"], 3)
            self.assertEqual(sink.process.returncode, 0)

    def test_duration_stops_it(self):
        with Sink("--duration", "200ms") as sink:
            self.assertGreaterEqual(sink.wait()["elapsed_s"], 0.2)

    def test_a_signal_stops_it_with_a_summary(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with Sink() as sink, sink.raw() as raw:
                raw.ehlo()
                summary = sink.stop(number)
                self.assertEqual(sink.process.returncode, 0)
                self.assertTrue(raw.reply().startswith("421 4.3.2"))
                self.assertEqual(summary["sessions"], 1)
                self.assertIn("pipelining", summary["violations"])
                self.assertIn(b"ringpost sink: listening: starttls=127.0.0.1:", sink.errors)

    def test_a_certificate_of_ones_own(self):
        with tempfile.TemporaryDirectory() as folder:
            cert, key = Path(folder, "cert.pem"), Path(folder, "key.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                            key, "-out", cert, "-days", "1", "-subj", "/CN=localhost", "-addext",
                            "subjectAltName=DNS:localhost"], check=True, capture_output=True)
            with Sink("--cert", str(cert), "--key", str(key)) as sink:
                self.assertEqual(sink.ready["certificate"], str(cert))
                with smtplib.SMTP_SSL("localhost", sink.port["tls"],
                                      context=ssl.create_default_context(cafile=cert)) as client:
                    self.assertEqual(client.login(*LOGIN)[0], 235)

    def test_the_made_certificate_goes_where_it_is_wanted(self):
        with tempfile.TemporaryDirectory() as folder:
            wanted = Path(folder, "sink.pem")
            with Sink("--cert-out", str(wanted)) as sink:
                self.assertEqual(sink.ready["certificate"], str(wanted))
                sink.smtp().close()
            self.assertTrue(wanted.exists())

    def test_the_temporary_certificate_goes_with_the_sink(self):
        with Sink() as sink:
            certificate = Path(sink.ready["certificate"])
            self.assertTrue(certificate.exists())
            self.assertNotIn("PRIVATE", certificate.read_text())
            sink.stop()
            self.assertFalse(certificate.parent.exists())

    def test_wrong_options_are_said(self):
        for flags in (["--cert", "x"], ["--latency", "fast"], ["--listen", "localhost"],
                      ["--listen", "none", "--listen-tls", "none"],
                      ["--password-file", "/nonexistent"], ["--threads", "0"],
                      ["--fault", "dorp=1"], ["--fault", "late=200"], ["--fault-seed", "x"],
                      ["--cert", "/nonexistent", "--key", "/nonexistent"]):
            # Unless they are what is wrong, ports that nobody has.
            listeners = [] if "--listen" in flags else ["--listen", "127.0.0.1:0"]
            result = subprocess.run(
                [RINGPOST, "sink", "--listen-tls", "127.0.0.1:0", *listeners, *flags]
                if "--listen-tls" not in flags else [RINGPOST, "sink", *flags],
                capture_output=True, timeout=20)
            self.assertNotEqual(result.returncode, 0, flags)
            self.assertIn(b"ringpost: ", result.stderr, flags)

    def test_a_port_in_use_is_said(self):
        with Sink() as sink:
            result = subprocess.run(
                [RINGPOST, "sink", "--listen", f"127.0.0.1:{sink.port['starttls']}"],
                capture_output=True, timeout=20)
            self.assertEqual(result.returncode, 2)
            self.assertIn(b"listen on 127.0.0.1:", result.stderr)

    def test_many_sessions_on_two_threads(self):
        with Sink("--threads", "2", "--no-auth", record=True) as sink:
            failures = []

            def client(number):
                try:
                    for kind in ("plain", "tls"):
                        with sink.raw(kind) as raw:
                            raw.ehlo()
                            raw.send(Time.GROUP * 25)
                            if set(codes(raw.replies(75))) != {250}:
                                failures.append(number)
                            raw.say("QUIT\r\n")
                except Exception as error:
                    failures.append(error)

            threads = [threading.Thread(target=client, args=(number,)) for number in range(30)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(failures, [])
            summary = sink.stop()
            self.assertEqual(summary["messages_accepted"], 30 * 2 * 25)
            self.assertEqual(summary["sessions_lost"], 0)
            self.assertEqual(summary["violations_total"], 0)
            records = sink.records()
            names = {(record["session"], record["message"]) for record in records}
            self.assertEqual(len(names), 1500)


if __name__ == "__main__":
    unittest.main()
