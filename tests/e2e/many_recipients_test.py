"""One job to very many recipients: it takes no longer than as many small jobs, needs little memory,
and each of its recipients has one outcome, whatever happens."""

import os
import signal
import unittest
from collections import Counter

from support import journal
from support.jobs import read_outcomes, simple_content
from support.program import OUTCOMES, PASSWORD, is_sanitized
from support.sink import SinkTest
from support.workspace import wait_until

MEMORY_MAX = 64 << 20
LATE = ("--latency", "50ms")


def addresses(count, first=0):
    return [f"reader-{number}@example.net" for number in range(first, first + count)]


def job_to(recipients, job_id="newsletter", body_bytes=1000):
    line = "A line of some seventy octets, as people and their editors write them.\r\n"
    return {"id": job_id, "envelope": {"from": "sender@example.com", "to": recipients},
            "raw": simple_content(job_id, line * (body_bytes // len(line)))}


class ManyRecipientsTest(SinkTest):

    def assert_each_once(self, outcomes, recipients, status="accepted"):
        self.assertEqual(Counter(outcome["rcpt"] for outcome in outcomes), Counter(recipients))
        self.assertEqual({outcome["status"] for outcome in outcomes}, {status})

    def peaks_until_over(self, program):
        """The most memory that a run ever had, asked until it ends."""
        peaks = [0]

        def is_over():
            if not program.is_alive():
                return True
            try:
                peaks.append(program.peak_memory())
            except (OSError, StopIteration):
                pass  # it has just ended
            return False

        wait_until(is_over, "the run is over", 300)
        return max(peaks)

    def transactions_of_3000(self, recipients_max):
        """One job to 3,000 through ten sessions: how many transactions went through each."""
        sink = self.sink(*LATE)
        job = job_to(addresses(3000))
        run = self.send([job], sink.endpoint(), "--connections", "10",
                        "--max-recipients", str(recipients_max))
        self.assert_all_accepted(run, [job])
        report = sink.stop()
        self.assert_strict(report)
        transactions = Counter(line["session"] for line in report.record)
        self.assertEqual(sum(transactions.values()), 3000 // recipients_max)
        return transactions

    def test_one_job_of_3000_goes_through_all_sessions(self):
        """Side by side, as 300 jobs of ten do; bench/e2e/many_recipients.py takes the time."""
        # All ten on a quiet machine; one that opens late on a busy one finds nothing left to do.
        self.assertGreater(len(self.transactions_of_3000(10)), 5)

    def test_a_few_transactions_of_a_job_go_side_by_side(self):
        """Thirty transactions: the first session has half of them before it is known what the
        server takes, and flights of several have the rest."""
        self.assertGreater(len(self.transactions_of_3000(100)), 2)

    def test_a_job_of_100000_stays_small_and_goes_on_where_it_was_killed(self):
        sink = self.sink("--no-digest", "--latency", "1ms")
        recipients = addresses(100_000)
        job = job_to(recipients, body_bytes=10_000)
        journal = ("--journal", "run.journal")
        killed = self.start_send([job], sink.endpoint(), *journal)
        outcomes = self.folder / OUTCOMES
        wait_until(lambda: outcomes.exists() and outcomes.stat().st_size > 10_000_000,
                   "a part of it is told", 120)
        peak = killed.peak_memory()
        killed.signal(signal.SIGKILL)
        killed.wait(60)
        told_before = outcomes.read_bytes().count(b"\n")
        self.assertLess(told_before, len(recipients))
        resumed = self.start("send", "jobs.jsonl", "--endpoint", sink.endpoint(), "-o", OUTCOMES,
                             *journal, "--resume", RINGPOST_PASSWORD=PASSWORD)
        peak = max(peak, self.peaks_until_over(resumed))
        told = read_outcomes(outcomes)
        self.assertEqual(Counter(outcome["rcpt"] for outcome in told), Counter(recipients))
        # Who was in flight when it was killed is in doubt, and nobody else: so many messages to a
        # hundred in each of ten sessions, and those whose outcomes were not written yet.
        counts = Counter(outcome["status"] for outcome in told)
        self.assertEqual(set(counts) - {"accepted", "unknown"}, set(), counts)
        self.assertLessEqual(counts["unknown"], 2 * 10 * 32 * 100, counts)
        report = sink.stop()
        got = Counter(recipient for line in report.record for recipient in line["to"])
        self.assertEqual(max(got.values()), 1)
        accepted = {outcome["rcpt"] for outcome in told if outcome["status"] == "accepted"}
        self.assertEqual(accepted - set(got), set())
        if not is_sanitized():
            self.assertLess(peak, MEMORY_MAX)

    def test_a_job_that_goes_through_stays_small(self):
        sink = self.sink("--no-digest")
        recipients = addresses(100_000)
        program = self.start_send([job_to(recipients, body_bytes=10_000)], sink.endpoint())
        peak = self.peaks_until_over(program)
        self.assertEqual(program.wait(60).exit_code, 0)
        self.assert_each_once(read_outcomes(self.folder / OUTCOMES), recipients)
        if not is_sanitized():
            self.assertLess(peak, MEMORY_MAX)

    def test_each_recipient_of_a_job_with_too_many_is_told(self):
        sink = self.sink()
        recipients = addresses(100_050)
        for field, limit in (("to", 100_000), ("bcc", 100_000)):
            with self.subTest(field=field):
                job = {"id": "huge", "from": "sender@example.com", field: recipients, "text": "Hi"}
                run = self.send([job], sink.endpoint())
                self.assert_each_once(run.outcomes, recipients, "invalid")
                self.assertIn(f"has more than {limit} addresses", run.outcomes[-1]["reason"])
        self.assertEqual(sink.stop().record, [])

    def test_an_older_journal_keeps_its_bound(self):
        """A job that was refused for its number in a run before is refused in its resume."""
        sink = self.sink()
        recipients = addresses(10_001)
        self.send([job_to(recipients)], sink.endpoint(), "--journal", "run.journal")
        path = self.folder / "run.journal"
        self.assertEqual(len(sink.record()), 101)
        os.unlink(self.folder / OUTCOMES)
        octets = (self.folder / "jobs.jsonl").read_bytes()
        path.write_bytes(journal.MAGIC + journal.header(
            ("jobs.jsonl", len(octets), journal.legacy_sample(octets)), version=2))
        run = self.send([job_to(recipients)], sink.endpoint(), "--journal", "run.journal",
                        "--resume")
        self.assert_each_once(run.outcomes, recipients, "invalid")
        self.assertIn("more than 10000", run.outcomes[0]["reason"])


if __name__ == "__main__":
    unittest.main()
