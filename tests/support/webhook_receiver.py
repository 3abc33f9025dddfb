"""Somebody who is told outcomes by HTTP, checks signatures himself, and answers as he is told."""

import base64
import hashlib
import hmac
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = b"a-secret-of-more-than-sixteen-octets"


@dataclass
class Request:
    """One that was answered."""

    path: str
    fields: dict
    body: bytes
    answered: int
    is_genuine: bool  # signed with SECRET
    told: object = field(default=None)  # the body as JSON


class WebhookReceiver:
    """Listens until it is closed. `answers` says what the next requests are answered with, each a
    status or (status, fields); behind them all are taken."""

    def __init__(self, port=0, context=None):
        self.requests = []
        self.answers = []
        self.lock = threading.Lock()
        self.may_answer = threading.Event()
        self.may_answer.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            """Whoever posts."""

            protocol_version = "HTTP/1.1"

            def do_POST(self):  # the name that http.server asks for
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, fields = receiver.take(self.path, dict(self.headers), body)
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "5")
                self.end_headers()
                self.wfile.write(b"words")

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            """Quiet about clients that have gone."""

            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def take(self, path, fields, body):
        """What is answered."""
        with self.lock:
            answer = self.answers.pop(0) if self.answers else 200
            status, more = answer if isinstance(answer, tuple) else (answer, {})
            request = Request(path, {name.lower(): value for name, value in fields.items()}, body,
                              status, False)
            request.is_genuine = is_genuine(request)
            request.told = json.loads(body)
            self.requests.append(request)
        self.may_answer.wait(60)
        return status, more

    def taken(self):
        """Bodies that were answered with 2xx."""
        with self.lock:
            return [request.told for request in self.requests if request.answered < 300]

    def outcomes(self):
        return [line for batch in self.taken() for line in batch]

    def close(self):
        self.may_answer.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def is_genuine(request, secret=SECRET):
    """As docs/how-to/webhooks.md says."""
    signed = b".".join([request.fields.get("webhook-id", "").encode(),
                        request.fields.get("webhook-timestamp", "").encode(), request.body])
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    return hmac.compare_digest(request.fields.get("webhook-signature", ""), expected)
