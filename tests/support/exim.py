"""Exim from Debian, run by a test on loopback: its own configuration, spool and log.

It is the program of the package, unpacked: only one mail system can be installed at a time. It runs
as an ordinary user, delivers in the process that received, and keeps each copy in a file of its
own. The user that it was compiled for is made up by libnss-wrapper.
"""

import os
import re
import shutil
from collections import Counter

from support.delivered import BDAT, DATA, Delivered
from support.peer import (FETCHED, IMPLICIT, PLAIN, PUT_OFF, PUT_OFF_TEXT, REFUSED,
                          REFUSED_TEXT, SECURITIES, STARTTLS, Limits, Peer, unprivileged)
from support.rooted import RootedPeer
from support.workspace import free_port, wait_until

PROGRAM = FETCHED / "exim/exim"
# Relay ports that announce less.
NO_PIPELINING, NO_CHUNKING, NEITHER = "no-pipelining", "no-chunking", "neither"
# A relay port that takes so many messages a session.
LIMITED, SESSION_MESSAGES_MAX = "limited", 20

CONFIGURATION = """
exim_path = {folder}/exim
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/pid
primary_hostname = exim.ringpost.test
exim_user = Debian-exim
exim_group = Debian-exim
never_users =
keep_environment = ^LD_PRELOAD\\$ : ^NSS_WRAPPER_
# No second program is started for a delivery, so that nothing has to be set-user-id.
deliver_drop_privilege = true

local_interfaces = 127.0.0.1
daemon_smtp_ports = {all_ports}
tls_on_connect_ports = {implicit}
tls_advertise_hosts = ${{if eq{{$received_port}}{{{starttls}}}{{*}}}}
tls_certificate = {certificate}
tls_privatekey = {key}
pipelining_advertise_hosts = ${{if inlist{{$received_port}}{{{without_pipelining}}}{{}}{{*}}}}
chunking_advertise_hosts = ${{if inlist{{$received_port}}{{{without_chunking}}}{{}}{{*}}}}

message_size_limit = 100M
smtp_accept_max = 200
smtp_accept_max_per_connection = ${{if eq{{$received_port}}{{{limited}}}{{{messages_max}}}{{0}}}}
smtp_accept_queue_per_connection = 0
rfc1413_hosts =
acl_smtp_mail = check_mail
acl_smtp_rcpt = check_rcpt
log_selector = +received_sender +received_recipients +pipelining

begin acl
check_mail:
  deny    condition = ${{if inlist{{$received_port}}{{{submission}}}}}
          !authenticated = *
          message = log in first
  accept
check_rcpt:
  deny    local_parts = ^{refused}
          message = {refused_text}
  defer   local_parts = ^{put_off}
          message = {put_off_text}
  accept

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_advertise_condition = ${{if def:tls_in_cipher}}
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2

begin routers
everybody:
  driver = accept
  transport = file

begin transports
file:
  driver = appendfile
  directory = {folder}/mail
  directory_file = $message_exim_id-${{length_16:${{sha256:$local_part@$domain}}}}
  create_directory = false
  # One file for each recipient.
  batch_max = 1
  return_path_add
  envelope_to_add
"""

# What Exim puts in front of a message: the two lines of the transport, and one trace.
TRACES = re.compile(rb"Return-path: <([^\n]*)>\nEnvelope-to: ([^\n]*)\n"
                    rb"Received: [^\n]*\n([ \t][^\n]*\n)*")
TAKEN = re.compile(r"^\S+ \S+ \S+ <= .*? (K )?S=\d+ ", re.M)


def why_not():
    """Why Exim cannot be run here; empty when it can."""
    return "" if PROGRAM.exists() else "exim was not fetched; tools/dev.d/peers.sh does so"


