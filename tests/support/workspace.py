"""A folder of its own for each test, and the ports of loopback."""

import os
import random
import shutil
import socket
import sys
import tempfile
import time
import unittest
from pathlib import Path

# Below the range that Linux takes for outgoing connections (net.ipv4.ip_local_port_range), so that
# no test that runs at the same time can connect from a port that was just found free.
PORTS = range(15000, 32000)
# SKIP_RETURN_CODE of tests/interop/CMakeLists.txt.
SKIPPED = 77


class Workspace(unittest.TestCase):
    """A test case with `self.folder`, which is gone when the test is over, whatever happened."""

    def setUp(self):
        super().setUp()
        self.folder = temporary_folder(self.addCleanup)


def main(why_not=""):
    """Runs the tests of the module that calls it, or says to ctest why it cannot run them here."""
    if why_not:
        print(f"skipped: {why_not}")
        sys.exit(SKIPPED)
    unittest.main()


def temporary_folder(add_cleanup, parent=None):
    """Makes a folder that every user may enter, because servers give up root."""
    folder = Path(tempfile.mkdtemp(prefix="ringpost-test-", dir=parent))
    folder.chmod(0o755)
    add_cleanup(shutil.rmtree, folder, ignore_errors=True)
    return folder


def fast_folder(octets_free):
    """Where files are kept in memory, for a server that waits for the disk after each message; None
    where there is no such place with that much room."""
    path = Path("/dev/shm")
    try:
        status = os.statvfs(path)
    except OSError:
        return None
    roomy = status.f_bavail * status.f_frsize >= octets_free
    return path if roomy and os.access(path, os.W_OK) else None


# Names in the abstract namespace (unix(7)), one for each port that this process has taken.
_taken_ports = []


def free_port():
    """A port of 127.0.0.1 that nobody listens on, for servers that cannot pick one themselves. No
    other test gets it while this process lives."""
    for _ in range(200):
        port = random.SystemRandom().choice(PORTS)
        taken = socket.socket(socket.AF_UNIX)
        with socket.socket() as probe:
            try:
                taken.bind(f"\0ringpost-test-port-{port}")
                probe.bind(("127.0.0.1", port))
            except OSError:
                taken.close()
                continue
            _taken_ports.append(taken)
            return port
    raise RuntimeError("no free port was found on 127.0.0.1")


def wait_until(condition, what, seconds=30):
    """Waits for `condition()` to be true and returns its value; `what` names it in the failure."""
    give_up_at = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= give_up_at:
            raise AssertionError(f"waited {seconds} s in vain until {what}")
        time.sleep(0.02)


def wait_for_port(port, is_alive=lambda: True, seconds=30):
    """Waits until something listens on a port of 127.0.0.1, as long as `is_alive()`."""

    def listens():
        if not is_alive():
            raise AssertionError(f"the server for port {port} ended before it listened")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(listens, f"something listens on port {port}", seconds)
