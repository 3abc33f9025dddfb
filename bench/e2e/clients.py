"""Who is compared in compare.py, and how each of them is run and checked.

Whoever sends mail sends the same messages to a sink of its own, in the way its manual says bulk
mail is sent, over TLS 1.3 with AES-128-GCM, STARTTLS and AUTH, or in clear without. Peers have the
easier task: they take finished messages, read before they begin or one file a message, and write
no outcomes. Their start is in the figures, as is ringpost's.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

from sink_run import ROOT, Sink, check, check_record, floor, run_measured, send

HERE = os.path.dirname(os.path.abspath(__file__))
FETCHED = os.path.join(ROOT, "build/clients")  # by tools/dev.d/peers.sh clients

# For whoever uses OpenSSL and cannot be told otherwise.
OPENSSL_CONFIGURATION = """openssl_conf = begin
[begin]
ssl_conf = ssl
[ssl]
system_default = defaults
[defaults]
MinProtocol = TLSv1.3
Ciphersuites = TLS_AES_128_GCM_SHA256
"""


def first_line_of(*arguments):
    """What a program says of itself."""
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().split("\n")[0]


class Client:
    name = ""
    note = ""  # what is to be known beside the figures
    checked = "content"  # every id once with its SHA-256; "count": only how many came
    speaks_tls = True
    sessions_max = 1000
    holds_messages = False  # in memory, all of them, before it sends
    messages = {}  # of one run, by octets of content

    def missing(self):
        """Why it cannot be measured here; None: it can."""
        return None

    def version(self, _program):
        return ""

    def not_measured(self, tls, sessions):
        """Why not in this case; None: it is."""
        if tls and not self.speaks_tls:
            return "it speaks no TLS"
        if sessions > self.sessions_max:
            return f"it takes a process a session, at most {self.sessions_max} here"
        return None

    def run(self, case):
        """Sends the case's messages; returns its figures, or ends the program."""
        with Sink(case.program, case.folder, case.sink) as sink:
            arguments, environment = self.command(case, sink)
            measured = run_measured(arguments, env={**os.environ, **environment},
                                    stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        self.check(case, sink)
        return figures(case, measured)

    def command(self, case, sink):
        """Arguments and environment of a run."""
        raise NotImplementedError

    def check(self, case, sink):
        if self.checked == "content":
            check_record(case.expected, sink.record)
            return
        with open(sink.record, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        if len(lines) != case.jobs or any(line["bytes"] < case.bytes * 9 // 10 for line in lines):
            sys.exit(f"{self.name}: {len(lines)} messages came instead of {case.jobs}, "
                     f"or shorter ones than {case.bytes} octets")


def figures(case, measured):
    return {"messages_per_second": case.jobs / measured.seconds,
            "cpu_us_per_message": measured.cpu_seconds / case.jobs * 1e6,
            "peak_resident_megabytes": measured.peak_resident_megabytes}


class Ringpost(Client):
    name = "ringpost"
    note = "from a JSONL file to outcome lines on disk"
    messages = {2048: 100_000, 10240: 40_000, 76800: 6_000}
    summary = {}  # of the last run

    def version(self, program):
        return first_line_of(program, "version")

    def run(self, case):
        outcomes = os.path.join(case.folder, "outcomes.jsonl")
        with Sink(case.program, case.folder, case.sink) as sink:
            self.summary, measured = send(case, case.path("jobs.jsonl"), outcomes,
                                          sink.endpoint(case.tls))
        check(case.expected, sink.record, outcomes)
        return figures(case, measured)


class Floor(Client):
    name = "floor"
    note = ("bare wolfSSL and sends of flights that were built before: no JSON, no outcomes; its "
            "own figures from the first connection on")
    holds_messages = True
    messages = Ringpost.messages

    def run(self, case):
        with Sink(case.program, case.folder, case.sink) as sink:
            result = floor(case, case.path("messages"), sink, case.tls)
        self.check(case, sink)
        return {name: result[name] for name in
                ("messages_per_second", "cpu_us_per_message", "peak_resident_megabytes")}


class SmtpSource(Client):
    name = "smtp-source"
    note = "Postfix; it speaks no TLS and no PIPELINING; one message again and again, counted"
    checked = "count"
    speaks_tls = False
    messages = {2048: 20_000, 10240: 20_000, 76800: 5_000}

    def missing(self):
        return None if self.program() else "smtp-source of Postfix is not installed"

    @staticmethod
    def program():
        return shutil.which("smtp-source", path=f"{os.environ['PATH']}:/usr/sbin")

    def version(self, _program):
        return "Postfix " + first_line_of(shutil.which("postconf", path="/usr/sbin:/usr/bin")
                                          or "true", "-dh", "mail_version")

    def command(self, case, sink):
        one = case.path("message.txt")
        with open(one, "w", encoding="ascii", newline="\n") as file:
            file.write(case.first_message.replace("\r\n", "\n"))
        return [self.program(), "-d", "-s", str(case.connections), "-m", str(case.jobs),
                "-f", "news@example.com", "-t", "reader@example.net", "-F", one,
                f"inet:127.0.0.1:{sink.port(case.tls)}"], {}


class Pool(Client):
    """A program of ours around a library: PROGRAM MESSAGES COUNT PORT SESSIONS [CA]."""
    holds_messages = True

    def program(self):
        raise NotImplementedError

    def command(self, case, sink):
        certificate = [sink.certificate] if case.tls else []
        return [*self.program(), case.path("messages"), str(case.jobs), str(sink.port(case.tls)),
                str(case.connections), *certificate], case.openssl()


class Nodemailer(Pool):
    name = "nodemailer"
    note = "its pool"
    messages = {2048: 4_000, 10240: 3_000, 76800: 800}
    modules = os.path.join(FETCHED, "nodemailer/node_modules")

    def missing(self):
        if not shutil.which("node"):
            return "Node.js is not installed"
        return None if os.path.isdir(self.modules) else "nodemailer could not be fetched"

    def version(self, _program):
        with open(os.path.join(self.modules, "nodemailer/package.json"), encoding="utf-8") as file:
            return f"{json.load(file)['version']}, Node.js {first_line_of('node', '--version')}"

    def program(self):
        return ["node", os.path.join(HERE, "peers/nodemailer_pool.js"), self.modules]


class Smtplib(Pool):
    name = "smtplib"
    note = "Python's, a thread a session"
    messages = {2048: 4_000, 10240: 3_000, 76800: 800}

    def version(self, _program):
        return "Python " + sys.version.split()[0]

    def program(self):
        return ["/usr/bin/python3", os.path.join(HERE, "peers/smtplib_pool.py")]


class GoPool(Pool):
    name = "Go net/smtp"
    note = "a pool, a goroutine a session"
    messages = {2048: 10_000, 10240: 5_000, 76800: 1_000}
    binary = os.path.join(ROOT, "build/go/smtp_pool")

    def missing(self):
        if not shutil.which("go"):
            return "Go is not installed"
        done = subprocess.run(["go", "build", "-o", self.binary,
                               os.path.join(HERE, "peers/smtp_pool.go")],
                              env={**os.environ, "GO111MODULE": "off"}, check=False)
        return None if done.returncode == 0 else "go build failed"

    def version(self, _program):
        return first_line_of("go", "version").removeprefix("go version ")

    def program(self):
        return [self.binary]


class Curl(Client):
    name = "curl"
    note = "one process, a file a message; --parallel with more than one session"
    messages = {2048: 1_000, 10240: 1_000, 76800: 400}

    def missing(self):
        return None if shutil.which("curl") else "curl is not installed"

    def version(self, _program):
        return first_line_of("curl", "--version").split(" (")[0]

    def command(self, case, sink):
        shared = [f'url = "smtp://127.0.0.1:{sink.port(case.tls)}/localhost"',
                  'mail-from = "news@example.com"']
        if case.tls:
            shared += ["ssl-reqd", f'cacert = "{sink.certificate}"', 'user = "ringpost:ringpost"']
        sections = [[f'upload-file = "{file}"', 'mail-rcpt = "reader@example.net"', *shared]
                    for file in case.message_files()]
        configuration = case.path("curl.conf")
        with open(configuration, "w", encoding="ascii") as file:
            file.write("\nnext\n".join("\n".join(section) for section in sections) + "\n")
        parallel = ["--parallel", "--parallel-max", str(case.connections)]
        return ["curl", "--silent", "--show-error", *(parallel if case.connections > 1 else []),
                "--config", configuration], case.openssl()


class Swaks(Client):
    name = "swaks"
    note = "a process and a session a message; counted"
    checked = "count"
    sessions_max = 10
    messages = {2048: 10, 10240: 10, 76800: 10}

    def missing(self):
        return None if shutil.which("swaks") else "swaks is not installed"

    def version(self, _program):
        return first_line_of("swaks", "--version")

    def command(self, case, sink):
        files = case.path("files.txt")
        with open(files, "w", encoding="ascii") as file:
            file.writelines(f"{name}\n" for name in case.message_files())
        tls = ["--tls", "--auth", "PLAIN", "--auth-user", "ringpost", "--auth-password", "ringpost"]
        return ["xargs", "-a", files, "-P", str(case.connections), "-I", "{}",
                "swaks", "--silent", "3", "--server", "127.0.0.1", "--port",
                str(sink.port(case.tls)), "--from", "news@example.com", "--to",
                "reader@example.net", "--data", "@{}", *(tls if case.tls else [])], case.openssl()


class Nginx:
    """An HTTP server on free ports that takes POSTs and writes each one's length to its log.

    It would answer at once and throw the body away; the mirror makes it read the whole body first.
    """

    CONFIGURATION = """daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log alert;
events {{ worker_connections 4096; }}
http {{
  log_format taken '$status $request_length';
  access_log {folder}/nginx-access.log taken buffer=256k;
  client_body_temp_path {folder}/nginx-body;
  proxy_temp_path {folder}/nginx-proxy;
  fastcgi_temp_path {folder}/nginx-fastcgi;
  uwsgi_temp_path {folder}/nginx-uwsgi;
  scgi_temp_path {folder}/nginx-scgi;
  keepalive_requests 100000000;
  ssl_protocols TLSv1.3;
  ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
  ssl_certificate {folder}/nginx-certificate.pem;
  ssl_certificate_key {folder}/nginx-key.pem;
  server {{
    listen 127.0.0.1:{plain};
    listen 127.0.0.1:{tls} ssl http2;
    client_body_buffer_size 128k;
    log_not_found off;
    error_page 403 404 405 =204 @taken;
    location / {{ mirror /read; }}
    location /read {{ internal; return 204; }}
    location @taken {{ return 204; }}
  }}
}}
"""

    def __init__(self, folder):
        self.log = os.path.join(folder, "nginx-access.log")
        if os.path.exists(self.log):
            os.remove(self.log)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-keyout", f"{folder}/nginx-key.pem", "-out",
                        f"{folder}/nginx-certificate.pem"], check=True, capture_output=True)
        self.ports = {tls: free_port() for tls in (False, True)}
        configuration = os.path.join(folder, "nginx.conf")
        with open(configuration, "w", encoding="ascii") as file:
            file.write(self.CONFIGURATION.format(folder=folder, plain=self.ports[False],
                                                 tls=self.ports[True]))
        self.process = subprocess.Popen([os.path.join(FETCHED, "nginx/nginx"), "-p", folder, "-e",
                                         f"{folder}/nginx-error.log", "-c", configuration])
        wait_for_port(self.ports[False], self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_port(port, process):
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit("nginx did not start")
            time.sleep(0.02)


class H2load(Client):
    """The API way: the same octets as the body of a POST."""
    checked = "count"
    messages = {2048: 30_000, 10240: 20_000, 76800: 4_000}
    flags = ()

    def missing(self):
        if not shutil.which("h2load"):
            return "h2load is not installed"
        nginx = os.path.join(FETCHED, "nginx/nginx")
        return None if os.path.exists(nginx) else "nginx could not be fetched"

    def version(self, _program):
        nginx = first_line_of(os.path.join(FETCHED, "nginx/nginx"), "-v").split("/")[-1]
        return f"{first_line_of('h2load', '--version')}, nginx {nginx}"

    def run(self, case):
        body = case.path("body")
        with open(body, "w", encoding="ascii", newline="") as file:
            file.write(case.first_message)
        with Nginx(case.folder) as nginx:
            url = f"http{'s' if case.tls else ''}://127.0.0.1:{nginx.ports[case.tls]}/message"
            measured = run_measured(
                ["h2load", "--requests", str(case.jobs), "--clients", str(case.connections),
                 "--data", body, "--tls13-ciphers=TLS_AES_128_GCM_SHA256", *self.flags, url])
        self.check_log(case, nginx, measured.output.decode())
        return figures(case, measured)

    def check_log(self, case, nginx, output):
        """Every POST was answered with 204, and its whole body had come."""
        with open(nginx.log, encoding="ascii") as file:
            taken = [line.split() for line in file]
        whole = sum(status == "204" and int(octets) >= len(case.first_message)
                    for status, octets in taken)
        if whole != case.jobs or not re.search(rf"\b{case.jobs} succeeded", output):
            sys.exit(f"{self.name}: nginx took {whole} bodies of {case.jobs}\n{output}")


class H2loadHttp1(H2load):
    name = "h2load HTTP/1.1"
    note = "POST to nginx, one at a time in a session"
    flags = ("--h1",)


class H2loadHttp2(H2load):
    name = "h2load HTTP/2"
    note = "POST to nginx, up to 32 at a time in a session"
    flags = ("--max-concurrent-streams", "32")

    def not_measured(self, tls, sessions):
        return None if tls else "browsers and APIs speak HTTP/2 over TLS only"


def all_clients():
    return [Ringpost(), Floor(), SmtpSource(), Nodemailer(), Smtplib(), GoPool(), Curl(), Swaks(),
            H2loadHttp1(), H2loadHttp2()]
