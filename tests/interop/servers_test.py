"""`ringpost send` to servers that are all put through the same.

RINGPOST_SERVER is SUITE/NAME, as tools/dev.d/roots.sh knows them, or rootless/NAME for one that
needs no root of its own; RINGPOST_MANY the number of messages of the long tests, 2,000 by default.
`tools/dev interop --suite forky` runs them all.
"""

import os
import smtplib
import ssl
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import quote

from support import haraka, smtp_server
from support.aiosmtpd_peer import AiosmtpdPeer
from support.aiosmtpd_peer import why_not as why_not_aiosmtpd
from support.certificates import Authority
from support.chasquid import Chasquid
from support.corpus import RAW_BASE64, canonical, copies, small
from support.courier import Courier
from support.delivered import differences, expectation
from support.dovecot import Dovecot
from support.exim import RootedExim
from support.jobs import numbered_body, simple_content, simple_job
from support.opensmtpd import OpenSmtpd
from support.peer import IMPLICIT, PLAIN, STARTTLS, Limits
from support.postfix import RootedPostfix
from support.program import PASSWORD, USER, ProgramTest
from support.sendmail import Sendmail
from support.workspace import fast_folder, main, temporary_folder, wait_until



@dataclass(frozen=True)
class Rootless:
    """A server without a root of its own, made and asked in the way of the others."""

    kind: type
    reason: callable  # why it cannot be run
    module: tuple = ()  # of which release

    def __call__(self, _suite, folder, certificate, user, password, limits=Limits()):
        return self.kind(folder, certificate, user, password, *self.module, limits=limits)

    def why_not(self, _suite):
        return self.reason(*self.module)


SERVERS = {one.name: one for one in (Chasquid, Courier, Dovecot, RootedExim, OpenSmtpd,
                                     RootedPostfix, Sendmail)}
SERVERS.update(
    haraka=Rootless(haraka.Haraka, haraka.why_not, (haraka.OLD,)),
    haraka_new=Rootless(haraka.Haraka, haraka.why_not, (haraka.NEW,)),
    smtp_server=Rootless(smtp_server.SmtpServer, smtp_server.why_not, (smtp_server.OLD,)),
    smtp_server_new=Rootless(smtp_server.SmtpServer, smtp_server.why_not, (smtp_server.NEW,)),
    aiosmtpd=Rootless(AiosmtpdPeer, why_not_aiosmtpd))
SUITE, _, NAME = os.environ.get("RINGPOST_SERVER", "here/opensmtpd").partition("/")
MANY = int(os.environ.get("RINGPOST_MANY", "2000"))

# How far ringpost is told to run ahead. What it does by itself is first.
WAYS = ((), ("--pipeline", "16"), ("--chunking", "off"), ("--pipeline", "off"))
LOW = Limits(messages=5, errors=3, recipients=10)
RECIPIENTS = ("one@example.net", "two@example.net", "three.four@example.org")
# What a server completes where it is missing: the rest of the corpus has a Date and a To.
COMPLETED = {"lone-newlines", "lone-newlines-open"}
# The sessions of the tests that end the server, and how many messages whose end of data was handed
# over may wait for its reply in one: a flight of BDAT has limits::flight_messages_max, and behind a
# DATA nothing can go but the commands of the next message.
SESSIONS, FLIGHT, ALONE = 4, 32, 1
NOT_CARRIED = {"courier": COMPLETED, "opensmtpd": COMPLETED}


def whole_ones(delivered, expected):
    """Without the copies that end early, as far as there is a whole one of the same message.

    The program that a server delivers to sees no more than the end of its input when the server
    is ended while it writes; the server knows that this was no delivery, and delivers again."""
    contents = {recipient: content for (_, recipient), (_, content) in expected.items()}

    def content_of(one):
        return contents.get(one.recipient, b"").replace(b"\r\n", one.newline)

    whole = {one.recipient for one in delivered if one.content == content_of(one)}
    return [one for one in delivered if one.content == content_of(one) or not (
        one.recipient in whole and content_of(one).startswith(one.content))]


