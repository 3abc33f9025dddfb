"""ringpost as a user runs it: started as a process, with a time limit, its traces kept."""

import base64
import json
import os
import resource
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from support.jobs import read_outcomes, recipients_of, write_jobs
from support.workspace import Workspace

PROGRAM = os.environ.get("RINGPOST", str(Path(__file__).parents[2] / "build/release/ringpost"))
PASSWORD = "corr3ct-h0rse-battery"
USER = "mailer"
# For runs that should end by themselves long before; only a hang comes this far.
SECONDS_MAX = 600
OUTCOMES = "outcomes.jsonl"
# What tests that need the program to be small or fast look for in it.
SANITIZERS = (b"__asan_init", b"__tsan_init")


def is_sanitized():
    """Whether the program was built with a sanitizer, so that its memory says nothing."""
    return any(name in Path(PROGRAM).read_bytes() for name in SANITIZERS)


def environment_of(folder, **variables):
    """What the program sees: nothing of the user's own configuration, and no password.

    RINGPOST_IO=epoll runs any module without io_uring."""
    kept = {name: value for name, value in os.environ.items()
            if name in ("PATH", "LANG", "TMPDIR", "RINGPOST_IO") or name.endswith("SAN_OPTIONS")}
    return {**kept, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config"), **variables}


@dataclass
class Run:
    """A run that is over."""

    arguments: list
    exit_code: int
    stdout: bytes
    stderr: str
    seconds: float
    command_line: bytes
    outcomes: list = field(default_factory=list)

    def describe(self):
        shown = "\n".join(str(outcome) for outcome in self.outcomes[:10])
        return (f"{' '.join(self.arguments)}\nexit code {self.exit_code} after "
                f"{self.seconds:.2f} s\n--- stderr\n{self.stderr[-4000:]}\n--- stdout\n"
                f"{self.stdout[-2000:].decode(errors='replace')}\n--- outcomes "
                f"({len(self.outcomes)})\n{shown}")

    def statuses(self):
        return Counter(outcome["status"] for outcome in self.outcomes)

    def outcome(self, job_id, recipient=None):
        """The one outcome of a job, or of one recipient of it."""
        found = [outcome for outcome in self.outcomes if outcome["id"] == job_id
                 and recipient in (None, outcome["rcpt"])]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} outcomes of {job_id} {recipient}\n"
                                 f"{self.describe()}")
        return found[0]


def limit_files(pid, octets):
    """How large files of a process may become: beyond that the disk is full for it."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (octets, resource.RLIM_INFINITY))


class RunningProgram:
    """A process of ringpost whose stdout and stderr go to files, so that it never waits for us."""

    confine = None  # called in each process before it is the program; for tests of sandboxes

    def __init__(self, folder, arguments, environment, stdin=subprocess.DEVNULL,
                 file_bytes_max=None, program=PROGRAM):
        self.folder = folder
        self.arguments = [program, *map(str, arguments)]
        self._stdout = folder / f"stdout-{time.monotonic_ns()}"
        self._stderr = folder / f"stderr-{time.monotonic_ns()}"
        self._started_at = time.monotonic()
        with open(self._stdout, "wb") as out, open(self._stderr, "wb") as err:
            self.process = subprocess.Popen(
                self.arguments, cwd=folder, env=environment, stdin=stdin, stdout=out, stderr=err,
                # Of its own, with a parent in its session: only such a group is stopped by
                # SIGTSTP.
                process_group=0,
                preexec_fn=self._preparation(file_bytes_max))
        # It begins as a copy of this process and is itself when exec has replaced that.
        self.command_line = b""
        while self.is_alive() and not self.command_line.startswith(program.encode()):
            self.command_line = Path(f"/proc/{self.process.pid}/cmdline").read_bytes()

    @classmethod
    def _preparation(cls, file_bytes_max):
        if cls.confine is None and file_bytes_max is None:
            return None

        def prepare(confine=cls.confine):
            if file_bytes_max:
                limit_files(0, file_bytes_max)
            if confine:
                confine()
        return prepare

    def is_alive(self):
        return self.process.poll() is None

    def stdout(self):
        return self._stdout.read_bytes()

    def stderr(self):
        return self._stderr.read_bytes().decode("utf-8", errors="replace")

    def signal(self, number):
        self.process.send_signal(number)

    def state(self):
        """One letter of proc(5): T is stopped."""
        status = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii")
        return status.rpartition(")")[2].split()[0]

    def peak_memory(self):
        """The most resident memory that it ever had, in octets (VmHWM of proc(5))."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def wait(self, seconds=SECONDS_MAX):
        try:
            exit_code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            raise AssertionError(
                f"{self.arguments} did not end within {seconds} s\n{self.stderr()}") from None
        return Run(self.arguments, exit_code, self.stdout(), self.stderr(),
                   time.monotonic() - self._started_at, self.command_line)

    def stop(self):
        """For clean-up: it ends now, if it still runs."""
        if self.is_alive():
            self.process.kill()
        self.process.wait()
        if self.process.stdin:
            with suppress(BrokenPipeError):  # of what it has not read
                self.process.stdin.close()


