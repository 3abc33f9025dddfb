"""What the benchmarks share: jobs, a sink of their own, a run of `ringpost send`, and the check."""

import hashlib
import json
import os
import platform
import random
import subprocess
import sys
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


def write_jobs(path, options):
    """One job a line; returns the SHA-256 that the sink should record for each id."""
    generator = random.Random(options.seed)
    bodies = [body_lines(generator, options.bytes - 200) for _ in range(64)]
    expected = {}
    with open(path, "w", encoding="ascii") as file:
        for number in range(options.jobs):
            identifier = f"job-{number:08}"
            recipient = f"reader{number}@example.net"
            head = (f"From: News <news@example.com>\r\nTo: <{recipient}>\r\n"
                    f"Subject: Issue {number}\r\nX-Id: {identifier}\r\n\r\n")
            content = head + "\r\n".join(bodies[number % len(bodies)]) + "\r\n"
            expected[identifier] = hashlib.sha256(content.encode()).hexdigest()
            job = {"id": identifier, "raw": content,
                   "envelope": {"from": "news@example.com", "to": [recipient]}}
            file.write(json.dumps(job) + "\n")
    return expected


def start_sink(options, folder, record):
    ready = os.path.join(folder, "ready.json")
    certificate = os.path.join(folder, "certificate.pem")
    for path in (ready, record):
        if os.path.exists(path):
            os.remove(path)
    process = subprocess.Popen(
        [options.program, "sink", "--listen", "127.0.0.1:0", "--listen-tls", "none",
         "--cert-out", certificate, "--ready-file", ready, "--record", record, "--summary", "json",
         *options.sink.split()],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not os.path.exists(ready):
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit("the sink did not start")
        time.sleep(0.01)
    with open(ready, encoding="utf-8") as file:
        return process, json.load(file), certificate


def port_of(ready):
    """The STARTTLS port out of the sink's ready file."""
    return ready["ports"]["starttls"]


def peak_resident_kib(pid):
    """Of the program alone: ru_maxrss would count the pages of the Python that forked it."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("VmHWM")), 0)
    except OSError:
        return 0


def send(options, jobs, outcomes, port, certificate):
    """Runs ringpost send; returns its summary, seconds, what the kernel counted, and its peak."""
    environment = dict(os.environ, RINGPOST_PASSWORD="ringpost")
    before = time.monotonic()
    process = subprocess.Popen(
        [options.program, "send", jobs, "-o", outcomes, "--progress", "none", "--summary", "json",
         "--connections", str(options.connections), "--cores", str(options.cores),
         "-e", f"smtp://ringpost@127.0.0.1:{port}?ca={certificate}", *options.send.split()],
        stdout=subprocess.PIPE, env=environment)
    peak = 0
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid != 0:
            break
        peak = max(peak, peak_resident_kib(process.pid))
        time.sleep(0.01)
    seconds = time.monotonic() - before
    output = process.stdout.read()
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode != 0:
        sys.exit(f"ringpost send ended with {process.returncode}")
    return json.loads(output)["summary"], seconds, usage, peak


def check(expected, record, outcomes):
    """Every id once in the record, with the right content, and accepted once in the outcomes."""
    seen = {}
    with open(record, encoding="utf-8") as file:
        for line in file:
            entry = json.loads(line)
            identifier = entry["x_id"]
            if identifier in seen:
                sys.exit(f"{identifier} was delivered twice")
            seen[identifier] = entry["sha256"]
    if seen != expected:
        wrong = [i for i in expected if seen.get(i) != expected[i]]
        sys.exit(f"{len(wrong)} messages missing or altered, the first {wrong[:1]}")
    answered = set()
    with open(outcomes, encoding="utf-8") as file:
        for line in file:
            entry = json.loads(line)
            if entry["status"] != "accepted" or entry["id"] in answered:
                sys.exit(f"unexpected outcome line: {line}")
            answered.add(entry["id"])
    if answered != expected.keys():
        sys.exit("outcome lines are missing")


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
