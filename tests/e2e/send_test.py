"""`ringpost send` against `ringpost sink`: what a user does on a good day, and how it is told.

Goal: the promises of CONTRACT.md section 5 as far as one run can show them. Method: the sink writes
down what it accepted, and that is compared with the outcome lines.
"""

import gzip
import json
import os
import subprocess
import unittest

from support.corpus import RAW, copies, one_mebibyte, small
from support.jobs import (line_of, numbered_body, recipients_of, sha256, simple_content,
                          simple_job, simple_jobs, write_jobs)
from support.program import (OUTCOMES, PASSWORD, USER, ProgramTest, interrupt, is_sanitized,
                             outcomes_on_stdout, terminate)
from support.scripted_server import ScriptedServer, in_clear, read_to_the_end
from support.sink import Sink
from support.workspace import wait_until


class SendTest(ProgramTest):
    """With what all of these need: a sink to send to."""

    def sink(self, *flags, **more):
        return Sink(self.folder, *flags, cleanup=self.addCleanup, **more)

    def assert_strict(self, report):
        """Nothing that was sent broke a rule of SMTP."""
        self.assertEqual(report.summary["violations_total"], 0, report.summary)

    def configuration(self, sink, **settings):
        """A ringpost.toml with one endpoint, named "esp"."""
        settings = {"host": "localhost", "port": sink.ports["starttls"], "username": USER,
                    "ca_file": str(sink.certificate), **settings}
        lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
        path = self.folder / "ringpost.toml"
        path.write_text("\n".join(["[endpoint.esp]", *lines, ""]), encoding="utf-8")
        path.chmod(0o600)


class EndpointTest(SendTest):
    """The three forms of an endpoint URL, and the ways to name one."""

    def check(self, listener):
        sink = self.sink(listeners=(listener,))
        jobs = simple_jobs(20)
        run = self.send(jobs, sink.endpoint(listener))
        self.assert_all_accepted(run, jobs)
        report = sink.stop()
        self.assertEqual(report.recipients(), recipients_of(jobs))
        self.assert_strict(report)
        return run, report

    def test_starttls(self):
        """smtp:// logs in under TLS that STARTTLS began."""
        run, report = self.check("starttls")
        self.assertTrue(all(one["tls"] and one["auth"] == USER for one in report.record))
        self.assert_secret_absent(run)

    def test_implicit_tls(self):
        """smtps:// logs in under TLS from the first octet."""
        run, report = self.check("tls")
        self.assertTrue(all(one["tls"] and one["auth"] == USER for one in report.record))
        self.assert_secret_absent(run)

    def test_plaintext(self):
        """?tls=none is a relay without TLS and without a login."""
        _, report = self.check("plain")
        self.assertFalse(any(one["tls"] or one["auth"] for one in report.record))

    def test_address_in_place_of_a_name(self):
        """A certificate for an IP address is enough for an endpoint that is one."""
        sink = self.sink()
        jobs = simple_jobs(2)
        self.assert_all_accepted(self.send(jobs, sink.endpoint(host="127.0.0.1")), jobs)

    def test_verification_switched_off_warns(self):
        """?verify=off sends to anybody, and every run says so."""
        sink = self.sink()
        jobs = simple_jobs(2)
        endpoint = sink.endpoint().partition("?")[0] + "?verify=off"
        run = self.send(jobs, endpoint)
        self.assert_all_accepted(run, jobs)
        self.assertRegex(run.stderr.lower(), "verif|certificate")

    def test_endpoint_of_the_configuration(self):
        """An [endpoint.NAME] of ./ringpost.toml is used by its name, and named in the outcomes."""
        sink = self.sink()
        self.configuration(sink)
        jobs = simple_jobs(5)
        run = self.send(jobs, "esp")
        self.assert_all_accepted(run, jobs)
        self.assertEqual({outcome["endpoint"] for outcome in run.outcomes}, {"esp"})

    def test_without_pipelining(self):
        """With --pipeline off, and with a server that does not offer it, all goes in lock-step."""
        for flags in ((), ("--no-pipelining",)):
            with self.subTest(sink=flags):
                sink = self.sink(*flags)
                jobs = simple_jobs(50, prefix=f"job{len(flags)}")
                run = self.send(jobs, sink.endpoint(), "--pipeline", "off")
                self.assert_all_accepted(run, jobs)
                self.assert_strict(sink.stop())

    def test_without_any_extension(self):
        """A server that offers nothing but AUTH gets plain messages all the same."""
        names = ("pipelining", "chunking", "8bitmime", "smtputf8", "size", "dsn",
                 "enhancedstatuscodes")
        sink = self.sink(*(f"--no-{name}" for name in names))
        jobs = simple_jobs(50)
        self.assert_all_accepted(self.send(jobs, sink.endpoint()), jobs)
        self.assert_strict(sink.stop())


