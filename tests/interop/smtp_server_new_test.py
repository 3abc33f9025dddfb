"""`ringpost send` to a newer smtp-server: what was submitted is what it has, in each mode."""

from support import smtp_server
from support.peer_test import AllChecks, PeerTest
from support.program import PASSWORD, USER
from support.workspace import main


class SmtpServerNewTest(AllChecks, PeerTest):
    """With a running smtp-server 3.21."""

    @classmethod
    def make_peer(cls, folder, certificate):
        return smtp_server.SmtpServer(folder, certificate, USER, PASSWORD, smtp_server.NEW)


if __name__ == "__main__":
    main(smtp_server.why_not(smtp_server.NEW))
