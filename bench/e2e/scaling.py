#!/usr/bin/env python3
"""One worker core against several: rate, and what a message costs each time.

Runs of throughput.py with --cores 1, 2, ... in turns, checked as there, and with as many readers
and outcome threads as is said. Where reader, outcome
thread, workers and the sink have a core each, the rate says how they scale; where they share two,
as on a small machine, the client's CPU for a message does: it rises by what the cores stand in each
other's way.

    tools/dev build && bench/e2e/scaling.py
    bench/e2e/scaling.py --cores 1,2,4 --bytes 2048,10240 --json bench/baselines/scaling.json
    bench/e2e/scaling.py --cores 1,2 --readers 4 --outcome-threads 2
"""

import argparse
import json
import os
import statistics
import tempfile

from sink_run import ROOT, machine
from throughput import Runs

NAMES = ("messages_per_second", "cpu_us_per_message", "ring_enters_per_message")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/ringpost"))
    parser.add_argument("--cores", default="1,2", help="worker cores, several with commas [1,2]")
    parser.add_argument("--readers", type=int, default=1, help="threads that read jobs [1]")
    parser.add_argument("--outcome-threads", type=int, default=1,
                        help="threads that write outcomes [1]")
    parser.add_argument("--bytes", default="2048,10240", help="octets of content, likewise")
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--sink", default="--threads 1", help="options of ringpost sink")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    options.send = f"--readers {options.readers} --outcome-threads {options.outcome_threads}"
    options.seed = 1
    options.plain = False
    return options


def measure(options, folder, cores):
    """Medians of runs that alternate between the numbers of cores."""
    with_these_jobs = Runs(options, folder)
    runs = {number: [] for number in cores}
    for _ in range(options.runs):
        for options.cores in cores:
            runs[options.cores].append(with_these_jobs.ringpost())
    return {number: {name: statistics.median(run[name] for run in of_number) for name in NAMES}
            for number, of_number in runs.items()}


def main():
    options = arguments()
    facts = machine()
    cores = [int(text) for text in options.cores.split(",")]
    print(f"{facts['cpu']}, {facts['cores']} cores (shared with the sink), Linux {facts['kernel']}")
    print(f"{options.jobs} jobs, {options.connections} sessions, STARTTLS and AUTH, every message "
          f"checked, {options.readers} reader(s), {options.outcome_threads} outcome thread(s), "
          f"medians of {options.runs} runs\n")
    print(f"{'octets':>8}{'cores':>7}{'messages/s':>12}{'CPU us':>9}{'enters':>9}"
          f"{'rate':>8}{'CPU':>7}   (to {cores[0]} core)")
    figures = {}
    with tempfile.TemporaryDirectory(prefix="ringpost-bench.") as folder:
        for octets in (int(text) for text in options.bytes.split(",")):
            options.bytes = octets
            figures[octets] = measure(options, folder, cores)
            first = figures[octets][cores[0]]
            for number, medians in figures[octets].items():
                rate, cpu, enters = (medians[name] for name in NAMES)
                print(f"{octets:>8}{number:>7}{rate:>12.0f}{cpu:>9.2f}{enters:>9.3f}"
                      f"{rate / first[NAMES[0]]:>8.2f}{cpu / first[NAMES[1]]:>7.2f}", flush=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": facts, "jobs": options.jobs, "connections": options.connections,
                       "readers": options.readers, "outcome_threads": options.outcome_threads,
                       "medians": figures}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
