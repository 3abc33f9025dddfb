"""`ringpost send` against `ringpost sink`: what became of each message, and how it is told.

Goal: the promises of docs/CONTRACT.md section 5 as far as one run can show them. Method: the sink
writes down what it accepted, and that is compared with the outcome lines.
"""

import gzip
import json
import os
import subprocess
import unittest
from email import message_from_bytes, policy

from support.corpus import RAW, copies, one_mebibyte, small
from support.jobs import (line_of, numbered_body, parse_outcomes, recipients_of, sha256,
                          simple_content, simple_job, simple_jobs, write_jobs)
from support.program import (OUTCOMES, PASSWORD, PROGRAM, SECONDS_MAX, USER, environment_of,
                             is_sanitized, terminate)
from support.sink import SinkTest
from support.workspace import wait_until

# A 4xx that is for good: no pause and no second attempt.
ONCE = ("--max-attempts", "1")


class OutcomeTest(SinkTest):
    """What became of each recipient, and where it is said."""

    def test_mixed_refusals(self):
        """Recipients of one message are refused, put off and accepted each for itself."""
        sink = self.sink()
        recipients = ["one@example.net", "reject-me@example.net", "two@example.net",
                      "defer-me@example.net", "three@example.net"]
        jobs = [simple_job("mixed", recipients), simple_job("good", ["four@example.net"]),
                simple_job("bad", ["reject-a@example.net", "reject-b@example.net"]),
                simple_job("late", ["defer-a@example.net"])]
        run = self.send(jobs, sink.endpoint(), *ONCE)
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

    def test_those_put_off_hold_up_nobody(self):
        """More jobs wait for another attempt than may be under way: the others go past them."""
        sink = self.sink()
        jobs = [simple_job(f"late-{number}", [f"defer-{number}@example.net"])
                for number in range(500)]
        jobs += simple_jobs(20)
        endpoint = self.configure(host="localhost", port=sink.ports["starttls"], username=USER,
                                  ca_file=str(sink.certificate), retry_pause="5m")
        program = self.start_send(jobs, endpoint, "--connections", "1")
        wait_until(lambda: len(sink.record()) == 20, "the others are accepted")
        terminate(program)
        run = self.finish(program)
        self.assert_each_recipient_once(run, jobs)
        self.assertEqual(run.statuses(), {"deferred": 500, "accepted": 20}, run.describe())
        attempts = {outcome["attempts"] for outcome in run.outcomes}
        self.assertEqual(attempts, {1})

    def test_mixed_refusals_in_lock_step(self):
        """The same, one command at a time."""
        sink = self.sink("--no-pipelining")
        jobs = [simple_job(f"job-{number}", [f"reject-{number}@example.net", "a@example.net",
                                             f"defer-{number}@example.net"])
                for number in range(10)]
        jobs += [simple_job(f"all-{number}", ["reject@example.net", "defer@example.net"])
                 for number in range(10)]
        run = self.send(jobs, sink.endpoint(), "--connections", "2", *ONCE)
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
        run = self.send(jobs, sink.endpoint(), "--connections", "2", *ONCE)
        self.assert_each_recipient_once(run, jobs)
        for outcome in run.outcomes:
            stage, _, kind = outcome["id"].partition(".")[0].partition("-")
            status = {"5": "rejected", "4": "deferred", "": "accepted"}[kind]
            self.assertEqual((outcome["status"], outcome["stage"]),
                             (status, "eod" if stage == "good" else stage), outcome)
        self.assert_exit(run, 5)
        self.assert_strict(sink.stop())

    def test_too_many_recipients(self):
        """452 to the fourth recipient of a transaction: the others follow in further ones."""
        sink = self.sink("--recipients-max", "3")
        jobs = [simple_job("ten", [f"r{number}@example.net" for number in range(10)]),
                simple_job("two-hundred", [f"r{number}@example.net" for number in range(200)])]
        for flags in ((), ("--pipeline", "off")):
            with self.subTest(flags=flags):
                self.assert_all_accepted(self.send(jobs, sink.endpoint(), *flags), jobs)
        report = sink.stop()
        self.assertEqual(set(report.recipients().values()), {2})
        self.assertEqual(set(report.recipients()), set(recipients_of(jobs)))
        self.assertTrue(all(len(one["to"]) <= 3 for one in report.record))
        self.assert_strict(report)

    def test_message_larger_than_the_server_takes(self):
        """A message over the announced SIZE is not begun; its neighbours are sent."""
        sink = self.sink("--size-max", "10000")
        jobs = [simple_job("large", body=numbered_body(1, 20_000)), simple_job("small")]
        run = self.send(jobs, sink.endpoint())
        self.assert_each_recipient_once(run, jobs)
        self.assertNotEqual(run.outcome("large")["status"], "accepted")
        self.assert_says(run, "octets", "10000")
        report = sink.stop()
        self.assertEqual(report.ids, {"small": 1})
        self.assertEqual(report.summary["senders_refused"], 0)

    def test_reader_of_stdout_goes_away(self):
        """Outcome lines that nobody reads any more: it stops sending, exit code 11."""
        sink = self.sink()
        path = write_jobs(self.folder / "jobs.jsonl", simple_jobs(20_000))
        with subprocess.Popen(
                [PROGRAM, "send", path, "-e", sink.endpoint(), "-o", "-"], cwd=self.folder,
                env=environment_of(self.folder, RINGPOST_PASSWORD=PASSWORD),
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            process.stdout.readline()
            process.stdout.close()
            self.assertEqual(process.wait(SECONDS_MAX), 11)
        self.assertLess(len(sink.stop().record), 20_000)

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
        run.outcomes = parse_outcomes(run.stdout)
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
        # The summary does not send anybody to look for them there.
        self.assertNotIn("outcomes: /dev/full", run.stdout.decode())
        self.assertRegex(run.stdout.decode(),
                         r"(?m)^outcomes: \d+ lines? (is|are) missing from /dev/full")

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
                run = self.send(jobs, sink.endpoint(), *ONCE)
                self.assert_exit(run, code)
                self.assertEqual(len(run.outcomes), len(jobs))

    def test_fail_on(self):
        """--fail-on takes a class out of the exit code."""
        jobs = [simple_job("good"), simple_job("rejected", ["reject@example.net"])]
        run = self.send(jobs, self.sink().endpoint(), "--fail-on", "unknown,deferred", *ONCE)
        self.assert_exit(run, 0)


class InputTest(SinkTest):
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

    def test_byte_order_mark(self):
        """What Windows puts in front of a file is no part of its first line."""
        sink = self.sink()
        jobs = simple_jobs(2)
        path = self.folder / "jobs.jsonl"
        path.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(map(line_of, jobs)))
        self.assert_all_accepted(self.send(path, sink.endpoint()), jobs)

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


