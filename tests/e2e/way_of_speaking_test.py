"""Servers that are sound and speak in odd ways, and ones that announce what they do not do.

Goal: whatever way a server has, everybody whom it would take is `accepted`, nobody else is, each
message arrives once with its own sender and content, nothing is in doubt, and it takes seconds.
Method: a table of scripted servers; support/odd_sessions.py names whom each row imitates. A row is
tried with jobs that are all good, and with refusals among them.
"""

import unittest
from dataclasses import dataclass, field

from bad_server_test import BadServerTest
from support import odd_sessions as odd
from support.delivered import Delivered, differences, expectation
from support.jobs import numbered_body, simple_job
from support.scripted_server import hang_up, in_clear, logged_in, reset
from support.smtp_session import Session, served_by

PIPELINING = ("PIPELINING", "8BITMIME", "SIZE 50000000")
CHUNKING = ("PIPELINING", "CHUNKING", "8BITMIME", "SIZE 50000000")
LOCK_STEP = ("8BITMIME", "SIZE 50000000")
# Lines that would do harm, were they taken for commands, and some that want stuffing.
BODY_TAIL = ".\r\n..\r\nRSET\r\nNOOP\r\n250 2.0.0 ok\r\n"
AT_ONCE = 4  # programs


@dataclass(frozen=True)
class Row:
    """A server, and how one speaks to it."""

    session: type
    offer: tuple = CHUNKING
    attributes: dict = field(default_factory=dict)
    flags: tuple = ()
    seconds: int = 45
    connections: int = 2
    tls: bool = False

    @property
    def name(self):
        more = ", ".join(f"{name} {value}" for name, value in self.attributes.items())
        offers = "flights" if self.offer == CHUNKING else " ".join(self.offer[:1])
        return f"{self.session.__name__} {offers} {more}{' tls' if self.tls else ''}"


def job(number, recipients, sender=None, tail=BODY_TAIL):
    return simple_job(f"job-{number}", recipients, sender or f"s{number}@a.example",
                      numbered_body(number, 300) + tail)


def good_jobs(count):
    """One to three recipients each, nobody of them refused."""
    return [job(i, [f"r{n}.{i}@example.net" for n in range(1 + (i % 4 == 1) * 2)])
            for i in range(count)]


def mixed_jobs(count, one_bad_in=3):
    """Refused senders, refused recipients, and messages of which some or all are refused."""
    jobs = []
    for i in range(count):
        recipients = [f"r.{i}@example.net"]
        if i % one_bad_in == 1:
            recipients.append(f"bad.{i}@example.net")
        if i % one_bad_in == 2:
            recipients = [f"bad.{i}@example.net"]
        jobs.append(job(i, recipients, f"bad{i}@a.example" if i % 11 == 10 else None))
    return jobs


def is_good(one, recipient):
    return not recipient.startswith("bad") and not one["envelope"]["from"].startswith("bad")


def good_ones(jobs):
    """(id, recipient) of everybody whom the server takes."""
    return {(one["id"], recipient) for one in jobs for recipient in one["envelope"]["to"]
            if is_good(one, recipient)}


def recipients_with(run, status):
    return {(outcome["id"], outcome["rcpt"]) for outcome in run.outcomes
            if outcome["status"] == status}


def delivered(server):
    """What the server has, one for each recipient."""
    return [Delivered(kept.sender, recipient, kept.content, b"\r\n")
            for dialogue in server.dialogues for kept in dialogue.kept
            for recipient in kept.recipients]


