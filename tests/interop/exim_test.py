"""`ringpost send` to Exim: what was submitted is what it delivers, in each mode; and a flight in
which Exim refuses some messages."""

from support import exim
from support.corpus import RAW_BASE64, canonical, copies, small
from support.delivered import BDAT, DATA
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

    steps = (FLIGHTS, FLIGHTS_OF_16, GROUPS, LOCK_STEP)

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


if __name__ == "__main__":
    main(exim.why_not())
