"""`ringpost send` and its files: none that is read is written, none is written as two things.

Each refusal is exit code 2, with both names, before anything was opened for writing: no file is
touched and none is made.
"""

import gzip
import os
import subprocess
import unittest

from support.jobs import line_of, read_outcomes, simple_job, simple_jobs, write_jobs
from support.program import OUTCOMES, PASSWORD, environment_of
from support.sink import SinkTest
from support.workspace import wait_until

JOBS = "jobs.jsonl"
PROGRAM = os.environ["RINGPOST"]


class RunFilesTest(SinkTest):
    def setUp(self):
        super().setUp()
        write_jobs(self.folder / JOBS, simple_jobs(20))

    def tree(self):
        """Every file of the folder with its content; what the runs of this test print is apart."""
        return {path.name: path.read_bytes() for path in self.folder.iterdir()
                if path.is_file() and not path.name.startswith(("stdout-", "stderr-"))}

    def assert_refused(self, *arguments, says=(), endpoint="smtp://localhost:1?tls=none", **more):
        before = self.tree()
        run = self.run_program("send", "-e", endpoint, *arguments, **more)
        self.assert_exit(run, 2)
        for words in says:
            self.assertIn(words, run.stderr)
        self.assertEqual(self.tree(), before, "the refused run has touched a file")
        return run

    def link(self, name, target, hard=False):
        (os.link if hard else os.symlink)(self.folder / target, self.folder / name)
        return name