class WayTest(BadServerTest):
    """Runs rows, some at a time, and says of each what is wrong."""

    def run_rows(self, rows, jobs, check):
        """Runs jobs against each row, and then check(server, run) in a subtest that names it."""
        for begin in range(0, len(rows), AT_ONCE):
            started = []
            for row in rows[begin:begin + AT_ONCE]:
                prelude = logged_in(*row.offer) if row.tls else in_clear(*row.offer)
                server = self.server([*prelude, served_by(row.session, **row.attributes)])
                url = self.trusted(server) if row.tls else server.endpoint(tls="none")
                folder = self.folder / f"run-{server.port}"
                started.append((row, server, self.start_send(
                    jobs, url, "--connections", str(row.connections), *row.flags, folder=folder)))
            for row, server, program in started:
                with self.subTest(row=row.name, good=len(good_ones(jobs))):
                    run = self.finish(program, row.seconds)
                    server.stop()
                    self.assertEqual(server.surprises, [])
                    self.assert_each_recipient_once(run, jobs)
                    self.assert_secret_absent(run)
                    check(server, run)

    def check_delivery(self, server, run, jobs, may_lack=frozenset()):
        """What the server has is what was to be sent to all good ones but those that may lack."""
        contents = {one["id"]: one["raw"].encode() for one in jobs}
        good = good_ones(jobs)
        expected = {key: value for key, value in expectation(jobs, contents).items()
                    if key in good}
        have = delivered(server)
        there = {(one.x_id, one.recipient) for one in have}
        for key in may_lack - there:
            del expected[key]
        self.assertEqual(differences(have, expected), [], run.describe())

    def check_served(self, server, run, jobs):
        """Nobody is in doubt, and nobody is without his message whom the server would take."""
        good = good_ones(jobs)
        found = {(outcome["id"], outcome["rcpt"]): outcome["status"] for outcome in run.outcomes}
        wrong = {key: status for key, status in found.items()
                 if status != ("accepted" if key in good else "rejected")}
        self.assertEqual(wrong, {}, run.describe())
        self.check_delivery(server, run, jobs)
        self.assert_exit(run, 0 if len(good) == len(found) else 4)

    def check_all_served(self, *rows, count=40):
        for jobs in (good_jobs(count), mixed_jobs(count)):
            self.run_served(rows, jobs)

    def run_served(self, rows, jobs):
        self.run_rows(rows, jobs, lambda server, run: self.check_served(server, run, jobs))


class WordsTest(WayTest):
    """The enhanced status of a 2xx says nothing about what it answers, nor do its words."""

    KINDS = (odd.GmailLike, odd.QsmtpLike, odd.StatusOfMail, odd.StatusOfRcpt, odd.OneWord,
             odd.OneStatus, odd.NoStatus, odd.Joking)

    def test_in_flights(self):
        self.check_all_served(*(Row(kind) for kind in self.KINDS))

    def test_in_groups(self):
        self.check_all_served(*(Row(kind, PIPELINING) for kind in self.KINDS))

    def test_in_lock_step(self):
        self.check_all_served(*(Row(kind, LOCK_STEP) for kind in self.KINDS), count=12)

    def test_under_tls(self):
        self.check_all_served(Row(odd.GmailLike, tls=True), Row(odd.QsmtpLike, tls=True),
                              Row(odd.Joking, PIPELINING, tls=True))

    def test_flights_stay_flights(self):
        """Odd words cost a sound server nothing: it is spoken to in the way that it announced."""
        jobs = good_jobs(100)

        def check(server, run):
            self.check_served(server, run, jobs)
            self.assert_says(run, "BDAT flights")
            # The first messages of each session may be probes.
            self.assertLessEqual(server.verbs().count("DATA"), 4, run.describe())

        self.run_rows([Row(kind) for kind in self.KINDS], jobs, check)

    def test_exim(self):
        """Refusals in several lines, and a session that ends at the 12th RSET for nothing."""
        self.check_all_served(Row(odd.EximLike, connections=1), Row(odd.EximLike, PIPELINING),
                              count=90)

    def test_replies_in_pieces(self):
        self.check_all_served(Row(odd.Dribbling), Row(odd.Dribbling, PIPELINING), count=20)


