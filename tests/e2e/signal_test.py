"""`ringpost send` that is stopped: what is under way ends in order, nothing is lost or forgotten.

Method: every id that the sink wrote down as accepted must be `accepted` or `unknown` in the outcome
lines, and every id that is `accepted` there must be in the sink's record.
"""

import json
import os
import pty
import signal
import subprocess
import unittest

from support.jobs import (line_of, read_outcomes, recipients_of, simple_job, simple_jobs,
                          write_jobs)
from support.program import (OUTCOMES, PASSWORD, PROGRAM, environment_of, hang_up, interrupt,
                             terminate)
from support.scripted_server import ScriptedServer, in_clear, read_to_the_end
from support.sink import SinkTest
from support.workspace import wait_until


class SignalTest(SinkTest):
    """SIGINT and SIGTERM: what is under way comes to its end, nothing is lost or forgotten."""

    def run_and_stop(self, stop, latency="100ms", flags=()):
        """Sends more than there is time for, stops in the middle; returns (run, report, jobs)."""
        sink = self.sink("--latency", latency)
        jobs = simple_jobs(5000)
        program = self.start_send(jobs, sink.endpoint(), "--connections", "3", *flags)
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

    def test_sighup(self):
        """So does SIGHUP, of a terminal that goes away: exit code 129."""
        found = self.check(*(result := self.run_and_stop(hang_up)))
        self.assert_exit(result[0], 129)
        self.assertNotIn("unknown", found.values())
        self.assertIn("stopping", result[0].stderr)

    def test_sighup_with_a_journal(self):
        """The run has its end in the journal, and the command that resumes is printed."""
        run, _, _ = self.run_and_stop(hang_up, flags=("--journal", "run.journal"))
        self.assert_exit(run, 129)
        self.assertIn("--resume", run.stderr)
        known = json.loads(self.run_program("journal", "ls", "--json", "run.journal").stdout)
        self.assertEqual(known["runs"][0]["exit_code"], 129)
        self.assertEqual(known["recipients"]["in_flight"], 0)

    def test_terminal_that_goes_away(self):
        """Its messages go nowhere then, and the rest is as with every other signal."""
        sink = self.sink("--latency", "100ms")
        write_jobs(self.folder / "jobs.jsonl", simple_jobs(5000))
        environment = environment_of(self.folder, RINGPOST_PASSWORD=PASSWORD, TERM="xterm")
        arguments = [PROGRAM, "send", "jobs.jsonl", "-e", sink.endpoint(), "-o", OUTCOMES,
                     "--journal", "run.journal", "--connections", "3"]
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.folder)
            os.execve(PROGRAM, arguments, environment)
        try:
            wait_until(lambda: len(sink.record()) >= 20, "some messages have arrived")
        finally:
            os.close(terminal)
            _, status = os.waitpid(child, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 129)
        known = json.loads(self.run_program("journal", "ls", "--json", "run.journal").stdout)
        self.assertEqual(known["runs"][0]["exit_code"], 129)
        self.assertEqual(known["recipients"]["in_flight"], 0)
        outcomes = read_outcomes(self.folder / OUTCOMES)
        self.assertEqual(len(outcomes), known["runs"][0]["outcome_lines"])
        self.assertLessEqual({outcome["status"] for outcome in outcomes}, {"accepted", "unsent"})

    def test_second_sighup(self):
        """The second one ends it at once, whichever the first was."""
        sink = self.sink("--fault", "stall@end=100", listeners=("plain",))
        program = self.start_send(simple_jobs(50), sink.endpoint("plain"), "--drain", "1h")
        wait_until(sink.record, "a message has arrived")
        terminate(program)
        wait_until(lambda: "stopping" in program.stderr(), "the first signal was noticed")
        hang_up(program)
        self.assert_exit(self.finish(program), 143)

    def test_nohup(self):
        """Who has it ignored wants to outlive the terminal."""
        sink = self.sink("--latency", "20ms")
        jobs = simple_jobs(100)
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        program = self.start_send(jobs, sink.endpoint(), "--connections", "3", "--pipeline", "off")
        wait_until(sink.record, "a message has arrived")
        hang_up(program)
        self.assert_all_accepted(self.finish(program), jobs)

    def test_stopped_and_continued(self):
        """Ctrl-Z stops it where it is, and it goes on from there."""
        sink = self.sink("--latency", "20ms")
        jobs = simple_jobs(400)
        program = self.start_send(jobs, sink.endpoint(), "--connections", "3", "--pipeline", "off")
        wait_until(sink.record, "a message has arrived")
        program.signal(signal.SIGTSTP)
        wait_until(lambda: program.state() == "T", "it has stopped")
        program.signal(signal.SIGCONT)
        self.assert_all_accepted(self.finish(program), jobs)

    def test_sigquit(self):
        """Ctrl-\\ ends it at once, as everybody expects, and leaves no core with secrets in it."""
        sink = self.sink("--latency", "100ms")
        program = self.start_send(simple_jobs(5000), sink.endpoint(), "--journal", "run.journal")
        wait_until(sink.record, "a message has arrived")
        program.signal(signal.SIGQUIT)
        self.assert_exit(program.wait(20), -signal.SIGQUIT)
        self.assertEqual(list(self.folder.glob("core*")), [])
        self.assert_exit(self.run_program("journal", "verify", "run.journal"), 0)

    def test_jobs_that_were_not_read_are_counted(self):
        """Without a journal it says how many jobs have no line, from where on, and what to do."""
        run, _, jobs = self.run_and_stop(interrupt)
        unread = len(jobs) - len({outcome["id"] for outcome in run.outcomes})
        self.assertGreater(unread, 0)
        self.assertRegex(run.stdout.decode(), rf"(?m)^not read +{unread} .* jobs.jsonl:\d+$")
        self.assertIn(f"{unread} jobs from jobs.jsonl:{len(jobs) - unread + 1} on were not read",
                      run.stderr)
        self.assertIn("--journal", run.stderr)

    def test_jobs_that_were_not_read_for_programs(self):
        run, _, jobs = self.run_and_stop(interrupt, flags=("--summary", "json"))
        summary = json.loads(run.stdout)["summary"]
        self.assertEqual(summary["jobs_unread"],
                         len(jobs) - len({outcome["id"] for outcome in run.outcomes}))

    def test_jobs_of_a_pipe_cannot_be_counted(self):
        sink = self.sink("--latency", "100ms")
        jobs = simple_jobs(5000)
        lines = self.folder / "lines.jsonl"
        lines.write_bytes(b"".join(line_of(job) + b"\n" for job in jobs))
        source = subprocess.Popen(["cat", lines], stdout=subprocess.PIPE)
        self.addCleanup(source.wait)
        self.addCleanup(source.kill)
        self.addCleanup(source.stdout.close)
        program = self.start("send", "-e", sink.endpoint(), "-o", OUTCOMES, stdin=source.stdout,
                             RINGPOST_PASSWORD=PASSWORD)
        wait_until(sink.record, "a message has arrived")
        interrupt(program)
        run = self.finish(program)
        self.assert_exit(run, 130)
        self.assertRegex(run.stdout.decode(), r"(?m)^not read +unknown ")
        self.assertIn("jobs from -:", run.stderr)

    def test_second_signal(self):
        """The second one does not wait for replies that never come: they are in doubt."""
        sink = self.sink("--fault", "stall@end=100", listeners=("plain",))
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

    def start_with_unread_pipe(self, endpoint, *flags):
        """A run that waits for somebody who reads its outcomes, and says so."""
        os.mkfifo(self.folder / "fifo")
        jobs = write_jobs(self.folder / "jobs.jsonl", simple_jobs(5))
        program = self.start("send", jobs, "-e", endpoint, "-o", "fifo", *flags,
                             RINGPOST_PASSWORD=PASSWORD)
        wait_until(lambda: "until somebody reads" in program.stderr(), "it says what it waits for")
        return program

    def test_pipe_that_nobody_reads(self):
        """Whoever has the outcomes written to a FIFO can stop the run while nobody reads it."""
        for number, (stop, code) in enumerate(((interrupt, 130), (terminate, 143), (hang_up, 129))):
            with self.subTest(code=code):
                sink = self.sink()
                program = self.start_with_unread_pipe(sink.endpoint(), "--journal", f"run-{number}")
                stop(program)
                run = program.wait(30)
                self.assert_exit(run, code)
                self.assert_says(run, "nobody reads this pipe", "--resume")
                self.assertEqual(sink.stop().record, [])
                (self.folder / "fifo").unlink()

    def test_record_that_nobody_reads(self):
        """So is the sink whose record goes to a FIFO."""
        os.mkfifo(self.folder / "fifo")
        program = self.start("sink", "--listen", "127.0.0.1:0", "--listen-tls", "none",
                             "--record", "fifo")
        wait_until(lambda: "until somebody reads fifo" in program.stderr(), "it is said")
        terminate(program)
        self.assert_exit(program.wait(30), -signal.SIGTERM)

    def test_pipe_that_is_read_later(self):
        """It goes on when somebody comes, and he gets all of it."""
        sink = self.sink()
        program = self.start_with_unread_pipe(sink.endpoint(), "--log-level", "warn")
        lines = (self.folder / "fifo").read_bytes().splitlines()
        self.assert_exit(program.wait(30), 0)
        self.assertEqual(len(lines), 5)

    def test_pipe_that_nobody_reads_until_the_deadline(self):
        program = self.start_with_unread_pipe(self.sink().endpoint(), "--deadline", "300ms")
        run = program.wait(30)
        self.assert_exit(run, 11)
        self.assert_says(run, "nobody reads this pipe")

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


if __name__ == "__main__":
    unittest.main()
