"""`ringpost send` to Haraka: what was submitted is what it has, in each mode."""

from support import haraka
from support.peer_test import AllChecks, PeerTest
from support.program import PASSWORD, USER
from support.workspace import main


class HarakaTest(AllChecks, PeerTest):
    """With a running Haraka."""

    @classmethod
    def make_peer(cls, folder, certificate):
        return haraka.Haraka(folder, certificate, USER, PASSWORD)


if __name__ == "__main__":
    main(haraka.why_not())