class AheadTest(WayTest):
    """PIPELINING that is announced and broken, in each way that was seen."""

    KINDS = (odd.LastOnly, odd.FirstOnly, odd.OnePacket, odd.HarakaLike, odd.CourierLike,
             odd.OpensmtpdLike, odd.Closing)

    def test_in_groups(self):
        self.check_all_served(*(Row(kind, PIPELINING) for kind in self.KINDS))

    def test_with_chunking(self):
        """The same with CHUNKING announced beside it."""
        self.check_all_served(*(Row(kind) for kind in self.KINDS))

    def test_not_announced(self):
        """Where PIPELINING is not announced no command runs ahead of a reply."""
        self.check_all_served(*(Row(kind, LOCK_STEP) for kind in self.KINDS), count=12)

    def test_under_tls(self):
        self.check_all_served(*(Row(kind, PIPELINING, tls=True) for kind in self.KINDS))

    def test_many_sessions(self):
        """What was learnt holds for all sessions: the fall is not paid for by each."""
        self.check_all_served(Row(odd.HarakaLike, PIPELINING, connections=8),
                              Row(odd.CourierLike, PIPELINING, connections=8), count=200)

    def test_deadline(self):
        """A server that falls silent does not outlast --deadline."""
        jobs = good_jobs(20)
        row = Row(odd.CourierLike, PIPELINING, flags=("--deadline", "20s"), seconds=30)
        self.run_served([row], jobs)


class ChunkingTest(WayTest):
    """CHUNKING that is announced and broken."""

    def test_silence_and_ends(self):
        self.check_all_served(Row(odd.BdatHangs), Row(odd.BdatHangsBehind), Row(odd.BdatCloses),
                              Row(odd.BdatResets), Row(odd.BdatHangs, tls=True),
                              Row(odd.BdatCloses, tls=True))

    def test_without_pipelining(self):
        self.check_all_served(Row(odd.BdatHangs, CHUNKING[1:]), Row(odd.BdatCloses, CHUNKING[1:]),
                              Row(odd.SendmailLike, CHUNKING[1:]), count=12)

    def test_bdat_is_not_known(self):
        """One 500 for BDAT, and one for each line of its content."""
        self.check_all_served(Row(odd.SendmailLike), Row(odd.SendmailLike, tls=True),
                              Row(odd.SendmailLike, attributes={"bad_commands_max": 3}))

    def test_chunk_that_is_not_discarded(self):
        """Its lines are answered as commands: replies to what was never asked."""
        self.check_all_served(Row(odd.ChunkNotDiscarded),
                              Row(odd.ChunkNotDiscarded, connections=1),
                              Row(odd.ChunkNotDiscarded, tls=True))

    def test_refused_chunk_that_ends_the_transaction(self):
        self.check_all_served(Row(odd.PostfixLike, attributes={"errors_max": 10**9, "pause": 0}))


