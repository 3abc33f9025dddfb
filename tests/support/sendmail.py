"""sendmail in a root of its own. It has no CHUNKING, and answers each line of a BDAT with 500."""

from support.peer import (IMPLICIT, PLAIN, PUT_OFF, PUT_OFF_TEXT, REFUSED, REFUSED_TEXT, STARTTLS,
                          Limits)
from support.rooted import RootedPeer
from support.workspace import free_port

# Recipients are told apart by what stands in front of a plus.
CONFIGURATION = """divert(-1)dnl
divert(0)dnl
include(`/usr/share/sendmail/cf/m4/cf.m4')
VERSIONID(`ringpost')
OSTYPE(`debian')dnl
define(`confDOMAIN_NAME',`sendmail.ringpost.test')dnl
undefine(`confHOST_STATUS_DIRECTORY')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Family=inet, Name=Relay, Port={plain}, Addr=127.0.0.1')dnl
DAEMON_OPTIONS(`Family=inet, Name=Submission, Port={starttls}, Addr=127.0.0.1')dnl
DAEMON_OPTIONS(`Family=inet, Name=TLS, Port={implicit}, Addr=127.0.0.1, M=s')dnl
define(`confAUTH_MECHANISMS',`PLAIN LOGIN')dnl
TRUST_AUTH_MECH(`PLAIN LOGIN')dnl
define(`confAUTH_OPTIONS',`A p')dnl
define(`confCACERT',`/etc/mail/ringpost/cert.pem')dnl
define(`confCACERT_PATH',`/etc/mail/ringpost')dnl
define(`confPID_FILE',`/run/sendmail.pid')dnl
define(`confSERVER_CERT',`/etc/mail/ringpost/cert.pem')dnl
define(`confSERVER_KEY',`/etc/mail/ringpost/key.pem')dnl
define(`confTLS_SRV_OPTIONS',`V')dnl
define(`confDELIVERY_MODE',`background')dnl
define(`confQUEUE_LA',`100')dnl
define(`confREFUSE_LA',`100')dnl
define(`confDELAY_LA',`0')dnl
define(`confTO_IDENT',`0')dnl
{limits}FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`nocanonify')dnl
FEATURE(`promiscuous_relay')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
MAILER_DEFINITIONS
Mkeep,\tP=/etc/mail/ringpost/store, F=lsn8hu, S=EnvFromL/HdrFromL, R=EnvToL/HdrToL,
\tT=DNS/RFC822/X-Unix, L=0,
\tA=store {folder}/got SENDER=$f RECIPIENT=$u

LOCAL_RULE_0
R$+ < @ $+ . >\t\t$#keep $@ keep $: $1 @ $2
R$+ < @ $+ >\t\t$#keep $@ keep $: $1 @ $2

LOCAL_RULESETS
SLocal_check_rcpt
R$*\t\t\t$: $>CanonAddr $1
R{refused} + $*\t\t$#error $@ 5.1.1 $: "550 {refused_text}"
R{put_off} + $*\t\t$#error $@ 4.2.1 $: "450 {put_off_text}"
"""

# It looks at the folders above its files, and everybody may write to that of the test.
SET_UP = """
mkdir -p /etc/mail/ringpost
cp {folder}/cert.pem {folder}/key.pem {folder}/store /etc/mail/ringpost/
cp {folder}/ringpost.mc /etc/mail/
cd /etc/mail
m4 ringpost.mc >ringpost.cf
mkdir -p /var/spool/mqueue /usr/lib/sasl2 /etc/mail/sasl
chown root:root /var/spool/mqueue
chmod 700 /var/spool/mqueue
printf 'pwcheck_method: auxprop\\nauxprop_plugin: sasldb\\nmech_list: PLAIN LOGIN\\n' |
  tee /usr/lib/sasl2/Sendmail.conf >/etc/mail/sasl/Sendmail.conf
printf %s {password} | saslpasswd2 -p -c -u sendmail.ringpost.test {user}
chmod 600 /etc/sasldb2
"""

BOOT = """
mkdir -p /run/sendmail/mta
/usr/sbin/sendmail-mta -bd -q1m -C /etc/mail/ringpost.cf >>{folder}/log/output 2>&1
"""


class Sendmail(RootedPeer):
    """A running sendmail. Of its limits, that of recipients can be set."""

    name = layer = "sendmail"

    def __init__(self, suite, folder, certificate, user, password, limits=Limits()):
        super().__init__(suite, folder, certificate,
                         {name: free_port() for name in (PLAIN, STARTTLS, IMPLICIT)})
        settings = {"confMAX_RCPTS_PER_MESSAGE": limits.recipients,
                    "confBAD_RCPT_THROTTLE": limits.errors}
        lines = [f"define(`{name}',`{value}')dnl\n" for name, value in settings.items() if value]
        self._write("ringpost.mc", CONFIGURATION.format(
            folder=self.shared, limits="".join(lines), refused=REFUSED, refused_text=REFUSED_TEXT,
            put_off=PUT_OFF, put_off_text=PUT_OFF_TEXT, **self.ports))
        values = {"folder": self.shared, "user": user, "password": password}
        self.set_up(SET_UP.format(**values), BOOT.format(**values))

    def refused(self, number):
        return f"{REFUSED}+{number}@example.net"

    def put_off(self, number):
        return f"{PUT_OFF}+{number}@example.net"
