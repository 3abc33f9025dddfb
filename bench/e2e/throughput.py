#!/usr/bin/env python3
"""The main job, measured and checked: a JSONL file to the embedded ESP over STARTTLS with AUTH.

Each run starts a sink of its own with --record, sends the whole file, and then holds the sink's
record against the file: every id exactly once, with the SHA-256 of the content as it should have
arrived, and one `accepted` outcome line for each. Only then does its time count. Prints a table,
and JSON with --json.

    tools/dev build && bench/e2e/throughput.py
    bench/e2e/throughput.py --bytes 2048 --runs 5 --json bench/baselines/throughput.json
"""

import argparse
import json
import os
import statistics
import tempfile

from sink_run import ROOT, check, machine, port_of, send, start_sink, write_jobs


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/ringpost"))
    parser.add_argument("--jobs", type=int, default=200_000)
    parser.add_argument("--bytes", type=int, default=2048, help="octets of content of one message")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--send", default="", help="further options of ringpost send")
    parser.add_argument("--sink", default="", help="further options of ringpost sink")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def one_run(options, folder, jobs, expected):
    record = os.path.join(folder, "record.jsonl")
    outcomes = os.path.join(folder, "outcomes.jsonl")
    if os.path.exists(outcomes):
        os.remove(outcomes)
    sink, ready, certificate = start_sink(options, folder, record)
    try:
        summary, seconds, usage, peak = send(options, jobs, outcomes, port_of(ready), certificate)
    finally:
        sink.terminate()
        sink_summary = sink.communicate()[0]
    check(expected, record, outcomes)
    cpu = usage.ru_utime + usage.ru_stime
    return {
        "messages_per_second": options.jobs / seconds,
        "content_megabytes_per_second": summary["content_bytes"] / seconds / 1e6,
        "cpu_us_per_message": cpu / options.jobs * 1e6,
        "peak_resident_megabytes": peak / 1024,
        "ring_enters_per_message": summary["ring_enters"] / options.jobs,
        "sink_cpu_us_per_message": json.loads(sink_summary)["cpu_us_per_message"],
        "sink_violations": json.loads(sink_summary)["violations_total"],
    }


def main():
    options = arguments()
    facts = machine()
    print(f"{facts['cpu']}, {facts['cores']} cores (shared with the sink), Linux {facts['kernel']}")
    print(f"{options.jobs} jobs of about {options.bytes} octets, {options.connections} sessions, "
          f"{options.cores} worker core(s), STARTTLS and AUTH, every message checked\n")
    with tempfile.TemporaryDirectory(prefix="ringpost-bench.") as folder:
        jobs = os.path.join(folder, "jobs.jsonl")
        expected = write_jobs(jobs, options)
        runs = [one_run(options, folder, jobs, expected) for _ in range(options.runs)]
    names = ["messages_per_second", "content_megabytes_per_second", "cpu_us_per_message",
             "sink_cpu_us_per_message", "sink_violations", "peak_resident_megabytes",
             "ring_enters_per_message"]
    medians = {name: statistics.median(run[name] for run in runs) for name in names}
    for name in names:
        values = "  ".join(f"{run[name]:.4g}" for run in runs)
        print(f"{name:<30} median {medians[name]:>10.4g}   runs {values}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": facts, "options": {k: v for k, v in vars(options).items()
                                                     if k not in ("program", "json")},
                       "median": medians, "runs": runs}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
