"""`manual`: each command, flag, field and key has its place, and groff has nothing to say."""

import json
import re
import shutil
import subprocess
import unittest

from support.program import ProgramTest


def shown(page):
    """As a terminal shows it, without its overstrikes and its broken words."""
    done = subprocess.run(["groff", "-man", "-ww", "-Tascii", "-P-c", "-P-b", "-P-u", "-rLL=200n"],
                          input=page, capture_output=True, check=True)
    return done.stdout.decode(), done.stderr.decode()


class Manual(ProgramTest):
    def page(self, name):
        run = self.run_program("manual", name)
        self.assert_exit(run, 0)
        return run.stdout

    def names(self):
        run = self.run_program("manual")
        self.assert_exit(run, 2)
        return run.stderr.replace("\n", " ").split("the pages are ")[1].strip().split(", ")

    def test_every_command_has_a_page_with_every_flag(self):
        listed = self.run_program("--help").stdout.decode().split("Commands:\n")[1].split("\n\n")[0]
        commands = re.findall(r"^  ([a-z]+) ", listed, re.MULTILINE)
        self.assertGreater(len(commands), 12)
        for command in commands:
            with self.subTest(command):
                self.assertIn(f"ringpost-{command}", self.names())
                page = self.page(command).decode().replace("\\-", "-")
                self.assertIn(f"ringpost\\-{command}(1)", self.page("ringpost").decode())
                text = self.run_program(command, "--help").stdout.decode()
                for flag in re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", text, re.MULTILINE):
                    self.assertIn(flag, page)

    def test_every_field_and_key_has_an_item(self):
        for page, schema in (("ringpost-jobs", ("validate", "--schema", "jobs")),
                             ("ringpost-outcomes", ("validate", "--schema", "outcomes")),
                             ("ringpost.toml", ("config", "schema"))):
            fields = set()

            def gather(value):
                if isinstance(value, dict):
                    if isinstance(value.get("properties"), dict):
                        fields.update(value["properties"])
                    for one in value.values():
                        gather(one)
                elif isinstance(value, list):
                    for one in value:
                        gather(one)

            gather(json.loads(self.run_program(*schema).stdout))
            text = self.page(page).decode().replace("\\-", "-")
            items = set(re.findall(r'^\.TP\n\.B "(.*)"$', text, re.MULTILINE))
            for field in sorted(fields):
                with self.subTest(page=page, field=field):
                    self.assertTrue(field in items or field in text, field)

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_groff_shows_what_stands_there(self):
        for name in self.names():
            with self.subTest(name):
                text, complaints = shown(self.page(name))
                self.assertEqual(complaints, "")
                for title in ("NAME", "SEE ALSO"):
                    self.assertIn(title, text)
        text, _ = shown(self.page("send"))
        for words in ("--recipients FILE", "'", "`ringpost presets`", "EXIT STATUS",
                      "ringpost send -e sendgrid -o"):
            self.assertIn(words, text)
        text, _ = shown(self.page("ringpost.toml"))
        self.assertIn('endpoint = ["ses"]', text)
        self.assertIn("RINGPOST_MAX_ATTEMPTS", text)

    def test_all_of_them_into_a_folder(self):
        self.assert_exit(self.run_program("manual", "--directory", "man"), 0)
        written = {path.name for path in (self.folder / "man").glob("man?/*")}
        self.assertIn("ringpost-send.1", written)
        self.assertIn("ringpost.toml.5", written)
        self.assertEqual(len(written), len(self.names()))
        (self.folder / "file").write_text("", encoding="ascii")
        run = self.run_program("manual", "--directory", "file")
        self.assert_exit(run, 1)
        self.assertIn("file/man1/ringpost.1: cannot be written", run.stderr)
        run = self.run_program("manual", "sned")
        self.assert_exit(run, 2)
        self.assertIn('there is no page "sned"', run.stderr)


if __name__ == "__main__":
    unittest.main()
