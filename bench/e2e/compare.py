#!/usr/bin/env python3
"""ringpost beside the floor and its peers: the same messages, the same sink, the same machine.

For each size, in clear and over TLS, with 1, 10 and 100 sessions, every client of clients.py sends
its messages to a sink of its own, one client after the other and then all of them again, --runs
times, so that what else goes on strikes all alike. A run counts only when it was checked. Slow
clients get fewer messages; the JSON says how many, and who was left out and why.

    tools/dev compare                            # all of it, an hour at most or little more
    tools/dev compare --quick                    # a minute: do all of them work?
    tools/dev compare --peers ringpost,floor --bytes 10240 --sessions 10 --security tls
    tools/dev compare --json bench/baselines/compare.json    # then --write-tables
    tools/dev compare --check-tables             # do the docs have what the JSON files say?
"""

import argparse
import datetime
import functools
import json
import math
import os
import statistics
import sys
import tempfile
import time

import speed_tables
from clients import OPENSSL_CONFIGURATION, all_clients
from sink_run import ROOT, machine, messages_of, write_jobs, write_messages

SIZES = (2048, 10240, 76800)
SESSIONS = (1, 10, 100)
SECURITY = ("tls", "plain")
HEADLINE_SESSIONS = speed_tables.HEADLINE_SESSIONS


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = [client.name for client in all_clients()]
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/ringpost"))
    parser.add_argument("--peers", help=f"some of: {'; '.join(names)}; beginnings of names do")
    parser.add_argument("--bytes", default=",".join(map(str, SIZES)), help="octets of content")
    parser.add_argument("--sessions", default=",".join(map(str, SESSIONS)))
    parser.add_argument("--security", default=",".join(SECURITY))
    parser.add_argument("--runs", type=int, default=5, help="of each case [5]; see --minutes")
    parser.add_argument("--minutes", type=float, default=60,
                        help="cases besides TLS with ten sessions get fewer runs, but one each, "
                        "when it would take longer [60]")
    parser.add_argument("--quick", action="store_true", help="one run of a tenth of the messages")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    parser.add_argument("--add", action="store_true",
                        help="keep what the file has of other cases")
    parser.add_argument("--check-tables", action="store_true",
                        help="only compare docs/explanation/speed.md with what the baselines give")
    parser.add_argument("--write-tables", action="store_true",
                        help="only write its tables anew from the baselines")
    return parser.parse_args()


class Case:
    """What the messages of one size are sent by: files, prepared once for each count of them."""

    def __init__(self, program, octets, folder, count):
        self.program = program
        self.bytes = octets
        self.jobs = count
        self.folder = folder
        self.seed = 1
        self.send = ""  # options of ringpost send
        self.sink = ""  # of ringpost sink
        self.cores = 1
        self.tls = True
        self.connections = 1
        self.files = os.path.join(folder, f"{octets}-{count}")
        os.makedirs(self.files)
        self.expected = write_jobs(self.path("jobs.jsonl"), self)
        write_messages(self.path("messages"), self)

    @property
    def record(self):
        """What the sink took in the last run."""
        return os.path.join(self.folder, "record.jsonl")

    def path(self, name):
        return os.path.join(self.files, name)

    @functools.cached_property
    def first_message(self):
        return next(messages_of(self))[2]

    def message_files(self):
        """One file a message, made when somebody wants them."""
        mail = self.path("mail")
        if not os.path.isdir(mail):
            os.makedirs(mail)
            for identifier, _, content in messages_of(self):
                with open(os.path.join(mail, identifier), "wb") as file:
                    file.write(content.encode())
        return [os.path.join(mail, identifier) for identifier in self.expected]

    def openssl(self):
        """The environment in which OpenSSL takes the cipher that all of them use."""
        configuration = self.path("openssl.cnf")
        with open(configuration, "w", encoding="ascii") as file:
            file.write(OPENSSL_CONFIGURATION)
        return {"OPENSSL_CONF": configuration}


def chosen(clients, names):
    if names is None:
        return clients
    wanted = [name.strip() for name in names.split(",")]
    for name in wanted:
        if not any(client.name.lower().startswith(name.lower()) for client in clients):
            sys.exit(f"no client is called {name}")
    return [client for client in clients
            if any(client.name.lower().startswith(name.lower()) for name in wanted)]


def cases_of(options, octets, clients, folder):
    """The messages that each client sends, by its name; those who send as many share them."""
    cases = {}
    for client in clients:
        count = client.messages.get(octets) or client.messages[min(client.messages)] // 4
        count = max(count // 10, 4) if options.quick else count
        if count not in cases:
            cases[count] = Case(options.program, octets, folder, count)
        yield client, cases[count]


def measure(options, clients, case_of, tls, sessions, deadline):
    """Runs of all clients in turn; yields a line of the JSON for each client."""
    figures = {client.name: [] for client in clients}
    while not enough(options, figures, deadline):
        for client in clients:
            case = case_of[client.name]
            case.tls = tls
            case.connections = min(sessions, case.jobs)
            figures[client.name].append(client.run(case))
    for client in clients:
        runs = figures[client.name]
        case = case_of[client.name]
        held = os.path.getsize(case.path("messages")) / 2**20 if client.holds_messages else 0
        yield {"client": client.name, "bytes": case.bytes, "tls": tls, "sessions": sessions,
               "messages": case.jobs, "checked": client.checked,
               **{name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]},
               "messages_held_megabytes": round(held, 3),
               "runs": [{name: round(value, 3) for name, value in run.items()} for run in runs]}


