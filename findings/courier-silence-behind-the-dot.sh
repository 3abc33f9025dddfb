#!/usr/bin/env bash
# Courier announces PIPELINING, and drops what comes in the same write as a final dot.
#
# Package: courier-mta 1.0.16-3+b6 of Debian 12; 2.0.6 of Debian forky does the same. Seen on
# 2026-11-28.
#
# What it does: the end of the data is answered, and the MAIL, RCPT and DATA that came with it never
# are. Sent 50 ms later, the same three are answered at once.
#
# What one would expect: a reply to every command (RFC 5321 4.2). RFC 2920 3.1 lets the content of a
# message be the first "command" of a group, and by 3.2 a server that offers pipelining must respond
# to commands in the order in which it has received them.
#
# So: the first group behind a message is a trial with a short patience, and silence fails it.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

debian_packages courier-mta=1.0.16-3+b6
port=$(free_port)
cat >"$finding_folder/start" <<EOT
C=/etc/courier
for file in esmtpd esmtpd-ssl; do sed -i '/^ADDRESS=/d; /^SSLADDRESS=/d' \$C/\$file; done
sed -i 's/^PORT=.*/PORT=$port/; s/^BOFHCHECKDNS=.*/BOFHCHECKDNS=0/
  s/^TCPDOPTS="\(.*\)"\$/TCPDOPTS="\1 -nodnslookup"/' \$C/esmtpd
echo ADDRESS=127.0.0.1 >>\$C/esmtpd
echo courier.example | tee \$C/me >\$C/defaultdomain
printf 'localhost\nexample.net\n' >\$C/locals
mkdir -p \$C/esmtpacceptmailfor.dir
echo example.net >\$C/esmtpacceptmailfor.dir/finding
printf '127.0.0.1\tallow\n' >\$C/smtpaccess/default
echo '| cat >/dev/null' >\$C/aliasdir/.courier-default
chown -R courier:courier \$C/aliasdir
echo 'opt BOFHSUPPRESSBACKSCATTER=none' >\$C/bofh
for make in makeacceptmailfor makesmtpaccess makealiases makehosteddomains; do \$make; done
mkdir -p /run/courier/authdaemon
chown -R courier:courier /run/courier
for part in authdaemond courierfilter courier esmtpd; do /usr/sbin/\$part start; done
EOT
layered_server ". $finding_folder/start"
listens "$port"
client "$port" <<'PYTHON'
import sys
import time
from talk import MESSAGE, Session, holds

NEXT = ("MAIL FROM:<c@example.com>", "RCPT TO:<d@example.net>", "DATA")
SILENCE_SECONDS = 15

def first_message(session):
    announced = session.hello()
    for command in ("MAIL FROM:<a@example.com>", "RCPT TO:<b@example.net>", "DATA"):
        session.say(command)
    return announced

with Session(int(sys.argv[1])) as session:
    announced = first_message(session)
    taken = session.say(*MESSAGE, *NEXT)
    together = session.reply(SILENCE_SECONDS)
with Session(int(sys.argv[1])) as session:
    first_message(session)
    session.write(*MESSAGE)
    time.sleep(0.05)
    session.write(*NEXT)
    session.reply()
    apart = [session.reply() for _ in NEXT]

holds("PIPELINING is announced", any("PIPELINING" in line for line in announced))
holds("the message in front is taken", taken.startswith("250"))
holds(f"the MAIL that came with its dot has no reply in {SILENCE_SECONDS} s", together == "")
holds("50 ms later it has", [(reply or "")[:3] for reply in apart] == ["250", "250", "354"])
PYTHON
