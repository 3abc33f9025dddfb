"""Endpoints that are partly there, away for a while, or gone.

Goal: whatever addresses of a name are dead, and whatever a relay does between stop and start,
nothing is unsent that could be sent, nothing is sent twice, and what is waited for is said. Method:
scripted servers and sinks on addresses of 127.0.0.0/8 and ::1, found by a name of nss_wrapper's.
"""

import json
import signal
import socket
import time
import unittest
from collections import Counter
from datetime import datetime, timezone
from glob import glob
from pathlib import Path

from support.jobs import simple_jobs
from support.program import PASSWORD, PROGRAM, USER, ProgramTest
from support.scripted_server import (ScriptedServer, any_messages, hang_up, in_clear, one_message,
                                     read_to_the_end, say)
from support.sink import Sink, SinkTest
from support.workspace import free_port, wait_until

WRAPPERS = glob("/usr/lib/*/libnss_wrapper.so")
NAME = "relay.test"


def is_sanitized():
    octets = Path(PROGRAM).read_bytes()
    return b"__asan_init" in octets or b"__tsan_init" in octets


class NameTest(ProgramTest):
    """With a name that stands for the addresses that a test wants."""

    def setUp(self):
        super().setUp()
        if not WRAPPERS:
            self.skipTest("no libnss_wrapper.so on this machine")
        if is_sanitized():
            self.skipTest("a sanitizer's runtime and a preloaded library do not go together")
        self.hosts = self.folder / "hosts"

    def point_to(self, *addresses):
        new = self.folder / "hosts.new"
        new.write_text("".join(f"{address} {NAME}\n" for address in addresses), encoding="ascii")
        new.rename(self.hosts)

    def names(self):
        return {"LD_PRELOAD": WRAPPERS[0], "NSS_WRAPPER_HOSTS": str(self.hosts)}

    def server(self, *scripts, host, port=0, **more):
        return ScriptedServer(*scripts, cleanup=self.addCleanup, host=host, port=port, **more)

    def endpoint(self, port):
        return f"smtp://{NAME}:{port}?tls=none"

    def full_backlog(self, host, port):
        """A socket that listens and takes nobody any more: the SYNs of others are dropped."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.addCleanup(listener.close)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(3):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self.addCleanup(filler.close)
            filler.setblocking(False)
            filler.connect_ex((host, port))


class AddressTest(NameTest):
    """Names with several addresses."""

    def test_dead_addresses_before_the_living_one(self):
        """Four and eight that refuse: nobody notices."""
        for dead in (4, 8):
            with self.subTest(dead=dead):
                server = self.server([*in_clear(), any_messages], host=f"127.0.1.{dead + 1}")
                self.point_to(*(f"127.0.1.{i + 1}" for i in range(dead + 1)))
                jobs = simple_jobs(20, prefix=f"after{dead}-")
                run = self.send(jobs, self.endpoint(server.port), **self.names())
                self.assert_all_accepted(run, jobs)
                self.assertLess(run.seconds, 10)

    def test_addresses_that_never_answer(self):
        """Two whose backlog is full cost a quarter of a second each, not half a minute."""
        server = self.server([*in_clear(), any_messages], host="127.0.2.3")
        for host in ("127.0.2.1", "127.0.2.2"):
            self.full_backlog(host, server.port)
        self.point_to("127.0.2.1", "127.0.2.2", "127.0.2.3")
        jobs = simple_jobs(20)
        run = self.send(jobs, self.endpoint(server.port), **self.names())
        self.assert_all_accepted(run, jobs)
        self.assertLess(run.seconds, 9)

    def test_other_family(self):
        """Nobody is at ::1, and somebody at 127.0.0.1; and the other way round."""
        for host, others in (("127.0.3.1", "::1"), ("::1", "127.0.3.1")):
            with self.subTest(host=host):
                server = self.server([*in_clear(), any_messages], host=host)
                self.point_to(others, host)
                jobs = simple_jobs(5, prefix=f"at{host.count(':')}-")
                run = self.send(jobs, self.endpoint(server.port), **self.names())
                self.assert_all_accepted(run, jobs)

    def test_one_of_two_refuses_in_its_greeting(self):
        """554 and 421 of one address are that address's: everything goes to the other."""
        for number, greeting in enumerate(("554 5.7.1 no", "421 4.3.2 not now", "500 what?")):
            with self.subTest(greeting=greeting):
                good = self.server([*in_clear(), any_messages], host=f"127.0.4.{2 * number + 2}")
                bad = self.server([say(greeting), read_to_the_end],
                                  host=f"127.0.4.{2 * number + 1}", port=good.port)
                self.point_to(bad.host, good.host)
                jobs = simple_jobs(50, prefix=f"greeting{number}-")
                run = self.send(jobs, self.endpoint(good.port), "--connections", "4",
                                **self.names())
                self.assert_all_accepted(run, jobs)
                self.assertLessEqual(len(bad.dialogues), 2)

    def test_one_of_two_greets_without_end(self):
        """Words without a last line hold an address as silence does: the other one is taken."""
        def greet_for_ever(dialogue):
            while not dialogue.server.stopping.wait(0.4):
                dialogue.send(b"220-please wait\r\n")

        good = self.server([*in_clear(), any_messages], host="127.0.9.2")
        bad = self.server([greet_for_ever], host="127.0.9.1", port=good.port)
        self.point_to(bad.host, good.host)
        jobs = simple_jobs(20)
        run = self.send(jobs, self.endpoint(good.port), "--connections", "1", **self.names())
        self.assert_all_accepted(run, jobs)
        self.assertLess(run.seconds, 25)
        self.assertNotIn("has not greeted", run.stderr)  # which is said of ports that want TLS

    def test_sessions_are_shared_out(self):
        """Two addresses that are well have sessions each."""
        few = [*in_clear(), *one_message() * 5, hang_up]
        first = self.server(few, host="127.0.5.1")
        second = self.server(few, host="127.0.5.2", port=first.port)
        self.point_to(first.host, second.host)
        jobs = simple_jobs(60)
        run = self.send(jobs, self.endpoint(first.port), "--connections", "1", **self.names())
        self.assert_all_accepted(run, jobs)
        self.assertGreaterEqual(min(len(first.messages), len(second.messages)), 20)

    def test_name_that_moves(self):
        """The relay is started again somewhere else: its name is looked up again."""
        old = self.server([*in_clear(), *one_message() * 3, hang_up],
                          [say("421 4.3.2 closed for good"), read_to_the_end], host="127.0.6.1")
        self.point_to(old.host)
        new = self.server([*in_clear(), any_messages], host="127.0.6.2", port=old.port)
        jobs = simple_jobs(60)
        program = self.start_send(jobs, self.endpoint(old.port), "--connections", "1",
                                  **self.names())
        wait_until(lambda: len(old.dialogues) > 1, "the old one is closed")
        self.point_to(new.host)
        run = self.finish(program)
        self.assert_all_accepted(run, jobs)
        self.assert_says(run, "is away", "is back")


