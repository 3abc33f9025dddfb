"""Rules for replies: the user's and the preset's, and what no rule fits.

Goal: a rule decides what a refusal is about whatever its code says, and the report's proposal for
one that none fits is taken as it stands. Method: a scripted server says the words; the rule stands
in ringpost.toml, or in the preset.
"""

import json
import re
import unittest

from support.jobs import simple_jobs
from support.program import ProgramTest
from support.scripted_server import ScriptedServer, any_messages, envelope, expect, in_clear, say
from support.scripted_server import take_content

WORDS = "554 5.6.0 Strange content, see ticket 17"


def refusing_message(reply):
    return [*in_clear(), *envelope(), expect("DATA"), say("354 go on"), take_content, say(reply)]


class ReplyRuleTest(ProgramTest):
    """One message, one refusal, and what is written about it."""

    patience = "2s"

    def server(self, *scripts):
        return ScriptedServer(*scripts, cleanup=self.addCleanup)

    def configure_server(self, server, *rules, name="esp", **settings):
        lines = [f"[endpoint.{name}]", 'host = "localhost"', f'ports = ["{server.port} none"]',
                 *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
        for rule in rules:
            lines += ["", f"[[endpoint.{name}.reply]]",
                      *(f"{key} = {json.dumps(value)}" for key, value in rule.items())]
        (self.folder / "ringpost.toml").write_text("\n".join([*lines, ""]), encoding="utf-8")
        return name

    def outcome_of(self, rule, reply=WORDS, **settings):
        server = self.server([*refusing_message(reply), any_messages],
                             [*in_clear(), any_messages])
        name = self.configure_server(server, *([rule] if rule else []), **settings)
        run = self.send(simple_jobs(1), name, "--connections", "1")
        self.assertEqual(len(run.outcomes), 1, run.describe())
        return run.outcomes[0], run

    def test_a_rule_decides_whatever_the_code_says(self):
        about = {"text": "strange content", "scope": "message"}
        for action, reply, wanted in (("reject", WORDS, "rejected"), ("retry", WORDS, "accepted"),
                                      ("reject", "451 4.6.0 Strange content", "rejected")):
            with self.subTest(action=action, reply=reply):
                rule = {**about, "action": action, "hint": "ask the owner"}
                outcome, run = self.outcome_of(rule, reply, retry_pause="100ms")
                self.assertEqual(outcome["status"], wanted, run.describe())
                self.assertNotIn("no reply rule", run.stdout.decode())
                if wanted == "rejected":
                    self.assertEqual(outcome["reason"], "ask the owner")
                    self.assertEqual(str(outcome["code"]), reply[:3])

    def test_a_quota_pauses_and_an_account_that_is_closed_stops(self):
        rule = {"text": "strange content", "scope": "account", "action": "pause"}
        outcome, run = self.outcome_of(rule, retry_pause="100ms")
        self.assertEqual((outcome["status"], outcome["attempts"]), ("accepted", 2), run.describe())
        outcome, run = self.outcome_of({**rule, "action": "stop", "hint": "pay the bill"})
        self.assertEqual(outcome["status"], "unsent", run.describe())
        self.assert_exit(run, 7)
        self.assert_says(run, "pay the bill: 554 5.6.0 Strange content")

    def test_the_rules_of_a_preset_hold_behind_the_users(self):
        """SES says 554 for a sender who is not verified: nobody is rejected for good."""
        reply = "554 Message rejected: Email address is not verified."
        outcome, run = self.outcome_of(None, reply, preset="ses", auth="none")
        self.assertEqual(outcome["status"], "unsent", run.describe())
        self.assertIn("leave the sandbox", outcome["reason"])
        own = {"text": "not verified", "scope": "message", "action": "reject"}
        outcome, run = self.outcome_of(own, reply, preset="ses", auth="none")
        self.assertEqual(outcome["status"], "rejected", run.describe())

    def test_what_fits_no_rule_is_counted_and_the_proposal_fits(self):
        outcome, run = self.outcome_of(None)
        self.assertEqual(outcome["status"], "rejected", run.describe())
        text = run.stdout.decode()
        self.assertIn("1 refusal fitted no reply rule", text)
        proposal = re.search(r"^\[\[endpoint\.esp\.reply\]\]\n(?:\w+ = .*\n)+", text, re.M).group(0)
        self.assertIn('text = "Strange content, see ticket"', proposal)
        server = self.server([*refusing_message(WORDS), any_messages])
        name = self.configure_server(server)
        with (self.folder / "ringpost.toml").open("a", encoding="utf-8") as file:
            file.write(proposal)
        run = self.send(simple_jobs(1), name, "--summary", "json")
        report = json.loads(run.stdout)["summary"]["endpoints"][0]
        self.assertEqual((report["refusals_unruled"], report["rules_proposed"]), (0, []))

    def test_show_prints_them_as_they_are_written(self):
        server = self.server([*in_clear(), any_messages])
        self.configure_server(server, {"text": "odd \"thing\"", "scope": "sender", "action": "stop",
                                       "code": 550, "stage": "mail"}, preset="ses", auth="none")
        shown = self.run_program("config", "show").stdout.decode()
        self.assertIn("# ./ringpost.toml, line 7\n[[endpoint.esp.reply]]\n", shown)
        self.assertRegex(shown, r"# and \d+ rules for replies of preset ses\n")
        (self.folder / "again.toml").write_text(shown, encoding="utf-8")
        again = self.run_program("config", "show", "-c", "again.toml").stdout.decode()
        self.assertIn('text = "odd \\"thing\\""\nstage = "mail"\n', again)


if __name__ == "__main__":
    unittest.main()
