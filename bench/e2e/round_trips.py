#!/usr/bin/env python3
"""Messages a round trip, in each way of speaking SMTP, against a server whose replies come late.

One session over STARTTLS with AUTH; the embedded ESP lets each reply leave --latency after its
command, as a server so far away would. What counts is the steady part of a run: the first quarter
of its time, in which a session finds out what the server can do, is left out. Each run is checked
as in throughput.py: every message once, unaltered, and one `accepted` line for each.

    tools/dev build && bench/e2e/round_trips.py --latency 50
    bench/e2e/round_trips.py --latency 10,50,100 --json bench/baselines/round_trips.json
"""

import argparse
import datetime
import json
import os
import sys
import tempfile

from sink_run import ROOT, Sink, check, machine, send, write_jobs

# Name, options of ringpost send, round trips of the longest run, the most messages a round trip.
WAYS = [
    ("lock-step", "--pipeline off", 80, 0.25),
    ("command groups", "--pipeline 1 --chunking off", 80, 0.5),
    ("DATA groups", "--chunking off", 100, 1),
    ("BDAT flights, 16", "--pipeline 16", 40, 16),
    ("BDAT flights, 64", "--pipeline 64", 40, 64),
    ("BDAT flights, auto", "", 40, 32),
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/ringpost"))
    parser.add_argument("--latency", default="50", help="milliseconds, several with commas [50]")
    parser.add_argument("--bytes", type=int, default=2048, help="octets of content of one message")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    options.seed = 1
    options.connections = 1
    options.cores = 1
    return options


def seconds_of(timestamp):
    return datetime.datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


def per_round_trip(outcomes, latency):
    """Messages a round trip in the steady part of the run."""
    with open(outcomes, encoding="utf-8") as file:
        times = sorted(seconds_of(json.loads(line)["ts"]) for line in file)
    begin = next(t for t in times if t >= times[0] + (times[-1] - times[0]) / 4)
    # What came with the answer at `begin` was on its way before it.
    later = [t for t in times if t > begin + latency / 2]
    return len(later) * latency / (times[-1] - begin)


def measure(options, folder, way, latency_ms):
    name, flags, round_trips, most = way
    options.jobs = max(round(round_trips * most), 20)
    options.send = flags
    jobs = os.path.join(folder, "jobs.jsonl")
    outcomes = os.path.join(folder, "outcomes.jsonl")
    expected = write_jobs(jobs, options)
    with Sink(options.program, folder, f"--latency {latency_ms}ms") as sink:
        summary, _ = send(options, jobs, outcomes, sink.endpoint(tls=True))
    check(expected, sink.record, outcomes)
    used = summary["endpoints"][0]["pipelining"]
    if not name.startswith(used):
        sys.exit(f"{name} was asked for and {used} was used")
    return per_round_trip(outcomes, latency_ms / 1000)


def main():
    options = arguments()
    facts = machine()
    latencies = [int(text) for text in options.latency.split(",")]
    print(f"{facts['cpu']}, {facts['cores']} cores (shared with the sink), Linux {facts['kernel']}")
    print(f"messages of {options.bytes} octets, one session, STARTTLS and AUTH\n")
    print(f"{'':<20}" + "".join(f"{f'{ms} ms away':>22}" for ms in latencies))
    figures = {}
    with tempfile.TemporaryDirectory(prefix="ringpost-bench.") as folder:
        for way in WAYS:
            figures[way[0]] = {ms: measure(options, folder, way, ms) for ms in latencies}
            cells = "".join(f"{f'{rate:.2f} a trip, {rate * 1000 / ms:.0f}/s':>22}"
                            for ms, rate in figures[way[0]].items())
            print(f"{way[0]:<20}{cells}", flush=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": facts, "bytes": options.bytes,
                       "messages_per_round_trip": figures}, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()
