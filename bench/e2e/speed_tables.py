"""The tables of docs/explanation/speed.md, made from bench/baselines, between markers in it.

A table is never typed in: `tools/dev compare --write-tables` writes it from the JSON, and a test
checks that docs/explanation/speed.md has exactly that.
"""

import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "docs", "explanation", "speed.md")
BASELINES = os.path.join(ROOT, "bench/baselines")

HEADLINE_SESSIONS = 10


def rounded(value):
    """Three digits that mean something."""
    return f"{value:.2g}" if value < 1 else f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def rate(value):
    """The same for what is counted by the thousands."""
    return f"{float(f'{value:.3g}'):,.0f}"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def size_name(octets):
    return f"{round(octets / 1024)} KB"


def machine_line(baseline):
    facts = baseline["machine"]
    return (f"{facts['cpu']}, {facts['cores']} cores shared with the server, "
            f"Linux {facts['kernel']}, {baseline['date']}{load_of(baseline)}")


def load_of(baseline):
    """Other work that went on, where it matters: figures are worse then, ratios less so."""
    load = baseline.get("load_before", 0)
    if load <= baseline["machine"]["cores"]:
        return ""
    return f" (with other work going on, load {load:.0f}: only the ratios mean anything)"


def figure(baseline, client, octets, tls, sessions):
    return next((line for line in baseline["figures"]
                 if (line["client"], line["bytes"], line["tls"], line["sessions"])
                 == (client, octets, tls, sessions)), None)


def sizes_of(baseline):
    return sorted({line["bytes"] for line in baseline["figures"]})


def runs_of(baseline, wanted):
    """How many runs there were of the figures that are wanted: "5", or "1 to 5"."""
    counts = {len(line["runs"]) for line in baseline["figures"] if wanted(line)}
    return "0" if not counts else " to ".join(map(str, sorted({min(counts), max(counts)})))


def memory_of(line):
    """Without the messages that were held before it began: whoever likes may stream them."""
    return line["peak_resident_megabytes"] - line["messages_held_megabytes"]


def cpu_beside_floor(baseline, line):
    floor = figure(baseline, "floor", line["bytes"], line["tls"], line["sessions"])
    cpu = line["cpu_us_per_message"]
    ratio = f", {rounded(cpu / floor['cpu_us_per_message'])} x" if floor else ""
    return f"{rounded(cpu)} us{ratio}"


def compare_table(baseline):
    """Over TLS with ten sessions: CPU and rate at each size, and memory."""
    sizes = sizes_of(baseline)
    runs = runs_of(baseline, lambda line: line["tls"] and line["sessions"] == HEADLINE_SESSIONS)
    yield (f"{machine_line(baseline)}; medians of {runs} runs, TLS 1.3 AES-128-GCM, "
           f"{HEADLINE_SESSIONS} sessions. CPU of the client a message, user and system, how many "
           "times the floor that is, and messages a second:")
    yield ""
    yield row(["client"] + [head for octets in sizes
                            for head in (f"{size_name(octets)}: CPU", "a second")] + ["memory"])
    yield row(["---"] * (2 * len(sizes) + 2))
    for client in baseline["clients"]:
        lines = [figure(baseline, client, octets, True, HEADLINE_SESSIONS) for octets in sizes]
        if not any(lines):
            continue
        cells = [cell for line in lines for cell in
                 ((cpu_beside_floor(baseline, line), rate(line["messages_per_second"]))
                  if line else ("", ""))]
        memory = max(memory_of(line) for line in lines if line)
        yield row([client, *cells, f"{memory:.0f} MB"])
    for name, why in baseline["left_out"].items():
        yield row([name, f"left out: {why}"] + [""] * (2 * len(sizes)))


def sessions_table(baseline):
    """CPU a message of the middle size: in clear and over TLS, by sessions."""
    octets = sizes_of(baseline)[len(sizes_of(baseline)) // 2]
    cases = sorted({(line["tls"], line["sessions"]) for line in baseline["figures"]})
    runs = runs_of(baseline, lambda line: line["bytes"] == octets)
    yield (f"CPU of the client a message of {size_name(octets)}, in clear and over TLS, by "
           f"sessions (medians of {runs} runs):")
    yield ""
    yield row(["client"] + [f"{'TLS' if tls else 'clear'}, {sessions}" for tls, sessions in cases])
    yield row(["---"] * (len(cases) + 1))
    for client in baseline["clients"]:
        lines = [figure(baseline, client, octets, *case) for case in cases]
        yield row([client] + [f"{rounded(line['cpu_us_per_message'])} us" if line else ""
                              for line in lines])


def round_trips_table(baseline):
    latencies = list(next(iter(baseline["figures"].values())))
    yield (f"{machine_line(baseline)}; messages of {size_name(baseline['bytes'])}, one session. "
           "Messages a round trip, and a second:")
    yield ""
    yield row(["replies late by"] + [f"{ms} ms" for ms in latencies])
    yield row(["---"] * (len(latencies) + 1))
    for name, by_latency in baseline["figures"].items():
        cells = []
        for line in by_latency.values():
            trip = line.get("messages_per_round_trip")
            a_second = f"{rate(line['messages_per_second'])}/s"
            cells.append(f"{rounded(trip)}, {a_second}" if trip else a_second)
        yield row([name, *cells])


# The name in the markers, the file, what makes the lines.
TABLES = (("compare", "compare.json", compare_table),
          ("sessions", "compare.json", sessions_table),
          ("round-trips", "round_trips.json", round_trips_table))


def with_tables(text):
    """docs/explanation/speed.md as the baselines give it."""
    for name, file_name, lines_of in TABLES:
        begin, end = f"<!-- {name}: made by tools/dev compare -->\n", f"<!-- end of {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            sys.exit(f"docs/explanation/speed.md has not one place for the table {name}")
        with open(os.path.join(BASELINES, file_name), encoding="utf-8") as file:
            table = "\n".join(lines_of(json.load(file)))
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{table}\n\n{end}{rest.split(end)[1]}"
    return text


def main(write):
    """Writes the tables, or says what is different; returns an exit code."""
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    wanted = with_tables(text)
    if write:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(wanted)
        return 0
    if text == wanted:
        return 0
    for number, (has, gives) in enumerate(zip(text.split("\n"), wanted.split("\n")), 1):
        if has != gives:
            print(f"{PAGE}:{number}: is     {has}\nbut the baselines give {gives}")
            break
    print("tools/dev compare --write-tables writes the tables anew")
    return 1
