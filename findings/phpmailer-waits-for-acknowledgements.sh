#!/usr/bin/env bash
# PHPMailer sends a message line by line, each in a write of its own, and waits 40 ms in its middle.
#
# Packages: libphp-phpmailer 6.6.3-1 and php8.2-cli 8.2.36-1~deb12u1 of Debian 12.
# Seen on 2026-11-30.
#
# What it does: behind a 354 each line of the message is handed to the kernel by itself, and the
# socket is left with Nagle's algorithm on. So the first line leaves at once and the others wait for
# its acknowledgement (RFC 896), which the server's kernel holds back, because the server has
# nothing to say before the final dot (RFC 9293 3.8.6.3, RFC 1122 4.2.3.2): 40 ms a message on
# Linux, over loopback, whatever the machine can do. The same octets in one write take no time.
#
# What one would expect: a mail client that has a whole message at hand gives it to the kernel in large
# pieces, or switches Nagle's algorithm off, which RFC 1122 4.2.3.4 wants to be possible.
#
# So: a relay on the same machine takes some 20 messages a second of such a client however fast it
# is, unless it asks for early acknowledgements (TCP_QUICKACK, or on newer kernels TCP_DELACK_MAX_US)
# while it reads a message.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

debian_packages libphp-phpmailer=6.6.3-1 php8.2-cli=8.2.36-1~deb12u1

port=$(free_port)
cat >"$finding_folder/server.py" <<'PYTHON'
import socket
import sys
import time

# Of each message: milliseconds between the 354 and the final dot.
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as lines:
        connection.sendall(b"220 mx.example\r\n")
        for line in lines:
            verb = line[:4].upper()
            if verb == b"DATA":
                connection.sendall(b"354 go on\r\n")
                began = time.monotonic()
                while next(lines) != b".\r\n":
                    pass
                print(round((time.monotonic() - began) * 1000, 1), flush=True)
                connection.sendall(b"250 taken\r\n")
            elif verb == b"QUIT":
                connection.sendall(b"221 bye\r\n")
                break
            else:
                connection.sendall(b"250 fine\r\n")
PYTHON
cat >"$finding_folder/send.php" <<'PHP'
<?php
require '/usr/share/php/libphp-phpmailer/autoload.php';
for ($i = 0; $i < 20; ++$i) {
    $mail = new PHPMailer\PHPMailer\PHPMailer(true);
    $mail->isSMTP();
    $mail->Host = '127.0.0.1';
    $mail->Port = (int) $argv[1];
    $mail->setFrom('news@example.com');
    $mail->addAddress('ann@example.net');
    $mail->Subject = 'Hello';
    $mail->Body = str_repeat("Hello Ann\r\n", 10);
    $mail->send();
}
PHP
server python3 -u "$finding_folder/server.py" "$port"
listens "$port"
in_layer php8.2 "$finding_folder/send.php" "$port"
in_one_write() {
  client "$port" <<'PYTHON'
import smtplib
import sys
for _ in range(20):
    with smtplib.SMTP("127.0.0.1", int(sys.argv[1])) as client:
        client.sendmail("news@example.com", ["ann@example.net"],
                        b"Subject: Hello\r\n\r\n" + b"Hello Ann\r\n" * 10)
PYTHON
}
in_one_write
median() { sort -n | sed -n 10p; }
phpmailer=$(head -n 20 "$finding_folder/output" | median)
one_write=$(tail -n +21 "$finding_folder/output" | median)
printf 'milliseconds from 354 to the dot, median of 20: PHPMailer %s, smtplib in one write %s\n' \
  "$phpmailer" "$one_write"
awk -v php="$phpmailer" -v one="$one_write" 'BEGIN { exit !(php > 30 && one < 10) }'
