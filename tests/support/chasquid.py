"""chasquid in a root of its own. A session's third error ends it, and an unknown user is one."""

import hashlib

from support.peer import IMPLICIT, PLAIN, REFUSED, STARTTLS, Limits
from support.rooted import RootedPeer
from support.workspace import free_port

CONFIGURATION = """
hostname: "chasquid.ringpost.test"
smtp_address: "127.0.0.1:{plain}"
submission_address: "127.0.0.1:{starttls}"
submission_over_tls_address: "127.0.0.1:{implicit}"
monitoring_address: ""
mail_delivery_agent_bin: "{folder}/store"
mail_delivery_agent_args: "{folder}/got"
mail_delivery_agent_args: "SENDER=%from%"
mail_delivery_agent_args: "RECIPIENT=%to%"
data_dir: "/var/lib/chasquid"
mail_log_path: "{folder}/log/mail"
max_data_size_mb: 100
suffix_separators: ""
drop_characters: ""
"""

# It takes mail for those it knows by name.
LOCAL_PARTS = ("one", "two", "three.four", *(f"r{number}" for number in range(2500)),
               *(f"r{number}.{place}" for number in range(200) for place in range(4)),
               *(f"many{number}" for number in range(300)))
DOMAINS = ("example.net", "example.org")
# Of those who log in.
OWN_DOMAIN = "ringpost.test"

# As chasquid-util writes it.
USER = """users: {{ key: "{name}" value: {{ scrypt: {{ logN: 14 r: 8 p: 1 keyLen: 32
  salt: "{salt}" encrypted: "{encrypted}" }} }} }}
"""

SET_UP = """
C=/etc/chasquid
rm -rf $C
mkdir -p $C/certs/localhost /var/lib/chasquid
cp {folder}/cert.pem $C/certs/localhost/fullchain.pem
cp {folder}/key.pem $C/certs/localhost/privkey.pem
cp {folder}/chasquid.conf $C/
cp -r {folder}/domains $C/
"""

BOOT = """
chasquid --config_dir=/etc/chasquid --logfile={folder}/log/chasquid &
"""


class Chasquid(RootedPeer):
    """A running chasquid. None of its limits can be set; that of errors is low enough."""

    name = layer = "chasquid"
    recipients_min = 100

    def __init__(self, suite, folder, certificate, user, password, limits=Limits()):
        del limits
        ports = {name: free_port() for name in (PLAIN, STARTTLS, IMPLICIT)}
        super().__init__(suite, folder, certificate, ports)
        self.user = f"{user}@{OWN_DOMAIN}"
        self._write("chasquid.conf", CONFIGURATION.format(folder=self.shared, **ports))
        salt = b"ringpost-salt-16"
        hashed = hashlib.scrypt(password.encode(), salt=salt, n=1 << 14, r=8, p=1, dklen=32)
        words = {"salt": salt.decode(), "encrypted": "".join(f"\\{octet:03o}" for octet in hashed)}
        for domain, names in ((OWN_DOMAIN, (user,)), *((one, LOCAL_PARTS) for one in DOMAINS)):
            (self.shared / "domains" / domain).mkdir(parents=True)
            self._write(f"domains/{domain}/users",
                        "".join(USER.format(name=name, **words) for name in names))
        self.set_up(SET_UP.format(folder=self.shared), BOOT.format(folder=self.shared))

    def refused(self, number):
        return f"{REFUSED}{number}@example.net"

    def put_off(self, number):
        return None
