"""`ringpost send` to Python's aiosmtpd: AUTH behind STARTTLS, and a server without PIPELINING."""

try:
    from support.aiosmtpd_server import AiosmtpdServer
except ImportError:
    AiosmtpdServer = None
from support.certificates import Authority
from support.corpus import copies, one_mebibyte, small, twenty_five_mebibytes, RAW_FILE
from support.jobs import simple_jobs
from support.program import PASSWORD, USER, ProgramTest
from support.workspace import main

RECIPIENTS = ("one@example.net", "two@example.org")


class AiosmtpdTest(ProgramTest):
    """With a running server."""

    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder / "ca")

    def server(self, **more):
        return AiosmtpdServer(self.authority.good(), USER, PASSWORD, self.addCleanup, **more)

    def send_to(self, server, jobs, *flags, **more):
        endpoint = f"smtp://{USER}@localhost:{server.port}?ca={self.authority.certificate}"
        run = self.send(jobs, endpoint, *flags, **more)
        self.assert_secret_absent(run)
        return run

    def test_corpus(self):
        """The corpus arrives octet for octet, and no command leaves before the last reply came."""
        server = self.server()
        some_copies = copies((*small(), one_mebibyte())) + copies((twenty_five_mebibytes(),),
                                                                  (RAW_FILE,))
        jobs = [copy.job(self.folder, recipients=RECIPIENTS) for copy in some_copies]
        self.assert_all_accepted(self.send_to(server, jobs), jobs)
        self.assertEqual(len(server.handler.messages), len(jobs))
        contents = {message.content for message in server.handler.messages}
        for copy in some_copies:
            self.assertIn(copy.expected, contents, copy.x_id)
        for message in server.handler.messages:
            self.assertEqual((message.sender, message.recipients),
                             ("sender@example.com", RECIPIENTS))
        self.assertEqual(server.handler.early, [])

    def test_mechanisms(self):
        """PLAIN and LOGIN, each where it is all that there is."""
        for mechanism in ("PLAIN", "LOGIN"):
            with self.subTest(mechanism=mechanism):
                server = self.server(mechanisms=(mechanism,))
                jobs = simple_jobs(10)
                run = self.send_to(server, jobs, "--connections", "2")
                self.assert_all_accepted(run, jobs)
                self.assertLessEqual(set(server.logins), {(mechanism, True)})
                self.assertLessEqual(len(server.logins), 2)
                self.assertEqual(len(server.handler.messages), 10)

    def test_wrong_password(self):
        """With either mechanism: exit code 7 behind one attempt, and no mail."""
        for mechanism in ("PLAIN", "LOGIN"):
            with self.subTest(mechanism=mechanism):
                server = self.server(mechanisms=(mechanism,))
                jobs = simple_jobs(50)
                run = self.send_to(server, jobs, "--connections", "10",
                                   RINGPOST_PASSWORD="wr0ng-password")
                self.assert_exit(run, 7)
                self.assert_each_recipient_once(run, jobs)
                self.assertEqual(run.statuses(), {"unsent": 50})
                self.assert_secret_absent(run, "wr0ng-password")
                self.assertEqual(server.logins, [(mechanism, False)])
                self.assertEqual(server.handler.messages, [])


if __name__ == "__main__":
    main("" if AiosmtpdServer else "python3-aiosmtpd is not installed")