class SameFileTest(RunFilesTest):
    def test_outcomes_into_the_job_file(self):
        """The run would read its own outcomes, without end."""
        for flag in ("-o", "--errors", "--journal"):
            with self.subTest(flag):
                self.assert_refused(flag, JOBS, JOBS, says=("same file", JOBS))

    def test_links(self):
        """By whatever name, it is the same file."""
        for name in (self.link("symbolic", JOBS), self.link("hard", JOBS, hard=True),
                     self.link("twice", "symbolic"), f"../{self.folder.name}/{JOBS}"):
            for arguments in (("-o", name, JOBS), ("-o", JOBS, name)):
                with self.subTest(arguments):
                    self.assert_refused(*arguments, says=("same file",))

    def test_two_things_in_one_file(self):
        """Also while there is no such file yet, and through a link that leads nowhere yet."""
        os.symlink("new.jsonl", self.folder / "dangling")
        for one, other in (("-o", "--errors"), ("-o", "--journal"), ("--errors", "--journal")):
            for name in ("new.jsonl", "./new.jsonl", "dangling", str(self.folder / "new.jsonl")):
                with self.subTest(one=one, other=other, name=name):
                    self.assert_refused(one, "new.jsonl", other, name, JOBS,
                                        says=("same file", "new.jsonl"))
        self.assertFalse((self.folder / "new.jsonl").exists())

    def test_second_job_file(self):
        write_jobs(self.folder / "more.jsonl", simple_jobs(3, "more"))
        self.assert_refused("-o", "more.jsonl", JOBS, "more.jsonl", says=("more.jsonl",))

    def test_configuration_and_secrets(self):
        for name in ("password", "ca.pem", "client.pem", "key.pem"):
            (self.folder / name).write_text("secret\n", encoding="utf-8")
            (self.folder / name).chmod(0o600)
        esp = self.configure(host="localhost", username="user", password_file="password",
                             ca_file="ca.pem", client_certificate="client.pem",
                             client_key="key.pem")
        for name in ("password", "ca.pem", "client.pem", "key.pem", "ringpost.toml"):
            for flag in ("-o", "--errors", "--journal"):
                with self.subTest(name=name, flag=flag):
                    run = self.assert_refused(flag, name, JOBS, endpoint=esp, says=(name,))
                    self.assertNotIn("secret", run.stderr)

    def test_standard_streams(self):
        """The shell has opened them, and the job file among them is still whole."""
        octets = (self.folder / JOBS).read_bytes()
        environment = environment_of(self.folder, RINGPOST_PASSWORD=PASSWORD)
        for shell in (f"-o - {JOBS} >> {JOBS}", f"-o /dev/stdout {JOBS} >> {JOBS}",
                      f"-o out.jsonl {JOBS} >> {JOBS}", f"-o - < {JOBS} >> {JOBS}",
                      f"-o {JOBS} < {JOBS}",
                      f"-o out.jsonl {JOBS} >> out.jsonl", f"-o out.jsonl {JOBS} 2>> out.jsonl",
                      f"-o - --errors err.jsonl {JOBS} >> err.jsonl",
                      f"-o out.jsonl {JOBS} 2>> {JOBS}"):
            with self.subTest(shell):
                run = subprocess.run(
                    ["sh", "-c", f'"{PROGRAM}" send -e "smtp://localhost:1?tls=none" {shell}'],
                    cwd=self.folder, env=environment, capture_output=True, check=False)
                self.assertEqual(run.returncode, 2, run.stderr)
                self.assertEqual((self.folder / JOBS).read_bytes(), octets)
                self.assertIn(b"same file", run.stderr + run.stdout)
                (self.folder / "out.jsonl").unlink(missing_ok=True)

    def test_both_streams_in_the_job_file(self):
        """Nothing is said then, since it would be said into that file."""
        octets = (self.folder / JOBS).read_bytes()
        run = subprocess.run(["sh", "-c", f'"{PROGRAM}" validate {JOBS} >> {JOBS} 2>&1'],
                             cwd=self.folder, env=environment_of(self.folder), check=False)
        self.assertEqual(run.returncode, 2)
        self.assertEqual((self.folder / JOBS).read_bytes(), octets)

    def test_commands_that_print(self):
        """Complaints into the job file would be read and complained about, without end."""
        (self.folder / JOBS).write_bytes(b"nonsense\n")
        sink = self.sink()
        write_jobs(self.folder / "good.jsonl", simple_jobs(3))
        self.assert_exit(self.run_program("send", "good.jsonl", "-e", sink.endpoint(), "--journal",
                                          "run.journal", RINGPOST_PASSWORD=PASSWORD), 0)
        for command, name in (("validate", JOBS), ("validate - <", JOBS), ("render", JOBS),
                              ("journal export", "run.journal"), ("journal ls", "run.journal")):
            with self.subTest(command):
                octets = (self.folder / name).read_bytes()
                run = subprocess.run(["sh", "-c", f'"{PROGRAM}" {command} {name} >> {name}'],
                                     cwd=self.folder, env=environment_of(self.folder),
                                     capture_output=True, timeout=60, check=False)
                self.assertEqual(run.returncode, 2, run.stderr)
                self.assertIn(b"same file", run.stderr)
                self.assertEqual((self.folder / name).read_bytes(), octets)

    def test_both_on_standard_output(self):
        self.assert_refused("-o", "-", "--errors", "-", JOBS, says=("standard output",))

    def test_a_job_that_names_what_the_run_writes(self):
        """Which files jobs name is known when they are read: such a job is invalid."""
        (self.folder / "letter.eml").write_text("Subject: x\r\n\r\nx\r\n", encoding="ascii")
        jobs = [{"id": name, "envelope": {"from": "a@example.com", "to": ["b@example.net"]},
                 "raw_file": name}
                for name in ("letter.eml", OUTCOMES, "err.jsonl", "run.journal")]
        sink = self.sink()
        run = self.send(jobs, sink.endpoint(), "--errors", "err.jsonl", "--journal", "run.journal")
        self.assert_exit(run, 3)
        self.assertEqual(run.outcome("letter.eml")["status"], "accepted")
        for name in (OUTCOMES, "err.jsonl", "run.journal"):
            self.assertEqual(run.outcome(name)["status"], "invalid")
            self.assertIn("this run writes that file", run.outcome(name)["reason"])


