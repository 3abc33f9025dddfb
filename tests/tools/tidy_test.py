"""What tools/dev.d/tidy.py sees of the rules, in a tree that breaks them one at a time."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TIDY = Path(__file__).parents[2] / "tools/dev.d/tidy.py"


class StatusTest(unittest.TestCase):
    """An outcome's status is set in engine/outcome_record.cpp, and nowhere else."""

    def breaches(self, path, statement):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / path
            file.parent.mkdir(parents=True)
            (file.parent / "CMakeLists.txt").write_text(f"# {file.name}\n", encoding="utf-8")
            file.write_text(f"// Why.\nvoid end() {{ {statement} }}\n", encoding="utf-8")
            done = subprocess.run([sys.executable, "-B", str(TIDY), folder], capture_output=True,
                                  text=True, check=False)
        self.assertEqual(done.returncode, 1 if done.stdout else 0, done.stderr)
        return done.stdout

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


if __name__ == "__main__":
    unittest.main()
