"""`ringpost serve` between a platform and a sink, as both ends of a test."""

import json
import smtplib
import socket
import ssl

from support.jobs import read_outcomes
from support.program import PASSWORD, USER
from support.sink import SinkTest
from support.workspace import wait_until

BLOG_PASSWORD = "sm4rt-h0st-secret"


class Serve:
    """A running smart host, and where its listeners are: {"smtp": [("127.0.0.1", 2525)]}."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        ready = folder / "serve-ready.json"

        def is_ready():
            if not program.is_alive():
                raise AssertionError(f"serve ended at once\n{program.stderr()}")
            return ready.exists()

        wait_until(is_ready, "serve is ready")
        self.places = {}
        for place in json.loads(ready.read_text(encoding="utf-8"))["listening"]:
            kind, _, address = place.partition("=")
            if kind == "watch" or address.startswith("unix:"):
                self.places.setdefault(kind, []).append(address.removeprefix("unix:"))
                continue
            host, _, port = address.rpartition(":")
            self.places.setdefault(kind, []).append((host.strip("[]"), int(port)))

    def address(self, number=0):
        return self.places["smtp"][number]

    def client(self, number=0, **more):
        """An smtplib.SMTP that is connected and has said nothing."""
        return smtplib.SMTP(*self.address(number), local_hostname="platform.example", timeout=120,
                            **more)

    def outcomes(self):
        return read_outcomes(self.folder / "outcomes.jsonl")

    def wait_for_outcomes(self, count):
        wait_until(lambda: len(self.outcomes()) >= count, f"{count} outcome lines")
        return self.outcomes()


class Dialogue:
    """A socket that says octets and hears replies."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=120)
        self.file = self.socket.makefile("rb")
        self.greeting = self.reply()

    def reply(self):
        """All lines of the next reply, or nothing at the end of the stream."""
        lines = []
        while True:
            line = self.file.readline()
            if not line:
                return "".join(lines)
            lines.append(line.decode("utf-8", errors="replace"))
            if line[3:4] != b"-":
                return "".join(lines)

    def send(self, octets):
        self.socket.sendall(octets)

    def say(self, octets):
        self.send(octets)
        return self.reply()

    def begin(self, sender="sender@example.com", recipient="reader@example.net"):
        """As far as the content."""
        replies = [self.say(b"EHLO platform.example\r\n"),
                   self.say(f"MAIL FROM:<{sender}>\r\n".encode()),
                   self.say(f"RCPT TO:<{recipient}>\r\n".encode()), self.say(b"DATA\r\n")]
        if not replies[-1].startswith("354"):
            raise AssertionError(replies)

    def is_over(self):
        """The server has ended it."""
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.file.close()
        self.socket.close()


class ServeTest(SinkTest):
    """A test case with a smart host in front of a sink."""

    user = USER  # None: the sink lets everybody in

    def toml(self, sink, sections):
        """A configuration with the sink as the endpoint `esp`."""
        values = {"host": "localhost", "port": sink.ports["starttls"],
                  "ca_file": str(sink.certificate)}
        if self.user is not None:
            values["username"] = self.user
        lines = ["[endpoint.esp]", *(f"{key} = {json.dumps(value)}"
                                     for key, value in values.items()), sections]
        path = self.folder / "serve.toml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        path.chmod(0o600)
        return path

    def start_serve(self, sink, sections='[[listen.smtp]]\naddress = "127.0.0.1:0"', *flags,
                    **more):
        more.setdefault("RINGPOST_PASSWORD", PASSWORD)
        program = self.start("serve", "-c", self.toml(sink, sections), "--outcomes",
                             "outcomes.jsonl", "--ready-file", "serve-ready.json", *flags, **more)
        return Serve(program, self.folder)

    def dialogue(self, serve, number=0):
        dialogue = Dialogue(serve.address(number))
        self.addCleanup(dialogue.close)
        return dialogue

    def write_users(self, **passwords):
        """A file of users with the hashes that the program makes."""
        path = self.folder / "users"
        lines = [f"{name}:{self.hash_of(password)}" for name, password in passwords.items()]
        path.write_text("\n".join(lines) + "\n", encoding="ascii")
        path.chmod(0o600)
        return path

    def hash_of(self, password):
        given = self.folder / "password"
        given.write_text(password + "\n", encoding="utf-8")
        with open(given, "rb") as stdin:
            run = self.run_program("serve", "--hash-password", stdin=stdin)
        self.assert_exit(run, 0)
        return run.stdout.decode("ascii").strip()


def trusting(certificate):
    """What a client needs that trusts this one."""
    return ssl.create_default_context(cafile=str(certificate))
