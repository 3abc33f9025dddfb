#!/usr/bin/env python3
"""A newsletter, measured and checked: an html template and a CSV of recipients, over TLS.

ringpost fills the template in for each row; so do nodemailer with handlebars and a Go pool with
html/template, in the way their manuals say. The floor (see floor.cpp) and h2load send messages that
are finished, of the same octets, which is the least that anybody can do. Each run has a server of
its own, one client after the other and then all of them again, so that what else goes on strikes
all alike; what counts is the ratio. Each message of ringpost is checked: the sink's record has
every id once and there is an outcome line for each; some are held, octet by octet, against what
`ringpost render` prints.

    cmake --preset release -DRINGPOST_DEVELOPER=ON && cmake --build --preset release
    tools/dev.d/packages.sh go h2load && tools/dev.d/peers.sh clients
    bench/e2e/newsletter.py --bytes 10240 --rows 1000000 --runs 3
"""

import argparse
import csv
import glob
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile

from clients import FETCHED, HERE, OPENSSL_CONFIGURATION, H2loadHttp1, H2loadHttp2
from sink_run import ROOT, Sink, body_lines, floor, machine, run_measured

FIELDS = ("first", "last", "city", "plan", "id")
CONTENT_OF = 2000  # messages that the floor and h2load send again and again


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/ringpost"))
    parser.add_argument("--bytes", type=int, default=10240, help="octets of a message, about")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--peers", default="floor,h2load HTTP/1.1,h2load HTTP/2,go,nodemailer",
                        help="some of [%(default)s]")
    parser.add_argument("--slow-rows", type=int, default=5000, help="of go and nodemailer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def write_list(path, rows):
    """One row a recipient."""
    generator = random.Random(7)
    names = ["Ann", "Bob", "Zoë", "Jürgen", "Chloé", "Mary-Jane", "José"]
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("email", *FIELDS))
        for number in range(rows):
            writer.writerow((f"reader{number}@example.net", generator.choice(names),
                             f"O'Reader {number % 997}", generator.choice(("Paris", "New York")),
                             generator.choice(("free", "pro")), f"row-{number:08}"))


