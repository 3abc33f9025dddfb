"""`ringpost serve` tells outcomes to a receiver of this test, which checks signatures by itself, is
slow, away or of another opinion; what it is not told stands in a file and is sent again.

Needs $RINGPOST. Loopback only.
"""

import http.client
import json
import re
import signal
import time
import unittest
from contextlib import closing

from support.certificates import Authority
from support.jobs import simple_job
from support.serve import ServeTest
from support.webhook_receiver import SECRET, WebhookReceiver
from support.workspace import free_port, wait_until

LISTEN = '[[listen.http]]\naddress = "127.0.0.1:0"\n'
UUID = "9f86b50d-5711-41c8-ab03-bc91c43d711b"


class WebhookTest(ServeTest):

    def receiver(self, **more):
        receiver = WebhookReceiver(**more)
        self.addCleanup(receiver.close)
        return receiver

    def private_file(self, name, octets):
        path = self.folder / name
        path.write_bytes(octets)
        path.chmod(0o600)
        return str(path)

    def hook(self, port, scheme="http", path="/hook", **settings):
        """A section of the configuration."""
        settings = {"url": f"{scheme}://localhost:{port}{path}", "dead_letters": "dead.jsonl",
                    "secret_file": self.private_file("secret", SECRET)} | settings
        return "[[webhook]]\n" + "".join(
            f"{name} = {json.dumps(value)}\n" for name, value in settings.items()
            if value is not None)

    def give(self, serve, jobs):
        with closing(http.client.HTTPConnection(*serve.places["http"][0], timeout=120)) as client:
            client.request("POST", "/v1/jobs", "\n".join(json.dumps(job) for job in jobs))
            with closing(client.getresponse()) as answer:
                self.assertEqual(answer.status, 200)
                return [json.loads(line) for line in answer.read().splitlines()]

    def stats(self, serve):
        with closing(http.client.HTTPConnection(*serve.places["http"][0], timeout=120)) as client:
            client.request("GET", "/v1/stats")
            with closing(client.getresponse()) as answer:
                return json.loads(answer.read())["webhooks"]

    def dead(self, name="dead.jsonl"):
        path = self.folder / name
        return ([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
                if path.exists() else [])

    def resend(self, *arguments):
        return self.run_program("webhook", "resend", "-c", "serve.toml", *arguments)

    def assert_told(self, receiver, lines):
        """Everything, signed, and in the words of the outcome lines. A request whose answer was
        lost on the way is made again under the same id."""
        told = {}
        for request in receiver.requests:
            self.assertTrue(request.is_genuine)
            if request.answered < 300:
                told[request.fields["webhook-id"]] = request.told
        self.assertCountEqual([line for batch in told.values() for line in batch], lines)


class Delivery(WebhookTest):

    def test_a_receiver_by_tls_and_listmonk_are_told(self):
        authority = Authority(self.folder / "authority")
        receiver = self.receiver(context=authority.good().server_context())
        listmonk = self.receiver()
        serve = self.start_serve(
            self.sink(), LISTEN +
            self.hook(receiver.port, "https", name="shop", ca_file=str(authority.certificate),
                      delay="50ms", batch=20) +
            self.hook(listmonk.port, path="/webhooks/bounce", format="listmonk", username="api",
                      password_file=self.private_file("token", b"t0ken\n"), secret_file=None,
                      dead_letters="bounces.jsonl"))
        jobs = [simple_job(f"job-{number}") for number in range(50)]
        jobs[20] = simple_job("no-user", ("reject-user@example.net",)) | {
            "metadata": {"listmonk_campaign": UUID, "listmonk_subscriber": UUID}}
        # The receiver has another opinion at first, and the order of lines stays.
        receiver.answers = [500, (429, {"Retry-After": "1"}), 503]
        lines = self.give(serve, jobs)
        wait_until(lambda: len(receiver.outcomes()) >= len(jobs), "all outcomes are told")
        wait_until(lambda: len(listmonk.taken()) == 1, "listmonk is told")
        self.assertEqual(receiver.outcomes(), serve.outcomes())
        self.assert_told(receiver, lines)
        first = receiver.requests[:4]
        self.assertEqual([request.answered for request in first], [500, 429, 503, 200])
        self.assertEqual(len({request.fields["webhook-id"] for request in first}), 1)
        self.assertEqual(len({request.body for request in first}), 1)
        times = [int(request.fields["webhook-timestamp"]) for request in first]
        self.assertGreaterEqual(times[2] - times[1], 1)
        self.assertLessEqual(abs(times[0] - time.time()), 300)
        self.assertEqual(first[0].fields["content-type"], "application/json")
        self.assertLessEqual(max(map(len, receiver.taken())), 20)

        bounce = listmonk.requests[0]
        self.assertEqual(bounce.path, "/webhooks/bounce")
        self.assertEqual(bounce.fields["authorization"], "Basic YXBpOnQwa2Vu")
        self.assertNotIn("webhook-signature", bounce.fields)
        self.assertEqual({name: bounce.told[name] for name in bounce.told if name != "meta"},
                         {"email": "reject-user@example.net", "campaign_uuid": UUID,
                          "subscriber_uuid": UUID, "source": "ringpost", "type": "hard"})
        self.assertIn("550", json.loads(bounce.told["meta"])["reply"])

        wait_until(lambda: all(hook["waiting"] == 0 for hook in self.stats(serve)),
                   "each answer is read")
        shop, other = self.stats(serve)
        self.assertEqual((shop["name"], shop["state"], shop["delivered"], shop["waiting"]),
                         ("shop", "up", 50, 0))
        self.assertEqual(shop["requests"]["put_off"], 3)
        self.assertEqual((other["name"], other["delivered"]), (f"localhost:{listmonk.port}", 1))
        serve.program.signal(signal.SIGTERM)
        self.assert_exit(self.finish(serve.program), 0)
        self.assertEqual(self.dead() + self.dead("bounces.jsonl"), [])

    def test_a_certificate_of_somebody_else_is_no_receiver(self):
        authority = Authority(self.folder / "authority")
        receiver = self.receiver(context=authority.wrong_host().server_context())
        serve = self.start_serve(
            self.sink(), LISTEN + self.hook(receiver.port, "https", retry_for="0s", delay="0s",
                                            ca_file=str(authority.certificate)))
        lines = self.give(serve, [simple_job("one")])
        wait_until(lambda: self.dead() == lines, "it is a dead letter")
        self.assertEqual(receiver.requests, [])
        serve.program.stop()
        self.assertRegex(serve.program.stderr(), "outcomes were not delivered and are put into "
                         r".*dead\.jsonl.*(certificate|SSL|TLS)")


class Refusal(WebhookTest):

    def test_what_no_other_try_helps_goes_into_the_file_at_once(self):
        receiver = self.receiver()
        serve = self.start_serve(self.sink(),
                                 LISTEN + self.hook(receiver.port, batch=1, delay="0s"))
        receiver.answers = [400, (302, {"Location": "/elsewhere"}), 403]
        lines = self.give(serve, [simple_job(f"job-{number}") for number in range(5)])
        wait_until(lambda: self.stats(serve)[0]["waiting"] == 0, "all is told or in the file")
        self.assertEqual(len(self.dead()), 3)
        self.assertCountEqual(self.dead() + receiver.outcomes(), lines)
        self.assertEqual({request.path for request in receiver.requests}, {"/hook"})
        self.assertEqual(self.stats(serve)[0]["requests"],
                         {"taken": 2, "put_off": 0, "refused": 3})
        # While it runs the file is emptied by somebody else.
        self.assert_exit(self.resend(), 0)
        self.assertEqual(self.dead(), [])
        self.assertCountEqual(receiver.outcomes(), lines)
        self.assertFalse((self.folder / "dead.jsonl.sending").exists())
        receiver.answers = [422]
        more = self.give(serve, [simple_job("late")])
        wait_until(lambda: self.dead() == more, "it is in the file of that name")
        serve.program.stop()
        self.assertIn("HTTP 302 (redirects are not followed): words", serve.program.stderr())


class Away(WebhookTest):

    def test_what_waits_at_the_end_is_sent_again_later(self):
        port = free_port()
        sections = LISTEN + self.hook(port, delay="0s", batch=10)
        serve = self.start_serve(self.sink(), sections)
        lines = self.give(serve, [simple_job(f"job-{number}") for number in range(100)])
        wait_until(lambda: self.stats(serve)[0]["state"] == "away", "it is noticed")
        self.assertEqual(self.stats(serve)[0]["waiting"], 100)
        serve.program.signal(signal.SIGTERM)
        self.assert_exit(self.finish(serve.program), 0)
        self.assertIn("100 outcomes went into", serve.program.stderr())
        self.assertEqual(self.dead(), lines)

        # Still away: nothing is lost.
        run = self.resend("--retry-for", "0s")
        self.assert_exit(run, 5)
        self.assertCountEqual(self.dead(), lines)
        self.assertIn(f"localhost:{port}: 0 outcomes delivered, 100 in ", run.stdout.decode())

        # A resend that was killed has left them under another name.
        (self.folder / "dead.jsonl").rename(self.folder / "dead.jsonl.sending")
        (self.folder / "dead.jsonl").write_text(json.dumps(lines[0]) + "\nno line\n",
                                                encoding="utf-8")
        receiver = self.receiver(port=port)
        run = self.resend()
        self.assert_exit(run, 0)
        self.assertIn("1 line passed over", run.stdout.decode())
        self.assert_told(receiver, [*lines, lines[0]])
        self.assertEqual(self.dead(), [])

        # An outcome file is read and left as it is.
        before = (self.folder / "outcomes.jsonl").read_bytes()
        self.assert_exit(self.resend("outcomes.jsonl"), 0)
        self.assert_told(receiver, [*lines, lines[0], *lines])
        self.assertEqual((self.folder / "outcomes.jsonl").read_bytes(), before)
        self.assert_exit(self.resend("--name", "nobody"), 2)

    def test_memory_has_its_bound(self):
        serve = self.start_serve(self.sink(),
                                 LISTEN + self.hook(free_port(), queue_bytes=100_000, batch=10))
        jobs = [simple_job(f"job-{number}") | {"metadata": {"more": "x" * 2000}}
                for number in range(200)]
        lines = self.give(serve, jobs)
        # The disk has what is over, without anybody waiting for the receiver.
        wait_until(lambda: self.stats(serve)[0]["dead_letters"] > 100, "some are in the file")
        figures = self.stats(serve)[0]
        self.assertLessEqual(figures["bytes_waiting"], 2 * figures["bytes_waiting_max"])
        self.assertEqual(figures["dead_letters"] + figures["waiting"], 200)
        serve.program.signal(signal.SIGTERM)
        self.assert_exit(self.finish(serve.program), 0)
        self.assertCountEqual(self.dead(), lines)
        self.assertIn("outcomes come faster than they are taken", serve.program.stderr())

    def test_a_slow_receiver_keeps_nobody_waiting(self):
        receiver = self.receiver()
        receiver.may_answer.clear()
        serve = self.start_serve(self.sink(),
                                 LISTEN + self.hook(receiver.port, timeout="200ms", delay="0s"))
        lines = self.give(serve, [simple_job(f"job-{number}") for number in range(20)])
        wait_until(lambda: self.stats(serve)[0]["requests"]["put_off"] > 0, "it gave up waiting")
        self.assertEqual(self.stats(serve)[0]["state"], "away")
        # A second signal waits for nobody.
        serve.program.signal(signal.SIGTERM)
        serve.program.signal(signal.SIGTERM)
        self.finish(serve.program)
        told = {line["id"] for line in self.dead()}
        self.assertEqual(told, {line["id"] for line in lines})


class Configuration(WebhookTest):

    def refused(self, section):
        path = self.folder / "bad.toml"
        path.write_text('[endpoint.esp]\nhost = "localhost"\n' + LISTEN + section,
                        encoding="utf-8")
        run = self.run_program("serve", "-c", "bad.toml", "-e", "esp")
        self.assert_exit(run, 2)
        return run.stderr

    def test_mistakes_are_told_at_once(self):
        for words, section in [
                ("http:// to another machine",
                 self.hook(1, secret_file=None, url="http://example.com/h")),
                ("dead_letters is missing", self.hook(1, dead_letters=None)),
                ("no name and no password", self.hook(1, url="https://me:pw@example.com/")),
                ("is no URL", self.hook(1, url="ftp://example.com/")),
                ("username and password_file go together", self.hook(1, username="me")),
                ("listmonk asks for a login", self.hook(1, format="listmonk")),
                ("another one has this name",
                 self.hook(1) + self.hook(1, dead_letters="other.jsonl")),
                ("a secret has at least 16 octets",
                 self.hook(1, secret_file=self.private_file("short", b"secret\n"))),
                ("something else", self.hook(1, dead_letters=self.private_file(
                    "letter", b"Dear reader, these are no outcome lines.\n"))),
        ]:
            self.assertRegex(self.refused(section).replace("\n", " "), re.escape(words))
        readable = self.folder / "readable"
        readable.write_bytes(SECRET)
        readable.chmod(0o644)
        self.assertIn("secret_file", self.refused(self.hook(1, secret_file=str(readable))))


if __name__ == "__main__":
    unittest.main()
