"""Python's aiosmtpd as a program of its own, which can be ended; it writes down what it takes.

As a program it takes a JSON object of options: see AiosmtpdPeer. It is run by the first Python that
has it, which need not be the one that runs the tests.
"""

import asyncio
import base64
import json
import os
import ssl
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from support import recording_peer
from support.peer import (IMPLICIT, PLAIN, PUT_OFF, PUT_OFF_TEXT, REFUSED, REFUSED_TEXT, SECURITIES,
                          STARTTLS, Limits)
from support.workspace import free_port

PYTHONS = (sys.executable, "/usr/bin/python3")
UNLIMITED = 1 << 30


def _python():
    """The first that has aiosmtpd, or None."""
    for python in PYTHONS:
        try:
            done = subprocess.run([python, "-c", "import aiosmtpd"], capture_output=True,
                                  timeout=60, check=False)
        except OSError:
            continue
        if done.returncode == 0:
            return python
    return None


def why_not():
    """Why it cannot be run here; empty when it can."""
    return "" if _python() else "python3-aiosmtpd is not installed"


class AiosmtpdPeer(recording_peer.RecordingPeer):
    """A running aiosmtpd. Its own limit counts the commands of a session by their names."""

    name = "aiosmtpd"

    def __init__(self, folder, certificate, user, password, limits=Limits()):
        super().__init__(folder, {name: free_port() for name in SECURITIES})
        options = {"record": str(self.record), "ports": self.ports, "user": user,
                   "password": password, "certificate": str(certificate.certificate),
                   "key": str(certificate.key), **asdict(limits)}
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        self.start([_python(), "-B", __file__, json.dumps(options)], env=environment)


# ---- The program ------------------------------------------------------------------------------


def _handler(options):
    """Refuses some recipients, and writes down each message."""

    class Handler:
        async def handle_EHLO(self, server, session, envelope, hostname, responses):
            session.host_name = hostname
            return responses

        async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
            if address.startswith(REFUSED):
                return f"550 5.1.1 {REFUSED_TEXT}"
            if address.startswith(PUT_OFF):
                return f"450 4.2.1 {PUT_OFF_TEXT}"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server, session, envelope):
            recording_peer.write_down(options["record"], {
                "event": "message", "sender": envelope.mail_from, "recipients": envelope.rcpt_tos,
                "content": base64.b64encode(envelope.content).decode()})
            return "250 OK"

    return Handler()


def _factory(options, security):
    from aiosmtpd.smtp import SMTP, AuthResult  # pylint: disable=import-outside-toplevel

    class Server(SMTP):
        # RFC 5321 4.5.3.1.6 counts the CRLF; one octet more is a dot that was stuffed.
        line_length_limit = 1001

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options["certificate"], options["key"])

    def authenticate(server, session, envelope, mechanism, data):
        success = (data.login, data.password) == (options["user"].encode(),
                                                  options["password"].encode())
        return AuthResult(success=success, handled=success)

    limits = {"MAIL": options["messages"], "RCPT": options["recipients"]}
    limits = {command: limit for command, limit in limits.items() if limit}
    common = {"hostname": "aiosmtpd.ringpost.test", "enable_SMTPUTF8": True,
              "data_size_limit": 100 << 20,
              "command_call_limit": {**limits, "*": UNLIMITED} if limits else None}
    ways = {PLAIN: {}, STARTTLS: {"tls_context": context, "require_starttls": True,
                                  "auth_required": True, "authenticator": authenticate},
            IMPLICIT: {"auth_required": True, "auth_require_tls": False,
                       "authenticator": authenticate}}
    handler = _handler(options)
    return ((lambda: Server(handler, loop=asyncio.get_running_loop(), **common, **ways[security])),
            context if security == IMPLICIT else None)


async def _serve(options):
    servers = []
    for security, port in options["ports"].items():
        factory, context = _factory(options, security)
        servers.append(await asyncio.get_running_loop().create_server(
            factory, "127.0.0.1", port, ssl=context, backlog=100))
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(_serve(json.loads(sys.argv[1])))
