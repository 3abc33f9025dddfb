"""Composed messages as other implementations read them: each of the corpus by each reader.

Method: `ringpost render` makes a message of every job of letters.py; the programs in readers/ say
what their libraries see in it; and each has to see what the job says: structure, subject, names,
addresses, texts, names and octets of attachments. What no form of a message can give to a reader
stands in DEVIATIONS. A reader that is not on this machine is named and left out.
"""

import base64
import email
import email.policy
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import letters
from support.workspace import Workspace

ROOT = Path(__file__).parents[2]
PROGRAM = os.environ.get("RINGPOST", str(ROOT / "build/release/ringpost"))
SEED = int(os.environ.get("RINGPOST_TEST_SEED", "20261120"))
READERS = Path(__file__).parent / "readers"
NODE_MODULES = ROOT / "build/readers/mail_readers/node_modules"
JAR = Path("/usr/share/java/javax.mail.jar")


def npm_reader(name):
    there = (NODE_MODULES / name).is_dir() and shutil.which("node")
    return ["node", str(READERS / "read_with_npm.js"), name] if there else None


def script_reader(interpreter, script, probe):
    """The command, when what the script needs is there."""
    if not shutil.which(interpreter):
        return None
    done = subprocess.run([interpreter, *probe], capture_output=True, check=False)
    return [interpreter, str(READERS / script)] if done.returncode == 0 else None


def java_reader():
    if not JAR.exists() or not shutil.which("javac"):
        return None
    return ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", str(JAR),
            str(READERS / "ReadWithJavaMail.java")]


def readers():
    """Name and command; None instead of a command where the reader is not on this machine."""
    gmime = "import gi; gi.require_version('GMime', '3.0'); from gi.repository import GMime"
    return {
        "python": [sys.executable, "-B", str(READERS / "read_with_python.py")],
        "gmime": script_reader("/usr/bin/python3", "read_with_gmime.py", ["-c", gmime]),
        "email-mime": script_reader("perl", "read_with_email_mime.pl", ["-MEmail::MIME", "-e1"]),
        "mime-tools": script_reader("perl", "read_with_mime_tools.pl", ["-MMIME::Parser", "-e1"]),
        "mailparser": npm_reader("mailparser"),
        "postal-mime": npm_reader("postal-mime"),
        "javamail": java_reader(),
        "ruby-mail": script_reader("ruby", "read_with_ruby_mail.rb", ["-rmail", "-e1"]),
    }


# ---- What the job says --------------------------------------------------------------------------


def mailbox(given):
    if isinstance(given, str):
        given = {"email": given}
    return [given.get("name", "").strip(" "), given["email"].replace("exämple", "xn--exmple-cua")]


def mailboxes(given):
    given = given or []
    return [mailbox(one) for one in (given if isinstance(given, list) else [given])]


def content_type(part):
    given = part.get("content_type")
    if given:
        return given.partition(";")[0]
    ending = part.get("filename", "").strip(" ").rpartition(".")[2].lower()
    known = {"pdf": "application/pdf", "png": "image/png", "txt": "text/plain", "html": "text/html",
             "csv": "text/csv", "ics": "text/calendar", "vcf": "text/vcard",
             "json": "application/json", "xml": "application/xml", "svg": "image/svg+xml"}
    named = "." in part.get("filename", "")
    return known.get(ending, "application/octet-stream") if named else "application/octet-stream"


def attachment(part):
    octets = base64.b64decode(part["content"])
    inner = None
    if content_type(part) == "message/rfc822":
        octets, inner = b"", ["inner", octets.decode().rpartition("\r\n\r\n")[2].strip()]
    return {"name": part.get("filename"), "type": content_type(part),
            "sha256": hashlib.sha256(octets).hexdigest(), "cid": part.get("cid"), "inner": inner}


