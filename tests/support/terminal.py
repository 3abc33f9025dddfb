"""A terminal of a given size with a program in it, and what a person sees there."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pyte

SECONDS_MAX = 60


class Terminal:
    """The program has it as its stdin, stdout, stderr and controlling terminal."""

    def __init__(self, arguments, folder, environment, columns=80, rows=24):
        self.screen = pyte.HistoryScreen(columns, rows, history=1000)
        self._stream = pyte.ByteStream(self.screen)
        self.octets = b""
        self._master, slave = pty.openpty()
        self._set_size(columns, rows)
        self.process = subprocess.Popen(
            [str(argument) for argument in arguments], cwd=folder, env=environment, stdin=slave,
            stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    def _set_size(self, columns, rows):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self.screen.resize(rows, columns)
        self._set_size(columns, rows)

    def type(self, octets):
        os.write(self._master, octets)

    def _read(self):
        """False: nobody writes any more."""
        if not select.select([self._master], [], [], 0.05)[0]:
            return True
        try:
            octets = os.read(self._master, 65536)
        except OSError:
            octets = b""
        self.octets += octets
        self._stream.feed(octets)
        return octets != b""

    def lines(self):
        """The screen, without empty lines and what is empty at the end of a line."""
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def scrolled(self):
        """What has left the screen at its top."""
        return ["".join(row[column].data for column in sorted(row)).rstrip()
                for row in self.screen.history.top]

    def read_until(self, condition):
        """Fails when the program ends before."""
        give_up_at = time.monotonic() + SECONDS_MAX
        while time.monotonic() < give_up_at:
            goes_on = self._read()
            if condition():
                return
            if not goes_on:
                break
        raise AssertionError("it did not come:\n" + "\n".join(self.lines()))

    def wait_for(self, *words):
        """Until all of them stand on the screen, whose lines it returns."""
        self.read_until(lambda: all(any(word in line for line in self.lines()) for word in words))
        return self.lines()

    def wait(self):
        """Until the program ends: its exit code."""
        give_up_at = time.monotonic() + SECONDS_MAX
        while self._read() and time.monotonic() < give_up_at:
            pass
        return self.process.wait(SECONDS_MAX)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)
