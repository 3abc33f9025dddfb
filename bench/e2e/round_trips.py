#!/usr/bin/env python3
"""Messages a round trip, by ringpost in each way of speaking SMTP and by its peers, against a
server whose replies come late.

One session over STARTTLS with AUTH (smtp-source speaks no TLS, and has none); the embedded ESP lets
each reply leave --latency after its command, as a server so far away would. What counts is the
steady part of a run by the times in the sink's record: the first quarter, in which a session finds
out what the server can do, is left out. Each run is checked as in throughput.py and compare.py. At
0 ms only messages a second mean anything.

    tools/dev compare --peers ringpost --quick    # builds all that is needed
    bench/e2e/round_trips.py --latency 50
    bench/e2e/round_trips.py --json bench/baselines/round_trips.json
"""

import argparse
import datetime
import json
import os
import sys
import tempfile

from clients import GoPool, Nodemailer, Ringpost, SmtpSource, Smtplib
from compare import Case
from sink_run import ROOT, machine

# Name, options of ringpost send, round trips of the longest run, the most messages a round trip,
# messages of a run without any latency.
WAYS = [
    ("lock-step", "--pipeline off", 80, 0.25, 10_000),
    ("command groups", "--pipeline 1 --chunking off", 80, 0.5, 10_000),
    ("DATA groups", "--chunking off", 100, 1, 20_000),
    ("BDAT flights, 16", "--pipeline 16", 40, 16, 60_000),
    ("BDAT flights, 64", "--pipeline 64", 40, 64, 60_000),
    ("BDAT flights, auto", "", 40, 32, 60_000),
]
# Nobody but nodemailer sends commands together: four round trips a message at best.
PEERS = [(SmtpSource(), 80, 0.25, 5_000), (Nodemailer(), 80, 0.25, 2_000),
         (Smtplib(), 80, 0.25, 2_000), (GoPool(), 80, 0.25, 4_000)]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/ringpost"))
    parser.add_argument("--latency", default="0,10,50,100", help="milliseconds [0,10,50,100]")
    parser.add_argument("--bytes", type=int, default=2048, help="octets of content of one message")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def seconds_of(timestamp):
    return datetime.datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


def per_second(record, latency):
    """Messages a second in the steady part of the run."""
    with open(record, encoding="utf-8") as file:
        times = sorted(seconds_of(json.loads(line)["ts"]) for line in file)
    begin = next(t for t in times if t >= times[0] + (times[-1] - times[0]) / 4)
    # What came with the message of `begin` is of the same round trip.
    later = [t for t in times if t > begin + latency / 2]
    return len(later) / (times[-1] - begin)


def measure(options, client, latency_ms, messages, flags=""):
    """One run; returns messages a second, and a round trip where there is one."""
    with tempfile.TemporaryDirectory(prefix="ringpost-bench.") as folder:
        case = Case(options.program, options.bytes, folder, messages)
        case.tls = client.speaks_tls
        case.send = flags
        case.sink = f"--latency {latency_ms}ms"
        client.run(case)
        rate = per_second(case.record, latency_ms / 1000)
    result = {"messages": messages, "messages_per_second": round(rate, 2)}
    if latency_ms > 0:
        result["messages_per_round_trip"] = round(rate * latency_ms / 1000, 3)
    return result


def ringpost_in(way, options, latency_ms, messages):
    name, flags, *_ = way
    client = Ringpost()
    result = measure(options, client, latency_ms, messages, flags)
    used = client.summary["endpoints"][0]["pipelining"]
    if not name.startswith(used):
        sys.exit(f"{name} was asked for and {used} was used")
    return result


def runs_of(options):
    """Yields a name and what measures it, given a latency."""
    def messages_of(latency_ms, round_trips, most, without_latency):
        return max(round(round_trips * most), 20) if latency_ms > 0 else without_latency

    for way in WAYS:
        yield f"ringpost, {way[0]}", lambda ms, way=way: ringpost_in(
            way, options, ms, messages_of(ms, *way[2:]))
    for client, *counts in PEERS:
        if why := client.missing():
            print(f"left out: {client.name}: {why}")
            continue
        yield client.name, lambda ms, client=client, counts=counts: measure(
            options, client, ms, messages_of(ms, *counts))


def main():
    options = arguments()
    facts = machine()
    latencies = [int(text) for text in options.latency.split(",")]
    print(f"{facts['cpu']}, {facts['cores']} cores (shared with the sink), Linux {facts['kernel']}")
    print(f"messages of {options.bytes} octets, one session, STARTTLS and AUTH\n")
    print(f"{'':<30}" + "".join(f"{f'{ms} ms away':>22}" for ms in latencies))
    figures = {}
    load = round(os.getloadavg()[1], 1)
    for name, run in runs_of(options):
        figures[name] = {str(ms): run(ms) for ms in latencies}
        cells = ""
        for figure in figures[name].values():
            trip = figure.get("messages_per_round_trip")
            text = f"{trip:.2f} a trip, " if trip else ""
            cells += f"{text + format(figure['messages_per_second'], ',.0f')}/s".rjust(22)
        print(f"{name:<30}{cells}", flush=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": facts, "date": datetime.date.today().isoformat(),
                       "load_before": load, "bytes": options.bytes, "figures": figures},
                      file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
