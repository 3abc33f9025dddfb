"""What tools/dev.d/tidy.py sees of the rules, in a tree that breaks them one at a time."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TIDY = Path(__file__).parents[3] / "tools/dev.d/tidy.py"


class TidyTest(unittest.TestCase):
    def breaches_of(self, path, text):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / path
            file.parent.mkdir(parents=True)
            (file.parent / "CMakeLists.txt").write_text(f"# {file.name}\n", encoding="utf-8")
            file.write_text(text, encoding="utf-8")
            done = subprocess.run([sys.executable, "-B", str(TIDY), folder], capture_output=True,
                                  text=True, check=False)
        self.assertEqual(done.returncode, 1 if done.stdout else 0, done.stderr)
        return done.stdout


class LayerTest(TidyTest):
    """Who may include whom, where two layers stand side by side."""

    def breaches(self, path, header):
        return self.breaches_of(path, f"// Why.\n#include \"{header}\"\n")

    def test_the_servers_side_knows_nobody_but_codec(self):
        for header in ("codec/text/base64.h", "engine/server/reply_queue.h"):
            with self.subTest(header=header):
                self.assertEqual(self.breaches("engine/server/login.cpp", header), "")
        for header in ("tls/sasl_crypto.h", "engine/worker.h", "engine/protocol/session.h",
                       "engine/io/ring.h", "queue/journal.h", "tools/sink/tally.h"):
            with self.subTest(header=header):
                self.assertIn(f'engine/server may not include "{header}"',
                              self.breaches("engine/server/login.cpp", header))

    def test_only_tools_know_the_servers_side(self):
        header = "engine/server/reply_queue.h"
        self.assertEqual(self.breaches("tools/sink/sink.cpp", header), "")
        for path in ("codec/text/utf8.cpp", "tls/channel.cpp", "queue/journal.cpp",
                     "engine/worker.cpp", "engine/protocol/session.cpp", "engine/io/ring.cpp",
                     "engine/run/run.cpp"):
            with self.subTest(path=path):
                self.assertIn("may not include", self.breaches(path, header))

    def test_the_servers_side_reads_no_clock(self):
        self.assertIn("this folder is told the time", self.breaches_of(
            "engine/server/login.cpp",
            "// Why.\nvoid end() { auto now = std::chrono::steady_clock::now(); }\n"))


class StatusTest(TidyTest):
    """An outcome's status is set in engine/outcome_record.cpp, and nowhere else."""

    def breaches(self, path, statement):
        return self.breaches_of(path, f"// Why.\nvoid end() {{ {statement} }}\n")

    def test_a_status_is_set_elsewhere(self):
        for statement in ("outcome.status = Status::expired;",
                          "recipient.outcome.status=Status::expired;",
                          "job.recipients[i].outcome.status = Status::expired;",
                          "outcome->status = Status::expired;",
                          "Outcome outcome{.status = Status::expired};",
                          "verdict.outcome.status = Status::expired;"):
            for path in ("engine/route.cpp", "engine/protocol/verdict.cpp",
                         "codec/job/outcome_writer.cpp", "queue/message_pool.cpp",
                         "engine/run/journal_lines.cpp", "tools/send/send_run.cpp"):
                with self.subTest(path=path, statement=statement):
                    told = self.breaches(path, statement)
                    self.assertIn(f"{path}:2: ", told)
                    self.assertIn("let engine/outcome_record.cpp write the outcome", told)

    def test_a_status_is_set_where_it_may_be(self):
        for path, statement in (
                ("engine/outcome_record.cpp", "outcome.status = verdict.status;"),
                ("engine/protocol/verdict.cpp", "verdict.status = Status::invalid;"),
                ("codec/journal/journal_record.cpp",
                 "outcome.status = static_cast<Status>(status);"),
                ("engine/run/journal_lines.cpp", "pending.outcome.status = outcome.status;"),
                ("tests/engine/route_test.cpp", "outcome.status = Status::accepted;"),
                ("bench/micro/line_bench.cpp", "outcome.status = Status::accepted;")):
            with self.subTest(path=path):
                self.assertEqual(self.breaches(path, statement), "")

    def test_a_status_is_looked_at(self):
        for statement in ("return outcome.status == Status::expired;",
                          "outcome.status_text = 1; // outcome.status = 2",
                          "say(\"outcome.status = 3\");",
                          "const bool is = a.status != b.status;"):
            with self.subTest(statement=statement):
                self.assertEqual(self.breaches("engine/route.cpp", statement), "")


class OpeningTest(TidyTest):
    """A source opens with a comment that says what it is about."""

    CODE = '#include "codec/base.h"\n'

    def test_a_source_opens_with_code(self):
        for path in ("codec/outcome.cpp", "codec/text/utf8.cpp", "tls/der.cpp",
                     "queue/journal.cpp", "engine/route.cpp", "engine/run/run.cpp",
                     "engine/server/login.cpp", "tools/send/send_run.cpp", "tools/sink/sink.cpp"):
            for opening in ("", "\n// Behind a line.\n", "//\n", "//\n// Behind nothing.\n"):
                with self.subTest(path=path, opening=opening):
                    told = self.breaches_of(path, opening + self.CODE)
                    self.assertIn(f"{path}:1: no comment at the top", told)

    def test_a_source_opens_with_a_comment(self):
        for path in ("codec/outcome.cpp", "engine/run/run.cpp", "tools/send/send_run.cpp"):
            with self.subTest(path=path):
                self.assertEqual(self.breaches_of(path, "// The problem.\n" + self.CODE), "")

    def test_other_files_open_as_they_like(self):
        for path, text in (("tests/engine/route_test.cpp", self.CODE),
                           ("bench/micro/line_bench.cpp", self.CODE),
                           ("engine/route.h", "#pragma once\n")):
            with self.subTest(path=path):
                self.assertEqual(self.breaches_of(path, text), "")


if __name__ == "__main__":
    unittest.main()
