"""`report`: outcome files of the program and of others, whole, cut off, several and compressed."""

import csv
import gzip
import io
import json
import unittest

from support.program import ProgramTest

NAMES = ("accepted", "rejected", "deferred", "unsent", "unknown", "invalid", "expired", "skipped")


def line(number, status="accepted", **more):
    return {"id": f"job-{number}", "rcpt": f"reader{number}@example.net", "status": status,
            "stage": "eod", "attempts": 1, "endpoint": "esp", "ts": "2026-11-30T09:00:00.000Z",
            **more}


def refused(number, text, **more):
    return line(number, "rejected", code=550, enhanced="5.1.1", text=text, stage="rcpt", **more)


class Report(ProgramTest):
    def write(self, name, lines, end="\n"):
        text = "\n".join(json.dumps(one) for one in lines) + end
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def report(self, *arguments, code=0, **variables):
        run = self.run_program("report", *arguments, **variables)
        self.assert_exit(run, code)
        return run

    def read(self, *arguments, **variables):
        return json.loads(self.report(*arguments, "--format", "json", **variables).stdout)

    def test_each_status_counts_and_refusals_that_say_the_same_are_one(self):
        lines = [line(number, status) for number, status in enumerate(NAMES)]
        lines += [refused(100 + number, f"no box r{number}x@example.net here (id 4F{number:08})")
                  for number in range(30)]
        lines.append(refused(200, "blocked"))
        found = self.read(self.write("o.jsonl", lines))
        self.assertEqual(found["recipients"],
                         {name: 32 if name == "rejected" else 1 for name in NAMES})
        self.assertEqual(found["total"], 39)
        most = found["reasons"][0]
        self.assertEqual((most["count"], most["status"], most["stage"], most["id"], most["rcpt"]),
                         (30, "rejected", "rcpt", "job-100", "reader100@example.net"))
        self.assertEqual(most["words"],
                         "550 5.1.1 no box r0x@example.net here (id 4F00000000)")
        self.assertEqual(sum(reason["count"] for reason in found["reasons"]), 38)

    def test_the_last_line_about_a_recipient_has_the_last_word(self):
        monday = self.write("monday.jsonl", [
            line(1), line(2, "deferred", code=451, text="later"), line(3, "deferred"),
            line(4, "deferred", final=False), line(4)])
        tuesday = self.write("tuesday.jsonl", [line(2), line(3, "rejected", code=550, text="no")])
        found = self.read(monday, tuesday)
        self.assertEqual(found["total"], 4)
        self.assertEqual(found["recipients"]["accepted"], 3)
        self.assertEqual(found["recipients"]["deferred"], 0)
        self.assertEqual([reason["words"] for reason in found["reasons"]], ["550 no"])
        # A job has a line for each recipient, and the same recipient may be in two jobs.
        other = self.write("other.jsonl", [{**line(1), "rcpt": "b@example.net"},
                                           {**line(1), "id": "another"}])
        self.assertEqual(self.read(monday, tuesday, other)["total"], 6)

    def test_csv_has_everybody_without_a_message_once(self):
        first = self.write("first.jsonl", [
            line(1), line(2, "deferred", code=451, text="later, \"please\""),
            refused(3, "no"), line(4, "skipped", reason="suppressed"), line(5, "deferred")])
        second = self.write("second.jsonl", [line(5), line(2, "deferred", code=452, text="a, b")])
        run = self.report(first, second, "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(run.stdout.decode(), newline="")))
        self.assertEqual([(row["id"], row["rcpt"], row["status"], row["code"], row["text"])
                          for row in rows],
                         [("job-3", "reader3@example.net", "rejected", "550", "no"),
                          ("job-2", "reader2@example.net", "deferred", "452", "a, b")])
        run = self.report("-", "--format", "csv", code=2)
        self.assertIn("is read twice", run.stderr)

    def test_files_that_were_cut_off_and_lines_that_are_none(self):
        whole = self.write("whole.jsonl", [line(1), line(2)])
        self.write("cut.jsonl", [line(3)], end='\n{"id":"job-4","rcpt":"rea')
        (self.folder / "zipped.jsonl.gz").write_bytes(
            gzip.compress((self.folder / whole).read_bytes()))
        found = self.read(whole, "cut.jsonl", "zipped.jsonl.gz")
        self.assertEqual(found["total"], 3)
        self.assertEqual(len(found["remarks"]), 1)
        self.assertIn("cut.jsonl:2", found["remarks"][0])
        octets = (self.folder / "zipped.jsonl.gz").read_bytes()
        (self.folder / "torn.jsonl.gz").write_bytes(octets[:-9])
        self.assertIn("torn.jsonl.gz", self.read("torn.jsonl.gz")["remarks"][0])
        self.write("odd.jsonl", [line(1), {"id": "x"}, {"id": "y", "status": "lost"}, line(2)])
        run = self.report("odd.jsonl", code=3)
        self.assertIn('2 lines are no outcomes: odd.jsonl:2: no outcome line: "status" is',
                      run.stdout.decode())
        run = self.report("nowhere.jsonl", code=2)
        self.assertIn("nowhere.jsonl", run.stderr)

    def test_what_it_says_for_people(self):
        lines = [line(number, ts=f"2026-11-30T09:00:{number:02}.000Z",
                      ms={"queue": 1.0, "submit": 20.0, "total": 21.0}) for number in range(50)]
        lines += [refused(60, "a <b> | c"), line(61, "deferred", code=451, text="later",
                                                 endpoint="other")]
        name = self.write("o.jsonl", lines)
        text = self.report(name).stdout.decode()
        for words in ("52 recipients in o.jsonl", "accepted            50   96.2 %",
                      "from 2026-11-30T09:00:00.000Z to 2026-11-30T09:00:49.000Z (49.0 s, 1",
                      "p50 20 ms", "esp: 50 accepted, 1 rejected", "other: 1 deferred",
                      "1  rejected at rcpt: 550 5.1.1 a <b> | c",
                      "1 recipient may get it yet: the same command with --retry-from o.jsonl"):
            self.assertIn(words, text)
        page = self.report(name, "--format", "markdown").stdout.decode()
        self.assertIn("| 1 | rejected at rcpt | 550 5.1.1 a &lt;b> \\| c |", page)
        self.assertIn("for 1 more reasons (--top 2)",
                      self.report(name, "--top", "1").stdout.decode())

    def test_words_of_strangers_do_not_steer_a_terminal(self):
        name = self.write("o.jsonl", [refused(1, "\x1b[31mred\x07"),
                                      {**line(2, "deferred"), "endpoint": "\x1b[2J"}, line(3)])
        for form in ("text", "markdown"):
            self.assertNotIn(b"\x1b", self.report(name, "--format", form).stdout)


if __name__ == "__main__":
    unittest.main()