class PasswordTest(SendTest):
    """Where the password may come from; never from the arguments."""

    def check(self, endpoint="esp", **environment):
        environment.setdefault("RINGPOST_PASSWORD", "")
        jobs = simple_jobs(3)
        run = self.send(jobs, endpoint, **environment)
        self.assert_all_accepted(run, jobs)
        self.assert_secret_absent(run)

    def test_from_a_file(self):
        """password_file: its first line, whoever else may not read it."""
        secret = self.folder / "secret"
        secret.write_text(PASSWORD + "\n", encoding="ascii")
        secret.chmod(0o600)
        self.configuration(self.sink(), password_file=str(secret))
        self.check()

    def test_from_a_file_that_others_can_read(self):
        """password_file: one that others may open is a mistake to be mended, not a password."""
        secret = self.folder / "secret"
        secret.write_text(PASSWORD + "\n", encoding="ascii")
        secret.chmod(0o644)
        self.configuration(self.sink(), password_file=str(secret))
        run = self.send(simple_jobs(1), "esp", RINGPOST_PASSWORD="")
        self.assert_exit(run, 2)
        self.assert_says(run, "password_file", "chmod 600")
        self.assert_secret_absent(run)

    def test_from_a_command(self):
        """password_command: the first line that it prints."""
        script = self.folder / "print-secret"
        script.write_text(f"#!/bin/sh\necho '{PASSWORD}'\necho second line\n", encoding="ascii")
        script.chmod(0o700)
        self.configuration(self.sink(), password_command=str(script))
        self.check()

    def test_from_a_command_that_fails(self):
        """password_command: one that fails ends the run with its words, before any connection."""
        self.configuration(self.sink(), password_command="echo no such entry >&2; exit 3")
        run = self.send(simple_jobs(1), "esp", RINGPOST_PASSWORD="")
        self.assert_exit(run, 2)
        self.assert_says(run, "password_command", "no such entry")

    def test_from_the_variable_of_the_endpoint(self):
        """RINGPOST_ENDPOINT_<NAME>_PASSWORD goes before RINGPOST_PASSWORD."""
        self.configuration(self.sink())
        self.check(RINGPOST_ENDPOINT_ESP_PASSWORD=PASSWORD, RINGPOST_PASSWORD="not this one")

    def test_from_the_credentials_of_systemd(self):
        """$CREDENTIALS_DIRECTORY/NAME goes before the variables."""
        credentials = self.folder / "credentials"
        credentials.mkdir()
        (credentials / "esp").write_text(PASSWORD, encoding="ascii")
        self.configuration(self.sink())
        self.check(CREDENTIALS_DIRECTORY=str(credentials), RINGPOST_PASSWORD="not this one")

    def test_none_at_all(self):
        """A user name without a password is a mistake of usage that names the ways to give one."""
        run = self.send(simple_jobs(1), self.sink().endpoint(), RINGPOST_PASSWORD="")
        self.assert_exit(run, 2)
        self.assert_says(run, "password", "RINGPOST_PASSWORD")

    def test_in_the_url(self):
        """A password in a URL is refused, and not repeated."""
        endpoint = self.sink().endpoint().replace(f"{USER}@", f"{USER}:{PASSWORD}@")
        run = self.send(simple_jobs(1), endpoint)
        self.assert_exit(run, 2)
        self.assertIn(b"", run.stdout)
        self.assertNotIn(PASSWORD, run.stderr)
        self.assertEqual(run.outcomes, [])


