#!/usr/bin/env python3
"""The main job, measured and checked: a JSONL file to the embedded ESP over STARTTLS with AUTH.

Each run starts a sink of its own with --record, sends the whole file, and then holds the sink's
record against the file: every id exactly once, with the SHA-256 of the content as it should have
arrived, and one `accepted` outcome line for each. Only then does its time count. The floor (see
floor.cpp) sends the same messages to a sink of its own before each run of ringpost, so that what
else goes on strikes both alike; what counts is the ratio. With --journal, runs with a journal
follow in turn. Prints medians, and JSON with --json.

    cmake --preset release -DRINGPOST_DEVELOPER=ON && cmake --build --preset release
    bench/e2e/throughput.py --bytes 2048 --runs 5 --json bench/baselines/throughput.json
"""

import argparse
import json
import os
import statistics
import tempfile

from sink_run import (ROOT, Sink, check, check_record, floor, machine, send, write_jobs,
                      write_messages)

# What the floor and ringpost both have: the ratio of ringpost to the floor, and the journal's to
# the run without it.
SHARED = ("messages_per_second", "cpu_us_per_message", "peak_resident_megabytes")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/ringpost"))
    parser.add_argument("--jobs", type=int, default=200_000)
    parser.add_argument("--bytes", type=int, default=2048, help="octets of content of one message")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--journal", choices=("process", "power"),
                        help="measure also with a journal of this durability")
    parser.add_argument("--plain", action="store_true", help="in clear, without AUTH")
    parser.add_argument("--folder", help="where jobs, outcomes and journal stand [a temporary one]")
    parser.add_argument("--send", default="", help="further options of ringpost send")
    parser.add_argument("--sink", default="", help="further options of ringpost sink")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    return parser.parse_args()


class Runs:
    """Runs of one kind after the other, each with a sink of its own."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.jobs = os.path.join(folder, "jobs.jsonl")
        self.messages = os.path.join(folder, "messages")
        self.expected = write_jobs(self.jobs, options)
        write_messages(self.messages, options)

    def floor(self):
        options = self.options
        with Sink(options.program, self.folder, options.sink) as sink:
            figures = floor(options, self.messages, sink, tls=not options.plain)
        check_record(self.expected, sink.record)
        return figures

    def ringpost(self, *further):
        options = self.options
        outcomes = os.path.join(self.folder, "outcomes.jsonl")
        with Sink(options.program, self.folder, options.sink) as sink:
            endpoint = sink.endpoint(tls=not options.plain)
            summary, measured = send(options, self.jobs, outcomes, endpoint, *further)
        check(self.expected, sink.record, outcomes)
        return {
            "messages_per_second": options.jobs / measured.seconds,
            "content_megabytes_per_second": summary["content_bytes"] / measured.seconds / 1e6,
            "cpu_us_per_message": measured.cpu_seconds / options.jobs * 1e6,
            "peak_resident_megabytes": measured.peak_resident_megabytes,
            "ring_enters_per_message": summary["ring_enters"] / options.jobs,
            "sink_cpu_us_per_message": sink.summary["cpu_us_per_message"],
            "sink_violations": sink.summary["violations_total"],
        }

    def with_journal(self):
        journal = os.path.join(self.folder, "run.journal")
        if os.path.exists(journal):
            os.remove(journal)
        return self.ringpost("--journal", journal, "--durability", self.options.journal)


def medians_of(runs):
    return {name: statistics.median(run[name] for run in runs)
            for name, value in runs[0].items() if not isinstance(value, str)}


def print_figures(title, runs, medians):
    print(title)
    for name, median in medians.items():
        values = "  ".join(f"{run[name]:.4g}" for run in runs)
        print(f"  {name:<30} median {median:>10.4g}   runs {values}")


def ratios(runs, base):
    """The median of the ratios of neighbouring runs, which what else goes on disturbs least."""
    return {name: statistics.median(run[name] / other[name] for run, other in zip(runs, base))
            for name in SHARED}


def main():
    options = arguments()
    facts = machine()
    print(f"{facts['cpu']}, {facts['cores']} cores (shared with the sink), Linux {facts['kernel']}")
    security = "in clear" if options.plain else "STARTTLS and AUTH"
    print(f"{options.jobs} jobs of about {options.bytes} octets, {options.connections} sessions, "
          f"{options.cores} worker core(s), {security}, every message checked\n")
    kinds = {"floor": Runs.floor, "ringpost": Runs.ringpost}
    if options.journal:
        kinds[f"journal, {options.journal}"] = Runs.with_journal
    figures = {kind: [] for kind in kinds}
    with tempfile.TemporaryDirectory(prefix="ringpost-bench.", dir=options.folder) as folder:
        runs = Runs(options, folder)
        for _ in range(options.runs):
            for kind, run in kinds.items():
                figures[kind].append(run(runs))
    result = {"machine": facts,
              "options": {k: v for k, v in vars(options).items()
                          if k not in ("program", "json", "folder")},
              "median": {kind: medians_of(figures[kind]) for kind in kinds},
              "ratio": {}, "runs": figures}
    for kind in kinds:
        print_figures(kind, figures[kind], result["median"][kind])
    for kind, base in zip(list(kinds)[1:], kinds):
        result["ratio"][f"{kind} to {base}"] = ratios(figures[kind], figures[base])
        for name, ratio in result["ratio"][f"{kind} to {base}"].items():
            print(f"{kind} to {base}, {name}: {ratio:.3f}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
