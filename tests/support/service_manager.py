"""A service manager to whom a program speaks by sd_notify(3): a datagram socket."""

import socket


class Manager:
    """Hears what a service says at $NOTIFY_SOCKET."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(120)

    def hear(self):
        """One datagram as a dictionary."""
        lines = self.socket.recv(4096).decode().split("\n")
        return dict(line.split("=", 1) for line in lines)

    def hear_until(self, name):
        """The first one with that variable, and all in front of it."""
        before = []
        while name not in (said := self.hear()):
            before.append(said)
        return said, before
