"""Servers on Node.js that write down what they take, as nodemailer's smtp-server and Haraka do.

Each event is a line of JSON in a file: a login or a message with its envelope.
"""

import base64
import json
import re
import shutil
import subprocess
from collections import Counter

from support.delivered import DATA, Delivered
from support.peer import Peer
from support.workspace import wait_until

# What Haraka puts in front of a message of somebody who has logged in.
TRACES = re.compile(rb"(Authentication-Results: [^\r]*\r\n([ \t][^\r]*\r\n)*)?")


def why_not(module, name, node=18):
    """Why a server that needs this release of Node.js cannot be run here; empty when it can."""
    if not shutil.which("node"):
        return "node is not installed"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True,
                             timeout=60).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < node:
        return f"{name} needs node {node}, and this is {version}"
    return "" if module.exists() else f"{name} was not fetched; tools/dev.d/peers.sh does so"


def write_down(path, event):
    """For those that are written in Python."""
    with open(path, "ab") as file:
        file.write(json.dumps(event).encode() + b"\n")


class RecordingPeer(Peer):
    """A running server of that kind. It answers when it has written the line."""

    def __init__(self, folder, ports):
        super().__init__(folder, ports)
        self.record = self.folder / "record.jsonl"
        self.record.touch()
        self._forgotten = 0

    def _events(self, offset=0):
        with open(self.record, "rb") as file:
            file.seek(offset)
            return [json.loads(line) for line in file]

    def _messages(self):
        return [event for event in self._events(self._forgotten) if event["event"] == "message"]

    def failed_logins(self):
        return sum(event["event"] == "login" and not event["success"] for event in self._events())

    def commands(self):
        # They know no other.
        return Counter({DATA: len(self._messages())})

    def forget(self):
        self._forgotten = self.record.stat().st_size

    def log(self):
        return f"record: {self.record.read_text(encoding='utf-8')[-2000:]}"

    def files(self):
        """What it has written down, one for each message."""
        return self._messages()

    def delivered(self, count, seconds=120):
        def copies():
            found = [copy for message in self._messages() for copy in _copies(message)]
            return found if len(found) >= count else None

        return wait_until(copies, f"{count} copies are on record", seconds)


def _copies(message):
    stored = base64.b64decode(message["content"])
    traces = TRACES.match(stored).group(0)
    return [Delivered(message["sender"], recipient, stored[len(traces):], b"\r\n", traces)
            for recipient in message["recipients"]]