class OtherContentTest(RunFilesTest):
    """What is there already, and is no outcome file, stays as it is."""

    def assert_content_refused(self, content, **more):
        (self.folder / "there").write_bytes(content)
        for flag in ("-o", "--errors"):
            self.assert_refused(flag, "there", JOBS, says=("there", "outcome lines"), **more)

    def test_other_content(self):
        for content in (b"Dear diary\n", b"x", b"\x7fELF\x02\x01\x01", line_of(simple_job("a")),
                        line_of(simple_job("a")) + b"\n", b'{"id":"a","status":"accepted"}\n',
                        b"[send]\n", b"\n\nnotes\n", b"RPJRNL1\n", b'{"id":"a"}\n'):
            with self.subTest(content):
                self.assert_content_refused(content)

    def test_dry_run(self):
        """It writes outcomes, too."""
        (self.folder / "there").write_bytes(b"Dear diary\n")
        self.assert_refused("--dry-run", "-o", "there", JOBS, says=("there",))
        self.assert_refused("--dry-run", "-o", JOBS, JOBS, says=("same file",))

    def test_journal_path(self):
        (self.folder / "there").write_bytes(b"Dear diary\n")
        for flags in ((), ("--resume",)):
            before = self.tree()
            run = self.run_program("send", "-e", "smtp://localhost:1?tls=none", JOBS, "--journal",
                                   "there", *flags)
            self.assertIn(run.exit_code, (2, 11))
            self.assertIn("there", run.stderr)
            self.assertEqual(self.tree(), before)

    def test_outcome_files_are_added_to(self):
        """Also torn ones, empty ones, and those that another program has written anew."""
        sink = self.sink()
        line = b'{"id":"a","rcpt":"b@c.example","status":"accepted","code":250}\n'
        for content in (b"", line, line + b'{"id":"b","rc', b'{"id":"torn', b"{", b"\n",
                        b'{"id":"tor\n' + line, b"\0" * 4096 + b'x"}\n' + line,
                        b'{"id": "a", "rcpt": "b@c.example", "status": "accepted"}\n',
                        b'{"id":"a","rcpt":null,"status":"invalid"}\n'):
            with self.subTest(content):
                path = self.folder / "there"
                path.write_bytes(content)
                run = self.run_program("send", JOBS, "-e", sink.endpoint(), "-o", "there",
                                       RINGPOST_PASSWORD=PASSWORD)
                self.assert_exit(run, 0)
                after = path.read_bytes()
                self.assertTrue(after.startswith(content))
                self.assertEqual(after[len(content):].lstrip(b"\n").count(b"\n"), 20)

    def test_what_is_no_regular_file(self):
        """Nothing to lose there: /dev/null for both, and a pipe for each."""
        sink = self.sink()
        run = self.run_program("send", JOBS, "-e", sink.endpoint(), "-o", "/dev/null", "--errors",
                               "/dev/null", RINGPOST_PASSWORD=PASSWORD)
        self.assert_exit(run, 0)
        os.mkfifo(self.folder / "fifo")
        reader = subprocess.Popen(["cat", self.folder / "fifo"], stdout=subprocess.PIPE)
        self.addCleanup(reader.stdout.close)
        self.addCleanup(reader.wait)
        self.addCleanup(reader.kill)
        run = self.run_program("send", JOBS, "-e", sink.endpoint(), "-o", "fifo",
                               RINGPOST_PASSWORD=PASSWORD)
        self.assert_exit(run, 0)
        self.assertEqual(reader.stdout.read().count(b"\n"), 20)

    def test_output_and_messages_in_one_file(self):
        """As `>log 2>&1` has it, which is everybody's habit."""
        sink = self.sink()
        with open(self.folder / "log", "wb") as log:
            run = subprocess.run([PROGRAM, "send", JOBS, "-e", sink.endpoint(), "-o", OUTCOMES],
                                 cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 env=environment_of(self.folder, RINGPOST_PASSWORD=PASSWORD),
                                 check=False)
        self.assertEqual(run.returncode, 0)

    def test_dev_stdout_is_standard_output(self):
        """Outcomes alone, and the summary elsewhere, as with -."""
        sink = self.sink()
        run = self.run_program("send", JOBS, "-e", sink.endpoint(), "-o", "/dev/stdout",
                               RINGPOST_PASSWORD=PASSWORD)
        self.assert_exit(run, 0)
        self.assertEqual(run.stdout.count(b'{"id":'), 20)
        self.assertEqual(run.stdout.count(b"\n"), 20)


