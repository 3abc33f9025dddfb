"""The comparison counts only what the server took, and the docs say what came of it."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.environ["RINGPOST"]
BENCH = os.environ["BENCH"]
sys.path.insert(0, BENCH)
import speed_tables
from sink_run import check_record


class CompareTest(unittest.TestCase):
    def compare(self, *flags):
        return subprocess.run(
            [sys.executable, "-B", os.path.join(BENCH, "compare.py"), "--program", PROGRAM, *flags],
            capture_output=True, text=True, timeout=200, check=False)

    def test_a_small_comparison_has_every_figure(self):
        with tempfile.TemporaryDirectory() as folder:
            file_name = os.path.join(folder, "figures.json")
            result = self.compare("--quick", "--bytes", "2048", "--sessions", "1,10", "--peers",
                                  "ringpost,floor,smtplib", "--json", file_name)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            with open(file_name, encoding="utf-8") as file:
                figures = json.load(file)
        cases = {(line["client"], line["tls"], line["sessions"]) for line in figures["figures"]}
        self.assertEqual(cases, {(client, tls, sessions) for tls in (True, False)
                                 for client in ("ringpost", "floor", "smtplib")
                                 for sessions in (1, 10)})
        for line in figures["figures"]:
            self.assertGreater(line["messages_per_second"], 0)
            self.assertGreater(line["cpu_us_per_message"], 0)
        table = list(speed_tables.compare_table(figures))
        self.assertEqual(sum("us" in row for row in table[3:]), 3, table)

    def test_a_client_that_is_not_there_is_an_error(self):
        result = self.compare("--peers", "pigeon")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no client is called pigeon", result.stderr)

    def test_a_lost_message_ends_the_comparison(self):
        record = {"job-00000000": "sha of one", "job-00000001": "sha of two"}
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
            file.write(json.dumps({"x_id": "job-00000000", "sha256": "sha of one"}) + "\n")
            file.flush()
            with self.assertRaises(SystemExit) as ended:
                check_record(record, file.name)
        self.assertIn("1 messages missing or altered", str(ended.exception))


class TablesTest(unittest.TestCase):
    def test_a_number_that_was_typed_in_is_noticed(self):
        with open(speed_tables.PAGE, encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(speed_tables.with_tables(text), text)
        begin = text.index("| ringpost |")
        forged = text[:begin] + text[begin:].replace(" us ", " ns ", 1)
        self.assertNotEqual(speed_tables.with_tables(forged), forged)
        self.assertEqual(speed_tables.with_tables(forged), text)

    def test_readme_has_figures_of_the_table(self):
        """Of 10 KB messages: CPU a message, and messages a second."""
        with open(speed_tables.PAGE, encoding="utf-8") as file:
            table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in file
                     if line.startswith("|")]
        measured = {row[0]: (row[3].split(",")[0] if row[3].count(",") == 1 else
                             row[3].rsplit(",", 1)[0], row[4]) for row in table if len(row) == 8}
        with open(os.path.join(speed_tables.ROOT, "README.md"), encoding="utf-8") as file:
            shown = [[cell.strip() for cell in line.split("|")[1:-1]] for line in file
                     if line.startswith("| ") and " us |" in line]
        self.assertEqual(len(shown), 3)
        for client, cpu, rate in shown:
            self.assertEqual((cpu, rate), measured[client], client)


if __name__ == "__main__":
    unittest.main()