def texts(job):
    """Text and html as parts: one without a character is none when there is another."""
    text, html = (job.get(field) for field in ("text", "html"))
    given = [one.removeprefix("\ufeff") if one is not None else None for one in (text, html)]
    if given[1] == "" and (given[0] is not None or not job.get("attachments")):
        given = [given[0] or "", None]
    elif given[1] == "":
        given[1] = None
    elif given[0] == "" and given[1] is not None:
        given[0] = None
    return given


def outline(kind, children):
    return children[0] if len(children) == 1 else f"multipart/{kind}({','.join(children)})"


def expected(job):
    text, html = texts(job)
    parts = job.get("attachments", [])
    inline = [one for one in parts if "cid" in one and html is not None]
    attached = [one for one in parts if one not in inline]
    bodies = ["text/plain"] if text is not None else []
    if html is not None:
        bodies.append(outline("related", ["text/html", *map(content_type, inline)]))
    children = [outline("alternative", bodies)] if bodies else []
    headers = job.get("headers", {})
    return {"subject": job.get("subject"), "from": mailboxes(job["from"]),
            "reply_to": mailboxes(job.get("reply_to")), "to": mailboxes(job.get("to")),
            "cc": mailboxes(job.get("cc")), "message_id": headers.get("Message-ID"),
            "references": headers.get("References"), "unsubscribe": headers.get("List-Unsubscribe"),
            "note": headers.get("X-Note"),
            "structure": outline("mixed", [*children, *map(content_type, attached)]),
            "text": text, "html": html,
            "attachments": [attachment(one) for one in inline + attached]}


# ---- What a reader says -------------------------------------------------------------------------


def tidied(field, value):
    """Without the differences that are the readers' ways of saying the same."""
    if field in ("text", "html"):
        # A message ends with a line end, lines end with what the reader's system has, and for some
        # an empty text is none: `structure` knows better.
        return value.replace("\r\n", "\n").rstrip("\n") or None if value else None
    if field == "subject":
        return value or ""
    if field == "attachments":
        # In the order of their octets: some list those of the html behind all others.
        tidy = [{**one, "name": one["name"] or "",
                 "inner": one["inner"] and [line and line.strip() for line in one["inner"]]}
                for one in value]
        return sorted(tidy, key=lambda one: json.dumps(one, sort_keys=True))
    if field in ("from", "reply_to", "to", "cc"):
        return [[name or "", address] for name, address in value]
    return value


class Reading:
    """What one reader says of one message, beside what the job says."""

    def __init__(self, reader, kind, job, seen):
        self.reader = reader
        self.kind = kind
        self.job = job
        self.seen = seen

    def differences(self):
        if "error" in self.seen:
            yield "error", None, self.seen["error"]
            return
        for field, wanted in expected(self.job).items():
            if field not in self.seen or field == "message_id" and wanted is None:
                continue
            wanted, found = tidied(field, wanted), tidied(field, self.seen[field])
            if wanted != found:
                yield field, wanted, found


# ---- What no form can give them -----------------------------------------------------------------


def renamed(rename):
    """Attachments with the names that a reader makes of theirs."""
    return lambda wanted: tidied("attachments",
                                 [{**one, "name": rename(one["name"])} for one in wanted])


def with_calendar_line_ends(wanted):
    octets = hashlib.sha256("ics é\n".encode()).hexdigest()
    return tidied("attachments", [
        {**one, "sha256": octets} if one["type"] == "text/calendar" else one for one in wanted])


def readdressed(old, new):
    return lambda wanted: [[name, address.replace(old, new)] for name, address in wanted]


