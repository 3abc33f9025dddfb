"""`ringpost send --journal` and `--resume`: what is refused, and what a resume sends and says.

tests/crash kills at random moments; here each promise has a case of its own.
"""

import json
import shlex
import signal
import subprocess
import time
import unittest

from support.fates import afterthoughts, last_words
from support.jobs import line_of, read_outcomes, recipients_of, simple_jobs, write_jobs
from support.program import OUTCOMES, PASSWORD, terminate
from support.scripted_server import (ScriptedServer, any_messages, envelope, expect, hang_up,
                                     in_clear, read_to_the_end, say, take_content)
from support.sink import SinkTest
from support.workspace import wait_until

JOBS = "jobs.jsonl"
JOURNAL = "run.journal"
LOCK_STEP = ("--connections", "4", "--pipeline", "off")
COMPOSED = {"id": "composed", "from": "sender@example.com", "to": "recipient@example.net",
            "subject": "Hello", "text": "Hello.\n", "headers": {"X-Id": "composed"}}
# Takes a whole message, and does not answer it.
NO_ANSWER = [*in_clear(), *envelope(), expect("DATA"), say("354 go on"), take_content]


class ResumeTest(SinkTest):
    """A test case with runs of one journal, on the job file of its folder."""

    def start_run(self, endpoint, *flags, files=(JOBS,), **more):
        return self.start("send", *files, "-e", endpoint, "-o", OUTCOMES, "--journal", JOURNAL,
                          *flags, RINGPOST_PASSWORD=PASSWORD, **more)

    def finish_run(self, endpoint, *flags, **more):
        return self.finish(self.start_run(endpoint, *flags, **more))

    def files(self):
        """What a refused run must leave as it is."""
        return {name: (self.folder / name).read_bytes() for name in (JOURNAL, OUTCOMES)}

    def assert_finished(self, jobs, report):
        """All runs together: every recipient is accepted, and was sent once."""
        outcomes = read_outcomes(self.folder / OUTCOMES)
        self.assertEqual(afterthoughts(outcomes), [])
        self.assertEqual(last_words(outcomes), dict.fromkeys(recipients_of(jobs), "accepted"))
        self.assertEqual(report.recipients(), recipients_of(jobs))


class RefusalTest(ResumeTest):
    """Runs that would not do what their user means: nothing is sent, and no file is touched."""

    def setUp(self):
        super().setUp()
        self.the_sink = self.sink()
        self.jobs = simple_jobs(20)
        write_jobs(self.folder / JOBS, self.jobs)
        self.assert_all_accepted(self.finish_run(self.the_sink.endpoint()), self.jobs)

    def assert_refused(self, *words, flags=("--resume",), code=2):
        before = self.files()
        run = self.start_run(self.the_sink.endpoint(), *flags).wait()
        self.assert_exit(run, code)
        self.assert_says(run, *words)
        self.assertEqual(self.files(), before, "the refused run has changed a file")

    def assert_nothing_more_was_sent(self):
        self.assertEqual(self.the_sink.stop().recipients(), recipients_of(self.jobs))

    def test_changed_job_file(self):
        """Longer, shorter or with another octet: it is not the file that the journal is about."""
        path = self.folder / JOBS
        octets = path.read_bytes()
        changes = {"longer": octets + line_of(simple_jobs(1, "more")[0]) + b"\n",
                   "shorter": octets[:octets.rstrip().rindex(b"\n") + 1],
                   "another octet": octets.replace(b"Hello", b"Hallo", 1)}
        for name, changed in changes.items():
            with self.subTest(name):
                self.assertNotEqual(changed, octets)
                path.write_bytes(changed)
                self.assert_refused(JOBS)
        path.write_bytes(octets)
        self.assert_exit(self.finish_run(self.the_sink.endpoint(), "--resume"), 0)
        self.assert_nothing_more_was_sent()

    def test_journal_that_is_there_already(self):
        """Without --resume a journal is never gone on with, and never overwritten."""
        self.assert_refused(JOURNAL, "--resume", flags=())
        self.assert_nothing_more_was_sent()

    def test_resume_without_a_journal(self):
        """There is nothing to resume from."""
        before = self.files()
        run = self.run_program("send", JOBS, "-e", self.the_sink.endpoint(), "-o", OUTCOMES,
                               "--resume", RINGPOST_PASSWORD=PASSWORD)
        self.assert_exit(run, 2)
        self.assert_says(run, "--journal")
        self.assertEqual(self.files(), before)
        self.assert_nothing_more_was_sent()


