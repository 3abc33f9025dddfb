"""Several endpoints, one of which goes away.

Goal: what others can send is not kept by an endpoint that does not answer, nothing is sent twice by
that, and who is back has its share again. Method: two sinks, killed, stopped and started in
mid-run; what each has accepted is read from its own record.
"""

import signal
import unittest
from collections import Counter

from support.jobs import simple_job, simple_jobs
from support.program import PASSWORD
from support.scripted_server import (ScriptedServer, envelope, expect, in_clear, read_to_the_end,
                                     reset, say, take_content)
from support.sink import Sink, SinkTest
from support.workspace import free_port, wait_until


def growth(sink):
    """Messages that it has taken so far. Asked often, so that no line is parsed."""
    path = sink.folder / "record.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_long(condition, what):
    """Thousands of messages take their time on a busy machine."""
    return wait_until(condition, what, seconds=180)


class FailoverTest(SinkTest):

    def plain_sink(self, *flags, port=0):
        return Sink(self.folder, *flags, cleanup=self.addCleanup, listeners=("plain",), port=port)

    def configure_two(self, **ports):
        """Two endpoints by name; returns the flags that choose both."""
        lines = []
        for name, port in ports.items():
            lines += [f"[endpoint.{name}]", 'host = "127.0.0.1"', f"port = {port}",
                      'security = "none"', 'auth = "none"', 'preset = "none"']
        path = self.folder / "ringpost.toml"
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        path.chmod(0o600)
        first, second = ports
        return first, ("-e", second)

    def two_sinks(self, *flags):
        first, second = self.plain_sink(*flags), self.plain_sink(*flags)
        return first, second, self.configure_two(a=first.ports["plain"], b=second.ports["plain"])

    def assert_each_once(self, run, jobs, *sinks):
        """Every job has its line, and no message was taken twice, wherever."""
        self.assert_each_recipient_once(run, jobs)
        taken = Counter(line["x_id"] for sink in sinks for line in sink.record())
        self.assertEqual({name: count for name, count in taken.items() if count > 1}, {})

    def test_both_have_their_share_as_long_as_both_answer(self):
        first, second, (endpoint, more) = self.two_sinks()
        jobs = simple_jobs(400)
        run = self.send(jobs, endpoint, *more)
        self.assert_all_accepted(run, jobs)
        self.assertEqual([len(sink.stop().record) for sink in (first, second)], [200, 200])
        self.assertNotIn("did not answer", run.stderr)

    def test_one_that_is_killed_comes_back_and_has_its_share_again(self):
        first, second, (endpoint, more) = self.two_sinks("--latency", "4ms")
        port = first.ports["plain"]
        jobs = simple_jobs(12000)
        program = self.start_send(jobs, endpoint, *more, "--connections", "4", "--pipeline", "1",
                                  "--patience", "2m")
        wait_long(lambda: growth(first) > 100 and growth(second) > 100, "both have begun")
        first.program.signal(signal.SIGKILL)
        first.program.process.wait()
        killed_with = growth(second)
        wait_long(lambda: growth(second) > killed_with + 1000, "the second goes on alone")
        again = self.plain_sink("--latency", "4ms", port=port)
        wait_long(lambda: growth(again) > 100, "the first has its share again")
        run = self.finish(program)
        self.assert_each_once(run, jobs, first, second, again)
        # What was in its sessions when it was killed is in doubt, and nobody sends that again.
        doubted = [line for line in run.outcomes if line["status"] != "accepted"]
        self.assertEqual({line["status"] for line in doubted} - {"unknown"}, set(), run.describe())
        self.assertLessEqual(len(doubted), 4)
        self.assert_says(run, "go to the others", "has its share", "went to others")

    def test_one_that_is_silent_keeps_what_its_sessions_have_and_no_more(self):
        first, second, (endpoint, more) = self.two_sinks("--latency", "4ms")
        jobs = simple_jobs(9000)
        program = self.start_send(jobs, endpoint, *more, "--connections", "4", "--pipeline", "1")
        wait_long(lambda: growth(first) > 100 and growth(second) > 100, "both have begun")
        first.program.signal(signal.SIGSTOP)
        stopped_with = growth(second)
        # Far more than wait in the program together.
        wait_long(lambda: growth(second) > stopped_with + 5000, "the second goes on alone")
        before = growth(first)
        first.program.signal(signal.SIGCONT)
        wait_long(lambda: growth(first) > before + 100, "the first has its share again")
        run = self.finish(program)
        self.assert_all_accepted(run, jobs)
        self.assert_each_once(run, jobs, first, second)

    def test_what_names_its_endpoint_waits_for_it(self):
        second = self.plain_sink()
        endpoint, more = self.configure_two(a=free_port(), b=second.ports["plain"])
        jobs = simple_jobs(200)
        for job in jobs[::10]:
            job["endpoint"] = "a"
        run = self.send(jobs, endpoint, *more, "--patience", "6s")
        self.assert_each_recipient_once(run, jobs)
        pinned = {job["id"] for job in jobs[::10]}
        by_status = {status: {line["id"] for line in run.outcomes if line["status"] == status}
                     for status in run.statuses()}
        self.assertEqual(by_status, {"unsent": pinned,
                                     "accepted": {job["id"] for job in jobs} - pinned})
        self.assertEqual({line["endpoint"] for line in run.outcomes if line["id"] in pinned}, {"a"})

    def test_one_that_was_never_there_costs_nobody_a_message(self):
        second = self.plain_sink()
        silent = ScriptedServer([read_to_the_end], [read_to_the_end], [read_to_the_end],
                                cleanup=self.addCleanup)
        refusing = ScriptedServer(*[[say("554 5.7.1 go away"), read_to_the_end]] * 8,
                                  cleanup=self.addCleanup)
        for kind, port in (("closed", free_port()), ("silent", silent.port),
                           ("refusing", refusing.port)):
            with self.subTest(kind=kind):
                endpoint, more = self.configure_two(a=port, b=second.ports["plain"])
                jobs = simple_jobs(300, prefix=kind)
                run = self.send(jobs, endpoint, *more, "--patience", "20s")
                self.assert_each_recipient_once(run, jobs)
                self.assertEqual(set(run.statuses()), {"accepted"}, run.describe())
                self.assertEqual({line["endpoint"] for line in run.outcomes}, {"b"})

    def test_one_that_refuses_the_login_or_everybody(self):
        second = self.sink()
        other = self.sink(user="somebody-else")
        path = self.folder / "ringpost.toml"
        path.write_text("".join(
            f'[endpoint.{name}]\nhost = "localhost"\nport = {sink.ports["starttls"]}\n'
            f'username = "mailer"\nca_file = "{sink.certificate}"\n'
            for name, sink in (("a", other), ("b", second))), encoding="utf-8")
        path.chmod(0o600)
        jobs = simple_jobs(500)
        run = self.send(jobs, "a", "-e", "b", RINGPOST_ENDPOINT_A_PASSWORD=PASSWORD,
                        RINGPOST_ENDPOINT_B_PASSWORD=PASSWORD)
        self.assert_each_recipient_once(run, jobs)
        self.assertEqual(set(run.statuses()), {"accepted"}, run.describe())
        self.assert_says(run, "endpoint a was given up at auth")
        self.assertEqual(len(second.stop().record), 500)

    def test_what_is_in_doubt_stays_in_doubt(self):
        """The end of data is out, and the server is gone: nobody else is given that message."""
        second = self.plain_sink()
        in_doubt = ScriptedServer(*[[*in_clear(), *envelope(), expect("DATA"), say("354 go on"),
                                     take_content, reset]] * 50, cleanup=self.addCleanup)
        endpoint, more = self.configure_two(a=in_doubt.port, b=second.ports["plain"])
        jobs = [simple_job(f"doubt-{number}", recipients=(f"r{number}@example.net",))
                for number in range(200)]
        run = self.send(jobs, endpoint, *more, "--patience", "10s", "--connections", "1")
        self.assert_each_recipient_once(run, jobs)
        unknown = {line["id"] for line in run.outcomes if line["status"] == "unknown"}
        taken = {line["x_id"] for line in second.stop().record}
        self.assertTrue(unknown)
        self.assertEqual(unknown & taken, set())
        self.assertEqual(len(unknown) + len(taken), 200, run.describe())


if __name__ == "__main__":
    unittest.main()
