#!/usr/bin/env bash
# Haraka announces PIPELINING, and answers what comes in the same read as a final dot with 503.
#
# Package: Haraka 3.3.4 of npm; 3.1.1 did not. Seen on 2026-11-28.
#
# What it does: every command that is in the same read as the end of the data, MAIL first of all, is
# answered "503 Bad sequence of commands - pipelined after end of DATA", and the message in front of
# it is taken. The same commands a moment later are taken.
#
# What one would expect: with PIPELINING announced, the content of a message and the commands of the
# next may leave together. RFC 2920 3.1 lets only DATA, EHLO, QUIT, TURN, VRFY, EXPN and NOOP be the
# last of a group, and says of content: "The actual transfer of message content is explicitly
# allowed to be the first 'command' in a group."
#
# So: the first group behind a message is a trial, and a 503 to it is no verdict on a message.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

npm_package Haraka@3.3.4
port=$(free_port)
mkdir -p "$finding_folder/server/"{config,plugins,queue}
cd "$finding_folder/server"
echo haraka.example >config/me
echo keep >config/plugins
printf 'listen=127.0.0.1:%s\nnodes=0\n' "$port" >config/smtp.ini
# Without these sections it ends at the first connection.
printf '[haproxy]\nhosts[]=\n[message]\n[uuid]\n[headers]\n[max]\n' >config/connection.ini
cat >plugins/keep.js <<'JS'
exports.hook_rcpt = (next) => next(OK);
exports.hook_queue = (next) => next(OK, 'kept');
JS
server node "$finding_folder/node_modules/Haraka/bin/haraka" -c "$finding_folder/server"
listens "$port"
client "$port" <<'PYTHON'
import sys
from talk import MESSAGE, Session, holds

NEXT = ("MAIL FROM:<c@example.com>", "RCPT TO:<d@example.net>", "DATA")

def first_message(session):
    announced = session.hello()
    for command in ("MAIL FROM:<a@example.com>", "RCPT TO:<b@example.net>", "DATA"):
        session.say(command)
    return announced

with Session(int(sys.argv[1])) as session:
    announced = first_message(session)
    taken = session.say(*MESSAGE, *NEXT)
    together = [session.reply() for _ in NEXT]
with Session(int(sys.argv[1])) as session:
    first_message(session)
    session.say(*MESSAGE)
    apart = [session.say(*NEXT), session.reply(), session.reply()]

holds("PIPELINING is announced", any("PIPELINING" in line for line in announced))
holds("the message in front is taken", taken.startswith("250"))
holds("the MAIL that came with its dot is refused with 503", together[0].startswith("503"))
holds("behind the reply the same group is taken",
      [reply[:3] for reply in apart] == ["250", "250", "354"])
PYTHON