class ContentTest(SinkTest):
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

    def test_international(self):
        """UTF-8 in local parts and headers goes with SMTPUTF8, in domains as A-labels."""
        sink = self.sink()
        job = simple_job("international", ["j\u00f6rg@example.net", "a@b\u00fccher.example"],
                         sender="\u7528\u6237@example.com")
        job["raw"] = job["raw"].replace("Subject: ", "Subject: Gr\u00fc\u00dfe ")
        run = self.send([job], sink.endpoint())
        self.assert_exit(run, 0)
        report = sink.stop()
        (message,) = report.record
        self.assertEqual(message["from"], "\u7528\u6237@example.com")
        self.assertEqual(message["to"], ["j\u00f6rg@example.net", "a@xn--bcher-kva.example"])
        self.assertEqual(message["sha256"], sha256(job["raw"].encode()))
        self.assert_strict(report)

    def test_international_without_smtputf8(self):
        """A server without SMTPUTF8 is not sent what needs it; the rest goes on."""
        sink = self.sink("--no-smtputf8")
        jobs = [simple_job("needs-it", ["j\u00f6rg@example.net"]), simple_job("does-not")]
        run = self.send(jobs, sink.endpoint())
        self.assert_each_recipient_once(run, jobs)
        self.assertNotEqual(run.outcome("needs-it")["status"], "accepted")
        self.assert_says(run, "SMTPUTF8")
        report = sink.stop()
        self.assertEqual(report.ids, {"does-not": 1})
        self.assert_strict(report)

    def test_composed(self):
        """from, to, subject, text, html and headers become a message that Python's parser reads."""
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
        self.assertEqual(message["subject"], job["subject"])
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


class PaceTest(SinkTest):
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


class ManyTest(SinkTest):
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
