"""Servers that announce PIPELINING and CHUNKING and do not live up to it, over TCP and over TLS.

Goal: the way of speaking falls back by itself, with the reason said once, and nothing is lost or
doubled in the fall: every message that the server took is `accepted` or, where its reply was lost,
`unknown`. Method: a server that obeys flights, with one fault each.
"""

import time
import unittest

from bad_server_test import BadServerTest
from support.jobs import simple_job, simple_jobs
from support.scripted_server import hang_up, in_clear, logged_in, reset
from support.smtp_session import Session, served_by

OFFER = ("PIPELINING", "CHUNKING", "ENHANCEDSTATUSCODES", "SIZE 50000000")


class FlightTest(BadServerTest):
    """Each test runs its server twice: in clear, and behind STARTTLS and AUTH."""

    def run_against(self, kind, jobs, *flags, connections=1, **attributes):
        for name, prelude in (("tcp", in_clear(*OFFER)), ("tls", logged_in(*OFFER))):
            with self.subTest(transport=name):
                server = self.server([*prelude, served_by(kind, **attributes)])
                url = server.endpoint(tls="none") if name == "tcp" else self.trusted(server)
                run = self.send(jobs, url, "--connections", str(connections), *flags)
                self.assertEqual(server.surprises, [])
                self.assert_each_recipient_once(run, jobs)
                self.assert_secret_absent(run)
                yield server, run

    def assert_truth(self, server, run, jobs):
        """accepted: the server has it once. unknown: once or not. The others: not at all."""
        copies = {}
        for content in server.messages:
            name = content.split(b"\r\n")[0].decode().removeprefix("X-Id: ")
            copies[name] = copies.get(name, 0) + 1
        self.assertLessEqual(set(copies), {job["id"] for job in jobs})
        for outcome in run.outcomes:
            count = copies.get(outcome["id"], 0)
            allowed = {"accepted": {1}, "unknown": {0, 1}}.get(outcome["status"], {0})
            self.assertIn(count, allowed, f"{outcome}\n{run.describe()}")

    def assert_said_once(self, run, *words):
        lines = [line for line in run.stderr.splitlines() if "goes on with" in line]
        self.assertEqual(len(lines), 1, run.describe())
        for word in words:
            self.assertIn(word, lines[0])


class Obedient(FlightTest):
    def test_a_server_in_step(self):
        jobs = simple_jobs(200)
        for server, run in self.run_against(Session, jobs):
            self.assert_all_accepted(run, jobs)
            self.assert_truth(server, run, jobs)
            self.assert_says(run, "BDAT flights")
            self.assertNotIn("DATA", server.verbs())

    def test_a_refused_sender_and_refused_recipients_cost_nobody_else(self):
        class Choosy(Session):
            def take_rcpt(self, line):
                if "bad" in line:
                    self.replies.append("550 5.1.1 nobody")
                else:
                    super().take_rcpt(line)

            def take_mail(self, line):
                if "bad" in line:
                    self.replies.append("550 5.7.1 not you")
                else:
                    super().take_mail(line)

        jobs = [simple_job(f"job-{i}", sender="bad@a.example" if i % 7 == 3 else f"s{i}@a.example",
                           recipients=[f"{'bad' if i % 3 == 2 else 'r'}{i}@example.net"])
                for i in range(120)]
        for server, run in self.run_against(Choosy, jobs):
            self.assert_truth(server, run, jobs)
            self.assertEqual(run.statuses(), {
                "rejected": sum(1 for i in range(120) if i % 3 == 2 or i % 7 == 3),
                "accepted": sum(1 for i in range(120) if i % 3 != 2 and i % 7 != 3)})
            self.assert_says(run, "BDAT flights")


