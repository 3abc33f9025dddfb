"""`ringpost serve` with a spool: mail that is answered before a provider has it, and is neither
lost nor sent twice, whatever ends in between.

$RINGPOST_KILLS is how often `Killed` kills (5). Needs $RINGPOST. Loopback only.
"""

import http.client
import json
import os
import random
import signal
import smtplib
import threading
import time
import unittest
from collections import Counter

from support.jobs import read_outcomes, simple_content, simple_job
from support.program import ProgramTest
from support.serve import Serve
from support.sink import Sink
from support.workspace import free_port, wait_until

KILLS = int(os.environ.get("RINGPOST_KILLS", "5"))
SECTIONS = """[serve]
spool = "spool"
{serve}
[[listen.smtp]]
address = "127.0.0.1:0"
reply = "stored"

[[listen.http]]
address = "127.0.0.1:0"
"""


class SpoolTest(ProgramTest):
    """A server whose provider is there, or is not, on a port that stays the same."""

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.spool = self.folder / "spool"

    def sink(self, *flags):
        return Sink(self.folder, *flags, cleanup=self.addCleanup, listeners=("plain",),
                    port=self.port, user=None)

    def start_serve(self, serve="", *flags):
        path = self.folder / "serve.toml"
        path.write_text(f'[endpoint.esp]\nhost = "127.0.0.1"\nport = {self.port}\n'
                        'security = "none"\n' + SECTIONS.format(serve=serve), encoding="utf-8")
        (self.folder / "serve-ready.json").unlink(missing_ok=True)
        program = self.start("serve", "-c", path, "--outcomes", "outcomes.jsonl", "--ready-file",
                             "serve-ready.json", *flags)
        return Serve(program, self.folder)

    def segments(self):
        return sorted(path.name for path in self.spool.iterdir() if path.suffix == ".jsonl")

    def assert_ends_well(self, serve):
        serve.program.signal(signal.SIGTERM)
        run = serve.program.wait(60)
        self.assertEqual(run.exit_code, 0, run.describe())

    def post(self, serve, path, body):
        connection = http.client.HTTPConnection(*serve.places["http"][0], timeout=120)
        connection.request("POST", path, body)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response, json.loads(text)


def say(client, message_id, recipients=("a@example.net",), body="Hello.\r\n"):
    """Code and text of the reply to the end of data."""
    client.ehlo_or_helo_if_needed()
    client.mail("sender@example.com")
    for recipient in recipients:
        client.rcpt(recipient)
    code, text = client.data(simple_content(message_id, body).encode())
    return code, text.decode()


class Stored(SpoolTest):
    """Who is answered, when, and what becomes of the mail."""

    def test_before_the_provider_is_there(self):
        serve = self.start_serve()
        with serve.client() as client:
            self.assertEqual(say(client, "one", ("a@example.net", "b@example.net")),
                             (250, "2.0.0 Stored; the outcome lines will tell what became of it"))
            self.assertEqual(say(client, "two", body="caf\u00e9\r\n")[0], 250)
            self.assertEqual(say(client, "bare", body="a line\nfeed\r\n")[0], 554)
        jobs = b"".join(json.dumps(simple_job(f"http-{number}")).encode() + b"\n"
                        for number in range(3)) + b'{"id":"bad","to":"nobody"}\n'
        response, answer = self.post(serve, "/v1/jobs?wait=accepted", jobs)
        self.assertEqual((response.status, answer["stored"]), (207, 3), answer)
        self.assertEqual([line["status"] for line in answer["outcomes"]], ["invalid"])
        response, answer = self.post(serve, "/v1/inject?wait=accepted",
                                     json.dumps(simple_job("injected"), indent=1))
        self.assertEqual((response.status, answer["stored"], answer["outcomes"]), (202, 1, []))
        response, answer = self.post(serve, "/v1/inject?wait=accepted",
                                     json.dumps(simple_job("x") | {"endpoint": "nowhere"}))
        self.assertEqual((response.status, answer["stored"]), (422, 0))
        self.assertEqual(len(serve.outcomes()), 2)
        self.assertEqual(self.segments(), ["0000000001.jsonl"])
        self.assertEqual(self.spool.stat().st_mode & 0o777, 0o700)
        sink = self.sink()
        lines = serve.wait_for_outcomes(9)
        self.assert_ends_well(serve)
        self.assertEqual(Counter(line["status"] for line in lines),
                         Counter({"accepted": 7, "invalid": 2}))
        self.assertEqual(sink.stop().recipients(), Counter(
            {("one", "a@example.net"): 1, ("one", "b@example.net"): 1, ("two", "a@example.net"): 1,
             ("http-0", "recipient@example.net"): 1, ("http-1", "recipient@example.net"): 1,
             ("http-2", "recipient@example.net"): 1, ("injected", "recipient@example.net"): 1}))
        self.assertEqual(self.segments(), [])

    def test_full(self):
        serve = self.start_serve("spool_bytes = 3000")
        with serve.client() as client:
            codes = [say(client, f"full-{number}") for number in range(12)]
        stored = [code for code, _ in codes].count(250)
        self.assertGreater(stored, 3, codes)
        self.assertEqual(codes[-1], (452, "4.3.1 The spool is full; try again later"))
        response, answer = self.post(serve, "/v1/inject?wait=accepted",
                                     json.dumps(simple_job("x", body="x\r\n" * 999)))
        self.assertEqual(response.status, 429, answer)
        self.assertIsNotNone(response.getheader("Retry-After"))
        sink = self.sink()
        serve.wait_for_outcomes(stored)
        self.assert_ends_well(serve)
        self.assertEqual(sum(sink.stop().ids.values()), stored)

    def test_an_end_and_a_start(self):
        """What nobody took by then is taken after the next start, of which nobody is told in
        between."""
        serve = self.start_serve()
        with serve.client() as client:
            for number in range(5):
                say(client, f"kept-{number}")
        self.assert_ends_well(serve)
        self.assertEqual(serve.outcomes(), [])
        sink = self.sink()
        serve = self.start_serve()
        self.assertEqual({line["status"] for line in serve.wait_for_outcomes(5)}, {"accepted"})
        self.assert_ends_well(serve)
        self.assertEqual(sink.stop().ids, Counter(f"kept-{number}" for number in range(5)))

    def test_by_hand(self):
        """A segment is a job file with its journal, which other commands go on with."""
        serve = self.start_serve()
        with serve.client() as client:
            for number in range(3):
                say(client, f"hand-{number}")
        self.assert_ends_well(serve)
        jobs, journal = self.spool / "0000000001.jsonl", self.spool / "0000000001.journal"
        run = self.run_program("journal", "verify", journal)
        self.assert_exit(run, 0)
        sink = self.sink()
        run = self.run_program("send", jobs, "--journal", journal, "--resume", "--endpoint",
                               f"smtp://127.0.0.1:{self.port}?tls=none", "--outcomes",
                               "by-hand.jsonl")
        self.assert_exit(run, 0)
        self.assertEqual(sink.stop().ids, Counter(f"hand-{number}" for number in range(3)))
        serve = self.start_serve()
        wait_until(lambda: not self.segments(), "what is done is gone")
        self.assert_ends_well(serve)

    def test_without_a_spool(self):
        path = self.folder / "none.toml"
        path.write_text('[endpoint.esp]\nhost = "127.0.0.1"\nsecurity = "none"\n[[listen.smtp]]\n'
                        'address = "127.0.0.1:0"\nreply = "stored"\n', encoding="utf-8")
        run = self.run_program("serve", "-c", path)
        self.assert_exit(run, 2)
        self.assert_says(run, 'spool = "DIR"')


