"""`ringpost serve` reads its configuration anew while platforms send: no client's session and no
message is lost or doubled, what is wrong changes nothing, and what needs a start is named.

Needs $RINGPOST. Loopback only.
"""

import http.client
import json
import signal
import smtplib
import threading
import unittest
from collections import Counter
from contextlib import closing

from support.jobs import simple_job
from support.program import PASSWORD, USER
from support.serve import Serve, ServeTest
from support.service_manager import Manager
from support.webhook_receiver import WebhookReceiver
from support.workspace import wait_until

OLD_TOKEN = "c0rrect-h0rse-battery-stap1e"
NEW_TOKEN = "an0ther-h0rse-battery-stap1e"


def content(message_id, *fields):
    lines = [*fields, f"X-Id: {message_id}", f"Message-ID: <{message_id}>",
             "From: sender@example.com", "Subject: x"]
    return "\r\n".join(lines) + "\r\n\r\nHello.\r\n"


class Platform(threading.Thread):
    """One connection, over which messages go until it is told to stop."""

    def __init__(self, serve, name):
        super().__init__()
        self.serve = serve
        self.name = name
        self.is_over = threading.Event()
        self.sent = 0
        self.trouble = None
        self.start()

    def run(self):
        try:
            with self.serve.client() as client:
                while not self.is_over.is_set():
                    client.sendmail("sender@example.com", ["reader@example.net"],
                                    content(f"{self.name}-{self.sent}"))
                    self.sent += 1
        except (OSError, smtplib.SMTPException) as error:
            self.trouble = error


