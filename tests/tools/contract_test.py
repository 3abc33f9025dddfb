"""docs/CONTRACT.md against the program: what it lists is there, and what is there it lists.

Needs $RINGPOST, the program. No network. Sections are told by their number.
"""

import json
import re
import unittest
from pathlib import Path

from support.jobs import STAGES, STATUSES
from support.program import ProgramTest

ROOT = Path(__file__).resolve().parents[2]
JOB = {"id": "1", "from": "a@example.com", "to": ["b@example.com", "not one"], "subject": "Hi",
       "text": "Hello", "tags": ["x"], "metadata": {"k": 1}}


def section(number):
    text = (ROOT / "docs/CONTRACT.md").read_text(encoding="utf-8")
    return re.search(rf"^## {number}\. .*?(?=^## |\Z)", text, flags=re.M | re.S).group(0)


def words(text):
    """What stands in code marks."""
    return set(re.findall(r"`([^`\s]+)`", text))


def first_cells(text):
    """The names in code marks of each row's first cell."""
    return words("\n".join(re.findall(r"^\| ([^|]+) \|", text, flags=re.M)))


class Contract(ProgramTest):
    def test_commands(self):
        listed = set(re.findall(r"^\| `ringpost (\w+)", section(1), flags=re.M))
        help_text = self.run_program("--help").stdout.decode()
        commands = help_text.split("Commands:")[1].split("Examples:")[0]
        self.assertEqual(listed, set(re.findall(r"^  (\w+) ", commands, flags=re.M)))

    def test_flags_of_send(self):
        listed = re.search(r"Flags of `send`:.*?\.\n", section(1), flags=re.S).group(0)
        help_text = self.run_program("send", "--help").stdout.decode()
        flags = help_text.split("Arguments:")[1].split("Exit codes:")[0]
        given = set(re.findall(r"^  (?:-\w, |    )(--[a-z-]+)", flags, flags=re.M))
        self.assertEqual(set(re.findall(r"--[a-z][a-z-]+", listed)), given)
        self.assertGreater(len(given), 25)

    def test_exit_codes(self):
        header = (ROOT / "tools/process/exit_code.h").read_text(encoding="utf-8")
        rows = re.findall(r"^\| ([\d, ]+) \| ", section(1), flags=re.M)
        listed = {int(code) for row in rows for code in row.split(",")}
        self.assertEqual(listed, {int(code) for code in re.findall(r" = (\d+),", header)})

    def test_job_fields(self):
        listed = first_cells(section(2))
        for field in listed:
            job = self.folder / "job.jsonl"
            job.write_text(json.dumps({**JOB, "to": "b@example.com", field: 17}) + "\n")
            said = self.run_program("validate", job).stderr
            self.assertNotIn("is no field", said)
            self.assertNotIn("unknown field", said)
        table = (ROOT / "codec/job/job_fields.h").read_text(encoding="utf-8")
        names = re.findall(r'\.field = JobField::\w+,\s*\.name = "(\w+)"', table)
        self.assertEqual(listed, set(names))

    def test_outcomes(self):
        text = section(3)
        self.assertEqual(first_cells(text), set(STATUSES))
        self.assertLessEqual(set(STAGES), words(text))
        jobs = self.folder / "jobs.jsonl"
        jobs.write_text(json.dumps(JOB) + "\n" + json.dumps({**JOB, "to": "c@example.com"}) + "\n")
        run = self.run_program("send", "--dry-run", "-o", "-", jobs)
        lines = [json.loads(line) for line in run.stdout.decode().splitlines()]
        self.assertGreater(len(lines), 1, run.describe())
        fields = words(text.replace("{queue,submit,total}", ""))
        for line in lines:
            self.assertLessEqual(set(line), fields)


if __name__ == "__main__":
    unittest.main()