class OutcomeTest(SendTest):
    """What became of each recipient, and where it is said."""

    def test_mixed_refusals(self):
        """Recipients of one message are refused, put off and accepted each for itself."""
        sink = self.sink()
        recipients = ["one@example.net", "reject-me@example.net", "two@example.net",
                      "defer-me@example.net", "three@example.net"]
        jobs = [simple_job("mixed", recipients), simple_job("good", ["four@example.net"]),
                simple_job("bad", ["reject-a@example.net", "reject-b@example.net"]),
                simple_job("late", ["defer-a@example.net"])]
        run = self.send(jobs, sink.endpoint())
        self.assert_each_recipient_once(run, jobs)
        expected = {"reject": ("rejected", 550), "defer": ("deferred", 450)}
        for outcome in run.outcomes:
            status, code = expected.get(outcome["rcpt"].partition("-")[0], ("accepted", 250))
            self.assertEqual((outcome["status"], outcome["code"]), (status, code), outcome)
            self.assertEqual(outcome["stage"], "eod" if status == "accepted" else "rcpt", outcome)
            self.assertTrue(outcome["text"] and outcome["peer"] and outcome["endpoint"], outcome)
        self.assert_exit(run, 5)
        report = sink.stop()
        accepted = {(outcome["id"], outcome["rcpt"]) for outcome in run.outcomes
                    if outcome["status"] == "accepted"}
        self.assertEqual(set(report.recipients()), accepted)
        self.assertEqual(report.ids, {"mixed": 1, "good": 1})
        self.assert_strict(report)

    def test_mixed_refusals_in_lock_step(self):
        """The same, one command at a time."""
        sink = self.sink("--no-pipelining")
        jobs = [simple_job(f"job-{number}", [f"reject-{number}@example.net", "a@example.net",
                                             f"defer-{number}@example.net"])
                for number in range(10)]
        jobs += [simple_job(f"all-{number}", ["reject@example.net", "defer@example.net"])
                 for number in range(10)]
        run = self.send(jobs, sink.endpoint(), "--connections", "2")
        self.assert_each_recipient_once(run, jobs)
        self.assertEqual(run.statuses(), {"accepted": 10, "rejected": 20, "deferred": 20})
        report = sink.stop()
        self.assertEqual(report.ids, {f"job-{number}": 1 for number in range(10)})
        self.assert_strict(report)

    def test_refusals_at_each_command(self):
        """Refused at MAIL, at RCPT and at the end of data: the stage tells, neighbours go on."""
        sink = self.sink()
        jobs = [simple_job("mail-5", sender="reject-mail@example.com"),
                simple_job("mail-4", sender="defer-mail@example.com"),
                simple_job("rcpt-5", ["reject@example.net"]),
                simple_job("rcpt-4", ["defer@example.net"]),
                simple_job("eod-5", ["reject-data@example.net", "other@example.net"]),
                simple_job("eod-4", ["defer-data@example.net"]), simple_job("good")]
        jobs = [job for _ in range(3) for job in jobs]
        for number, job in enumerate(jobs):
            job = jobs[number] = dict(job)
            job["id"] += f".{number}"
        run = self.send(jobs, sink.endpoint(), "--connections", "2")
        self.assert_each_recipient_once(run, jobs)
        for outcome in run.outcomes:
            stage, _, kind = outcome["id"].partition(".")[0].partition("-")
            status = {"5": "rejected", "4": "deferred", "": "accepted"}[kind]
            self.assertEqual((outcome["status"], outcome["stage"]),
                             (status, "eod" if stage == "good" else stage), outcome)
        self.assert_exit(run, 5)
        self.assert_strict(sink.stop())

    def test_echo(self):
        """id, tags and metadata come back as they were given; the reply's queue id is found."""
        sink = self.sink()
        job = simple_job("echo \u00e9 \"quoted\"")
        job["tags"] = ["a", "b"]
        job["metadata"] = {"customer": 17, "nested": {"list": [1, 2.5, None, True]}}
        job["raw"] = simple_content("echo")
        outcome = self.send([job], sink.endpoint()).outcome(job["id"])
        self.assertEqual(outcome["tags"], job["tags"])
        self.assertEqual(outcome["metadata"], job["metadata"])
        self.assertEqual(outcome["bytes"], len(job["raw"]))
        (message,) = sink.stop().record
        self.assertEqual(outcome["queue_id"], message["queue_id"])

    def test_on_stdout(self):
        """-o - puts the outcome lines on stdout, and nothing else."""
        sink = self.sink()
        jobs = simple_jobs(10)
        path = write_jobs(self.folder / "jobs.jsonl", jobs)
        run = self.run_program("send", path, "-e", sink.endpoint(), "-o", "-",
                               RINGPOST_PASSWORD=PASSWORD)
        run.outcomes = outcomes_on_stdout(run)
        self.assert_all_accepted(run, jobs)

    def test_errors_file(self):
        """--errors has the lines of what was not accepted, and only those."""
        sink = self.sink()
        jobs = [simple_job("good"), simple_job("bad", ["reject@example.net"])]
        run = self.send(jobs, sink.endpoint(), "--errors", "errors.jsonl")
        self.assert_each_recipient_once(run, jobs)
        lines = (self.folder / "errors.jsonl").read_bytes().splitlines()
        self.assertEqual([json.loads(line)["id"] for line in lines], ["bad"])

    def test_outcomes_that_cannot_be_written(self):
        """Where outcomes cannot be written nothing is sent: exit code 11."""
        sink = self.sink()
        run = self.run_program("send", write_jobs(self.folder / "jobs.jsonl", simple_jobs(3)), "-e",
                               sink.endpoint(), "-o", "no/such/folder/outcomes.jsonl",
                               RINGPOST_PASSWORD=PASSWORD)
        self.assert_exit(run, 11)
        self.assertEqual(sink.stop().record, [])

    def test_full_disk(self):
        """Outcome lines that do not fit any more: no new messages, and exit code 11."""
        sink = self.sink()
        run = self.run_program("send", write_jobs(self.folder / "jobs.jsonl", simple_jobs(2000)),
                               "-e", sink.endpoint(), "-o", "/dev/full", RINGPOST_PASSWORD=PASSWORD)
        self.assert_exit(run, 11)
        self.assert_says(run, "outcome", "space")

    def test_exit_codes(self):
        """One kind of failure, one code; of several the graver one."""
        good = simple_job("good")
        rejected = simple_job("rejected", ["reject@example.net"])
        deferred = simple_job("deferred", ["defer@example.net"])
        invalid = b'{"id": "invalid"'
        for code, jobs in ((0, [good]), (3, [good, invalid]), (4, [good, rejected]),
                           (4, [good, rejected, invalid]), (5, [good, deferred]),
                           (5, [good, deferred, rejected, invalid])):
            with self.subTest(code=code, jobs=len(jobs)):
                sink = self.sink()
                run = self.send(jobs, sink.endpoint())
                self.assert_exit(run, code)
                self.assertEqual(len(run.outcomes), len(jobs))

    def test_fail_on(self):
        """--fail-on takes a class out of the exit code."""
        jobs = [simple_job("good"), simple_job("rejected", ["reject@example.net"])]
        run = self.send(jobs, self.sink().endpoint(), "--fail-on", "unknown,deferred")
        self.assert_exit(run, 0)


