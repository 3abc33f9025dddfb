"""What a message costs once a run has warmed up, counted and not timed.

Goal: at most one io_uring_enter for four messages, no allocation, nothing that is done again for
want of room. Method: two runs that differ in their length alone; what the longer one counted more,
divided by the messages that it sent more, is the steady state, whatever starting costs. Replies
come late, so that the reader is ahead and every job there may be in flight was made in both. What
hangs on how much the scheduler lets gather is counted in the longer one alone, the best of three.
"""

import json
import unittest

from support.jobs import numbered_body, simple_job
from support.program import PASSWORD, is_sanitized
from support.sink import SinkTest

SHORT, LONG = 12_000, 20_000
LONG_MESSAGES = 1000
LATENCY = ("--latency", "5ms")
ADDED = LONG - SHORT
# Buffers grow to the largest batch that the scheduler happened to let gather, which may come late
# in a run: some dozen allocations that have nothing to do with how many messages there are.
ALLOCATIONS_MAX = ADDED // 100


def jobs_of(size, count=LONG):
    """Messages of one length, since a buffer grows once when it meets a longer one."""
    return [simple_job(f"job-{number}", body=numbered_body(number, size))
            for number in range(100_000, 100_000 + count)]


class HotPathTest(SinkTest):
    """`ringpost send --stats internal` in runs of two lengths."""

    def counters(self, sink, jobs, *flags):
        for journal in self.folder.glob("*.journal"):
            journal.unlink()
        run = self.send(jobs, sink.endpoint(), "--summary", "json", "--stats", "internal", *flags)
        self.assert_all_accepted(run, jobs)
        return json.loads(run.stdout)["summary"]["internal"]

    def steady_state(self, size, *flags, server=LATENCY, ring_enters_max=0.25):
        """The counters of the longer run, what each had more in it, and the octets of content."""
        sink = self.sink(*server)
        jobs = jobs_of(size)
        short = self.counters(sink, jobs[:SHORT], *flags)
        for _ in range(3):
            long = self.counters(sink, jobs, *flags)
            if long["ring_enters"] <= LONG * ring_enters_max:
                break
        self.assertEqual(long["messages"], LONG, long)
        self.assertLessEqual(long["ring_enters"], LONG * ring_enters_max, long)
        content = sum(len(job["raw"]) for job in jobs[SHORT:])
        added = {name: long[name] - short[name] for name in long}
        self.assert_quiet(added)
        return long, added, content

    def assert_quiet(self, added):
        self.assertEqual(added["messages"], ADDED, added)
        self.assertEqual(added["completion_overflows"], 0, added)
        if is_sanitized():
            self.assertNotIn("worker_allocations", added)
            return
        for thread in ("reader", "worker", "outcome"):
            self.assertLessEqual(added[f"{thread}_allocations"], ALLOCATIONS_MAX, added)

    def test_small_messages_in_flights(self):
        """2 KB, BDAT: several messages in a record, several records in a send."""
        long, added, content = self.steady_state(2000)
        self.assertLess(long["tls_records"], LONG, long)
        self.assertLess(long["sends"], LONG, long)
        # Into the record, where it is sealed; and commands.
        self.assertLess(added["bytes_copied"], content * 1.5, added)

    def test_with_a_rate_that_is_no_bound(self):
        """Its pace is no reason to wake up for each message."""
        jobs = jobs_of(2000)
        sink = self.sink(*LATENCY)
        for _ in range(3):
            counted = self.counters(sink, jobs, "--rate", "1000000/s", "--state", "none")
            if counted["ring_enters"] <= LONG * 0.25:
                break
        self.assertLessEqual(counted["ring_enters"], LONG * 0.25, counted)

    def test_long_messages(self):
        """75 KB, five records: what a session has ready goes in one send, not one and the rest."""
        jobs = jobs_of(75_000, LONG_MESSAGES)
        counted = self.counters(self.sink(*LATENCY), jobs)
        self.assertEqual(counted["messages"], LONG_MESSAGES, counted)
        self.assertLess(counted["sends"], LONG_MESSAGES * 1.2, counted)
        self.assertLess(counted["tls_records"], LONG_MESSAGES * 6, counted)

    def test_small_messages_with_data(self):
        """The same with DATA, where a session has one message under way: one send a message.

        How many replies come together then is up to the machine; each session has its own."""
        long, _, _ = self.steady_state(2000, "--connections", "40",
                                       server=("--no-chunking", *LATENCY), ring_enters_max=1)
        self.assertLess(long["sends"], LONG * 1.1, long)

    def test_with_a_journal(self):
        """Intents and outcomes go into the journal without a file written for each."""
        self.steady_state(2000, "--journal", "run.journal")

    def test_rows_of_recipients(self):
        """A row becomes a message without an allocation, by template and with its values."""
        template = self.folder / "template.json"
        template.write_text(json.dumps({
            "from": "Shop <shop@example.com>", "subject": "For {{name}}",
            "text": "Dear {{name}},\n" + "News of {{city}}.\n" * 20,
            "html": "<p>Dear {{name}}</p>" + "<p>News of {{city}}.</p>\n" * 20}))
        sink = self.sink(*LATENCY)

        def counted(count):
            rows = self.folder / "list.csv"
            rows.write_text("email,name,id,city,header.X-N,metadata.n\n" + "".join(
                f'u{number}@example.net,Ann {number},{number},"In ""{number}""",{number},{number}\n'
                for number in range(100_000, 100_000 + count)))
            run = self.run_program(
                "send", "-e", sink.endpoint(), "--template", template, "--recipients", rows,
                "--dedupe", "--summary", "json", "--stats", "internal", RINGPOST_PASSWORD=PASSWORD)
            self.assert_exit(run, 0)
            return json.loads(run.stdout)["summary"]["internal"]

        short, long = counted(SHORT), counted(LONG)
        self.assert_quiet({name: long[name] - short[name] for name in long})

    def test_text_summary(self):
        """People get the same as text, with what it is for each message."""
        sink = self.sink()
        jobs = [simple_job(f"job-{number}") for number in range(10)]
        run = self.send(jobs, sink.endpoint(), "--stats", "internal")
        self.assert_all_accepted(run, jobs)
        self.assert_says(run, "io_uring_enter calls", "TLS records a send")
        quiet = self.send(jobs, sink.endpoint())
        self.assertNotIn(b"io_uring_enter", quiet.stdout)


if __name__ == "__main__":
    unittest.main()