class FallBack(FlightTest):
    def test_bdat_is_not_known(self):
        """The content was read as commands, each of them refused: the message goes behind DATA."""
        class Ignorant(Session):
            def take_bdat(self, line):
                self.take_unknown(line)

        jobs = simple_jobs(40)
        for server, run in self.run_against(Ignorant, jobs):
            self.assert_all_accepted(run, jobs)
            self.assert_truth(server, run, jobs)
            self.assert_said_once(run, "DATA groups", "BDAT", "500")
            self.assertEqual(server.verbs().count("BDAT"), 1)

    def test_closed_on_a_burst(self):
        """Two commands in one piece end the session: lock-step it is."""
        class Slow(Session):
            def flush_if_idle(self):
                if b"\r\n" in self.dialogue._unread:
                    hang_up(self.dialogue)
                super().flush_if_idle()

        jobs = simple_jobs(20)
        for server, run in self.run_against(Slow, jobs):
            self.assert_all_accepted(run, jobs)
            self.assert_truth(server, run, jobs)
            for way in ("DATA groups", "lock-step"):
                said = f"goes on with {way}: the server closed the connection"
                self.assertEqual(run.stderr.count(said), 1, run.describe())

    def test_one_end_while_a_step_is_on_trial_is_an_accident(self):
        """Without a word, by a reset, with 421: flights all the same."""
        class Once(Session):
            word = b""
            ending = staticmethod(hang_up)

            def take_bdat(self, line):
                if not self.dialogue.server.messages and len(self.dialogue.server.dialogues) == 1:
                    self.replies.extend([self.word] if self.word else [])
                    self.end(self.ending)
                super().take_bdat(line)

        jobs = simple_jobs(60)
        for attributes in ({}, {"ending": reset}, {"word": "421 4.3.2 going down"}):
            for server, run in self.run_against(Once, jobs, **attributes):
                self.assert_all_accepted(run, jobs)
                self.assert_truth(server, run, jobs)
                self.assertNotIn("goes on with", run.stderr, run.describe())
                self.assert_says(run, "BDAT flights")
                # The session behind it has a message or two in groups, and then flights again.
                self.assertLessEqual(server.verbs().count("DATA"), 2, run.describe())
                self.assertEqual(len(server.dialogues), 2)

    def test_silence_in_a_trial_is_waited_for_once(self):
        """The server answers the same message at once, a step below: it was not away."""
        class Dropping(Session):
            def take_bdat(self, line):
                self.dialogue.server.dropped = getattr(self.dialogue.server, "dropped", 0) + 1
                self.dialogue.read_line()  # which never comes

        jobs = simple_jobs(30)
        for server, run in self.run_against(Dropping, jobs):
            self.assert_all_accepted(run, jobs)
            self.assert_truth(server, run, jobs)
            self.assert_said_once(run, "DATA groups", "timed out", "no reply to")
            self.assertEqual(server.dropped, 1, run.describe())

    def test_closed_on_the_first_flight_of_several(self):
        """What was in that flight, of some eight, is in doubt, no more; the rest goes in groups."""
        class OneByOne(Session):
            def take_rset(self, line):
                if b"BDAT" in self.dialogue._unread and self.dialogue._unread.count(b"MAIL") > 1:
                    self.end(reset)
                super().take_rset(line)

        jobs = simple_jobs(40)
        for server, run in self.run_against(OneByOne, jobs):
            self.assert_truth(server, run, jobs)
            self.assertLessEqual(run.statuses().get("unknown", 0), 10, run.describe())
            self.assert_said_once(run, "DATA groups")

    def test_a_reply_that_is_missing(self):
        """The tenth reply to a BDAT never comes: those behind it are not taken for its answer."""
        class Forgetful(Session):
            def keep(self, content):
                super().keep(content)
                if self.dialogue.server.dialogues[0] is self.dialogue and self.mails == 10:
                    self.replies.pop()

        jobs = simple_jobs(100)
        for server, run in self.run_against(Forgetful, jobs, "--pipeline", "16"):
            self.assert_truth(server, run, jobs)
            self.assert_exit(run, 6)
            self.assertEqual(run.outcome("job-9")["status"], "unknown", run.describe())
            self.assert_said_once(run, "DATA groups", "protocol")

    def test_a_surplus_reply(self):
        class Talkative(Session):
            def take_rcpt(self, line):
                super().take_rcpt(line)
                if self.dialogue.server.dialogues[0] is self.dialogue and self.mails == 10:
                    self.replies.append("250 2.1.5 recipient ok")

        jobs = simple_jobs(100)
        for server, run in self.run_against(Talkative, jobs, "--pipeline", "16"):
            self.assert_truth(server, run, jobs)
            self.assert_exit(run, 6)
            self.assert_said_once(run, "DATA groups")


