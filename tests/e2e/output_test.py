"""Outcomes that cannot be written: a full disk, a reader who stalls, a reader who has gone.

A limit on the size of files (RLIMIT_FSIZE, which the program hears of as EFBIG) stands for the full
disk, because it can be lifted while the program runs. Pipes are real ones.
"""

import resource
import subprocess
import time
import unittest
from pathlib import Path

from journal_test import JOBS, JOURNAL, ResumeTest
from support.fates import afterthoughts, last_words
from support.jobs import (line_of, parse_outcomes, read_outcomes, recipients_of, simple_job,
                          simple_jobs, write_jobs)
from support.program import (OUTCOMES, PASSWORD, PROGRAM, SECONDS_MAX, environment_of, interrupt,
                             is_sanitized, limit_files, terminate)
from support.sink import SinkTest
from support.workspace import wait_until

ROOM = 200_000  # octets of a file; some 600 outcome lines
JOB_COUNT = 20_000
MANY_THREADS = {"RINGPOST_READERS": "4", "RINGPOST_OUTCOME_THREADS": "2", "RINGPOST_CORES": "2"}
NO_ROOM = "there is no room for outcomes"


def wait_until_still(count, what, seconds=60):
    """Waits until `count()` does not grow any more, and returns it."""
    give_up_at = time.monotonic() + seconds
    before = -1
    while (now := count()) != before:
        if time.monotonic() > give_up_at:
            raise AssertionError(f"{what} did not come to rest: {now}")
        before = now
        time.sleep(1)
    return now


class FullDiskTest(SinkTest):
    """No room for outcome lines, and no journal."""

    def start_without_room(self, *flags):
        self.the_sink = self.sink("--latency", "2ms", listeners=("plain",))
        self.jobs = simple_jobs(JOB_COUNT)
        program = self.start_send(self.jobs, self.the_sink.endpoint("plain"), "--connections", "4",
                                  *flags, file_bytes_max=ROOM)
        wait_until(lambda: NO_ROOM in program.stderr(), "it says that there is no room")
        return program

    def test_room_that_comes_back(self):
        """Sending stops at once, not only when everything that may be in flight has been sent; it
        goes on when there is room, and no line is lost or torn."""
        program = self.start_without_room()
        taken = wait_until_still(lambda: len(self.the_sink.record()), "the sink's record")
        lines = (self.folder / OUTCOMES).read_bytes().count(b"\n")
        self.assertLess(taken - lines, 3000)
        self.assertTrue(program.is_alive())
        limit_files(program.process.pid, resource.RLIM_INFINITY)
        run = self.finish(program)
        self.assert_all_accepted(run, self.jobs)
        self.assert_says(run, "there is room for outcomes again")
        self.assertEqual(run.stderr.count(NO_ROOM), 1, run.describe())
        self.assertEqual(self.the_sink.stop().recipients(), recipients_of(self.jobs))

    def test_sigterm(self):
        """Whoever does not want to wait says so, and has exit code 11."""
        program = self.start_without_room("--drain", "300ms")
        terminate(program)
        run = program.wait()
        self.assert_exit(run, 11)
        self.assert_says(run, "outcome lines could not be written", "File too large")

    def test_second_sigterm(self):
        """The second one ends it at once, however long the drain may take."""
        program = self.start_without_room("--drain", "1h")
        interrupt(program)
        wait_until(lambda: "stopping" in program.stderr(), "the first signal was noticed")
        interrupt(program)
        self.assert_exit(program.wait(), 11)

    def test_deadline(self):
        """Nor does it wait beyond the deadline of the run."""
        run = self.start_without_room("--deadline", "3s").wait()
        self.assert_exit(run, 11)


class FullDiskWithJournalTest(ResumeTest):
    """The journal has no room, either: then nothing may leave that it does not know of."""

    def setUp(self):
        super().setUp()
        self.the_sink = self.sink("--latency", "5ms")
        self.jobs = simple_jobs(5000)
        write_jobs(self.folder / JOBS, self.jobs)

    def start_without_room(self, *flags):
        program = self.start_run(self.the_sink.endpoint(), *flags, file_bytes_max=ROOM)
        wait_until(lambda: NO_ROOM in program.stderr(), "it says that there is no room")
        return program

    def test_room_that_comes_back(self):
        """The run goes on as if nothing had been."""
        program = self.start_without_room()
        wait_until_still(lambda: len(self.the_sink.record()), "the sink's record")
        limit_files(program.process.pid, resource.RLIM_INFINITY)
        run = self.finish(program)
        self.assert_exit(run, 0)
        self.assert_finished(self.jobs, self.the_sink.stop())

    def test_sigterm_and_resume(self):
        """Exit code 11, and the command that goes on; which finishes the run."""
        program = self.start_without_room("--drain", "1s")
        terminate(program)
        run = program.wait()
        self.assert_exit(run, 11)
        self.assert_says(run, "--resume")
        run = self.finish_run(self.the_sink.endpoint(), "--resume")
        self.assertIn(run.exit_code, (0, 6), run.describe())
        check_each_once(self, self.jobs, self.the_sink.stop())


