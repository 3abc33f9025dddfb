#!/usr/bin/env python3
"""What it costs to do without io_uring: the same runs over the ring and over epoll, in turns.

Each run sends a JSONL file over STARTTLS with AUTH to a sink of its own, which always has the ring,
and is checked against the sink's record: every id once, unaltered, and accepted once. Cases: short
and longer messages in ten sessions that are used as far ahead as the server goes along, and a
thousand sessions in lock-step, one after the other, whose replies come late. CPU is the client's,
user and system; ratios are medians of those of neighbouring runs, which what else goes on disturbs
least.

    bench/e2e/ring_and_epoll.py --runs 5 --json bench/baselines/ring_and_epoll.json
"""

import argparse
import json
import os
import statistics
import tempfile
from types import SimpleNamespace

from sessions import raise_descriptor_limit
from sink_run import ROOT, Sink, check, machine, send, write_jobs

CASES = {
    "2 KB, 10 sessions": {"bytes": 2048, "jobs": 100_000, "connections": 10, "sink": ""},
    "10 KB, 10 sessions": {"bytes": 10240, "jobs": 40_000, "connections": 10, "sink": ""},
    "2 KB, 1,000 sessions in lock-step": {
        "bytes": 2048, "jobs": 20_000, "connections": 1000,
        "sink": "--no-pipelining --no-chunking --latency 50ms --sessions-max 1250"},
}
KINDS = ("ring", "epoll")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/ringpost"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--share", type=float, default=1, help="of the messages of each case")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def run(options, folder, kind, expected):
    """One run; its figures."""
    jobs, outcomes = os.path.join(folder, "jobs.jsonl"), os.path.join(folder, "outcomes.jsonl")
    with Sink(options.program, folder, options.sink) as sink:
        summary, measured = send(options, jobs, outcomes, sink.endpoint(tls=True), "--io", kind)
    check(expected, sink.record, outcomes)
    return {"cpu_us_per_message": measured.cpu_seconds / options.jobs * 1e6,
            "messages_per_second": options.jobs / measured.seconds,
            "system_calls_per_message": summary["ring_enters"] / options.jobs,
            "peak_resident_megabytes": measured.peak_resident_megabytes}


def compare(options, folder):
    """Medians of each kind, and of the ratios of runs that stood beside each other."""
    expected = write_jobs(os.path.join(folder, "jobs.jsonl"), options)
    runs = {kind: [] for kind in KINDS}
    for _ in range(options.runs):
        for kind in KINDS:
            runs[kind].append(run(options, folder, kind, expected))
    names = runs["ring"][0]
    medians = {kind: {name: statistics.median(one[name] for one in runs[kind]) for name in names}
               for kind in KINDS}
    ratio = {name: statistics.median(two[name] / one[name] for one, two in
                                     zip(runs["ring"], runs["epoll"])) for name in names}
    return {"median": medians, "epoll to ring": ratio, "runs": runs}


def main():
    asked = arguments()
    raise_descriptor_limit(4000)
    facts = machine()
    print(f"{facts['cpu']}, {facts['cores']} cores (shared with the sink), "
          f"Linux {facts['kernel']}, load {os.getloadavg()[0]:.1f}, {asked.runs} pairs\n")
    results = {}
    for title, case in CASES.items():
        options = SimpleNamespace(**case, program=asked.program, runs=asked.runs, seed=1, cores=1,
                                  send="")
        options.jobs = int(options.jobs * asked.share)
        with tempfile.TemporaryDirectory(prefix="ringpost-bench.") as folder:
            found = results[title] = compare(options, folder)
        print(title)
        for name, ratio in found["epoll to ring"].items():
            ring, epoll = (found["median"][kind][name] for kind in KINDS)
            print(f"  {name:<26}{ring:>12.4g}{epoll:>12.4g}{ratio:>9.3f}", flush=True)
    if asked.json:
        with open(asked.json, "w", encoding="utf-8") as file:
            json.dump({"machine": facts, "load": os.getloadavg()[0], "cases": results}, file,
                      indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
