#!/usr/bin/env python3
"""One job of 3,000 recipients against 300 jobs of ten: the same envelopes, the same time?

Runs of both in turns over STARTTLS with AUTH to a server whose replies come late, with as many
recipients a transaction as a job of ten has, and with ten times as many. Every recipient has to be
accepted once. The ratio is that of each pair; 1.1 is the aim.

    tools/dev build && bench/e2e/many_recipients.py
    bench/e2e/many_recipients.py --latency 50 --connections 10 --runs 7
"""

import argparse
import json
import os
import statistics
import sys
import tempfile

from sink_run import ROOT, Sink, machine, send

RECIPIENTS = 3000
SMALL = 10


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/ringpost"))
    parser.add_argument("--latency", type=int, default=50, help="milliseconds of a reply [50]")
    parser.add_argument("--bytes", type=int, default=1000, help="octets of text of a message")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--connections", type=int, default=10)
    options = parser.parse_args()
    options.cores = 1
    options.send = ""
    return options


def write_jobs(path, recipients_of_job, options):
    """One line for each job, in ids and recipients apart from the others."""
    with open(path, "w", encoding="ascii") as file:
        for first in range(0, RECIPIENTS, recipients_of_job):
            file.write(json.dumps({
                "id": f"job-{first}", "from": "News <news@example.com>", "subject": "Issue",
                "to": "undisclosed@example.net", "text": "x" * 70 * (options.bytes // 70),
                "envelope": {"from": "news@example.com",
                             "to": [f"reader{number}@example.net"
                                    for number in range(first, first + recipients_of_job)]}})
                       + "\n")


def seconds_of(options, jobs, sink, folder, recipients_max):
    """One run, in which all have to be accepted."""
    outcomes = os.path.join(folder, "outcomes.jsonl")
    summary, measured = send(options, jobs, outcomes, sink.endpoint(True),
                             "--max-recipients", str(recipients_max))
    if summary["recipients"]["accepted"] != RECIPIENTS:
        sys.exit(f"not all were accepted: {summary}")
    return measured.seconds


def main():
    options = arguments()
    facts = machine()
    print(f"{facts['cpu']}, {facts['cores']} cores (shared with the sink), Linux {facts['kernel']}")
    print(f"{options.connections} sessions, replies {options.latency} ms late\n")
    with tempfile.TemporaryDirectory(prefix="ringpost-bench.") as folder:
        one, many = (os.path.join(folder, name) for name in ("one.jsonl", "many.jsonl"))
        write_jobs(one, RECIPIENTS, options)
        write_jobs(many, SMALL, options)
        with Sink(options.program, folder, f"--latency {options.latency}ms") as sink:
            for recipients_max in (SMALL, 10 * SMALL):
                pairs = [[seconds_of(options, jobs, sink, folder, recipients_max)
                          for jobs in (many, one)] for _ in range(options.runs)]
                many_seconds, one_seconds = (statistics.median(column) for column in zip(*pairs))
                ratio = statistics.median(after / before for before, after in pairs)
                print(f"{recipients_max:>4} recipients a transaction: {RECIPIENTS // SMALL} jobs "
                      f"{many_seconds:.2f} s, one job {one_seconds:.2f} s, ratio {ratio:.3f}",
                      flush=True)


if __name__ == "__main__":
    main()
