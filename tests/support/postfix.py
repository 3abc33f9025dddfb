"""Postfix from Debian, run by a test on loopback: its own configuration, queue and log.

Nothing of a Postfix that the machine may have is read, changed or needed: the master daemon is
started by itself (not by postfix(1), whose checks look at shared files), with a configuration
folder below a temporary one. It ends with the test, and by itself when the test was killed.
"""

import os
import pwd
import re
import shutil
import subprocess
from collections import Counter

from support.delivered import BDAT, DATA, Delivered
from support.peer import PUT_OFF, PUT_OFF_TEXT, REFUSED, REFUSED_TEXT, SECURITIES, Limits, Peer
from support.rooted import RootedPeer
from support.workspace import free_port, wait_until

REALM = "ringpost.test"
SECONDS_MAX = 600
# In every Debian (base-passwd).
NOBODY = 65534

MAIN = """
compatibility_level = 3.6
myhostname = postfix.ringpost.test
mydomain = ringpost.test
myorigin = $mydomain
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log/maillog
maillog_file_prefixes = {folder}/log
alias_maps =
alias_database =
biff = no

# Everything that comes in stays here, in one maildir, with no header line added but its own traces.
mydestination =
local_recipient_maps =
virtual_mailbox_domains = example.net, example.org
virtual_mailbox_maps = static:all/
virtual_mailbox_base = {folder}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_transport = virtual
local_header_rewrite_clients =
always_add_missing_headers = no
message_drop_headers =
default_transport = error:nothing leaves this machine
relay_transport = error:nothing leaves this machine

# It shall be as fast as it can, and limit nobody.
message_size_limit = 104857600
mailbox_size_limit = 0
virtual_mailbox_limit = 0
queue_minfree = 0
in_flow_delay = 0
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0
smtpd_client_recipient_rate_limit = 0
smtpd_error_sleep_time = 0
virtual_destination_concurrency_limit = 20

# Who may send: on the relay port everybody, on the others whoever has logged in.
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access regexp:{folder}/etc/refusals
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = {folder}/etc/sasl
smtpd_sasl_local_domain = {realm}
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_loglevel = 0
"""

REFUSALS = f"/^{REFUSED}/ REJECT {REFUSED_TEXT}\n/^{PUT_OFF}/ DEFER {PUT_OFF_TEXT}\n"
SUBMISSION = ("-o smtpd_sasl_auth_enable=yes -o smtpd_tls_security_level=encrypt "
              "-o smtpd_relay_restrictions=permit_sasl_authenticated,reject "
              "-o smtpd_client_restrictions=permit_sasl_authenticated,reject")