class Exim(Peer):
    """A running Exim."""

    name = "exim"
    has_chunking = True

    def __init__(self, folder, certificate, user, password):
        ports = {name: free_port()
                 for name in (*SECURITIES, NO_PIPELINING, NO_CHUNKING, NEITHER, LIMITED)}
        super().__init__(folder, ports)
        self._account, uid, gid = unprivileged()
        self._log_folder = self.folder / "log"
        self.mailbox = self.folder / "mail"
        for name in ("log", "mail", "spool"):
            (self.folder / name).mkdir()
            os.chown(self.folder / name, uid, gid)
        os.chown(self.folder, uid, gid)
        shutil.copy(PROGRAM, self.folder / "exim")
        key = shutil.copy(certificate.key, self.folder / "exim.key")
        os.chown(key, uid, gid)
        self._write_configuration(certificate, key, user, password)
        self._environment = self._make_user_up(uid, gid)
        self._log_offset = 0
        self.start([self.folder / "exim", "-C", self.folder / "exim.conf", "-bdf"],
                   env=self._environment, start_new_session=True, **self._account)

    def _write_configuration(self, certificate, key, user, password):
        configuration = _configuration(self.folder, self.ports, certificate.certificate, key,
                                       user=user, password=password, limited=self.ports[LIMITED],
                                       messages_max=SESSION_MESSAGES_MAX)
        (self.folder / "exim.conf").write_text(configuration, encoding="utf-8")

    def _make_user_up(self, uid, gid):
        passwd, group = self.folder / "passwd", self.folder / "group"
        passwd.write_text(f"Debian-exim:x:{uid}:{gid}::{self.folder}:/bin/false\n",
                          encoding="ascii")
        group.write_text(f"Debian-exim:x:{gid}:\n", encoding="ascii")
        return {"PATH": "/usr/bin:/bin", "LD_PRELOAD": "libnss_wrapper.so",
                "NSS_WRAPPER_PASSWD": str(passwd), "NSS_WRAPPER_GROUP": str(group)}

    def log(self):
        texts = [path.read_text(errors="replace") for path in sorted(self._log_folder.iterdir())]
        return "\n".join(texts)

    def _main_log(self):
        path = self._log_folder / "mainlog"
        return path.read_text(errors="replace") if path.exists() else ""

    def recent_log(self):
        """The main log since forget()."""
        return self._main_log()[self._log_offset:]

    def failed_logins(self):
        return len(re.findall(r"plain authenticator failed", self._main_log()))

    def commands(self):
        """Exim marks with a K what came with BDAT."""
        return Counter(BDAT if found.group(1) else DATA
                       for found in TAKEN.finditer(self.recent_log()))

    def forget(self):
        self._log_offset = len(self._main_log())
        for path in self.mailbox.iterdir():
            path.unlink()

    def delivered(self, count, seconds=120):
        wait_until(lambda: len(os.listdir(self.mailbox)) >= count and self._is_idle(),
                   f"{count} messages are in the mailbox and none in the spool", seconds)
        return [_parse(path.read_bytes()) for path in self.mailbox.iterdir()]

    def _is_idle(self):
        return not any(files for _, _, files in os.walk(self.folder / "spool/input"))


def _configuration(folder, ports, certificate, key, **values):
    def ports_of(*names):
        return " : ".join(str(ports[name]) for name in names)

    return CONFIGURATION.format(
        folder=folder, certificate=certificate, key=key, refused=REFUSED,
        refused_text=REFUSED_TEXT, put_off=PUT_OFF, put_off_text=PUT_OFF_TEXT,
        starttls=ports[STARTTLS], implicit=ports[IMPLICIT], all_ports=ports_of(*ports),
        submission=ports_of(STARTTLS, IMPLICIT),
        without_pipelining=ports_of(NO_PIPELINING, NEITHER),
        without_chunking=ports_of(NO_CHUNKING, NEITHER), **values)


def _parse(stored):
    found = TRACES.match(stored)
    if not found:
        raise AssertionError(f"this is no file of Exim: {stored[:500]!r}")
    return Delivered(found.group(1).decode(), found.group(2).decode(), stored[found.end():],
                     traces=found.group(0))


ROOTED_SET_UP = """
cp /usr/sbin/exim4 {folder}/exim
chmod 755 {folder}/exim
mkdir -p {folder}/spool {folder}/mail/tmp {folder}/mail/new {folder}/mail/cur
chown -R Debian-exim:Debian-exim {folder}/spool {folder}/mail {folder}/log {folder}/key.pem
chown Debian-exim:Debian-exim {folder}
"""
ROOTED_BOOT = "{folder}/exim -C {folder}/exim.conf -bd -q1m >>{folder}/log/output 2>&1\n"


class RootedExim(RootedPeer):
    """A running Exim of another release, with the same configuration. It starts no second program
    for a delivery either, and keeps each copy in a file of its own, of a maildir."""

    name = layer = "exim"

    def __init__(self, suite, folder, certificate, user, password, limits=Limits()):
        ports = {name: free_port() for name in (*SECURITIES, NO_PIPELINING, NO_CHUNKING, NEITHER,
                                                LIMITED)}
        super().__init__(suite, folder, certificate, ports)
        self.got = self.shared / "mail/new"
        settings = {"smtp_accept_max_nonmail": limits.errors,
                    "smtp_max_unknown_commands": limits.errors,
                    "recipients_max": limits.recipients}
        lines = [f"{name} = {value}\n" for name, value in settings.items() if value]
        text = _configuration(
            self.shared, ports, self.certificate, self.key, user=user, password=password,
            limited=ports[PLAIN if limits.messages else LIMITED],
            messages_max=limits.messages or SESSION_MESSAGES_MAX)
        # A copy has its place only when it is whole: deliveries are killed here.
        text = re.sub(r"directory_file = .*", "maildir_format", text)
        self._write("exim.conf", "".join(lines) + text)
        self.set_up(ROOTED_SET_UP.format(folder=self.shared),
                    ROOTED_BOOT.format(folder=self.shared))

    def parse(self, stored):
        return _parse(stored)

    def is_idle(self):
        return not any(files for _, _, files in os.walk(self.shared / "spool/input"))
