"""One round of the crash test: a sink, a run that is killed and resumed until it is over, and what
has to hold then."""

import shutil
import signal
import subprocess
from collections import Counter
from contextlib import ExitStack

from support.fates import TRIED_AGAIN, last_words
from support.jobs import parse_outcomes, write_jobs
from support.program import OUTCOMES, PASSWORD, RunningProgram, environment_of
from support.sink import Sink
from verdict import differences

JOBS = "jobs.jsonl"
JOURNAL = "run.journal"
# All accepted, or a class of those that the sink makes; never usage, endpoint or journal.
EXIT_CODES = {0, 3, 4, 5, 6}
DIFFERENCES_SHOWN = 20


def require(condition, text):
    if not condition:
        raise AssertionError(text)


class Round:
    """Runs in a folder of its own, and raises an AssertionError that says what is wrong."""

    def __init__(self, plan, folder):
        self.plan = plan
        self.folder = folder
        self.kills = 0
        self.runs = 0
        self.statuses = Counter()

    def run(self):
        write_jobs(self.folder / JOBS, self.plan.lines)
        with ExitStack() as stack:
            sink = self._sink(stack, "--latency", f"{self.plan.latency_ms}ms")
            self._run_until_done(sink.endpoint(), stack)
            record = sink.stop().record
        outcomes = parse_outcomes(self._outcome_octets())
        self.statuses = Counter(last_words(outcomes).values())
        self._check(outcomes, record)
        self._check_idle_resume()

    # ---- Runs -----------------------------------------------------------------------------------

    def _run_until_done(self, endpoint, stack):
        for seconds in self.plan.kills:
            program = self._start(endpoint, stack)
            try:
                program.process.wait(seconds)
            except subprocess.TimeoutExpired:
                program.signal(signal.SIGKILL)
            exit_code = program.process.wait()
            if exit_code != -signal.SIGKILL:
                # It was faster.
                require(exit_code in EXIT_CODES, program.wait().describe())
                return
            self.kills += 1
            self._check_after_kill(stack)
        self._run_to_the_end(endpoint, stack)

    def _run_to_the_end(self, endpoint, stack):
        run = self._start(endpoint, stack).wait()
        require(run.exit_code in EXIT_CODES, run.describe())

    def _start(self, endpoint, stack):
        journal = self.folder / JOURNAL
        flags = ["-e", endpoint, "-o", OUTCOMES, "--journal", JOURNAL, *self.plan.flags]
        # A run that was killed before it had a journal has sent nothing: it is simply begun again.
        if journal.exists() and journal.stat().st_size > 0:
            flags.append("--resume")
        self.runs += 1
        if not self.plan.from_stdin:
            return self._program(stack, "send", JOBS, *flags)
        with open(self.folder / JOBS, "rb") as jobs:
            return self._program(stack, "send", "-", *flags, stdin=jobs)

    def _sink(self, stack, *flags):
        def clean_up(function, *arguments, **more):
            # Its folder, with the record, stays as long as that of the round.
            if function is not shutil.rmtree:
                stack.callback(function, *arguments, **more)

        return Sink(self.folder, *flags, cleanup=clean_up)

    def _program(self, stack, *arguments, stdin=subprocess.DEVNULL):
        environment = environment_of(self.folder, RINGPOST_PASSWORD=PASSWORD)
        program = RunningProgram(self.folder, arguments, environment, stdin)
        stack.callback(program.stop)
        return program

    def _read_journal(self, stack, action, *flags):
        run = self._program(stack, "journal", action, JOURNAL, *flags).wait()
        require(run.exit_code == 0, run.describe())
        return run.stdout

    def _outcome_octets(self):
        path = self.folder / OUTCOMES
        return path.read_bytes() if path.exists() else b""

    # ---- Checks ---------------------------------------------------------------------------------

    def _check_after_kill(self, stack):
        """A torn end is no damage, and no outcome line is anywhere before it is in the journal."""
        journal = self.folder / JOURNAL
        if not journal.exists() or journal.stat().st_size == 0:
            require(not self._outcome_octets(), "outcome lines without a journal")
            return
        self._read_journal(stack, "verify")
        exported = self._read_journal(stack, "export", "--all")
        require(exported.startswith(self._outcome_octets()),
                f"after kill {self.kills}: the outcomes file is no prefix of the journal's lines")

    def _check(self, outcomes, record):
        found = differences(self.plan, outcomes, record, self.kills)
        shown = "\n".join(found[:DIFFERENCES_SHOWN])
        require(not found, f"{len(found)} differences:\n{shown}")
        self._check_lines()

    def _check_lines(self):
        """No line is torn or stands twice, and the journal has the same ones in the same order."""
        octets = self._outcome_octets()
        lines = Counter(octets.split(b"\n")[:-1])
        twice = [line for line, count in lines.items() if count > 1]
        require(not twice, f"lines that stand twice: {twice[:3]}")
        with ExitStack() as stack:
            self._read_journal(stack, "verify")
            exported = self._read_journal(stack, "export", "--all")
        require(exported == octets,
                f"the journal exports {len(exported)} octets, {OUTCOMES} has {len(octets)}")

    def _check_idle_resume(self):
        """Another resume has nothing to send but to those who were put off, who are put off again.

        It is given a sink of its own, whose record has to stay empty."""
        before = self._outcome_octets()
        words = last_words(parse_outcomes(before))
        with ExitStack() as stack:
            sink = self._sink(stack)
            self._run_to_the_end(sink.endpoint(), stack)
            record = sink.stop().record
        require(not record, f"a resume of a run that was over sent {record[:3]}")
        after = self._outcome_octets()
        require(after.startswith(before), "a resume changed earlier outcome lines")
        added = parse_outcomes(after[len(before):])
        put_off = {key for key, status in words.items() if status in TRIED_AGAIN}
        found = Counter((outcome["id"], outcome["rcpt"]) for outcome in added)
        require(found == Counter(put_off),
                f"a resume of a run that was over added {len(added)} lines for {len(put_off)} who "
                f"were put off: {added[:3]}")
        self._check_lines()