class Endings(FlightTest):
    def test_goodbye_in_a_flight_puts_nothing_in_doubt(self):
        """421 behind every fifth message of a session: what stands behind it goes elsewhere."""
        class Limited(Session):
            def take_mail(self, line):
                if self.mails == 5:
                    self.replies.append("421 4.7.0 too many messages")
                    self.end(hang_up)
                super().take_mail(line)

        jobs = simple_jobs(60)
        for server, run in self.run_against(Limited, jobs, connections=3):
            self.assert_all_accepted(run, jobs)
            self.assert_truth(server, run, jobs)

    def test_a_limit_that_nobody_speaks_of_is_found_out(self):
        """Ended without a word behind every fifth message: each session of the first ones may leave
        a flight in doubt, those behind them none. Where messages come to a session one by one, as
        on a busy machine, not even those do."""
        class Silent(Session):
            def take_mail(self, line):
                if self.mails == 5:
                    self.end(reset)
                super().take_mail(line)

        jobs = simple_jobs(200)
        for server, run in self.run_against(Silent, jobs, connections=2):
            self.assert_truth(server, run, jobs)
            self.assertLessEqual(run.statuses().get("unknown", 0), 2 * 32, run.describe())
            self.assertLessEqual(set(run.statuses()), {"accepted", "unknown"}, run.describe())
            self.assertGreater(len(server.dialogues), 20)

    def test_ten_sessions_do_not_meet_such_a_limit_together(self):
        """One of them runs deeper than any has come: one flight is in doubt at most, not ten."""
        class Silent(Session):
            limit = 0

            def flush(self):
                if self.replies:
                    time.sleep(0.02)  # as far away as most are, so that sessions keep step
                super().flush()

            def take_mail(self, line):
                if self.mails == self.limit:
                    self.end(hang_up)
                super().take_mail(line)

        flight_max, beside_it = 32, 16
        for limit, count in ((5, 300), (20, 600), (100, 2500)):
            jobs = simple_jobs(count)
            for server, run in self.run_against(Silent, jobs, connections=10, limit=limit):
                self.assert_truth(server, run, jobs)
                self.assertLessEqual(set(run.statuses()), {"accepted", "unknown"}, run.describe())
                self.assertLessEqual(run.statuses().get("unknown", 0), flight_max + beside_it,
                                     run.describe())

    def test_too_many_refused_recipients_end_the_session(self):
        """As Exim and Postfix have it: 421, and the messages behind are sent elsewhere."""
        class Strict(Session):
            refused = 0

            def take_rcpt(self, line):
                if "bad" not in line:
                    super().take_rcpt(line)
                    return
                self.refused += 1
                if self.refused == 4:
                    self.replies.append("421 4.7.0 too many errors")
                    self.end(hang_up)
                self.replies.append("550 5.1.1 nobody")

        jobs = [simple_job(f"job-{i}",
                           recipients=[f"{'bad' if i % 5 == 1 else 'r'}{i}@example.net"])
                for i in range(60)]
        for server, run in self.run_against(Strict, jobs):
            self.assert_truth(server, run, jobs)
            self.assertEqual(run.statuses()["accepted"], 48, run.describe())
            self.assertEqual(set(run.statuses()), {"accepted", "rejected"}, run.describe())

    def test_a_large_message_is_refused_before_its_end(self):
        """503 while the content is on its way: the rest follows, and the session goes on."""
        class Early(Session):
            def take_rcpt(self, line):
                if "bad" in line:
                    self.replies.append("550 5.1.1 nobody")
                else:
                    super().take_rcpt(line)

            def take_bdat(self, line):
                if self.recipients:
                    super().take_bdat(line)
                    return
                self.replies.append("503 5.5.1 no recipients")
                self.flush()
                self.read_chunk(line)

        jobs = simple_jobs(6)
        for i in (3, 4):
            jobs[i] = simple_job(f"job-{i}", recipients=[f"bad{i}@example.net"])
            jobs[i]["raw"] += ("y" * 78 + "\r\n") * 50_000
        for server, run in self.run_against(Early, jobs):
            self.assert_truth(server, run, jobs)
            self.assertEqual(run.statuses(), {"accepted": 4, "rejected": 2}, run.describe())
            self.assertEqual(len(server.dialogues), 1)


if __name__ == "__main__":
    unittest.main()
