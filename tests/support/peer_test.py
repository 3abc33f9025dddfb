"""What every server of tests/interop is put through, and in which modes.

A mode is how a port is secured and how far ringpost runs ahead. That a run really was in its mode
is claimed of each run: by the turns that the client took, the commands that the server counted, and
what the summary says.
"""

import json
from dataclasses import dataclass, replace

from support.certificates import Authority
from support.corpus import RAW_BASE64, canonical, copies, everything, small
from support.delivered import BDAT, DATA, differences, expectation
from support.jobs import numbered_body, simple_content, simple_job
from support.peer import (IMPLICIT, PLAIN, PUT_OFF, PUT_OFF_TEXT, REFUSED, REFUSED_TEXT,
                          SECURITIES, STARTTLS)
from support.program import PASSWORD, USER, ProgramTest
from support.turns import Relay
from support.workspace import fast_folder, temporary_folder, wait_until

RECIPIENTS = ("one@example.net", "two@example.net", "three.four@example.org")
# Turns of a session that belong to no message: EHLO, STARTTLS, those of TLS, EHLO, AUTH,
# QUIT, and one when a ticket or an end comes by itself.
TURNS_OF_SESSION_MAX = 9
# And those of messages that are sent in a simpler way first, or again.
SESSIONS_MAX = 8  # of a test that counts commands
TURNS_OF_TRIALS_MAX = 12


@dataclass(frozen=True)
class Step:
    """How far ringpost runs ahead: its flags, and how to see that it did."""

    way: str  # in the words of the summary
    flags: tuple
    command: str
    depth: int = 0  # messages in flight that the flags allow; 0: they do not say
    # How long replies are held back: longer than a slow server takes for a few messages, where
    # their replies shall gather.
    pause_seconds: float = 0.003
    turns_max: float = 2 / 3  # of a message in flights

    @property
    def name(self):
        return " ".join((self.way, *self.flags))

    def fault(self, jobs, relay):
        """What speaks against this step, given the turns of a run that sent each job once."""
        recipients = sum(len(job["envelope"]["to"]) for job in jobs)
        outside = TURNS_OF_SESSION_MAX * relay.connections
        least, most = self._bounds(len(jobs), recipients, outside)
        if least <= relay.turns <= most:
            return ""
        return (f"{len(jobs)} messages took {relay.turns} turns in {relay.connections} sessions, "
                f"and {self.name} takes {least} to {most}")

    def _bounds(self, messages, recipients, outside):
        if self.way == "lock-step":  # MAIL, each RCPT, DATA, the content
            alone = 3 * messages + recipients
            return alone, alone + outside
        if self.way == "command groups":  # and the next commands wait for the reply to the content
            return 2 * messages, 2 * messages + outside + TURNS_OF_TRIALS_MAX
        if self.way == "DATA groups":  # the content waits for its 354, and nothing else does
            return messages, messages * 2 + outside
        least = messages // self.depth if self.depth else 1
        return least, int(messages * self.turns_max) + outside


FLIGHTS = Step("BDAT flights", (), BDAT, pause_seconds=0.05)
FLIGHTS_OF_16 = Step("BDAT flights", ("--pipeline", "16"), BDAT, 16, pause_seconds=0.05)
GROUPS = Step("DATA groups", ("--chunking", "off"), DATA)
# Of a server that announces PIPELINING and takes nothing behind a dot.
COMMAND_GROUPS = Step("command groups", ("--chunking", "off"), DATA)
LOCK_STEP = Step("lock-step", ("--pipeline", "off"), DATA)


