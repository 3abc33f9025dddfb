"""The crash test's own checks: each kind of harm is seen, and a good round is not blamed."""

import unittest
from dataclasses import replace

from plan import DEFERRED, INVALID, JOBS, Plan, make_plan
from verdict import differences

PLAN = Plan(seed=0, lines=[], fates={("a", "x"): "accepted", ("a", "y"): "accepted",
                                     ("b", "reject"): "rejected", ("c", "defer"): "deferred",
                                     ("d", "x"): "invalid", ("n", "x"): "accepted",
                                     ("n", "y"): "accepted"},
            digests={"a": "aa", "b": "bb", "c": "cc", "d": "dd"}, newsletters=frozenset("n"),
            unreadable=1, flags=[], resends=False, from_stdin=False, latency_ms=0, kills=[])
RESENDS = replace(PLAN, resends=True)
WORDS = (("a", "x", "accepted"), ("a", "y", "accepted"), ("b", "reject", "rejected"),
         ("c", "defer", "deferred"), ("d", "x", "invalid"), ("n", "x", "accepted"),
         ("n", "y", "accepted"), ("hash", None, "invalid"))
NEWSLETTER = ({"x_id": "n", "to": ["x"], "sha256": "nx"},
              {"x_id": "n", "to": ["y"], "sha256": "ny"})
RECORD = ({"x_id": "a", "to": ["x", "y"], "sha256": "aa"}, *NEWSLETTER)


def copy(recipient, x_id="a", digest="aa"):
    return {"x_id": x_id, "to": [recipient], "sha256": digest}


class VerdictTest(unittest.TestCase):
    def wrong(self, *more, plan=PLAN, without=(), record=RECORD, kills=1):
        words = [word for word in WORDS if word[:2] not in without] + list(more)
        outcomes = [dict(zip(("id", "rcpt", "status"), word)) for word in words]
        return differences(plan, outcomes, list(record), kills)

    def assert_wrong(self, text, *more, **changes):
        found = self.wrong(*more, **changes)
        self.assertTrue(any(text in one for one in found), found)

    def test_a_good_round_is_not_blamed(self):
        self.assertEqual(self.wrong(), [])
        self.assertEqual(self.wrong(("c", "defer", "deferred")), [])
        self.assertEqual(self.wrong(("c", "defer", "unknown")), [])
        held = (("a", "x", "unknown"), ("a", "y", "accepted"))
        without = (("a", "x"), ("a", "y"))
        self.assertEqual(self.wrong(*held, without=without), [])
        self.assertEqual(self.wrong(*held, without=without, record=[copy("y"), *NEWSLETTER]), [])
        again = (("a", "x", "unsent"), ("a", "x", "accepted"), ("a", "y", "accepted"))
        self.assertEqual(self.wrong(*again, without=without), [])

    def test_a_lost_recipient_is_seen(self):
        self.assert_wrong("no outcome line", without=[("a", "y")])
        self.assert_wrong("no outcome line", without=[("b", "reject")])
        self.assert_wrong("unsent in the end", ("a", "y", "unsent"), without=[("a", "y")])
        self.assert_wrong("0 unreadable lines", without=[("hash", None)])

    def test_a_word_behind_the_last_one_is_seen(self):
        for status in ("accepted", "unknown", "rejected"):
            self.assert_wrong("accepted then", ("a", "x", status))
        self.assert_wrong("rejected then", ("b", "reject", "rejected"))
        self.assert_wrong("invalid then", ("d", "x", "invalid"))
        self.assert_wrong("unknown then", ("a", "x", "unknown"), ("a", "x", "accepted"),
                          without=[("a", "x")])

    def test_a_wrong_fate_is_seen(self):
        self.assert_wrong("should be accepted", ("a", "x", "rejected"), without=[("a", "x")])
        self.assert_wrong("should be rejected", ("b", "reject", "accepted"),
                          without=[("b", "reject")])
        self.assert_wrong("of nobody's", ("e", "x", "accepted"))
        self.assert_wrong("of nobody's", ("hash2", None, "accepted"))

    def test_what_the_server_has_is_compared(self):
        self.assert_wrong("took it 0 times", record=[])
        self.assert_wrong("took it 2 times", record=[*RECORD, copy("x")])
        self.assert_wrong("took it 1 times", record=[*RECORD, copy("reject", "b", "bb")])
        self.assert_wrong("took it 1 times", record=[*RECORD, copy("x", "d", "dd")])
        self.assert_wrong("in no job", record=[*RECORD, copy("z")])
        self.assert_wrong("in no job", record=[*RECORD, copy("x", None)])
        self.assert_wrong("the content", record=[copy("x"), copy("y", digest="bb"), *NEWSLETTER])
        self.assert_wrong("took it 2 times", ("a", "x", "unknown"), without=[("a", "x")],
                          record=[*RECORD, copy("x")])
        self.assert_wrong("another message than before", plan=RESENDS,
                          record=[*RECORD, copy("x", "n", "other")])

    def test_what_may_be_sent_again_is_bounded(self):
        twice = [*RECORD, copy("x")]
        self.assertEqual(self.wrong(plan=RESENDS, record=twice), [])
        self.assertEqual(self.wrong(("a", "x", "unknown"), ("a", "x", "accepted"), plan=RESENDS,
                                    without=[("a", "x")], record=twice), [])
        self.assert_wrong("took it 2 times", plan=RESENDS, record=twice, kills=0)
        self.assert_wrong("unknown in the end", ("a", "x", "unknown"), plan=RESENDS,
                          without=[("a", "x")])
        self.assert_wrong("accepted then", ("a", "x", "accepted"), plan=RESENDS)


class PlanTest(unittest.TestCase):
    def test_a_seed_makes_the_same_plan_again(self):
        self.assertEqual(make_plan(7), make_plan(7))
        self.assertNotEqual(make_plan(7).lines, make_plan(8).lines)

    def test_plans_have_everything(self):
        plans = [make_plan(seed) for seed in range(20)]
        for plan in plans:
            jobs = [line for line in plan.lines if line and not line.startswith(b'{"define"')]
            self.assertIn(len(jobs), JOBS)
            self.assertEqual(len(jobs), len({key[0] for key in plan.fates}) + plan.unreadable)
            self.assertTrue(plan.newsletters)
            self.assertTrue({INVALID, DEFERRED}.issubset(plan.fates.values()))
            self.assertTrue(all(0.005 <= seconds <= 1.5 for seconds in plan.kills))
        for choice in ("resends", "from_stdin"):
            self.assertEqual({getattr(plan, choice) for plan in plans}, {True, False})
        self.assertGreater(len({plan.latency_ms for plan in plans}), 2)


if __name__ == "__main__":
    unittest.main()
