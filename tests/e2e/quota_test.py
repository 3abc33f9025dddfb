"""Presets against sinks that play their providers, from a cold start, with nothing but the preset.

Goal: no message fails because of a limit, no login is refused, and nothing comes over a limit that
the preset knows. Method: what the sinks have counted. `tools/dev quotas` asks how near to the
limits that comes, which takes minutes and a machine of its own; a stalled one breaks nothing here.
"""

import unittest
from dataclasses import replace

from quota_run import JUDGED, Judgement, run_side_by_side
from support.workspace import Workspace

SECONDS = 12


def account(name, **changes):
    return replace(next(one for one in JUDGED if one.name == name), **changes)


class QuotaTest(Workspace):

    def judge(self, *accounts):
        return run_side_by_side(accounts, SECONDS, self.folder, self.addCleanup)

    def test_limits_that_a_preset_knows_are_never_met(self):
        for one in self.judge(*map(account, ("mailersend", "m365", "sparkpost", "sendgrid"))):
            with self.subTest(account=one.account.name):
                self.assertEqual((one.exit_code, one.failed()), (0, {}), one.stderr)
                self.assertGreater(one.statuses["accepted"], 0)
                self.assertEqual(one.refused(), {})
                self.assertEqual(one.limits["logins_refused"], 0)

    def test_a_rate_that_nobody_knows_costs_no_message(self):
        for one in self.judge(account("ses-14"), account("ses-70")):
            with self.subTest(account=one.account.name):
                self.assertEqual(one.failed(), {}, one.stderr)
                self.assertGreater(one.statuses["accepted"], 0)
                self.assertEqual(one.limits["logins_refused"], 0)

    def test_a_provider_that_changes_its_mind_costs_no_message(self):
        changes = ((3, "rate=7 recipients/s", 7), (5, "454 for 2s", 0), (7, "connections=2", 7))
        moved, = self.judge(account("ses-14", changes=changes))
        self.assertEqual(moved.failed(), {}, moved.stderr)
        self.assertGreater(moved.statuses["accepted"], 0)
        self.assertEqual(moved.limits["logins_refused"], 0)
        self.assertEqual([rate["allowed"] for rate in moved.limits["rates"]][:2], [14, 7])


class FiguresTest(unittest.TestCase):
    """What is made of a sink's counts."""

    def judgement(self, accepted, came=None, **account_of):
        limits = {"accepted_by_second": accepted, "came_by_second": came or accepted, "rates": []}
        return Judgement(account("ses-70", **account_of), limits, {}, 0, "", False)

    def test_a_share_is_of_whole_seconds_behind_the_cold_start(self):
        self.assertIsNone(self.judgement([70] * 11).share())
        self.assertEqual(self.judgement([0] * 10 + [70] * 5 + [3]).share(), 1)
        self.assertEqual(self.judgement([0] * 10 + [70, 0] + [3]).share(), 0.5)
        self.assertEqual(self.judgement([0] * 10 + [70, 0, 0, 70, 3], quiet=(11, 2)).share(), 1)

    def test_a_change_is_followed_when_the_level_is_kept_from_then_on(self):
        changes = ((20, "rate=35/s", 35), (50, "rate=70/s", 70))
        accepted = [70] * 20 + [35] * 33 + [70] * 27 + [1]
        came = [70] * 24 + [35] * 29 + [70] * 27 + [1]
        judgement = self.judgement(accepted, came, changes=changes)
        self.assertEqual(judgement.followed_after(0), 4)
        self.assertEqual(judgement.followed_after(1), 3)
        never = self.judgement([70] * 20 + [20] * 60, changes=changes)
        self.assertIsNone(never.followed_after(0))
        self.assertIsNone(never.followed_after(1))


if __name__ == "__main__":
    unittest.main()