def check_each_once(test, jobs, report):
    """Over all runs of a journal: everybody has a final outcome, and nobody was sent to twice."""
    outcomes = read_outcomes(test.folder / OUTCOMES)
    words = last_words(outcomes)
    test.assertEqual(afterthoughts(outcomes), [])
    test.assertEqual(set(words), set(recipients_of(jobs)))
    taken = report.recipients()
    for recipient, status in words.items():
        test.assertIn(status, ("accepted", "unknown"))
        test.assertLessEqual(taken[recipient], 1, recipient)
        test.assertTrue(status == "unknown" or taken[recipient] == 1, recipient)


class FullDiskOfManyThreadsTest(FullDiskTest):
    """The same, with several who read, send and tell."""

    threads = MANY_THREADS


class FullDiskWithJournalOfManyThreadsTest(FullDiskWithJournalTest):
    threads = MANY_THREADS


class Piped:
    """`ringpost send -o -` whose outcomes go into a pipe of this process."""

    def __init__(self, test, endpoint, *flags):
        self._stderr = test.folder / f"stderr-{time.monotonic_ns()}"
        arguments = [PROGRAM, "send", JOBS, "-e", endpoint, "-o", "-", *flags]
        with open(self._stderr, "wb") as err:
            self.process = subprocess.Popen(
                arguments, cwd=test.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=err, env=environment_of(test.folder, RINGPOST_PASSWORD=PASSWORD))
        test.addCleanup(self.process.wait)
        test.addCleanup(self.process.kill)
        test.addCleanup(self.process.stdout.close)

    def signal(self, number):
        self.process.send_signal(number)

    def stderr(self):
        return self._stderr.read_text(encoding="utf-8", errors="replace")

    def peak_memory(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024


class PipeTest(ResumeTest):
    """Standard output as the place of outcomes."""

    def setUp(self):
        super().setUp()
        self.the_sink = self.sink(listeners=("plain",))
        self.jobs = simple_jobs(JOB_COUNT)
        write_jobs(self.folder / JOBS, self.jobs)

    def start_piped(self, *flags):
        return Piped(self, self.the_sink.endpoint("plain"), "--connections", "4", *flags)

    def start_stalled(self, *flags):
        """A run that has come to a stop because nobody reads."""
        program = self.start_piped(*flags)
        wait_until(self.the_sink.record, "the first message has arrived")
        taken = wait_until_still(lambda: len(self.the_sink.record()), "the sink's record")
        self.assertLess(taken, len(self.jobs))
        return program

    def exported(self):
        """What the journal knows of each recipient by now."""
        run = self.run_program("journal", "export", JOURNAL)
        return last_words(parse_outcomes(run.stdout))

    def test_stalled_reader(self):
        """He is waited for, in bounded memory, and gets every line in the end."""
        program = self.start_stalled()
        if not is_sanitized():
            self.assertLess(program.peak_memory(), 100 << 20)
        outcomes = parse_outcomes(program.process.stdout.read())
        self.assertEqual(program.process.wait(SECONDS_MAX), 0, program.stderr())
        self.assertEqual(last_words(outcomes), dict.fromkeys(recipients_of(self.jobs), "accepted"))
        self.assertEqual(len(outcomes), len(self.jobs))
        self.assertEqual(self.the_sink.stop().recipients(), recipients_of(self.jobs))

    def test_reader_who_goes_away(self):
        """What is under way comes to its end, exit code 11, and the journal has all of it."""
        program = self.start_piped("--journal", JOURNAL)
        self.assertGreater(len(program.process.stdout.read(4096)), 0)
        program.process.stdout.close()
        self.assertEqual(program.process.wait(SECONDS_MAX), 11, program.stderr())
        self.assertIn("Broken pipe", program.stderr())
        self.assertIn(f"journal export {JOURNAL}", program.stderr())
        self.assert_resumes()

    def test_sigterm(self):
        """The drain ends, though nobody ever reads; the journal knows of all in flight."""
        program = self.start_stalled("--journal", JOURNAL, "--drain", "500ms")
        terminate(program)
        self.assertEqual(program.process.wait(SECONDS_MAX), 11, program.stderr())
        self.assert_resumes()

    def test_second_sigterm(self):
        """It ends at once, however long the drain may take."""
        program = self.start_stalled("--journal", JOURNAL, "--drain", "1h")
        terminate(program)
        wait_until(lambda: "stopping" in program.stderr(), "the first signal was noticed")
        terminate(program)
        self.assertEqual(program.process.wait(SECONDS_MAX), 11, program.stderr())
        self.assert_resumes()

    def test_without_a_journal(self):
        """There is no hang without one, either."""
        program = self.start_stalled("--drain", "500ms")
        terminate(program)
        self.assertEqual(program.process.wait(SECONDS_MAX), 11, program.stderr())

    def assert_resumes(self):
        """The journal knows of everything that was sent, and a resume sends the rest."""
        words = self.exported()
        for message in self.the_sink.record():
            key = (message["x_id"], message["to"][0])
            self.assertIn(words.get(key), ("accepted", "unknown"), key)
        taken = len(self.the_sink.record())
        self.assertLess(taken, len(self.jobs))
        run = self.finish_run(self.the_sink.endpoint("plain"), "--resume")
        self.assertIn(run.exit_code, (0, 6), run.describe())
        words = self.exported()
        self.assertEqual(set(words), set(recipients_of(self.jobs)))
        counts = self.the_sink.stop().recipients()
        for key, status in words.items():
            self.assertIn(status, ("accepted", "unknown"), key)
            self.assertLessEqual(counts[key], 1, key)
            self.assertTrue(status == "unknown" or counts[key] == 1, key)


class StdinTest(SinkTest):
    """A run that waits for more jobs while its outcomes are lost."""

    def test_reader_who_goes_away(self):
        """It does not wait for a line that may never come."""
        sink = self.sink()
        process = subprocess.Popen(
            [PROGRAM, "send", "-e", sink.endpoint(), "-o", "-"], cwd=self.folder,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment_of(self.folder, RINGPOST_PASSWORD=PASSWORD))
        for end in (process.stdin, process.stdout, process.stderr):
            self.addCleanup(end.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.stdout.close()
        process.stdin.write(b"".join(line_of(job) + b"\n" for job in simple_jobs(3)))
        process.stdin.flush()
        self.assertEqual(process.wait(60), 11)



class OutOfMemoryTest(ResumeTest):
    """The machine gives no more memory: the run ends as if it had been killed."""

    @unittest.skipIf(is_sanitized(), "a sanitizer takes address space of its own")
    def test_allocation_that_fails(self):
        """A clean message, exit code 11, a whole journal; and a resume finishes the run."""
        sink = self.sink()
        small = simple_jobs(50)
        large = simple_job("large", body="x" * 70 + "\r\n")
        large["raw"] += ("y" * 70 + "\r\n") * 400_000
        jobs = [*small, large, *simple_jobs(20, "late")]
        write_jobs(self.folder / JOBS, jobs)
        octets = (self.folder / JOBS).read_bytes()
        program = self.start_run(sink.endpoint(), files=("-",), stdin=subprocess.PIPE)
        head = b"".join(octets.splitlines(keepends=True)[:len(small)])
        program.process.stdin.write(head)
        program.process.stdin.flush()
        wait_until(lambda: len(sink.record()) == len(small), "the small ones have arrived")
        status = Path(f"/proc/{program.process.pid}/statm").read_text(encoding="ascii")
        pages = int(status.split()[0])
        limit = pages * resource.getpagesize() + (1 << 20)
        resource.prlimit(program.process.pid, resource.RLIMIT_AS,
                         (limit, resource.RLIM_INFINITY))
        try:
            program.process.stdin.write(octets[len(head):])
            program.process.stdin.close()
        except BrokenPipeError:
            pass
        run = program.wait()
        self.assert_exit(run, 11)
        self.assert_says(run, "out of memory")
        self.assert_exit(self.run_program("journal", "verify", JOURNAL), 0)
        with open(self.folder / JOBS, "rb") as again:
            run = self.finish(self.start_run(sink.endpoint(), "--resume", files=("-",),
                                             stdin=again))
        self.assertIn(run.exit_code, (0, 6), run.describe())
        check_each_once(self, jobs, sink.stop())


if __name__ == "__main__":
    unittest.main()
