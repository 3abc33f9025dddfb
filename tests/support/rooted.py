"""Mail servers that run in a root of their own, on loopback: those of a newer release, and those of
which a machine can have only one installed.

tools/dev.d/roots.sh makes the roots, tools/dev.d/in_root.sh puts one together for each start. What
the server changes lies in the folder of the test, which has the same path inside, and so does what
it delivers: one file for each recipient, written by support/store.cpp. All its processes are in one
namespace, and are gone with its first.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from support.delivered import Delivered
from support.peer import Peer
from support.workspace import wait_until

PROJECT = Path(__file__).parents[2]
IN_ROOT = PROJECT / "tools/dev.d/in_root.sh"
ROOTS = PROJECT / "build/roots"
# How long a server may take to end when it is told to; systemd waits 90 s.
STOP_SECONDS = 20

INIT = """#!/bin/sh
# The first process of a server's namespace: starts it and takes over what it leaves behind.
. {folder}/boot
touch {folder}/booted
while :; do sleep 1000 & wait $!; done
"""

# Nobody is asked for names, and this machine has one with a dot, which some wait for.
NAMES = """set -e
: >/etc/resolv.conf
name=$(hostname)
printf '127.0.0.1 localhost %s.ringpost.test %s\\n' "$name" "$name" >/etc/hosts
"""

# What servers put in front of a message, which begins with its X-Id line.
TRACES = re.compile(rb"((Return-Path|Delivered-To|Received|Authentication-Results|Received-SPF|"
                    rb"Envelope-To|X-Original-To):[^\n]*\n([ \t][^\n]*\n)*)*", re.I)


class RootedPeer(Peer):
    """A running server of that kind. A class of them says how it is set up and started."""

    layer = ""
    death_signal = signal.SIGKILL  # unshare passes over a softer one

    @classmethod
    def why_not(cls, suite):
        """Why it cannot be run here; empty when it can."""
        if os.geteuid() != 0:
            return "a root of its own for a mail server needs root"
        if not (ROOTS / suite / f"{cls.layer}.mark").exists():
            return f"{cls.layer} of {suite} was not made; tools/dev.d/roots.sh {suite} does so"
        return ""

    def __init__(self, suite, folder, certificate, ports):
        super().__init__(folder, ports)
        self.suite = suite
        self.roots = ROOTS / suite
        self.shared = self.folder / "shared"
        self.got = self.shared / "got"
        self.logs = self.shared / "log"
        for path in (self.shared, self.got, self.logs):
            path.mkdir()
            path.chmod(0o1777)
        shutil.copy(self.roots / "store/store", self.shared / "store")
        self.certificate = Path(shutil.copy(certificate.certificate, self.shared / "cert.pem"))
        self.key = Path(shutil.copy(certificate.key, self.shared / "key.pem"))
        self.key.chmod(0o600)
        self._write("both.pem", self.certificate.read_text() + self.key.read_text(), 0o600)

    def _write(self, name, text, mode=0o644):
        path = self.shared / name
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    def _in_root(self, *arguments):
        return [IN_ROOT, self.roots / "base", self.roots / self.layer, self.folder / "top",
                self.shared, *arguments]

    def set_up(self, script, boot):
        """Runs a script in the root once, as root, and starts the server with another one."""
        self._write("set-up", NAMES + script)
        self._write("boot", boot)
        self._write("init", INIT.format(folder=self.shared))
        done = subprocess.run(list(map(str, self._in_root("sh", self.shared / "set-up"))),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                              check=False)
        if done.returncode != 0:
            raise AssertionError(f"{self.name} could not be set up: {done.stdout}{done.stderr}")
        self.boot()

    def boot(self):
        """Starts it, for the first time or again, with what it has on disk."""
        (self.shared / "booted").unlink(missing_ok=True)
        self.start(self._in_root("sh", self.shared / "init"), start_new_session=True)

    # ---- Its processes --------------------------------------------------------------------------

    def _first(self):
        """The first process of its namespace."""
        pid = self.process.pid
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        except OSError:
            return None
        return int(children[0]) if children else None

    def _processes(self):
        """All of them but the first and what that waits with, as seen from outside."""
        first = self._first()
        try:
            namespace = os.readlink(f"/proc/{first}/ns/pid")
        except OSError:
            return []
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                inside = os.readlink(f"/proc/{name}/ns/pid") == namespace
                words = Path(f"/proc/{name}/cmdline").read_bytes()
            except OSError:
                continue
            if inside and int(name) != first and words and not words.startswith(b"sleep\0"):
                found.append(int(name))
        return found

    def terminate(self):
        """Ends it as a service is ended: SIGTERM to all of it, and SIGKILL after a time."""
        for pid in self._processes():
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        give_up_at = time.monotonic() + STOP_SECONDS
        while self._processes() and time.monotonic() < give_up_at:
            time.sleep(0.05)
        self.kill()

    def stop(self):
        self.kill()

    # ---- What it has done -----------------------------------------------------------------------

    def log(self):
        return "\n".join(path.read_text(errors="replace")[-20_000:]
                         for path in sorted(self.logs.iterdir()) if path.is_file())

    def forget(self):
        for path in self.got.iterdir():
            path.unlink()

    def files(self):
        """Names of what was delivered whole."""
        return [name for name in os.listdir(self.got) if not name.startswith(".")]

    def delivered(self, count, seconds=120):
        wait_until(lambda: len(self.files()) >= count, f"{self.name} has delivered {count} copies",
                   seconds)
        self.settle()
        return [self.parse((self.got / name).read_bytes()) for name in self.files()]

    def settle(self, seconds=60):
        """Waits until nothing more is delivered: one copy too many would come late."""
        wait_until(self.is_idle, f"{self.name} has nothing more to deliver", seconds)

    def is_idle(self):
        before = self.files()
        time.sleep(0.5)
        return len(self.files()) == len(before)

    def parse(self, stored):
        meta, _, rest = stored.partition(b"\x1f\n")
        words = dict(word.split("=", 1) for word in meta.decode().split("\x1f") if "=" in word)
        traces = TRACES.match(rest).group(0)
        newline = b"\r\n" if rest.partition(b"\n")[0].endswith(b"\r") else b"\n"
        return Delivered(words["SENDER"].strip("<>"), words["RECIPIENT"].strip("<>"),
                         rest[len(traces):], newline, traces)
