"""`ringpost serve` as a client by HTTP meets it: outcomes while jobs are sent, clear refusals, and
nothing lost when a client goes.

Each class starts one sink and one `serve` for all of its cases. Needs $RINGPOST. Loopback only.
"""

import http.client
import json
import resource
import signal
import socket
import subprocess
import unittest
from contextlib import closing, suppress

from support.jobs import simple_job
from support.program import is_sanitized
from support.serve import ServeTest
from support.workspace import wait_until

LISTEN = '[[listen.http]]\naddress = "127.0.0.1:0"\n'
TOKEN = "c0rrect-h0rse-battery-stap1e"
HEAD = b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


def job_line(job_id, recipient="reader@example.net", **more):
    return (json.dumps(simple_job(job_id, (recipient,)) | more) + "\n").encode()


def chunk(octets):
    return b"%x\r\n%s\r\n" % (len(octets), octets)


class UnixConnection(http.client.HTTPConnection):
    """By the file of a socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=120)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class HttpTest(ServeTest):
    """One program for all cases of a class."""

    sections = LISTEN
    sink_flags = ()
    serve_variables = {"RINGPOST_MAX_ATTEMPTS": "1"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.case = cls()
        cls.case.setUp()
        cls.case.sink_server = cls.case.sink(*cls.sink_flags)
        cls.serve = cls.case.start_serve(cls.case.sink_server, cls.sections,
                                         **cls.serve_variables)
        cls.addClassCleanup(cls.case.doCleanups)

    def connect(self):
        connection = http.client.HTTPConnection(*self.serve.places["http"][0], timeout=120)
        self.addCleanup(connection.close)
        return connection

    def ask(self, method, path, body=None, **fields):
        """Status, fields and body of the answer on a connection of its own."""
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        with closing(self.connect()) as connection:
            connection.request(method, path, body, headers)
            with closing(connection.getresponse()) as answer:
                return answer.status, answer.headers, answer.read()

    def told(self, method, path, body=None, **fields):
        """Status and body as JSON."""
        status, _, octets = self.ask(method, path, body, **fields)
        return status, json.loads(octets)

    def stream(self, octets=b""):
        """A socket that has said these octets."""
        stream = socket.create_connection(self.serve.places["http"][0], timeout=120)
        self.addCleanup(stream.close)
        stream.sendall(octets)
        return stream

    def say(self, octets):
        """All that is answered to octets, up to the end of the connection."""
        with self.stream(octets) as stream:
            heard = b""
            with suppress(ConnectionResetError):
                while piece := stream.recv(65536):
                    heard += piece
        return heard.decode("utf-8", errors="replace")

    def outcomes_of(self, prefix):
        return {line["id"]: line["status"] for line in self.serve.outcomes()
                if line["id"].startswith(prefix)}

    def wait_for(self, prefix, count):
        wait_until(lambda: len(self.outcomes_of(prefix)) >= count, f"{count} outcomes of {prefix}")
        return self.outcomes_of(prefix)


class Jobs(HttpTest):
    """POST /v1/jobs."""

    def test_outcomes_come_while_jobs_are_sent(self):
        stream = self.stream(HEAD + chunk(job_line("one-by-one-0")))
        answer = stream.makefile("rb")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += answer.readline()
        self.assertIn(b"200 OK", head)
        for number in range(20):
            size = int(answer.readline(), 16)
            line = json.loads(answer.read(size))
            answer.read(2)
            self.assertEqual((line["id"], line["status"]), (f"one-by-one-{number}", "accepted"))
            if number < 19:
                stream.sendall(chunk(job_line(f"one-by-one-{number + 1}")))
        stream.sendall(b"0\r\n\r\n")
        self.assertEqual(answer.readline(), b"0\r\n")
        answer.close()

    def test_a_whole_list(self):
        lines = [job_line(f"list-{number}") for number in range(500)]
        lines.insert(250, b'{"id":"list-bad","from":"a@example.com","tex":"x"}\n\n')
        lines.append(job_line("list-reject", "reject-user@example.net"))
        status, fields, body = self.ask("POST", "/v1/jobs", b"".join(lines))
        self.assertEqual(status, 200)
        self.assertEqual(fields["Content-Type"], "application/x-ndjson")
        heard = {line["id"]: line for line in map(json.loads, body.splitlines())}
        self.assertEqual(len(heard), 502)
        self.assertIn('http:251: tex: unknown field; did you mean "text"?',
                      heard["list-bad"]["reason"])
        self.assertEqual(heard["list-reject"]["status"], "rejected")
        self.assertEqual(self.outcomes_of("list-"),
                         {name: line["status"] for name, line in heard.items()})

    def test_a_client_that_goes_leaves_jobs_on_their_way(self):
        """Those that a session has begun; all have outcomes, and they are true."""
        with self.stream(HEAD + b"".join(chunk(job_line(f"gone-{number}"))
                                         for number in range(50))) as stream:
            stream.recv(1)  # something was taken
        found = self.wait_for("gone-", 1)
        self.assertLessEqual(set(found.values()), {"accepted", "unsent"})

        def is_at_rest():
            return self.told("GET", "/v1/stats")[1]["under_way"]["messages"] == 0

        wait_until(is_at_rest, "nothing is under way")
        accepted = {name for name, status in self.outcomes_of("gone-").items()
                    if status == "accepted"}
        sink = self.case.sink_server
        wait_until(lambda: accepted == {message["x_id"] for message in sink.record()
                                        if message["x_id"].startswith("gone-")},
                   "the sink has those that were accepted")
        self.assertEqual(self.told("GET", "/healthz")[0], 200)

    def test_an_end_in_the_middle_says_where(self):
        heard = self.say(HEAD + chunk(job_line("middle-0") + b'{"id":') + b"no length\r\n")
        self.assertIn('"id":"middle-0"', heard)
        self.assertIn("nothing more was taken from line 2 on", heard)

    def test_services_and_templates(self):
        body = {"envelope_sender": "a@example.com", "recipients": [{"email": "b@example.net"}],
                "content": "Subject: x\r\nFrom: a@example.com\r\n\r\nHi\r\n"}
        status, answer = self.told("POST", "/api/inject/v1", json.dumps(body))
        self.assertEqual((status, answer), (200, {"success_count": 1, "fail_count": 0,
                                                  "failed_recipients": [], "errors": []}))
        posted = {"subject": "Hi", "from_email": "News <a@example.com>", "content_type": "html",
                  "body": "<p>Hi</p>", "attachments": None,
                  "recipients": [{"uuid": "u", "email": "reject-user@example.net", "name": "B",
                                  "attribs": {}, "status": "enabled"}],
                  "campaign": {"uuid": "c", "name": "N", "headers": [], "tags": []}}
        status, answer = self.told("POST", "/v1/listmonk", json.dumps(posted))
        self.assertEqual((status, answer["outcomes"][0]["status"]), (422, "rejected"))
        lines = [{"define": "t", "from": "a@example.com", "subject": "Hi {{n}}", "text": "Hi"},
                 {"id": "filled", "template": "t",
                  "recipients": [{"email": "c@example.net", "merge": {"n": "C"}}]}]
        _, _, octets = self.ask("POST", "/v1/jobs", "\n".join(map(json.dumps, lines)))
        self.assertEqual(json.loads(octets)["status"], "accepted")

    def test_curl_streams_both_ways(self):
        jobs = self.folder / "curl.jsonl"
        jobs.write_bytes(b"".join(job_line(f"curl-{number}") for number in range(2000)))
        host, port = self.serve.places["http"][0]
        run = subprocess.run(["curl", "--silent", "--show-error", "--fail", "-T", jobs, "-X",
                              "POST", f"http://{host}:{port}/v1/jobs"], capture_output=True,
                             timeout=300, check=True)
        self.assertEqual(len({json.loads(line)["id"] for line in run.stdout.splitlines()}), 2000)


class Inject(HttpTest):
    """POST /v1/inject, and what can be read."""

    def test_the_status_is_what_became_of_it(self):
        cases = {"fine@example.net": (200, "accepted"),
                 "reject-user@example.net": (422, "rejected"),
                 "defer-user@example.net": (503, "deferred"), "no address": (422, "invalid")}
        for recipient, (code, status) in cases.items():
            with self.subTest(recipient):
                told, answer = self.told("POST", "/v1/inject", job_line("inject-" + status,
                                                                        recipient))
                self.assertEqual(told, code)
                self.assertEqual([line["status"] for line in answer["outcomes"]], [status])
        told, answer = self.told("POST", "/v1/inject", json.dumps(
            simple_job("inject-both", ("fine@example.net", "reject-user@example.net"))))
        self.assertEqual((told, len(answer["outcomes"])), (207, 2))
        self.assertEqual(len(self.wait_for("inject-", 5)), 5)

    def test_refusals_say_what_to_do(self):
        cases = [("POST", "/v1/inject", "{", 400, "line 1, column"),
                 ("POST", "/v1/inject", "[]", 400, ""),
                 ("GET", "/v1/inject", None, 405, "POST"),
                 ("PUT", "/metrics", "x", 405, "GET"),
                 ("POST", "/v1/jbos", "x", 404, "did you mean /v1/jobs?"),
                 ("POST", "/v1/jobs?wait=accepted", "x", 501, "no spool"),
                 ("POST", "/v1/jobs?dialect=smtp", "x", 400, "dialect is one of")]
        for method, path, body, code, words in cases:
            with self.subTest(path, method=method):
                status, fields, octets = self.ask(method, path, body)
                self.assertEqual(status, code)
                self.assertEqual(set(json.loads(octets)), {"error", "hint"})
                self.assertIn(words, octets.decode())
                self.assertEqual("Allow" in fields, code == 405)
        self.assertEqual(self.told("POST", "/v1/inject", job_line("page"),
                                   Origin="http://evil.example")[0], 403)

    def test_bad_requests(self):
        cases = {b"GET / HTTP/1.1\r\n\r\n": "400", b"\x16\x03\x01\x02\x00\x01": "400",
                 b"POST /v1/inject HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n": "413",
                 b"POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000000\r\n\r\n": "413",
                 b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n": "431",
                 b"POST /v1/jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n": "501",
                 b"POST /v1/jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                 b"Content-Length: 3\r\n\r\n": "400",
                 HEAD + b"zzz\r\n": "400"}
        for octets, code in cases.items():
            with self.subTest(octets[:70]):
                self.assertTrue(self.say(octets).startswith(f"HTTP/1.1 {code} "))

    def test_requests_one_behind_the_other(self):
        body = job_line("pipelined")
        inject = b"POST /v1/inject HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (
            len(body), body)
        heard = self.say(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + inject +
                         b"GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.assertEqual(heard.count("HTTP/1.1 200 OK"), 3)
        self.assertLess(heard.index("alive"), heard.index('"id":"pipelined"'))
        self.assertLess(heard.index('"id":"pipelined"'), heard.index('"ready":true'))

    def test_stats(self):
        self.told("POST", "/v1/inject", job_line("stats"))
        status, stats = self.told("GET", "/v1/stats")
        self.assertEqual(status, 200)
        self.assertGreaterEqual(stats["outcomes"]["accepted"], 1)
        self.assertEqual(stats["endpoints"][0]["state"], "up")
        self.assertGreaterEqual(stats["listeners"]["http"]["connections"], 1)
        self.assertEqual(stats["under_way"]["messages"], 0)


class Bounds(HttpTest):
    """Few connections, little room, a token, a socket's file."""

    sections = (f'[serve]\nmessages_in_flight = 3\n{LISTEN}clients = 5\n'
                '[[listen.http]]\naddress = "unix:PATH"\ntoken_file = "token"\n')

    def toml(self, sink, sections):
        token = self.folder / "token"
        token.write_text(TOKEN + "\n", encoding="ascii")
        token.chmod(0o600)
        return super().toml(sink, sections.replace("PATH", str(self.folder / "http")))

    def test_the_token(self):
        for authorization, code in (("", 401), ("Bearer " + TOKEN[:-1], 401),
                                    ("Bearer " + TOKEN, 200)):
            with closing(UnixConnection(self.serve.places["http"][1])) as connection:
                connection.request("GET", "/v1/stats", headers={"Authorization": authorization})
                self.assertEqual(connection.getresponse().status, code)
        with closing(UnixConnection(self.serve.places["http"][1])) as connection:
            connection.request("GET", "/healthz")
            self.assertEqual(connection.getresponse().status, 200)

    def test_too_many_connections(self):
        held = [self.connect() for _ in range(5)]
        for connection in held:
            connection.request("GET", "/healthz")
            self.assertEqual(connection.getresponse().read(), b'{"alive":true}\n')
        status, fields, octets = self.ask("GET", "/healthz")
        self.assertEqual((status, fields["Retry-After"]), (503, "5"))
        self.assertIn(b"connections are open", octets)
        before = self.memory()
        for _ in range(3000):
            with suppress(OSError):
                self.stream().close()
        for connection in held:
            connection.close()
        wait_until(lambda: self.ask("GET", "/healthz")[0] == 200, "there is room again")
        if not is_sanitized():
            self.assertLess(self.memory() - before, 30_000_000)

    def test_no_room_is_429(self):
        """Three messages wait for a provider that says nothing; whoever comes then is put off."""
        watcher = self.connect()

        def under_way():
            watcher.request("GET", "/v1/stats")
            return json.loads(watcher.getresponse().read())["under_way"]["messages"]

        self.assertEqual(self.told("POST", "/v1/inject", job_line("room"))[0], 200)
        # It is counted until a moment behind its answer.
        wait_until(lambda: under_way() == 0, "nothing is under way")
        provider = self.case.sink_server.program
        provider.signal(signal.SIGSTOP)
        try:
            stream = self.stream(HEAD + b"".join(chunk(job_line(f"room-{number}"))
                                                 for number in range(3)) + b"0\r\n\r\n")
            wait_until(lambda: under_way() == 3, "three messages are under way")
            status, fields, octets = self.ask("POST", "/v1/inject", job_line("late"))
            self.assertEqual((status, fields["Retry-After"]), (429, "5"))
            self.assertIn(b"as many messages are under way as may be", octets)
            status, _, _ = self.ask("POST", "/v1/jobs", job_line("late"))
            self.assertEqual(status, 429)
        finally:
            provider.signal(signal.SIGCONT)
        heard = b""
        while not heard.endswith(b"0\r\n\r\n"):
            heard += stream.recv(65536)
        self.assertEqual(heard.count(b'"status":"accepted"'), 3)
        self.assertEqual(self.told("POST", "/v1/inject", job_line("late"))[0], 200)

    def memory(self):
        """Resident, in octets."""
        with open(f"/proc/{self.serve.program.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()


class Ends(ServeTest):
    """How it starts and how it ends."""

    def test_no_listener_for_other_machines(self):
        sink = self.sink()
        run = self.run_program("serve", "-c", self.toml(
            sink, '[[listen.http]]\naddress = "0.0.0.0:0"\n'), RINGPOST_PASSWORD="x")
        self.assert_exit(run, 2)
        self.assertIn("is not on loopback", run.stderr)

    def test_no_listener_with_a_token_that_others_know(self):
        """Too short, of what no header field can hold, readable by others, or not there."""
        sink = self.sink()
        token = self.folder / "token"
        cases = (("fifteen-letters", 0o600, "at least 16 printable characters"),
                 ("sixteen letters!", 0o600, "at least 16 printable characters"),
                 (TOKEN, 0o644, "other users may open it"), (None, 0o600, "No such file"))
        for text, mode, words in cases:
            token.unlink(missing_ok=True)
            if text:
                token.write_text(text + "\n", encoding="ascii")
                token.chmod(mode)
            run = self.run_program("serve", "-c", self.toml(
                sink, f'{LISTEN}token_file = "{token}"\n'), RINGPOST_PASSWORD="x")
            self.assert_exit(run, 2)
            self.assertIn(words, run.stderr)
            self.assertNotIn(TOKEN, run.stderr)

    def test_a_signal_ends_streams_with_words(self):
        serve = self.start_serve(self.sink(), LISTEN)
        with socket.create_connection(serve.places["http"][0], timeout=120) as stream:
            stream.sendall(HEAD + chunk(job_line("before")))
            heard = stream.recv(65536)
            serve.program.signal(signal.SIGTERM)
            while piece := stream.recv(65536):
                heard += piece
        self.assertIn(b'"id":"before"', heard)
        self.assertIn(b"ringpost ends and takes no more jobs; nothing more was taken from line 2",
                      heard)
        self.assert_exit(serve.program.wait(60), 0)
        self.assertEqual([line["id"] for line in serve.outcomes()], ["before"])


if __name__ == "__main__":
    unittest.main()