class ProgramTest(Workspace):
    """A test case that runs ringpost in a folder of its own."""

    patience = None  # with endpoints, where a test must not wait for the default
    threads = {}  # variables of `send` that say how many there are

    def start(self, *arguments, stdin=subprocess.DEVNULL, folder=None,
              file_bytes_max=None, **environment):
        folder = folder or self.folder
        variables = {**self.threads, **environment}
        program = RunningProgram(folder, arguments, environment_of(folder, **variables), stdin,
                                 file_bytes_max)
        self.addCleanup(program.stop)
        return program

    def run_program(self, *arguments, seconds=SECONDS_MAX, **more):
        return self.start(*arguments, **more).wait(seconds)

    def start_send(self, jobs, endpoint, *flags, folder=None, **more):
        """Starts `ringpost send` on a list of jobs, or on a file that has some.

        Outcome lines of an earlier run in the same folder are removed."""
        folder = folder or self.folder
        folder.mkdir(exist_ok=True)
        (folder / OUTCOMES).unlink(missing_ok=True)
        if isinstance(jobs, list):
            jobs = write_jobs(folder / "jobs.jsonl", jobs)
        more.setdefault("RINGPOST_PASSWORD", PASSWORD)
        if self.patience:
            more.setdefault("RINGPOST_PATIENCE", self.patience)
        # The file is named as a user would who stands in that folder.
        return self.start("send", os.path.relpath(jobs, folder), "--endpoint", endpoint,
                          "--outcomes", OUTCOMES, *flags, folder=folder, **more)

    def send(self, jobs, endpoint, *flags, **more):
        return self.finish(self.start_send(jobs, endpoint, *flags, **more))

    def send_together(self, jobs, endpoints, *flags):
        """Sends the same jobs to several endpoints at a time, each in a folder of its own."""
        programs = [self.start_send(jobs, endpoint, *flags, folder=self.folder / f"run-{number}")
                    for number, endpoint in enumerate(endpoints)]
        return [self.finish(program) for program in programs]

    def finish(self, program, seconds=SECONDS_MAX):
        """Waits for a run and reads its outcome lines."""
        run = program.wait(seconds)
        run.outcomes = read_outcomes(program.folder / OUTCOMES)
        return run

    def configure(self, **settings):
        """Writes a ringpost.toml with one endpoint, and returns its name."""
        lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
        path = self.folder / "ringpost.toml"
        path.write_text("\n".join(["[endpoint.esp]", *lines, ""]), encoding="utf-8")
        path.chmod(0o600)
        return "esp"

    # ---- Claims ---------------------------------------------------------------------------------

    def assert_exit(self, run, code):
        self.assertEqual(run.exit_code, code, run.describe())

    def assert_each_recipient_once(self, run, jobs):
        """The first promise: every recipient of every job has exactly one outcome line."""
        found = Counter((outcome["id"], outcome["rcpt"]) for outcome in run.outcomes)
        self.assertEqual(found, recipients_of(jobs), run.describe())

    def assert_all_accepted(self, run, jobs):
        self.assert_exit(run, 0)
        self.assert_each_recipient_once(run, jobs)
        self.assertEqual(set(run.statuses()), {"accepted"}, run.describe())

    def assert_says(self, run, *words):
        """A person is told so, on stderr, in the summary or in an outcome; case does not matter."""
        of_outcomes = [f"{outcome.get('reason', '')} {outcome.get('text', '')}"
                       for outcome in run.outcomes]
        said = "\n".join([run.stderr, run.stdout.decode(), *of_outcomes]).lower()
        for word in words:
            self.assertIn(word.lower(), said, run.describe())

    def assert_secret_absent(self, run, password=PASSWORD, user=USER):
        """The password stands nowhere, neither as it is nor in the forms that AUTH gives it."""
        traces = {"stdout": run.stdout, "stderr": run.stderr.encode(),
                  "arguments": run.command_line,
                  "outcomes": repr(run.outcomes).encode()}
        plain = f"\0{user}\0{password}".encode()
        for form in (password.encode(), base64.b64encode(password.encode()),
                     base64.b64encode(plain), plain):
            for name, trace in traces.items():
                self.assertNotIn(form, trace, f"the password is in {name}\n{run.describe()}")


def hang_up(program):
    program.signal(signal.SIGHUP)


def interrupt(program):
    program.signal(signal.SIGINT)


def terminate(program):
    program.signal(signal.SIGTERM)
