"""Messages that were made of templates, as other implementations read what the server received.

Goal: what a template and a recipient's values make is what their text, filled in, would have made,
for all eight readers of compose_test, however literal and value meet. Method: templates are files
and recipients rows of a file. In some of them literals of one script meet values of others in each
column of a line; the others are the jobs of letters.py, cut at random places into literals and
values, with other people's values beside their own. `send` sends them to a sink that keeps the
octets, which have to be those that `render` prints; readers have to see what plain substitution
gives. One template has 20 MB of attachments.
"""

import base64
import html
import json
import os
import random
import subprocess
import time
import unittest
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import letters
from compose_test import NODE_MODULES, SEED, Reading, as_read_by, readers
from support.program import PASSWORD, PROGRAM, environment_of
from support.sink import SinkTest

# The same in each message, since `render` says what would be sent now.
DATE = "Mon, 30 Nov 2026 00:00:00 +0000"
COLUMNS = 77
LETTERS_CUT = 120
LARGE_BYTES = 20_000_000


def one_line(text):
    """What a field makes of characters that no field may have."""
    return "".join(" " if character < " " or character == "\x7f" else character
                   for character in text)


def in_field(pieces, values):
    """A field keeps the tabs of its template, and no control of a value."""
    return "".join(piece.literal if piece.name is None else one_line(values[piece.name])
                   for piece in pieces)


def in_url(text):
    return urllib.parse.quote(text, safe="-._~")


class Piece:
    """A literal, or a value by its name; `raw` is not escaped in html."""

    def __init__(self, literal="", name=None, raw=False):
        self.literal = literal
        self.name = name
        self.raw = raw

    def source(self):
        if self.name is None:
            return self.literal
        return f"{{{{{{{self.name}}}}}}}" if self.raw else f"{{{{{self.name}}}}}"

    def filled(self, values, is_html):
        if self.name is None:
            return self.literal
        value = values[self.name]
        return html.escape(value).replace("&#x27;", "&#39;") if is_html and not self.raw else value


def source_of(pieces):
    return "".join(piece.source() for piece in pieces)


def filled(pieces, values, is_html=False):
    return "".join(piece.filled(values, is_html) for piece in pieces)


class Newsletter:
    """A template, and what each of its recipients has to see."""

    def __init__(self, kind):
        self.kind = kind
        self.texts = {}    # field of a job: its pieces
        self.headers = {}  # likewise
        self.attachments = []
        self.recipients = []

    def template(self):
        made = {field: source_of(pieces) for field, pieces in self.texts.items() if field != "from"}
        made["from"] = f"\"{source_of(self.texts['from'])}\" <news@example.com>"
        made["headers"] = {"Date": DATE, **{
            name: source_of(pieces) for name, pieces in self.headers.items()}}
        if "unsubscribe" in self.texts:
            made["unsubscribe"] = source_of(self.texts["unsubscribe"])
        made["attachments"] = self.attachments
        return made

    def add(self, name, values):
        self.recipients.append({"id": f"r{len(self.recipients)}", "name": name, "values": values})

    def number(self, number):
        """Gives everybody an address that no other newsletter has."""
        for one in self.recipients:
            one["email"] = f"{one['id']}.n{number}@example.net"

    def rows(self):
        for one in self.recipients:
            yield {**{field: one[field] for field in ("id", "email", "name")},
                   "merge": one["values"]}

    def job(self, recipient):
        """The job that composes the same, in the words of letters.py."""
        values = recipient["values"]
        made = {field: filled(pieces, values, field == "html")
                for field, pieces in self.texts.items()}
        if "subject" in made:
            made["subject"] = in_field(self.texts["subject"], values)
        made["from"] = {"email": "news@example.com", "name": one_line(made["from"])}
        made["to"] = {"email": recipient["email"], "name": recipient["name"]}
        made["headers"] = {name: in_field(pieces, values).strip(" \t")
                           for name, pieces in self.headers.items()}
        if "unsubscribe" in made:
            quoted = {name: in_url(value) for name, value in values.items()}
            address = filled(self.texts["unsubscribe"], quoted)
            made["headers"]["List-Unsubscribe"] = f"<{address}>"
            del made["unsubscribe"]
        made["attachments"] = self.attachments
        return made


# ---- The corpus ---------------------------------------------------------------------------------