class ServersTest(ProgramTest):
    """With one server for all tests, and one with its limits set low."""

    @classmethod
    def setUpClass(cls):
        cls.shared_folder = temporary_folder(cls.addClassCleanup, fast_folder(1 << 30))
        cls.authority = Authority(cls.shared_folder / "ca")
        cls.certificate = cls.authority.good_rsa()
        cls.peer = cls.make_peer("peer")

    @classmethod
    def make_peer(cls, name, *limits):
        (cls.shared_folder / name).mkdir()
        peer = SERVERS[NAME](SUITE, cls.shared_folder / name, cls.certificate, USER, PASSWORD,
                                *limits)
        cls.addClassCleanup(peer.stop)
        return peer

    def setUp(self):
        super().setUp()
        self.peer.forget()

    def endpoint(self, peer, security):
        port = peer.ports[security]
        if security == PLAIN:
            return f"smtp://127.0.0.1:{port}?tls=none"
        scheme = "smtps" if security == IMPLICIT else "smtp"
        user = quote(peer.user or USER, safe="")
        return f"{scheme}://{user}@localhost:{port}?ca={self.authority.certificate}"

    def default(self, peer):
        return self.endpoint(peer, peer.securities[0])

    def assert_delivered(self, peer, expected):
        delivered = peer.delivered(len(expected), 300)
        self.assertEqual(differences(delivered, expected)[:10], [], peer.log()[-2000:])

    # ---- Ways of speaking -----------------------------------------------------------------------

    def test_corpus(self):
        """What is hard to carry arrives octet for octet, to three recipients, in each way."""
        for security in self.peer.securities:
            for flags in WAYS:
                with self.subTest(security=security, flags=flags):
                    self.peer.forget()
                    self.check_corpus(security, flags)

    def check_corpus(self, security, flags):
        some = [copy for copy in copies(small(), (RAW_BASE64,))
                if copy.message.name not in NOT_CARRIED.get(NAME, ())]
        jobs = [copy.job(self.folder, sender=f"sender+{number}@example.com", recipients=RECIPIENTS)
                for number, copy in enumerate(some)]
        run = self.send(jobs, self.endpoint(self.peer, security), *flags, "--connections", "2",
                        "--deadline", "120s")
        self.assert_all_accepted(run, jobs)
        self.assert_secret_absent(run)
        self.assert_delivered(self.peer, expectation(jobs, {one.x_id: one.expected
                                                            for one in some}))

    # ---- Many -----------------------------------------------------------------------------------

    def jobs(self, count):
        return [simple_job(f"job-{number}", [f"r{number}@example.net"], f"s{number}@example.com",
                           numbered_body(number)) for number in range(count)]

    def contents(self, jobs):
        return {job["id"]: canonical(job["raw"].encode()) for job in jobs}

    def test_many(self):
        """In the default way: each is accepted once, and there once."""
        jobs = self.jobs(MANY)
        run = self.send(jobs, self.default(self.peer), "--deadline", "240s")
        self.assert_all_accepted(run, jobs)
        self.assert_delivered(self.peer, expectation(jobs, self.contents(jobs)))

    def test_low_limits(self):
        """Few messages a session, few errors, few recipients: the same, whatever it takes. Every
        seventh message or so has a recipient who is refused, which is an error for some, and some
        have several of them in front of one who is taken."""
        peer = self.make_peer("low", LOW)
        self.addCleanup(peer.stop)
        jobs = self.jobs(MANY // 2)
        # More than there are attempts for, each with what the server takes at a time.
        count = peer.crowd or max(6 * LOW.recipients, peer.recipients_min + 20)
        crowd = [f"many{number}@example.net" for number in range(count)]
        jobs += [simple_job(f"crowd-{number}", crowd, f"c{number}@example.com")
                 for number in range(3)]
        jobs += [simple_job(f"behind-{number}", [f"r{number}@example.net"]) for number in range(2)]
        expected = expectation(jobs, self.contents(jobs))
        for number in range(0, MANY // 2, peer.refused_every):
            jobs[number]["envelope"]["to"].append(peer.refused(number))
        for number, job in enumerate(jobs[-2:]):
            job["envelope"]["to"][:0] = [peer.refused(f"{number}.{place}")
                                         for place in range(peer.refused_in_a_row)]
        run = self.send(jobs, self.default(peer), "--deadline", "240s")
        self.assert_each_recipient_once(run, jobs)
        wrong = [outcome for outcome in run.outcomes if outcome["status"] != (
            "accepted" if (outcome["id"], outcome["rcpt"]) in expected else "rejected")]
        self.assertEqual(wrong[:5], [], f"{len(wrong)} wrong\n{run.describe()}")
        self.assert_delivered(peer, expected)

    # ---- Refusals -------------------------------------------------------------------------------

    def mixed_jobs(self, count):
        """Jobs each from its own sender, of which some recipients are taken, some refused, some
        put off; (id, recipient) of each with its fate."""
        mixtures = ("t", "r", "tr", "rt", "rr", "tt", "p", "pt", "tprt", "pr")
        jobs, fates = [], {}
        for number in range(count):
            recipients = []
            for place, letter in enumerate(mixtures[number % len(mixtures)]):
                words = {"t": ("accepted", f"r{number}.{place}@example.net"),
                         "r": ("rejected", self.peer.refused(f"{number}.{place}")),
                         "p": ("deferred", self.peer.put_off(f"{number}.{place}"))}
                status, recipient = words[letter]
                if recipient:
                    recipients.append(recipient)
                    fates[f"mixed-{number}", recipient] = status
            if recipients:
                jobs.append(simple_job(f"mixed-{number}", recipients, f"s{number}@example.com"))
        return jobs, fates

    def test_refusals(self):
        """Each recipient has the outcome that the server gave it, and each accepted message is
        there under its own sender."""
        for flags in WAYS:
            with self.subTest(flags=flags):
                self.peer.forget()
                self.check_refusals(flags)

    def check_refusals(self, flags):
        jobs, fates = self.mixed_jobs(100)
        run = self.send(jobs, self.endpoint(self.peer, self.peer.securities[0]), *flags,
                        "--connections", "2", "--max-attempts", "1", "--deadline", "240s")
        self.assert_each_recipient_once(run, jobs)
        wrong = [outcome for outcome in run.outcomes
                 if fates[outcome["id"], outcome["rcpt"]] != outcome["status"]]
        self.assertEqual(wrong[:5], [], f"{len(wrong)} of {len(fates)}\n{run.describe()}")
        expected = {}
        for job in jobs:
            for recipient in job["envelope"]["to"]:
                if fates[job["id"], recipient] == "accepted":
                    content = canonical(simple_content(job["id"]).encode())
                    expected[job["id"], recipient] = (job["envelope"]["from"], content)
        self.assert_delivered(self.peer, expected)

    # ---- Restarts -------------------------------------------------------------------------------

    def test_restart(self):
        """It is stopped in good order in mid-run and is back after three seconds."""
        self.check_restart(self.peer.terminate)

    def test_kill(self):
        """It is killed in mid-run and is back after three seconds."""
        self.check_restart(self.peer.kill)

    def in_flight(self):
        """How many messages a session can have in doubt, by what the server announces."""
        security = self.peer.securities[0]
        port = self.peer.ports[security]
        unchecked = ssl._create_unverified_context()
        with (smtplib.SMTP_SSL("127.0.0.1", port, timeout=30, context=unchecked)
              if security == IMPLICIT else smtplib.SMTP("127.0.0.1", port, timeout=30)) as client:
            client.ehlo("client.example.com")
            if security == STARTTLS:
                client.starttls(context=unchecked)
                client.ehlo("client.example.com")
            several = client.has_extn("chunking") and client.has_extn("pipelining")
        return FLIGHT if several else ALONE

    def check_restart(self, end):
        in_flight = self.in_flight()
        jobs = self.jobs(MANY)
        program = self.start_send(jobs, self.default(self.peer), "--rate", f"{MANY // 8}/s",
                                  "--connections", str(SESSIONS), "--deadline", "240s")
        wait_until(lambda: len(self.peer.files()) > MANY // 4, "a quarter is delivered", 120)
        self.assertTrue(program.is_alive(), "the run was over before the server was ended")
        since = datetime.now(timezone.utc)
        end()
        time.sleep(3)
        until = datetime.now(timezone.utc)
        self.peer.boot()
        run = self.finish(program)
        self.assert_each_recipient_once(run, jobs)
        self.assertEqual(set(run.statuses()) - {"accepted", "unknown"}, set(), run.describe())
        unknown = [outcome for outcome in run.outcomes if outcome["status"] == "unknown"]
        self.assertLessEqual(len(unknown), SESSIONS * in_flight, run.describe())
        # Only what was in flight when the server ended, with its end of data handed over.
        wrong = [outcome for outcome in unknown if outcome["stage"] != "eod" or
                 not since <= datetime.fromisoformat(outcome["ts"]) <= until]
        self.assertEqual(wrong[:5], [], f"{since} to {until}")
        self.check_restarted(run, expectation(jobs, self.contents(jobs)))

    @staticmethod
    def one_of_each_denied(run, delivered):
        """A message that was put off by its server, and taken all the same, is there twice."""
        again = {outcome["id"] for outcome in run.outcomes if outcome["attempts"] > 1}
        found = {one.x_id: one for one in delivered if one.x_id in again}
        return [one for one in delivered if found.get(one.x_id, one) is one]

    def check_restarted(self, run, expected):
        """What was accepted is there once, what is unknown once at most."""
        accepted = {(outcome["id"], outcome["rcpt"]) for outcome in run.outcomes
                    if outcome["status"] == "accepted"}
        delivered = self.peer.delivered(len(accepted), 300)
        # A server that was killed between a delivery and its note of it delivers again: that is the
        # same copy, traces and all.
        delivered = whole_ones(set(delivered), expected)
        there = {(one.x_id, one.recipient) for one in delivered}
        if self.peer.denies_when_stopped:
            delivered = self.one_of_each_denied(run, delivered)
        self.assertEqual(sorted(accepted - there)[:10], [])
        found = differences(delivered, {key: expected[key] for key in there})[:10]
        self.assertEqual(found, [], [outcome for outcome in run.outcomes
                                     if any(outcome["rcpt"] in text for text in found)])


if __name__ == "__main__":
    main(SERVERS[NAME].why_not(SUITE))
