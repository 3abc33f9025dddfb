"""What README.md and docs show is typed by this test, as a reader would.

Goal: no command stands in a page that does not do what the page says. Method: the blocks of a
page that are `sh` run in their order in one shell, in a folder of their own, against the server
that the page itself starts; a block with `file=NAME` is that file. A page that continues another
one begins with the blocks of that. `exit=N` is the exit code of a block's last command,
`exit=N|M` one of two where that depends on the machine, else all of them end with 0. `not-run:
REASON` is for what cannot run here. Limits: what is printed is not compared, other tests have
that; the sink's port is one that is free here.
"""

import os
import random
import re
import signal
import socket
import subprocess
import unittest
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from support.program import PROGRAM, environment_of
from support.workspace import temporary_folder

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
# Long pages take seconds; only a hang comes that far.
SECONDS_MAX = 300
SINK_PORT = "2587"
NOT_RUN_MAX = 14
FENCE = re.compile(r"^```(.*?)\n(.*?)^```$", flags=re.M | re.S)
CONTINUES = re.compile(r"<!-- continues: (\S+) -->")


@dataclass
class Block:
    """A fenced block: the words behind the fence, and what is in it."""

    words: str
    text: str

    @property
    def language(self):
        return self.words.split(" ")[0]

    @property
    def reason(self):
        """Why it does not run; None: it does."""
        return self.words.partition("not-run:")[2].strip() if "not-run:" in self.words else None

    @property
    def file(self):
        found = re.search(r"\bfile=(\S+)", self.words)
        return found and found.group(1)

    @property
    def exit_codes(self):
        found = re.search(r"\bexit=([\d|]+)", self.words)
        return found.group(1) if found else "0"


def pages():
    return [ROOT / "README.md", *sorted(path for path in DOCS.rglob("*.md")
                                        if path.parent.name != "reference"
                                        and path.name != "CONTRACT.md")]


def blocks_of(page):
    text = page.read_text(encoding="utf-8")
    continued = CONTINUES.search(text)
    before = blocks_of((page.parent / continued.group(1)).resolve()) if continued else []
    return before + [Block(*found) for found in FENCE.findall(text)]


def runs(block):
    return block.language == "sh" and block.reason is None


def step(block):
    """A block as a part of the script."""
    if block.file:
        return f"cat > {block.file} <<'END-OF-FILE'\n{block.text}END-OF-FILE\n"
    if block.exit_codes != "0":
        *before, last = block.text.splitlines()
        wanted = block.exit_codes
        return "\n".join(["set -e", *before, "set +e", last, "code=$?", "set -e",
                          f"case $code in {wanted}) ;; *) echo exit $code, not {wanted}; exit 99;;"
                          " esac", ""])
    # Who reads types slowly; a server in the background is there by the next command.
    is_server = re.search(r"&\s*$", block.text)
    wait = (f"until (: < /dev/tcp/127.0.0.1/{SINK_PORT}) 2> /dev/null; do kill -0 $!; sleep 0.05; "
            "done\n" if is_server else "")
    return f"set -e\n{block.text}{wait}"


def free_port():
    """None of those that the kernel gives to whoever connects: it might be taken meanwhile."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return str(port)


class Docs(unittest.TestCase):
    """README.md and docs, but for what is printed by the program (pages_test)."""

    def test_every_command_does_what_the_page_says(self):
        for page in pages():
            wanted = [block for block in blocks_of(page) if block.file or runs(block)]
            if any(map(runs, wanted)):
                with self.subTest(page=page.relative_to(ROOT)):
                    self.type_in(wanted)

    def type_in(self, blocks):
        folder = temporary_folder(self.addCleanup)
        script = "set -x\n" + "".join(map(step, blocks))
        script = script.replace(SINK_PORT, free_port())
        environment = environment_of(folder)
        environment["PATH"] = f"{Path(PROGRAM).parent}:{environment['PATH']}"
        with open(folder / "typed.log", "wb") as log, subprocess.Popen(
                ["bash", "-c", script], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True) as process:
            try:
                code = process.wait(SECONDS_MAX)
            finally:
                # The server that the page has begun, too.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
        said = (folder / "typed.log").read_text(encoding="utf-8", errors="replace")
        self.assertEqual(code, 0, said[-4000:])

    def test_no_command_hides_from_the_test(self):
        """One behind a prompt, or in a block without a language, would not be run."""
        for page in pages():
            for block in blocks_of(page):
                with self.subTest(page=page.relative_to(ROOT), block=block.text[:60]):
                    self.assertTrue(block.words, "say its language: sh, json, toml, csv, text")
                    self.assertNotIn("console", block.words)
                    self.assertNotRegex(block.text, r"(?m)^\$ ")

    def test_what_is_not_run_is_little_and_says_why(self):
        reasons = [(page.name, block.reason) for page in pages()
                   for block in FENCE.findall(page.read_text(encoding="utf-8"))
                   for block in [Block(*block)] if block.reason is not None]
        self.assertLessEqual(len(reasons), NOT_RUN_MAX, reasons)
        for page, reason in reasons:
            self.assertGreater(len(reason), 8, page)

    def test_links_lead_somewhere(self):
        for page in [*pages(), *(DOCS / "reference").glob("*.md")]:
            text = FENCE.sub("", page.read_text(encoding="utf-8"))
            for target in re.findall(r"\]\(([^)\s]+)\)", text):
                if "://" in target:
                    continue
                with self.subTest(page=page.relative_to(ROOT), link=target):
                    name, _, anchor = target.partition("#")
                    path = (page.parent / name).resolve() if name else page
                    self.assertTrue(path.exists(), "there is no such file")
                    if anchor:
                        self.assertIn(anchor, anchors(path))

    def test_every_page_is_in_the_index(self):
        index = (DOCS / "README.md").read_text(encoding="utf-8")
        for page in pages():
            if page.is_relative_to(DOCS) and page.name != "README.md":
                self.assertIn(f"({page.relative_to(DOCS)})", index)


def anchors(page):
    """Of its headings, as GitHub makes them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for title in re.findall(r"^#+ (.*)$", text, flags=re.M):
        yield re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


if __name__ == "__main__":
    unittest.main()
