"""Scripted servers under TLS, and a certificate authority that the program is told to trust."""

from support.certificates import Authority
from support.program import USER
from support.scripted_server import ScriptedServer
from support.sink import SinkTest
from support.workspace import temporary_folder


class TrustedServerTest(SinkTest):
    """A test case with servers of its own that follow a script."""

    @classmethod
    def setUpClass(cls):
        cls.authority = Authority(temporary_folder(cls.addClassCleanup) / "ca")
        cls.good = cls.authority.good()

    def server(self, *scripts, **more):
        more.setdefault("certificate", self.good)
        return ScriptedServer(*scripts, cleanup=self.addCleanup, **more)

    def trusted(self, server, scheme="smtp", host="localhost", **parameters):
        """The server's URL with a user, and with the CA that signed its certificate."""
        return server.endpoint(scheme, host, user=USER, ca=self.authority.certificate, **parameters)
