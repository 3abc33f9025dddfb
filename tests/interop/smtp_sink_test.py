"""`ringpost send` to Postfix's smtp-sink, with the faults that its flags give it.

Goal: an outcome is right whatever the server does at whichever command. Method: smtp-sink names the
commands that it got and dumps the messages; both are compared with the outcome lines.
"""

from support import smtp_sink
from support.corpus import copies, one_mebibyte, small, twenty_five_mebibytes
from support.jobs import simple_job, simple_jobs
from support.program import ProgramTest
from support.smtp_sink import SmtpSink
from support.workspace import main

# smtp-sink has no SMTPUTF8, and none of these needs it.
CORPUS = (*small(), one_mebibyte())


class SmtpSinkTest(ProgramTest):
    """With the check that all of these share."""

    patience = "2s"

    def sink(self, *flags, **more):
        return SmtpSink(self.folder, *flags, cleanup=self.addCleanup, **more)

    def check_corpus(self, messages, sink, *flags):
        """Sends the messages and compares the dump, octet for octet; returns what was dumped."""
        some_copies = copies(messages)
        jobs = [copy.job(self.folder, recipients=("a@example.net", "b@example.net"))
                for copy in some_copies]
        run = self.send(jobs, sink.endpoint, *flags, "--max-attempts", "1")
        self.assert_all_accepted(run, jobs)
        dumped = {one.x_id: one for one in sink.messages()}
        self.assertEqual(len(sink.messages()), len(jobs))
        for copy in some_copies:
            one = dumped[copy.x_id]
            self.assertEqual(one.content, copy.expected.replace(b"\r\n", b"\n"), copy.x_id)
            self.assertTrue(one.mail.startswith("<sender@example.com>"), one.mail)
            self.assertEqual(one.recipients, ("<a@example.net>", "<b@example.net>"))
        return list(dumped.values())


class NormalTest(SmtpSinkTest):
    """smtp-sink without faults, with more or less to offer."""

    def test_corpus(self):
        """The corpus, pipelined."""
        for one in self.check_corpus(CORPUS, self.sink()):
            self.assertEqual(one.protocol, "ESMTP")

    def test_large_message(self):
        """25 MiB."""
        self.check_corpus((twenty_five_mebibytes(),), self.sink())

    def test_corpus_in_lock_step(self):
        """The corpus to a server without PIPELINING, and with --pipeline off."""
        self.check_corpus(CORPUS, self.sink("-p"))
        self.check_corpus(CORPUS, self.sink(), "--pipeline", "off")

    def test_helo(self):
        """A server without any extension gets HELO, and its messages in lock-step."""
        ascii_only = [one for one in CORPUS if one.body.isascii()]
        sink = self.sink("-e")
        for one in self.check_corpus(ascii_only, sink):
            self.assertEqual(one.protocol, "SMTP")
            self.assertEqual(one.mail, "<sender@example.com>")
        self.assertEqual(sink.count("helo"), sink.count("ehlo"))

    def test_eight_bit_content_without_8bitmime(self):
        """8-bit content is not sent to who has not said that it takes it; the rest is."""
        sink = self.sink("-8")
        jobs = [simple_job("eight", body="Gr\u00fc\u00dfe\r\n"), simple_job("seven")]
        run = self.send(jobs, sink.endpoint, "--max-attempts", "1")
        self.assert_each_recipient_once(run, jobs)
        self.assertNotEqual(run.outcome("eight")["status"], "accepted")
        self.assert_says(run, "8BITMIME")
        self.assertEqual(run.outcome("seven")["status"], "accepted")
        self.assertEqual([one.x_id for one in sink.messages()], ["seven"])

    def test_many_sessions(self):
        """A thousand messages over eight sessions and two cores."""
        sink = self.sink()
        jobs = simple_jobs(1000)
        run = self.send(jobs, sink.endpoint, "--connections", "8", "--cores", "2",
                        "--max-attempts", "1")
        self.assert_all_accepted(run, jobs)
        self.assertEqual(sorted(one.x_id for one in sink.messages()),
                         sorted(job["id"] for job in jobs))