class StoppedTest(ResumeTest):
    """Runs that were ended from outside, and resumed."""

    def setUp(self):
        super().setUp()
        # In lock-step this takes some seconds.
        self.the_sink = self.sink("--latency", "40ms")
        self.jobs = simple_jobs(300)
        write_jobs(self.folder / JOBS, self.jobs)

    def stop(self, program):
        """Ends a run in the middle."""
        least = len(self.the_sink.record()) + 20
        wait_until(lambda: len(self.the_sink.record()) >= least, "it has sent some messages")
        terminate(program)
        run = self.finish(program)
        self.assert_exit(run, 143)
        self.assertLess(run.statuses()["accepted"], len(self.jobs), "it was over before")
        return run

    def test_sigterm(self):
        """It prints the command that resumes, and that command finishes the run."""
        stopped = self.stop(self.start_run(self.the_sink.endpoint(), *LOCK_STEP))
        run = self.finish(self.start(*self.resume_command(stopped), RINGPOST_PASSWORD=PASSWORD))
        self.assert_exit(run, 0)
        self.assert_finished(self.jobs, self.the_sink.stop())

    def resume_command(self, run):
        """The arguments of the command that a stopped run prints, as a shell would read them."""
        said = run.stderr + run.stdout.decode()
        lines = [line for line in said.splitlines() if "--resume" in line and " send " in line]
        self.assertEqual(len(lines), 1, run.describe())
        arguments = shlex.split(lines[0][lines[0].index(" send "):])
        for word in ("send", JOBS, JOURNAL, "--resume"):
            self.assertIn(word, " ".join(arguments), run.describe())
        return arguments

    def test_stdin(self):
        """Jobs of stdin are resumed when the same input is piped in again."""
        self.stop(self.start_piped("-", *LOCK_STEP))
        self.stop(self.start_piped("-", *LOCK_STEP, "--resume"))
        self.assert_exit(self.finish(self.start_piped("--resume")), 0)
        self.assert_finished(self.jobs, self.the_sink.stop())

    def start_piped(self, *flags):
        # A pipe and no file, whose size could be asked for.
        source = subprocess.Popen(["cat", JOBS], cwd=self.folder, stdout=subprocess.PIPE)
        self.addCleanup(source.wait)
        self.addCleanup(source.kill)
        self.addCleanup(source.stdout.close)
        return self.start_run(self.the_sink.endpoint(), *flags, files=(), stdin=source.stdout)


