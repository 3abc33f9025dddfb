"""A client that says what it is told to, shows what comes back and when, and nothing more."""

import socket
import time


class Session:
    """One connection to a port of 127.0.0.1; every line of it is printed."""

    def __init__(self, port, seconds=20):
        self._began = time.monotonic()
        self._socket = socket.create_connection(("127.0.0.1", port), seconds)
        self._seconds = seconds
        self._octets = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def _show(self, mark, text):
        print(f"{time.monotonic() - self._began:7.3f} {mark} {text}", flush=True)

    def write(self, *lines):
        """Sends all the lines in one write."""
        for line in lines:
            self._show(">", line)
        self._socket.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def reply(self, seconds=None):
        """The next reply, its lines joined; "" for silence, None for the end of the connection."""
        lines = []
        while not lines or lines[-1][3:4] == "-":
            line = self._line(seconds or self._seconds)
            if not line:
                self._show("<", "(the end)" if line is None else f"(silence for {seconds} s)")
                return line
            lines.append(line)
            self._show("<", line)
        return "\n".join(lines)

    def _line(self, seconds):
        give_up_at = time.monotonic() + seconds
        while b"\n" not in self._octets:
            self._socket.settimeout(max(0.01, give_up_at - time.monotonic()))
            try:
                more = self._socket.recv(4096)
            except TimeoutError:
                return ""
            except ConnectionError:
                return None
            if not more:
                return None
            self._octets += more
        line, _, self._octets = self._octets.partition(b"\n")
        return line.rstrip(b"\r").decode(errors="replace")

    def say(self, *lines):
        """One command, or one write of several, and the reply to the first."""
        self.write(*lines)
        return self.reply()

    def hello(self):
        """The greeting, and EHLO; returns the list of what is announced."""
        self.reply()
        return self.say("EHLO client.example").split("\n")


def holds(claim, is_true):
    """Prints a claim and whether it holds; the script ends with 1 where it does not."""
    print(f"{'holds' if is_true else 'NO LONGER'}: {claim}", flush=True)
    if not is_true:
        raise SystemExit(1)


MESSAGE = ("From: a@example.com", "To: b@example.net", "Subject: finding", "", "Hello.", ".")
