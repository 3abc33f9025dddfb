#!/usr/bin/env bash
# chasquid ends a session at its third error, and an unknown recipient is an error like any other.
#
# Package: chasquid 1.11-2+b2 of Debian 12; 1.19.0 of Debian forky does the same. Seen on
# 2026-11-28.
#
# What it does: of three unknown recipients in one message, the first two are answered "550 5.1.1",
# and the third "421 4.5.0 Too many errors, bye" with the end of the connection, though nobody has
# made a mistake in speaking. Successes in between do not help, and nothing of it can be set.
#
# What one would expect: "550 5.1.1" for each recipient that is not known (RFC 5321 4.2.2, RFC 3463
# 3.2), and 421 for a service that shuts down (RFC 5321 3.8); lists of recipients with more than two
# dead addresses are common.
#
# So: 421 behind refusals is nobody's verdict, neither the recipient's nor the message's.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

debian_packages chasquid=1.11-2+b2
port=$(free_port)
cat >"$finding_folder/chasquid.conf" <<EOT
hostname: "chasquid.example"
smtp_address: "127.0.0.1:$port"
submission_address: ""
submission_over_tls_address: ""
monitoring_address: ""
mail_delivery_agent_bin: "/bin/true"
data_dir: "/var/lib/chasquid"
mail_log_path: "$finding_folder/mail.log"
EOT
openssl req -x509 -newkey rsa:2048 -noenc -keyout "$finding_folder/privkey.pem" -out \
  "$finding_folder/fullchain.pem" -days 2 -subj /CN=localhost 2>/dev/null
layered_server "C=/etc/chasquid
mkdir -p \$C/certs/localhost \$C/domains/example.net
cp $finding_folder/chasquid.conf \$C/
cp $finding_folder/*.pem \$C/certs/localhost/
chasquid-util -C=\$C user-add known@example.net --password=secret
chasquid --config_dir=\$C &"
listens "$port"
client "$port" <<'PYTHON'
import sys
from talk import MESSAGE, Session, holds

with Session(int(sys.argv[1])) as session:
    session.hello()
    session.say("MAIL FROM:<a@example.com>")
    replies = [session.say(f"RCPT TO:<unknown{number}@example.net>") for number in range(3)]
    end = session.reply()

# One for each message, and one that is taken between them.
with Session(int(sys.argv[1])) as session:
    session.hello()
    spread = []
    for number in range(3):
        session.say("MAIL FROM:<a@example.com>")
        session.say("RCPT TO:<known@example.net>")
        spread.append(session.say(f"RCPT TO:<unknown{number}@example.net>"))
        if spread[-1].startswith("421"):
            break
        session.say("DATA")
        session.say(*MESSAGE)

holds("two unknown recipients are refused", all(one.startswith("550 5.1.1") for one in replies[:2]))
holds("the third is answered 421", replies[2].startswith("421 4.5.0 Too many errors"))
holds("and the connection ends", end is None)
holds("messages that are taken in between do not help",
      [one[:3] for one in spread] == ["550", "550", "421"])
PYTHON