ODD_VALUES = (".", "..", "\r\n.\r\n", "a\nb", " ", "=", "=20", "{{v}}", "{{{v}}}", "<b>&amp;\"'",
              "--=_x", "From me", "x" * 1200, "é" * 700, "=?utf-8?q?a?=", "a?=")


def rotated(values, first, count):
    return [values[(first + 3 * step) % len(values)] for step in range(count)]


def seams(number, script, words):
    """Literals in one script, and people whose values are in some of the others: all newsletters
    together have each script beside ten."""
    made = Newsletter(f"seams of {script}")
    first, *_, last = words.split()
    solid = "".join(words.split())
    value, short = Piece(name="v"), Piece(name="short")
    made.texts = {
        "from": [Piece(f"{first} "), Piece(name="name")],
        "subject": [Piece(f"{solid} "), short, Piece(solid), short, Piece(f" {last}")],
        "text": [piece for column in range(COLUMNS)
                 for piece in (Piece("." * (column % 2) + "x" * column + solid), value,
                               Piece(last), value, Piece("\n"))],
        "html": [piece for column in range(COLUMNS)
                 for piece in (Piece("y" * column + last), Piece(name="v", raw=column % 2 == 0),
                               Piece(f"<br>{solid}"), value, Piece("\n"))],
        "unsubscribe": [Piece("https://example.com/u?n="), short, Piece("&m=1")]}
    made.headers = {"X-Note": [short, Piece(f" {words} "), short]}
    for name in rotated(list(letters.SCRIPTS.values()), number, 10):
        made.add(name, {"v": name, "short": name, "name": name})
    for odd in rotated(ODD_VALUES, number, 4):
        # A name has 512 octets at most and single blanks (Python), and a field no word that fits on
        # no line.
        made.add("Ann", {"v": odd, "short": odd[:40], "name": " ".join(odd[:40].split())})
    return made