class InFlightTest(ResumeTest):
    """A message whose end of data was handed over, and whose reply nobody has read."""

    def killed_in_flight(self, *then, job=COMPOSED):
        """A server whose first session never answers the message, with the run that is killed."""
        server = ScriptedServer([*NO_ANSWER, read_to_the_end], *then, cleanup=self.addCleanup)
        write_jobs(self.folder / JOBS, [job])
        program = self.start_run(server.endpoint(tls="none"))
        wait_until(lambda: server.messages, "the message has arrived")
        program.stop()
        self.assertEqual(read_outcomes(self.folder / OUTCOMES), [])
        return server

    def assert_sent_again(self, server, earlier):
        """The last run has sent the message once more, octet for octet."""
        run = self.finish_run(server.endpoint(tls="none"), "--resume", "--on-unknown", "resend")
        self.assert_exit(run, 0)
        self.assertEqual([one["status"] for one in run.outcomes], [*earlier, "accepted"])
        self.assertEqual(len(server.messages), 2, run.describe())
        first, second = server.messages
        for name in (b"Message-ID:", b"Date:"):
            self.assertIn(b"\r\n" + name, b"\r\n" + first)
        self.assertEqual(first, second)

    def test_hold(self):
        """By itself a resume does not send it again: it is unknown, and stays so."""
        server = self.killed_in_flight([*in_clear(), any_messages])
        first = self.finish_run(server.endpoint(tls="none"), "--resume")
        self.assert_exit(first, 6)
        second = self.finish_run(server.endpoint(tls="none"), "--resume", "--on-unknown", "hold")
        for run in (first, second):
            self.assertEqual(run.statuses(), {"unknown": 1}, run.describe())
            self.assertEqual(run.outcome("composed")["rcpt"], "recipient@example.net")
        self.assertEqual(len(server.messages), 1)

    def test_resend(self):
        """When told to, it sends the identical message: same Message-ID, same Date."""
        server = self.killed_in_flight([*in_clear(), any_messages])
        self.wait_for_another_second()
        self.assert_sent_again(server, [])

    def resume_without_its_file(self, *flags):
        """The job cannot be read again: that takes back nothing of what may have happened."""
        content = self.folder / "content.eml"
        content.write_text("Subject: x\r\n\r\nx\r\n")
        server = self.killed_in_flight([*in_clear(), any_messages], job={
            "id": "composed", "raw_file": str(content),
            "envelope": {"from": "sender@example.com", "to": ["recipient@example.net"]}})
        content.unlink()
        first = self.finish_run(server.endpoint(tls="none"), "--resume", *flags)
        self.assert_exit(first, 6)
        second = self.finish_run(server.endpoint(tls="none"), "--resume", *flags)
        for run in (first, second):
            self.assertEqual(set(run.statuses()), {"unknown"}, run.describe())
        self.assertEqual(len(server.messages), 1)

    def test_hold_without_its_file(self):
        self.resume_without_its_file()

    def test_resend_without_its_file(self):
        self.resume_without_its_file("--on-unknown", "resend")

    def test_resend_of_what_was_held(self):
        """The decision can come later."""
        server = self.killed_in_flight([*in_clear(), any_messages])
        self.assert_exit(self.finish_run(server.endpoint(tls="none"), "--resume"), 6)
        self.assert_sent_again(server, ["unknown"])

    def test_resend_after_a_lost_connection(self):
        """The same when it was the server that went away, and the run said so itself."""
        server = ScriptedServer([*NO_ANSWER, hang_up], [*in_clear(), any_messages],
                                cleanup=self.addCleanup)
        write_jobs(self.folder / JOBS, [COMPOSED])
        run = self.finish_run(server.endpoint(tls="none"))
        self.assert_exit(run, 6)
        self.assertEqual(run.outcome("composed")["status"], "unknown")
        self.assert_sent_again(server, ["unknown"])

    def wait_for_another_second(self):
        """The Date of a message counts in seconds: one made anew would show."""
        begin = int(time.time())
        wait_until(lambda: int(time.time()) > begin, "another second has begun")



