#!/usr/bin/env python3
"""Many sessions: what it takes to hold ten thousand of them, and to use one after the other.

For a provider without PIPELINING, as Amazon SES, rate comes from sessions. The embedded ESP here
announces neither PIPELINING nor CHUNKING and lets each reply leave --latency after its command, so
that all sessions are wanted at once. Each run with STARTTLS and AUTH has three parts: as many jobs
as there are sessions, until every session is there; a silence, in which resident memory and CPU of
the client are read; and jobs for all of them, whose rate is taken. In the end every message must
have arrived once, unaltered, with one `accepted` line.

Memory of a session is the difference between two runs, one of which has few.

    tools/dev build && bench/e2e/sessions.py
    bench/e2e/sessions.py --sessions 10000 --json bench/baselines/sessions.json
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time

from sink_run import ROOT, Sink, check, machine, write_jobs

# Commands that wait for their reply: MAIL, RCPT, DATA and the end of data.
ROUND_TRIPS = 4
SECONDS_MAX = 300
# Between two lines of `--progress json`.
PROGRESS_SECONDS = 10


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/ringpost"))
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--few", type=int, default=100, help="of the run it is compared with")
    parser.add_argument("--each", type=int, default=4, help="messages of a session, all told")
    parser.add_argument("--latency", type=int, default=2000, help="ms until a reply leaves")
    parser.add_argument("--idle", type=float, default=10, help="seconds of silence")
    parser.add_argument("--bytes", type=int, default=2048, help="octets of content of one message")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    options.seed = 1
    options.sink = (f"--no-pipelining --no-chunking --latency {options.latency}ms "
                    f"--idle-timeout 1h --sessions-max {options.sessions * 5 // 4}")
    return options


def raise_descriptor_limit(wanted):
    """For this process and its children; loopback has ports for 28,000 connections to one port."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            sys.exit(f"{wanted} open files are needed and {hard} are allowed (ulimit -Hn)")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def memory_kib(pid, field):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(rf"^{field}:\s+(\d+) kB$", file.read(), re.M).group(1))


def cpu_seconds(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Client:
    """`ringpost send` that is given its jobs bit by bit, and says how far it is."""

    def __init__(self, options, sessions, outcomes, endpoint):
        self.ready = 0
        self.accepted = 0
        self.process = subprocess.Popen(
            [options.program, "send", "-", "-o", outcomes, "--progress", "json",
             "--summary", "json", "--stats", "internal", "--connections", str(sessions),
             "-e", endpoint],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, RINGPOST_PASSWORD="ringpost"))
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self):
        for line in self.process.stderr:
            if not line.startswith(b'{"progress"'):
                sys.stderr.write(line.decode(errors="replace"))
                continue
            progress = json.loads(line)["progress"]
            self.ready = progress["sessions_ready"]
            self.accepted = progress["recipients"]["accepted"]

    def give(self, lines):
        self.process.stdin.write(b"".join(lines))
        self.process.stdin.flush()

    def wait_until_accepted(self, outcomes, count):
        """Outcome lines tell sooner than progress, which comes now and then."""
        deadline = time.monotonic() + SECONDS_MAX
        lines = 0
        with open(outcomes, "rb") as file:
            while lines < count:
                lines += file.read().count(b"\n")
                if self.process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"{lines} of {count} messages had their outcomes")
                time.sleep(0.02)

    def opened(self):
        """How many sessions there are: the last jobs may have found some that were free."""
        time.sleep(PROGRESS_SECONDS + 1)
        return self.ready

    def finish(self):
        self.process.stdin.close()
        output = self.process.stdout.read()
        self._listener.join()
        if self.process.wait() != 0:
            sys.exit(f"ringpost send ended with {self.process.returncode}")
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        return json.loads(output)["summary"]


def measure(options, folder, sessions):
    jobs = os.path.join(folder, "jobs.jsonl")
    outcomes = os.path.join(folder, "outcomes.jsonl")
    if os.path.exists(outcomes):
        os.remove(outcomes)
    options.jobs = sessions * options.each
    expected = write_jobs(jobs, options)
    with open(jobs, "rb") as file:
        lines = file.readlines()
    with Sink(options.program, folder, options.sink) as sink:
        client = Client(options, sessions, outcomes, sink.endpoint(tls=True))
        pid = client.process.pid
        begin = time.monotonic()
        client.give(lines[:sessions])
        while not os.path.exists(outcomes):
            time.sleep(0.01)
        client.wait_until_accepted(outcomes, sessions)
        opened_in = time.monotonic() - begin
        opening_cpu = cpu_seconds(pid)

        opened = client.opened()
        if opened < sessions * 0.95:
            sys.exit(f"{opened} of {sessions} sessions were opened: replies have to come later")
        idle_kib = memory_kib(pid, "VmRSS")
        cpu_before = cpu_seconds(pid)
        time.sleep(options.idle)
        idle_cpu = cpu_seconds(pid) - cpu_before

        cpu_before = cpu_seconds(pid)
        begin = time.monotonic()
        client.give(lines[sessions:])
        client.wait_until_accepted(outcomes, len(lines))
        seconds = time.monotonic() - begin
        using_cpu = cpu_seconds(pid) - cpu_before
        peak_kib = memory_kib(pid, "VmHWM")
        summary = client.finish()
    check(expected, sink.record, outcomes)
    if summary["endpoints"][0]["pipelining"] != "lock-step":
        sys.exit("the sessions were not used in lock-step")
    used = len(lines) - sessions
    return {
        "sessions": opened,
        "opened_in_seconds": round(opened_in, 2),
        "opening_cpu_us_per_session": round(opening_cpu / opened * 1e6, 1),
        "idle_resident_megabytes": round(idle_kib / 1024, 1),
        "peak_resident_megabytes": round(peak_kib / 1024, 1),
        "idle_cpu_us_per_session_and_second":
            round(idle_cpu / options.idle / opened * 1e6, 3),
        "messages_per_second": round(used / seconds),
        "messages_per_second_possible":
            round(opened / (ROUND_TRIPS * options.latency / 1000)),
        "cpu_us_per_message": round(using_cpu / used * 1e6, 1),
        "ring_enters_per_message":
            round(summary["internal"]["ring_enters"] / len(lines), 3),
    }


def main():
    options = arguments()
    raise_descriptor_limit(options.sessions + options.sessions // 4 + 1000)
    facts = machine()
    print(f"{facts['cpu']}, {facts['cores']} cores (shared with the sink), Linux {facts['kernel']}")
    print(f"STARTTLS and AUTH, no PIPELINING, replies {options.latency} ms late, messages of "
          f"{options.bytes} octets\n")
    with tempfile.TemporaryDirectory(prefix="ringpost-bench.") as folder:
        few = measure(options, folder, options.few)
        many = measure(options, folder, options.sessions)
    for name in many:
        print(f"{name:<40}{few[name]:>12}{many[name]:>12}", flush=True)
    more = many["sessions"] - few["sessions"]
    each = (many["idle_resident_megabytes"] - few["idle_resident_megabytes"]) / more * 1024
    print(f"{'resident_kilobytes_per_session':<40}{each:>24.1f}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": facts, "latency_ms": options.latency, "bytes": options.bytes,
                       "resident_kilobytes_per_session": round(each, 1), "few": few,
                       "many": many}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