class Platform(threading.Thread):
    """Sends one message after the other until it is told to stop, or the server is gone."""

    def __init__(self, name, address):
        super().__init__()
        self.address = address
        self.prefix = name
        self.answered = []  # ids that were answered 250
        self.tried = []
        self.is_over = threading.Event()

    def run(self):
        try:
            with smtplib.SMTP(*self.address, local_hostname="p.example", timeout=60) as client:
                while not self.is_over.is_set():
                    message_id = f"{self.prefix}-{len(self.tried)}"
                    self.tried.append(message_id)
                    if say(client, message_id)[0] == 250:
                        self.answered.append(message_id)
        except (OSError, smtplib.SMTPException):
            pass  # it was killed, or goes down


class Killed(SpoolTest):
    """Id by id: what was answered, what the provider has, what the outcome lines say."""

    def load(self, serve, name, end):
        """Sends by four connections until `end` has ended it; returns ids that were answered."""
        platforms = [Platform(f"{name}-{number}", serve.address()) for number in range(4)]
        for platform in platforms:
            platform.start()
        wait_until(lambda: all(platform.answered for platform in platforms), "mail is stored")
        end()
        for platform in platforms:
            platform.is_over.set()
            platform.join()
        return [message_id for platform in platforms for message_id in platform.answered]

    def test_kills_under_load(self):
        seed = int(os.environ.get("RINGPOST_SEED", random.SystemRandom().randrange(1 << 32)))
        print(f"RINGPOST_SEED={seed}", flush=True)
        chance = random.Random(seed)
        sink = self.sink("--latency", "3ms")
        answered = []
        for number in range(KILLS):
            serve = self.start_serve()

            def kill(serve=serve):
                time.sleep(chance.random() * 0.5)
                serve.program.signal(signal.SIGKILL)
                serve.program.wait(60)

            answered += self.load(serve, f"kill-{number}", kill)
        serve = self.start_serve()
        wait_until(lambda: self.words(answered) is not None, "all is told", 120)
        self.assert_ends_well(serve)
        words = self.words(answered)
        has = sink.stop().ids
        counts = Counter(words[message_id] for message_id in answered)
        print(f"{KILLS} kills, {len(answered)} answered: {dict(counts)}", flush=True)
        for message_id in answered:
            word, times = words[message_id], has[message_id]
            if word == "accepted":
                self.assertEqual(times, 1, message_id)
            else:
                self.assertEqual(word, "unknown", message_id)
                self.assertLessEqual(times, 1, message_id)
        self.assertEqual([message_id for message_id, times in has.items() if times > 1], [])
        self.assertEqual(self.segments(), [])

    def words(self, ids):
        """The last word on each of them; nothing while one has none."""
        words = {line["id"].removesuffix("@example.com"): line["status"]
                 for line in read_outcomes(self.folder / "outcomes.jsonl")}
        return words if all(message_id in words for message_id in ids) else None

    def test_restarts_under_load(self):
        """SIGTERM and a new start: nothing is lost, doubled or in doubt."""
        sink = self.sink("--latency", "3ms")
        answered = []
        for number in range(3):
            serve = self.start_serve()
            answered += self.load(serve, f"end-{number}", lambda serve=serve:
                                  self.assert_ends_well(serve))
        serve = self.start_serve()
        wait_until(lambda: self.words(answered) is not None, "all is told", 120)
        self.assert_ends_well(serve)
        words = self.words(answered)
        self.assertEqual({words[message_id] for message_id in answered}, {"accepted"})
        has = sink.stop().ids
        self.assertEqual(set(has.values()), {1})
        self.assertLessEqual(set(answered), set(has))
        self.assertEqual(self.segments(), [])


if __name__ == "__main__":
    unittest.main()
