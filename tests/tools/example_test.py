"""tools/examples/submit.cpp, the engine as a library, against the embedded ESP."""

import os
import subprocess
import unittest
from collections import Counter

from support.program import PASSWORD, SECONDS_MAX, USER, environment_of
from support.sink import Sink
from support.workspace import Workspace, free_port

EXAMPLE = os.environ["RINGPOST_EXAMPLE"]


class ExampleTest(Workspace):
    def run_example(self, *arguments, password=PASSWORD):
        environment = environment_of(self.folder, RINGPOST_PASSWORD=password)
        return subprocess.run([EXAMPLE, *map(str, arguments)], env=environment, check=False,
                              cwd=self.folder, capture_output=True, text=True,
                              timeout=SECONDS_MAX)

    def test_every_message_arrives_and_its_fate_is_printed_once(self):
        sink = Sink(self.folder, cleanup=self.addCleanup)
        run = self.run_example("localhost", sink.ports["starttls"], sink.certificate, USER, 250)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stderr, r"^accepted: 250, replies within \d+\.\d ms \(p99\)$")
        lines = [line.split(" ", 4) for line in run.stdout.splitlines()]
        expected = {(f"example-{number}", f"reader{number}@example.net")
                    for number in range(1, 251)}
        self.assertEqual(Counter((line[0], line[1]) for line in lines), Counter(expected))
        self.assertEqual({(line[2], line[3]) for line in lines}, {("accepted", "250")})
        report = sink.stop()
        self.assertEqual(report.recipients(), Counter(expected))
        self.assertEqual(report.summary["violations_total"], 0, report.summary)
        self.assertEqual({message["auth"] for message in report.record}, {USER})
        self.assertEqual({message["from"] for message in report.record}, {"news@example.com"})

    def test_a_wrong_password_leaves_everything_unsent_with_the_reason(self):
        sink = Sink(self.folder, cleanup=self.addCleanup)
        run = self.run_example("localhost", sink.ports["starttls"], sink.certificate, USER, 20,
                               password="wrong")
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertRegex(run.stderr, r"(?m)^no login: .*535")
        self.assertIn("accepted: 0,", run.stderr)
        lines = run.stdout.splitlines()
        self.assertEqual(len(lines), 20, run.stdout)
        for line in lines:
            self.assertRegex(line, r"^example-\d+ reader\d+@example\.net unsent 535 ")
        self.assertEqual(sink.stop().summary["messages_accepted"], 0)

    def test_without_a_server_it_says_so_and_ends(self):
        sink = Sink(self.folder, cleanup=self.addCleanup)
        run = self.run_example("localhost", free_port(), sink.certificate, USER, 3)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertNotIn("no login", run.stderr)
        self.assertEqual(run.stdout.count(" unsent 0 "), 3, run.stdout)
        self.assertIn("Connection refused", run.stdout)

    def test_a_ca_file_that_is_not_there_is_an_error_before_anything_is_sent(self):
        run = self.run_example("localhost", 25, self.folder / "missing.pem", USER, 3)
        self.assertEqual(run.returncode, 1)
        self.assertIn("missing.pem", run.stderr)
        self.assertEqual(run.stdout, "")

    def test_called_wrongly_it_prints_how(self):
        run = self.run_example("localhost")
        self.assertEqual(run.returncode, 2)
        self.assertIn("usage:", run.stderr)


if __name__ == "__main__":
    unittest.main()
