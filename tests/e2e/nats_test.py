"""`ringpost serve` with jobs from NATS JetStream: real servers, nodes that end and are killed, and
every id in the stream of outcomes against the sink's record.

Needs $RINGPOST and nats-server; RINGPOST_NATS_SERVER names another one than this machine's.
Loopback only.
"""

import json
import signal
import time
from collections import Counter

from support.jobs import simple_job
from support.nats import NATS_SERVER, NatsCluster
from support.program import PASSWORD
from support.serve import Serve, ServeTest
from support.workspace import main, temporary_folder, wait_until

OUTCOMES = "RINGPOST_OUTCOMES"
JOBS = "RINGPOST_JOBS"


def job(job_id, *recipients, **more):
    return simple_job(job_id, recipients or ("reader@example.net",)) | more


class NatsTest(ServeTest):
    """One cluster for the cases of a class; streams are made anew for each."""

    servers = 1
    ack_wait = 30  # so that no machine is too busy for it

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster = NatsCluster(temporary_folder(cls.addClassCleanup), cls.addClassCleanup,
                                  size=cls.servers)

    def setUp(self):
        super().setUp()
        self.client = self.cluster.client()
        for stream in (JOBS, OUTCOMES, "KV_ringpost"):
            self.client.api(f"STREAM.DELETE.{stream}")

    def set_up_streams(self, *flags, expected=0):
        run = self.run_program("nats", "setup", "--url", self.cluster.url, "--replicas",
                               str(self.servers), "--ack-wait", f"{self.ack_wait}s", *flags)
        self.assert_exit(run, expected)
        return run.stdout.decode()

    def section(self, **settings):
        settings.setdefault("url", self.cluster.url)
        return "[nats]\n" + "\n".join(f"{key} = {json.dumps(value)}"
                                      for key, value in settings.items())

    def node(self, sink, **settings):
        """One of several nodes, in a folder of its own."""
        folder = temporary_folder(self.addCleanup, self.folder)
        ready = folder / "serve-ready.json"
        program = self.start("serve", "-c", self.toml(sink, self.section(**settings)),
                             "--outcomes", folder / "outcomes.jsonl", "--ready-file", ready,
                             RINGPOST_PASSWORD=PASSWORD, RINGPOST_MAX_ATTEMPTS="1",
                             RINGPOST_STATE="none")
        return Serve(program, folder)

    def told(self):
        """All lines of the stream of outcomes."""
        return [json.loads(line) for line in self.client.messages(OUTCOMES).values()]

    def wait_for_told(self, count, seconds=60):
        wait_until(lambda: self.client.state(OUTCOMES)["messages"] >= count,
                   f"{count} outcomes in the stream", seconds)
        return self.told()

    def wait_for_all_settled(self, seconds=60):
        wait_until(lambda: self.client.state(JOBS)["messages"] == 0, "no job is left", seconds)

    def by_id(self):
        found = {}
        for line in self.told():
            found.setdefault(line["id"], []).append(line)
        return found


class OneServer(NatsTest):
    """What becomes of jobs, with a server alone."""

    def test_setup_creates_explains_and_changes_nothing(self):
        first = self.set_up_streams()
        for word in ("created", "workqueue", "duplicate_window = 10m", "ack_wait = 30s",
                     "max_deliver = -1", "sync_interval"):
            self.assertIn(word, first)
        second = self.set_up_streams()
        self.assertNotIn("created", second)
        self.assertNotIn("differs", second)
        run = self.run_program("nats", "setup", "--url", self.cluster.url, "--ack-wait", "9s")
        self.assert_exit(run, 1)
        self.assertIn("ack_wait is 30s and not 9s", run.stdout.decode())
        config = self.client.api(f"CONSUMER.INFO.{JOBS}.ringpost")["config"]
        self.assertEqual(config["ack_wait"], self.ack_wait * 10**9)

    def test_setup_and_serve_say_what_is_missing(self):
        run = self.run_program("nats", "setup")
        self.assert_exit(run, 2)
        self.assertIn("--url", run.stderr)
        run = self.run_program("nats", "setup", "--url", "nats://user:s3cret@127.0.0.1:1")
        self.assert_exit(run, 1)
        self.assertIn("127.0.0.1:1", run.stderr)
        self.assertNotIn("s3cret", run.stderr)
        sink = self.sink()
        run = self.run_program("serve", "-c", self.toml(sink, self.section()),
                               RINGPOST_PASSWORD=PASSWORD)
        self.assert_exit(run, 2)
        self.assertIn("ringpost nats setup", run.stderr)

    def test_each_job_ends_as_it_should(self):
        self.set_up_streams()
        sink = self.sink()
        serve = self.node(sink, retry_after="1s", rounds=2)
        jobs = [job(f"good-{number}") for number in range(50)]
        jobs.append(job("refused", "reject@example.net"))
        jobs.append(job("mixed", "reject@example.net", "reader@example.net"))
        jobs.append({"id": "fan", "from": "sender@example.com", "subject": "Hello", "text": "Hi",
                     "headers": {"X-Id": "fan"},
                     "recipients": [{"email": f"fan{number}@example.net"}
                                    for number in range(3)]})
        self.cluster.publish_jobs(self.client, jobs)
        self.client.request("ringpost.jobs.test", b'{"id": "broken", "nonsense": 1}')
        self.client.request("ringpost.jobs.test", b"no JSON at all")
        self.wait_for_all_settled()
        lines = self.told()
        statuses = Counter((line["id"], line["rcpt"], line["status"]) for line in lines)
        self.assertEqual(set(statuses.values()), {1})
        for number in range(50):
            self.assertIn((f"good-{number}", "reader@example.net", "accepted"), statuses)
        self.assertIn(("refused", "reject@example.net", "rejected"), statuses)
        self.assertIn(("mixed", "reject@example.net", "rejected"), statuses)
        self.assertIn(("mixed", "reader@example.net", "accepted"), statuses)
        self.assertEqual(sum(line["id"] == "fan" and line["status"] == "accepted"
                             for line in lines), 3)
        invalid = [line for line in lines if line["status"] == "invalid"]
        self.assertEqual(len(invalid), 2)
        self.assertIn("nonsense", " ".join(line["reason"] for line in invalid))
        serve.program.signal(signal.SIGTERM)
        self.assert_exit(serve.program.wait(60), 0)
        report = sink.stop()
        self.assertEqual(sum(report.ids.values()), 50 + 1 + 3)
        # The same lines stand in the node's own file.
        self.assertEqual(len(serve.outcomes()), len(lines))

    def test_what_was_put_off_has_another_round(self):
        self.set_up_streams()
        sink = self.sink()
        self.node(sink, retry_after="1s", rounds=2)
        self.cluster.publish_jobs(self.client, [job("later", "defer@example.net"),
                                                job("some", "defer@example.net",
                                                    "reader@example.net")])
        self.wait_for_all_settled()
        found = self.by_id()
        self.assertEqual([line["status"] for line in found["later"]], ["deferred"])
        self.assertEqual(sorted(line["status"] for line in found["some"]),
                         ["accepted", "deferred"])

    def test_a_node_that_ends_gives_back_what_it_has_not_sent(self):
        self.set_up_streams()
        sink = self.sink("--latency", "100ms")
        first = self.node(sink, jobs_in_flight=100)
        self.cluster.publish_jobs(self.client, [job(f"end-{number}") for number in range(200)])
        self.wait_for_told(20)
        second = self.node(sink, jobs_in_flight=100)
        first.program.signal(signal.SIGTERM)
        self.assert_exit(first.program.wait(60), 0)
        self.wait_for_all_settled()
        statuses = Counter(line["status"] for line in self.told())
        self.assertEqual(statuses, {"accepted": 200})
        second.program.signal(signal.SIGTERM)
        self.assert_exit(second.program.wait(60), 0)
        self.assertEqual(set(sink.stop().ids.values()), {1})


