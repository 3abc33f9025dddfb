"""`ringpost serve` sends job files that are renamed into a folder: while it runs, at its start, and
on from where a kill has left them.

Needs $RINGPOST. Loopback only.
"""

import gzip
import json
import signal
import unittest

from support.jobs import read_outcomes, simple_job, simple_jobs
from support.serve import ServeTest
from support.workspace import wait_until


class WatchTest(ServeTest):

    def setUp(self):
        super().setUp()
        self.watched = self.folder / "in"
        self.watched.mkdir()

    def serve_folder(self, sink, more="", **variables):
        (self.folder / "serve-ready.json").unlink(missing_ok=True)
        return self.start_serve(sink, f'[[watch]]\npath = "in"\n{more}', **variables)

    def give(self, name, octets):
        """As whoever writes files is told to: under another name until it is whole."""
        part = self.watched / f".{name}"
        part.write_bytes(octets)
        part.rename(self.watched / name)

    def lines(self, jobs):
        return "".join((job if isinstance(job, str) else json.dumps(job)) + "\n"
                       for job in jobs).encode()

    def done(self, name, folder="done"):
        """Outcomes of a file, once it is done."""
        path = self.watched / folder / name
        wait_until(path.exists, f"{name} is {folder}")
        wait_until(lambda: not (self.watched / f"{name}.journal").exists(), "all of it is moved")
        return read_outcomes(self.watched / folder / f"{name}.outcomes.jsonl")


class Files(WatchTest):

    def test_files_are_sent_as_they_come(self):
        sink = self.sink()
        self.give("there.jsonl", self.lines(simple_jobs(20)))
        serve = self.serve_folder(sink)
        self.assertEqual([line["status"] for line in self.done("there.jsonl")], ["accepted"] * 20)

        jobs = [simple_job("good"), simple_job("no", ("reject-user@example.net",)), "{no json",
                {"define": "t", "from": "a@example.com", "subject": "Hi {{n}}",
                 "text": "Hi {{n}}"},
                {"id": "news", "template": "t",
                 "recipients": [{"email": f"r{n}@example.net", "merge": {"n": n}}
                                for n in range(30)]},
                simple_job("file") | {"attachments": [{"path": "/etc/hostname"}]}]
        self.give("mixed.jsonl.gz", gzip.compress(self.lines(jobs)))
        outcomes = self.done("mixed.jsonl.gz")
        statuses = {line["id"]: line["status"] for line in outcomes if line["id"] in
                    ("good", "no", "news", "file")}
        self.assertEqual(statuses, {"good": "accepted", "no": "rejected", "news": "accepted",
                                    "file": "invalid"})
        self.assertEqual(len(outcomes), 34)
        # The same name again is another file.
        self.give("there.jsonl", self.lines([simple_job("again")]))
        self.assertEqual([line["id"] for line in self.done("there.2.jsonl")], ["again"])
        self.assertEqual(len(self.done("there.jsonl")), 20)

        # What is no job file is left alone, and what cannot be sent is set aside.
        self.give("notes.txt", b"notes")
        self.give("empty.jsonl", b"\n\n")
        self.give("bad.jsonl", b"{\n[]\n")
        self.give("torn.jsonl.gz", gzip.compress(self.lines(simple_jobs(500)))[:-20])
        (self.watched / ".link").symlink_to("/etc/passwd")
        (self.watched / ".link").rename(self.watched / "link.jsonl")
        bad = self.watched / "bad"
        for name, words in [("empty.jsonl", "there is no job in it"),
                            ("bad.jsonl", "none of its lines is a job"),
                            ("torn.jsonl.gz", "torn.jsonl.gz"),
                            ("link.jsonl", "it is no regular file")]:
            wait_until((bad / name).is_symlink if name == "link.jsonl" else (bad / name).exists,
                       f"{name} is set aside")
            self.assertIn(words, (bad / f"{name}.reason").read_text(encoding="utf-8"))
        self.assertEqual({line["status"] for line in self.done("bad.jsonl", "bad")}, {"invalid"})
        wait_until(lambda: sorted(path.name for path in self.watched.iterdir()) ==
                   ["bad", "done", "notes.txt"], "nothing else is left")
        told = [line["id"] for line in serve.outcomes()]
        self.assertEqual(told.count("good"), 1)
        serve.program.signal(signal.SIGTERM)
        self.assert_exit(self.finish(serve.program), 0)

    def test_a_folder_has_one_watcher(self):
        sink = self.sink()
        self.serve_folder(sink)
        (self.folder / "serve-ready.json").unlink()
        run = self.run_program("serve", "-c", "serve.toml", RINGPOST_PASSWORD="x")
        self.assert_exit(run, 2)
        self.assertIn("another process watches this folder", run.stderr)


class Ends(WatchTest):

    def go_on(self, number):
        """Ends `serve` in the middle of a file, and starts it again."""
        sink = self.sink("--latency", "10ms")
        serve = self.serve_folder(sink, RINGPOST_CONNECTIONS="4", RINGPOST_PIPELINE="off")
        jobs = simple_jobs(400)
        self.give("list.jsonl", self.lines(jobs))
        part = self.watched / "list.jsonl.part"
        wait_until(lambda: part.exists() and part.read_bytes().count(b"\n") > 20, "some are sent")
        serve.program.signal(number)
        self.finish(serve.program)
        self.assertTrue((self.watched / "list.jsonl").exists(), "it ended in the middle")
        again = self.serve_folder(sink, RINGPOST_CONNECTIONS="20")
        outcomes = self.done("list.jsonl")
        again.program.stop()
        last = {line["id"]: line["status"] for line in outcomes}
        self.assertEqual(set(last), {job["id"] for job in jobs})
        return sink, last

    def assert_matches(self, sink, last):
        taken = sink.stop().ids
        for job_id, status in last.items():
            if status == "accepted":
                self.assertEqual(taken[job_id], 1, job_id)
            else:
                self.assertEqual(status, "unknown", job_id)
                self.assertLessEqual(taken[job_id], 1, job_id)

    def test_a_kill_in_the_middle(self):
        sink, last = self.go_on(signal.SIGKILL)
        self.assert_matches(sink, last)
        # Of each connection what was in flight.
        self.assertLessEqual(list(last.values()).count("unknown"), 4)

    def test_an_end_in_the_middle(self):
        sink, last = self.go_on(signal.SIGTERM)
        self.assert_matches(sink, last)
        self.assertNotIn("unknown", last.values())


if __name__ == "__main__":
    unittest.main()