class DisconnectTest(SmtpSinkTest):
    """-q and -Q: the connection ends behind a command."""

    def send_to(self, *flags, count=6):
        sink = self.sink(*flags)
        jobs = simple_jobs(count)
        run = self.send(jobs, sink.endpoint, "--connections", "2", "--max-attempts", "1")
        self.assert_each_recipient_once(run, jobs)
        self.assertGreater(run.exit_code, 0)
        return sink, run, jobs

    def test_behind_the_end_of_data(self):
        """-q .: every message that got there is in doubt, and none was sent a second time."""
        sink, run, _ = self.send_to("-q", ".")
        self.assertIn("unknown", run.statuses(), run.describe())
        self.assertLessEqual(set(run.statuses()), {"unknown", "unsent"})
        self.assertIn(run.exit_code, (6, 7))
        doubtful = sorted(outcome["id"] for outcome in run.outcomes
                          if outcome["status"] == "unknown")
        self.assertEqual(sorted(one.x_id for one in sink.messages()), doubtful)

    def test_one_message_behind_the_end_of_data(self):
        """-q . with one message: exit code 6, in words."""
        sink, run, _ = self.send_to("-q", ".", count=1)
        self.assert_exit(run, 6)
        self.assertEqual(run.outcome("job-0")["stage"], "eod")
        self.assert_says(run, "may have")
        self.assertEqual(sink.count("."), 1)

    def test_behind_earlier_commands(self):
        """-q MAIL, RCPT and DATA, without a reply: nothing is in doubt, nothing was accepted."""
        for command in ("MAIL", "RCPT", "DATA"):
            for flag in ("-q", "-Q"):
                with self.subTest(flag=flag, command=command):
                    sink, run, _ = self.send_to(flag, command)
                    self.assertLessEqual(set(run.statuses()), {"unsent", "deferred"},
                                         run.describe())
                    self.assertIn(run.exit_code, (5, 7))
                    self.assertEqual(sink.count("."), 0)

    def test_goodbye_behind_the_end_of_data(self):
        """-Q .: 421 is an answer, so that nothing is in doubt."""
        _, run, _ = self.send_to("-Q", ".", count=1)
        self.assert_exit(run, 5)
        self.assertEqual(run.statuses(), {"deferred": 1}, run.describe())

    def test_before_the_greeting(self):
        """-q CONNECT: no server to speak of."""
        _, run, jobs = self.send_to("-q", "CONNECT")
        self.assert_exit(run, 7)
        self.assertEqual(run.statuses(), {"unsent": len(jobs)})


class RefusalTest(SmtpSinkTest):
    """-f and -r: a command is refused, for good or for now."""

    def check(self, flag, command, status, exit_code, stage):
        sink = self.sink(flag, command)
        jobs = simple_jobs(10)
        run = self.send(jobs, sink.endpoint, "--connections", "2", "--max-attempts", "1")
        self.assert_each_recipient_once(run, jobs)
        self.assertEqual({(outcome["status"], outcome["stage"]) for outcome in run.outcomes},
                         {(status, stage)}, run.describe())
        self.assert_exit(run, exit_code)
        return sink, run, jobs

    def test_hard_errors(self):
        """-f MAIL, RCPT, DATA and the end of data: rejected there, all of them, once."""
        for command, stage in (("MAIL", "mail"), ("RCPT", "rcpt"), ("DATA", "data"), (".", "eod")):
            with self.subTest(command=command):
                sink, run, jobs = self.check("-f", command, "rejected", 4, stage)
                self.assertEqual({outcome["code"] for outcome in run.outcomes}, {500})
                self.assertEqual({outcome["enhanced"] for outcome in run.outcomes}, {"5.3.0"})
                self.assertEqual(sink.count(command), len(jobs))

    def test_soft_errors(self):
        """-r at the same places: put off."""
        for command, stage in (("MAIL", "mail"), ("RCPT", "rcpt"), ("DATA", "data"), (".", "eod")):
            with self.subTest(command=command):
                _, run, _ = self.check("-r", command, "deferred", 5, stage)
                self.assertEqual({outcome["code"] for outcome in run.outcomes}, {450})

    def test_greeting(self):
        """CONNECT refused: no endpoint."""
        self.check("-f", "CONNECT", "unsent", 7, "greeting")
        self.check("-r", "CONNECT", "unsent", 7, "greeting")

    def test_hello(self):
        """EHLO refused for good is tried again as HELO; refused for now, it is not."""
        sink = self.sink("-f", "EHLO")
        jobs = simple_jobs(5)
        run = self.send(jobs, sink.endpoint, "--max-attempts", "1")
        self.assert_all_accepted(run, jobs)
        self.assertEqual({one.protocol for one in sink.messages()}, {"SMTP"})
        self.check("-r", "EHLO", "unsent", 7, "ehlo")

    def test_refusal_within_the_content(self):
        """-A: 550 in the middle of the content, which the server does not read any more."""
        sink = self.sink("-A", "0")
        jobs = [simple_job("large", body=("y" * 78 + "\r\n") * 100_000)]
        run = self.send(jobs, sink.endpoint, "--max-attempts", "1")
        self.assert_each_recipient_once(run, jobs)
        outcome = run.outcome("large")
        self.assertEqual((outcome["status"], outcome.get("code")), ("rejected", 550),
                         run.describe())
        self.assert_exit(run, 4)


if __name__ == "__main__":
    main(smtp_sink.why_not())
