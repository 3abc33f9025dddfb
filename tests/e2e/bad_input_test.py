"""Job files with mistakes in them: each is named, none is sent, and the others go on.

Goal: the rows of "Bad input" in the issue, one test each. Method: every bad line stands between
good ones, and what the sink wrote down must be the good ones alone.
"""

import base64
import json
import os
import subprocess
import unittest
from collections import Counter

from support.jobs import line_of, simple_content, simple_job
from support.program import PASSWORD, ProgramTest, is_sanitized
from support.sink import Sink
from support.workspace import wait_until

MB = 1_000_000


def composed(**changes):
    """A job of simple fields, with some of them changed."""
    job = {"id": "bad", "from": "sender@example.com", "to": ["recipient@example.net"],
           "subject": "hello", "text": "Hello.\n", "headers": {"X-Id": "bad"}}
    return line_of({**job, **changes})


def raw(content, **changes):
    return line_of({**simple_job("bad"), "raw": content, **changes})


def encoded(content):
    job = simple_job("bad")
    del job["raw"]
    return line_of({**job, "raw_base64": base64.b64encode(content).decode()})


class BadInputTest(ProgramTest):
    """With the check that all of these share."""

    def setUp(self):
        super().setUp()
        self.sink = Sink(self.folder, cleanup=self.addCleanup, listeners=("plain",))

    def check(self, *mistakes, name="jobs.jsonl", last_newline=True):
        """Each mistake is (line, field, words): the line is invalid, in that field, in these words.

        The words are looked for in the reason whatever their case, and so is the field."""
        lines = []
        places = {}
        for number, mistake in enumerate(mistakes):
            lines.append(line_of(simple_job(f"good-{number}")))
            lines.append(mistake[0])
            places[len(lines)] = mistake
        if last_newline:
            lines.append(line_of(simple_job("good-last")))
        text = b"\n".join(lines) + (b"\n" if last_newline else b"")
        (self.folder / name).write_bytes(text)
        run = self.send(self.folder / name, self.sink.endpoint("plain"))
        self.assert_exit(run, 3)
        self.check_outcomes(run, name, places)
        self.check_record(run, [json.loads(line)["id"] for line in lines[::2]])
        return run

    def check_outcomes(self, run, name, places):
        invalid = [outcome for outcome in run.outcomes if outcome["status"] == "invalid"]
        for number, (line, field, words) in places.items():
            place = f"{name}:{number}: "
            found = [outcome for outcome in invalid if outcome["reason"].startswith(place)]
            shown = f"line {number}: {line[:300]!r}\n{run.describe()}"
            self.assertTrue(found, shown)
            for outcome in found:
                self.assertEqual(outcome["stage"], "local", shown)
                self.assertNotIn("code", outcome, shown)
                reason = outcome["reason"][len(place):].lower()
                for word in (field, *words):
                    self.assertIn(word.lower(), reason, shown)
        lines = {outcome["reason"].split(": ")[0] for outcome in invalid}
        self.assertEqual(len(lines), len(places), run.describe())

    def check_record(self, run, good):
        """The good jobs arrived, once, and nothing else did."""
        report = self.sink.stop()
        self.assertEqual(report.ids, Counter(good), run.describe())
        self.assertEqual(report.summary["messages_refused"], 0)
        self.assertEqual(report.summary["violations_total"], 0)
        accepted = Counter(outcome["id"] for outcome in run.outcomes
                           if outcome["status"] == "accepted")
        self.assertEqual(accepted, Counter(good))