class Cutter:
    """Cuts texts into literals and values, always in the same places for a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.values = {}

    def cut(self, text):
        """Pieces that give the text with self.values. Braces stand in values, since in a literal
        they would begin a tag, or go on with one."""
        pieces = []
        while text:
            count = self.random.choice((1, 2, 5, 17, 60, 200))
            part, text = text[:count], text[count:]
            if self.random.random() < 0.5 or "{" in part or "}" in part:
                name = f"v{len(self.values)}"
                self.values[name] = part
                pieces.append(Piece(name=name, raw=self.random.random() < 0.3))
            else:
                pieces.append(Piece(part))
        return pieces

    def newsletter(self, kind, job):
        self.values = {}
        made = Newsletter(kind)
        sender = job["from"] if isinstance(job["from"], dict) else {}
        name = sender.get("name", "News").replace('"', "'").replace("\\", "/")
        made.texts["from"] = self.cut(name)
        for field in ("subject", "text", "html"):
            if field in job:
                ordered = job[field].replace("\r\n", "\n")
                made.texts[field] = self.cut(ordered)
        if "X-Note" in job.get("headers", {}):
            made.headers["X-Note"] = self.cut(job["headers"]["X-Note"])
        made.attachments = job.get("attachments", [])
        made.add("", self.values)
        for _ in range(2):
            words = self.random.choice(list(letters.SCRIPTS.values()))
            others = {name: self.random.choice((words, words.split()[0], value, value + words))
                      for name, value in self.values.items()}
            made.add(words, others)
        return made


def cut_letters(seed):
    # Names are cut into values of one recipient, and so are long texts: what has neither is passed
    # over, and what no template has (lists of addresses, hidden recipients) is compose_test's.
    left_out = ("lists", "undisclosed", "header", "name", "solid name", "blanks in a name")
    fitting = [(kind, job) for kind, job in letters.letters(seed) if kind not in left_out]
    cutter = Cutter(seed)
    for kind, job in cutter.random.sample(fitting, LETTERS_CUT):
        yield cutter.newsletter(kind, job)


def large():
    made = Newsletter("large attachments")
    octets = random.Random(1).randbytes(LARGE_BYTES // 2)
    made.texts = {"from": [Piece("News")], "subject": [Piece("Für "), Piece(name="v")],
                  "text": [Piece("Привет "), Piece(name="v"), Piece("\n")]}
    made.attachments = [{"filename": name, "content": base64.b64encode(octets).decode()}
                        for name in ("größe.pdf", "b.bin")]
    for words in list(letters.SCRIPTS.values())[:3]:
        made.add(words, {"v": words})
    return made


def newsletters(seed):
    for number, (script, words) in enumerate(letters.SCRIPTS.items()):
        yield seams(number, script, words)
    yield from cut_letters(seed)
    yield large()


# ---- The test -----------------------------------------------------------------------------------


class TemplateMailTest(SinkTest):
    def write(self, number, newsletter):
        folder = self.folder / f"{number:03}"
        folder.mkdir()
        newsletter.number(number)
        (folder / "news.json").write_text(json.dumps(newsletter.template()), encoding="utf-8")
        with open(folder / "list.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in newsletter.rows())
        return folder

    def run_in(self, folder, *arguments):
        done = subprocess.run(
            [PROGRAM, *arguments, "--template", "news.json", "--recipients", "list.jsonl"],
            cwd=folder, capture_output=True, check=False, timeout=300,
            env=environment_of(folder, RINGPOST_PASSWORD=PASSWORD))
        said = done.stderr.decode() + done.stdout.decode(errors="replace")[:3000]
        self.assertEqual(done.returncode, 0, f"{folder.name}: {arguments}\n{said}")
        return done.stdout

    def send_all(self, corpus):
        """What the sink has received, by recipient."""
        store = self.folder / "store"
        store.mkdir()
        sink = self.sink("--record-content", store)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda one: self.run_in(one[0], "send", "-e", sink.endpoint()), corpus))
        report = sink.stop()
        self.assert_strict(report)
        return {one["to"][0]: store / f"{one['session']}-{one['message']}.eml"
                for one in report.record}

    def check_octets(self, content, rendered, kind):
        self.assertEqual(content, rendered)
        self.assertTrue(content.isascii() or kind == "message")
        self.assertTrue(content.endswith(b"\r\n"))
        self.assertLessEqual(max(map(len, content.split(b"\r\n"))), 998)
        self.assertEqual(content.count(b"\r"), content.count(b"\r\n"))
        self.assertEqual(content.count(b"\n"), content.count(b"\r\n"))

    def check_rendered(self, folder, newsletter, received):
        """Each octet of each message."""
        for one in newsletter.recipients:
            rendered = self.run_in(folder, "render", "--recipient", one["id"])
            with self.subTest(kind=newsletter.kind, recipient=one):
                self.check_octets(received[one["email"]].read_bytes(), rendered,
                                  newsletter.kind)

    def read(self, name, command, count):
        environment = {**os.environ, "NODE_PATH": str(NODE_MODULES), "LC_ALL": "C.UTF-8"}
        done = subprocess.run([*command, str(self.folder / "read")], capture_output=True,
                              timeout=600, check=False, env=environment)
        self.assertEqual(done.returncode, 0, f"{name}: {done.stderr.decode(errors='replace')}")
        readings = [json.loads(line) for line in done.stdout.decode().split("\n") if line]
        self.assertEqual(len(readings), count, name)
        return readings

    def check_readings(self, name, letters_sent, seen):
        for (newsletter, recipient), one in zip(letters_sent, seen, strict=True):
            reading = Reading(name, newsletter.kind, newsletter.job(recipient), one)
            for field, wanted, found in reading.differences():
                with self.subTest(reader=name, kind=newsletter.kind, field=field,
                                  recipient=recipient):
                    self.assertEqual(as_read_by(name, newsletter.kind, field, wanted), found)

    def test_eight_readers_see_what_the_template_says(self):
        print(f"seed {SEED}")
        corpus = [(self.write(number, newsletter), newsletter)
                  for number, newsletter in enumerate(newsletters(SEED))]
        received = self.send_all(corpus)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda one: self.check_rendered(*one, received), corpus))
        letters_sent = [(newsletter, recipient) for _, newsletter in corpus
                        for recipient in newsletter.recipients]
        self.assertEqual(len(letters_sent), len(received))
        (self.folder / "read").mkdir()
        for number, (_, recipient) in enumerate(letters_sent):
            received[recipient["email"]].rename(self.folder / "read" / f"{number:05}.eml")
        for name, command in readers().items():
            if command is None:
                print(f"left out: {name} is not on this machine")
                continue
            began = time.monotonic()
            self.check_readings(name, letters_sent, self.read(name, command, len(letters_sent)))
            print(f"{name}: {len(letters_sent)} messages in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    unittest.main()
