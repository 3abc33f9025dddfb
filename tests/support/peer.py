"""A mail server that others have written, run by a test on loopback."""

import ctypes
import os
import pwd
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from support.workspace import wait_for_port

# Where tools/dev.d/peers.sh puts the servers that are not installed as packages.
FETCHED = Path(__file__).parents[2] / "build/peers"
PR_SET_PDEATHSIG = 1

# How each port is spoken to: in clear without AUTH, or with AUTH under TLS of either kind.
PLAIN, STARTTLS, IMPLICIT = "plain", "starttls", "implicit"
SECURITIES = (PLAIN, STARTTLS, IMPLICIT)

# Recipients that every server refuses, each in its own words around these.
REFUSED, REFUSED_TEXT = "refused", "not wanted here"
PUT_OFF, PUT_OFF_TEXT = "later", "come back later"


@dataclass(frozen=True)
class Limits:
    """What a server is told to put up with; 0 leaves it as the server has it."""

    messages: int = 0  # of a session
    errors: int = 0  # of a session
    recipients: int = 0  # of a message


class Peer:
    """A running server. Takes mail for everybody but the recipients above.

    What a server class has to offer is what raises NotImplementedError here; `ports` has a port
    for each way of security, and whatever else the server can do."""

    name = "peer"
    has_chunking = False
    user = ""  # where the server wants it in another form than it was given
    recipients_min = 10  # how low a limit of recipients it may be given
    crowd = 0  # recipients of a message that has more of them than it takes; 0: six times as many
    refused_every = 7  # of how many messages one may have a recipient whom it refuses, for many
    refused_in_a_row = 8  # and how many such a message may have
    # When it is stopped it says 421 to the end of data of messages that it has handed on.
    denies_when_stopped = False
    securities = SECURITIES  # the ways that work wherever it is run; ports may have more
    death_signal = signal.SIGTERM  # for its process when this one has died

    def __init__(self, folder, ports):
        self.folder = Path(folder)
        self.ports = ports
        self.process = None
        self._started = None
        self._output = self.folder / "output"

    def delivered(self, count, seconds=120):
        """Waits until `count` copies are there and nothing is under way; returns all since
        forget()."""
        raise NotImplementedError

    def forget(self):
        """What is delivered from now on is all there is."""
        raise NotImplementedError

    def failed_logins(self):
        """How many attempts to authenticate it has refused so far."""
        raise NotImplementedError

    def commands(self):
        """How many messages came with DATA and how many with BDAT since forget(), as a Counter."""
        raise NotImplementedError

    def log(self):
        raise NotImplementedError

    def refused(self, number):
        """An address that it refuses for good."""
        return f"{REFUSED}{number}@example.net"

    def put_off(self, number):
        """An address that it refuses for now; None when it cannot be told to."""
        return f"{PUT_OFF}{number}@example.net"

    def start(self, arguments, **more):
        """Starts its process, which ends with this one, and waits for its ports."""
        self._started = arguments, more
        c_library = ctypes.CDLL(None)
        with open(self._output, "wb") as output:
            self.process = subprocess.Popen(
                list(map(str, arguments)), cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output,
                preexec_fn=lambda: c_library.prctl(PR_SET_PDEATHSIG, self.death_signal), **more)
        try:
            for port in self.ports.values():
                wait_for_port(port, lambda: self.process.poll() is None)
        except AssertionError as error:
            self.stop()
            said = self._output.read_text(errors="replace")
            raise AssertionError(f"{error}\n{said}\n{self.log()}") from None

    def boot(self):
        """Starts it again, behind terminate() or kill(), with what it has on disk."""
        arguments, more = self._started
        self.start(arguments, **more)

    def terminate(self):
        """Ends it as a service is ended."""
        self.stop()

    def kill(self):
        """Ends all of it at once with SIGKILL."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends all of its processes; safe to call twice. It leads a process group of its own."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def unprivileged():
    """Arguments of Popen for a server that shall not run as root, and the ids it then has."""
    if os.geteuid() != 0:
        return {}, os.getuid(), os.getgid()
    nobody = pwd.getpwnam("nobody")
    account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return account, nobody.pw_uid, nobody.pw_gid
