#!/usr/bin/env bash
# Exim ends a session at the twelfth RSET that follows no delivery: it is "nonmail".
#
# Package: exim4-daemon-light 4.96-15+deb12u11 of Debian 12; 4.100 of Debian forky does the same.
# Seen on 2026-11-28.
#
# What it does: where MAIL, one RCPT that is refused, and RSET come again and again, the twelfth
# RSET is answered "554 Too many nonmail commands" and the end of the connection
# (smtp_accept_max_nonmail, 10). A RSET behind a message that was taken is free, however many there
# are. EHLO of 4.100 announces LIMITS (RFC 9422) with MAILMAX 1000, and this number is not in it.
#
# What one would expect: "The receiver MUST send a '250 OK' reply to a RSET command with no
# arguments" (RFC 5321 4.1.1.5); it is what a client has to say between a transaction whose
# recipients were all refused and the next.
#
# So: 554 to RSET ends a session and is no verdict on a message.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

debian_packages exim4-daemon-light=4.96-15+deb12u11
port=$(free_port)
cat >"$finding_folder/exim.conf" <<EOT
primary_hostname = exim.example
log_file_path = $finding_folder/logs/%s
pid_file_path =
local_interfaces = 127.0.0.1
daemon_smtp_ports = $port
keep_environment =
rfc1413_hosts =
acl_smtp_rcpt = check
acl_smtp_data = drop
begin acl
check:
  deny local_parts = ^refused
  accept
drop:
  discard
EOT
mkdir -m 1777 "$finding_folder/logs"
layered_server "chown root $finding_folder/exim.conf; exim4 -C $finding_folder/exim.conf -bdf &"
listens "$port"
client "$port" <<'PYTHON'
import sys
from talk import MESSAGE, Session, holds

MAIL = "MAIL FROM:<a@example.com>"

with Session(int(sys.argv[1])) as session:
    session.hello()
    resets = []
    while len(resets) < 30 and (not resets or resets[-1].startswith("250")):
        session.say(MAIL)
        session.say("RCPT TO:<refused@example.net>")
        resets.append(session.say("RSET"))
    end = session.reply()

with Session(int(sys.argv[1])) as session:
    session.hello()
    free = []
    for _ in range(30):
        session.say(MAIL)
        session.say("RCPT TO:<taken@example.net>")
        session.say("DATA")
        session.say(*MESSAGE)
        free.append(session.say("RSET"))

print(f"RSET number {len(resets)} was answered {resets[-1]}")
holds("a RSET behind refused recipients ends in 554 Too many nonmail commands",
      resets[-1].startswith("554 Too many nonmail commands"))
holds("it is one of the first 15", 10 <= len(resets) <= 15)
holds("and the connection ends", end is None)
holds("30 behind messages that were taken are free", {one[:3] for one in free} == {"250"})
PYTHON