def enough(options, figures, deadline):
    done = len(next(iter(figures.values()), range(options.runs)))
    return done >= options.runs or (done > 0 and time.monotonic() > deadline)


def print_line(line, floor_cpu):
    ratio = f"{line['cpu_us_per_message'] / floor_cpu:7.1f} x floor" if floor_cpu else ""
    print(f"  {line['client']:<18} {line['messages_per_second']:>9,.0f}/s "
          f"{line['cpu_us_per_message']:>10,.1f} us CPU {line['peak_resident_megabytes']:>7.1f} MB"
          f" ({line['messages_held_megabytes']:.0f} of messages) {ratio}", flush=True)


def groups_of(options):
    """Yields security, sessions, and whether it is a headline, which is measured first."""
    groups = [(security, sessions, security == "tls" and sessions == HEADLINE_SESSIONS)
              for security in options.security.split(",")
              for sessions in map(int, options.sessions.split(","))]
    return sorted(groups, key=lambda group: not group[2])


def measure_size(options, octets, clients, result, deadline):
    """Fills in the figures of one size, and why a client has none in a case."""
    with tempfile.TemporaryDirectory(prefix="ringpost-bench.") as folder:
        case_of = {client.name: case
                   for client, case in cases_of(options, octets, clients, folder)}
        groups = groups_of(options)
        for number, (security, sessions, headline) in enumerate(groups):
            tls = security == "tls"
            reasons = {client.name: client.not_measured(tls, sessions) for client in clients}
            result["not_measured"] += [
                {"client": name, "bytes": octets, "tls": tls, "sessions": sessions, "why": why}
                for name, why in reasons.items() if why]
            print(f"{octets} octets, {security}, {sessions} sessions", flush=True)
            now = time.monotonic()
            until = math.inf if headline else now + (deadline - now) / (len(groups) - number)
            lines = list(measure(options, [c for c in clients if not reasons[c.name]], case_of,
                                 tls, sessions, until))
            result["figures"] += lines
            floor_cpu = next((line["cpu_us_per_message"] for line in lines
                              if line["client"] == "floor"), None)
            for line in lines:
                print_line(line, floor_cpu)


def key_of(line):
    return line["client"], line["bytes"], line["tls"], line["sessions"]


def write(path, result, earlier):
    """With what was measured earlier of other cases."""
    result["load_after"] = round(os.getloadavg()[1], 1)
    whole = dict(result, clients={**earlier.get("clients", {}), **result["clients"]})
    for name in ("figures", "not_measured"):
        anew = {key_of(line) for line in result["figures"] + result["not_measured"]}
        whole[name] = [line for line in earlier.get(name, []) if key_of(line) not in anew]
        whole[name] += result[name]
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(whole, indent=1) + "\n")


def read_earlier(options):
    if not options.add:
        return {}
    with open(options.json, encoding="utf-8") as file:
        return json.load(file)


def main():
    options = arguments()
    if options.check_tables or options.write_tables:
        sys.exit(speed_tables.main(write=options.write_tables))
    if options.quick:
        options.runs = 1
    if options.add and not options.json:
        sys.exit("--add takes --json")
    if set(options.security.split(",")) - set(SECURITY):
        sys.exit("--security takes tls and plain")
    clients = chosen(all_clients(), options.peers)
    left_out = {client.name: why for client in clients if (why := client.missing())}
    clients = [client for client in clients if client.name not in left_out]
    begin = time.monotonic()
    earlier = read_earlier(options)
    result = {"machine": machine(), "date": datetime.date.today().isoformat(),
              "load_before": round(os.getloadavg()[1], 1),
              "clients": {client.name: {"version": client.version(options.program),
                                        "note": client.note} for client in clients},
              "left_out": left_out, "not_measured": [], "figures": []}
    facts = result["machine"]
    print(f"{facts['cpu']}, {facts['cores']} cores (shared with the sink), Linux {facts['kernel']}")
    print(f"medians of {options.runs} runs\n")
    for name, why in left_out.items():
        print(f"left out: {name}: {why}")
    sizes = [int(text) for text in options.bytes.split(",")]
    for number, octets in enumerate(sizes):
        left = begin + options.minutes * 60 - time.monotonic()
        measure_size(options, octets, clients, result,
                     time.monotonic() + left / (len(sizes) - number))
        if options.json:  # what was measured is not lost when the rest is not wanted any more
            write(options.json, result, earlier)


if __name__ == "__main__":
    main()
