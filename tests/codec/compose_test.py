"""Composed messages as another implementation reads them: Python's email package.

Method: jobs are made from a printed seed, out of everything that headers and parts find hard; each
is rendered by `ringpost render` and must come back part by part and octet by octet.
"""

import base64
import email
import email.policy
import email.utils
import json
import os
import random
import re
import subprocess
import unittest
from email.header import decode_header, make_header
from pathlib import Path

PROGRAM = os.environ.get("RINGPOST", str(Path(__file__).parents[2] / "build/release/ringpost"))
SEED = int(os.environ.get("RINGPOST_TEST_SEED", "20261120"))
JOBS = 120

# No word makes a name in quotes or brackets: Python takes those off file names once too often.
WORDS = ("abc", "Hello", "wörld", "Grüße", "Привет", "日本語", "😀", "--=_foo", "a,b", "q\"",
         "\\", "(c)", "<t", ".", ";", "x" * 30, "é" * 20, "y" * 70, "it's", "100%")



def unfolded(text):
    return re.sub(r"[ \t]+", " ", text.replace("\r\n", "")).strip()


def decoded(header):
    return unfolded(str(make_header(decode_header(header.replace("\r\n", "")))))


class JobMaker:
    """Random jobs, always the same ones for a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, probability):
        return self.random.random() < probability

    def words(self, count_max):
        count = self.random.randint(1, count_max)
        return " ".join(self.random.choice(WORDS) for _ in range(count))

    def line(self):
        kind = self.random.randrange(10)
        special = {0: "", 1: "." + self.words(3), 2: self.words(4) + " ", 3: "From me",
                   4: "x" * self.random.randint(990, 3000)}
        return special.get(kind) if kind in special else self.words(20)

    def text(self):
        newline = self.random.choice(("\n", "\r\n"))
        lines = [self.line() for _ in range(self.random.randint(0, 12))]
        return newline.join(lines) + self.random.choice(("", newline))

    def address(self):
        local = self.random.choice(("a", "b.c", "x+y", "'o'"))
        domain = self.random.choice(("example.com", "exämple.org"))
        return {"email": f"{local}@{domain}", "name": self.random.choice(("", self.words(6)))}

    def attachment(self, number):
        size = self.random.choice((0, 1, 2, 57, 58, 500))
        names = ("a.pdf", "ü.png", self.words(8), "x" * 100 + ".txt")
        part = {"content": base64.b64encode(self.random.randbytes(size)).decode(),
                "filename": self.random.choice(names)}
        if self.chance(0.4):
            part["cid"] = f"c{number}@x"
        if self.chance(0.4):
            part["content_type"] = self.random.choice(
                ("text/csv; charset=utf-8", "image/x-foo", 'application/x; a="b;c"; d=e'))
        return part

    def job(self):
        job = {"from": self.address(), "subject": self.words(self.random.choice((1, 5, 40))),
               "to": [self.address() for _ in range(self.random.randint(1, 6))]}
        if self.chance(0.3):
            job["cc"] = [self.address()]
        if self.chance(0.3):
            job["reply_to"] = self.address()
        if self.chance(0.7):
            job["text"] = self.text()
        if self.chance(0.7) or "text" not in job:
            job["html"] = self.text()
        if self.chance(0.5):
            count = self.random.randint(1, 4)
            job["attachments"] = [self.attachment(number) for number in range(count)]
        if self.chance(0.4):
            long_address = "<https://example.com/" + "u" * 300 + ">, <mailto:x@y>"
            job["headers"] = {"X-Note": [self.words(30), self.words(3)],
                              "List-Unsubscribe": long_address}
        return job


class ComposeTest(unittest.TestCase):
    def render(self, job):
        done = subprocess.run([PROGRAM, "render", "-"], input=json.dumps(job).encode() + b"\n",
                              capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
        return done.stdout

    def test_messages_are_read_back(self):
        """Every header and every part of random jobs."""
        maker = JobMaker(SEED)
        for number in range(JOBS):
            job = maker.job()
            with self.subTest(seed=SEED, number=number, job=job):
                self.check(job, self.render(job))

    def check(self, job, content):
        self.check_octets(content)
        message = email.message_from_bytes(content)
        self.check_headers(job, message)
        strict = email.message_from_bytes(content, policy=email.policy.SMTP)
        for part in strict.walk():
            self.assertEqual(part.defects, [])
        leaves = [part for part in strict.walk() if not part.is_multipart()]
        kinds = (("text/plain", "text"), ("text/html", "html"))
        texts = [(kind, job[field]) for kind, field in kinds if field in job]
        self.check_texts(texts, leaves[:len(texts)], len(leaves) == 1)
        self.check_attachments(job, leaves[len(texts):])

    def check_octets(self, content):
        self.assertTrue(content.isascii())
        self.assertTrue(content.endswith(b"\r\n"))
        for line in content.split(b"\r\n"):
            self.assertLessEqual(len(line), 998)
            self.assertNotIn(b"\r", line)
            self.assertNotIn(b"\n", line)

    def check_headers(self, job, message):
        self.assertEqual(decoded(message["Subject"]), unfolded(job["subject"]))
        for name in ("Date", "Message-ID", "MIME-Version", "From", "To"):
            self.assertEqual(len(message.get_all(name)), 1)
        for name, field in (("From", "from"), ("To", "to"), ("Cc", "cc"), ("Reply-To", "reply_to")):
            if field not in job:
                self.assertNotIn(name, message)
                continue
            wanted = job[field] if isinstance(job[field], list) else [job[field]]
            found = email.utils.getaddresses([message[name].replace("\r\n", "")])
            self.assertEqual(
                [(decoded(shown), address) for shown, address in found],
                [(unfolded(one["name"]), one["email"].replace("exämple", "xn--exmple-cua"))
                 for one in wanted])
        for name, values in job.get("headers", {}).items():
            values = values if isinstance(values, list) else [values]
            self.assertEqual([decoded(value) for value in message.get_all(name)],
                             [unfolded(value) for value in values])

    def check_texts(self, wanted, parts, alone):
        for (kind, text), part in zip(wanted, parts, strict=True):
            self.assertEqual(part.get_content_type(), kind)
            text = text.replace("\r\n", "\n").replace("\n", "\r\n")
            # A message ends with a line end (RFC 5321 4.1.1.4); in base64 it is not the text's.
            encoding = part["Content-Transfer-Encoding"]
            if alone and not text.endswith("\r\n") and encoding != "base64":
                text += "\r\n"
            self.assertEqual(part.get_payload(decode=True).decode(), text)

    def check_attachments(self, job, parts):
        given = job.get("attachments", [])
        # Inline parts come first, beside the html that shows them.
        inline = [one for one in given if "cid" in one and "html" in job]
        wanted = inline + [one for one in given if one not in inline]
        for one, part in zip(wanted, parts, strict=True):
            self.assertEqual(part.get_payload(decode=True), base64.b64decode(one["content"]))
            self.assertEqual(part.get_filename(), one["filename"])
            self.assertEqual(part.get_content_disposition(),
                             "inline" if one in inline else "attachment")
            self.assertEqual(part["Content-ID"], f"<{one['cid']}>" if "cid" in one else None)
            if "content_type" in one:
                self.assertEqual(part.get_content_type(), one["content_type"].split(";")[0])


if __name__ == "__main__":
    unittest.main()
