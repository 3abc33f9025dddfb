"""A server that does everything wrong: what ringpost says agrees with the server's record.

Goal: `accepted` is in the record exactly once, `unknown` at most once, everything else not at all,
and every recipient has one outcome. Method: a few thousand messages over TLS with AUTH to a sink
that does each of its faults to some messages in a hundred, one command at a time, in groups and in
flights; then outcome lines and record are compared id by id.

Chance comes from a seed that is printed; RINGPOST_FAULT_SEED gives one. A seed makes the same jobs
and the same decisions of the sink about the n-th message of a session; which message that is
depends on the machine.
"""

import os
import random
import unittest
from dataclasses import replace

from fault_run import FAULTS, FaultRun, run_in_folder

SEED = int(os.environ.get("RINGPOST_FAULT_SEED") or random.SystemRandom().randrange(10**6))


class FaultTest(unittest.TestCase):
    def check(self, one):
        print(f"{one.describe()}\nonce more: RINGPOST_FAULT_SEED={SEED}", flush=True)
        books = run_in_folder(one)
        print(f"{books.describe()}\n{one.summary['faults']}", flush=True)
        # Otherwise the run shows nothing.
        self.assertGreater(books.last["accepted"], one.messages / 4)
        self.assertGreater(one.summary["sessions_reset"], 0)
        kinds = {name.split("@")[0] for name in one.summary["faults"]}
        self.assertEqual(kinds, {name.split("@")[0] for name in FAULTS})
        return books

    def assert_ran_ahead(self, one):
        # Faults may meet each step before a message has gone ahead, which depends on the seed; then
        # it has said that it goes on below.
        if one.summary["messages_ahead"] == 0:
            self.assertIn("goes on with", one.said)

    def test_one_command_at_a_time(self):
        books = self.check(FaultRun(1500, SEED, depth=1, percent=2))
        self.assertGreater(books.last["unknown"], 0)

    def test_groups(self):
        one = FaultRun(1000, SEED + 1, percent=2, chunking=False)
        books = self.check(one)
        self.assertGreater(books.last["unknown"], 0)
        self.assert_ran_ahead(one)

    def test_flights(self):
        one = FaultRun(1500, SEED + 2, depth=16, percent=1, connections=32)
        books = self.check(one)
        self.assertGreater(books.taken_unknown, 0)
        self.assert_ran_ahead(one)

    def test_resend(self):
        """What is unknown is sent again until nothing is; each copy is the same, octet for octet.
        """
        one = FaultRun(1000, SEED + 3, depth=16, percent=1, resends=True)
        books = self.check(one)
        self.assertGreater(one.runs, 1)
        self.assertGreater(books.resent, 0)
        self.assertGreater(books.copies, 0)

    def test_a_good_day(self):
        """Without faults nothing is in doubt: the harm of the other tests is the sink's."""
        one = FaultRun(500, SEED + 4, percent=0, opening_percent=0, timeout="100s")
        books = run_in_folder(one)
        self.assertEqual(one.summary["faults"], {})
        self.assertEqual(set(books.last), {"accepted", "rejected", "deferred"})
        self.assertEqual(books.taken_unknown, 0)


if __name__ == "__main__":
    unittest.main()