def html_of(octets):
    """A page of about so many octets with the five values in it."""
    generator = random.Random(3)
    lines = ["<!doctype html>", "<html><body>", "<h1>Hello {{first}} {{last}}</h1>"]
    rest = max(octets - 1000, 0)
    for part in range(4):
        lines += [f"<p class=\"part\">{line}</p>" for line in
                  body_lines(generator, rest * 2 // 11)]
        lines.append(("<p>In {{city}} this week:</p>", "<p>Your plan is {{plan}}.</p>",
                      "<p>See you, {{first}}!</p>", "<p>Issue for {{id}}</p>")[part])
    return "\n".join([*lines, "</body></html>", ""])


def write_template(path, octets):
    template = {"from": "News <news@example.com>", "subject": "Issue 47 for {{first}}",
                "html": html_of(octets), "headers": {"X-Id": "{{id}}"},
                "unsubscribe": "https://example.com/u/{{id}}"}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(template, file)


class Newsletter:
    """One newsletter, and whoever sends it."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.list = self.path("list.csv")
        write_list(self.list, options.rows)
        write_list(self.path("few.csv"), options.slow_rows)
        write_template(self.path("template.json"), options.bytes)
        self.bytes = self.write_finished()

    def path(self, name):
        return os.path.join(self.folder, name)

    def arguments(self, rows, endpoint):
        return [self.options.program, "send", "--template", self.path("template.json"),
                "--recipients", rows, "-o", self.path("outcomes.jsonl"), "--progress", "none",
                "--summary", "json", "--connections", str(self.options.connections),
                "--cores", "1", "-e", endpoint]

    def write_finished(self):
        """Messages as ringpost makes them, for those who only send; returns their octets."""
        content = self.path("content")
        os.mkdir(content)
        write_list(self.path("some.csv"), CONTENT_OF)
        with Sink(self.options.program, self.folder, f"--record-content {content}") as sink:
            subprocess.run(self.arguments(self.path("some.csv"), sink.endpoint(True)), check=True,
                           stdout=subprocess.DEVNULL, env=self.environment())
        octets = 0
        with open(self.path("messages"), "wb") as file:
            for number, name in enumerate(sorted(glob.glob(f"{content}/*.eml"))):
                with open(name, "rb") as one:
                    message = one.read()
                octets += len(message)
                file.write(b"%d row-%08d reader%d@example.net\n" % (len(message), number, number))
                file.write(message)
        self.first = message
        self.check_rendered(content)
        return octets / CONTENT_OF

    def check_rendered(self, content):
        """What the sink received is what `render` prints."""
        with open(self.path("record.jsonl"), encoding="utf-8") as file:
            records = [json.loads(line) for line in file][:3]
        for record in records:
            printed = subprocess.run(
                [self.options.program, "render", "--template", self.path("template.json"),
                 "--recipients", self.path("some.csv"), "--recipient", record["x_id"]],
                check=True, stdout=subprocess.PIPE).stdout
            if without_date(printed) not in [without_date(read(name)) for name in
                                             glob.glob(f"{content}/*.eml")]:
                sys.exit(f"{record['x_id']}: what was sent is not what render prints")

    @staticmethod
    def environment():
        return dict(os.environ, RINGPOST_PASSWORD="ringpost")

    # ---- Clients

    def ringpost(self):
        outcomes = self.path("outcomes.jsonl")
        if os.path.exists(outcomes):
            os.remove(outcomes)
        with Sink(self.options.program, self.folder) as sink:
            measured = run_measured([*self.arguments(self.list, sink.endpoint(True)),
                                     "--stats", "internal"], env=self.environment())
        self.check(self.path("record.jsonl"), outcomes)
        summary = json.loads(measured.output)["summary"]
        return {**self.figures(measured, self.options.rows),
                "allocations_per_message": allocations_of(summary) / self.options.rows}

    def check(self, record, outcomes):
        seen = {}
        with open(record, encoding="utf-8") as file:
            for line in file:
                entry = json.loads(line)
                if entry["x_id"] in seen:
                    sys.exit(f"{entry['x_id']} came twice")
                seen[entry["x_id"]] = True
        with open(outcomes, encoding="utf-8") as file:
            accepted = sum(json.loads(line)["status"] == "accepted" for line in file)
        if len(seen) != self.options.rows or accepted != self.options.rows:
            sys.exit(f"{len(seen)} messages came and {accepted} were accepted")

    def floor(self):
        with Sink(self.options.program, self.folder) as sink:
            self.options.send = ""
            result = floor(self.options, self.path("messages"), sink)
        return {name: result[name] for name in ("messages_per_second", "cpu_us_per_message",
                                                "peak_resident_megabytes")}

    def h2load(self, client):
        case = argparse.Namespace(folder=self.folder, path=self.path, tls=True,
                                  jobs=min(self.options.rows, 20_000),
                                  connections=self.options.connections,
                                  first_message=self.first.decode())
        return client.run(case)

    def pool(self, *program):
        configuration = self.path("openssl.conf")
        with open(configuration, "w", encoding="ascii") as file:
            file.write(OPENSSL_CONFIGURATION)
        with Sink(self.options.program, self.folder) as sink:
            measured = run_measured(
                [*program, self.path("template.json"), self.path("few.csv"),
                 str(sink.port(True)), str(self.options.connections), sink.certificate],
                env={**os.environ, "OPENSSL_CONF": configuration}, stdin=subprocess.DEVNULL,
                stderr=subprocess.STDOUT)
        with open(sink.record, encoding="utf-8") as file:
            count = sum(1 for _ in file)
        if count != self.options.slow_rows:
            sys.exit(f"{program[0]}: {count} messages came")
        return self.figures(measured, self.options.slow_rows)

    def go(self):
        binary = os.path.join(ROOT, "build/go/newsletter_pool")
        source = os.path.join(HERE, "peers/newsletter_pool.go")
        subprocess.run(["go", "build", "-o", binary, source],
                       env={**os.environ, "GO111MODULE": "off"}, check=True)
        return self.pool(binary)

    def nodemailer(self):
        return self.pool("node", os.path.join(HERE, "peers/newsletter_pool.js"),
                         os.path.join(FETCHED, "nodemailer/node_modules"),
                         os.path.join(FETCHED, "handlebars/node_modules"))

    @staticmethod
    def figures(measured, rows):
        return {"messages_per_second": rows / measured.seconds,
                "cpu_us_per_message": measured.cpu_seconds / rows * 1e6,
                "peak_resident_megabytes": measured.peak_resident_megabytes}


def read(name):
    with open(name, "rb") as file:
        return file.read()


def without_date(message):
    return b"\r\n".join(line for line in message.split(b"\r\n") if not line.startswith(b"Date: "))


def allocations_of(summary):
    internal = summary.get("internal", {})
    return sum(value for name, value in internal.items() if "allocations" in name)


def main():
    options = arguments()
    facts = machine()
    print(f"{facts['cpu']}, {facts['cores']} cores (shared with the sink), Linux {facts['kernel']}")
    with tempfile.TemporaryDirectory(prefix="ringpost-newsletter.") as folder:
        newsletter = Newsletter(options, folder)
        print(f"{options.rows} rows, {len(FIELDS)} values each, {newsletter.bytes:.0f} octets a "
              f"message, {options.connections} sessions, STARTTLS and AUTH\n")
        ways = {"floor": newsletter.floor, "go": newsletter.go,
                "nodemailer": newsletter.nodemailer}
        for client in (H2loadHttp1(), H2loadHttp2()):
            ways[client.name] = lambda client=client: newsletter.h2load(client)
        wanted = [name for name in options.peers.split(",") if name in ways]
        runs = {name: [] for name in ["ringpost", *wanted]}
        for _ in range(options.runs):
            for name in runs:
                runs[name].append(newsletter.ringpost() if name == "ringpost" else ways[name]())
    medians = {name: {figure: statistics.median(run[figure] for run in of)
                      for figure in of[0]} for name, of in runs.items()}
    for name, figures in medians.items():
        ratio = statistics.median(one["cpu_us_per_message"] / other["cpu_us_per_message"]
                                  for one, other in zip(runs["ringpost"], runs[name]))
        print(f"{name:<16} {figures['cpu_us_per_message']:>9.2f} us a message   "
              f"{figures['messages_per_second']:>9.0f} messages/s   "
              f"{figures['peak_resident_megabytes']:>7.1f} MB   ringpost is {ratio:.3f} of it")
    print(f"allocations a message: {medians['ringpost']['allocations_per_message']:.5f}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": facts, "medians": medians, "runs": runs}, file, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
