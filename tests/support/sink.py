"""`ringpost sink`, the embedded ESP, as the other end of a test."""

import json
import os
import signal
from collections import Counter
from dataclasses import dataclass

from support.program import PASSWORD, PROGRAM, USER, ProgramTest, RunningProgram, environment_of
from support.workspace import temporary_folder, wait_until

# Another build's sink judges two builds alike.
SINK_PROGRAM = os.environ.get("RINGPOST_SINK", PROGRAM)
LISTEN = {"starttls": "--listen", "tls": "--listen-tls", "plain": "--listen-plain"}


@dataclass
class Report:
    """What a sink says when it is over."""

    record: list  # one object for each accepted message
    summary: dict

    @property
    def ids(self):
        """How often each X-Id was accepted."""
        return Counter(message["x_id"] for message in self.record)

    def recipients(self):
        """How often each (X-Id, recipient) was accepted."""
        return Counter((message["x_id"], recipient) for message in self.record
                       for recipient in message["to"])


class Sink:
    """A running sink with the listeners that are asked for, on ports that the kernel picks
    (or one on `port`). Without a user a provider that is played (`--profile`) says who may log in.
    """

    def __init__(self, folder, *flags, cleanup, listeners=("starttls",), certificate=None,
                 port=0, user=USER, record=True):
        self.folder = temporary_folder(cleanup, folder)
        ready = self.folder / "ready.json"
        password = self.folder / "password"
        password.write_text(PASSWORD, encoding="ascii")
        arguments = ["sink", "--ready-file", ready, "--summary", "json",
                     "--password-file", password]
        if record:
            arguments += ["--record", "record.jsonl"]
        if user is not None:
            arguments += ["--user", user]
        for name, flag in LISTEN.items():
            arguments += [flag, f"127.0.0.1:{port}" if name in listeners else "none"]
        if certificate:
            arguments += ["--cert", certificate.certificate, "--key", certificate.key]
        elif set(listeners) != {"plain"}:
            arguments += ["--cert-out", "sink.pem"]
        self.program = RunningProgram(self.folder, [*arguments, *flags],
                                      environment_of(self.folder), program=SINK_PROGRAM)
        cleanup(self.program.stop)

        def is_ready():
            if not self.program.is_alive():
                raise AssertionError(f"the sink ended at once\n{self.program.stderr()}")
            return ready.exists()

        wait_until(is_ready, "the sink is ready")
        self.ports = json.loads(ready.read_text(encoding="utf-8"))["ports"]
        self.certificate = self.folder / "sink.pem"

    def endpoint(self, listener="starttls", host="localhost", user=USER):
        """The URL of a listener, with what it takes to trust the sink's certificate."""
        port = self.ports[listener]
        if listener == "plain":
            return f"smtp://{host}:{port}?tls=none"
        scheme = "smtps" if listener == "tls" else "smtp"
        return f"{scheme}://{user}@{host}:{port}?ca={self.certificate}"

    def record(self):
        """What it has written down so far; a line is there soon after its message's 250."""
        path = self.folder / "record.jsonl"
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def stop(self):
        """Ends it in order. Then its record is complete."""
        self.program.signal(signal.SIGTERM)
        run = self.program.wait(60)
        if run.exit_code != 0:
            raise AssertionError(f"the sink failed\n{run.describe()}")
        return Report(self.record(), json.loads(run.stdout))


class SinkTest(ProgramTest):
    """A test case that sends to a sink."""

    def sink(self, *flags, **more):
        return Sink(self.folder, *flags, cleanup=self.addCleanup, **more)

    def assert_within_limits(self, report):
        """Nothing was refused for being too much, and no login."""
        limits = report.summary["limits"]
        self.assertEqual(limits["logins_refused"], 0, limits)
        for rate in limits["rates"]:
            self.assertEqual((rate["refused"], rate["over"]), (0, 0), limits)
        for name in ("connections", "messages", "recipients", "bytes", "idle", "age"):
            self.assertEqual(limits[name]["refused"], 0, (name, limits))

    def assert_strict(self, report):
        """Nothing that was sent broke a rule of SMTP."""
        self.assertEqual(report.summary["violations_total"], 0, report.summary)

    def configuration(self, sink, **settings):
        """The sink as an endpoint of ./ringpost.toml; returns its name."""
        return self.configure(**{"host": "localhost", "port": sink.ports["starttls"],
                                 "username": USER, "ca_file": str(sink.certificate), **settings})
