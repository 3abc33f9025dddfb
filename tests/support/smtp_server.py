"""nodemailer's smtp-server, run by a test on loopback with Node.js."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from support import recording_peer
from support.peer import (FETCHED, PUT_OFF, PUT_OFF_TEXT, REFUSED, REFUSED_TEXT, SECURITIES,
                          Limits)
from support.workspace import free_port

OLD, NEW = (FETCHED / name / "node_modules/smtp-server" for name in ("smtp_server",
                                                                     "smtp_server_new"))
# A relay port that does not announce PIPELINING.
NO_PIPELINING = "no-pipelining"


def why_not(module=OLD):
    return recording_peer.why_not(module, "smtp-server")


class SmtpServer(recording_peer.RecordingPeer):
    """A running smtp-server."""

    name = "smtp-server"

    def __init__(self, folder, certificate, user, password, module=OLD, limits=Limits()):
        super().__init__(folder, {name: free_port() for name in (*SECURITIES, NO_PIPELINING)})
        options = {"module": str(module), "record": str(self.record), "ports": self.ports,
                   "certificate": str(certificate.certificate), "key": str(certificate.key),
                   "user": user, "password": password, "refused": REFUSED,
                   "refusedText": REFUSED_TEXT, "putOff": PUT_OFF, "putOffText": PUT_OFF_TEXT,
                   **asdict(limits)}
        self.start([shutil.which("node"), Path(__file__).with_name("smtp_server.js"),
                    json.dumps(options)])
