"""OpenSMTPD in a root of its own. It announces no PIPELINING, and means it."""

import subprocess

from support.peer import (IMPLICIT, PLAIN, PUT_OFF, PUT_OFF_TEXT, REFUSED, REFUSED_TEXT, STARTTLS,
                          Limits)
from support.rooted import RootedPeer
from support.workspace import free_port

CONFIGURATION = """
pki localhost cert "{certificate}"
pki localhost key "{key}"
table users {{ {user} = "{password}" }}
table everybody {{ "@" = "nobody" }}
smtp max-message-size "100M"
{limits}
filter refused phase rcpt-to match rcpt-to regex {{ "^<?{refused}" }} \\
  reject "550 {refused_text}"
filter later phase rcpt-to match rcpt-to regex {{ "^<?{put_off}" }} \\
  reject "450 {put_off_text}"
filter both chain {{ refused, later }}
listen on 127.0.0.1 port {plain} filter both hostname opensmtpd.ringpost.test
listen on 127.0.0.1 port {starttls} tls-require pki localhost auth <users> filter both \\
  hostname opensmtpd.ringpost.test
listen on 127.0.0.1 port {implicit} smtps pki localhost auth <users> filter both \\
  hostname opensmtpd.ringpost.test
action "keep" mda "{folder}/store {folder}/got" virtual <everybody>
match from any for any action "keep"
"""

# It does not start without a file of authorities, though it asks nobody for a certificate.
SET_UP = """
mkdir -p /etc/ssl/certs
[ -e /etc/ssl/certs/ca-certificates.crt ] || cp {folder}/cert.pem /etc/ssl/certs/ca-certificates.crt
smtpd -n -f {folder}/smtpd.conf
"""

BOOT = """
rm -f /var/run/smtpd.sock
smtpd -d -v -f {folder}/smtpd.conf >>{folder}/log/smtpd 2>&1 &
"""


class OpenSmtpd(RootedPeer):
    """A running OpenSMTPD."""

    name = layer = "opensmtpd"
    recipients_min = 100  # "RFC5321 requires max-rcpt >= 100", it says

    def __init__(self, suite, folder, certificate, user, password, limits=Limits()):
        ports = {name: free_port() for name in (PLAIN, STARTTLS, IMPLICIT)}
        super().__init__(suite, folder, certificate, ports)
        # That of Debian 12 cannot use its key with its OpenSSL.
        if suite == "here":
            self.securities = (PLAIN,)
        lines = [f"smtp limit max-mails {limits.messages}"] if limits.messages else []
        if limits.recipients:
            lines += [f"smtp limit max-rcpt {max(self.recipients_min, limits.recipients)}"]
        self._write("smtpd.conf", CONFIGURATION.format(
            folder=self.shared, certificate=self.certificate, key=self.key, user=user,
            password=_hash(password), limits="\n".join(lines), refused=REFUSED,
            refused_text=REFUSED_TEXT, put_off=PUT_OFF, put_off_text=PUT_OFF_TEXT, **ports), 0o600)
        self.set_up(SET_UP.format(folder=self.shared), BOOT.format(folder=self.shared))


def _hash(password):
    return subprocess.run(["openssl", "passwd", "-6", password], capture_output=True, text=True,
                          check=True, timeout=30).stdout.strip()
