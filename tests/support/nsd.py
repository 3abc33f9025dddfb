"""NSD, a real DNS server, on loopback: unpacked by tools/dev.d/peers.sh, started for one test."""

import socket
import struct
import subprocess
import time
import unittest
from pathlib import Path

from support.workspace import free_port

PROGRAM = Path(__file__).resolve().parents[2] / "build/peers/nsd/nsd"
HEAD = """$TTL 60
@ IN SOA ns.{zone} hostmaster.{zone} 1 3600 600 86400 60
@ IN NS ns.{zone}
"""


def strings(text):
    """A TXT record's value, in strings of 255 octets."""
    pieces = [text[at:at + 255] for at in range(0, len(text), 255)] or [""]
    return " ".join('"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in pieces)


class Nsd:
    """A server with these zones; a zone whose records are None answers SERVFAIL."""

    def __init__(self, folder, zones):
        if not PROGRAM.exists():
            raise unittest.SkipTest("NSD is not there: tools/dev.d/peers.sh fetches it")
        self.folder = folder / "nsd"
        self.folder.mkdir()
        self.port = free_port()
        lines = ["server:", f"  ip-address: 127.0.0.1@{self.port}", "  do-ip6: no",
                 "  server-count: 1", '  username: ""', '  database: ""',
                 f'  zonesdir: "{self.folder}"']
        lines += [f'  {key}: "{self.folder / key}"'
                  for key in ("pidfile", "xfrdfile", "zonelistfile", "logfile")]
        lines += ["remote-control:", "  control-enable: no"]
        for zone, records in zones.items():
            lines += ["zone:", f'  name: "{zone}"', f'  zonefile: "{zone}zone"']
            if records is not None:
                (self.folder / f"{zone}zone").write_text(HEAD.format(zone=zone) + records,
                                                         encoding="utf-8")
        configuration = self.folder / "nsd.conf"
        configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.process = subprocess.Popen([PROGRAM, "-d", "-c", configuration],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.await_answer(next(iter(zones)))

    @property
    def resolver(self):
        return f"127.0.0.1:{self.port}"

    def await_answer(self, zone):
        labels = b"".join(bytes([len(one)]) + one.encode() for one in zone.rstrip(".").split("."))
        question = struct.pack("!6H", 1, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 6, 1)
        for _ in range(200):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(0.1)
                try:
                    client.sendto(question, ("127.0.0.1", self.port))
                    if client.recv(512):
                        return
                except OSError:
                    time.sleep(0.05)
        log = self.folder / "logfile"
        self.stop()
        raise AssertionError("NSD does not answer: " +
                             (log.read_text(encoding="utf-8") if log.exists() else "no log"))

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
