"""`ringpost send` to a Haraka that announces PIPELINING and takes nothing behind a dot: what came
in the same read is answered 503."""

from support import haraka
from support.peer_test import COMMAND_GROUPS, LOCK_STEP, AllChecks, PeerTest
from support.program import PASSWORD, USER
from support.workspace import main


class HarakaNewTest(AllChecks, PeerTest):
    """With a running Haraka 3.3."""

    steps = (COMMAND_GROUPS, LOCK_STEP)

    @classmethod
    def make_peer(cls, folder, certificate):
        return haraka.Haraka(folder, certificate, USER, PASSWORD, haraka.NEW)


if __name__ == "__main__":
    main(haraka.why_not(haraka.NEW))
