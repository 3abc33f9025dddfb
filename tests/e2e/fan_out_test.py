"""`recipients`, `define`, `template` and `merge`: one message and one outcome for each recipient,
whatever is wrong with the others, with several readers, and through kills and resumes."""

import email
import email.policy
import re
import signal
import unittest
from collections import Counter

from support.fates import afterthoughts, last_words
from support.jobs import line_of, read_outcomes, write_jobs
from support.program import OUTCOMES, PASSWORD, terminate
from support.sink import SinkTest
from support.workspace import wait_until

JOBS = "jobs.jsonl"
JOURNAL = "run.journal"
FROM = "News <news@example.com>"


def subscriber(number, **more):
    return {"email": f"reader-{number}@example.net", "name": f"Reader {number}",
            "id": f"s-{number}", "merge": {"number": number}, **more}


def newsletter(job_id, recipients, **more):
    return {"id": job_id, "from": FROM, "subject": "Number {{number}}",
            "text": "Hello {{name}}, you are {{number}}.\n",
            "html": "<p>Hello {{name}}, you are <b>{{number}}</b>.</p>",
            "headers": {"X-Id": job_id}, "recipients": recipients, **more}


def using(template, job_id, recipients, **more):
    return {"id": job_id, "template": template, "headers": {"X-Id": job_id},
            "recipients": recipients, **more}


def definition(name, **more):
    return {"define": name, "from": FROM, "subject": "{{topic}} for {{name}}",
            "text": "{{topic}}, {{name}}!\n", "merge": {"topic": "News"}, **more}


class FanOutCase(SinkTest):
    """A test case with lines that are several messages."""

    def send_lines(self, lines, sink, *flags):
        write_jobs(self.folder / JOBS, lines)
        return self.run_program("send", JOBS, "-e", sink.endpoint(), "-o", OUTCOMES, *flags,
                                RINGPOST_PASSWORD=PASSWORD)

    def outcomes(self):
        return read_outcomes(self.folder / OUTCOMES)

    def keeping_sink(self):
        """A sink that stores what it takes."""
        contents = self.folder / "contents"
        contents.mkdir()
        return self.sink("--record-content", str(contents)), contents

    def messages(self, contents):
        """What the sink has, by the address in To."""
        found = {}
        for path in contents.iterdir():
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            found[message["To"].addresses[0].addr_spec] = message
        return found


