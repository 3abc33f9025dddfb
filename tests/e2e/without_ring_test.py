"""The whole program where the kernel refuses io_uring, as under Docker's own seccomp profile.

Method: a real filter on the program and on the sink, so that nothing can use a ring by mistake;
what both say and have must be as it is with one.
"""

import json
import unittest
from unittest import mock

from support.fates import last_words
from support.jobs import (numbered_body, read_outcomes, recipients_of, sha256, simple_job,
                          simple_jobs)
from support.program import OUTCOMES, PASSWORD, RunningProgram, terminate
from support.seccomp import enter, io_uring_refused
from support.sink import SinkTest
from support.workspace import wait_until


class WithoutRingTest(SinkTest):
    """TLS of both kinds, long messages, signals and journals over epoll."""

    def setUp(self):
        super().setUp()
        confined = mock.patch.object(RunningProgram, "confine",
                                     staticmethod(enter(io_uring_refused())))
        confined.start()
        self.addCleanup(confined.stop)

    def assert_said_once(self, run):
        lines = [line for line in run.stderr.splitlines() if "goes on with epoll" in line]
        self.assertEqual(len(lines), 1, run.stderr)
        self.assertIn("io_uring is refused here", lines[0])
        self.assertRegex(lines[0], "seccomp|sysctl")

    def test_short_and_long_messages_in_both_kinds_of_tls(self):
        """Everything arrives once and whole, with several workers; one line says what is used."""
        sink = self.sink(listeners=("starttls", "tls", "plain"))
        jobs = simple_jobs(300)
        jobs += [simple_job(f"long-{number}", body=numbered_body(number, 3_000_000))
                 for number in range(5)]
        for listener in ("starttls", "tls", "plain"):
            run = self.send(jobs, sink.endpoint(listener), "--cores", "2", "--summary", "json")
            self.assert_all_accepted(run, jobs)
            self.assert_said_once(run)
            self.assertEqual(json.loads(run.stdout)["summary"]["io"], "epoll")
        report = sink.stop()
        self.assertEqual(set(report.ids.values()), {3})
        digests = {(message["x_id"], message["sha256"]) for message in report.record}
        self.assertEqual(digests, {(job["id"], sha256(job["raw"].encode())) for job in jobs})
        self.assert_strict(report)

    def test_epoll_that_is_asked_for_is_no_news_and_a_ring_is_an_error(self):
        sink = self.sink(listeners=("plain",))
        jobs = simple_jobs(3)
        run = self.send(jobs, sink.endpoint("plain"), "--io", "epoll")
        self.assert_all_accepted(run, jobs)
        self.assertNotIn("io_uring", run.stderr)
        run = self.run_program("send", "jobs.jsonl", "-e", sink.endpoint("plain"), "--io", "ring")
        self.assert_exit(run, 2)
        self.assert_says(run, "io_uring is refused here")
        self.assertEqual(set(sink.stop().ids.values()), {1})

    def test_version_says_what_a_run_would_use_and_why(self):
        run = self.run_program("version")
        self.assertRegex(run.stdout.decode(), r"(?m)^io +epoll; io_uring is refused here")
        self.assertEqual(json.loads(self.run_program("version", "--json").stdout)["io"], "epoll")
        self.assert_exit(self.run_program("version", RINGPOST_IO="ring"), 2)

    def test_a_run_that_is_terminated_goes_on_from_its_journal(self):
        """Nothing is lost or doubled across a SIGTERM and a resume."""
        sink = self.sink("--latency", "100ms")
        jobs = simple_jobs(1500)
        journal = ("--journal", "run.journal", "--durability", "power")
        program = self.start_send(jobs, sink.endpoint(), *journal, "--connections", "4")
        wait_until(lambda: len(sink.record()) >= 20, "some messages have arrived")
        terminate(program)
        run = self.finish(program)
        self.assert_exit(run, 143)
        self.assert_said_once(run)
        self.assertNotIn("unknown", run.statuses())
        self.assertLess(run.statuses()["accepted"], len(jobs))
        self.finish(self.start("send", "jobs.jsonl", "-e", sink.endpoint(), "-o", OUTCOMES,
                               *journal, "--resume", "--connections", "20",
                               RINGPOST_PASSWORD=PASSWORD))
        outcomes = read_outcomes(self.folder / OUTCOMES)
        self.assertEqual(last_words(outcomes), dict.fromkeys(recipients_of(jobs), "accepted"))
        self.assertEqual(sink.stop().recipients(), recipients_of(jobs))

    def test_a_bench_runs(self):
        sink = self.sink(listeners=("plain",))
        run = self.run_program("bench", sink.endpoint("plain"), "--count", "200", "--json")
        self.assert_exit(run, 0)
        self.assert_said_once(run)


if __name__ == "__main__":
    unittest.main()
