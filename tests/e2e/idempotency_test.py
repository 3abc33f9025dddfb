"""`idempotency_header` of an endpoint: what tells a provider that a message comes once more.

The key has to be there the first time, be the same when the same message is sent again, and be
another one when the same job goes to other recipients: a provider drops what it knows.
"""

import re
import unittest

from journal_test import COMPOSED, NO_ANSWER, ResumeTest
from support.jobs import simple_job, write_jobs
from support.scripted_server import (ScriptedServer, any_messages, expect, in_clear,
                                     read_to_the_end, say, take_content)
from support.sink import SinkTest
from support.workspace import wait_until

HEADER = "Resend-Idempotency-Key"


def keys_of(content):
    return [value.decode() for value in
            re.findall(rb"^" + HEADER.encode() + rb": ([^\r\n]*)\r$", content, re.M)]


class KeyTest(SinkTest):
    """What a sink is given, by STARTTLS and in flights."""

    def send_and_read(self, jobs, **settings):
        """{id: content} of what the sink took."""
        sink = self.sink("--record-content", "content")
        endpoint = self.configuration(sink, **settings)
        run = self.send(jobs, endpoint)
        self.assert_exit(run, 0)
        self.assert_strict(sink.stop())
        contents = [path.read_bytes() for path in (sink.folder / "content").iterdir()]
        self.assertEqual(len(contents), len(jobs))
        return {re.search(rb"^X-Id: ([^\r]*)\r$", content, re.M).group(1).decode(): content
                for content in contents}

    def test_keys(self):
        """Composed messages have one of their own, finished ones what their job says."""
        finished = simple_job("finished")
        named = {**simple_job("named"), "idempotency_key": "order-17"}
        composed = {**COMPOSED, "id": "composed"}
        chosen = {**COMPOSED, "id": "chosen", "headers": {"X-Id": "chosen"},
                  "idempotency_key": "order-18"}
        own = {**COMPOSED, "id": "own", "headers": {"X-Id": "own", HEADER: "mine"}}
        long_one = {**COMPOSED, "id": "i" * 300, "headers": {"X-Id": "long"}}
        found = self.send_and_read([finished, named, composed, chosen, own, long_one],
                                   idempotency_header=HEADER)
        self.assertEqual(keys_of(found["finished"]), [])
        self.assertEqual(found["finished"].decode(), finished["raw"])
        self.assertEqual(found["named"].decode(), f"{HEADER}: order-17\r\n" + named["raw"])
        self.assertRegex(keys_of(found["composed"])[0], r"^composed/[0-9a-f]{16}$")
        self.assertEqual(keys_of(found["chosen"]), ["order-18"])
        self.assertEqual(keys_of(found["own"]), ["mine"])
        self.assertRegex(keys_of(found["long"])[0], r"^[0-9a-f]{32}$")

    def test_nothing_without_the_setting(self):
        """Who does not ask for it gets messages as they were."""
        named = {**simple_job("named"), "idempotency_key": "order-17"}
        found = self.send_and_read([named, COMPOSED])
        self.assertEqual(found["named"].decode(), named["raw"])
        self.assertEqual(keys_of(found["composed"]), [])


class ResendTest(ResumeTest):
    """Messages that are sent once more."""

    def configure_for(self, server, **settings):
        return self.configure(host="127.0.0.1", port=server.port, security="none",
                              idempotency_header=HEADER, retry_pause="50ms", **settings)

    def test_resend_of_what_was_in_flight(self):
        """Octet for octet the same, key included."""
        server = ScriptedServer([*NO_ANSWER, read_to_the_end], [*in_clear(), any_messages],
                                cleanup=self.addCleanup)
        endpoint = self.configure_for(server)
        write_jobs(self.folder / "jobs.jsonl", [COMPOSED])
        program = self.start_run(endpoint)
        wait_until(lambda: server.messages, "the message has arrived")
        program.stop()
        run = self.finish_run(endpoint, "--resume", "--on-unknown", "resend")
        self.assert_exit(run, 0)
        first, second = server.messages
        self.assertEqual(len(keys_of(first)), 1)
        self.assertEqual(first, second)

    def two_recipients(self):
        return {**COMPOSED, "to": ["ann@example.net", "bob@example.net"]}

    def test_recipient_who_was_put_off(self):
        """The second transaction goes to others, and has a key of its own."""
        server = ScriptedServer(
            [*in_clear(), expect("MAIL"), say("250 ok"), expect("RCPT"), say("250 ok"),
             expect("RCPT"), say("450 later"), expect("DATA"), say("354 go"), take_content,
             say("250 ok"), any_messages], cleanup=self.addCleanup)
        run = self.send([self.two_recipients()], self.configure_for(server))
        self.assert_exit(run, 0)
        first, second = server.messages
        self.assertNotIn("/", keys_of(first)[0].partition("/")[2])
        self.assertTrue(keys_of(second)[0].startswith(keys_of(first)[0] + "/"))
        self.assertEqual(first.replace(keys_of(first)[0].encode(), b""),
                         second.replace(keys_of(second)[0].encode(), b""))

    def test_doubt_and_none_are_kept_apart(self):
        """Of two recipients one was in flight and one put off: the first is sent to again under the
        key that the provider may know, alone; the other one has a transaction of his own."""
        server = ScriptedServer(
            [*in_clear(), expect("MAIL"), say("250 ok"), expect("RCPT"), say("250 ok"),
             expect("RCPT"), say("450 later"), expect("DATA"), say("354 go"), take_content,
             read_to_the_end], [*in_clear(), any_messages], cleanup=self.addCleanup)
        endpoint = self.configure_for(server, max_attempts=1)
        write_jobs(self.folder / "jobs.jsonl", [self.two_recipients()])
        program = self.start_run(endpoint)
        wait_until(lambda: server.messages, "the message has arrived")
        program.stop()
        run = self.finish_run(endpoint, "--resume", "--on-unknown", "resend")
        self.assertEqual(run.statuses()["accepted"], 2, run.describe())
        first, second, third = server.messages
        self.assertEqual(first, second)
        self.assertTrue(keys_of(third)[0].startswith(keys_of(first)[0] + "/"))
        recipients = [line for under_tls, line in server.dialogues[1].lines
                      if line.startswith("RCPT")]
        self.assertEqual(len(recipients), 2, recipients)
        self.assertIn("ann@", recipients[0])
        self.assertIn("bob@", recipients[1])


if __name__ == "__main__":
    unittest.main()
