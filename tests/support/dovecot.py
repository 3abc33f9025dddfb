"""Dovecot's submission server in a root of its own, in front of an Exim in another one."""

from dataclasses import replace

from support import rooted
from support.exim import RootedExim
from support.peer import IMPLICIT, PLAIN, STARTTLS, Limits
from support.rooted import RootedPeer
from support.workspace import free_port

CONFIGURATION = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
log_path = {folder}/log/dovecot
protocols = submission
listen = 127.0.0.1
ssl = yes
ssl_server_cert_file = {folder}/cert.pem
ssl_server_key_file = {folder}/key.pem
submission_relay_host = 127.0.0.1
submission_relay_port = {backend}
submission_relay_trusted = yes
submission_max_mail_size = 100M
hostname = dovecot.ringpost.test
mail_driver = maildir
mail_path = /var/vmail/%{{user}}
passdb static {{
  password = {password}
}}
userdb static {{
  fields {{
    uid = vmail
    gid = vmail
    home = /var/vmail/%{{user}}
  }}
}}
service submission-login {{
  inet_listener submission {{
    port = {starttls}
  }}
  inet_listener submissions {{
    port = {implicit}
    ssl = yes
  }}
}}
"""

SET_UP = """
useradd -r -m -d /var/vmail vmail
doveconf -n -c {folder}/dovecot.conf >/dev/null
"""
BOOT = """
mkdir -p /run/dovecot
dovecot -c {folder}/dovecot.conf
"""


class Dovecot(RootedPeer):
    """A running Dovecot; limits are those of the Exim behind it, which has what it takes."""

    name = layer = "dovecot"
    securities = (STARTTLS, IMPLICIT)
    denies_when_stopped = True  # "421 4.3.2 Server shutting down", and Exim has the message

    @classmethod
    def why_not(cls, suite):
        return super().why_not(suite) or RootedExim.why_not(suite)

    def __init__(self, suite, folder, certificate, user, password, limits=Limits()):
        super().__init__(suite, folder, certificate,
                         {name: free_port() for name in (STARTTLS, IMPLICIT)})
        (self.folder / "backend").mkdir()
        self.backend = RootedExim(suite, self.folder / "backend", certificate, user, password,
                                  limits)
        self.got = self.backend.got
        values = {"folder": self.shared, "backend": self.backend.ports[PLAIN],
                  "password": password, **self.ports}
        self._write("dovecot.conf", CONFIGURATION.format(**values))
        self.set_up(SET_UP.format(**values), BOOT.format(**values))

    def stop(self):
        super().stop()
        self.backend.stop()

    def parse(self, stored):
        one = self.backend.parse(stored)
        own = rooted.TRACES.match(one.content).group(0)
        return replace(one, content=one.content[len(own):], traces=one.traces + own)

    def is_idle(self):
        return self.backend.is_idle()