class ReloadTest(ServeTest):
    """One that is running, with `more` in its configuration."""

    def setUp(self, more=""):
        super().setUp()
        self.more = more
        self.esp = self.sink("--latency", "5ms")
        self.other = self.sink()
        path = self.folder / "notify"
        self.manager = Manager(str(path))
        self.addCleanup(self.manager.socket.close)
        self.password = self.private("password", PASSWORD)
        self.token = self.private("token", OLD_TOKEN)
        self.write()
        program = self.start("serve", "-c", self.folder / "serve.toml", "--ready-file",
                             "serve-ready.json", NOTIFY_SOCKET=str(path))
        self.serve = Serve(program, self.folder)
        self.manager.hear_until("READY")

    def private(self, name, text):
        path = self.folder / name
        path.write_text(text + "\n", encoding="ascii")
        path.chmod(0o600)
        return path

    def write(self, other=False, cores=1, esp=""):
        """The configuration, with what changes of it."""
        def endpoint(name, sink, more=""):
            return (f'[endpoint.{name}]\nhost = "localhost"\nport = {sink.ports["starttls"]}\n'
                    f'ca_file = "{sink.certificate}"\nusername = "{USER}"\n'
                    f'password_file = "{self.password}"\n{more}\n')

        text = endpoint("esp", self.esp, esp)
        if other:
            text += endpoint("other", self.other)
            text += '[[serve.route]]\nsender_domain = "other.example"\nendpoint = "other"\n'
        text += (f'[send]\nendpoint = ["esp"]\ncores = {cores}\n'
                 '[serve]\noutcomes = "outcomes.jsonl"\nspool = "spool"\n'
                 '[[listen.smtp]]\naddress = "127.0.0.1:0"\n'
                 f'[[listen.http]]\naddress = "127.0.0.1:0"\ntoken_file = "{self.token}"\n')
        self.private("serve.toml", text + self.more)

    def reload(self):
        """What the manager hears of its end."""
        self.serve.program.signal(signal.SIGHUP)
        reloading, _ = self.manager.hear_until("RELOADING")
        self.assertGreater(int(reloading["MONOTONIC_USEC"]), 0)
        ready, _ = self.manager.hear_until("READY")
        return ready["STATUS"]

    def ask(self, method, path, body=None, token=OLD_TOKEN):
        with closing(http.client.HTTPConnection(*self.serve.places["http"][0],
                                                timeout=120)) as connection:
            connection.request(method, path, body, {"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def stats(self, token=OLD_TOKEN):
        status, body = self.ask("GET", "/v1/stats", token=token)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def inject(self, job_id, token=OLD_TOKEN, **more):
        job = simple_job(job_id, ("reader@example.net",)) | more
        return self.ask("POST", "/v1/inject", json.dumps(job), token)


class Reload(ReloadTest):
    """Of what goes through its listeners."""

    def test_under_load(self):
        platforms = [Platform(self.serve, f"p{number}") for number in range(3)]

        def wait_for_more():
            before = [platform.sent for platform in platforms]
            wait_until(lambda: all(platform.trouble or platform.sent >= sent + 5
                                   for platform, sent in zip(platforms, before)), "more was sent")

        wait_for_more()
        opened = self.stats()["endpoints"][0]["sessions_opened"]
        # Nothing is another: the sessions stay.
        self.assertNotIn("refused", self.reload())
        wait_for_more()
        self.assertEqual(self.stats()["endpoints"][0]["sessions_opened"], opened)
        # A secret that is another, a limit, an endpoint and a route that are new; and what waits.
        self.private("password", PASSWORD)
        self.write(other=True, cores=2, esp="connections = 2\nrate = \"1000/s\"")
        self.assertNotIn("refused", self.reload())
        self.assertIn("cores: this change waits for the next start", self.serve.program.stderr())
        wait_for_more()
        self.assertEqual(self.inject("named", endpoint="other")[0], 200)
        with self.serve.client() as client:
            client.sendmail("news@other.example", ["reader@example.net"], content("routed"))
        self.assertEqual({report["name"] for report in self.stats()["endpoints"]},
                         {"esp", "other"})
        # A mistake changes nothing.
        self.write(other=True, esp="connections = \"many\"")
        status = self.reload()
        self.assertIn("the last reload was refused", status)
        self.assertIn("the configuration is not taken over", self.serve.program.stderr())
        self.assertEqual(self.inject("named-again", endpoint="other")[0], 200)
        # What is gone takes nothing any more.
        self.write()
        self.assertNotIn("refused", self.reload())
        self.assertEqual(self.inject("gone", endpoint="other")[0], 422)
        wait_for_more()
        for platform in platforms:
            platform.is_over.set()
        for platform in platforms:
            platform.join(120)
            self.assertIsNone(platform.trouble)
        listeners = self.stats()["listeners"]
        self.assertEqual(listeners["smtp"]["connections_opened"], len(platforms) + 1)
        self.serve.program.signal(signal.SIGTERM)
        self.assertEqual(self.serve.program.wait(60).exit_code, 0)
        wanted = {f"{platform.name}-{number}": 1 for platform in platforms
                  for number in range(platform.sent)}
        report, other = self.esp.stop(), self.other.stop()
        self.assertEqual(report.ids, Counter(wanted))
        self.assertEqual(other.ids, Counter({"named": 1, "routed": 1, "named-again": 1}))
        for one in (report, other):
            self.assert_strict(one)
        lines = Counter((line["id"], line["status"]) for line in self.serve.outcomes())
        self.assertEqual(lines, Counter({**{(name, "accepted"): 1 for name in
                                            [*wanted, *other.ids]}, ("gone", "invalid"): 1}))
        endpoints = {line["id"]: line.get("endpoint") for line in self.serve.outcomes()}
        self.assertEqual(endpoints["named"], "other")
        self.assertEqual(endpoints["p0-0"], "esp")

    def test_the_token(self):
        self.private("token", NEW_TOKEN)
        self.assertNotIn("refused", self.reload())
        self.assertEqual(self.ask("GET", "/v1/stats")[0], 401)
        self.stats(NEW_TOKEN)
        self.private("token", "short")
        self.assertIn("a token is at least 16", self.reload())
        self.stats(NEW_TOKEN)


class AddedEndpoint(ReloadTest):
    """One that comes with a reload is known by its name to all who know endpoints."""

    def setUp(self, more=""):
        self.receiver = WebhookReceiver()
        self.addCleanup(self.receiver.close)
        super().setUp(more + '[[listen.smtp]]\naddress = "127.0.0.1:0"\nreply = "stored"\n'
                      f'[[webhook]]\nurl = "http://127.0.0.1:{self.receiver.port}/"\n'
                      'delay = "10ms"\ndead_letters = "dead.jsonl"\n')

    def test_stored_mail_and_webhooks(self):
        self.write(other=True)
        self.assertNotIn("refused", self.reload())
        with self.serve.client(1) as client:
            client.sendmail("news@other.example", ["reader@example.net"], content("stored"))
        self.assertEqual(self.inject("injected", endpoint="other")[0], 200)
        endpoints = {line["id"]: line.get("endpoint") for line in self.serve.wait_for_outcomes(2)}
        self.assertEqual(endpoints, {"stored": "other", "injected": "other"})

        def told():
            return {line["id"]: line.get("endpoint") for line in self.receiver.outcomes()}

        wait_until(lambda: len(told()) == 2, "both were told")
        self.assertEqual(told(), endpoints)
        self.assertEqual(sorted(self.other.stop().ids), ["injected", "stored"])


if __name__ == "__main__":
    unittest.main()
