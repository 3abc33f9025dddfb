"""What tools/dev.d/catch_program.py makes of a program's cases, and how they are counted.

Goal: a case that fails, or ends its program, is one failure, and no other case is lost with it.
Method: a Catch2 program of four cases that end as the environment tells.
"""

import json
import os
import subprocess
import unittest
from pathlib import Path

from support.workspace import Workspace

PARTS = Path(__file__).parents[3] / "tools/dev.d"


class CatchProgramTest(Workspace):
    def run_cases(self, ending):
        self.counts = self.folder / "cases" / "endings.json"
        self.done = subprocess.run(
            [PARTS / "catch_program.py", os.environ["RINGPOST_CASES"], self.counts],
            env={**os.environ, "RINGPOST_CASE_ENDING": ending}, check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return self.done.returncode

    def assert_counts(self, **expected):
        counts = json.loads(self.counts.read_text())
        self.assertEqual(counts, {"passed": 0, "failed": 0, "skipped": 0, **expected},
                         self.done.stdout)

    def test_all_pass(self):
        self.assertEqual(self.run_cases("well"), 0)
        self.assert_counts(passed=4)

    def test_failure(self):
        """Its words are shown."""
        self.assertEqual(self.run_cases("fail"), 1)
        self.assert_counts(passed=3, failed=1)
        self.assertIn('CHECK_FALSE( is_told("fail") )', self.done.stdout)

    def test_skipped(self):
        self.assertEqual(self.run_cases("skip"), 0)
        self.assert_counts(passed=3, skipped=1)

    def test_end_of_the_program(self):
        """As a sanitizer ends it, and as an assertion of ours does: it is named, the rest runs."""
        for ending in "exit", "abort":
            with self.subTest(ending):
                self.assertEqual(self.run_cases(ending), 1)
                self.assert_counts(passed=3, failed=1)
                self.assertIn("third: ends as it is told", self.done.stdout)

    def test_end_behind_the_last_case(self):
        """As a leak is found."""
        self.assertEqual(self.run_cases("leak"), 1)
        self.assert_counts(passed=4, failed=1)
        self.assertIn("ended with 24 although no case has failed", self.done.stdout)


class CountTest(Workspace):
    def count(self, results, **cases):
        path = self.folder / "results.xml"
        path.write_text("<testsuite>" + "".join(
            f'<testcase name="{name}" status="{status}"/>' for name, status in results)
            + "</testsuite>")
        for name, counts in cases.items():
            (self.folder / f"{name}.json").write_text(json.dumps(counts))
        return subprocess.run([PARTS / "count_results.py", path, self.folder], check=True,
                              text=True, stdout=subprocess.PIPE).stdout.split()

    def test_programs_count_as_their_cases(self):
        self.assertEqual(
            self.count([("one", "run"), ("two", "fail"), ("three", "notrun"), ("many", "fail")],
                       many={"passed": 9, "failed": 2, "skipped": 1}),
            ["10", "3", "2"])

    def test_program_that_was_ended(self):
        """Behind its last case, or before its first, by ctest's own limit."""
        self.assertEqual(
            self.count([("many", "fail"), ("none", "fail")],
                       many={"passed": 9, "failed": 0, "skipped": 0}),
            ["9", "2", "0"])


if __name__ == "__main__":
    unittest.main()
