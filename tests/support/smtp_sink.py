"""Postfix's smtp-sink(1): a server whose misbehaviour is chosen with flags."""

import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass

from support.workspace import free_port, wait_for_port

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
HEADERS = re.compile(
    rb"X-Client-Addr: (?P<client>[^\n]*)\nX-Client-Proto: (?P<protocol>[^\n]*)\n"
    rb"X-Helo-Args: (?P<helo>[^\n]*)\nX-Mail-Args: (?P<mail>[^\n]*)\n"
    rb"(?P<rcpt>(X-Rcpt-Args: [^\n]*\n)*)Received: [^\n]*\n([ \t][^\n]*\n)*")


def why_not():
    return "" if shutil.which("smtp-sink", path=PATH) else "smtp-sink is not installed"


@dataclass(frozen=True)
class Dumped:
    """A message as smtp-sink wrote it down: the arguments of its commands, and its content."""

    protocol: str
    mail: str
    recipients: tuple
    content: bytes  # lines ended by LF

    @property
    def x_id(self):
        found = re.search(rb"^X-Id: ([^\n]*)$", self.content, re.M)
        return found.group(1).decode() if found else None


class SmtpSink:
    """A running smtp-sink. It gives up root, as it insists on."""

    def __init__(self, folder, *flags, cleanup, keep=True):
        self.port = free_port()
        self.dumps = folder / f"smtp-sink-{self.port}"
        self._log = folder / f"smtp-sink-{self.port}.log"
        self.dumps.mkdir()
        account = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.dumps, nobody.pw_uid, nobody.pw_gid)
            account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        dump = ["-d", f"{self.dumps}/message."] if keep else []
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                [shutil.which("smtp-sink", path=PATH), "-4", "-v", *dump, *flags,
                 f"127.0.0.1:{self.port}", "100"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dumps, **account)
        cleanup(self.stop)
        wait_for_port(self.port, lambda: self.process.poll() is None)

    @property
    def endpoint(self):
        return f"smtp://127.0.0.1:{self.port}?tls=none"

    def stop(self):
        self.process.kill()
        self.process.wait()

    def conversation(self):
        """What it says of its sessions with -v."""
        return self._log.read_text(errors="replace")

    def count(self, command):
        """How often it has been sent a command."""
        said = rf"^\S*smtp-sink: {re.escape(command)}(\s|$)"
        return len(re.findall(said, self.conversation(), re.M | re.I))

    def messages(self):
        return [_parse(path.read_bytes()) for path in sorted(self.dumps.iterdir())]


def _parse(dump):
    found = HEADERS.match(dump)
    if not found or not dump.endswith(b"\n"):
        raise AssertionError(f"this is no dump of smtp-sink: {dump[:500]!r}")
    recipients = tuple(line.partition(b": ")[2].decode()
                       for line in found.group("rcpt").splitlines())
    # An empty line of its own ends each dump.
    return Dumped(found.group("protocol").decode(), found.group("mail").decode(), recipients,
                  dump[found.end():-1])