class ManyThreadsTest(SinkTest):
    """Four who read and two who tell: the run of one, in another order."""

    threads = {"RINGPOST_READERS": "4", "RINGPOST_OUTCOME_THREADS": "2", "RINGPOST_CORES": "2"}
    COUNT = 3000

    def assert_one_line_each(self, jobs, name):
        ids = [outcome["id"] for outcome in read_outcomes(self.folder / name)]
        self.assertEqual(sorted(ids), sorted(job["id"] for job in jobs))

    def test_several_files(self):
        """Plain and compressed, with blank lines and one that is no job: each line once."""
        jobs = simple_jobs(self.COUNT)
        third = self.COUNT // 3
        write_jobs(self.folder / "a.jsonl", jobs[:third])
        octets = (self.folder / "a.jsonl").read_bytes()
        (self.folder / "a.jsonl").write_bytes(octets.replace(b"\n", b"\n\n \r\n") + b"no job\n")
        write_jobs(self.folder / "b.jsonl", jobs[third:2 * third])
        (self.folder / "b.jsonl.gz").write_bytes(
            gzip.compress((self.folder / "b.jsonl").read_bytes()))
        write_jobs(self.folder / "c.jsonl", jobs[2 * third:])
        sink = self.sink()
        run = self.run_program("send", "a.jsonl", "b.jsonl.gz", "c.jsonl", "-e", sink.endpoint(),
                               "-o", "out.jsonl", "--errors", "err.jsonl",
                               RINGPOST_PASSWORD=PASSWORD)
        self.assert_exit(run, 3)
        self.assertIn(f"{self.COUNT // 3 * 3 + 1}", run.stdout.decode())
        invalid = read_outcomes(self.folder / "err.jsonl")
        self.assertEqual([line["status"] for line in invalid], ["invalid"])
        self.assertIn(f"a.jsonl:{3 * third + 1}: ", invalid[0]["reason"])
        self.assert_one_line_each(jobs + [{"id": invalid[0]["id"]}], "out.jsonl")
        self.assertEqual(len(sink.record()), self.COUNT)

    def test_resumes_with_other_numbers(self):
        """A journal is gone on with by any number of readers, and nobody gets a message twice."""
        jobs = simple_jobs(self.COUNT)
        sink = self.sink("--latency", "1ms")
        program = self.start_send(jobs, sink.endpoint(), "--journal", "run.journal")
        wait_until(lambda: len(sink.record()) > self.COUNT // 4, "some were taken")
        program.process.kill()
        program.wait()
        for readers in ("1", "3"):
            self.threads = {"RINGPOST_READERS": readers, "RINGPOST_OUTCOME_THREADS": readers}
            run = self.run_program("send", "jobs.jsonl", "-e", sink.endpoint(), "-o", OUTCOMES,
                                   "--journal", "run.journal", "--resume",
                                   RINGPOST_PASSWORD=PASSWORD)
            self.assertIn(run.exit_code, (0, 6), run.describe())
        self.assert_one_line_each(jobs, OUTCOMES)
        taken = [message["from"] for message in sink.record()]
        self.assertLessEqual(len(taken), self.COUNT)


if __name__ == "__main__":
    unittest.main()
