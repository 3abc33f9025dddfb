"""What the benchmarks share: messages, a sink of their own, a measured run, and the check."""

import dataclasses
import hashlib
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LETTERS = "abcdefghijklmnopqrstuvwxyz      etaoin"


def body_lines(generator, octets):
    """Text lines of 76 letters; now and then one begins with a dot."""
    lines = []
    while octets > 0:
        length = min(76, max(octets - 2, 0))
        line = "".join(generator.choices(LETTERS, k=length))
        if generator.random() < 0.01 and length > 0:
            line = "." + line[1:]
        lines.append(line)
        octets -= length + 2
    return lines


def messages_of(options):
    """Yields (id, recipient, content), the same ones for the same options; more are only added."""
    generator = random.Random(options.seed)
    bodies = ["\r\n".join(body_lines(generator, options.bytes - 200)) for _ in range(64)]
    for number in range(options.jobs):
        identifier = f"job-{number:08}"
        recipient = f"reader{number}@example.net"
        head = (f"From: News <news@example.com>\r\nTo: <{recipient}>\r\n"
                f"Subject: Issue {number}\r\nX-Id: {identifier}\r\n\r\n")
        yield identifier, recipient, f"{head}{bodies[number % len(bodies)]}\r\n"


def write_jobs(path, options):
    """One job a line; returns the SHA-256 that the sink should record for each id."""
    expected = {}
    with open(path, "w", encoding="ascii") as file:
        for identifier, recipient, content in messages_of(options):
            expected[identifier] = hashlib.sha256(content.encode()).hexdigest()
            job = {"id": identifier, "raw": content,
                   "envelope": {"from": "news@example.com", "to": [recipient]}}
            file.write(json.dumps(job) + "\n")
    return expected


def write_messages(path, options):
    """The same messages for those who read no JSON: "OCTETS ID RECIPIENT" and LF, then content."""
    with open(path, "w", encoding="ascii", newline="") as file:
        for identifier, recipient, content in messages_of(options):
            file.write(f"{len(content)} {identifier} {recipient}\n{content}")


class Sink:
    """The embedded ESP on free ports, STARTTLS with AUTH and in clear without, as a context."""

    def __init__(self, program, folder, options=""):
        self.record = os.path.join(folder, "record.jsonl")
        self.certificate = os.path.join(folder, "certificate.pem")
        self.summary = {}
        ready = os.path.join(folder, "ready.json")
        for path in (ready, self.record):
            if os.path.exists(path):
                os.remove(path)
        self.process = subprocess.Popen(
            [program, "sink", "--listen", "127.0.0.1:0", "--listen-tls", "none",
             "--listen-plain", "127.0.0.1:0", "--cert-out", self.certificate,
             "--ready-file", ready, "--record", self.record, "--summary", "json",
             *options.split()],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not os.path.exists(ready):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit("the sink did not start")
            time.sleep(0.01)
        with open(ready, encoding="utf-8") as file:
            self.ports = json.load(file)["ports"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.summary = json.loads(self.process.communicate()[0])

    def port(self, tls):
        return self.ports["starttls" if tls else "plain"]

    def endpoint(self, tls):
        """What `ringpost send -e` takes."""
        if tls:
            return f"smtp://ringpost@127.0.0.1:{self.port(tls)}?ca={self.certificate}"
        return f"smtp://127.0.0.1:{self.port(tls)}?tls=none"


@dataclasses.dataclass
class Measured:
    """What one run of a program cost: its own processor time and that of its children."""
    output: bytes
    seconds: float
    cpu_seconds: float
    peak_resident_megabytes: float


def peak_resident_kib(pid):
    """Of a process and its descendants: ru_maxrss would count the pages of the Python that forked
    them."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            peak = next((int(line.split()[1]) for line in file if line.startswith("VmHWM")), 0)
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
    except OSError:
        return 0
    return peak + sum(peak_resident_kib(child) for child in children)


def run_measured(arguments, exit_codes=(0,), **popen):
    """Runs a program to its end; ends this one when that fails."""
    with tempfile.TemporaryFile() as output:
        before = time.monotonic()
        process = subprocess.Popen(arguments, stdout=output, **popen)
        peak = 0
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid != 0:
                break
            peak = max(peak, peak_resident_kib(process.pid))
            time.sleep(0.01)
        seconds = time.monotonic() - before
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode not in exit_codes:
        sys.exit(f"{' '.join(arguments)}\nended with {process.returncode}: {text.decode()[-2000:]}")
    return Measured(text, seconds, usage.ru_utime + usage.ru_stime, peak / 1024)


def send(options, jobs, outcomes, endpoint, *further):
    """Runs ringpost send; returns its summary and what it cost."""
    if os.path.exists(outcomes):
        os.remove(outcomes)
    measured = run_measured(
        [options.program, "send", jobs, "-o", outcomes, "--progress", "none", "--summary", "json",
         "--connections", str(options.connections), "--cores", str(options.cores),
         "-e", endpoint, *options.send.split(), *further],
        env=dict(os.environ, RINGPOST_PASSWORD="ringpost"))
    return json.loads(measured.output)["summary"], measured


def floor(options, messages, sink, tls=True):
    """Runs the floor beside ringpost; returns its figures."""
    program = os.path.join(os.path.dirname(options.program), "bench/e2e/floor")
    if not os.path.exists(program):
        sys.exit(f"{program} is not there: tools/dev bench builds it")
    certificate = ["--ca", sink.certificate] if tls else []
    measured = run_measured([program, messages, "--port", str(sink.port(tls)), "--sessions",
                             str(options.connections), *certificate])
    return json.loads(measured.output)


def check(expected, record, outcomes):
    """Every id once in the record, with the right content, and accepted once in the outcomes."""
    check_record(expected, record)
    answered = set()
    with open(outcomes, encoding="utf-8") as file:
        for line in file:
            entry = json.loads(line)
            if entry["status"] != "accepted" or entry["id"] in answered:
                sys.exit(f"unexpected outcome line: {line}")
            answered.add(entry["id"])
    if answered != expected.keys():
        sys.exit("outcome lines are missing")


def check_record(expected, record):
    """Every id once in the record, with the right content unless the sink had --no-digest."""
    seen = {}
    with open(record, encoding="utf-8") as file:
        for line in file:
            entry = json.loads(line)
            identifier = entry["x_id"]
            if identifier in seen:
                sys.exit(f"{identifier} was delivered twice")
            digest = entry["sha256"]
            seen[identifier] = expected.get(identifier) if digest is None else digest
    if seen != expected:
        wrong = [i for i in expected if seen.get(i) != expected[i]]
        sys.exit(f"{len(wrong)} messages missing or altered, the first {wrong[:1]}")


def machine():
    """What the figures were taken on."""
    model = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)}
