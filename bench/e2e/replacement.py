#!/usr/bin/env python3
"""What a limit of messages a connection costs, by ways of speaking SMTP.

The same run twice for each way, against the embedded ESP whose replies come late: once without a
limit, and once with --messages a connection, which the settings say and the server insists on.
What counts is the steady half of a run by the times in the sink's record: neither its first
quarter, in which sessions are opened, nor its last.

    bench/e2e/replacement.py --latency 50 --messages 5 --connections 10
"""

import argparse
import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Name, flags of send, of the sink, messages of a run.
WAYS = [
    ("lock-step", ["--pipeline", "off"], [], 1000),
    ("DATA groups", [], ["--no-chunking"], 3000),
    ("BDAT flights", [], [], 30_000),
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/ringpost"))
    parser.add_argument("--latency", type=int, default=50, help="milliseconds [50]")
    parser.add_argument("--messages", type=int, default=5, help="of a connection [5]")
    parser.add_argument("--connections", type=int, default=10, help="that work [10]")
    return parser.parse_args()


def seconds_of(timestamp):
    return datetime.datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


def steady_rate(record):
    """Messages a second between the first and the last quarter of the messages."""
    with open(record, encoding="utf-8") as file:
        times = sorted(seconds_of(json.loads(line)["ts"]) for line in file)
    begin, end = times[len(times) // 4], times[len(times) * 3 // 4]
    return (len(times) // 2) / (end - begin)


def write_inputs(folder, count, port, options, limit):
    with open(os.path.join(folder, "jobs.jsonl"), "w", encoding="utf-8") as file:
        for i in range(count):
            job = {"id": f"j{i}", "from": "a@example.com", "to": [f"r{i}@example.net"],
                   "subject": "measured", "text": "x" * 70 + "\n"}
            file.write(json.dumps(job) + "\n")
    lines = ["[endpoint.sink]", 'host = "localhost"', f"port = {port}", 'username = "ringpost"',
             'ca_file = "sink.pem"', f"connections = {options.connections}"]
    if limit:
        lines.append(f"messages_per_connection = {options.messages}")
    path = os.path.join(folder, "ringpost.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    os.chmod(path, 0o600)


def measure(options, flags, sink_flags, count, limit):
    """Messages a second, and sessions."""
    with tempfile.TemporaryDirectory() as folder:
        limits = ["--close-after", str(options.messages)] if limit else []
        sink = subprocess.Popen(
            [options.program, "sink", "--listen", "127.0.0.1:0", "--listen-tls", "none",
             "--cert-out", "sink.pem", "--ready-file", "ready.json", "--record", "record.jsonl",
             "--summary", "json", "--latency", f"{options.latency}ms", *sink_flags, *limits],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        ready = os.path.join(folder, "ready.json")
        for _ in range(200):
            if os.path.exists(ready):
                break
            time.sleep(0.05)
        with open(ready, encoding="utf-8") as file:
            port = json.load(file)["ports"]["starttls"]
        write_inputs(folder, count, port, options, limit)
        subprocess.run([options.program, "send", "jobs.jsonl", "-e", "sink", "--state", "none",
                        *flags], cwd=folder, check=True, capture_output=True,
                       env={**os.environ, "RINGPOST_PASSWORD": "ringpost"})
        sink.send_signal(signal.SIGTERM)
        summary = json.loads(sink.communicate()[0])
        if summary["senders_refused"] or summary["messages_accepted"] != count:
            sys.exit(f"messages were refused: {summary}")
        return steady_rate(os.path.join(folder, "record.jsonl")), summary["sessions"]


def main():
    options = arguments()
    print(f"{'way':<14}{'free':>9}{'limited':>9}{'share':>8}{'sessions':>10}   messages/s")
    for name, flags, sink_flags, count in WAYS:
        free, _ = measure(options, flags, sink_flags, count, limit=False)
        limited, sessions = measure(options, flags, sink_flags, count, limit=True)
        print(f"{name:<14}{free:>9.0f}{limited:>9.0f}{limited / free:>8.1%}{sessions:>10}",
              flush=True)


if __name__ == "__main__":
    main()
