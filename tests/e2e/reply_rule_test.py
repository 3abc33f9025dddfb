"""Rules for replies: the user's and the preset's, and what no rule fits.

Goal: a rule decides what a refusal is about whatever its code says, and the report's proposal for
one that none fits is taken as it stands. Method: a scripted server says the words; the rule stands
in ringpost.toml, or in the preset.
"""

import json
import re
import time
import unittest
from threading import Semaphore

from support.jobs import simple_jobs
from support.program import ProgramTest
from support.scripted_server import (ScriptedServer, any_messages, envelope, expect, hang_up, hello,
                                     in_clear, read_to_the_end, say, take_content)
from support.smtp_session import Session, served_by

WORDS = "554 5.6.0 Strange content, see ticket 17"


def refusing_message(reply):
    return [*in_clear(), *envelope(), expect("DATA"), say("354 go on"), take_content, say(reply)]


def refused_again(reply):
    """What follows in the same session, in which each message is refused."""

    def step(dialogue):
        while True:
            line = dialogue.read_line().upper()
            if line == "QUIT":
                hang_up(dialogue)
            if line.startswith("DATA"):
                dialogue.send(b"354 go on\r\n")
                take_content(dialogue)
                dialogue.send(f"{reply}\r\n".encode())
            else:
                dialogue.send(b"250 2.0.0 ok\r\n")

    return [step]


def refused_from_mail(reply):
    """A server that says the same to each MAIL."""
    return [*in_clear(), served_by(Refusing, reply=reply)]


class Refusing(Session):
    reply = ""

    def take_mail(self, _line):
        self.refuse(self.reply)


class OnlyInLockStep(Session):
    """Refuses a MAIL with which something else has come."""

    def take_mail(self, line):
        if self.reads_more():
            self.refuse("550 not in this way")
        else:
            super().take_mail(line)


class Crowded(Session):
    """Lets everybody log in, and two of them send."""
    room = None  # a semaphore that all of them share
    has_room = False
    refusals = None

    def run(self):
        try:
            super().run()
        finally:
            if self.has_room:
                self.room.release()

    def take_mail(self, line):
        self.has_room = self.has_room or self.room.acquire(blocking=False)
        if self.has_room:
            super().take_mail(line)
        else:
            self.refusals.append(id(self))
            self.refuse("432 4.3.2 Concurrent connections limit exceeded")

    def keep(self, content):
        time.sleep(0.02)  # so that nobody is done before all have come
        super().keep(content)


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

    def test_a_pause_lasts_as_long_as_its_window_and_costs_no_attempt(self):
        rule = {"text": "strange content", "scope": "account", "action": "pause", "window": "2s"}
        begun = time.monotonic()
        outcome, run = self.outcome_of(rule, retry_pause="100ms")
        self.assertEqual((outcome["status"], outcome["attempts"]), ("accepted", 1), run.describe())
        self.assertGreaterEqual(time.monotonic() - begun, 2)

    def run_against(self, rule, *scripts, jobs=1, flags=(), **settings):
        server = self.server(*scripts)
        name = self.configure_server(server, rule, **settings)
        run = self.send(simple_jobs(jobs), name, "--connections", "1", *flags)
        return run, server

    def test_what_is_said_so_often_never_heals(self):
        """Before that it is a retry; of a message by what was said to it, of an account by all."""
        rule = {"text": "strange content", "scope": "message", "action": "reject", "times": 3}
        refusing = refusing_message("450 4.6.0 Strange content")
        run, _ = self.run_against(rule, *[[*refusing, *refused_again("450 4.6.0 Strange content")]],
                                  retry_pause="50ms")
        outcome, = run.outcomes
        self.assertEqual((outcome["status"], outcome["attempts"]), ("rejected", 3), run.describe())

        rule = {"text": "account closed", "scope": "account", "action": "stop", "times": 3,
                "hint": "pay the bill"}
        run, server = self.run_against(rule, refused_from_mail("450 Account closed"), jobs=20)
        self.assert_exit(run, 7)
        self.assert_says(run, "pay the bill: 450 Account closed")
        # Behind answers an endpoint that is closed is asked twice more.
        self.assertLessEqual(server.verbs().count("MAIL"), 5, run.describe())

    def test_a_login_that_is_put_off_for_ever_is_given_up(self):
        """As Mandrill has it: a 4xx for a wrong key."""
        rule = {"code": 435, "text": "authentication failed", "stage": "auth", "scope": "login",
                "action": "stop", "times": 3}
        script = [say("220 scripted.test ESMTP"), *hello("AUTH PLAIN"), expect("AUTH PLAIN"),
                  say("435 4.7.8 Error: authentication failed"), read_to_the_end]
        run, server = self.run_against(rule, script, username="user", auth="plain",
                                       allow_plaintext_auth=True, flags=("--patience", "60s"))
        self.assert_exit(run, 7)
        self.assertEqual(server.verbs().count("AUTH"), 3, run.describe())

    def test_a_greeting_that_refuses_for_now(self):
        """A 5xx that a rule knows to pass is tried again."""
        rule = {"text": "full house", "stage": "greeting", "scope": "account",
                "action": "fewer-connections"}
        run, _ = self.run_against(rule, [say("554 5.7.0 Full house"), read_to_the_end],
                                  [*in_clear(), any_messages], flags=("--patience", "30s"))
        self.assertEqual(run.statuses(), {"accepted": 1}, run.describe())
        run, _ = self.run_against({**rule, "action": "stop", "hint": "build another"},
                                  [say("421 4.7.0 Full house"), read_to_the_end])
        self.assert_exit(run, 7)
        self.assert_says(run, "build another")

    def test_one_connection_too_many_is_one_less_and_costs_no_attempt(self):
        rule = {"text": "connections limit", "scope": "login", "action": "fewer-connections"}
        refusals = []
        server = self.server([*in_clear("PIPELINING"),
                              served_by(Crowded, room=Semaphore(2), refusals=refusals)])
        jobs = simple_jobs(300)
        run = self.send(jobs, self.configure_server(server, rule), "--connections", "6",
                        "--cores", "1")
        self.assert_all_accepted(run, jobs)
        self.assertTrue(all(outcome["attempts"] == 1 for outcome in run.outcomes), run.describe())
        # Nobody comes in their place before half a minute is over.
        self.assertEqual(len(set(refusals)), 4, run.describe())
        self.assertEqual(len(server.dialogues), 6, run.describe())

    def test_a_mistake_is_made_in_a_simpler_way_and_the_third_one_stops(self):
        rule = {"text": "in this way", "scope": "session", "action": "mistake"}
        server = self.server([*in_clear("PIPELINING"), served_by(OnlyInLockStep)])
        jobs = simple_jobs(5)
        run = self.send(jobs, self.configure_server(server, rule), "--connections", "1")
        self.assert_all_accepted(run, jobs)
        self.assertTrue(all(outcome["attempts"] == 1 for outcome in run.outcomes), run.describe())
        self.assertIn("goes on with", run.stderr)

        run, server = self.run_against(rule, refused_from_mail("550 not in this way"), jobs=5)
        self.assert_exit(run, 7)
        self.assertEqual(set(run.statuses()), {"unsent"}, run.describe())
        self.assertEqual(server.verbs().count("MAIL"), 3, run.describe())

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