class PatienceTest(SinkTest):
    """A relay that is away for a while, or for good."""

    def test_nobody_there(self):
        """--patience says how long a port that refuses is tried, and it is said once."""
        jobs = simple_jobs(50)
        endpoint = f"smtp://127.0.0.1:{free_port()}?tls=none"
        run = self.send(jobs, endpoint, "--patience", "2s")
        self.assert_exit(run, 7)
        self.assertEqual(run.statuses(), {"unsent": 50})
        self.assertGreaterEqual(run.seconds, 2)
        self.assertLess(run.seconds, 8)
        self.assert_says(run, "is away", "connection refused", "trying again for up to 2 s")
        self.assertEqual(run.stderr.count("is away"), 1)
        self.assertIn("Connection refused", run.outcomes[0]["reason"])

    def test_port_that_says_nothing(self):
        """It takes connections and is silent: not much longer than the user wants to wait."""
        for patience, seconds in (("0", 9), ("3s", 12)):
            with self.subTest(patience=patience):
                server = ScriptedServer([read_to_the_end], cleanup=self.addCleanup)
                jobs = simple_jobs(2, prefix=f"silent{patience}-")
                run = self.send(jobs, server.endpoint(user=USER), "--patience", patience)
                self.assert_exit(run, 7)
                self.assertLess(run.seconds, seconds)
                # What it may be is said all the same.
                self.assert_says(run, "has not greeted for", "smtps://")

    def test_no_patience_at_all(self):
        """One try, which a server that is there gets through."""
        sink = self.sink("--latency", "50ms")
        jobs = simple_jobs(5)
        self.assert_all_accepted(self.send(jobs, sink.endpoint(), "--patience", "0"), jobs)
        run = self.send(jobs, f"smtp://127.0.0.1:{free_port()}?tls=none", "--patience", "0")
        self.assert_exit(run, 7)
        self.assertLess(run.seconds, 3)

    def test_as_much_patience_as_there_is(self):
        """A year is the most, and no sum with it overflows."""
        sink = self.sink()
        jobs = simple_jobs(5)
        self.assert_all_accepted(self.send(jobs, sink.endpoint(), "--patience", "8784h"), jobs)
        run = self.send(jobs, f"smtp://127.0.0.1:{free_port()}?tls=none", "--patience", "8784h",
                        "--deadline", "2s")
        self.assertEqual(set(run.statuses()), {"expired"}, run.describe())

    def test_in_the_environment_and_the_configuration(self):
        """RINGPOST_PATIENCE, [send] and the endpoint's own key do the same."""
        port = free_port()
        ways = (({}, {"RINGPOST_PATIENCE": "1s"}), ({"patience": "1s"}, {}))
        for settings, environment in ways:
            with self.subTest(settings=settings):
                name = self.configure(host="127.0.0.1", port=port, security="none", **settings)
                run = self.send(simple_jobs(2), name, **environment)
                self.assert_exit(run, 7)
                self.assertLess(run.seconds, 8)

    def test_deadline_before_patience(self):
        """The deadline ends the waiting, and the outcome says what was waited for."""
        greetings = ("421 4.3.2 closed for maintenance", "554 5.7.1 no")
        server = ScriptedServer([*in_clear(), *one_message(), hang_up],
                                [say(greetings[0]), read_to_the_end], cleanup=self.addCleanup)
        jobs = simple_jobs(5)
        run = self.send(jobs, server.endpoint(tls="none"), "--connections", "1", "--deadline", "2s")
        self.assert_exit(run, 5)
        self.assertLess(run.seconds, 8)
        expired = [one for one in run.outcomes if one["status"] == "expired"]
        self.assertTrue(expired, run.describe())
        for outcome in expired:
            self.assertEqual((outcome["stage"], outcome["code"], outcome["text"]),
                             ("greeting", 421, "closed for maintenance"))
            self.assertIn("the endpoint's last error", outcome["reason"])

    def test_progress_says_it(self):
        """The progress names what is waited for."""
        endpoint = f"smtp://127.0.0.1:{free_port()}?tls=none"
        run = self.send(simple_jobs(1), endpoint, "--patience", "12s", "--progress", "json")
        lines = [json.loads(line) for line in run.stderr.splitlines() if line.startswith('{"prog')]
        away = lines[0]["progress"]["endpoints_away"]
        self.assertEqual(away[0]["endpoint"], "127.0.0.1")
        self.assertGreater(away[0]["seconds"], 1)
        self.assertIn("Connection refused", away[0]["error"])

    def restart(self, *flags, job_count, seconds):
        """A sink is killed in the middle of a run, and is there again after some seconds."""
        sink = self.sink("--latency", "5ms", listeners=("plain",))
        jobs = simple_jobs(job_count)
        program = self.start_send(jobs, sink.endpoint("plain"), *flags)
        wait_until(lambda: len(sink.record()) > job_count // 10, "some have arrived")
        sink.program.process.send_signal(signal.SIGKILL)
        sink.program.process.wait()
        before = sink.record()
        time.sleep(seconds)
        again_at = datetime.now(timezone.utc).isoformat()
        again = Sink(self.folder, cleanup=self.addCleanup, listeners=("plain",),
                     port=sink.ports["plain"])
        run = self.finish(program)
        self.assert_each_recipient_once(run, jobs)
        # What was handed over when it died can only be unknown.
        statuses = run.statuses()
        unknown = statuses.pop("unknown", 0)
        self.assertEqual(statuses, {"accepted": len(jobs) - unknown}, run.describe())
        self.assert_exit(run, 6 if unknown else 0)
        self.assert_says(run, "is away", "is back")
        after = again.stop().record
        taken = Counter(one["x_id"] for one in before + after)
        self.assertFalse([name for name, count in taken.items() if count > 1], "sent twice")
        # Of the first one's record the end is lost with it.
        accepted = {one["id"] for one in run.outcomes
                    if one["status"] == "accepted" and one["ts"] > again_at}
        self.assertGreater(len(accepted), 0)
        self.assertEqual(accepted, {one["x_id"] for one in after})

    def test_restart_of_three_seconds(self):
        """Nothing is unsent."""
        self.restart(job_count=10000, seconds=3)

    def test_restart_in_lock_step(self):
        """Nor with one session and one attempt more than none."""
        self.restart("--connections", "2", "--pipeline", "off", "--max-attempts", "2",
                     job_count=2000, seconds=1)

    def test_two_endpoints(self):
        """What one of two leaves unsent is said in the summary."""
        server = ScriptedServer([*in_clear(), any_messages], cleanup=self.addCleanup)
        port = free_port()
        nobody = f"smtp://localhost:{port}?tls=none"
        jobs = simple_jobs(40)
        for job in jobs[:10]:
            job["endpoint"] = f"localhost:{port}"
        run = self.send(jobs, server.endpoint(tls="none"), "-e", nobody, "--patience", "1s")
        self.assert_exit(run, 7)
        self.assertEqual(run.statuses()["accepted"], 30, run.describe())
        self.assertIn(b"left 10 recipients of its share unsent while another endpoint worked",
                      run.stdout)


class LoginTest(SinkTest):
    """Logins that were taken before and are refused now."""

    def run_with(self, refusals):
        """Three sessions are let in and take six messages; then some are refused."""
        # Not equally many each, which would be a limit of the server's.
        taken = [[*in_clear("AUTH PLAIN"), self.auth("235 2.7.0 welcome"),
                  *one_message() * messages, hang_up] for messages in (2, 1, 3)]
        refused = [*in_clear("AUTH PLAIN"), self.auth("535 5.7.8 no"), read_to_the_end]
        rest = [*in_clear("AUTH PLAIN"), self.auth("235 2.7.0 welcome"), any_messages]
        server = ScriptedServer(*taken, *[refused] * refusals, rest, cleanup=self.addCleanup)
        name = self.configure(host="127.0.0.1", port=server.port, security="none", username=USER,
                              allow_plaintext_auth=True)
        jobs = simple_jobs(30)
        return server, jobs, self.send(jobs, name, "--connections", "1",
                                       RINGPOST_PASSWORD=PASSWORD)

    @staticmethod
    def auth(reply):
        def step(dialogue):
            dialogue.read_line()
            dialogue.send(reply.encode() + b"\r\n")
        return step

    def test_a_single_refusal(self):
        """535 at the fourth login, and a welcome at the fifth: everything is sent."""
        server, jobs, run = self.run_with(1)
        self.assert_all_accepted(run, jobs)
        self.assertEqual(len(server.dialogues), 5)
        self.assert_says(run, "refuses a login that it has taken before")

    def test_three_refusals(self):
        """Three in a row end it, with pauses between them, and nobody tries a fourth time."""
        server, jobs, run = self.run_with(9)
        self.assert_exit(run, 7)
        self.assertEqual(len(server.dialogues), 6)
        self.assertGreater(run.seconds, 4)
        self.assertEqual(run.statuses(), {"accepted": 6, "unsent": 24}, run.describe())
        self.assertEqual({one["code"] for one in run.outcomes if one["status"] == "unsent"}, {535})


if __name__ == "__main__":
    unittest.main()
