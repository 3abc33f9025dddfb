#!/usr/bin/env python3
"""Peak memory of a list of any length: rows of a CSV, checked by a dry run, beside fewer of them.

A list is streamed, so ten million rows may take no more memory than the bound, whatever is kept of
them: addresses are counted up to a number, and outcomes are written as they come. Each row must
have its outcome line, which are counted; with --sink they are sent, in clear, and the sink counts,
too.

    bench/e2e/many_rows.py --rows 100000,10000000
    bench/e2e/many_rows.py --rows 1000000 --sink
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading

from sink_run import ROOT, Sink, machine, run_measured

TEMPLATE = {"from": "Shop <news@example.com>", "subject": "News for {{name|default:\"you\"}}",
            "text": "Dear {{name|default:\"reader\"}} of {{city}},\nthis is for {{id}}.\n"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/ringpost"))
    parser.add_argument("--rows", default="100000,10000000", help="numbers of rows, with commas")
    parser.add_argument("--megabytes-max", type=float, default=64)
    parser.add_argument("--sink", action="store_true", help="send them, and do not only check them")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def write_rows(descriptor, count):
    """So many rows into a pipe, which no disk has to hold."""
    with os.fdopen(descriptor, "w", encoding="utf-8", buffering=1 << 20) as file:
        file.write("email,name,city,id\n")
        for number in range(count):
            name = "" if number % 7 == 0 else "Zoë"
            file.write(f"reader{number}@example.net,{name},City {number % 997},row-{number}\n")


def lines_of(descriptor, found):
    with os.fdopen(descriptor, "rb") as file:
        while octets := file.read(1 << 20):
            found[0] += octets.count(b"\n")


def measure(options, folder, count, where):
    rows, to_write = os.pipe()
    outcomes, to_outcomes = os.pipe()
    found = [0]
    threads = [threading.Thread(target=write_rows, args=(to_write, count)),
               threading.Thread(target=lines_of, args=(outcomes, found))]
    for thread in threads:
        thread.start()
    try:
        measured = run_measured(
            [options.program, "send", "--template", os.path.join(folder, "news.json"),
             "--recipients", "-", "-o", f"/dev/fd/{to_outcomes}", "-q", *where],
            stdin=rows, stderr=subprocess.DEVNULL, pass_fds=[to_outcomes])
    finally:
        os.close(rows)
        os.close(to_outcomes)
        for thread in threads:
            thread.join()
    if found[0] != count:
        sys.exit(f"{found[0]} outcome lines of {count} rows")
    return measured


def run(options, folder, count):
    if not options.sink:
        return measure(options, folder, count, ["--dry-run"])
    with Sink(options.program, folder) as sink:
        measured = measure(options, folder, count, ["-e", sink.endpoint(False)])
    if sink.summary["messages_accepted"] != count:
        sys.exit(f"the sink has {sink.summary['messages_accepted']} of {count} messages")
    return measured


def main():
    options = arguments()
    print(machine())
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "news.json"), "w", encoding="utf-8") as file:
            json.dump(TEMPLATE, file)
        for count in map(int, options.rows.split(",")):
            measured = run(options, folder, count)
            figures.append({"rows": count, "megabytes": measured.peak_resident_megabytes,
                            "seconds": measured.seconds, "cpu_seconds": measured.cpu_seconds})
            print(f"{count:>12,} rows: {measured.peak_resident_megabytes:6.1f} MB at most, "
                  f"{measured.seconds:7.1f} s, {measured.cpu_seconds / count * 1e6:5.2f} us of CPU "
                  "a row")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=1)
    if max(one["megabytes"] for one in figures) > options.megabytes_max:
        sys.exit(f"more than {options.megabytes_max} MB")


if __name__ == "__main__":
    main()
