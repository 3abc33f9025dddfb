"""A rate that nobody has told is found out and followed, over the whole program.

Goal: what is known of a provider is that it has a rate; it is found within ten seconds, held,
followed down and up, and no message fails or loses an attempt by it. Method: a server with 50 ms
late replies that counts in a sliding second; its list of what came is the judge. The bounds leave
room for a machine that is busy: how exactly a rate is held, rate_control_test says.
"""

import json
import unittest
from collections import Counter
from threading import Timer

from support.jobs import simple_jobs
from support.limited_server import Account, LimitedServer
from support.program import ProgramTest

SLOW_DOWN = {"code": 454, "text": "Throttling failure: Maximum sending rate", "scope": "account",
             "action": "slow-down"}


class RateFollowTest(ProgramTest):

    def follow(self, count, account, *flags, rule=SLOW_DOWN, **settings):
        server = LimitedServer(account, cleanup=self.addCleanup)
        lines = ["[endpoint.esp]", 'host = "127.0.0.1"', f'ports = ["{server.port} none"]',
                 *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
        if rule:
            lines += ["[[endpoint.esp.reply]]",
                      *(f"{key} = {json.dumps(value)}" for key, value in rule.items())]
        (self.folder / "ringpost.toml").write_text("\n".join([*lines, ""]), encoding="utf-8")
        run = self.send(simple_jobs(count), "esp", "--connections", "12", *flags)
        self.assert_exit(run, 0)
        self.assertEqual(Counter((outcome["status"], outcome["attempts"])
                                 for outcome in run.outcomes), {("accepted", 1): count})
        return run

    def planned(self, endpoint, count):
        path = self.folder / "plan.jsonl"
        path.write_text("".join(json.dumps(job) + "\n" for job in simple_jobs(count)),
                        encoding="utf-8")
        run = self.run_program("plan", path, "-e", endpoint, "--json")
        self.assert_exit(run, 0)
        return json.loads(run.stdout)["endpoints"][0]

    def test_it_is_found_and_held_and_known_to_the_next_run(self):
        account = Account(14)
        self.follow(500, account, rate_counts="recipients")
        # Far more than the search began with; how near it comes, `tools/dev quotas` measures.
        self.assertGreater(account.count(10, 30), 0.5 * 20 * 14)
        self.assertLessEqual(account.peak(10, 30), 15)
        # Nobody begins with all connections at once.
        self.assertLessEqual(account.count(0, 1), 10)
        learnt = self.run_program("presets", "learnt", "esp")
        self.assertIn('[endpoint."esp"]\nrate = "14 recipients/s"\n', learnt.stdout.decode())

        plan = self.planned("esp", 700)
        self.assertEqual((plan["binding_rate"], plan["rate_is_learnt"]), ("14 recipients/s", True))
        self.assertAlmostEqual(plan["duration_s"], 50, delta=1.5)

        later = Account(14)
        self.follow(60, later, rate_counts="recipients")
        # A busy machine may bring two of them together.
        self.assertLessEqual(later.count(0, 60, taken=False), 2)
        self.assertGreaterEqual(later.count(0, 3), 20)
        elsewhere = self.run_program("presets", "learnt", "esp", "--state", "elsewhere")
        self.assertIn("# Nothing was found out", elsewhere.stdout.decode())

    def test_it_is_followed_down_to_nothing_and_back(self):
        account = Account(14)
        for at, rate in ((12, 7), (22, 0), (30, 14)):
            timer = Timer(at, lambda rate=rate: setattr(account, "rate", rate))
            self.addCleanup(timer.cancel)
            timer.start()
        self.follow(380, account, "--max-attempts", "1", rate_counts="messages")
        # The server's clock begins with the first message.
        self.assertGreater(account.count(15, 21), 0.4 * 6 * 7)
        self.assertLessEqual(account.count(26, 29, taken=False), 6)
        self.assertGreater(account.count(39, 44), 0.4 * 5 * 14)

    def test_a_server_of_which_nothing_is_known_says_it_itself(self):
        account = Account(20)
        self.follow(150, account, rule=None)
        # It had all connections at first, then one after the other.
        self.assertGreater(account.count(0, 1, taken=False), 1)
        self.assertLess(account.count(3, 60, taken=False), 12)

    def test_one_that_never_takes_any_is_given_up(self):
        account = Account(0)
        server = LimitedServer(account, cleanup=self.addCleanup)
        run = self.send(simple_jobs(5), f"smtp://localhost:{server.port}?tls=none",
                        "--patience", "3s", "--connections", "2")
        self.assert_exit(run, 7)
        self.assertEqual({outcome["status"] for outcome in run.outcomes}, {"unsent"})
        self.assert_says(run, "too fast, however slowly")
        self.assertLess(len(account.came), 15)


if __name__ == "__main__":
    unittest.main()
