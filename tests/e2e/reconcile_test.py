"""The checks of the fault test: each kind of harm is seen, and good books are not blamed."""

import unittest
from collections import Counter

from support.reconcile import reconcile

RECIPIENTS = Counter({("a", "x"): 1, ("a", "y"): 1, ("b", "z"): 1})


def line(job_id, recipient, status, queue_id=None):
    return {"id": job_id, "rcpt": recipient, "status": status, "queue_id": queue_id}


def copy(job_id, *recipients, queue_id="q", digest="d"):
    return {"x_id": job_id, "to": list(recipients), "queue_id": queue_id, "sha256": digest}


GOOD = (line("a", "x", "accepted", "1"), line("a", "y", "rejected"), line("b", "z", "unknown"))
RECORD = (copy("a", "x", queue_id="1"),)


class ReconcileTest(unittest.TestCase):
    def books(self, *outcomes, record=RECORD, **more):
        return reconcile(RECIPIENTS, list(outcomes), list(record), **more)

    def assert_good(self, *outcomes, **more):
        books = self.books(*outcomes, **more)
        self.assertEqual(books.differences, [])
        return books

    def assert_wrong(self, text, *outcomes, **more):
        found = self.books(*outcomes, **more).differences
        self.assertTrue(any(text in one for one in found), found)

    def test_good_books(self):
        books = self.assert_good(*GOOD, digests={"a": "d"})
        self.assertEqual((books.taken, books.taken_unknown), (1, 0))
        books = self.assert_good(*GOOD, record=[*RECORD, copy("b", "z", queue_id="2")])
        self.assertEqual((books.taken, books.taken_unknown), (2, 1))

    def test_resent(self):
        again = (*GOOD, line("b", "z", "accepted", "3"))
        record = [*RECORD, copy("b", "z", queue_id="2"), copy("b", "z", queue_id="3")]
        books = self.assert_good(*again, record=record, resends=True)
        self.assertEqual((books.resent, books.copies, books.taken_unknown), (1, 1, 1))
        self.assert_good(*again, record=[*RECORD, copy("b", "z", queue_id="3")], resends=True)
        self.assert_wrong("unknown then accepted", *again, record=record)
        self.assert_wrong("took it 3 times", *again, resends=True,
                          record=[*record, copy("b", "z", queue_id="4")])
        record[-1]["sha256"] = "other"
        self.assert_wrong("2 different contents", *again, record=record, resends=True)

    def test_lost_and_doubled(self):
        self.assert_wrong("no outcome line", *GOOD[:2])
        self.assert_wrong("accepted then accepted", *GOOD, GOOD[0])
        self.assert_wrong("nobody's", *GOOD, line("c", "x", "unsent"))
        self.assert_wrong("took it 0 times", *GOOD, record=[])
        self.assert_wrong("took it 2 times", *GOOD, record=[*RECORD, copy("a", "x")])
        for status in ("rejected", "deferred", "unsent", "expired", "invalid"):
            self.assert_wrong(f"{status}, and the server took it 1 times", *GOOD[:2],
                              line("b", "z", status), record=[*RECORD, copy("b", "z")])

    def test_somebody_elses_reply(self):
        """The right number of messages is not enough."""
        self.assert_wrong("which the server never said", line("a", "x", "accepted", "9"), *GOOD[1:])
        self.assert_wrong("is a to", line("b", "z", "accepted", "1"), *GOOD[:2],
                          record=[*RECORD, copy("b", "z", queue_id="2")])

    def test_wrong_content(self):
        self.assert_wrong("not that of the job", *GOOD, digests={"a": "e"})
        self.assert_wrong("in no job", *GOOD, record=[*RECORD, copy("c", "x")])


if __name__ == "__main__":
    unittest.main()
