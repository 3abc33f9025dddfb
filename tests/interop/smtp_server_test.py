"""`ringpost send` to nodemailer's smtp-server: what was submitted is what it has, in each mode."""

from support import smtp_server
from support.peer_test import AllChecks, PeerTest
from support.program import PASSWORD, USER
from support.workspace import main


class SmtpServerTest(AllChecks, PeerTest):
    """With a running SmtpServer."""

    @classmethod
    def make_peer(cls, folder, certificate):
        return smtp_server.SmtpServer(folder, certificate, USER, PASSWORD)


if __name__ == "__main__":
    main(smtp_server.why_not())