class PeerTest(ProgramTest):
    """With a running server that has nothing in its mailbox at the beginning of each test."""

    steps = (GROUPS, LOCK_STEP)  # of a server that has no CHUNKING

    @classmethod
    def make_peer(cls, folder, certificate):
        """Starts the server; each module says which one."""
        raise NotImplementedError

    @classmethod
    def setUpClass(cls):
        folder = temporary_folder(cls.addClassCleanup, fast_folder(1 << 30))
        cls.authority = Authority(folder / "ca")
        (folder / "peer").mkdir()
        cls.peer = cls.make_peer(folder / "peer", cls.authority.good())
        cls.addClassCleanup(cls.peer.stop)

    def setUp(self):
        super().setUp()
        self.peer.forget()

    def endpoint(self, security, port=None):
        port = port or self.peer.ports[security]
        if security in (STARTTLS, IMPLICIT):
            scheme = {STARTTLS: "smtp", IMPLICIT: "smtps"}[security]
            return f"{scheme}://{USER}@localhost:{port}?ca={self.authority.certificate}"
        return f"smtp://127.0.0.1:{port}?tls=none"

    def send_relayed(self, jobs, security, step, *flags):
        """Sends the jobs through a relay, and claims that they went in the mode that is named."""
        relay = Relay(self.peer.ports[security], self.addCleanup, step.pause_seconds)
        run = self.send_in_step(jobs, self.endpoint(security, relay.port), step, *flags)
        relay.stop()
        self.assert_secret_absent(run)
        self.assertEqual(step.fault(jobs, relay), "", run.describe())
        return run

    def send_in_step(self, jobs, endpoint, step, *flags):
        """Sends the jobs, and claims that the summary says in which way."""
        run = self.send(jobs, endpoint, "--summary", "json", *step.flags, *flags)
        self.assert_each_recipient_once(run, jobs)
        ways = [one["pipelining"] for one in json.loads(run.stdout)["summary"]["endpoints"]]
        self.assertEqual(ways, [step.way], run.describe())
        return run

    def assert_delivered(self, expected, command, messages):
        """Exactly what was expected is there, and came with this command."""
        delivered = self.peer.delivered(len(expected))
        self.assertEqual(differences(delivered, expected)[:10], [])
        self.assertEqual(len(delivered), len(expected))
        wait_until(lambda: self.peer.commands().total() >= messages,
                   f"the server has counted {messages} messages")
        commands = self.peer.commands()
        self.assertEqual(set(commands), {command})
        # The first messages of a session may try BDAT with a chunk or three more.
        spare = 3 * SESSIONS_MAX if command == "BDAT" else 0
        self.assertIn(commands[command] - messages, range(spare + 1))
        return delivered

    def check_accepted(self, jobs, contents, security, step, *flags):
        """Sends jobs of which each is accepted, and compares all that the server has."""
        run = self.send_relayed(jobs, security, step, *flags)
        self.assert_all_accepted(run, jobs)
        delivered = self.assert_delivered(expectation(jobs, contents), step.command, len(jobs))
        return run, delivered

    def for_each_mode(self, check):
        """Calls check(security, step) in each mode, each time with an empty mailbox."""
        for security in SECURITIES:
            for step in self.steps:
                with self.subTest(security=security, step=step.name):
                    self.peer.forget()
                    check(security, step)


class CorpusChecks:
    """Everything that is hard to carry, to three recipients each, each from its own sender."""

    def check_corpus(self, some_copies, security, step):
        jobs = [copy.job(self.folder, sender=f"sender+{number}@example.com", recipients=RECIPIENTS)
                for number, copy in enumerate(some_copies)]
        contents = {copy.x_id: copy.expected for copy in some_copies}
        return self.check_accepted(jobs, contents, security, step, "--connections", "2")

    def test_corpus(self):
        """In each mode; the large messages once with each step."""
        for security in SECURITIES:
            for number, step in enumerate(self.steps):
                with self.subTest(security=security, step=step.name):
                    self.peer.forget()
                    is_large = SECURITIES[number % len(SECURITIES)] == security
                    self.check_corpus(everything() if is_large else copies(small(), (RAW_BASE64,)),
                                      security, step)


