"""`render`, and what `validate` and dry runs advise of newsletters."""

import email
import email.message
import email.policy
import os
import unittest

from support.jobs import write_jobs
from support.program import ProgramTest

JOBS = "jobs.jsonl"
PNG = "iVBORw0KGgo="
LOGO = {"filename": "logo.png", "content": PNG, "cid": "logo@example.com"}
ONE_CLICK = {"List-Unsubscribe": "<https://example.com/u>",
             "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def newsletter(**more):
    return {"id": "weekly", "from": "News <news@example.com>", "subject": "Grüße, {{name}}",
            "text": "Hallo {{name}}\n",
            "html": '<p>Hallo {{name}}</p>\n<img src="cid:logo@example.com">',
            "headers": ONE_CLICK, "attachments": [LOGO],
            "recipients": [{"email": "ann@example.net", "id": "s-1", "merge": {"name": "Änn"}},
                           {"email": "bob@example.net", "id": "s-2", "merge": {"name": "B & b"}}],
            **more}


def receipt(**more):
    return {"id": "r-1", "from": "shop@example.com", "to": "ann@example.net", "subject": "Paid",
            "html": "<p>Paid</p>", **more}


class Render(ProgramTest):
    def render(self, *flags, job=None, **variables):
        write_jobs(self.folder / JOBS, [job or newsletter()])
        return self.run_program("render", JOBS, *flags, **variables)

    def test_each_recipient_has_a_message(self):
        for who, name in (("s-2", "B & b"), ("BOB@example.net", "B & b"), ("s-1", "Änn")):
            with self.subTest(who):
                run = self.render("--recipient", who)
                self.assert_exit(run, 0)
                message = email.message_from_bytes(run.stdout, policy=email.policy.default)
                self.assertEqual(message["Subject"], f"Grüße, {name}")
                self.assertEqual(message.get_body(["plain"]).get_content().strip(), f"Hallo {name}")

    def test_a_saved_message_and_rows_of_recipients(self):
        """As a mail program saves it; a tag goes across a soft line break."""
        message = email.message.EmailMessage(policy=email.policy.SMTP)
        message["From"] = "Jörg Müller <news@example.com>"
        message["To"] = "nobody@example.com"
        message["Subject"] = "Grüße, {{name}}"
        message.set_content("Hallo {{name}}\n", charset="iso-8859-1")
        message.add_alternative("<p>" + "lang " * 20 + "{{name}} ü</p>", subtype="html",
                                cte="quoted-printable")
        (self.folder / "news.eml").write_bytes(message.as_bytes())
        (self.folder / "list.csv").write_text("email,name\nann@example.net,Änn\n"
                                              "bob@example.net,B & b\n", encoding="utf-8")
        run = self.run_program("render", "--template", "news.eml", "--recipients", "list.csv",
                               "--recipient", "bob@example.net")
        self.assert_exit(run, 0)
        read = email.message_from_bytes(run.stdout, policy=email.policy.default)
        self.assertEqual(read["From"], "Jörg Müller <news@example.com>")
        self.assertEqual(read["To"], "B & b <bob@example.net>")
        self.assertEqual(read["Subject"], "Grüße, B & b")
        self.assertEqual(read.get_body(["plain"]).get_content().strip(), "Hallo B & b")
        self.assertEqual(read.get_body(["html"]).get_content().strip(),
                         "<p>" + "lang " * 20 + "B &amp; b ü</p>")

    def test_nobody_of_that_name(self):
        run = self.render("--id", "weekly", "--recipient", "eve@example.net")
        self.assert_exit(run, 2)
        self.assertIn("there is no job with the id weekly for eve@example.net", run.stderr)

    def test_the_parts_alone(self):
        html = self.render("--recipient", "s-2", "--html")
        self.assertEqual(html.stdout.decode().rstrip("\n"),
                         '<p>Hallo B &amp; b</p>\n<img src="cid:logo@example.com">')
        self.assertEqual(self.render("--text").stdout.decode(), "Hallo Änn\n")
        self.assert_exit(self.render("--text", "--html"), 2)
        run = self.render("--text", job=receipt())
        self.assert_exit(run, 2)
        self.assertIn("the message has no text", run.stderr)

    def test_a_browser_gets_a_page_with_its_images(self):
        seen = self.folder / "seen.html"
        run = self.render("--browser", XDG_RUNTIME_DIR=str(self.folder), BROWSER=f"cp %s {seen}")
        self.assert_exit(run, 0)
        page = run.stdout.decode().strip()
        self.assertEqual(os.stat(page).st_mode & 0o777, 0o600)
        text = seen.read_bytes().decode("utf-8-sig")
        self.assertIn("<p>Hallo Änn</p>", text)
        self.assertIn(f"data:image/png;base64,{PNG}", text)

    def test_without_a_browser_the_file_is_named(self):
        empty = self.folder / "empty"
        empty.mkdir()
        run = self.render("--browser", XDG_RUNTIME_DIR=str(self.folder), BROWSER="no-such-browser",
                          PATH=str(empty))
        self.assert_exit(run, 0)
        self.assertIn("no browser has opened the page", run.stderr)
        with open(run.stdout.decode().strip(), encoding="utf-8-sig") as page:
            self.assertIn("Änn", page.read())


class Advice(ProgramTest):
    def advice(self, *jobs, flags=()):
        write_jobs(self.folder / JOBS, list(jobs))
        run = self.run_program("validate", JOBS, *flags)
        self.assert_exit(run, 0)
        return [line for line in run.stderr.splitlines() if line.startswith("warning: ")]

    def test_a_good_newsletter_and_a_receipt_are_advised_of_nothing(self):
        self.assertEqual(self.advice(newsletter(), receipt()), [])

    def test_what_it_lacks_is_said_once_with_a_count(self):
        said = self.advice(newsletter(headers={}))
        self.assertEqual(len(said), 1)
        self.assertTrue(said[0].startswith(
            f"warning: {JOBS}:1 (ann@example.net), with 1 other, has no List-Unsubscribe: "), said)

    def test_a_message_that_calls_itself_bulk(self):
        said = self.advice(receipt(headers={**ONE_CLICK, "Precedence": "bulk"}))
        self.assertEqual(len(said), 1)
        self.assertIn("has html and no text", said[0])

    def test_any_message_if_asked(self):
        said = self.advice(receipt(), flags=("--bulk",))
        self.assertEqual(len(said), 2)
        self.assertEqual(self.advice(receipt(), flags=("--bulk", "-q")), [])

    def test_a_long_page(self):
        said = self.advice(newsletter(html="<p>" + "x" * 104_500 + "</p>"))
        self.assertEqual(len(said), 1)
        self.assertIn("more than 102 KB", said[0])

    def test_a_dry_run_says_the_same(self):
        write_jobs(self.folder / JOBS, [newsletter(headers={}), receipt()])
        run = self.run_program("send", "--dry-run", "-o", "out.jsonl", JOBS)
        self.assertEqual(run.stderr.count("has no List-Unsubscribe"), 1, run.stderr)
        self.assertNotIn("has html and no text", run.stderr)


if __name__ == "__main__":
    unittest.main()
