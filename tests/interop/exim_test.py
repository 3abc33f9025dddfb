"""`ringpost send` to Exim: what was submitted is what it delivers, in each mode; and a flight in
which Exim refuses some messages."""

import json
from dataclasses import replace

from support import exim
from support.corpus import RAW_BASE64, canonical, copies, small
from support.delivered import DATA, expectation
from support.jobs import simple_content, simple_job
from support.peer import PLAIN, REFUSED, REFUSED_TEXT
from support.peer_test import (FLIGHTS, FLIGHTS_OF_16, GROUPS, LOCK_STEP, AllChecks, PeerTest, Step)
from support.program import PASSWORD, USER
from support.workspace import main

# What ringpost does by itself when less is announced.
BY_ITSELF = {exim.NO_CHUNKING: Step("DATA groups", (), DATA),
             exim.NO_PIPELINING: Step("lock-step", (), DATA),
             exim.NEITHER: Step("lock-step", (), DATA)}


class EximTest(AllChecks, PeerTest):
    """With a running Exim."""

    # It takes dozens a second: replies come one by one, and each makes room for a message.
    steps = (replace(FLIGHTS, turns_max=1), replace(FLIGHTS_OF_16, turns_max=1), GROUPS, LOCK_STEP)
    many = 200

    @classmethod
    def make_peer(cls, folder, certificate):
        return exim.Exim(folder, certificate, USER, PASSWORD)

    def test_less_announced(self):
        """Without PIPELINING, without CHUNKING, without either."""
        for port, step in BY_ITSELF.items():
            with self.subTest(port=port):
                self.peer.forget()
                self.check_corpus(copies(small(), (RAW_BASE64,)), port, step)

    def thirds(self, count):
        """`count` jobs of one recipient each, every third of whom is refused, each from its own
        sender; and what to expect."""
        jobs, expected = [], {}
        for number in range(count):
            is_refused = number % 3 == 2
            recipient = f"{REFUSED if is_refused else 'r'}{number}@example.net"
            job = simple_job(f"job-{number}", [recipient], f"s{number}@example.com")
            jobs.append(job)
            if not is_refused:
                content = canonical(simple_content(job["id"]).encode())
                expected[job["id"], recipient] = (f"s{number}@example.com", content)
        return jobs, expected

    def test_every_third_refused(self):
        """Each accepted message is there under its own sender, the others are rejected.

        When all recipients of a message in a flight are refused, Exim keeps its transaction open
        behind the BDAT: without a RSET the next message would be taken under that sender."""
        for step in self.steps:
            for connections in ("1", "3"):
                with self.subTest(step=step.name, connections=connections):
                    self.peer.forget()
                    self.check_thirds(step, connections)

    def check_thirds(self, step, connections):
        jobs, expected = self.thirds(30)
        run = self.send_in_step(jobs, self.endpoint(PLAIN), step, "--connections", connections)
        self.assert_exit(run, 4)
        for outcome in run.outcomes:
            if (outcome["id"], outcome["rcpt"]) in expected:
                self.assertEqual(outcome["status"], "accepted", outcome)
            else:
                self.assertEqual((outcome["status"], outcome["stage"], outcome["code"],
                                  outcome["text"]), ("rejected", "rcpt", 550, REFUSED_TEXT))
        self.assert_delivered(expected, step.command, len(expected))

    def test_session_limit(self):
        """A server that takes so many messages a session gets them all, and each once."""
        for step in self.steps:
            with self.subTest(step=step.name):
                self.peer.forget()
                jobs = [simple_job(f"job-{number}", [f"r{number}@example.net"],
                                   f"s{number}@example.com") for number in range(100)]
                contents = {job["id"]: canonical(job["raw"].encode()) for job in jobs}
                run = self.send_in_step(jobs, self.endpoint(exim.LIMITED), step, "--connections",
                                        "2")
                self.assert_all_accepted(run, jobs)
                opened = json.loads(run.stdout)["summary"]["sessions_opened"]
                self.assertGreaterEqual(opened, len(jobs) // exim.SESSION_MESSAGES_MAX)
                self.assert_delivered(expectation(jobs, contents), step.command, len(jobs))

    def test_session_ended_by_refusals(self):
        """Exim ends a session at its eleventh command that belongs to no mail, and counts the RSET
        behind each message without a recipient: smtp_accept_max_nonmail. What stood behind in a
        flight goes into the next session: nothing is in doubt."""
        for step in self.steps:
            with self.subTest(step=step.name):
                self.peer.forget()
                self.check_ended(step)

    def check_ended(self, step):
        # Two refused in a row: one RSET between two messages that it takes is free.
        jobs = [simple_job(f"job-{number}",
                           [f"{'r' if number % 3 == 0 else REFUSED}{number}@example.net"],
                           f"s{number}@example.com") for number in range(90)]
        run = self.send(jobs, self.endpoint(PLAIN), *step.flags, "--connections", "2")
        self.assert_each_recipient_once(run, jobs)
        self.assertIn("too many nonmail commands", self.peer.recent_log())
        accepted = {outcome["id"] for outcome in run.outcomes if outcome["status"] == "accepted"}
        self.assertEqual(run.statuses(), {"accepted": 30, "rejected": 60}, run.describe())
        self.assertNotIn("goes on with", run.stderr)
        senders = {job["id"]: job["envelope"]["from"] for job in jobs}
        delivered = self.peer.delivered(len(accepted))
        ids = [one.x_id for one in delivered]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual(accepted, set(ids))
        self.assertEqual([one.x_id for one in delivered if one.sender != senders[one.x_id]], [])
        for outcome in run.outcomes:
            if REFUSED in outcome["rcpt"]:
                self.assertNotEqual(outcome["status"], "accepted", outcome)


if __name__ == "__main__":
    main(exim.why_not())
