"""nats-server on loopback, alone or three of them as a cluster, and a client of its protocol."""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

from support.workspace import free_port, temporary_folder, wait_until

# Another release than this machine's.
NATS_SERVER = os.environ.get("RINGPOST_NATS_SERVER") or shutil.which(
    "nats-server", path=os.environ.get("PATH", "") + ":/usr/sbin")


class NatsClient:
    """Requests and publications; whatever comes in waits by its subject."""

    def __init__(self, port, seconds=10):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self.file = self.socket.makefile("rb")
        self.info = json.loads(self.file.readline().split(b" ", 1)[1])
        self.lock = threading.Lock()
        self.inbox = f"_INBOX.test{os.urandom(8).hex()}"
        self.number = 0
        options = {"verbose": False, "headers": True, "no_responders": True, "protocol": 1}
        self.say(f"CONNECT {json.dumps(options)}\r\nSUB {self.inbox}.* 1\r\nPING\r\n".encode())
        while self.file.readline() != b"PONG\r\n":
            pass

    def say(self, octets):
        self.socket.sendall(octets)

    def read_message(self):
        """Subject, headers and payload of the next message."""
        while True:
            words = self.file.readline().split()
            if not words:
                raise ConnectionError("the server has ended the connection")
            if words[0] == b"PING":
                self.say(b"PONG\r\n")
            elif words[0] in (b"MSG", b"HMSG"):
                octets = self.file.read(int(words[-1]))
                self.file.read(2)
                head = int(words[-2]) if words[0] == b"HMSG" else 0
                return words[1].decode(), octets[:head], octets[head:]

    def publish(self, subject, payload, reply="", message_id=None):
        octets = payload if isinstance(payload, bytes) else payload.encode()
        if message_id is None:
            self.say(f"PUB {subject} {reply} {len(octets)}\r\n".encode() + octets + b"\r\n")
            return
        head = f"NATS/1.0\r\nNats-Msg-Id: {message_id}\r\n\r\n".encode()
        self.say(f"HPUB {subject} {reply} {len(head)} {len(head) + len(octets)}\r\n".encode()
                 + head + octets + b"\r\n")

    def request(self, subject, payload=b"", message_id=None):
        """The answer as JSON; None: nobody listens there."""
        with self.lock:
            self.number += 1
            reply = f"{self.inbox}.{self.number}"
            self.publish(subject, payload, reply, message_id)
            while True:
                where, head, octets = self.read_message()
                if where == reply:
                    return json.loads(octets) if octets else None

    def api(self, subject, **members):
        return self.request("$JS.API." + subject, json.dumps(members) if members else b"")

    def state(self, stream):
        return self.api(f"STREAM.INFO.{stream}")["state"]

    def messages(self, stream):
        """Payloads of a stream, by their sequence numbers."""
        found = {}
        state = self.state(stream)
        for number in range(state["first_seq"], state["last_seq"] + 1):
            answer = self.api(f"STREAM.MSG.GET.{stream}", seq=number)
            if "message" in answer:
                found[number] = base64.b64decode(answer["message"].get("data", ""))
        return found

    def close(self):
        self.file.close()
        self.socket.close()


class NatsServer:
    """One process, which may be killed and started again with what it has stored."""

    def __init__(self, folder, name, port, cluster_port, routes, configuration=""):
        self.folder = folder / name
        self.folder.mkdir()
        self.port = port
        lines = [f'server_name: "{name}"', f'listen: "127.0.0.1:{port}"',
                 f'jetstream {{ store_dir: "{self.folder}", max_mem: 64MB, max_file: 1GB }}']
        if routes:
            lines.append(f'cluster {{ name: "test", listen: "127.0.0.1:{cluster_port}", '
                         f'routes: {json.dumps(routes)} }}')
        self.configuration = self.folder / "nats.conf"
        self.configuration.write_text("\n".join([*lines, configuration]) + "\n", encoding="utf-8")
        self.process = None
        self.start()

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([NATS_SERVER, "-c", self.configuration],
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class NatsCluster:
    """Servers that are gone when the test is over."""

    def __init__(self, parent, cleanup, size=3, configuration=""):
        folder = temporary_folder(cleanup, parent)
        ports = [free_port() for _ in range(2 * size)]
        routes = [f"nats://127.0.0.1:{port}" for port in ports[size:]] if size > 1 else []
        self.servers = []
        for number in range(size):
            server = NatsServer(folder, f"n{number}", ports[number], ports[size + number], routes,
                                configuration)
            cleanup(server.stop)
            self.servers.append(server)
        self.url = ",".join(f"nats://127.0.0.1:{port}" for port in ports[:size])
        self.cleanup = cleanup
        wait_until(self.is_ready, "JetStream has a leader", seconds=60)

    def is_ready(self):
        """Each server answers, and knows of a leader for what is asked of JetStream."""
        try:
            for server in self.servers:
                client = NatsClient(server.port)
                try:
                    answer = client.request("$JS.API.INFO")
                finally:
                    client.close()
                if answer is None or "error" in answer:
                    return False
        except (OSError, ValueError):
            return False
        return True

    def has_leaders(self, number, *streams):
        """Each of the streams answers at this server, within a second or so."""
        try:
            client = NatsClient(self.servers[number].port, seconds=1)
            try:
                return all("state" in (client.api(f"STREAM.INFO.{stream}") or {})
                           for stream in streams)
            finally:
                client.close()
        except (OSError, ValueError):
            return False

    def client(self, number=0):
        client = NatsClient(self.servers[number].port)
        self.cleanup(client.close)
        return client

    def publish_jobs(self, client, jobs, subject="ringpost.jobs.test"):
        """Each stored when this returns."""
        for job in jobs:
            for _ in range(100):
                answer = client.request(subject, json.dumps(job), message_id=job.get("id"))
                if answer is not None and "error" not in answer:
                    break
                time.sleep(0.1)
            else:
                raise AssertionError(f"a job was not taken: {answer}")
