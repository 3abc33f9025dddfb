"""The floor counts only what the server took."""

import json
import os
import subprocess
import sys
import tempfile
import types
import unittest

PROGRAM = os.environ["RINGPOST"]
sys.path.insert(0, os.environ["BENCH"])
from sink_run import Sink, check_record, write_jobs, write_messages

FLOOR = os.path.join(os.path.dirname(PROGRAM), "bench/e2e/floor")


class FloorTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.options = types.SimpleNamespace(seed=1, bytes=2048, jobs=500)
        self.messages = os.path.join(self.folder, "messages")
        self.expected = write_jobs(os.path.join(self.folder, "jobs.jsonl"), self.options)
        write_messages(self.messages, self.options)

    def floor(self, tls, *flags, sink_options=""):
        """Runs it against a sink; returns its result and the sink."""
        with Sink(PROGRAM, self.folder, sink_options) as sink:
            certificate = ["--ca", sink.certificate] if tls else []
            result = subprocess.run(
                [FLOOR, self.messages, "--port", str(sink.port(tls)), *certificate, *flags],
                capture_output=True, text=True, timeout=100, check=False)
        return result, sink

    def refuse_one(self):
        """Makes the last recipient one whom the sink refuses; the name is as long as before."""
        with open(self.messages, "r+b") as file:
            text = file.read()
            at = text.rindex(b" reader499@")
            file.seek(at)
            file.write(b" reject-99@")

    def test_every_message_is_delivered_as_it_was(self):
        for tls in (True, False):
            for flags in ((), ("--sessions", "1", "--depth", "1"), ("--sessions", "40")):
                with self.subTest(tls=tls, flags=flags):
                    result, sink = self.floor(tls, *flags)
                    self.assertEqual(result.returncode, 0, result.stderr)
                    check_record(self.expected, sink.record)
                    figures = json.loads(result.stdout)
                    self.assertEqual(figures["messages"], 500)
                    self.assertGreater(figures["cpu_us_per_message"], 0)
                    self.assertEqual(figures["cipher"],
                                     "TLSv1.3 TLS13-AES128-GCM-SHA256" if tls else "")
                    self.assertEqual(sink.summary["violations_total"], 0)

    def test_a_refused_recipient_makes_the_run_worthless(self):
        self.refuse_one()
        for tls in (True, False):
            with self.subTest(tls=tls):
                result, _ = self.floor(tls)
                self.assertEqual(result.returncode, 1)
                self.assertIn("instead of 250 came: 550", result.stderr)
                self.assertEqual(result.stdout, "")

    def test_a_server_without_chunking_is_none_for_it(self):
        result, _ = self.floor(True, sink_options="--no-chunking")
        self.assertEqual(result.returncode, 1)
        self.assertIn("does not announce CHUNKING", result.stderr)

    def test_messages_that_end_early_are_noticed(self):
        os.truncate(self.messages, os.path.getsize(self.messages) - 1)
        result, _ = self.floor(False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("a message ends early", result.stderr)


if __name__ == "__main__":
    unittest.main()
