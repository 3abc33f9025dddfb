#!/usr/bin/env python3
"""Peak memory with many jobs and a server that is away, beside the same with few jobs.

Three servers: a port that refuses connections until it is given up, one that takes connections and
never says a word until the deadline of the run, and a sink that stops in the middle and comes back.
Every job must have exactly one outcome. Memory is flat when the peak does not grow with the number
of jobs.

    bench/e2e/memory.py --jobs 10000,1000000
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

from sink_run import ROOT, machine, peak_resident_kib


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/ringpost"))
    parser.add_argument("--jobs", default="10000,1000000", help="numbers of jobs, with commas")
    parser.add_argument("--bytes", type=int, default=300, help="octets of content of one message")
    parser.add_argument("--servers", default="refused,silent,restarted")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def write_jobs(path, count, octets):
    body = "x" * 70 + "\r\n"
    body = (body * (octets // len(body) + 1))[:octets]
    with open(path, "w", encoding="ascii") as file:
        for number in range(count):
            content = f"X-Id: job-{number}\r\nSubject: {number}\r\n\r\n{body}"
            job = {"id": f"job-{number}", "raw": content.rstrip("\r\n") + "\r\n",
                   "envelope": {"from": "news@example.com", "to": [f"r{number}@example.net"]}}
            file.write(json.dumps(job) + "\n")


class Sink:
    """A sink in clear, that can be ended and started again on its port."""

    def __init__(self, options, folder, *flags):
        self.program, self.folder, self.flags = options.program, folder, flags
        self.port, self.records = 0, []
        self.start()

    def start(self):
        ready = os.path.join(self.folder, "ready.json")
        if os.path.exists(ready):
            os.remove(ready)
        self.records.append(os.path.join(self.folder, f"record-{len(self.records)}.jsonl"))
        self.process = subprocess.Popen(
            [self.program, "sink", "--listen", "none", "--listen-tls", "none", "--listen-plain",
             f"127.0.0.1:{self.port}", "--ready-file", ready, "--record", self.records[-1],
             *self.flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        give_up_at = time.monotonic() + 10
        while not os.path.exists(ready):
            if self.process.poll() is not None or time.monotonic() > give_up_at:
                sys.exit("the sink did not start")
            time.sleep(0.01)
        with open(ready, encoding="utf-8") as file:
            self.port = json.load(file)["ports"]["plain"]

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def taken_bytes(self):
        return os.path.getsize(self.records[-1])

    def ids(self):
        found = []
        for record in self.records:
            with open(record, encoding="utf-8") as file:
                found += [json.loads(line)["x_id"] for line in file]
        return found


def run_send(options, folder, port, flags, meanwhile=lambda: None):
    """Returns exit code, seconds and peak of resident memory in MB."""
    outcomes = os.path.join(folder, "outcomes.jsonl")
    if os.path.exists(outcomes):
        os.remove(outcomes)
    begun_at = time.monotonic()
    process = subprocess.Popen(
        [options.program, "send", os.path.join(folder, "jobs.jsonl"), "-o", outcomes, "--progress",
         "none", "-q", "-e", f"smtp://127.0.0.1:{port}?tls=none", *flags],
        stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, peak_resident_kib(process.pid))
        meanwhile()
        time.sleep(0.01)
    return process.returncode, time.monotonic() - begun_at, peak / 1024, outcomes


def check(outcomes, count):
    """One outcome for each job; returns how many there are of each status, and the accepted."""
    seen, statuses, accepted = bytearray(count), {}, set()
    with open(outcomes, encoding="utf-8") as file:
        for line in file:
            outcome = json.loads(line)
            number = int(outcome["id"].partition("-")[2])
            if seen[number]:
                sys.exit(f"two outcomes of {outcome['id']}")
            seen[number] = 1
            statuses[outcome["status"]] = statuses.get(outcome["status"], 0) + 1
            if outcome["status"] == "accepted":
                accepted.add(outcome["id"])
    if sum(seen) != count:
        sys.exit(f"{count - sum(seen)} jobs have no outcome")
    return statuses, accepted


def refused(options, folder, _):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return run_send(options, folder, port, [])


def silent(options, folder, _):
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        return run_send(options, folder, listener.getsockname()[1], ["--deadline", "5s"])


def restarted(options, folder, count):
    """Ended when a third of the messages has come, and started again."""
    sink = Sink(options, folder)
    line_bytes = 200
    state = {"ended": False}

    def meanwhile():
        if not state["ended"] and sink.taken_bytes() > count * line_bytes // 3:
            state["ended"] = True
            sink.stop()
            time.sleep(0.3)
            sink.start()

    try:
        result = run_send(options, folder, sink.port, [], meanwhile)
    finally:
        sink.stop()
    ids = sink.ids()
    _, accepted = check(result[-1], count)
    if not state["ended"] or len(ids) != len(set(ids)) or not accepted <= set(ids):
        sys.exit("the records of the sink do not agree with the outcomes")
    return result


SERVERS = {"refused": refused, "silent": silent, "restarted": restarted}


def main():
    options = arguments()
    facts = machine()
    print(f"{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}")
    figures = []
    for count in map(int, options.jobs.split(",")):
        with tempfile.TemporaryDirectory(prefix="ringpost-bench.") as folder:
            write_jobs(os.path.join(folder, "jobs.jsonl"), count, options.bytes)
            for name in options.servers.split(","):
                code, seconds, peak, outcomes = SERVERS[name](options, folder, count)
                statuses, _ = check(outcomes, count)
                print(f"{name:<10} {count:>9} jobs  peak {peak:6.1f} MB  {seconds:6.1f} s  "
                      f"exit code {code}  {statuses}", flush=True)
                figures.append({"server": name, "jobs": count, "peak_resident_megabytes": peak,
                                "seconds": seconds, "exit_code": code, "statuses": statuses})
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": facts, "runs": figures}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
