"""`ringpost serve` under a service manager: what it says to it, and the unit of tools/ops.

The manager is a datagram socket here. Needs $RINGPOST; what reads units needs systemd-analyze.
Loopback only.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from support.jobs import simple_content
from support.program import PASSWORD, PROGRAM, environment_of
from support.serve import ServeTest
from support.service_manager import Manager
from support.workspace import wait_until

UNIT = Path(__file__).parents[2] / "tools/ops/ringpost.service"
LISTEN = ('[[listen.smtp]]\naddress = "127.0.0.1:0"\n'
          '[[listen.http]]\naddress = "127.0.0.1:0"\n')
TOKEN = "c0rrect-h0rse-battery-stap1e"


class Protocol(ServeTest):

    def manager(self, address):
        manager = Manager(address)
        self.addCleanup(manager.socket.close)
        return manager

    def test_ready_alive_and_stopping(self):
        path = self.folder / "notify"
        manager = self.manager(str(path))
        serve = self.start_serve(self.sink(), LISTEN, "--drain", "40s", NOTIFY_SOCKET=str(path),
                                 WATCHDOG_USEC="200000")
        ready, before = manager.hear_until("READY")
        self.assertEqual(before, [])
        self.assertEqual(ready["READY"], "1")
        for kind in ("smtp", "http"):
            host, port = serve.places[kind][0]
            self.assertIn(f"{kind}={host}:{port}", ready["STATUS"])
        # Its loops turn although nothing comes.
        for _ in range(3):
            self.assertEqual(manager.hear(), {"WATCHDOG": "1"})
        with serve.client() as client:
            client.sendmail("sender@example.com", ["reader@example.net"], simple_content("one"))
        serve.program.signal(signal.SIGTERM)
        stopping, _ = manager.hear_until("STOPPING")
        self.assertEqual(stopping["STOPPING"], "1")
        self.assertGreaterEqual(int(stopping["EXTEND_TIMEOUT_USEC"]), 40_000_000)
        self.assertEqual(serve.program.wait(60).exit_code, 0)

    def test_an_abstract_socket_without_a_watchdog(self):
        name = f"ringpost-test-{self.folder.name}-{time.monotonic_ns()}"
        manager = self.manager("\0" + name)
        # The watchdog is another process's.
        serve = self.start_serve(self.sink(), LISTEN, NOTIFY_SOCKET="@" + name,
                                 WATCHDOG_USEC="20000", WATCHDOG_PID="1")
        self.assertEqual(manager.hear()["READY"], "1")
        serve.program.signal(signal.SIGTERM)
        self.assertIn("STOPPING", manager.hear())
        self.assertEqual(serve.program.wait(60).exit_code, 0)

    def test_nobody_at_the_socket(self):
        serve = self.start_serve(self.sink(), LISTEN, NOTIFY_SOCKET=str(self.folder / "none"),
                                 WATCHDOG_USEC="20000")
        serve.program.signal(signal.SIGTERM)
        self.assertEqual(serve.program.wait(60).exit_code, 0)


class Journal(ServeTest):
    """Lines that journald would read, from the pipe that it has given."""

    def lines_of(self, stream, *arguments):
        """What a program says on a pipe of its own; {} stands for the pipe's device and inode."""
        reading, writing = os.pipe()
        status = os.fstat(writing)
        variables = environment_of(self.folder, JOURNAL_STREAM=stream.format(
            f"{status.st_dev}:{status.st_ino}"))
        with subprocess.Popen([PROGRAM, *arguments], cwd=self.folder, env=variables,
                              stdout=subprocess.DEVNULL, stderr=writing) as program:
            os.close(writing)
            with open(reading, encoding="utf-8") as pipe:
                lines = pipe.read().splitlines()
            program.wait(60)
        return lines

    def test_lines_have_priorities(self):
        # An error of several lines, each of which is an entry of its own.
        arguments = ("serve", "-e", "smtp://user@localhost:1", "--listen-smtp", "127.0.0.1:0")
        lines = self.lines_of("{}", *arguments)
        self.assertGreater(len(lines), 2)
        for line in lines:
            self.assertTrue(line.startswith("<3>"), line)
        self.assertEqual(self.lines_of("1:1", *arguments), [line[3:] for line in lines])
        run = ("send", "-e", "smtp://localhost:1?tls=none", "--dry-run", "--log-level", "debug",
               "--summary", "json", "-")
        lines = self.lines_of("{}", *run)
        for line in lines:
            self.assertRegex(line, r"^(<[3467]>|ringpost)")


class Credentials(ServeTest):
    """Secrets that LoadCredential= has put into a folder."""

    def test_secrets_by_name(self):
        folder = self.folder / "credentials"
        folder.mkdir()
        for name, value in {"esp-password": PASSWORD, "http-token": TOKEN}.items():
            (folder / name).write_text(value + "\n", encoding="ascii")
            (folder / name).chmod(0o440)  # as systemd has them
        sections = ('password_file = "credential:esp-password"\n' + LISTEN
                    + 'token_file = "credential:http-token"')
        serve = self.start_serve(self.sink(), sections, RINGPOST_PASSWORD="another",
                                 CREDENTIALS_DIRECTORY=str(folder))
        with serve.client() as client:
            client.sendmail("sender@example.com", ["reader@example.net"], simple_content("one"))
        wait_until(lambda: len(serve.outcomes()) == 1, "an outcome")
        self.assertEqual(serve.outcomes()[0]["status"], "accepted")
        run = self.run_program("serve", "-c", self.folder / "serve.toml")
        self.assert_exit(run, 2)
        self.assertIn("there is no such credential", run.stderr)
        self.assertIn("LoadCredential=esp-password:FILE", run.stderr)


class Unit(unittest.TestCase):

    def setUp(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("there is no systemd-analyze: apt-get install systemd")
        self.text = UNIT.read_text(encoding="utf-8")

    def analyzed(self, *arguments):
        return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True,
                              timeout=120, check=False, env={"PATH": "/usr/bin:/bin"})

    def test_systemd_reads_the_unit(self):
        """With the program of this build, and without pages of a manual that is not installed."""
        unit = re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={PROGRAM}", self.text)
        unit = re.sub(r"(?m)^Documentation=.*\n", "", unit)
        self.assertNotEqual(unit, self.text)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "ringpost.service"
            path.write_text(unit, encoding="utf-8")
            run = self.analyzed("verify", path)
            self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "", ""))
            run = self.analyzed("security", "--offline=true", "--threshold=20", path)
            self.assertEqual(run.returncode, 0, run.stdout)

    def test_it_lets_the_ring_through(self):
        for call in ("io_uring_setup", "io_uring_enter", "io_uring_register"):
            self.assertRegex(self.text, rf"(?m)^SystemCallFilter=.*\b{call}\b")


if __name__ == "__main__":
    unittest.main()
