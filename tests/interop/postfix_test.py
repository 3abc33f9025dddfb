"""`ringpost send` to Postfix, which keeps what it is sent: what was submitted is what is stored.

Goal: the issue's "real peers". Method: one Postfix for all tests, started here on loopback with a
configuration and a queue of its own; it delivers to a maildir that is read back.
"""

from support import postfix
from support.certificates import Authority
from support.corpus import RAW_BASE64, canonical, copies, everything, small
from support.jobs import numbered_body, simple_job
from support.program import PASSWORD, USER, ProgramTest
from support.workspace import fast_folder, main, temporary_folder

MODES = ("plain", "starttls", "implicit")
RECIPIENTS = ("one@example.net", "two@example.net", "three.four@example.org")
MANY = 5000


class PostfixTest(ProgramTest):
    """With a running Postfix whose mailbox is empty at the beginning of each test."""

    @classmethod
    def setUpClass(cls):
        folder = temporary_folder(cls.addClassCleanup, fast_folder(1 << 30))
        cls.authority = Authority(folder / "ca")
        cls.postfix = postfix.Postfix(folder, cls.authority.good(), USER, PASSWORD)
        cls.addClassCleanup(cls.postfix.stop)

    def setUp(self):
        super().setUp()
        self.postfix.forget()

    def endpoint(self, mode):
        port = self.postfix.ports[mode]
        if mode == "plain":
            return f"smtp://127.0.0.1:{port}?tls=none"
        scheme = {"starttls": "smtp", "implicit": "smtps"}[mode]
        return f"{scheme}://{USER}@localhost:{port}?ca={self.authority.certificate}"

    def send_and_compare(self, jobs, contents, mode, *flags):
        """Sends the jobs and compares the mailbox with (sender, content) of each recipient."""
        run = self.send(jobs, self.endpoint(mode), *flags)
        self.assert_all_accepted(run, jobs)
        self.assert_secret_absent(run)
        expected = {(job["id"], recipient): (job["envelope"]["from"], contents[job["id"]])
                    for job in jobs for recipient in job["envelope"]["to"]}
        delivered = self.postfix.delivered(len(expected))
        self.assertEqual(postfix.differences(delivered, expected)[:10], [])
        self.assertEqual(len(delivered), len(expected))
        return run, delivered

    def check_corpus(self, some_copies, mode, *flags):
        jobs = [copy.job(self.folder, sender=f"sender+{number}@example.com", recipients=RECIPIENTS)
                for number, copy in enumerate(some_copies)]
        contents = {copy.x_id: copy.expected for copy in some_copies}
        return self.send_and_compare(jobs, contents, mode, *flags)


class CorpusTest(PostfixTest):
    """Everything that is hard to carry, to three recipients each, in each mode."""

    def test_plaintext(self):
        """A relay without TLS."""
        self.check_corpus(everything(), "plain")

    def test_starttls(self):
        """STARTTLS and AUTH; Postfix says who logged in and that it was under TLS."""
        self.check_corpus(everything(), "starttls")
        self.assertIn(f"sasl_username={USER}", self.postfix.log())

    def test_implicit_tls(self):
        """TLS from the first octet and AUTH."""
        self.check_corpus(everything(), "implicit")

    def test_lock_step(self):
        """The same messages one command at a time, in each mode."""
        for mode in MODES:
            with self.subTest(mode=mode):
                self.check_corpus(copies(small(), (RAW_BASE64,)), mode, "--pipeline", "off")
                self.postfix.forget()

    def test_queue_ids(self):
        """The queue id in an outcome line is the one that Postfix gave the message."""
        run, delivered = self.check_corpus(copies(small()[:5], (RAW_BASE64,)), "starttls")
        for outcome in run.outcomes:
            found = [one for one in delivered if one.recipient == outcome["rcpt"]
                     and one.x_id == outcome["id"]]
            self.assertIn(f"id {outcome['queue_id']};".encode(), found[0].traces)


class ManyTest(PostfixTest):
    """Five thousand messages in each mode."""

    def check(self, mode, *flags):
        jobs = [simple_job(f"{mode}-{number}", [f"r{number}@example.net"],
                           body=numbered_body(number)) for number in range(MANY)]
        contents = {job["id"]: canonical(job["raw"].encode()) for job in jobs}
        self.send_and_compare(jobs, contents, mode, *flags)

    def test_plaintext(self):
        """Without TLS, and from two cores."""
        self.check("plain", "--cores", "2")

    def test_starttls(self):
        """With STARTTLS."""
        self.check("starttls")

    def test_implicit_tls(self):
        """With TLS from the first octet."""
        self.check("implicit")


class RefusalTest(PostfixTest):
    """What Postfix refuses, and how that is told."""

    def test_wrong_password(self):
        """Exit code 7, all jobs unsent, and one attempt to log in, whatever the connections."""
        for mode in ("starttls", "implicit"):
            with self.subTest(mode=mode):
                before = self.postfix.failed_logins()
                jobs = [simple_job(f"{mode}-{number}") for number in range(100)]
                run = self.send(jobs, self.endpoint(mode), "--connections", "20", "--cores", "2",
                                RINGPOST_PASSWORD="wr0ng-password")
                self.assert_exit(run, 7)
                self.assert_each_recipient_once(run, jobs)
                self.assertEqual({(outcome["status"], outcome["stage"], outcome["code"])
                                  for outcome in run.outcomes}, {("unsent", "auth", 535)})
                self.assert_says(run, "password", "535")
                self.assert_secret_absent(run, "wr0ng-password")
                self.assertEqual(self.postfix.failed_logins() - before, 1)

    def test_message_it_does_not_want(self):
        """A recipient that Postfix refuses is rejected with its words; others get their copy."""
        jobs = [simple_job("mixed", ["a@example.net", "refused@example.net", "b@example.org"])]
        for flags in ((), ("--pipeline", "off")):
            with self.subTest(flags=flags):
                self.postfix.forget()
                run = self.send(jobs, self.endpoint("starttls"), *flags)
                self.assert_exit(run, 4)
                self.assert_each_recipient_once(run, jobs)
                outcome = run.outcome("mixed", "refused@example.net")
                self.assertEqual((outcome["status"], outcome["stage"], outcome["code"],
                                  outcome["enhanced"]), ("rejected", "rcpt", 554, "5.7.1"))
                self.assertIn("not wanted here", outcome["text"])
                self.assertEqual({one.recipient for one in self.postfix.delivered(2)},
                                 {"a@example.net", "b@example.org"})


if __name__ == "__main__":
    main(postfix.why_not())
