"""Python's aiosmtpd as the other end: AUTH behind STARTTLS, and no PIPELINING."""

from dataclasses import dataclass

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from support.workspace import free_port


@dataclass(frozen=True)
class Received:
    sender: str
    recipients: tuple
    content: bytes
    mail_options: tuple


class LockStepServer(SMTP):
    """Notes when octets of a next command are there before the reply to this one has left."""

    # RFC 5321 4.5.3.1.6 counts the CRLF; one octet more is a dot that was stuffed.
    line_length_limit = 1001

    async def push(self, status):
        reader = self._reader
        if reader is not None and reader._buffer:
            self.event_handler.early.append(bytes(reader._buffer[:80]))
        await super().push(status)


class Handler:
    def __init__(self):
        self.messages = []
        self.early = []
        self.commands = []

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.commands.append("EHLO")
        session.host_name = hostname
        return responses

    async def handle_DATA(self, server, session, envelope):
        self.messages.append(Received(envelope.mail_from, tuple(envelope.rcpt_tos),
                                      envelope.content, tuple(envelope.mail_options)))
        return "250 2.0.0 kept"


class AiosmtpdServer:
    """A running aiosmtpd that lets one user in, by the mechanisms given."""

    def __init__(self, certificate, user, password, cleanup, mechanisms=("PLAIN", "LOGIN")):
        self.handler = Handler()
        self.logins = []  # (mechanism, whether it was let in)

        def authenticate(server, session, envelope, mechanism, data):
            success = (data.login, data.password) == (user.encode(), password.encode())
            self.logins.append((mechanism, success))
            return AuthResult(success=success, handled=success)

        context = certificate.server_context()
        excluded = [name for name in ("PLAIN", "LOGIN") if name not in mechanisms]

        class TestController(Controller):
            def factory(self):
                return LockStepServer(self.handler, hostname="aiosmtpd.test", tls_context=context,
                                      require_starttls=True, auth_required=True,
                                      auth_exclude_mechanism=excluded, authenticator=authenticate,
                                      enable_SMTPUTF8=True, data_size_limit=100 << 20)

        # Not a port that the kernel picks: the controller has to know it to try it out.
        self.port = free_port()
        self._controller = TestController(self.handler, hostname="127.0.0.1", port=self.port,
                                          ready_timeout=60)
        self._controller.start()
        cleanup(self._controller.stop)