class PutOffTest(ResumeTest):
    """Recipients whom the server has put off, and who wait for another attempt, in a run that is
    killed: the server has said that it has none of it, and so nobody is in doubt."""

    def recipients(self):
        run = self.run_program("journal", "ls", "--json", JOURNAL)
        return json.loads(run.stdout)["recipients"] if run.exit_code == 0 else {}

    def kill_when(self, program, accepted, put_off):
        """Kills a run in a moment in which so many are accepted, as many put off at least, and
        nobody is in flight. (Who was refused before his content left was never in flight.)"""

        def stopped_there():
            program.signal(signal.SIGSTOP)
            known = self.recipients()
            if (known.get("in_flight") == 0 and known["accepted"] == accepted
                    and known["put_off"] >= put_off):
                return True
            program.signal(signal.SIGCONT)
            return False

        wait_until(stopped_there, f"{accepted} are accepted, and {put_off} put off")
        program.stop()

    def assert_put_off_are_sent(self, address, put_off, *flags):
        """Jobs to an address that is put off, and more to others; killed, and resumed.

        Content leaves ahead of the replies to its envelope when the server's words are known: the
        first ten teach them."""
        sink = self.sink()
        jobs = simple_jobs(10, "good-first-") + [job for number in range(10) for job in (
            {**simple_jobs(1, f"late-{number}-")[0],
             "envelope": {"from": "sender@example.com", "to": [address.format(number)]}},
            *simple_jobs(1, f"good-{number}-"))]
        write_jobs(self.folder / JOBS, jobs)
        program = self.start_run(sink.endpoint(), *flags)
        self.kill_when(program, accepted=20, put_off=put_off)
        run = self.finish_run(sink.endpoint(), "--resume", "--max-attempts", "1", *flags)
        self.assert_exit(run, 5)
        words = last_words(read_outcomes(self.folder / OUTCOMES))
        self.assertEqual(set(words), set(recipients_of(jobs)))
        self.assertEqual({status for (job, _), status in words.items() if job.startswith("late")},
                         {"deferred"}, run.describe())
        self.assertEqual({status for (job, _), status in words.items() if job.startswith("good")},
                         {"accepted"}, run.describe())
        self.assertEqual(set(sink.stop().recipients().values()), {1})

    def test_at_rcpt(self):
        """450 to RCPT, in a flight whose content has left behind it."""
        self.assert_put_off_are_sent("defer-{}@example.net", 1)

    def test_at_rcpt_with_the_disk(self):
        self.assert_put_off_are_sent("defer-{}@example.net", 1, "--durability", "power")

    def test_at_the_end_of_data(self):
        """4xx to the end of data: that intent was written whatever the way of speaking."""
        self.assert_put_off_are_sent("defer-data-{}@example.net", 10, "--pipeline", "off")

    def test_of_one_job_some(self):
        """Of one transaction some are accepted and some put off."""
        sink = self.sink()
        job = simple_jobs(1)[0]
        job["envelope"]["to"] = [f"{name}-{number}@example.net" for number in range(5)
                                 for name in ("to", "defer")]
        write_jobs(self.folder / JOBS, [job])
        self.kill_when(self.start_run(sink.endpoint()), accepted=5, put_off=0)
        run = self.finish_run(sink.endpoint(), "--resume", "--max-attempts", "1")
        self.assert_exit(run, 5)
        words = last_words(read_outcomes(self.folder / OUTCOMES))
        self.assertEqual({name.split("-")[0]: status for (_, name), status in words.items()},
                         {"to": "accepted", "defer": "deferred"})
        self.assertEqual(len(words), 10)


class StalledServerTest(ResumeTest):
    """A server that takes a message and never answers, and somebody who has no time for that."""

    def setUp(self):
        super().setUp()
        self.server = ScriptedServer([*NO_ANSWER, read_to_the_end], [*in_clear(), any_messages],
                                     cleanup=self.addCleanup)
        self.jobs = simple_jobs(5)
        write_jobs(self.folder / JOBS, self.jobs)

    def start_stalled(self, drain):
        program = self.start_run(self.server.endpoint(tls="none"), "--connections", "1",
                                 "--drain", drain)
        wait_until(lambda: self.server.messages, "the first message has arrived")
        return program

    def assert_resumes(self, program):
        """Everybody has an outcome, and a resume sends all but the one in doubt."""
        run = self.finish(program)
        self.assert_exit(run, 143)
        self.assert_each_recipient_once(run, self.jobs)
        self.assertEqual(run.statuses(), {"unknown": 1, "unsent": 4}, run.describe())
        self.assert_exit(self.finish_run(self.server.endpoint(tls="none"), "--resume"), 0)
        outcomes = read_outcomes(self.folder / OUTCOMES)
        self.assertEqual(afterthoughts(outcomes), [])
        words = last_words(outcomes)
        self.assertEqual(words.pop(("job-0", "recipient@example.net")), "unknown")
        self.assertEqual(set(words.values()), {"accepted"})
        self.assertEqual(len(self.server.messages), len(self.jobs))

    def test_sigterm(self):
        """It waits as long as the drain takes, and no longer."""
        program = self.start_stalled("300ms")
        terminate(program)
        self.assert_resumes(program)

    def test_second_sigterm(self):
        """It ends at once, with an outcome for what is in flight."""
        program = self.start_stalled("1h")
        terminate(program)
        wait_until(lambda: "stopping" in program.stderr(), "the first signal was noticed")
        self.assertTrue(program.is_alive())
        terminate(program)
        self.assert_resumes(program)


