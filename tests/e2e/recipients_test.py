"""`ringpost send --template --recipients`: one message for the rows of a file.

Goal: what a newsletter needs: who gets it, with which values, and who is left out and why. Method:
tables that Python's csv module has written, the embedded sink, and Python's own reading of what it
accepted; another run finds the same.
"""

import csv
import gzip
import io
import json
import time
import unittest
from contextlib import suppress
from email import message_from_bytes, policy

from support.jobs import read_outcomes, simple_job
from support.program import OUTCOMES, PASSWORD, is_sanitized
from support.sink import SinkTest
from support.workspace import wait_until

TEMPLATE = {"from": "Shop <shop@example.com>", "subject": "News for {{name|default:\"you\"}}",
            "text": "Dear {{name|default:\"reader\"}},\nyour city is {{city}}.\n",
            "html": "<p>Dear {{name|default:\"reader\"}}, your city is {{city}}.</p>\n"}


def table(rows, columns, **dialect):
    out = io.StringIO(newline="")
    writer = csv.writer(out, **dialect)
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


class RecipientsTest(SinkTest):
    def setUp(self):
        super().setUp()
        self.store = self.folder / "store"
        self.store.mkdir()

    def write(self, name, content):
        path = self.folder / name
        octets = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(gzip.compress(octets) if name.endswith(".gz") else octets)
        return path

    def template(self, **changes):
        return self.write("template.json", json.dumps({**TEMPLATE, **changes}))

    def text_template(self, text, **changes):
        return self.write("template.json", json.dumps(
            {"from": TEMPLATE["from"], "subject": "News", "text": text, **changes}))

    def rows(self, content, *flags, endpoint=None, template=None, name="list.csv", **more):
        """One run over a file of these rows."""
        return self.run_send("--template", template or self.template(),
                             "--recipients", self.write(name, content), *flags,
                             endpoint=endpoint, **more)

    def run_send(self, *arguments, endpoint=None, **more):
        (self.folder / OUTCOMES).unlink(missing_ok=True)
        where = ("-e", endpoint) if endpoint else ("--dry-run",)
        run = self.run_program("send", "-o", OUTCOMES, *where, *arguments,
                               RINGPOST_PASSWORD=PASSWORD, **more)
        path = self.folder / OUTCOMES
        run.outcomes = read_outcomes(path) if path.exists() else []
        return run

    def keeping_sink(self, *flags):
        return self.sink("--record-content", self.store, *flags)

    def stored(self):
        """What was accepted, by To."""
        found = {}
        for path in self.store.glob("*.eml"):
            message = message_from_bytes(path.read_bytes(), policy=policy.default)
            found.setdefault(str(message["To"].addresses[0].addr_spec), []).append(message)
        return found

    def told(self, run):
        """Statuses by recipient."""
        return {one["rcpt"]: one["status"] for one in run.outcomes}

    # ---- Tables -----------------------------------------------------------------------------

    def test_each_row_is_a_message_with_its_values(self):
        values = ["Ann", 'Bob "the man"', "Zoë; Ünal", "Li, Wei", "日本", "a|b", ""]
        rows = [[f"user{number}@example.net", name, number, f"City\n{number}" if number == 3 else
                 f"City {number}", "list-1", "yes"] for number, name in enumerate(values)]
        columns = ["E-Mail", "name", "id", "city", "metadata.list", "header.X-Test"]
        for delimiter in ",;\t|":
            with self.subTest(delimiter):
                sink = self.keeping_sink()
                run = self.rows(table(rows, columns, delimiter=delimiter),
                                endpoint=sink.endpoint())
                self.assert_exit(run, 0)
                self.assertEqual({one["id"] for one in run.outcomes},
                                 {str(number) for number in range(len(values))})
                self.assertEqual(run.outcomes[0]["metadata"], {"list": "list-1"})
                self.assert_strict(sink.stop())
                stored = self.stored()
                self.assertEqual(len(stored), len(values))
                for number, name in enumerate(values):
                    message, = stored[f"user{number}@example.net"]
                    self.assertEqual(message["Subject"], f"News for {name or 'you'}")
                    self.assertEqual(message["X-Test"], "yes")
                    text = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
                    city = f"City\n{number}" if number == 3 else f"City {number}"
                    self.assertEqual(text, f"Dear {name or 'reader'},\nyour city is {city}.\n")
                for path in self.store.glob("*.eml"):
                    path.unlink()

    def test_any_form_gives_the_same_messages(self):
        columns = ["email", "name", "id", "city"]
        rows = [[f"u{number}@example.net", f"User {number}", str(number), "Rome"]
                for number in range(50)]
        objects = "".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows)
        files = {"list.csv": table(rows, columns), "list.csv.gz": table(rows, columns),
                 "list.tsv": table(rows, columns, delimiter="\t"), "list.jsonl": objects,
                 "bom.csv": "\ufeff" + table(rows, columns, delimiter=";", quoting=csv.QUOTE_ALL)}
        found = {}
        for name, content in files.items():
            sink = self.keeping_sink()
            run = self.rows(content, endpoint=sink.endpoint(), name=name)
            self.assert_exit(run, 0)
            sink.stop()
            found[name] = {to: [(one["Subject"], one.get_body(("html",)).get_content())
                                for one in messages] for to, messages in self.stored().items()}
            self.assertEqual(len(found[name]), len(rows))
            for path in self.store.glob("*.eml"):
                path.unlink()
        for name in files:
            self.assertEqual(found[name], found["list.csv"], name)

    def test_a_bad_row_is_invalid_with_its_place_and_the_others_go_on(self):
        sink = self.sink()
        rows = ("email,name,id,city\n"
                "ann@example.net,Ann,1,Rome\n"
                "no address,Bob,2,Oslo\n"
                "carl@example.net,Carl,3,Bonn,surplus\n"
                'dora@example.net,"Dora,4\n'
                'D","4",Linz\n'
                "eve@example.net,Eve,5,\n"
                "frank@example.net,Frank,6,Kiel\n")
        run = self.rows(rows, endpoint=sink.endpoint())
        self.assert_exit(run, 3)
        self.assertEqual(self.told(run)["ann@example.net"], "accepted")
        self.assertEqual(self.told(run)["frank@example.net"], "accepted")
        reasons = {one["reason"] for one in run.outcomes if one["status"] == "invalid"}
        for line, why in ((3, "email: \"no address\": "), (4, "the row has 5 fields"),
                          (5, ""), (7, "city")):
            place = f"list.csv:{line}: {why}" if line != 7 else "list.csv:7: "
            self.assertTrue([one for one in reasons if place in one and why in one],
                            (place, reasons))
        self.assertEqual(run.statuses(), {"accepted": 2, "invalid": 4}, run.describe())

    def test_mistakes_that_concern_all_are_said_before_anything_is_sent(self):
        sink = self.sink()
        for content, template, words in (
                ("name,mail\nAnn,a@example.net\n", {}, ("list.csv:1", "no column is called email")),
                ("email,town\na@example.net,Rome\n", {}, ("the template asks for", "city")),
                ("", {}, ("list.csv", "empty")),
                ("email,city\n", {"txt": "x"}, ("template.json", "txt", "did you mean")),
                ("email,city\n", {"subject": "{{#a}}"}, ("template.json", "subject")),
                ("email,city\n", {"text_file": "none.txt"}, ("text_file",))):
            run = self.rows(content, endpoint=sink.endpoint(), template=self.template(**template))
            self.assert_exit(run, 2)
            self.assert_says(run, *words)
            self.assertFalse((self.folder / OUTCOMES).exists())
        self.assertEqual(sink.stop().record, [])

    def test_flags_that_do_not_go_together(self):
        rows = self.write("list.csv", "email,city\n")
        jobs = self.write("jobs.jsonl", json.dumps(simple_job("1", ["a@example.net"])) + "\n")
        for flags, words in (
                (("--recipients", rows), "--template"),
                (("--template", self.template()), "--recipients"),
                (("--template", self.template(), "--recipients", rows, jobs), "jobs.jsonl"),
                (("--delimiter", ";", jobs), "--delimiter"),
                (("--set", "a", jobs), "KEY=VALUE"),
                (("--limit", "1", "--sample", "1", jobs), "--sample"),
                (("--to-me", "nobody", jobs), "--to-me"),
                (("--journal", "j", "--to-me", "a@example.net", jobs), "--journal")):
            run = self.run_send(*flags)
            self.assert_exit(run, 2)
            self.assert_says(run, words)

    def test_values_have_an_order(self):
        """Recipient, then --set, then the template's own."""
        sink = self.keeping_sink()
        template = self.template(text="{{a}} {{b}} {{c}} {{n}}{{#list}} {{.}}{{/list}}",
                                 merge={"a": "file", "b": "file", "c": "file"})
        run = self.rows("email,a,city\nann@example.net,row,Rome\n", "--set", "a=set",
                        "--set", "b=set", "--set", "n:=1.50", "--set", "list:=[1,2]",
                        endpoint=sink.endpoint(), template=template)
        self.assert_exit(run, 0)
        sink.stop()
        message, = self.stored()["ann@example.net"]
        text = message.get_body(("plain",)).get_content()
        self.assertEqual(text.strip(), "row set file 1.50 1 2")

    def test_a_template_and_values_for_job_lines(self):
        """Lines without content of their own; the others are as they were."""
        sink = self.keeping_sink()
        template = self.text_template("{{a}} {{b}} {{c}}\n", subject="Hi {{b}}",
                                 merge={"a": "file", "b": "file", "c": "file"})
        lines = [{"id": "to", "to": ["Ann <ann@example.net>"]},
                 {"id": "many", "merge": {"a": "line"},
                  "recipients": [{"email": "bob@example.net", "merge": {"b": "own"}},
                                 "carl@example.net"]},
                 {"id": "own", "from": "me@example.com", "subject": "Own {{b}}", "text": "x\n",
                  "to": "dora@example.net"},
                 {"id": "filled", "from": "me@example.com", "subject": "Own {{b}}", "text": "x\n",
                  "merge": {}, "to": "eve@example.net"},
                 {"id": "clash", "from": "me@example.com", "to": "fay@example.net"},
                 simple_job("raw", ["gus@example.net"])]
        jobs = self.write("jobs.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        run = self.run_send("--template", template, "--set", "a=set", "--set", "b=set", jobs,
                            endpoint=sink.endpoint())
        self.assert_exit(run, 3)
        self.assertIn("is the template's", run.outcome("clash")["reason"])
        self.assertEqual(run.statuses(), {"accepted": 6, "invalid": 1})
        report = sink.stop()
        self.assertEqual({one["from"] for one in report.record},
                         {"shop@example.com", "me@example.com", "sender@example.com"})
        stored = {address: message for address, (message,) in self.stored().items()}
        self.assertEqual({address: (stored[address]["Subject"],
                                    stored[address].get_content().strip())
                          for address in stored if address != "recipient@example.net"},
                         {"ann@example.net": ("Hi set", "set set file"),
                          "bob@example.net": ("Hi own", "line own file"),
                          "carl@example.net": ("Hi set", "line set file"),
                          "dora@example.net": ("Own {{b}}", "x"),
                          "eve@example.net": ("Own set", "x")})
        rendered = self.run_program("render", "--template", template, "--set", "b=set", jobs,
                                    "--recipient", "bob@example.net")
        self.assertIn(b"Subject: Hi own\r\n", rendered.stdout)
        checked = self.run_program("validate", "--template", template, "--set", "b=set", "--set",
                                   "a=set", jobs)
        self.assert_exit(checked, 3)
        self.assert_says(checked, "6 valid (6 recipients), 1 invalid")

    def test_missing_and_verp_of_job_lines(self):
        sink = self.sink()
        lines = [{"id": "1", "from": "News <news@example.com>", "subject": "Hi {{name}}",
                  "text": "{{lacking}}x\n", "recipients": ["ann@example.net"]},
                 {"id": "2", "from": "news@example.com", "subject": "s", "text": "{{lacking}}x\n",
                  "merge": {}, "to": "bob@example.net"}]
        jobs = self.write("jobs.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        run = self.run_send(jobs, endpoint=sink.endpoint())
        self.assert_exit(run, 3)
        self.assertEqual(run.statuses(), {"invalid": 2})
        run = self.run_send("--missing", "empty", "--verp", jobs, endpoint=sink.endpoint())
        self.assert_exit(run, 0)
        self.assertEqual({one["from"] for one in sink.stop().record},
                         {"news+ann=example.net@example.com", "news+bob=example.net@example.com"})

    def test_a_resume_knows_the_template_of_job_lines(self):
        jobs = self.write("jobs.jsonl", json.dumps({"id": "1", "to": ["ann@example.net"]}) + "\n")
        sink = self.sink()
        template = self.text_template("Hi\n")
        first = self.run_send("--template", template, "--journal", "j", jobs,
                              endpoint=sink.endpoint())
        self.assert_exit(first, 0)
        again = self.run_send("--template", template, "--journal", "j", "--resume", jobs,
                              endpoint=sink.endpoint())
        self.assert_exit(again, 0)
        self.text_template("Changed\n")
        other = self.run_send("--template", template, "--journal", "j", "--resume", jobs,
                              endpoint=sink.endpoint())
        self.assert_exit(other, 2)
        self.assertEqual(len(sink.stop().record), 1)

    def test_fields_of_bulk_mail_where_they_are_asked_for(self):
        sink = self.keeping_sink()
        template = self.text_template(
            "x\n", headers={"Precedence": "bulk", "Auto-Submitted": "auto-generated"})
        run = self.rows("email,header.Precedence\nann@example.net,list\nbob@example.net,\n",
                        endpoint=sink.endpoint(), template=template)
        self.assert_exit(run, 0)
        sink.stop()
        self.assertEqual({address: (message["Precedence"], message["Auto-Submitted"])
                          for address, (message,) in self.stored().items()},
                         {"ann@example.net": ("list", "auto-generated"),
                          "bob@example.net": ("bulk", "auto-generated")})

    def test_toml_and_files_beside_it(self):
        folder = self.folder / "campaign"
        folder.mkdir()
        (folder / "body.txt").write_text("Hello {{name}}", encoding="utf-8")
        (folder / "logo.png").write_bytes(b"\x89PNG")
        template = folder / "mail.toml"
        template.write_text("""
            from = "Shop <shop@example.com>"
            subject = "Hi {{name}}"
            text_file = "body.txt"
            attachments = [{path = "logo.png"}]
            headers = {X-Campaign = "c1"}
            [envelope]
            from = "bounce+{{id}}@example.com"
            """, encoding="utf-8")
        sink = self.keeping_sink()
        run = self.rows("email,name,id\nann@example.net,Ann,a1\n", endpoint=sink.endpoint(),
                        template=template)
        self.assert_exit(run, 0)
        report = sink.stop()
        self.assertEqual(report.record[0]["from"], "bounce+a1@example.com")
        message, = self.stored()["ann@example.net"]
        self.assertEqual(message["X-Campaign"], "c1")
        self.assertEqual(message.get_body(("plain",)).get_content().strip(), "Hello Ann")
        attached, = message.iter_attachments()
        self.assertEqual(attached.get_filename(), "logo.png")

    def test_from_standard_input(self):
        sink = self.sink()
        content = self.write("list", "email,name,city\nann@example.net,Ann,Rome\n")
        with content.open("rb") as stream:
            run = self.run_send("--template", self.template(), "--recipients", "-",
                                endpoint=sink.endpoint(), stdin=stream)
        self.assert_exit(run, 0)
        self.assertEqual(self.told(run), {"ann@example.net": "accepted"})

    # ---- Who is left out --------------------------------------------------------------------

    def test_dedupe_and_suppress(self):
        sink = self.sink()
        suppressed = self.write("unsubscribed.txt", "GONE@example.net\n*@bad.example\n")
        rows = ("email,city,id\nann@example.net,a,1\ngone@example.net,b,2\n"
                "ANN@Example.net,c,3\nx@bad.example,d,4\nbob@example.net,e,5\n")
        run = self.rows(rows, "--dedupe", "--suppress", suppressed, "--summary", "json",
                        endpoint=sink.endpoint())
        self.assert_exit(run, 0)
        self.assertEqual(run.statuses(), {"accepted": 2, "skipped": 3}, run.describe())
        self.assertEqual(json.loads(run.stdout)["summary"]["recipients"]["skipped"], 3)
        reasons = {one["id"]: one["reason"] for one in run.outcomes if one["status"] == "skipped"}
        self.assertEqual(reasons, {"2": f"suppressed: {suppressed}:1", "3": "duplicate of line 2",
                                   "4": f"suppressed: {suppressed}:2"})
        self.assertEqual(sorted(to for one in sink.stop().record for to in one["to"]),
                         ["ann@example.net", "bob@example.net"])
        again = self.rows(rows, "--dedupe", "--fail-on", "skipped")
        self.assert_exit(again, 0)  # nothing was sent

    def test_skipped_of_job_lines(self):
        """Each recipient of a job by himself; a job that is refused counts for no duplicate."""
        sink = self.sink()
        jobs = [simple_job("one", ["ann@example.net", "gone@example.net", "bob@example.net"]),
                {**simple_job("bad", ["carl@example.net"]), "raw": "no message\x00"},
                simple_job("two", ["carl@example.net", "ann@example.net"]),
                simple_job("three", ["bob@example.net", "gone@example.net"])]
        suppressed = self.write("gone.jsonl", json.dumps(
            {"id": "0", "rcpt": "gone@example.net", "status": "rejected"}) + "\n")
        run = self.send(jobs, sink.endpoint(), "--dedupe", "--suppress", suppressed,
                        "--fail-on", "skipped")
        self.assert_exit(run, 1)
        told = {(one["id"], one["rcpt"]): one["status"] for one in run.outcomes}
        self.assertEqual(told, {
            ("one", "ann@example.net"): "accepted", ("one", "gone@example.net"): "skipped",
            ("one", "bob@example.net"): "accepted", ("bad", "carl@example.net"): "invalid",
            ("two", "carl@example.net"): "accepted", ("two", "ann@example.net"): "skipped",
            ("three", "bob@example.net"): "skipped", ("three", "gone@example.net"): "skipped"})
        self.assertEqual(len(run.outcomes), 8)
        self.assertEqual(len(sink.stop().record), 2)
        dry = self.send(jobs, "smtp://nowhere.invalid", "--dedupe", "--suppress", suppressed,
                        "--dry-run")
        self.assertEqual(dry.statuses(), {"unsent": 3, "skipped": 4, "invalid": 1})

    def test_repeated_addresses_are_said(self):
        run = self.rows("email,city\na@example.net,b\nA@example.net,c\na@example.net,d\n")
        self.assert_exit(run, 0)
        self.assert_says(run, "2 recipients have an address that occurs before", "--dedupe")

    # ---- A journal --------------------------------------------------------------------------

    def test_a_resume_goes_on_row_by_row(self):
        rows = table([[f"u{n % 40}@example.net", f"N{n}", n, "Rome"] for n in range(60)],
                     ["email", "name", "id", "city"])
        sink = self.sink("--latency", "30ms")
        path = self.write("list.csv", rows)
        arguments = ("--template", self.template(), "--recipients", path, "--dedupe", "--journal",
                     "run.journal", "--connections", "1", "--pipeline", "off")
        program = self.start("send", "-e", sink.endpoint(), "-o", OUTCOMES, *arguments,
                             RINGPOST_PASSWORD=PASSWORD)
        wait_until(lambda: len(sink.record()) >= 5, "some are accepted")
        program.process.kill()
        program.wait()
        run = self.run_program("send", "-e", sink.endpoint(), "-o", OUTCOMES, *arguments,
                               "--resume", "--on-unknown", "resend", RINGPOST_PASSWORD=PASSWORD)
        run.outcomes = read_outcomes(self.folder / OUTCOMES)
        last = {one["id"]: one["status"] for one in run.outcomes}
        self.assertEqual(last, {str(n): "accepted" if n < 40 else "skipped" for n in range(60)},
                         run.describe())
        other = self.run_program(
            "send", "-e", sink.endpoint(), "-o", OUTCOMES, *arguments, "--resume", "--set", "x=y",
            RINGPOST_PASSWORD=PASSWORD)
        self.assert_exit(other, 2)
        self.assert_says(other, "journal")

    def test_validate_says_the_same(self):
        rows = self.write("list.csv", "email,city\nann@example.net,Rome\nnobody,Oslo\n"
                                      "bob@example.net,\n")
        run = self.run_program("validate", "--template", self.template(), "--recipients", rows)
        self.assert_exit(run, 3)
        self.assert_says(run, "list.csv:3: email: ", "list.csv:4: ",
                         "1 valid (1 recipient), 2 invalid")
        dry = self.run_send("--template", self.template(), "--recipients", rows)
        self.assertEqual(sorted(run.stdout.decode().splitlines()),
                         sorted(one["reason"] for one in dry.outcomes
                                if one["status"] == "invalid"))

    # ---- Trying it --------------------------------------------------------------------------

    def test_limit_sample_and_only(self):
        rows = table([[f"u{n}@example.net", n, "Rome"] for n in range(100)],
                     ["email", "id", "city"])

        def ids(*flags):
            run = self.rows(rows, *flags)
            self.assert_exit(run, 0)
            return [one["id"] for one in run.outcomes]
        self.assertEqual(ids("--limit", "3"), ["0", "1", "2"])
        self.assertEqual(ids("--only", "17"), ["17"])
        sample = ids("--sample", "10")
        self.assertEqual(len(set(sample)), 10)
        self.assertEqual(sample, sorted(sample, key=int))
        jobs = [simple_job(f"job-{n}", [f"u{n}@example.net"]) for n in range(5)]
        run = self.send(jobs, "smtp://nowhere.invalid", "--dry-run", "--limit", "2")
        self.assertEqual([one["id"] for one in run.outcomes], ["job-0", "job-1"])

    def test_to_me_alone(self):
        sink = self.keeping_sink()
        rows = "email,name,id,city\nann@example.net,Ann,1,Rome\nbob@example.net,Bob,2,Oslo\n"
        run = self.rows(rows, "--to-me", "me@example.org,you@example.org", "--only", "2",
                        endpoint=sink.endpoint())
        self.assert_exit(run, 0)
        self.assertEqual(self.told(run), {"me@example.org": "accepted",
                                          "you@example.org": "accepted"})
        report = sink.stop()
        self.assertEqual([one["to"] for one in report.record],
                         [["me@example.org", "you@example.org"]])
        message, = self.stored()["me@example.org"]
        self.assertEqual(message["Subject"], "News for Bob")
        self.assertNotIn("bob@example.net", message.as_string())

    def test_retry_from_outcomes(self):
        sink = self.sink()
        rows = table([[f"{name}@example.net", name, "Rome"]
                      for name in ("ann", "defer-bob", "carl", "defer-dora", "reject-eve")],
                     ["email", "id", "city"])
        run = self.rows(rows, "--max-attempts", "1", endpoint=sink.endpoint())
        self.assertEqual(run.statuses(), {"accepted": 2, "deferred": 2, "rejected": 1})
        first = self.write("first.jsonl.gz", (self.folder / OUTCOMES).read_bytes())
        again = self.rows(rows, "--max-attempts", "1", "--retry-from", first,
                          endpoint=sink.endpoint())
        self.assertEqual(sorted(one["id"] for one in again.outcomes), ["defer-bob", "defer-dora"])
        self.assert_exit(again, 5)

    # ---- Much -------------------------------------------------------------------------------

    @unittest.skipIf(is_sanitized(), "a sanitizer's memory says nothing")
    def test_memory_is_flat(self):
        path = self.folder / "many.csv"
        with path.open("w", encoding="utf-8") as out:
            out.write("email,city,note\n")
            for number in range(300_000):
                out.write(f'user{number}@example.net,City {number % 100},"a ""note""\n{number}"\n')
        program = self.start("send", "--template", self.template(), "--recipients", path,
                             "--dry-run", "-o", "/dev/null")
        peak = 0
        while program.is_alive():
            with suppress(FileNotFoundError, StopIteration, ProcessLookupError):
                peak = max(peak, program.peak_memory())
            time.sleep(0.02)
        run = program.wait()
        self.assert_exit(run, 0)
        self.assert_says(run, "300,000 valid, nothing was sent")
        self.assertLess(peak, 64 << 20, run.describe())


if __name__ == "__main__":
    unittest.main()
