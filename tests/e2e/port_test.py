"""Which of an endpoint's ports a run uses.

Goal: `ports` are tried in order where another one may do better, and nowhere else; which one is
used, and why, is said once and stands in the summary. Method: real sinks, and sockets of the
test's own for what no sink does: a port that takes connections and is silent, or takes none.
"""

import json
import socket
import threading
import time
import unittest

from support.jobs import simple_jobs
from support.program import USER
from support.sink import SinkTest
from support.workspace import free_port


class Blocked:
    """A port whose queue of connections is full: the kernel drops what comes, as firewalls do."""

    def __init__(self, cleanup):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        self.port = listener.getsockname()[1]
        cleanup(listener.close)
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            cleanup(filler.close)


class Listening:
    """A port that takes connections, says `words`, and nothing else. Counts them."""

    def __init__(self, cleanup, words=b""):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = []
        self.words = words
        threading.Thread(target=self.serve, daemon=True).start()
        cleanup(self.close)

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                connection.sendall(self.words)
            except OSError:
                return

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            connection.close()


class PortTest(SinkTest):
    """A good port behind one that is not."""

    def endpoint(self, sink, first, good="starttls", **settings):
        """Ports `first` and the sink's; returns the endpoint's name."""
        mode = {"starttls": "starttls", "tls": "implicit", "plain": "none"}[good]
        return self.configure(**{"host": "localhost",
                                 "ports": [*first, f"{sink.ports[good]} {mode}"],
                                 "username": USER, "ca_file": str(sink.certificate), **settings})

    def check(self, first, why, good="starttls", longest=25):
        """A run that goes to the sink's port `good` because of `why` on the port of `first`."""
        sink = self.sink(listeners=(good,))
        jobs = simple_jobs(20)
        begun = time.monotonic()
        run = self.send(jobs, self.endpoint(sink, [first], good), "--connections", "4",
                        "--summary", "json")
        self.assertLess(time.monotonic() - begun, longest)
        self.assert_all_accepted(run, jobs)
        number = int(str(first).split()[0])
        used = sink.ports[good]
        self.assertEqual(run.stderr.count(f"uses port {used}: {why} on {number}"), 1, run.stderr)
        self.assertNotIn("is away", run.stderr)
        endpoint = json.loads(run.stdout)["summary"]["endpoints"][0]
        self.assertEqual(endpoint["port"], used)
        self.assertEqual(endpoint["security"], "implicit" if good == "tls" else "starttls")
        self.assertEqual(endpoint["ports_passed_over"], [{"port": number, "why": why}])
        return run

    def test_closed(self):
        """A port that refuses connections."""
        self.check(free_port(), "no connection came about")

    def test_blocked(self):
        """A port on which nothing comes back costs seconds, not half a minute."""
        self.check(Blocked(self.addCleanup).port, "no connection came about", longest=15)

    def test_silent(self):
        """A port that takes connections and does not greet, with and without TLS."""
        silent = Listening(self.addCleanup)
        self.check(silent.port, "no greeting came")
        self.check(f"{silent.port} implicit", "no TLS came about")

    def test_another_protocol(self):
        """A port of something that is no mail server."""
        other = Listening(self.addCleanup, b"SSH-2.0-OpenSSH_9.6\r\n")
        self.check(other.port, "no greeting came")

    def test_tls_where_starttls_is_expected(self):
        """A port that waits for TLS is silent."""
        other = self.sink(listeners=("tls",))
        self.check(f"{other.ports['tls']} starttls", "no greeting came")

    def test_clear_text_where_tls_is_expected(self):
        """A port that greets in clear is no TLS."""
        other = self.sink(listeners=("starttls",))
        self.check(f"{other.ports['starttls']} implicit", "no TLS came about", good="tls")

    def test_without_starttls(self):
        """A server that has no STARTTLS on that port: nothing is sent to it."""
        other = self.sink(listeners=("plain",))
        self.check(f"{other.ports['plain']} starttls", "there was no STARTTLS")
        self.assertEqual(other.stop().record, [])

    def test_several_are_passed_over(self):
        """All that went before are told, in the text of the summary, too."""
        sink = self.sink()
        plain = self.sink(listeners=("plain",))
        dead = [free_port(), free_port()]
        first = [*dead, f"{plain.ports['plain']} starttls"]
        jobs = simple_jobs(3)
        run = self.send(jobs, self.endpoint(sink, first))
        self.assert_all_accepted(run, jobs)
        said = (f"uses port {sink.ports['starttls']}: no connection came about on {dead[0]}, "
                f"{dead[1]}; there was no STARTTLS on {plain.ports['plain']}")
        self.assertIn(said, run.stderr)
        self.assertIn(f"endpoint esp {said}\n", run.stdout.decode())


class OnePortTest(SinkTest):
    """What no other port may mend, and where there is none."""

    def check(self, first, words, exit_code=7, **settings):
        """A run that fails with `words` at the first port and never asks the second one."""
        second = Listening(self.addCleanup, b"220 second\r\n")
        name = self.configure(host="localhost", ports=[first, f"{second.port} starttls"],
                              username=USER, **settings)
        run = self.send(simple_jobs(3), name, "--patience", "2s")
        self.assert_exit(run, exit_code)
        self.assertIn(words, run.stderr)
        self.assertEqual(second.connections, [])

    def test_login_refused(self):
        """A password that is wrong is wrong everywhere, and tried once."""
        sink = self.sink(user="somebody.else@example.com")
        self.check(sink.ports["starttls"], "refused the user name or the password",
                   ca_file=str(sink.certificate))
        self.assertEqual(sink.stop().summary["auth_failed"], 1)

    def test_certificate_of_nobody(self):
        """A certificate that nobody vouches for."""
        sink = self.sink()
        self.check(sink.ports["starttls"], "certificate")

    def test_greeting_that_refuses(self):
        """What the server says holds."""
        greeting = Listening(self.addCleanup, b"554 5.7.1 go away\r\n")
        self.check(greeting.port, "554 5.7.1 go away")

    def test_port_that_is_written_is_the_only_one(self):
        """In a URL, as the key `port`, and beside a preset's list."""
        sink = self.sink()
        dead = free_port()
        name = self.configure(host="localhost", port=dead, preset="sendgrid", username=USER,
                              ca_file=str(sink.certificate))
        for endpoint in (name, f"smtp://{USER}@localhost:{dead}?preset=sendgrid"):
            run = self.send(simple_jobs(2), endpoint, "--patience", "1s")
            self.assert_exit(run, 7)
            self.assertIn(f"localhost:{dead} is away", run.stderr)
            self.assertNotIn("uses port", run.stderr)


if __name__ == "__main__":
    unittest.main()
