"""What a person sees of a run, on terminals of several sizes and elsewhere.

Method: the program runs in a terminal of its own, what it writes goes through a terminal emulator,
and the screens are looked at: what must stand there, and that a block never scrolls away.
"""

import json
import os
import re
import signal
import unittest

from support.jobs import simple_job, simple_jobs, write_jobs
from support.program import OUTCOMES, PASSWORD, PROGRAM, environment_of
from support.sink import SinkTest
from support.terminal import Terminal
from support.workspace import wait_until

# Long enough to be looked at; each test stops its run.
RATE = ("--rate", "20/s", "--state", "none")


class ProgressTest(SinkTest):
    """What is common to all of them."""

    def written(self):
        path = self.folder / OUTCOMES
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def show(self, *arguments, columns=80, rows=24, **variables):
        environment = environment_of(self.folder, RINGPOST_PASSWORD=PASSWORD,
                                     **{"TERM": "xterm-256color", **variables})
        terminal = Terminal([PROGRAM, *arguments], self.folder, environment, columns, rows)
        self.addCleanup(terminal.close)
        return terminal


class ScreenTest(ProgressTest):
    """The block on a terminal."""

    def send_in(self, jobs, endpoint, *flags, **more):
        write_jobs(self.folder / "jobs.jsonl", jobs)
        return self.show("send", "jobs.jsonl", "-e", endpoint, "-o", OUTCOMES, *flags, **more)

    def jobs(self):
        return [simple_job("late", ["defer-me@example.net"]),
                simple_job("no", ["reject-me@example.net"]), *simple_jobs(5000)]

    def assert_fits(self, terminal, columns):
        for line in terminal.lines():
            self.assertLess(len(line), columns, "\n".join(terminal.lines()))

    def test_a_block_at_80_columns(self):
        terminal = self.send_in(self.jobs(), self.sink().endpoint(), *RATE)
        lines = terminal.wait_for("of 5,002 done", " left", "/s now", "/s mean", "rejected 1",
                                  "waiting 1, next in", "unknown 0", "sessions ", "reply p50",
                                  "held back by rate", "] ")
        self.assert_fits(terminal, 80)
        self.assertTrue(lines[0].startswith("[") and lines[0].endswith(" %"), lines)
        for word in ("so far", "/s now", "held back by", "done"):
            self.assertEqual(sum(word in line for line in lines), 1, lines)
        self.assertEqual(terminal.scrolled(), [])
        # A line for the endpoint.
        self.assertTrue(any("accepted" in line and "p99" in line for line in lines), lines)

    def test_a_block_at_40_columns(self):
        terminal = self.send_in(self.jobs(), self.sink().endpoint(), *RATE, columns=40, rows=16)
        terminal.wait_for("5,002 done", "rejected 1", "waiting 1", "reply p50", "held back by rate")
        self.assert_fits(terminal, 40)
        self.assertEqual(terminal.scrolled(), [])

    def test_log_lines_scroll_above_it(self):
        """Here, those of a stop, and in front of the summary the block goes away."""
        sink = self.sink("--latency", "700ms")
        terminal = self.send_in(simple_jobs(3000), sink.endpoint(), *RATE, rows=12)
        terminal.read_until(lambda: re.search("accepted [1-9]", "".join(terminal.lines())))
        terminal.process.send_signal(signal.SIGINT)
        lines = terminal.wait_for("stopping:", "so far")
        stopping = next(i for i, line in enumerate(lines) if "stopping:" in line)
        self.assertLess(stopping, next(i for i, line in enumerate(lines) if "so far" in line))
        self.assertEqual(terminal.wait(), 130)
        lines = terminal.scrolled() + terminal.lines()
        self.assertFalse(any("so far" in line or line.startswith("[") for line in lines), lines)
        self.assertTrue(any("stopping:" in line for line in lines), lines)
        self.assertTrue(any(line.startswith("not read") for line in lines), lines)

    def test_a_terminal_that_becomes_narrower(self):
        terminal = self.send_in(self.jobs(), self.sink().endpoint(), *RATE)
        terminal.wait_for("held back by rate", "waiting 1")
        terminal.resize(40, 24)
        before = terminal.octets.count(b"so far")
        terminal.read_until(lambda: terminal.octets.count(b"so far") > before + 1)
        lines = terminal.wait_for("held back by rate")
        for word in ("so far", "/s now", "held back by"):
            self.assertEqual(sum(word in line for line in lines), 1, lines)
        self.assert_fits(terminal, 40)

    def test_colours_are_for_those_who_want_them(self):
        endpoint = self.sink().endpoint()
        terminal = self.send_in(self.jobs(), endpoint, *RATE)
        terminal.wait_for("rejected 1", "so far")
        self.assertIn(b"\x1b[31mrejected 1\x1b[0m", terminal.octets)
        for colourless in ({"NO_COLOR": "1"}, {"RINGPOST_NO_COLOR": "true"}):
            terminal = self.send_in(self.jobs(), endpoint, *RATE, **colourless)
            terminal.wait_for("rejected 1", "so far")
            self.assertNotIn(b"m", [octets[-1:] for octets in sequences_of(terminal.octets)])

    def test_a_dumb_terminal_has_lines(self):
        terminal = self.send_in(self.jobs(), self.sink().endpoint(), *RATE, "--progress-every",
                                "500ms", TERM="dumb", columns=400)
        terminal.wait_for("5,002 done", "rejected 1  ")
        self.assertEqual(sequences_of(terminal.octets), [])

    def test_figures_are_printed_for_whoever_asks(self):
        terminal = self.send_in(self.jobs(), self.sink().endpoint(), *RATE)
        terminal.wait_for("rejected 1", "so far")
        terminal.process.send_signal(signal.SIGUSR1)
        terminal.read_until(lambda: sum("so far" in line for line in terminal.lines()) == 2)

    def test_jobs_from_a_terminal(self):
        """It says that it waits for them, and one Ctrl-D is the end."""
        terminal = self.show("send", "-e", self.sink().endpoint(), "-o", OUTCOMES)
        terminal.wait_for("reading jobs from the terminal", "Ctrl-D")
        job = json.dumps(simple_job("typed", ["ann@example.net"]))
        terminal.type(job.encode() + b"\n")
        terminal.read_until(lambda: "typed" in self.written())
        terminal.type(b"\x04")
        self.assertEqual(terminal.wait(), 0)

    def test_standard_input_has_no_total(self):
        """Of a pipe nobody knows how much will come, and where it ends that is known."""
        reading, writing = os.pipe()
        self.addCleanup(os.close, writing)
        program = self.start("send", "-e", self.sink().endpoint(), *RATE, "--progress-every",
                             "300ms", stdin=reading, RINGPOST_PASSWORD=PASSWORD)
        os.close(reading)
        os.write(writing, "".join(json.dumps(job) + "\n" for job in simple_jobs(20)).encode())
        wait_until(lambda: "total unknown" in program.stderr(), "a line of progress")
        program.stop()