class ManyChecks:
    """Thousands of small messages over several sessions, each from and to somebody else."""

    many = 2000

    def check_many(self, security, step, *flags):
        jobs = [simple_job(f"{security}-{number}", [f"r{number}@example.net"],
                           f"s{number}@example.com", numbered_body(number))
                for number in range(self.many)]
        contents = {job["id"]: canonical(job["raw"].encode()) for job in jobs}
        if step.way == FLIGHTS.way:
            step = replace(step, pause_seconds=0.2)  # the server is busy with all of them at a time
        self.check_accepted(jobs, contents, security, step, "--connections", "8", *flags)

    def test_many(self):
        """Each step under another security; from both cores where that is implicit TLS."""
        for number, step in enumerate(self.steps):
            security = SECURITIES[(number + 1) % len(SECURITIES)]
            cores = "2" if security == IMPLICIT else "1"
            with self.subTest(security=security, step=step.name):
                self.peer.forget()
                self.check_many(security, step, "--cores", cores)


# Recipients of one message by what becomes of them: taken, put off, refused.
MIXTURES = ("taken", "put off", "refused", "taken refused", "refused taken", "put off taken",
            "taken put off refused taken", "refused refused", "put off refused", "taken taken")


class MixtureChecks:
    """Messages of which the server takes some recipients, puts off some, refuses some."""

    def mixed_jobs(self, count):
        """`count` jobs, whose fates go round, each from its own sender; and what to expect."""
        jobs, expected, fates = [], {}, {}
        for number in range(count):
            job_id, sender = f"mixed-{number}", f"s{number}@example.com"
            recipients = []
            for place, fate in enumerate(_fates(MIXTURES[number % len(MIXTURES)])):
                local = {"taken": "r", "put off": PUT_OFF, "refused": REFUSED}[fate]
                recipients.append(f"{local}{number}.{place}@example.net")
                fates[job_id, recipients[-1]] = fate
                if fate == "taken":
                    content = canonical(simple_content(job_id).encode())
                    expected[job_id, recipients[-1]] = (sender, content)
            jobs.append(simple_job(job_id, recipients, sender))
        return jobs, expected, fates

    def assert_fate(self, outcome, fate):
        if fate == "taken":
            self.assertEqual(outcome["status"], "accepted", outcome)
            return
        status, class_, words = {"put off": ("deferred", 4, PUT_OFF_TEXT),
                                 "refused": ("rejected", 5, REFUSED_TEXT)}[fate]
        self.assertEqual((outcome["status"], outcome["stage"], outcome["code"] // 100),
                         (status, "rcpt", class_), outcome)
        self.assertIn(words, outcome["text"])

    def test_mixtures(self):
        """Each recipient has the outcome that the server gave it, in each mode."""
        self.for_each_mode(self.check_mixtures)

    def check_mixtures(self, security, step):
        # Few enough messages without any recipient for a session of Exim.
        jobs, expected, fates = self.mixed_jobs(2 * len(MIXTURES))
        run = self.send_in_step(jobs, self.endpoint(security), step, "--connections", "2",
                                "--max-attempts", "1")
        self.assert_exit(run, 5)
        for outcome in run.outcomes:
            self.assert_fate(outcome, fates[outcome["id"], outcome["rcpt"]])
        messages = len({job_id for job_id, _ in expected})
        self.assert_delivered(expected, step.command, messages)


def _fates(text):
    words = iter(text.split())
    return [f"put {next(words)}" if word == "put" else word for word in words]


class PasswordChecks:
    """A wrong password."""

    def test_wrong_password(self):
        """Exit code 7, all jobs unsent, and one attempt to log in, whatever the connections."""
        for security in (STARTTLS, IMPLICIT):
            with self.subTest(security=security):
                before = self.peer.failed_logins()
                jobs = [simple_job(f"{security}-{number}") for number in range(100)]
                run = self.send(jobs, self.endpoint(security), "--connections", "20", "--cores",
                                "2", RINGPOST_PASSWORD="wr0ng-password")
                self.assert_exit(run, 7)
                self.assert_each_recipient_once(run, jobs)
                self.assertEqual({(outcome["status"], outcome["stage"], outcome["code"])
                                  for outcome in run.outcomes}, {("unsent", "auth", 535)})
                self.assert_says(run, "password", "535")
                self.assert_secret_absent(run, "wr0ng-password")
                self.assertEqual(self.peer.failed_logins() - before, 1)


class AllChecks(CorpusChecks, ManyChecks, MixtureChecks, PasswordChecks):
    """All of the above, for modules to inherit from together with PeerTest."""