class FanOutTest(FanOutCase):

    def test_a_message_and_an_outcome_each(self):
        sink, contents = self.keeping_sink()
        job = newsletter("weekly", [subscriber(number) for number in range(20)],
                         metadata={"campaign": 47, "kind": "all"}, tags=["weekly"],
                         envelope={"from": "bounce+{{id}}@example.com"})
        job["recipients"][3]["metadata"] = {"kind": "own", "row": 3}
        job["recipients"].append("plain <reader-20@example.net>")
        job["merge"] = {"number": "nobody's"}
        job["envelope"] = {"from": "bounce+{{email|url}}@example.com"}
        run = self.send_lines([job], sink)
        self.assert_exit(run, 0)
        report = sink.stop()
        self.assert_strict(report)
        addresses = [f"reader-{number}@example.net" for number in range(21)]
        self.assertEqual(report.recipients(),
                         Counter(("weekly", address) for address in addresses))
        self.assertEqual({message["from"] for message in report.record},
                         {f"bounce+{address.replace('@', '%40')}@example.com"
                          for address in addresses})
        outcomes = {outcome["rcpt"]: outcome for outcome in self.outcomes()}
        self.assertEqual(sorted(outcomes), sorted(addresses))
        for number in range(20):
            outcome = outcomes[addresses[number]]
            self.assertEqual((outcome["id"], outcome["rcpt_id"], outcome["status"]),
                             ("weekly", f"s-{number}", "accepted"))
            self.assertEqual(outcome["tags"], ["weekly"])
        self.assertNotIn("rcpt_id", outcomes[addresses[20]])
        self.assertEqual(outcomes[addresses[4]]["metadata"], {"campaign": 47, "kind": "all"})
        self.assertEqual(outcomes[addresses[3]]["metadata"],
                         {"campaign": 47, "kind": "own", "row": 3})
        messages = self.messages(contents)
        self.assertEqual(messages[addresses[7]]["Subject"], "Number 7")
        text = messages[addresses[7]].get_body(("plain",)).get_content()
        self.assertEqual(text.strip(), "Hello Reader 7, you are 7.")
        self.assertIn("you are <b>7</b>",
                      messages[addresses[7]].get_body(("html",)).get_content())
        self.assertEqual(messages[addresses[20]]["Subject"], "Number nobody's")
        self.assertEqual(len({message["Message-ID"] for message in messages.values()}), 21)

    def test_invalid_recipients_beside_good_ones(self):
        sink = self.sink()
        recipients = [subscriber(0), {"email": "no at sign", "id": "bad"},
                      {"emial": "typo@example.net"}, subscriber(3),
                      {"email": "missing@example.net", "id": "m"}, subscriber(5, metadta={})]
        run = self.send_lines([newsletter("weekly", recipients)], sink)
        self.assert_exit(run, 3)
        self.assertEqual(sink.stop().recipients(),
                         Counter({("weekly", "reader-0@example.net"): 1,
                                  ("weekly", "reader-3@example.net"): 1}))
        outcomes = self.outcomes()
        self.assertEqual(Counter((outcome["rcpt"], outcome["status"]) for outcome in outcomes),
                         Counter({("reader-0@example.net", "accepted"): 1,
                                  ("reader-3@example.net", "accepted"): 1,
                                  ("no at sign", "invalid"): 1, (None, "invalid"): 1,
                                  ("missing@example.net", "invalid"): 1,
                                  ("reader-5@example.net", "invalid"): 1}))
        reasons = {outcome.get("rcpt_id"): outcome["reason"] for outcome in outcomes
                   if outcome["status"] == "invalid"}
        self.assertIn("jobs.jsonl:1: recipients[1].email", reasons["bad"])
        self.assertIn("did you mean \"email\"", reasons[None])
        self.assertIn("number", reasons["m"])
        self.assertIn("did you mean \"metadata\"", reasons["s-5"])

    def test_what_is_wrong_with_the_line_is_told_to_each(self):
        sink = self.sink()
        job = newsletter("weekly", [subscriber(number) for number in range(3)], subjct="x")
        run = self.send_lines([job, newsletter("good", [subscriber(9)])], sink)
        self.assert_exit(run, 3)
        self.assertEqual(sink.stop().recipients(),
                         Counter({("good", "reader-9@example.net"): 1}))
        refused = [outcome for outcome in self.outcomes() if outcome["status"] == "invalid"]
        self.assertEqual(Counter((outcome["rcpt"], outcome["rcpt_id"]) for outcome in refused),
                         Counter((f"reader-{number}@example.net", f"s-{number}")
                                 for number in range(3)))

    def test_a_template_that_a_line_defines(self):
        sink, contents = self.keeping_sink()
        lines = [definition("weekly", unsubscribe="https://example.com/u/{{id}}",
                            html="<p>{{topic}} & {{> foot}}</p>",
                            partials={"foot": "<i>{{name}}</i>"}),
                 using("weekly", "a", [subscriber(1), subscriber(2, merge={"topic": "Own"})]),
                 using("weekly", "b", [subscriber(3)], merge={"topic": "<Cats>"}),
                 {"id": "single", "template": "weekly", "to": "Ann <ann@example.net>",
                  "cc": "cc@example.net", "bcc": "hidden@example.net",
                  "merge": {"id": "none"}, "headers": {"X-Id": "single"}}]
        run = self.send_lines(lines, sink)
        self.assert_exit(run, 0)
        report = sink.stop()
        self.assert_strict(report)
        self.assertEqual(report.recipients(), Counter(
            [("a", "reader-1@example.net"), ("a", "reader-2@example.net"),
             ("b", "reader-3@example.net"), ("single", "ann@example.net"),
             ("single", "cc@example.net"), ("single", "hidden@example.net")]))
        self.assertEqual(len(report.record), 4)
        messages = self.messages(contents)
        self.assertEqual(messages["reader-1@example.net"]["Subject"], "News for Reader 1")
        self.assertEqual(messages["reader-2@example.net"]["Subject"], "Own for Reader 2")
        self.assertEqual(messages["reader-3@example.net"]["Subject"], "<Cats> for Reader 3")
        self.assertIn("&lt;Cats&gt; & <i>Reader 3</i>",
                      messages["reader-3@example.net"].get_body(("html",)).get_content())
        self.assertEqual(messages["reader-3@example.net"]["List-Unsubscribe"],
                         "<https://example.com/u/s-3>")
        single = messages["ann@example.net"]
        self.assertEqual(single["Cc"], "cc@example.net")
        self.assertNotIn("hidden", single.as_string())

    def test_definitions_that_are_wrong(self):
        sink = self.sink()
        lines = [using("late", "below", [subscriber(0)]),
                 definition("late"),
                 definition("bad", text="{{#open}}"),
                 using("bad", "unusable", [subscriber(1), subscriber(2)]),
                 definition("late", text="twice"),
                 using("lat", "unknown", [subscriber(3)]),
                 {"id": "x", **definition("hidden")},
                 definition("job", to="a@example.net"),
                 using("late", "good", [subscriber(4)])]
        run = self.send_lines(lines, sink)
        self.assert_exit(run, 3)
        self.assertEqual(sink.stop().recipients(),
                         Counter({("good", "reader-4@example.net"): 1}))
        reasons = [outcome["reason"] for outcome in self.outcomes()
                   if outcome["status"] == "invalid"]
        self.assertEqual(len(reasons), 8)
        for line, words in ((1, "is defined below (jobs.jsonl:2)"), (3, "text: "),
                            (4, '"bad" (jobs.jsonl:3) cannot be used: text: '),
                            (5, "is defined already (jobs.jsonl:2)"),
                            (6, 'did you mean "late"?'), (7, "first member"),
                            (8, "to: is a job's")):
            with self.subTest(line):
                self.assertTrue(any(reason.startswith(f"jobs.jsonl:{line}: ") and words in reason
                                    for reason in reasons), reasons)

    def test_validate_and_render_and_dry_run(self):
        lines = [definition("weekly"), using("weekly", "a", [subscriber(1), subscriber(2)]),
                 using("wekly", "b", [subscriber(3)])]
        write_jobs(self.folder / JOBS, lines)
        run = self.run_program("validate", JOBS)
        self.assert_exit(run, 3)
        self.assert_says(run, "2 valid (2 recipients), 1 invalid")
        self.assertIn(b'jobs.jsonl:3: template: ', run.stdout)
        rendered = self.run_program("render", JOBS, "--id", "a")
        self.assert_exit(rendered, 0)
        self.assertIn(b"Subject: News for Reader 1\r\n", rendered.stdout)
        sink = self.sink()
        dry = self.send_lines(lines, sink, "--dry-run")
        self.assert_exit(dry, 3)
        self.assertEqual(Counter(outcome["status"] for outcome in self.outcomes()),
                         Counter({"unsent": 2, "invalid": 1}))
        self.assertEqual(sink.stop().record, [])

    def test_several_readers(self):
        """Templates stand above the lines that use them, and lists are longer than a block."""
        sink = self.sink("--no-digest")
        lines = []
        expected = Counter()
        for round_ in range(60):
            name = f"t-{round_}"
            lines.append(definition(name, text="x" * 5000 + "{{name}}"))
            for job in range(5):
                job_id = f"{round_}-{job}"
                lines.append(using(name, job_id, [subscriber(number) for number in range(7)]))
                expected.update((job_id, f"reader-{number}@example.net") for number in range(7))
        run = self.send_lines(lines, sink, "--readers", "2", "--connections", "8")
        self.assert_exit(run, 0)
        self.assertEqual(sink.stop().recipients(), expected)
        self.assertEqual(Counter((outcome["id"], outcome["rcpt"]) for outcome in self.outcomes()),
                         expected)


