"""Clients of `ringpost serve` that go while their messages wait: what no session has is not sent.

An endpoint that takes one message an hour has all others wait. Needs $RINGPOST. Loopback only.
"""

import json
import signal
import socket
import unittest

from support.jobs import simple_content, simple_job
from support.serve import ServeTest
from support.workspace import wait_until

GONE = "its client had gone before a session had it"


def request(path, job_id):
    """A whole request with one job."""
    body = json.dumps(simple_job(job_id, ("reader@example.net",))) + "\n"
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
            + body).encode()


def rest_of(stream):
    heard = b""
    while piece := stream.recv(65536):
        heard += piece
    return heard.decode()


class Leaving(ServeTest):

    def setUp(self):
        super().setUp()
        self.path = self.folder / "http.socket"
        sections = ['[[listen.smtp]]\naddress = "127.0.0.1:0"',
                    '[[listen.http]]\naddress = "127.0.0.1:0"',
                    f'[[listen.http]]\naddress = "unix:{self.path}"']
        self.sink_server = self.sink()
        self.serve = self.start_serve(self.sink_server, "\n".join(sections), RINGPOST_RATE="1/h")

    def stream(self, family=socket.AF_INET):
        stream = socket.socket(family)
        self.addCleanup(stream.close)
        stream.settimeout(120)
        stream.connect(str(self.path) if family == socket.AF_UNIX else self.serve.places["http"][0])
        return stream

    def submit(self, message_id, end=b""):
        """By SMTP, without waiting for the answer."""
        dialogue = self.dialogue(self.serve)
        dialogue.begin()
        dialogue.send(simple_content(message_id).encode() + b".\r\n" + end)
        return dialogue

    def under_way(self):
        stream = self.stream()
        stream.sendall(b"GET /v1/stats HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return json.loads(rest_of(stream).partition("\r\n\r\n")[2])["under_way"]["messages"]

    def test_who_waits_no_more_has_nothing_sent(self):
        with self.serve.client() as client:
            client.sendmail("sender@example.com", ["reader@example.net"], simple_content("first"))
        # Some say that they say nothing more, and listen.
        polite = self.submit("polite-smtp", b"QUIT\r\n")
        polite.socket.shutdown(socket.SHUT_WR)
        listening = []
        for path in ("/v1/inject", "/v1/jobs"):
            listening.append(self.stream())
            listening[-1].sendall(request(path, "polite" + path))
            listening[-1].shutdown(socket.SHUT_WR)
        leaving = [self.submit("gone-smtp")]
        for family in (socket.AF_INET, socket.AF_UNIX):
            for path in ("/v1/inject", "/v1/jobs"):
                leaving.append(self.stream(family))
                leaving[-1].sendall(request(path, f"gone{path}-{family.name}"))
        wait_until(lambda: self.under_way() == 8, "all of them are under way")
        for client in leaving:
            client.close()
        lines = self.serve.wait_for_outcomes(6)
        self.assertEqual(len(lines), 6)
        self.assertEqual((lines[0]["id"], lines[0]["status"]), ("first@example.com", "accepted"))
        for line in lines[1:]:
            self.assertTrue(line["id"].startswith("gone"), line)
            self.assertEqual((line["status"], line["reason"], line["attempts"]),
                             ("unsent", GONE, 0))
        self.serve.program.signal(signal.SIGTERM)
        self.serve.program.signal(signal.SIGINT)
        self.assertEqual(polite.reply()[:3], "451")
        inject, jobs = [rest_of(stream) for stream in listening]
        self.assertIn("HTTP/1.1 503 Service Unavailable", inject)
        for heard in (inject, jobs):
            self.assertIn('"status":"unsent"', heard)
            self.assertNotIn(GONE, heard)
        self.serve.program.wait(60)
        self.assertEqual(set(self.sink_server.stop().ids), {"first"})


if __name__ == "__main__":
    unittest.main()
