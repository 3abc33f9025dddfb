"""Kill it at any instant: the third promise of ringpost, with the real program.

Goal: over all runs of a journal every recipient has one final outcome line, nothing that was
answered is sent again, and only what was in flight is unknown. Method: rounds of a few thousand
jobs to the sink over TLS; each run is killed after a random time and resumed, until one comes to
its end; then the outcome lines, the journal and the sink's record have to tell the same story.

RINGPOST_CRASH_ROUNDS and RINGPOST_CRASH_SEED say how many rounds, and the seed of the first; each
round has the next seed. `tools/dev crash` sets them. A seed makes the same jobs, flags and times
again; what a kill hits is up to the machine, so a failure may take some rounds of its seed.
"""

import os
import random
import shutil
import signal
import tempfile
import unittest
from collections import Counter
from pathlib import Path

from crash_round import JOURNAL, Round
from plan import make_plan
from support.jobs import recipients_of, simple_jobs
from support.program import OUTCOMES, PASSWORD
from support.sink import SinkTest
from support.workspace import wait_until

ROUNDS = int(os.environ.get("RINGPOST_CRASH_ROUNDS") or 20)
SEED = int(os.environ.get("RINGPOST_CRASH_SEED") or random.SystemRandom().randrange(10**6))
# With fewer, luck decides whether a kill has hit messages in flight.
ROUNDS_OF_A_SAMPLE = 10


class CrashTest(unittest.TestCase):
    def test_rounds(self):
        print(f"{ROUNDS} rounds from seed {SEED} on", flush=True)
        kills = 0
        statuses = Counter()
        for seed in range(SEED, SEED + ROUNDS):
            done = self.run_round(seed)
            kills += done.kills
            statuses += done.statuses
        # Otherwise the rounds show nothing.
        self.assertGreater(statuses["accepted"], 0)
        if ROUNDS >= ROUNDS_OF_A_SAMPLE:
            self.assertGreaterEqual(kills, ROUNDS, "runs were over before they were killed")
            self.assertGreater(statuses["unknown"], 0, "no kill has hit a message in flight")

    def run_round(self, seed):
        folder = Path(tempfile.mkdtemp(prefix=f"ringpost-crash-{seed}-"))
        plan = make_plan(seed)
        one = Round(plan, folder)
        print(f"seed {seed}: {plan.describe()}", flush=True)
        try:
            one.run()
        except Exception as error:
            raise AssertionError(
                f"{error}\nseed {seed}, {plan.describe()}, {one.kills} kills; everything is in "
                f"{folder}\nonce more: tools/dev crash --rounds 1 --seed {seed}") from error
        counts = ", ".join(f"{count} {status}" for status, count in one.statuses.most_common())
        print(f"seed {seed}: {one.kills} kills in {one.runs} runs: {counts}", flush=True)
        shutil.rmtree(folder)
        return one


def states_of(program):
    """The states of a program's threads (proc(5)); T is stopped."""
    threads = Path(f"/proc/{program.process.pid}/task").glob("*/stat")
    return {thread.read_text(encoding="utf-8").rpartition(")")[2].split()[0] for thread in threads}


class LockTest(SinkTest):
    def test_second_process_on_a_journal(self):
        """While a run has a journal, even a stopped one, another is refused and harms nothing."""
        sink = self.sink("--latency", "100ms")
        jobs = simple_jobs(300)
        flags = ("-e", sink.endpoint(), "--connections", "2", "--pipeline", "4",
                 "--journal", JOURNAL)
        first = self.start_send(jobs, sink.endpoint(), *flags[2:])
        wait_until(lambda: len(sink.record()) >= 20, "some messages have arrived")
        first.signal(signal.SIGSTOP)
        self.addCleanup(first.signal, signal.SIGCONT)
        wait_until(lambda: states_of(first) == {"T"}, "all of its threads stand still")
        before = [(self.folder / name).read_bytes() for name in (JOURNAL, OUTCOMES)]
        second = self.run_program("send", "jobs.jsonl", *flags, "-o", OUTCOMES, "--resume",
                                  RINGPOST_PASSWORD=PASSWORD, seconds=30)
        self.assertIn(second.exit_code, (2, 11), second.describe())
        self.assert_says(second, JOURNAL, f"process {first.process.pid}")
        after = [(self.folder / name).read_bytes() for name in (JOURNAL, OUTCOMES)]
        self.assertEqual(before, after, "the refused run has changed a file")
        first.signal(signal.SIGCONT)
        self.assert_all_accepted(self.finish(first), jobs)
        self.assertEqual(sink.stop().recipients(), recipients_of(jobs))


if __name__ == "__main__":
    unittest.main()
