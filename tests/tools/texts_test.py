"""What users read when settings are wrong stays word for word, wherever a rule is checked.

Goal: flags, variables, files and URLs go one way to an endpoint, and no change of that way changes
what people and their scripts know. Method: settings/answers.corpus holds commands, files and the
words of the answer, and each is asked of the program again. A line `$` is a command, `|` a line of
its configuration file, `=` a variable, `>` a line of the answer, `+` more of any of them. After a
change that was meant, write it anew with: texts_test.py --write
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support.program import PROGRAM

TEXT_COLUMNS = 98
TEXTS = Path(__file__).parent / "settings" / "answers.corpus"


class Case:
    """One command, what it finds, and what is known of its answer."""

    def __init__(self, command):
        self.command = command
        self.file, self.variables, self.answer = [], {}, []

    def asked(self):
        """The lines that the program answers now, the exit code first."""
        with tempfile.TemporaryDirectory() as folder:
            if self.file:
                Path(folder, "ringpost.toml").write_text("\n".join(self.file) + "\n",
                                                         encoding="utf-8")
            environment = {name: value for name, value in os.environ.items()
                           if not name.startswith("RINGPOST_")}
            environment |= {"HOME": folder, "XDG_CONFIG_HOME": folder} | self.variables
            run = subprocess.run([str(PROGRAM), *self.command.split()], cwd=folder,
                                 env=environment, input="", capture_output=True, text=True,
                                 timeout=60, check=False)
        return [f"exit {run.returncode}", *(run.stdout + run.stderr).splitlines()]

    def lines(self, answer):
        """The case as it stands in the file."""
        rows = [("$", self.command), *(("=", f"{name}={value}")
                                       for name, value in self.variables.items()),
                *(("|", line) for line in self.file), *((">", line) for line in answer)]
        return [line for kind, text in rows for line in folded(kind, text.rstrip())]


def folded(kind, text):
    """`text` as lines of the file, none of them too long and none with a blank at its end."""
    while len(text) > TEXT_COLUMNS:
        length = len(text[:TEXT_COLUMNS].rstrip())
        yield f"{kind} {text[:length]}"
        kind, text = "+", text[length:]
    yield f"{kind} {text}".rstrip()


def unfolded(lines):
    """Each line's kind and text, with what was folded in one piece again."""
    rows = []
    for line in lines:
        if line.startswith("+"):
            rows[-1][1] += line[2:]
        else:
            rows.append([line[:1], line[2:]])
    return rows


def read_cases():
    """All of answers.corpus."""
    cases = []
    for kind, text in unfolded(TEXTS.read_text(encoding="utf-8").splitlines()):
        if kind == "$":
            cases.append(Case(text))
        elif kind == "|":
            cases[-1].file.append(text)
        elif kind == "=":
            name, _, value = text.partition("=")
            cases[-1].variables[name] = value
        elif kind == ">":
            cases[-1].answer.append(text)
    return cases


class TextsTest(unittest.TestCase):
    """The corpus."""

    def test_every_text_is_as_it_was(self):
        """Each command is answered as the file says."""
        cases = read_cases()
        self.assertGreater(len(cases), 100)
        for case in cases:
            with self.subTest(command=case.command, file=case.file):
                self.assertEqual([line.rstrip() for line in case.asked()], case.answer)


def write():
    """Puts today's answers into the file."""
    blocks = ["\n".join(case.lines(case.asked())) for case in read_cases()]
    TEXTS.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        unittest.main()