MASTER = """
127.0.0.1:{plain} inet n - n - - smtpd
127.0.0.1:{starttls} inet n - n - - smtpd {submission}
127.0.0.1:{implicit} inet n - n - - smtpd {submission} -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

SASL = """pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {folder}/etc/sasl/sasldb2
mech_list: PLAIN LOGIN
"""

# Folder of the queue: (mode, owner) as postfix(1) would make them.
QUEUE = {"": (0o755, "root"), "pid": (0o755, "root"), "public": (0o710, "postfix"),
         "maildrop": (0o730, "postfix")}
QUEUE.update((name, (0o700, "postfix")) for name in (
    "incoming", "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "private",
    "saved", "trace"))

# What Postfix puts in front of a message on its way in and into the mailbox.
TRACES = re.compile(rb"(Return-Path|X-Original-To|Delivered-To|Received):[^\n]*\n([ \t][^\n]*\n)*")


def why_not():
    """Why Postfix cannot be run here; empty when it can."""
    if os.geteuid() != 0:
        return "Postfix runs as several users, so that starting it needs root"
    missing = [name for name in ("postconf", "saslpasswd2") if not _find(name)]
    return f"not installed: {' '.join(missing)}" if missing else ""


def _find(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


class Postfix(Peer):
    """A running Postfix. Delivers whatever is for example.net and example.org to one maildir."""

    name = "postfix"
    has_chunking = True

    def __init__(self, folder, certificate, user, password):
        super().__init__(folder, {security: free_port() for security in SECURITIES})
        self.mailbox = self.folder / "mail" / "all"
        self._log = self.folder / "log" / "maillog"
        self._log_offset = 0
        self._make_folders()
        self._write_configuration(certificate)
        self._add_user(user, password)
        self._start()

    def _make_folders(self):
        owner = pwd.getpwnam("postfix")
        for name, (mode, user) in QUEUE.items():
            path = self.folder / "queue" / name
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(mode)
            if user == "postfix":
                os.chown(path, owner.pw_uid, -1)
        for name in ("data", "mail", "log"):
            path = self.folder / name
            path.mkdir()
            os.chown(path, owner.pw_uid, owner.pw_gid)
        # Below the configuration folder, because Debian's Postfix looks nowhere else.
        (self.folder / "etc/sasl").mkdir(parents=True)

    def _write_configuration(self, certificate):
        owner = pwd.getpwnam("nobody")
        os.chown(self.folder / "mail", owner.pw_uid, owner.pw_gid)
        values = {"folder": self.folder, "certificate": certificate.certificate,
                  "key": certificate.key, "realm": REALM, "uid": owner.pw_uid,
                  "gid": owner.pw_gid, "submission": SUBMISSION, **self.ports}
        for name, text in (("etc/main.cf", MAIN), ("etc/master.cf", MASTER),
                           ("etc/sasl/smtpd.conf", SASL)):
            (self.folder / name).write_text(text.format(**values), encoding="utf-8")
        (self.folder / "etc/refusals").write_text(REFUSALS, encoding="utf-8")

    def _add_user(self, user, password):
        database = self.folder / "etc/sasl/sasldb2"
        subprocess.run([_find("saslpasswd2"), "-c", "-p", "-f", database, "-u", REALM, user],
                       input=password.encode(), check=True, timeout=30, capture_output=True)
        os.chown(database, pwd.getpwnam("postfix").pw_uid, -1)

    def _start(self):
        etc = self.folder / "etc"
        daemons = subprocess.run([_find("postconf"), "-c", etc, "-hx", "daemon_directory"],
                                 check=True, capture_output=True, text=True,
                                 timeout=30).stdout.strip()
        # Bound to end with this process, and after a time. It leads a process group by itself.
        self.start([f"{daemons}/master", "-c", etc, "-e", str(SECONDS_MAX), "-s"],
                   env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MAIL_CONFIG": str(etc)})

    def start_again(self):
        """Behind stop(): on the same ports, with the same queue."""
        self._start()

    def log(self):
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def failed_logins(self):
        return len(re.findall(r"SASL \S+ authentication failed", self.log()))

    def commands(self):
        """Postfix counts them when a session ends."""
        counts = Counter()
        for line in self.log()[self._log_offset:].splitlines():
            if "disconnect from" in line:
                for command, name in ((DATA, "data"), (BDAT, "bdat")):
                    found = re.search(rf" {name}=(\d+)", line)
                    counts[command] += int(found.group(1)) if found else 0
        return +counts

    def forget(self):
        self._log_offset = len(self.log())
        shutil.rmtree(self.mailbox, ignore_errors=True)

    def delivered(self, count, seconds=120):
        new = self.mailbox / "new"

        def has_arrived():
            return new.is_dir() and len(os.listdir(new)) >= count

        wait_until(has_arrived, f"{count} messages are in the mailbox", seconds)
        # One copy too many would be in the queue still.
        wait_until(self._queue_is_empty, "the queue is empty", seconds)
        return [_parse(path.read_bytes()) for path in new.iterdir()]

    def _queue_is_empty(self):
        queues = ("maildrop", "incoming", "active", "deferred", "hold", "corrupt")
        return not any(files for name in queues
                       for _, _, files in os.walk(self.folder / "queue" / name))


def _parse(stored):
    traces = bytearray()
    rest = stored
    while found := TRACES.match(rest):
        traces += found.group(0)
        rest = rest[found.end():]
    return Delivered(_trace(traces, "Return-Path").strip("<>"), _trace(traces, "Delivered-To"),
                     rest, traces=bytes(traces))


def _trace(traces, name):
    found = re.search(rf"^{name}: ([^\n]*)$".encode(), traces, re.M)
    return found.group(1).decode() if found else ""


# As _make_folders and _add_user do it for the Postfix of this machine.
ROOTED_SET_UP = """
cd {folder}
mkdir -p queue data mail
for name in {private}; do mkdir -p queue/$name; chmod 700 queue/$name; done
for name in pid public maildrop; do mkdir -p queue/$name; done
chown postfix {private_paths} queue/maildrop data log
chown postfix:postdrop queue/public queue/maildrop
chmod 710 queue/public
chmod 730 queue/maildrop
chmod 755 queue
chown nobody mail
printf %s {password} | saslpasswd2 -c -p -f etc/sasl/sasldb2 -u {realm} {user}
chown postfix etc/sasl/sasldb2
"""
ROOTED_BOOT = """
cd {folder}
export MAIL_CONFIG={folder}/etc
$(postconf -c etc -hx daemon_directory)/master -c {folder}/etc -s >>{folder}/log/output 2>&1 &
"""


class RootedPostfix(RootedPeer):
    """A running Postfix of another release, with the same configuration and one maildir."""

    name = layer = "postfix"

    def __init__(self, suite, folder, certificate, user, password, limits=Limits()):
        super().__init__(suite, folder, certificate,
                         {security: free_port() for security in SECURITIES})
        (self.shared / "etc/sasl").mkdir(parents=True)
        values = {"folder": self.shared, "certificate": self.certificate, "key": self.key,
                  "realm": REALM, "uid": NOBODY, "gid": NOBODY, "submission": SUBMISSION,
                  **self.ports}
        settings = {"smtpd_recipient_limit": limits.recipients,
                    "smtpd_hard_error_limit": limits.errors}
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items() if value)
        self._write("etc/main.cf", MAIN.format(**values) + lines)
        self._write("etc/master.cf", MASTER.format(**values))
        self._write("etc/sasl/smtpd.conf", SASL.format(**values))
        self._write("etc/refusals", REFUSALS)
        private = [name for name, (mode, _) in QUEUE.items() if mode == 0o700]
        values = {"folder": self.shared, "private": " ".join(private), "user": user,
                  "private_paths": " ".join(f"queue/{name}" for name in private),
                  "password": password, "realm": REALM}
        self.set_up(ROOTED_SET_UP.format(**values), ROOTED_BOOT.format(**values))
        self.got = self.shared / "mail/all/new"

    def files(self):
        return os.listdir(self.got) if self.got.is_dir() else []

    def forget(self):
        shutil.rmtree(self.got.parent, ignore_errors=True)

    def parse(self, stored):
        return _parse(stored)
