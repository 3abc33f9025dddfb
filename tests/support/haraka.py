"""Haraka, run by a test on loopback with Node.js: its own configuration and one plugin of ours."""

import json
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

from support import recording_peer
from support.peer import (FETCHED, IMPLICIT, PLAIN, PUT_OFF, PUT_OFF_TEXT, REFUSED, REFUSED_TEXT,
                          SECURITIES, Limits)
from support.workspace import free_port

# Where a release is. The new one answers whatever came with a dot "503 Bad sequence of commands".
OLD, NEW = (FETCHED / name / "node_modules/Haraka" for name in ("haraka", "haraka_new"))

FILES = {
    "me": "haraka.ringpost.test\n",
    "plugins": "tls\nrecord\n",
    "smtp.ini": "listen={addresses}\nsmtps_port={implicit}\nnodes=0\n",
    # With its defaults it would break lines of 998 octets and add header lines of its own.
    "connection.ini": "[haproxy]\nhosts[]=\n[message]\n[uuid]\n"
                      "[headers]\nadd_received=false\nclean_auth_results=false\n"
                      "[max]\nbytes=104857600\ndata_line_length=1100\n",
    "tls.ini": "key={key}\ncert={certificate}\nno_starttls_ports[]={plain}\n",
    "log.ini": "level=NOTICE\n",
    "outbound.ini": "disabled=true\n",
}


def why_not(module=OLD):
    return recording_peer.why_not(module, "Haraka", node=20 if module == NEW else 18)


class Haraka(recording_peer.RecordingPeer):
    """A running Haraka."""

    name = "haraka"

    def __init__(self, folder, certificate, user, password, module=OLD, limits=Limits()):
        super().__init__(folder, {name: free_port() for name in SECURITIES})
        for name in ("config", "plugins", "queue"):
            (self.folder / name).mkdir()
        addresses = ",".join(f"127.0.0.1:{port}" for port in self.ports.values())
        for name, text in FILES.items():
            (self.folder / "config" / name).write_text(
                text.format(addresses=addresses, implicit=self.ports[IMPLICIT],
                            plain=self.ports[PLAIN], key=certificate.key,
                            certificate=certificate.certificate), encoding="ascii")
        # The group of RFC 7919; without a file it would look for a prime of its own, for minutes.
        subprocess.run(["openssl", "genpkey", "-genparam", "-algorithm", "DH",
                        "-pkeyopt", "group:ffdhe2048",
                        "-out", self.folder / "config/dhparams.pem"], check=True,
                       capture_output=True)
        options = {"record": str(self.record), "user": user, "password": password,
                   "plain": self.ports[PLAIN], "refused": REFUSED, "refusedText": REFUSED_TEXT,
                   "putOff": PUT_OFF, "putOffText": PUT_OFF_TEXT, **asdict(limits)}
        (self.folder / "config/record.json").write_text(json.dumps(options), encoding="utf-8")
        shutil.copy(Path(__file__).with_name("haraka_plugin.js"),
                    self.folder / "plugins/record.js")
        self.start([shutil.which("node"), module / "bin/haraka", "-c", self.folder])
