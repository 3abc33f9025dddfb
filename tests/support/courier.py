"""Courier in a root of its own. It announces PIPELINING, and drops what comes with a final dot."""

from support.peer import IMPLICIT, PLAIN, REFUSED, STARTTLS, Limits
from support.rooted import RootedPeer
from support.workspace import free_port

SET_UP = """
C=/etc/courier
cp {folder}/both.pem $C/esmtpd.pem
chown courier:courier $C/esmtpd.pem
set_to() {{ grep -v "^$2=" $C/$1 >{folder}/changed || :; echo "$2=$3" >>{folder}/changed
            cat {folder}/changed >$C/$1; }}
for file in esmtpd esmtpd-msa esmtpd-ssl; do
  set_to $file ADDRESS 127.0.0.1
  set_to $file SSLADDRESS 127.0.0.1
done
set_to esmtpd PORT {plain}
set_to esmtpd-msa PORT {starttls}
set_to esmtpd-ssl SSLPORT {implicit}
set_to esmtpd MAXDAEMONS {connections}
set_to esmtpd MAXPERC {connections}
set_to esmtpd MAXPERIP {connections}
# There is nobody who knows names here, and it would wait for him.
sed -i 's/^TCPDOPTS="\\(.*\\)"$/TCPDOPTS="\\1 -nodnslookup"/' $C/esmtpd
set_to esmtpd BOFHCHECKDNS 0
set_to esmtpd TARPIT {tarpit}
set_to esmtpd ESMTPAUTH_TLS '"PLAIN LOGIN"'
set_to esmtpd-msa ESMTPDSTART YES
set_to esmtpd-ssl ESMTPDSSLSTART YES
echo courier.ringpost.test >$C/me
echo courier.ringpost.test >$C/defaultdomain
printf 'localhost\\nexample.net\\nexample.org\\n' >$C/locals
echo 104857600 >$C/sizelimit
mkdir -p $C/esmtpacceptmailfor.dir
printf 'example.net\\nexample.org\\n' >$C/esmtpacceptmailfor.dir/ringpost
printf '127.0.0.1\\tallow\\n' >$C/smtpaccess/default
echo '| {folder}/store {folder}/got' >$C/aliasdir/.courier-default
chown -R courier:courier $C/aliasdir
printf 'opt BOFHSUPPRESSBACKSCATTER=none\\n{bofh}' >$C/bofh
useradd -m {user}
echo {user}:{password} | chpasswd
makeacceptmailfor
makesmtpaccess
makealiases
makehosteddomains
"""

BOOT = """
mkdir -p /run/courier/authdaemon
chown -R courier:courier /run/courier
(/usr/sbin/authdaemond start
/usr/sbin/courierfilter start
/usr/sbin/courier start
/usr/sbin/esmtpd start
/usr/sbin/esmtpd-msa start
/usr/sbin/esmtpd-ssl start) >>{folder}/log/start 2>&1 </dev/null
"""

# More than ringpost opens by itself; by itself Courier takes 5 from one address.
CONNECTIONS = 200


class Courier(RootedPeer):
    """A running Courier. Of its limits, recipients and sessions can be set."""

    name = layer = "courier"
    securities = (PLAIN,)  # it is silent for long behind AUTH where nobody answers for names
    crowd = 15  # it waits for up to ten seconds behind each that is too many or refused
    refused_every = 50
    refused_in_a_row = 2  # and for a minute and more behind the third in a row

    def __init__(self, suite, folder, certificate, user, password, limits=Limits()):
        super().__init__(suite, folder, certificate,
                         {name: free_port() for name in (PLAIN, STARTTLS, IMPLICIT)})
        bofh = f"maxrcpts {limits.recipients} hard\\n" if limits.recipients else ""
        values = {"folder": self.shared, "user": user, "password": password, "bofh": bofh,
                  "connections": 5 if limits != Limits() else CONNECTIONS,
                  "tarpit": int(limits != Limits()), **self.ports}
        self.set_up(SET_UP.format(**values), BOOT.format(**values))

    def refused(self, number):
        """It knows no recipients that it refuses in a domain of its own, and relays to no other."""
        return f"{REFUSED}{number}@elsewhere.example"

    def put_off(self, number):
        return None