class WidthTest(ProgressTest):
    """Help and probe are as wide as the terminal."""

    def test_help(self):
        for columns in (40, 60, 80, 120):
            terminal = self.show("send", "--help", columns=columns, rows=400)
            self.assertEqual(terminal.wait(), 0)
            lines = terminal.lines()
            examples = lines.index(next(line for line in lines if line.startswith("Exit codes:")))
            self.assertTrue(any("--progress-every" in line for line in lines), lines)
            for line in lines[:examples]:
                self.assertLessEqual(len(line), min(columns, 100))
            text = terminal.octets.decode().split("Exit codes:")[0]
            for line in text.replace("\r", "").splitlines():
                # What cannot be broken is longer: words of a type, as `auto|block|plain|json|none`.
                self.assertTrue(len(line) <= min(columns, 100) or len(line.split()) < 4, line)

    def test_probe(self):
        endpoint = self.sink().endpoint()
        for columns in (40, 80):
            terminal = self.show("probe", endpoint, "--timeout", "5s", columns=columns, rows=100)
            terminal.wait()
            text = terminal.octets.decode().replace("\r", "")
            for sequence in sequences_of(terminal.octets):
                text = text.replace("\x1b[" + sequence.decode(), "")
            self.assertIn("certificate", text)
            for line in text.splitlines():
                # What is copied into a file or a shell stays a line, and a word stays a word.
                is_copied = " = " in line or "ringpost send" in line
                is_word = len(line.split()) == 1
                self.assertTrue(len(line) <= columns or is_copied or is_word, line)


class LineTest(ProgressTest):
    """Where there is no terminal."""

    def test_lines_as_often_as_asked_for(self):
        run = self.send(simple_jobs(40), self.sink().endpoint(), *RATE, "--progress-every", "500ms")
        lines = [line for line in run.stderr.splitlines() if " so far" in line]
        self.assertGreaterEqual(len(lines), 2, run.stderr)
        self.assertIn("of 40 done", lines[-1])
        self.assertNotIn("\x1b", run.stderr)

    def test_objects_have_every_figure(self):
        jobs = [simple_job("late", ["defer-me@example.net"]), *simple_jobs(60)]
        program = self.start_send(jobs, self.sink().endpoint(), *RATE, "--progress", "json",
                                  "--progress-every", "500ms")
        wait_until(lambda: '"waiting":1,' in program.stderr(), "an object with a message put off")
        program.stop()
        progress = next(each for each in map(read_progress, program.stderr().splitlines())
                        if each["waiting"])
        self.assertEqual(progress["messages_total"], 61)
        self.assertFalse(progress["total_is_estimate"])
        self.assertLess(0, progress["messages_done"])
        self.assertLess(0, progress["messages_per_second_now"])
        self.assertLess(0, progress["seconds_left"])
        self.assertEqual(progress["waiting"], 1)
        self.assertLess(0, progress["next_attempt_seconds"])
        self.assertLess(0, progress["sessions"])
        self.assertLess(0, progress["reply_ms"]["p50"])
        self.assertLessEqual(progress["reply_ms"]["p50"], progress["reply_ms"]["p99"])
        endpoint, = progress["endpoints"]
        self.assertEqual(endpoint["recipients"], progress["recipients"])
        self.assertEqual(endpoint["reply_ms"], progress["reply_ms"])
        self.assertIn("rate", endpoint["held_back_by"])

    def test_a_quiet_run_answers_who_asks(self):
        program = self.start_send(simple_jobs(3000), self.sink().endpoint(), *RATE, "-q")
        wait_until(self.written, "an outcome line")
        self.assertEqual(program.stderr(), "")
        program.signal(signal.SIGUSR1)
        wait_until(lambda: "so far" in program.stderr(), "the figures")
        self.assertTrue(program.is_alive())
        program.stop()


def read_progress(line):
    return json.loads(line)["progress"]


def sequences_of(octets):
    """Escape sequences, each with the letter that ends it."""
    found = []
    for part in octets.split(b"\x1b[")[1:]:
        end = next(i for i, octet in enumerate(part) if chr(octet).isalpha())
        found.append(part[:end + 1])
    return found


if __name__ == "__main__":
    unittest.main()
