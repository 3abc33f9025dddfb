"""`ringpost send` to Postfix, which keeps what it is sent: what was submitted is what is stored.

Method: one Postfix for all tests, started here on loopback with a configuration and a queue of its
own; it delivers to a maildir that is read back.
"""

import time
from collections import Counter

from support import postfix
from support.corpus import RAW_BASE64, copies, small
from support.jobs import simple_job, simple_jobs
from support.peer import PLAIN, STARTTLS
from support.peer_test import FLIGHTS, FLIGHTS_OF_16, GROUPS, LOCK_STEP, AllChecks, PeerTest
from support.program import PASSWORD, USER
from support.workspace import main, wait_until


class PostfixTest(AllChecks, PeerTest):
    """With a running Postfix."""

    steps = (FLIGHTS, FLIGHTS_OF_16, GROUPS, LOCK_STEP)

    @classmethod
    def make_peer(cls, folder, certificate):
        return postfix.Postfix(folder, certificate, USER, PASSWORD)

    def test_queue_ids(self):
        """The queue id in an outcome line is the one that Postfix gave the message; it says who
        logged in, and that it was under TLS."""
        for step in self.steps:
            with self.subTest(step=step.name):
                self.peer.forget()
                run, delivered = self.check_corpus(copies(small()[:9], (RAW_BASE64,)), STARTTLS,
                                                   step)
                traces = {(one.x_id, one.recipient): one.traces for one in delivered}
                for outcome in run.outcomes:
                    self.assertIn(f"id {outcome['queue_id']};".encode(),
                                  traces[outcome["id"], outcome["rcpt"]])
        self.assertIn(f"sasl_username={USER}", self.peer.log())

    def test_words_of_a_refusal(self):
        """A recipient that Postfix refuses is rejected with its words and its status."""
        jobs = [simple_job("mixed", ["a@example.net", "refused@example.net", "b@example.org"])]
        run = self.send(jobs, self.endpoint(PLAIN))
        self.assert_exit(run, 4)
        outcome = run.outcome("mixed", "refused@example.net")
        self.assertEqual((outcome["code"], outcome["enhanced"]), (554, "5.7.1"))
        self.peer.delivered(2)

    def test_restart(self):
        """Postfix is away for three seconds in mid-run: nothing is unsent, nothing is doubled."""
        jobs = simple_jobs(2000)
        self.peer.forget()
        program = self.start_send(jobs, self.endpoint(PLAIN), "--pipeline", "off",
                                  "--connections", "3")
        wait_until(lambda: self.peer.log().count(": client=") > 200, "some have arrived")
        self.peer.stop()
        time.sleep(3)
        self.peer.start_again()
        run = self.finish(program)
        statuses = run.statuses()
        unknown = statuses.pop("unknown", 0)
        self.assertEqual(statuses, {"accepted": len(jobs) - unknown}, run.describe())
        # A message in each of the three sessions, at most.
        self.assertLessEqual(unknown, 3)
        self.assert_says(run, "is away", "is back")
        copies_of = Counter(one.x_id for one in self.peer.delivered(len(jobs) - unknown))
        self.assertEqual(set(copies_of.values()), {1})
        self.assertLessEqual({one["id"] for one in run.outcomes if one["status"] == "accepted"},
                             set(copies_of))


if __name__ == "__main__":
    main(postfix.why_not())