class InputTest(SendTest):
    """Files and pipes, compressed and not."""

    def test_stdin(self):
        """Without a file, and as "-", jobs come from stdin; the first ones leave before its end."""
        for name in ((), ("-",)):
            with self.subTest(files=name):
                sink = self.sink()
                program = self.start("send", *name, "-e", sink.endpoint(), "-o", OUTCOMES,
                                     stdin=subprocess.PIPE, RINGPOST_PASSWORD=PASSWORD)
                early, late = simple_job("early"), simple_job("late")
                program.process.stdin.write(line_of(early) + b"\n")
                program.process.stdin.flush()
                wait_until(sink.record, "the first job has arrived though stdin is open")
                program.process.stdin.write(line_of(late) + b"\n")
                program.process.stdin.close()
                run = self.finish(program)
                self.assert_all_accepted(run, [early, late])
                self.assertEqual(sink.stop().ids, {"early": 1, "late": 1})
                (self.folder / OUTCOMES).unlink()

    def test_several_files_compressed(self):
        """gzip, zstd and plain files one after the other, known by their octets."""
        sink = self.sink()
        jobs = [simple_jobs(300, prefix=name) for name in ("plain", "gzip", "zstd")]
        for name, some in zip(("plain", "gzip", "zstd"), jobs):
            write_jobs(self.folder / name, some)
        packed = gzip.compress((self.folder / "gzip").read_bytes())
        (self.folder / "jobs.jsonl.gz").write_bytes(packed)
        subprocess.run(["zstd", "-q", "zstd", "-o", "jobs.jsonl.zst"], cwd=self.folder, check=True,
                       timeout=60)
        run = self.finish(self.start("send", "plain", "jobs.jsonl.gz", "jobs.jsonl.zst", "-e",
                                     sink.endpoint(), "-o", OUTCOMES, RINGPOST_PASSWORD=PASSWORD))
        self.assert_all_accepted(run, sum(jobs, []))
        self.assertEqual(sink.stop().recipients(), recipients_of(sum(jobs, [])))

    def test_damaged_compression(self):
        """A file that is cut off: what came before is sent, and the run is no success."""
        sink = self.sink()
        jobs = [simple_job(f"job-{number}", body=os.urandom(60).hex() + "\r\n")
                for number in range(3000)]
        packed = gzip.compress(b"".join(line_of(job) + b"\n" for job in jobs))
        (self.folder / "jobs.jsonl.gz").write_bytes(packed[:len(packed) // 2])
        run = self.send(self.folder / "jobs.jsonl.gz", sink.endpoint())
        self.assertEqual(run.exit_code, 1, run.describe())
        self.assert_says(run, "jobs.jsonl.gz")
        sent = sink.stop().ids
        self.assertEqual({outcome["id"] for outcome in run.outcomes}, set(sent))
        self.assertTrue(0 < len(sent) < len(jobs))

    def test_missing_file(self):
        """A file that is not there is a mistake of usage; nothing of the others is sent."""
        sink = self.sink()
        write_jobs(self.folder / "jobs.jsonl", simple_jobs(3))
        run = self.run_program("send", "jobs.jsonl", "no-such-file.jsonl", "-e", sink.endpoint(),
                               "-o", OUTCOMES, RINGPOST_PASSWORD=PASSWORD)
        self.assert_exit(run, 2)
        self.assert_says(run, "no-such-file.jsonl")
        self.assertEqual(sink.stop().record, [])


class ContentTest(SendTest):
    """What the sink received is what was given."""

    def test_corpus(self):
        """Each message of the corpus in each form, SHA-256 for SHA-256."""
        sink = self.sink()
        all_copies = copies(small() + (one_mebibyte(),))
        jobs = [copy.job(self.folder) for copy in all_copies]
        run = self.send(jobs, sink.endpoint())
        self.assert_all_accepted(run, jobs)
        report = sink.stop()
        expected = {copy.x_id: sha256(copy.expected) for copy in all_copies}
        self.assertEqual({one["x_id"]: one["sha256"] for one in report.record}, expected)
        self.assertEqual(set(report.ids.values()), {1})
        self.assert_strict(report)

    def test_corpus_in_lock_step(self):
        """The same without PIPELINING."""
        sink = self.sink("--no-pipelining")
        all_copies = copies(small(), (RAW,))
        jobs = [copy.job(self.folder) for copy in all_copies]
        self.assert_all_accepted(self.send(jobs, sink.endpoint()), jobs)
        report = sink.stop()
        expected = {copy.x_id: sha256(copy.expected) for copy in all_copies}
        self.assertEqual({one["x_id"]: one["sha256"] for one in report.record}, expected)
        self.assert_strict(report)

    def test_composed(self):
        """from, to, subject, text, html and headers become a message that Python's parser reads."""
        from email import message_from_bytes, policy
        sink = self.sink("--record-content", "contents")
        job = {"id": "composed", "from": "J\u00f6rg <joerg@example.com>",
               "to": ["a@example.net", {"email": "b@example.net", "name": "B, Esq."}],
               "cc": "c@example.net", "bcc": "hidden@example.net",
               "subject": "Gr\u00fc\u00dfe \u2014 " + "long " * 40,
               "text": "Hello\n.\nGr\u00fc\u00dfe\n", "html": "<p>Gr\u00fc\u00dfe</p>\n",
               "headers": {"X-Id": "composed", "X-Several": ["one", "two"]}}
        run = self.send([job], sink.endpoint())
        self.assert_exit(run, 0)
        everybody = ["a@example.net", "b@example.net", "c@example.net", "hidden@example.net"]
        self.assertEqual(sorted(outcome["rcpt"] for outcome in run.outcomes), everybody)
        report = sink.stop()
        self.assertEqual(sorted(report.record[0]["to"]), everybody)
        self.assert_strict(report)
        (stored,) = (sink.folder / "contents").glob("*.eml")
        self.assertNotIn(b"hidden@example.net", stored.read_bytes())
        message = message_from_bytes(stored.read_bytes(), policy=policy.SMTP)
        self.assertEqual(message["subject"], job["subject"].strip())
        self.assertEqual(message["from"].addresses[0].display_name, "J\u00f6rg")
        self.assertEqual([one.display_name for one in message["to"].addresses], ["", "B, Esq."])
        self.assertEqual(message.get_all("X-Several"), ["one", "two"])
        text = message.get_body(("plain",)).get_content()
        self.assertEqual(text.replace("\r\n", "\n"), job["text"])
        html = message.get_body(("html",)).get_content()
        self.assertEqual(html.replace("\r\n", "\n"), job["html"])
        self.assertEqual([str(defect) for defect in message.defects], [])
        for header in ("Date", "Message-ID", "MIME-Version"):
            self.assertIsNotNone(message[header], header)


class PaceTest(SendTest):
    """Connections, cores and rates."""

    def test_connections(self):
        """--connections is the most there are at a time, and they are kept."""
        sink = self.sink("--latency", "5ms", listeners=("plain",))
        jobs = simple_jobs(200)
        run = self.send(jobs, sink.endpoint("plain"), "--connections", "4")
        self.assert_all_accepted(run, jobs)
        report = sink.stop()
        sessions = {one["session"] for one in report.record}
        self.assertLessEqual(len(sessions), 4)
        self.assertGreater(len(sessions), 1)

    def test_one_connection(self):
        """With one connection all messages go through one session, in the order of the file."""
        sink = self.sink()
        jobs = simple_jobs(100)
        run = self.send(jobs, sink.endpoint(), "--connections", "1")
        self.assert_all_accepted(run, jobs)
        report = sink.stop()
        self.assertEqual(report.summary["sessions"], 1)
        self.assertEqual([one["x_id"] for one in report.record], [job["id"] for job in jobs])

    def test_two_cores(self):
        """--cores 2: every message once, whichever worker took it."""
        sink = self.sink()
        jobs = simple_jobs(2000)
        run = self.send(jobs, sink.endpoint(), "--cores", "2", "--connections", "8")
        self.assert_all_accepted(run, jobs)
        self.assertEqual(sink.stop().recipients(), recipients_of(jobs))

    def test_rate(self):
        """--rate: no more messages than it allows, so that the run takes its time."""
        sink = self.sink(listeners=("plain",))
        jobs = simple_jobs(60)
        run = self.send(jobs, sink.endpoint("plain"), "--rate", "50/s", "--connections", "3")
        self.assert_all_accepted(run, jobs)
        # Whatever may leave at once at the beginning is at most a fifth of a second's worth.
        self.assertGreaterEqual(run.seconds, (60 - 10) / 50, run.describe())

    def test_server_that_closes_after_some_messages(self):
        """421 after every seven messages: all the others go to new sessions, each of them once."""
        sink = self.sink("--close-after", "7")
        jobs = simple_jobs(200)
        run = self.send(jobs, sink.endpoint(), "--connections", "3")
        self.assert_all_accepted(run, jobs)
        self.assertEqual(sink.stop().recipients(), recipients_of(jobs))


class SignalTest(SendTest):
    """SIGINT and SIGTERM: what is under way comes to its end, nothing is lost or forgotten."""

    def run_and_stop(self, stop, latency="20ms", flags=()):
        """Sends more than there is time for, stops in the middle; returns (run, report, jobs)."""
        sink = self.sink("--latency", latency)
        jobs = simple_jobs(5000)
        program = self.start_send(jobs, sink.endpoint(), "--connections", "5", *flags)
        wait_until(lambda: len(sink.record()) >= 20, "some messages have arrived")
        stop(program)
        run = self.finish(program)
        return run, sink.stop(), jobs

    def check(self, run, report, jobs):
        known = recipients_of(jobs)
        found = {}
        for outcome in run.outcomes:
            key = (outcome["id"], outcome["rcpt"])
            self.assertIn(key, known)
            self.assertNotIn(key, found, "two outcome lines")
            found[key] = outcome["status"]
        self.assertLessEqual(set(found.values()), {"accepted", "unknown", "unsent"})
        self.assertEqual(set(report.recipients().values()), {1})
        for key in report.recipients():
            self.assertIn(found.get(key), ("accepted", "unknown"), f"{key} was accepted")
        for key, status in found.items():
            if status == "accepted":
                self.assertIn(key, report.recipients())
        self.assertLess(len(report.record), len(jobs), "it was not stopped in the middle")
        return found

    def test_sigint(self):
        """The first SIGINT drains: exit code 130, and nothing is in doubt."""
        found = self.check(*(result := self.run_and_stop(interrupt)))
        self.assert_exit(result[0], 130)
        self.assertNotIn("unknown", found.values())

    def test_sigterm(self):
        """SIGTERM does the same: exit code 143."""
        found = self.check(*(result := self.run_and_stop(terminate)))
        self.assert_exit(result[0], 143)
        self.assertNotIn("unknown", found.values())

    def test_second_signal(self):
        """The second one does not wait for replies that are two seconds away: they are in doubt."""
        sink = self.sink("--latency", "2s", "--latency-connect", "0ms", listeners=("plain",))
        jobs = simple_jobs(50)
        program = self.start_send(jobs, sink.endpoint("plain"), "--connections", "3")
        # By now it waits for the replies to its first messages.
        wait_until(sink.record, "a message has arrived")
        interrupt(program)
        wait_until(lambda: "stopping" in program.stderr(), "the first signal was noticed")
        interrupt(program)
        run = self.finish(program)
        self.assert_exit(run, 130)
        found = self.check(run, sink.stop(), jobs)
        self.assertIn("unknown", found.values())

    def test_drain_that_takes_too_long(self):
        """--drain bounds how long the first signal waits."""
        server = ScriptedServer([*in_clear(), read_to_the_end], cleanup=self.addCleanup)
        program = self.start_send(simple_jobs(3), server.endpoint(tls="none"), "--drain", "200ms")
        wait_until(lambda: server.dialogues, "it has connected")
        interrupt(program)
        self.assertEqual(program.wait(20).exit_code, 130)

    def test_while_waiting_for_stdin(self):
        """A signal ends a run that waits for more input."""
        sink = self.sink()
        program = self.start("send", "-e", sink.endpoint(), "-o", OUTCOMES,
                             stdin=subprocess.PIPE, RINGPOST_PASSWORD=PASSWORD)
        program.process.stdin.write(line_of(simple_job("one")) + b"\n")
        program.process.stdin.flush()
        wait_until(sink.record, "the first job has arrived")
        interrupt(program)
        run = self.finish(program, 30)
        self.assert_exit(run, 130)
        self.assertEqual(run.outcome("one")["status"], "accepted")


class ManyTest(SendTest):
    """Twenty thousand jobs over STARTTLS with AUTH."""

    def test_twenty_thousand(self):
        """Every id exactly once in the sink's record, with the right SHA-256, and one line each."""
        count = 4_000 if is_sanitized() else 20_000
        sink = self.sink("--threads", "1")
        jobs = [simple_job(f"job-{number}", body=numbered_body(number)) for number in range(count)]
        run = self.send(jobs, sink.endpoint())
        self.assert_all_accepted(run, jobs)
        report = sink.stop()
        self.assertEqual(len(report.record), count)
        self.assertEqual({one["x_id"]: one["sha256"] for one in report.record},
                         {job["id"]: sha256(job["raw"].encode()) for job in jobs})
        self.assert_strict(report)


if __name__ == "__main__":
    unittest.main()