class LateAnswers(NatsTest):
    """A server that stands still for longer than a node waits for an answer."""

    ack_wait = 4  # a sixth of it is waited

    def test_answers_that_come_too_late_harm_nothing(self):
        self.set_up_streams()
        sink = self.sink("--latency", "5ms")
        node = self.node(sink, batch=20)
        server = self.cluster.servers[0].process
        for turn in range(3):
            self.cluster.publish_jobs(self.client, [job(f"late-{turn}-{number}")
                                                    for number in range(100)])
            server.send_signal(signal.SIGSTOP)
            time.sleep(1.5)
            server.send_signal(signal.SIGCONT)
        self.wait_for_all_settled()
        self.assertEqual(Counter(line["status"] for line in self.told()), {"accepted": 300})
        node.program.signal(signal.SIGTERM)
        self.assert_exit(node.program.wait(60), 0)
        self.assertEqual(Counter(sink.stop().ids.values()), {1: 300})


class Cluster(NatsTest):
    """Three servers, nodes, and SIGKILL."""

    servers = 3
    ack_wait = 4  # after which others take the jobs of a dead node

    def check_against_record(self, count, prefix, report):
        """Nothing is lost; what was sent twice or not at all is `unknown`."""
        found = self.by_id()
        self.assertEqual(set(found), {f"{prefix}-{number}" for number in range(count)})
        unknown = 0
        for name, lines in found.items():
            self.assertEqual(len(lines), 1, lines)
            status = lines[0]["status"]
            sent = report.ids[name]
            if status == "accepted":
                self.assertEqual(sent, 1, name)
            else:
                self.assertEqual(status, "unknown", lines)
                self.assertLessEqual(sent, 1, name)
                unknown += 1
        return unknown

    def test_a_killed_node_leaves_its_jobs_unknown_and_nothing_lost(self):
        self.set_up_streams()
        sink = self.sink("--latency", "20ms")
        nodes = [self.node(sink, jobs_in_flight=50, batch=20) for _ in range(2)]
        self.cluster.publish_jobs(self.client, [job(f"kill-{number}") for number in range(250)])
        self.wait_for_told(50)
        nodes[0].program.signal(signal.SIGKILL)
        nodes[0].program.wait(60)
        self.wait_for_all_settled()
        unknown = self.check_against_record(250, "kill", sink.stop())
        self.assertLessEqual(unknown, 50)

    def test_a_killed_server_loses_and_doubles_nothing(self):
        self.set_up_streams()
        sink = self.sink("--latency", "20ms")
        nodes = [self.node(sink, jobs_in_flight=50, batch=20) for _ in range(2)]
        self.cluster.publish_jobs(self.client, [job(f"cut-{number}") for number in range(250)])
        self.wait_for_told(50)
        leader = self.client.api(f"STREAM.INFO.{JOBS}")["cluster"]["leader"]
        victim = self.cluster.servers[int(leader[1:])]
        victim.kill()
        self.addCleanup(lambda: victim.start() if victim.process.poll() is not None else None)
        survivor = (self.cluster.servers.index(victim) + 1) % self.servers
        wait_until(lambda: self.cluster.has_leaders(survivor, JOBS, OUTCOMES),
                   "the streams have leaders again", seconds=60)
        self.client = self.cluster.client(survivor)
        self.wait_for_all_settled()
        for node in nodes:
            node.program.signal(signal.SIGTERM)
            self.assert_exit(node.program.wait(60), 0)
        self.check_against_record(250, "cut", sink.stop())
        victim.start()


if __name__ == "__main__":
    main("" if NATS_SERVER else "there is no nats-server")