class LineTest(BadInputTest):
    """Lines that are no job at all."""

    def test_not_json(self):
        """A line that is not JSON, or JSON but no object."""
        self.check((b"hello", "", ["json"]),
                   (b"{'id': 'single quotes'}", "", []),
                   (b'{"id": "a",, "raw": "b"}', "", []),
                   (b"[1, 2]", "", ["object"]),
                   (b'"a string"', "", ["object"]),
                   (b"42", "", ["object"]),
                   (b"null", "", ["object"]),
                   (line_of(simple_job("one")) + b" " + line_of(simple_job("two")), "", ["behind"]),
                   (b"{}", "", []))

    def test_nested_too_deeply(self):
        """Nesting is bounded, so that no line can exhaust the stack."""
        deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
        self.check((b'{"metadata":' + deep + b"}", "", ["deep"]))

    def test_truncated_last_line(self):
        """A last line that is cut off within its JSON is invalid, not silently left out."""
        whole = line_of(simple_job("bad"))
        self.check((whole[:len(whole) // 2], "", ["ends"]), last_newline=False)

    def test_last_line_without_newline(self):
        """A last line that is whole counts, with or without its newline."""
        path = self.folder / "jobs.jsonl"
        path.write_bytes(line_of(simple_job("one")) + b"\n" + line_of(simple_job("two")))
        run = self.send(path, self.sink.endpoint("plain"))
        self.assert_exit(run, 0)
        self.check_record(run, ["one", "two"])

    def test_blank_lines_and_carriage_returns(self):
        """Blank lines are no jobs, CRLF line ends no mistakes, and line numbers count them all."""
        path = self.folder / "jobs.jsonl"
        path.write_bytes(b"\r\n\n" + line_of(simple_job("one")) + b"\r\n  \nbad\r\n\r\n")
        run = self.send(path, self.sink.endpoint("plain"))
        self.assert_exit(run, 3)
        self.check_outcomes(run, "jobs.jsonl", {5: (b"bad", "", [])})
        self.check_record(run, ["one"])

    def test_invalid_utf8(self):
        """Octets that are not UTF-8, wherever they stand."""
        line = line_of(simple_job("bad"))
        self.check((line.replace(b"Hello", b"H\xffllo"), "", ["utf-8"]),
                   (line.replace(b"bad", b"b\xc3", 1), "", ["utf-8"]),
                   (line.replace(b"Hello", b"\xc0\xaf"), "", ["utf-8"]),  # an overlong form
                   (line.replace(b"Hello", b"\xed\xa0\x80"), "", ["utf-8"]),  # a surrogate
                   (line.replace(b"Hello", b"\\ud800"), "raw", ["surrogate"]),
                   (b"\xff\xfe" + line, "", []))

    def test_long_line(self):
        """A line of 100 MB is skipped up to its end without being kept."""
        path = self.folder / "jobs.jsonl"
        with open(path, "wb") as file:
            file.write(line_of(simple_job("before")) + b'\n{"id":"bad","raw":"')
            for _ in range(100):
                file.write(b"x" * MB)
            file.write(b'"}\n' + line_of(simple_job("after")) + b"\n")
        run = self.send(path, self.sink.endpoint("plain"))
        self.assert_exit(run, 3)
        self.check_outcomes(run, "jobs.jsonl", {2: (b"", "", ["longer", "raw_file"])})
        self.check_record(run, ["before", "after"])


class MemoryTest(BadInputTest):
    """What a line may cost."""

    def peak_after_line(self, megabytes):
        """The peak of resident memory behind a line of that size, seen while the program waits."""
        sink = self.sink
        seen = len(sink.record())
        program = self.start("send", "-e", sink.endpoint("plain"), "-o", f"{megabytes}.jsonl",
                             stdin=subprocess.PIPE, RINGPOST_PASSWORD=PASSWORD)
        pipe = program.process.stdin
        pipe.write(b'{"id":"bad","raw":"')
        for _ in range(megabytes):
            pipe.write(b"x" * MB)
        pipe.write(b'"}\n' + line_of(simple_job(f"after-{megabytes}")) + b"\n")
        pipe.flush()
        wait_until(lambda: len(sink.record()) > seen, "the job behind the long line arrived", 60)
        peak = program.peak_memory()
        pipe.close()
        self.assert_exit(program.wait(), 3)
        return peak

    @unittest.skipIf(is_sanitized(), "sanitizers have memory of their own")
    def test_memory_stays_flat(self):
        """100 MB and 400 MB of one line cost no more than the longest line that is allowed."""
        small, large = self.peak_after_line(100), self.peak_after_line(400)
        self.assertLess(small, 256 * MB)
        self.assertLess(abs(large - small), 16 * MB)


class FieldTest(BadInputTest):
    """Fields that are unknown, missing or not what they should be."""

    def test_unknown_field(self):
        """An unknown field is named, with the known one that was probably meant."""
        self.check((composed(subjct="hello"), "subjct", ["did you mean", "subject"]),
                   (composed(bbc="a@example.net"), "bbc", ["did you mean", "bcc"]),
                   (composed(xyzzy=1), "xyzzy", ["unknown"]),
                   (line_of({**simple_job("bad"), "envelope": {"from": "a@example.com",
                                                               "too": ["b@example.net"]}}),
                    "too", ["envelope", "did you mean", "to"]))

    def test_no_recipients(self):
        """A job that is for nobody."""
        nobody = {"id": "bad", "from": "a@example.com", "subject": "x", "text": "y"}
        self.check((line_of(nobody), "to", ["nobody"]),
                   (line_of({**nobody, "to": []}), "", ["recipient"]),
                   (raw(simple_content("bad"), envelope={"from": "a@example.com", "to": []}), "",
                    ["recipient"]),
                   (line_of({"id": "bad", "raw": "Subject: x\r\n\r\ny\r\n"}), "to",
                    ["nobody"]))

    def test_wrong_types(self):
        """A value of another kind than the field takes."""
        self.check((composed(subject=7), "subject", ["string"]),
                   (composed(to={"email": 7}), "to", ["string"]),
                   (composed(to=True), "to", []),
                   (composed(id=["a"]), "id", ["string"]),
                   (raw(None), "raw", ["string"]),
                   (composed(headers=[]), "headers", ["object"]))

    def test_duplicate_keys(self):
        """A field that stands twice is ambiguous, so that none of its values is taken."""
        self.check((b'{"id":"bad","to":"a@example.net",' + composed()[1:], "", ["twice"]))

    def test_contradictions(self):
        """Two kinds of content in one job."""
        both = simple_job("bad")
        self.check((line_of({**both, "raw_file": "x"}), "raw", []),
                   (line_of({**both, "text": "x"}), "", ["raw"]))


class InjectionTest(BadInputTest):
    """Octets that would end a command, a header line or a message too early."""

    def test_line_end_in_address(self):
        """CR or LF in any address of a job."""
        smuggled = "a@example.net>\r\nRCPT TO:<evil@example.net"
        envelope = {"from": "a@example.com", "to": ["b@example.net"]}
        self.check((composed(to=[smuggled]), "to[0]", []),
                   (composed(to="a@example.net\n"), "to", []),
                   (composed(to="\ra@example.net"), "to", []),
                   (composed(cc=["ok@example.net", "a@exam\rple.net"]), "cc[1]", []),
                   (composed(bcc='"a\r\nDATA"@example.net'), "bcc", []),
                   (composed(**{"from": "a@example.com\r\nBcc: evil@example.net"}), "from", []),
                   (composed(reply_to="a@example.com\nX: y"), "reply_to", []),
                   (composed(to={"email": "a@example.net", "name": "A\r\nBcc: e@example.net"}),
                    "to", []),
                   (raw(simple_content("bad"), envelope={**envelope, "to": [smuggled]}),
                    "envelope.to[0]", []),
                   (raw(simple_content("bad"), envelope={**envelope, "from": "a@b.c> BODY=x\r\n"}),
                    "envelope.from", []))

    def test_line_end_in_header(self):
        """CR or LF in the subject, and in names and values of headers."""
        self.check((composed(subject="hello\r\nBcc: evil@example.net"), "subject", []),
                   (composed(subject="hello\n"), "subject", []),
                   (composed(subject="hel\rlo"), "subject", []),
                   (composed(headers={"X-A": "a\r\nX-B: b"}), "headers", []),
                   (composed(headers={"X-A": ["fine", "a\nb"]}), "headers", []),
                   (composed(headers={"X-A\r\nX-B": "a"}), "headers", []),
                   (composed(headers={"X-A: b\nX-C": "a"}), "headers", []),
                   (composed(headers={"": "a"}), "headers", []))

    def test_nul_anywhere(self):
        """A NUL in any string, as an escape or as an octet, and in contents that come encoded."""
        self.check((composed(id="b\0d"), "id", ["nul"]),
                   (composed(to="a\0@example.net"), "to", ["nul"]),
                   (composed(subject="a\0b"), "subject", ["nul"]),
                   (composed(text="a\0b"), "text", ["nul"]),
                   (composed(html="a\0b"), "html", ["nul"]),
                   (composed(headers={"X-A": "a\0b"}), "headers", ["nul"]),
                   (composed(headers={"X\0A": "b"}), "headers", []),
                   (raw("Subject: x\r\n\r\na\0b\r\n"), "raw", ["nul"]),
                   (encoded(b"Subject: x\r\n\r\na\0b\r\n"), "raw_base64", ["nul"]),
                   (composed().replace(b"Hello", b"He\0lo"), "", []))

    def test_line_ends_in_content(self):
        """Lone CR, and LF mixed with CRLF, with their place; a lone dot between them is no end."""
        self.check((raw("Subject: x\r\n\r\na\rb\r\n"), "raw", []),
                   (raw("Subject: x\r\n\r\na\nb\r\n"), "raw", []),
                   (raw("Subject: x\r\n\r\na\n.\nMAIL FROM:<e@example.com>\r\n"), "raw", []),
                   (raw("Subject: x\r\n\r\na\r\n.\rQUIT\r\n"), "raw", []),
                   (encoded(b"Subject: x\r\n\r\na\r.\r\n"), "raw_base64", []),
                   (encoded(b"Subject: x\r\n\r\na\n.\r\n\r\n"), "raw_base64", []))

    def test_overlong_line_in_content(self):
        """999 octets on one line of the content."""
        self.check((raw("Subject: x\r\n\r\n" + "y" * 999 + "\r\n"), "raw", ["998"]))

    def test_bad_addresses(self):
        """Addresses that no server should be asked about."""
        bad = ("plain", "@example.net", "a@", "a@b@example.net", "a b@example.net",
               "<a@example.net",
               "a@example.net>", "a@exam ple.net", "", "a" * 65 + "@example.net", "a@-example.net",
               "a@example..net", "a@" + "b" * 300 + ".net")
        self.check(*((raw(simple_content("bad"),
                          envelope={"from": "a@example.com", "to": ["x@example.net", address]}),
                      "envelope.to[1]", []) for address in bad))


class FileTest(BadInputTest):
    """Contents that stand in files of their own."""

    def named(self, path):
        job = simple_job("bad")
        del job["raw"]
        return line_of({**job, "raw_file": str(path)})

    def test_missing_raw_file(self):
        """A file that is not there."""
        self.check((self.named(self.folder / "no-such.eml"), "raw_file", ["no such file"]),
                   (self.named("no-such.eml"), "raw_file", ["no such file"]),
                   (self.named(""), "raw_file", []))

    def test_fifo_raw_file(self):
        """A FIFO, which would hold the reader for ever, and other things that are no files."""
        os.mkfifo(self.folder / "fifo.eml")
        self.check((self.named(self.folder / "fifo.eml"), "raw_file", ["regular file"]),
                   (self.named(self.folder), "raw_file", ["regular file"]),
                   (self.named("/dev/zero"), "raw_file", ["regular file"]))

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_unreadable_raw_file(self):
        """A file that this user may not read."""
        path = self.folder / "closed.eml"
        path.write_bytes(b"Subject: x\r\n\r\ny\r\n")
        path.chmod(0)
        self.check((self.named(path), "raw_file", ["permission"]))

    def test_bad_content_in_raw_file(self):
        """Contents of files are looked at like any others."""
        for name, content in (("nul", b"Subject: x\r\n\r\na\0b\r\n"),
                              ("cr", b"Subject: x\r\n\r\na\rb\r\n")):
            (self.folder / name).write_bytes(content)
        self.check((self.named(self.folder / "nul"), "raw_file", ["nul"]),
                   (self.named(self.folder / "cr"), "raw_file", []))

    def test_bad_base64(self):
        """raw_base64 that is none."""
        job = simple_job("bad")
        del job["raw"]
        self.check(*((line_of({**job, "raw_base64": text}), "raw_base64", [])
                     for text in ("!!!!", "QUJ", "QUJD=", "QU=D", "QUJDRA==QUJD")))


class RunTest(BadInputTest):
    """What stands around the jobs."""

    def test_everybody_named_in_a_bad_job(self):
        """Recipients that were read before the mistake each have a line of their own."""
        line = composed(to=["a@example.net", "b@example.net"], subject="x\0y")
        run = self.check((line, "subject", []))
        self.assertTrue(all(outcome["rcpt"] in (None, "a@example.net", "b@example.net")
                            for outcome in run.outcomes if outcome["status"] == "invalid"))

    def test_only_bad_lines(self):
        """A file without a single good job opens no connection."""
        path = self.folder / "jobs.jsonl"
        path.write_bytes(b"bad\n" * 100)
        run = self.send(path, self.sink.endpoint("plain"))
        self.assert_exit(run, 3)
        self.assertEqual(run.statuses(), {"invalid": 100})
        self.assertEqual(self.sink.stop().summary["sessions"], 0)

    def test_many_bad_lines_between_good_ones(self):
        """Thousands of mistakes neither stop nor delay what is right, and keep their order."""
        path = self.folder / "jobs.jsonl"
        good = [f"good-{number}" for number in range(1000)]
        path.write_bytes(b"".join(line_of(simple_job(name)) + b"\nbad\n" * 3 for name in good))
        run = self.send(path, self.sink.endpoint("plain"))
        self.assert_exit(run, 3)
        self.assertEqual(run.statuses(), {"accepted": 1000, "invalid": 3000})
        self.assertEqual(len({outcome["reason"] for outcome in run.outcomes
                              if outcome["status"] == "invalid"}), 3000)
        self.check_record(run, good)

    def test_nothing_at_all(self):
        """An empty file is no mistake."""
        path = self.folder / "jobs.jsonl"
        path.write_bytes(b"")
        run = self.send(path, self.sink.endpoint("plain"))
        self.assert_exit(run, 0)
        self.assertEqual(run.outcomes, [])

    def test_validate_says_the_same(self):
        """`ringpost validate` names the same places, without a network: file:line: field: why."""
        path = self.folder / "jobs.jsonl"
        path.write_bytes(line_of(simple_job("good")) + b"\n" + composed(subjct="x") + b"\nbad\n")
        run = self.run_program("validate", "jobs.jsonl")
        self.assert_exit(run, 3)
        said = run.stdout.decode() + run.stderr
        self.assertRegex(said, r"(?m)^jobs\.jsonl:2: .*subjct.*did you mean")
        self.assertRegex(said, r"(?m)^jobs\.jsonl:3: ")
        self.assertNotRegex(said, r"(?m)^jobs\.jsonl:1: ")


if __name__ == "__main__":
    unittest.main()