class CompletedFileTest(ResumeTest):
    """Outcome lines that a crash has kept from the file, and a resume takes from the journal."""

    def setUp(self):
        super().setUp()
        self.the_sink = self.sink()
        self.jobs = simple_jobs(200)
        write_jobs(self.folder / JOBS, self.jobs)

    def run_harm_resume(self, harm, *flags):
        """The outcome file before the harm, and after the resume of a run that was complete."""
        path = self.folder / OUTCOMES
        self.assert_exit(self.finish_run(self.the_sink.endpoint(), *flags), 0)
        before = path.read_bytes()
        harm(path, before)
        run = self.start_run(self.the_sink.endpoint(), "--resume", *flags).wait()
        self.assert_exit(run, 0)
        return before, path.read_bytes()

    def test_lines_that_are_missing(self):
        """Half a line, and all that should follow it."""
        before, after = self.run_harm_resume(
            lambda path, octets: path.write_bytes(octets[:len(octets) // 2]))
        self.assertEqual(after, before)

    def test_file_that_ended_within_a_line(self):
        """What stood in the file before, of another program, does not shift what belongs there."""
        (self.folder / OUTCOMES).write_bytes(b'{"id":"torn')
        path = self.folder / OUTCOMES
        self.assert_exit(self.start_run(self.the_sink.endpoint()).wait(), 0)
        before = path.read_bytes()
        self.assertTrue(before.startswith(b'{"id":"torn\n{"id":'))
        path.write_bytes(before[:-1000])
        self.assert_exit(self.start_run(self.the_sink.endpoint(), "--resume").wait(), 0)
        self.assertEqual(path.read_bytes(), before)

    def test_power_cut(self):
        """Octets that never came to the disk read as NUL, at the end and in the middle."""

        def harm(path, octets):
            page = 4096
            path.write_bytes(octets[:page] + b"\0" * page + octets[2 * page:3 * page] +
                             b"\0" * page)

        before, after = self.run_harm_resume(harm, "--durability", "power")
        self.assertEqual(after, before)

    def test_resume_with_another_file(self):
        """The earlier file is completed, and the other one has what is new: together each once."""
        path = self.folder / OUTCOMES
        self.assert_exit(self.finish_run(self.the_sink.endpoint()), 0)
        before = path.read_bytes()
        lines = before.splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:-10]) + lines[-10][:20])
        for name in ("other.jsonl", "third.jsonl"):
            run = self.run_program("send", JOBS, "-e", self.the_sink.endpoint(), "-o", name,
                                   "--journal", JOURNAL, "--resume", RINGPOST_PASSWORD=PASSWORD)
            self.assert_exit(run, 0)
            self.assertEqual(path.read_bytes(), before)
            self.assertEqual((self.folder / name).read_bytes(), b"")

    def test_same_file_by_another_name(self):
        """./out.jsonl is out.jsonl."""
        path = self.folder / OUTCOMES
        self.assert_exit(self.finish_run(self.the_sink.endpoint()), 0)
        before = path.read_bytes()
        path.write_bytes(before[:-1000])
        run = self.run_program("send", JOBS, "-e", self.the_sink.endpoint(), "-o",
                               f"./{OUTCOMES}", "--journal", JOURNAL, "--resume",
                               RINGPOST_PASSWORD=PASSWORD)
        self.assert_exit(run, 0)
        self.assertEqual(path.read_bytes(), before)

    def test_earlier_file_that_is_gone(self):
        """Of a killed run whose file is not there, it is said where its lines are."""
        slow = self.sink("--latency", "40ms")
        program = self.start_run(slow.endpoint(), *LOCK_STEP)
        wait_until(lambda: len(read_outcomes(self.folder / OUTCOMES)) > 5, "it is under way")
        program.stop()
        (self.folder / OUTCOMES).rename(self.folder / "moved.jsonl")
        run = self.run_program("send", JOBS, "-e", self.the_sink.endpoint(), "-o", "other.jsonl",
                               "--journal", JOURNAL, "--resume", RINGPOST_PASSWORD=PASSWORD)
        self.assertIn("journal export --all", run.stderr)
        self.assertIn(OUTCOMES, run.stderr)

    def test_file_of_somebody_else(self):
        """A file that has something else there is left as it is."""
        before, after = self.run_harm_resume(
            lambda path, octets: path.write_bytes(octets.replace(b"job-7", b"JOB-7")),
            "--durability", "power")
        self.assertEqual(after, before.replace(b"job-7", b"JOB-7"))


if __name__ == "__main__":
    unittest.main()
