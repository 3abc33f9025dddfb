"""Runs of ringpost against a sink that does everything wrong that a transport can, and the books.

fault_test.py does it with a few thousand messages; `tools/dev faults` runs this file for more.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from support.fates import last_words
from support.jobs import (numbered_body, read_outcomes, recipients_of, sha256,
                          simple_content, write_jobs)
from support.program import (OUTCOMES, PASSWORD, USER, RunningProgram, environment_of,
                             is_sanitized)
from support.reconcile import reconcile
from support.sink import Sink

# Each at its own chance. At the stages of a message, and at those of a session's opening.
FAULTS = ("drop@mail", "drop@rcpt", "drop@data", "drop@content", "drop@end", "drop-reply",
          "half-reply", "421@mail", "421@rcpt", "421@data", "421@end", "garbage", "noise",
          "surplus", "late", "trickle", "stall")
OPENING_FAULTS = ("drop", "421", "half-reply", "garbage", "noise", "surplus", "late", "trickle",
                  "stall")
OPENING_STAGES = ("greeting", "ehlo", "starttls", "auth")
# Short, because what stalls is waited for; a sanitizer needs time for itself.
TIMEOUT_MS = 5000 if is_sanitized() else 2000
# Not far from that: such a reply comes just in time, or not.
LATE = f"{TIMEOUT_MS * 9 // 10}ms"
JOURNAL = "run.journal"
# All accepted, or a class of those that the faults make; 7 when four sessions in a row came to
# nothing, which chance can do as well.
EXIT_CODES = {0, 4, 5, 6, 7}
RESUMES_MAX = 30
# Whom a resume that resends tries again.
OPEN = ("unknown", "unsent", "deferred")
DIFFERENCES_SHOWN = 20
# The sender, or a recipient, that makes the sink refuse or put off.
SPECIAL = ("reject", "defer", "reject-data", "defer-data")


def fault_flags(percent, opening_percent):
    wanted = [f"{name}={percent}" for name in FAULTS]
    wanted += [f"{name}@{stage}={opening_percent}" for name in OPENING_FAULTS
               for stage in OPENING_STAGES]
    return [word for one in wanted for word in ("--fault", one)]


def make_jobs(count, seed, prefix="m"):
    """Jobs with one recipient or more, a few of whom are refused; and the digests of those whose
    content stands in the job. The others are composed."""
    rng = random.Random(seed)
    jobs = []
    digests = {}
    for number in range(count):
        job_id = f"{prefix}-{number}"
        names = ["to"] if rng.random() < 0.9 else ["to"] * rng.randint(2, 3)
        if rng.random() < 0.04:
            names[-1] = rng.choice(SPECIAL)
        recipients = [f"{name}-{number}-{place}@example.net" for place, name in enumerate(names)]
        body = numbered_body(number, rng.randrange(80, 3000))
        job = {"id": job_id, "envelope": {"from": "sender@example.com", "to": recipients}}
        if rng.random() < 0.75:
            job["raw"] = simple_content(job_id, body)
            digests[job_id] = sha256(job["raw"].encode())
        else:
            job.update({"from": "sender@example.com", "to": recipients, "subject": job_id,
                        "headers": {"X-Id": job_id}, "text": body})
        jobs.append(job)
    return jobs, digests


def put_off_in(jobs):
    """Who is deferred because his address asks for it, or that of another of his message does."""
    found = set()
    for job in jobs:
        recipients = job["envelope"]["to"]
        whole = any(recipient.startswith("defer-data") for recipient in recipients)
        found |= {(job["id"], recipient) for recipient in recipients
                  if whole or recipient.startswith("defer")}
    return found


@dataclass
class FaultRun:
    """Some messages through one sink, in one run of ringpost or, with a journal, in several."""

    messages: int
    seed: int
    depth: int = 16  # 1: one command after the other; more: `--pipeline N`
    percent: float = 1
    opening_percent: float = 0.2
    connections: int = 16
    chunking: bool = True
    timeout: str = f"{TIMEOUT_MS}ms"
    resends: bool = False  # keep a journal, and send what is unknown again until nothing is
    summary: dict = field(default_factory=dict)
    runs: int = 0
    said: str = ""  # on stderr, in all runs
    put_off: set = field(default_factory=set)  # (id, recipient) who are deferred for ever

    def run(self, folder):
        """Returns the books. Everything is in the folder."""
        jobs, digests = make_jobs(self.messages, self.seed)
        recipients = recipients_of(jobs)
        self.put_off = put_off_in(jobs)
        write_jobs(folder / "jobs.jsonl", jobs)
        with ExitStack() as stack:
            sink = self._sink(folder, stack)
            self._configure(folder, sink)
            self._send(folder, stack)
            while self.resends and self._is_open(folder) and self.runs <= RESUMES_MAX:
                self._send(folder, stack, "--resume", "--on-unknown", "resend")
            if self.resends and self._is_open(folder):
                raise AssertionError(f"{self.runs} runs have not brought all to an end")
            report = sink.stop()
        self.summary = report.summary
        books = reconcile(recipients, read_outcomes(folder / OUTCOMES), report.record, digests,
                          self.resends)
        self._check_sink(books, report)
        return books

    def describe(self):
        return (f"{self.messages} messages, depth {self.depth}, {self.connections} connections, "
                f"each fault at {self.percent} %, seed {self.seed}"
                f"{'' if self.chunking else ', without BDAT'}"
                f"{', with a journal, resent' if self.resends else ''}")

    def _sink(self, folder, stack):
        def clean_up(function, *arguments, **more):
            # Its folder, with the record, stays as long as that of the run.
            if function is not shutil.rmtree:
                stack.callback(function, *arguments, **more)

        return Sink(folder, *fault_flags(self.percent, self.opening_percent), "--fault-seed",
                    str(self.seed), "--fault-late", LATE, cleanup=clean_up)

    def _configure(self, folder, sink):
        settings = {"host": '"localhost"', "port": sink.ports["starttls"], "username": f'"{USER}"',
                    "ca_file": f'"{sink.certificate}"', "connections": self.connections,
                    "pipelining": '"off"' if self.depth == 1 else f'"{self.depth}"',
                    "chunking": '"auto"' if self.chunking else '"off"',
                    "command_timeout": f'"{self.timeout}"',
                    "end_of_data_timeout": f'"{self.timeout}"',
                    "tls_timeout": f'"{self.timeout}"', "max_attempts": 5, "retry_pause": '"20ms"'}
        lines = [f"{name} = {value}" for name, value in settings.items()]
        path = folder / "ringpost.toml"
        path.write_text("\n".join(["[endpoint.esp]", *lines, ""]), encoding="utf-8")
        path.chmod(0o600)

    def _send(self, folder, stack, *flags):
        arguments = ["send", "jobs.jsonl", "-e", "esp", "-o", OUTCOMES, "--progress", "none"]
        if self.resends:
            arguments += ["--journal", JOURNAL, *flags]
        program = RunningProgram(folder, arguments,
                                 environment_of(folder, RINGPOST_PASSWORD=PASSWORD))
        stack.callback(program.stop)
        run = program.wait(1800)
        self.runs += 1
        self.said += run.stderr
        if run.exit_code not in EXIT_CODES:
            raise AssertionError(run.describe())

    def _is_open(self, folder):
        """Whether another run may bring an end to something. Whoever is put off for ever is tried
        again by each of them, and meets faults like all others."""
        words = last_words(read_outcomes(folder / OUTCOMES))
        return any(status in OPEN and key not in self.put_off for key, status in words.items())

    def _check_sink(self, books, report):
        summary = report.summary
        if summary["messages_accepted"] != len(report.record):
            books.differences.append(f"the sink counts {summary['messages_accepted']} messages, "
                                     f"and its record has {len(report.record)}")
        if summary["violations_total"] != 0:
            books.differences.append(f"violations: {summary['violations']}")


def run_in_folder(one):
    """A run in a folder that stays when something is wrong; returns the books."""
    folder = Path(tempfile.mkdtemp(prefix=f"ringpost-faults-{one.seed}-"))
    try:
        books = one.run(folder)
    except Exception as error:
        raise AssertionError(f"{error}\n{one.describe()}; everything is in {folder}") from error
    if books.differences:
        shown = "\n".join(books.differences[:DIFFERENCES_SHOWN])
        raise AssertionError(f"{len(books.differences)} differences:\n{shown}\n{one.describe()}; "
                             f"everything is in {folder}")
    shutil.rmtree(folder)
    return books


# ---- The long run -------------------------------------------------------------------------------

# After replies out of step ringpost goes back to a more careful way for the rest of a run, so many
# messages go through many runs, each of which begins with flights again.
MESSAGES_A_RUN = 2000


def long_run(arguments):
    totals, faults, taken = Counter(), Counter(), Counter()
    begin = time.monotonic()
    for part, first in enumerate(range(0, arguments.messages, arguments.messages_a_run)):
        one = FaultRun(min(arguments.messages_a_run, arguments.messages - first),
                       arguments.seed + part, depth=arguments.depth,
                       percent=arguments.percent, connections=arguments.connections,
                       chunking=not arguments.no_chunking, resends=arguments.resend)
        try:
            books = run_in_folder(one)
        except AssertionError as error:
            print(f"{error}\nonce more: tools/dev faults --messages {one.messages} --depth "
                  f"{one.depth} --seed {one.seed}", flush=True)
            return 1
        totals += books.last
        taken.update({"recipients taken": books.taken, "of them unknown": books.taken_unknown,
                      "resent": books.resent, "taken more than once": books.copies,
                      "runs of ringpost": one.runs})
        faults.update(one.summary["faults"])
        taken.update({name: one.summary[name] for name in
                      ("messages_accepted", "messages_ahead", "sessions", "sessions_reset")})
        print(f"{first + one.messages} messages, seed {one.seed}: {books.describe()}", flush=True)
    print_figures(totals, faults, taken)
    print(f"all of it agrees with the record, id by id; {time.monotonic() - begin:.0f} s")
    return 0


def print_figures(totals, faults, taken):
    for title, counts in (("recipients", totals), ("the sink", taken), ("faults", faults)):
        print(f"{title}:")
        for name, count in sorted(counts.items()):
            print(f"  {count:9} {name}")


def main():
    parser = argparse.ArgumentParser(
        prog="tools/dev faults",
        description="Sends messages to a sink that does everything wrong, and reconciles outcomes "
                    "with its record id by id.")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--depth", type=int, default=16, help="1: one command after the other")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--percent", type=float, default=1, help="of each fault")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--messages-a-run", type=int, default=MESSAGES_A_RUN)
    parser.add_argument("--no-chunking", action="store_true", help="DATA in place of BDAT")
    parser.add_argument("--resend", action="store_true",
                        help="keep a journal, resume, and send what is unknown again until nothing "
                             "is")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}: {arguments.messages} messages, depth {arguments.depth}, each of "
          f"{len(FAULTS)} faults at {arguments.percent} %", flush=True)
    return long_run(arguments)


if __name__ == "__main__":
    sys.exit(main())