class MessageLimitTest(WayTest):
    """Messages a session, and the forms in which servers say that they took enough."""

    FORMS = (
        {"full": "452 4.5.3 Too many recipients: Too many messages sent"},  # OpenSMTPD 7.9.0p0
        {"full": "421 too many messages in this connection"},  # Exim 4.96 and 4.100.1
        {"full": "421 4.7.0 too many messages", "ending": hang_up},
        {"full": "451 4.7.1 too many messages in this session"},  # simple-java-mail#348
    )
    # Nobody could say of a flight what became of the messages behind this one.
    FORM_OF_GROUPS = {"full": "550 5.7.0 too many messages in this session", "ending": hang_up}

    def rows(self, offer, **more):
        forms = self.FORMS if offer == CHUNKING else (*self.FORMS, self.FORM_OF_GROUPS)
        return [Row(odd.FewMessages, offer, {**form, **more}) for form in forms]

    def test_five_a_session(self):
        for offer in (CHUNKING, PIPELINING, LOCK_STEP):
            self.check_all_served(*self.rows(offer))

    def test_one_a_session(self):
        for offer in (CHUNKING, LOCK_STEP):
            self.check_all_served(*self.rows(offer, messages_max=1), count=8)

    def test_opensmtpd_in_its_defaults(self):
        """100 messages a session, one session, 400 jobs."""
        self.check_all_served(Row(odd.FewMessages, LOCK_STEP, {"messages_max": 100},
                                  connections=1), count=400)

    def test_announced(self):
        """LIMITS of RFC 9422: Exim 4.100.1 has MAILMAX and RCPTMAX."""
        offer = (*CHUNKING, "LIMITS MAILMAX=5 RCPTMAX=2")
        jobs = good_jobs(40)

        def check(server, run):
            self.check_served(server, run, jobs)
            for dialogue in server.dialogues:
                self.assertLessEqual(dialogue.verbs().count("MAIL"), 5, run.describe())

        self.run_rows([Row(odd.FewMessages, offer, form) for form in self.FORMS], jobs, check)

    def test_closed_without_a_word(self):
        """Nothing is in doubt where messages go one by one; a flight is, once a session that was
        open at that time, and then the number is known."""
        for offer, messages_in_doubt_max in ((LOCK_STEP, 0), (CHUNKING, 32)):
            for limit, count in ((5, 40), (100, 700)):
                jobs = good_jobs(count)

                def check(server, run, jobs=jobs, doubts_max=messages_in_doubt_max):
                    unknown = recipients_with(run, "unknown")
                    self.assertLessEqual(len({job_id for job_id, _ in unknown}), doubts_max,
                                         run.describe())
                    self.assertLessEqual(set(run.statuses()), {"accepted", "unknown"},
                                         run.describe())
                    self.check_delivery(server, run, jobs, unknown)

                self.run_rows([Row(odd.FewMessages, offer,
                                   {"full": "", "ending": ending, "messages_max": limit},
                                   connections=1) for ending in (hang_up, reset)], jobs, check)


class RecipientLimitTest(WayTest):
    """Recipients a transaction."""

    FORMS = ("452 4.5.3 Too many recipients", "452 Too many recipients",
             "431 Too many recipients.",  # Courier 2.0.6
             "552 5.5.3 too many recipients", "552 too many recipients",
             "452 4.5.3 Too many recipients: Too many recipients")  # OpenSMTPD 7.9.0p0

    def jobs(self, recipients):
        return [job(i, [f"r{n}.{i}@example.net" for n in range(recipients)]) for i in range(3)]

    def test_said_at_rcpt(self):
        """At the 101st of 250, and each further one is an error of three that are allowed."""
        jobs = self.jobs(250)
        for offer in (LOCK_STEP, PIPELINING, CHUNKING):
            rows = [Row(odd.FewRecipients, offer,
                        {"overflow": form, "errors_max": 2 if offer == LOCK_STEP else 10**9})
                    for form in self.FORMS]
            self.run_served(rows, jobs)

    def test_few_recipients(self):
        jobs = self.jobs(25)
        for offer in (LOCK_STEP, PIPELINING, CHUNKING):
            rows = [Row(odd.FewRecipients, offer,
                        {"overflow": form, "errors_max": 2 if offer == LOCK_STEP else 10**9,
                         "recipients_max": 10})
                    for form in self.FORMS]
            self.run_served(rows, jobs)

    def test_said_at_the_end(self):
        """Amazon SES counts behind the content: the message is split and goes again."""
        jobs = [*self.jobs(60), job(9, ["r.9@example.net"])]
        rows = [Row(odd.FewRecipientsAtTheEnd, offer) for offer in (LOCK_STEP, PIPELINING,
                                                                    CHUNKING)]
        self.run_served(rows, jobs)


