"""Sessions that end by a limit have successors before they are needed.

Goal: with a known number of messages a connection no message waits for a session, and none is
refused for being one too many. Method: a sink that refuses the sixth message of a session, and
its record: which session had which message, and when.
"""

import json
import subprocess
import time
import unittest
from collections import Counter

from support.jobs import line_of, simple_jobs
from support.program import OUTCOMES, PASSWORD
from support.sink import SinkTest
from support.workspace import wait_until


class MessageLimitTest(SinkTest):
    """Five messages a connection, which the settings say."""

    def check(self, *flags, jobs=200, most=None, **settings):
        sink = self.sink("--close-after", "5", "--latency", "20ms")
        name = self.configuration(sink, messages_per_connection=5, connections=4, **settings)
        jobs = simple_jobs(jobs)
        run = self.send(jobs, name, "--summary", "json", *flags)
        self.assert_all_accepted(run, jobs)
        report = sink.stop()
        self.assert_strict(report)
        self.assertEqual(report.summary["senders_refused"], 0)
        self.assertEqual(report.summary["auth_failed"], 0)
        sessions = Counter(message["session"] for message in report.record)
        self.assertLessEqual(max(sessions.values()), 5)
        self.assertTrue(all(outcome["attempts"] == 1 for outcome in run.outcomes))
        if most is not None:
            self.assertLessEqual(report.summary["sessions"], most)
        return report

    def test_lock_step(self):
        """Forty sessions do it: no successor is opened that nobody needs."""
        self.check("--pipeline", "off", most=50)

    def test_data_groups(self):
        self.check("--chunking", "off", most=60)

    def test_flights(self):
        self.check(jobs=1000)

    def test_without_room_for_more(self):
        """`max_connections` counts all sockets: the next one waits until one has ended."""
        report = self.check("--pipeline", "off", jobs=60, max_connections=4)
        self.assertLessEqual(report.summary["sessions"], 16)


class GrowthTest(SinkTest):
    """`--connections auto` opens what a rate needs, and a number is a number."""

    def sessions(self, *flags):
        sink = self.sink("--latency", "50ms")
        jobs = simple_jobs(300)
        run = self.send(jobs, sink.endpoint(), "--pipeline", "off", "--state", "none", *flags)
        self.assert_all_accepted(run, jobs)
        return sink.stop().summary["sessions"]

    def test_a_rate_that_ten_do_not_come_up_to(self):
        """A message takes four round trips here, so ten sessions carry 50 a second."""
        self.assertGreater(self.sessions("--rate", "100/s"), 15)

    def test_neither_a_number_nor_a_run_without_a_rate_grows(self):
        self.assertEqual(self.sessions("--rate", "100/s", "--connections", "10"), 10)
        self.assertEqual(self.sessions(), 10)


class LearntTest(SinkTest):
    """How many connections a server takes is found out once."""

    def refused(self, jobs):
        """Connections, by a provider that takes two, in a run that has six."""
        sink = self.sink("--profile", "ses", "--limit", "connections=2", user=None)
        name = self.configuration(sink, preset="ses", username="AKIAIOSFODNN7EXAMPLE")
        run = self.send(jobs, name, "--connections", "6", "--state", "state")
        self.assert_all_accepted(run, jobs)
        return sink.stop().summary["limits"]["connections"]["refused"]

    def test_the_next_run_opens_no_more(self):
        jobs = simple_jobs(40)
        self.assertGreater(self.refused(jobs), 0)
        learnt = self.run_program("presets", "learnt", "esp", "--state", "state")
        self.assertIn('[endpoint."esp"]\nmax_connections = 2\n', learnt.stdout.decode())
        (self.folder / "plan.jsonl").write_bytes(b"".join(line_of(job) + b"\n" for job in jobs))
        plan = json.loads(self.run_program("plan", "plan.jsonl", "-e", "esp", "--state", "state",
                                           "--connections", "6", "--json").stdout)
        self.assertEqual(plan["endpoints"][0]["connections"], 2)
        self.assertEqual(self.refused(jobs), 0)


class AgeTest(SinkTest):
    """What the server ends by time is ended before."""

    def test_idle(self):
        """A session without work is closed before the server would; the next job has a new one."""
        sink = self.sink()
        name = self.configuration(sink, max_connection_idle="2s", connections=1)
        early, late = simple_jobs(2)
        program = self.start("send", "-e", name, "-o", OUTCOMES, stdin=subprocess.PIPE,
                             RINGPOST_PASSWORD=PASSWORD)
        program.process.stdin.write(line_of(early) + b"\n")
        program.process.stdin.flush()
        wait_until(sink.record, "the first job has arrived though stdin is open")
        time.sleep(3)
        program.process.stdin.write(line_of(late) + b"\n")
        program.process.stdin.close()
        program.process.stdin = None
        self.assert_all_accepted(self.finish(program), [early, late])
        report = sink.stop()
        self.assertEqual(report.summary["sessions"], 2)
        self.assertEqual(report.summary["sessions_lost"], 0)

    def test_age(self):
        """Sessions are replaced at their age, and no message is lost or sent twice."""
        sink = self.sink("--latency", "10ms")
        name = self.configuration(sink, max_connection_age="2s", connections=2)
        jobs = simple_jobs(60)
        run = self.send(jobs, name, "--rate", "15/s", "--pipeline", "off")
        self.assert_all_accepted(run, jobs)
        report = sink.stop()
        sessions = Counter(message["session"] for message in report.record)
        self.assertGreaterEqual(len(sessions), 5)
        self.assertEqual(report.summary["sessions_lost"], 0)


if __name__ == "__main__":
    unittest.main()