class FanOutResumeTest(FanOutCase):
    """Runs of a journal that end in the middle of a line."""

    def setUp(self):
        super().setUp()
        self.jobs = [newsletter("short", [subscriber(0)]),
                     definition("t"),
                     newsletter("long", [subscriber(number) for number in range(400)]),
                     using("t", "last", [subscriber(number) for number in range(50)])]
        self.expected = Counter((job["id"], recipient["email"]) for job in self.jobs
                                for recipient in job.get("recipients", []))
        write_jobs(self.folder / JOBS, self.jobs)
        self.the_sink = self.sink("--latency", "20ms")

    def start_run(self, *flags, journal=("--journal", JOURNAL)):
        return self.start("send", JOBS, "-e", self.the_sink.endpoint(), "-o", OUTCOMES, *journal,
                          "--connections", "4", "--pipeline", "off", *flags,
                          RINGPOST_PASSWORD=PASSWORD)

    def wait_for_messages(self, program, count):
        wait_until(lambda: len(self.the_sink.record()) >= count or not program.is_alive(),
                   "it has sent some messages")

    def test_stopped_in_the_middle_of_a_line(self):
        for stop in range(3):
            program = self.start_run(*(["--resume"] if stop else []))
            self.wait_for_messages(program, len(self.the_sink.record()) + 30)
            terminate(program)
            run = self.finish(program)
            self.assert_exit(run, 143)
        self.assert_exit(self.finish(self.start_run("--resume")), 0)
        outcomes = self.outcomes()
        self.assertEqual(afterthoughts(outcomes), [])
        self.assertEqual(last_words(outcomes), dict.fromkeys(self.expected, "accepted"))
        self.assertEqual(self.the_sink.stop().recipients(), self.expected)

    def test_stopped_without_a_journal(self):
        """What nobody has read is named by the line and the recipient in it."""
        self.jobs[2] = newsletter("long", [subscriber(number) for number in range(20_000)])
        write_jobs(self.folder / JOBS, self.jobs)
        program = self.start_run(journal=())
        self.wait_for_messages(program, 30)
        terminate(program)
        run = self.finish(program)
        self.assert_exit(run, 143)
        words = re.search(rf"2 jobs from {JOBS}:3, recipient (\d+) on were not read",
                          run.stderr)
        self.assertTrue(words, run.describe())
        told = [outcome["rcpt_id"] for outcome in self.outcomes() if outcome["id"] == "long"]
        self.assertEqual(Counter(told),
                         Counter(f"s-{number}" for number in range(int(words[1]) - 1)))

    def test_killed_in_the_middle_of_a_line(self):
        for kill in range(3):
            program = self.start_run(*(["--resume"] if kill else []))
            self.wait_for_messages(program, len(self.the_sink.record()) + 30)
            program.signal(signal.SIGKILL)
            self.finish(program)
        last = self.finish(self.start_run("--resume", "--on-unknown", "hold"))
        self.assertIn(last.exit_code, (0, 6), last.describe())
        outcomes = self.outcomes()
        self.assertEqual(afterthoughts(outcomes), [])
        words = last_words(outcomes)
        self.assertEqual(set(words), set(self.expected))
        self.assertLessEqual(set(words.values()), {"accepted", "unknown"})
        taken = self.the_sink.stop().recipients()
        for key, status in words.items():
            self.assertEqual(taken[key] if status == "accepted" else 1, 1, key)
            self.assertLessEqual(taken[key], 1, key)
        # Few are in doubt: those who were in flight, at each kill one a connection.
        self.assertLessEqual(sum(status == "unknown" for status in words.values()), 12)

    def test_a_changed_line_is_not_gone_on_with(self):
        program = self.start_run()
        self.wait_for_messages(program, 30)
        program.signal(signal.SIGKILL)
        self.finish(program)
        path = self.folder / JOBS
        octets = path.read_bytes()
        path.write_bytes(octets.replace(line_of("s-399"), line_of("s-398")))
        before = (self.folder / OUTCOMES).read_bytes()
        run = self.finish(self.start_run("--resume"))
        self.assert_exit(run, 2)
        self.assertEqual((self.folder / OUTCOMES).read_bytes()[:len(before)], before)


if __name__ == "__main__":
    unittest.main()