class ErrorLimitTest(WayTest):
    """Servers that end the session behind so many refusals: nobody else pays for that."""

    ROWS = (Row(odd.PostfixLike), Row(odd.PostfixLike, PIPELINING),
            Row(odd.PostfixLike, LOCK_STEP), Row(odd.ChasquidLike, PIPELINING),
            Row(odd.ChasquidLike, LOCK_STEP), Row(odd.ChasquidLike, tls=True))

    def test_mixed(self):
        self.run_served(self.ROWS, mixed_jobs(60))

    def test_four_of_five_are_refused(self):
        """One recipient a job."""
        jobs = [job(i, [f"{'r' if i % 5 == 0 else 'bad'}.{i}@example.net"]) for i in range(60)]
        self.run_served(self.ROWS, jobs)

    def test_fifty_refused_and_one_good(self):
        """One job of them among others, against Postfix's default."""
        bad = [f"bad{n}@example.net" for n in range(50)]
        for place in (0, 25, 50):
            jobs = good_jobs(11)
            jobs.append(job(20, [*bad[:place], "r.20@example.net", *bad[place:]]))
            self.run_served(self.ROWS[:3], jobs)

    def test_bad_ones_in_front_of_everybody(self):
        """The first messages are tried with, and each refusal is asked for twice: there is no room
        for that in two errors a session, and little in three to five."""
        jobs = [job(0, ["bad0.0@example.net", "r1.0@example.net", "bad2.0@example.net"]),
                *(job(i, [f"bad.{i}@example.net"]) for i in (1, 2)), *good_jobs(10)[3:]]
        for offer in (CHUNKING, PIPELINING):
            rows = [Row(kind, offer, {"errors_max": errors}, connections=connections)
                    for kind in (odd.ChasquidLike, odd.PostfixLike)
                    for errors in (1, 2, 3, 4, 5) for connections in (1, 2)]
            self.run_served(rows, jobs)

    def test_eight_bad_and_one_good(self):
        """In each of six jobs, against chasquid's default."""
        jobs = [job(i, [*(f"bad{n}.{i}@example.net" for n in range(8)), f"r.{i}@example.net"])
                for i in range(6)]
        self.run_served(self.ROWS[3:], jobs)


class AccountTest(WayTest):
    """Replies about the account are no verdict on a recipient."""

    def test_login_wanted(self):
        """530 to MAIL: the endpoint cannot be used, and nobody is rejected."""
        jobs = good_jobs(30)
        rows = [Row(odd.LoginWanted, offer) for offer in (LOCK_STEP, PIPELINING, CHUNKING)]

        def check(server, run):
            self.assert_exit(run, 7)
            self.assertEqual(set(run.statuses()), {"unsent"}, run.describe())
            self.assert_says(run, "530", "Authentication required")
            # It is not asked once for each message.
            # Of two sessions: in a trial, in a group, and in lock-step.
            self.assertLessEqual(server.verbs().count("MAIL"), 6, run.describe())

        self.run_rows(rows, jobs, check)

    def test_quota(self):
        """550 5.4.5 behind three messages, at each stage: who had no room is not `rejected`."""
        jobs = good_jobs(12)
        rows = [Row(odd.QuotaAt, offer, {"stage": stage}, ("--deadline", "8s"), connections=1)
                for stage in ("MAIL", "RCPT", "end of data")
                for offer in (LOCK_STEP, PIPELINING, CHUNKING)]

        def check(server, run):
            self.assertLessEqual(set(run.statuses()),
                                 {"accepted", "unsent", "deferred", "expired"}, run.describe())
            accepted = recipients_with(run, "accepted")
            self.assertEqual(len({job_id for job_id, _ in accepted}), 3, run.describe())
            self.check_delivery(server, run, jobs, good_ones(jobs) - accepted)
            self.assert_says(run, "550", "Daily user sending limit exceeded")
            self.assertNotEqual(run.exit_code, 0)

        self.run_rows(rows, jobs, check)


class SoundTest(WayTest):
    """The session of support/smtp_session.py itself."""

    def test_nothing_odd(self):
        self.check_all_served(Row(Session), Row(Session, PIPELINING), Row(Session, LOCK_STEP))


if __name__ == "__main__":
    unittest.main()
