#!/usr/bin/env bash
# OpenSMTPD takes 100 messages a session, and then says for ever that there are too many recipients.
#
# Package: opensmtpd 6.8.0p2-4+b4 of Debian 12; 7.9.0p0 of Debian forky does the same. Seen on
# 2026-11-28.
#
# What it does: the 101st MAIL of a session is answered "452 4.5.3 Too many recipients: Too many
# messages sent". RSET and EHLO change nothing, the session stays open, and each further MAIL is
# answered likewise. A new session takes the next 100. The limit is on by default, and EHLO does not
# tell of it.
#
# What one would expect: 452 at MAIL says that trying the message again later may help (RFC 5321
# 4.2.1), which in this session it never does; a server that will do no more for a session says 421
# (RFC 5321 3.8). The status 4.5.3 is about recipients (RFC 3463 3.6), and the message had none yet.
# A server with a limit of messages announces it (RFC 9422, LIMITS MAILMAX).
#
# So: a 4xx to MAIL in a session that has taken messages is a matter of that session.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

debian_packages opensmtpd=6.8.0p2-4+b4
port=$(free_port)
cat >"$finding_folder/smtpd.conf" <<EOT
table everybody { "@" = "nobody" }
listen on 127.0.0.1 port $port hostname opensmtpd.example
action "drop" mda "/bin/cat >/dev/null" virtual <everybody>
match from any for any action "drop"
EOT
chmod 600 "$finding_folder/smtpd.conf"
layered_server "smtpd -d -f $finding_folder/smtpd.conf &"
listens "$port"
client "$port" <<'PYTHON'
import sys
from talk import MESSAGE, Session, holds

MAIL, RCPT = "MAIL FROM:<a@example.com>", "RCPT TO:<b@example.net>"

def messages(session, count):
    """Sends up to so many; returns how many were taken and the reply to the MAIL that was not."""
    for number in range(count):
        reply = session.say(MAIL)
        if not reply.startswith("250"):
            return number, reply
        session.say(RCPT)
        session.say("DATA")
        session.say(*MESSAGE)
    return count, ""

with Session(int(sys.argv[1])) as session:
    announced = session.hello()
    taken, reply = messages(session, 150)
    session.say("RSET")
    session.say("EHLO client.example")
    later = [session.say(MAIL) for _ in range(5)]
    alive = session.say("NOOP")
with Session(int(sys.argv[1])) as session:
    session.hello()
    taken_anew, _ = messages(session, 10)

holds("nothing of the limit is announced", not any("LIMITS" in line for line in announced))
holds("100 messages are taken", taken == 100)
holds("the next MAIL is put off for its recipients, which it has not",
      reply.startswith("452 4.5.3 Too many recipients"))
holds("so is each later one, behind RSET and EHLO, too", set(later) == {reply})
holds("the session is still there", alive.startswith("250"))
holds("another session takes more", taken_anew == 10)
PYTHON