A_LABEL = ("xn--exmple-cua", "exämple")
# Reader, kind of letter, field, what the reader makes of it, and why.
DEVIATIONS = (
    ("python", "file name", "attachments", renamed(str.strip),
     "takes blanks off the ends of a name, percent-encoded ones, too"),
    ("python", "blanks in a name", "to", lambda wanted: [["Jörg Müller", wanted[0][1]]],
     "makes one blank of those in a row, unless they stand in a quoted string"),
    ("email-mime", "false name", "attachments", renamed(lambda name: ""), "to Perl \"0\" is false"),
    ("mime-tools", "undisclosed", "to", lambda wanted: [["", "undisclosed-recipients:"]],
     "takes a group without members for an address"),
    ("postal-mime", "file name", "attachments", renamed(lambda name: name.replace(
        "=?utf-8?q?a?=", "a")), "decodes what looks like an encoded word, percent-encoded, too"),
    ("ruby-mail", "file name", "attachments", renamed(lambda name: name.replace(
        "=?utf-8?q?a?=", "a")), "likewise"),
    ("postal-mime", "text parts", "attachments", with_calendar_line_ends,
     "gives the octets of a calendar with line ends of its own"),
    ("gmime", "lists", "to", readdressed(*A_LABEL), "shows A-labels as what they stand for"),
    ("mailparser", "lists", "to", readdressed(*A_LABEL), "likewise"),
    ("postal-mime", "lists", "to", readdressed('"', ""), "takes the quotes off a local part"),
)


def as_read_by(reader, kind, field, wanted):
    for one in DEVIATIONS:
        if one[:3] == (reader, kind, field):
            return one[3](wanted)
    return wanted


class ComposeTest(Workspace):
    def setUp(self):
        super().setUp()
        print(f"seed {SEED}")
        self.letters = list(letters.letters(SEED))
        with ThreadPoolExecutor(4) as pool:
            for status, text in pool.map(self.render, *zip(
                    *((number, job) for number, (_, job) in enumerate(self.letters)))):
                self.assertEqual(status, 0, text)

    def render(self, number, job):
        done = subprocess.run([PROGRAM, "render", "-"], input=json.dumps(job).encode() + b"\n",
                              capture_output=True, timeout=60, check=False)
        if done.returncode == 0:
            (self.folder / f"{number:04}.eml").write_bytes(done.stdout)
        return done.returncode, done.stderr.decode(errors="replace")

    def read(self, name, command):
        environment = {**os.environ, "NODE_PATH": str(NODE_MODULES), "LC_ALL": "C.UTF-8"}
        done = subprocess.run([*command, str(self.folder)], capture_output=True, timeout=300,
                              check=False, env=environment)
        self.assertEqual(done.returncode, 0, f"{name}: {done.stderr.decode(errors='replace')}")
        readings = [json.loads(line) for line in done.stdout.decode().split("\n") if line]
        self.assertEqual(len(readings), len(self.letters), name)
        return [Reading(name, *letter, seen)
                for letter, seen in zip(self.letters, readings, strict=True)]

    def test_messages_are_what_may_be_sent(self):
        """7 bits but for attached messages, CRLF, lines that fit, and every field once."""
        for number, (kind, job) in enumerate(self.letters):
            content = (self.folder / f"{number:04}.eml").read_bytes()
            with self.subTest(number=number, kind=kind, job=job):
                self.assertTrue(content.isascii() or kind == "message")
                self.assertTrue(content.endswith(b"\r\n"))
                for line in content.split(b"\r\n"):
                    self.assertLessEqual(len(line), 998)
                    self.assertNotIn(b"\r", line)
                    self.assertNotIn(b"\n", line)
                message = email.message_from_bytes(content, policy=email.policy.SMTP)
                for name in ("Date", "Message-ID", "MIME-Version", "From", "To"):
                    self.assertEqual(len(message.get_all(name)), 1, name)
                for part in message.walk():
                    self.assertEqual(part.defects, [])

    def test_every_reader_sees_what_the_job_says(self):
        for name, command in readers().items():
            if command is None:
                print(f"left out: {name} is not on this machine")
                continue
            began = time.monotonic()
            readings = self.read(name, command)
            for number, reading in enumerate(readings):
                for field, wanted, found in reading.differences():
                    with self.subTest(reader=name, kind=reading.kind, number=number, field=field,
                                      job=reading.job):
                        self.assertEqual(as_read_by(name, reading.kind, field, wanted), found)
            print(f"{name}: {len(readings)} messages in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    unittest.main()
