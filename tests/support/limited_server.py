"""A provider with a rate, far away: replies come late, and what is too fast is refused at DATA.

It counts recipients in a sliding second, as they come, and keeps a list of them all: the list is
the judge. Several may share one Account.
"""

import asyncio
import threading
import time
from collections import deque

TOO_FAST = "454 Throttling failure: Maximum sending rate exceeded."


class Account:
    """What came when, and whether it was taken."""

    def __init__(self, rate):
        self.rate = rate  # recipients in any second; None: no limit
        self.came = []  # (seconds since the first, recipients, taken)
        self.begun = None
        self._window = deque()

    def take(self, recipients):
        now = time.monotonic()
        self.begun = self.begun or now
        while self._window and self._window[0][0] <= now - 1:
            self._window.popleft()
        used = sum(count for _, count in self._window)
        taken = self.rate is None or used + recipients <= self.rate
        if taken:
            self._window.append((now, recipients))
        self.came.append((now - self.begun, recipients, taken))
        return taken

    def count(self, begin, end, taken=True):
        return sum(units for at, units, is_taken in self.came
                   if begin <= at < end and is_taken is taken)

    def peak(self, begin, end):
        """The most that came, taken or not, in a second that begins within."""
        most, units, last = 0, 0, 0
        for at, count, _ in self.came:
            while last < len(self.came) and self.came[last][0] < at + 1:
                units += self.came[last][1]
                last += 1
            if begin <= at < end:
                most = max(most, units)
            units -= count
        return most


class LimitedServer:

    def __init__(self, account, latency=0.05, cleanup=None):
        self.account = account
        self.latency = latency
        self.sessions = 0
        self.sessions_most = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._listens = threading.Event()
        self.port = None
        self._thread.start()
        self._listens.wait(10)
        if cleanup:
            cleanup(self.stop)

    def stop(self):
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(lambda: _Session(self, self._loop), "127.0.0.1", 0,
                                     backlog=1000))
        self.port = server.sockets[0].getsockname()[1]
        self._listens.set()
        self._loop.run_forever()
        server.close()


class _Session(asyncio.Protocol):

    def __init__(self, server, loop):
        self.server = server
        self.loop = loop
        self.unread = b""
        self.in_content = False
        self.recipients = 0

    def connection_made(self, transport):
        self.transport = transport
        self.server.sessions += 1
        self.server.sessions_most = max(self.server.sessions, self.server.sessions_most)
        self.say("220 limited.test ESMTP")

    def connection_lost(self, error):
        self.server.sessions -= 1

    def say(self, reply):
        self.loop.call_later(self.server.latency, self._write, reply.encode() + b"\r\n")

    def _write(self, octets):
        if not self.transport.is_closing():
            self.transport.write(octets)

    def data_received(self, octets):
        self.unread += octets
        while True:
            mark = b"\r\n.\r\n" if self.in_content else b"\r\n"
            found = self.unread.find(mark)
            if found < 0:
                return
            line = self.unread[:found]
            self.unread = self.unread[found + len(mark):]
            if self.in_content:
                self.in_content = False
                self.say("250 Ok 0100018f")
            else:
                self.obey(line.decode(errors="replace").upper())

    def obey(self, line):
        word = line.split(" ")[0]
        if word == "EHLO":
            self.say("250-limited.test\r\n250 8BITMIME")
        elif word == "MAIL":
            self.recipients = 0
            self.say("250 Ok")
        elif word == "RCPT":
            self.recipients += 1
            self.say("250 Ok")
        elif word == "DATA":
            self.in_content = self.server.account.take(self.recipients)
            self.say("354 End data with <CR><LF>.<CR><LF>" if self.in_content else TOO_FAST)
        elif word == "QUIT":
            self.say("221 Bye")
            self.loop.call_later(self.server.latency, self.transport.close)
        else:
            self.say("250 Ok")
