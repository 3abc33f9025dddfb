"""The JSON schemas of docs/schema: what the program prints, what ajv takes, what the reader takes.

Goal: whoever checks jobs by a schema gets the verdict of `ringpost validate`, and whoever reads
outcomes by one is never told of a line that he has no type for. Method: thousands of job lines
(schema_corpus.py) are judged by both; where the schema takes more, the reader's words have to be
those of a deviation that has its reason there. Needs node and ajv (`tools/dev.d/peers.sh readers`);
without, only the files are compared.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import unittest
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import schema_corpus as corpus
from support.jobs import STAGES, STATUSES, parse_outcomes, simple_job, simple_jobs
from support.program import OUTCOMES, PASSWORD, PROGRAM, ProgramTest, environment_of
from support.serve import ServeTest
from support.sink import SinkTest
from support.workspace import free_port, wait_until

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT / "docs/schema"
JUDGE = Path(__file__).parent / "judge_with_ajv.js"
NODE_MODULES = ROOT / "build/readers/schema_validator/node_modules"
HAS_AJV = (NODE_MODULES / "ajv").is_dir() and shutil.which("node") is not None
SEED = int(os.environ.get("RINGPOST_TEST_SEED", "20261129"))


def judged(schema, lines):
    """Of each line "valid", or where it is not and why, as ajv says it."""
    done = subprocess.run(["node", str(JUDGE), str(SCHEMAS / schema)], capture_output=True,
                          input="".join(line + "\n" for line in lines).encode(), check=False,
                          env={**os.environ, "NODE_PATH": str(NODE_MODULES)})
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    return done.stdout.decode().splitlines()


class Printed(ProgramTest):
    def test_docs_have_what_the_program_prints(self):
        for name, file in (("jobs", "job.schema.json"), ("templates", "template.schema.json"),
                           ("outcomes", "outcome.schema.json")):
            run = self.run_program("validate", "--schema", name)
            self.assert_exit(run, 0)
            self.assertEqual(run.stdout, (SCHEMAS / file).read_bytes(),
                             f"ringpost validate --schema {name} > docs/schema/{file}")
            schema = json.loads(run.stdout)
            self.assertEqual(schema["$schema"], "https://json-schema.org/draft/2020-12/schema")
            for field, said in schema["properties"].items():
                self.assertTrue(said["description"], field)

    def test_words_of_outcomes(self):
        said = json.loads((SCHEMAS / "outcome.schema.json").read_bytes())["properties"]
        self.assertEqual(set(said["status"]["enum"]), set(STATUSES))
        self.assertEqual(set(said["stage"]["enum"]), set(STAGES))

    def test_a_schema_is_asked_for_by_name_and_alone(self):
        self.assert_usage('did you mean "jobs"?', "--schema", "job")
        self.assert_usage("there are jobs, templates and outcomes", "--schema", "x")
        self.assert_usage("reads no file", "--schema", "jobs", "jobs.jsonl")

    def assert_usage(self, words, *flags):
        run = self.run_program("validate", *flags)
        self.assert_exit(run, 2)
        self.assertIn(words, run.stderr)
        self.assertEqual(run.stdout, b"")


@unittest.skipUnless(HAS_AJV, "there is no ajv here")
class Jobs(ProgramTest):
    def verdicts(self, lines):
        """Of each line "" or the reader's words."""
        (self.folder / "letter.txt").write_text("Hello.\n", encoding="utf-8")
        (self.folder / "letter.eml").write_text("Subject: x\n\nHello.\n", encoding="utf-8")
        (self.folder / "jobs.jsonl").write_text("".join(line + "\n" for line in lines),
                                                encoding="utf-8", newline="")
        run = self.run_program("validate", "jobs.jsonl")
        self.assert_exit(run, 3)
        words = [""] * len(lines)
        for said in run.stdout.decode().split("\n")[:-1]:
            place = re.match(r"jobs\.jsonl:(\d+): ", said)
            self.assertIsNotNone(place, f"a line that tells of no job: {said}")
            # Of a line with several messages, what is said of the first one.
            words[int(place.group(1)) - 1] = words[int(place.group(1)) - 1] or said[place.end():]
        said_of = len(run.stdout.decode().split("\n")) - 1
        self.assertIn(f", {said_of} invalid", run.stderr)
        return words

    def test_both_say_the_same_of_a_job(self):
        print(f"seed {SEED} (RINGPOST_TEST_SEED)")
        cases = corpus.lines(SEED)
        lines = [line for _, line in cases]
        counts, met = Counter(), Counter()
        for (kind, line), by_reader, by_schema in zip(
                cases, self.verdicts(lines), judged("job.schema.json", lines), strict=True):
            with self.subTest(line=line[:300], reader=by_reader, schema=by_schema[:300]):
                counts[by_reader == "", by_schema == "valid"] += 1
                if by_schema == "valid" and by_reader:
                    kinds = [name for name, (_, words) in corpus.DEVIATIONS.items()
                             if re.search(words, by_reader)]
                    self.assertTrue(kinds, "the schema takes what the reader does not")
                    self.assertIn(kind or kinds[0], kinds)
                    met.update([kind] if kind else [])
                else:
                    self.assertEqual(by_schema == "valid", by_reader == "")
                    self.assertEqual(kind, "", "both say the same")
        self.assertEqual(set(met), set(corpus.DEVIATIONS))
        # Enough of both that the comparison says something.
        self.assertGreater(counts[True, True], 500)
        self.assertGreater(counts[False, False], 1500)

    def test_a_number_that_javascript_cannot_hold_is_an_id(self):
        line = corpus.TOO_LARGE_FOR_JAVASCRIPT
        self.assertNotEqual(judged("job.schema.json", [line]), ["valid"])
        (self.folder / "jobs.jsonl").write_text(line + "\n", encoding="ascii")
        self.assert_exit(self.run_program("validate", "jobs.jsonl"), 0)


@unittest.skipUnless(HAS_AJV, "there is no ajv here")
class Templates(ProgramTest):
    def setUp(self):
        super().setUp()
        (self.folder / "letter.txt").write_text("Hello.\n", encoding="utf-8")
        (self.folder / "list.csv").write_text("email\nann@example.net\n", encoding="ascii")

    def verdict(self, number_and_text):
        """"" or what the reader says of the template; what it becomes is another matter."""
        number, text = number_and_text
        name = f"t{number}.json"
        (self.folder / name).write_text(text, encoding="utf-8", newline="")
        done = subprocess.run([PROGRAM, "validate", "-q", "--missing", "empty", "--template", name,
                               "--recipients", "list.csv"], cwd=self.folder, capture_output=True,
                              check=False, timeout=60, env=environment_of(self.folder))
        said = done.stderr.decode()
        self.assertIn(done.returncode, (0, 2, 3), said)
        if done.returncode != 2:
            return ""
        self.assertIn(f"{name}: ", said)
        return said.partition(f"{name}: ")[2].strip()

    def test_both_say_the_same_of_a_template(self):
        lines = corpus.templates()
        with ThreadPoolExecutor(4) as pool:
            by_readers = list(pool.map(self.verdict, enumerate(lines)))
        counts, met = Counter(), Counter()
        for line, by_reader, by_schema in zip(lines, by_readers,
                                              judged("template.schema.json", lines), strict=True):
            with self.subTest(template=line[:300], reader=by_reader, schema=by_schema[:300]):
                counts[by_reader == "", by_schema == "valid"] += 1
                if by_schema == "valid" and by_reader:
                    kinds = [name for name, words in corpus.TEMPLATE_DEVIATIONS.items()
                             if re.search(words, by_reader)]
                    self.assertTrue(kinds, "the schema takes what the reader does not")
                    met.update(kinds)
                else:
                    self.assertEqual(by_schema == "valid", by_reader == "")
        self.assertEqual(set(met), set(corpus.TEMPLATE_DEVIATIONS))
        self.assertGreater(counts[True, True], 100)
        self.assertGreater(counts[False, False], 200)


@unittest.skipUnless(HAS_AJV, "there is no ajv here")
class Outcomes(SinkTest):
    patience = "1s"

    def test_every_outcome_has_its_type(self):
        sink, deaf = self.sink(), self.sink("--fault", "drop-reply@end=100")
        late = {**simple_job("late"), "expires_at": 1}
        bad = {**simple_job("bad", ["a@example.net", "no address"]), "tags": "x"}
        jobs = [{**simple_job("good"), "tags": ["ä", "b"], "metadata": {"k": [1, None]}},
                simple_job("no", ["reject@example.net"]), late, bad, b"{}",
                simple_job("put-off", ["defer@example.net"]),
                simple_job("refused", ["reject-data@example.net"])]
        runs = [self.send(jobs, sink.endpoint(), "--max-attempts", "1"),
                self.send([simple_job("in-doubt")], deaf.endpoint()),
                self.send([simple_job("nowhere")],
                          f"smtp://127.0.0.1:{free_port()}?tls=none")]
        outcomes = [outcome for run in runs for outcome in run.outcomes]
        # Whom a list leaves out is no matter of jobs.
        self.assertEqual({outcome["status"] for outcome in outcomes}, set(STATUSES) - {"skipped"},
                         "\n".join(run.describe() for run in runs))
        lines = [json.dumps(outcome) for outcome in outcomes]
        for line, said in zip(lines, judged("outcome.schema.json", lines), strict=True):
            self.assertEqual(said, "valid", line)

    def test_what_no_outcome_has_is_refused(self):
        good = {"id": "1", "rcpt": None, "status": "invalid", "stage": "local", "attempts": 0,
                "ts": "2026-11-20T21:22:23.000Z"}
        bad = [{**good, "surplus": 1}, {**good, "status": "sent"}, {**good, "attempts": -1},
               {**good, "ts": "today"}, {**good, "code": 99}, {**good, "ms": {"queue": 1}},
               {name: good[name] for name in good if name != "rcpt"}]
        said = judged("outcome.schema.json", map(json.dumps, [good, *bad]))
        self.assertEqual(said[0], "valid")
        self.assertNotIn("valid", said[1:])


@unittest.skipUnless(HAS_AJV, "there is no ajv here")
class Figures(ServeTest):

    def test_all_figures_of_serve_have_their_type(self):
        """Before and behind a message, and of an endpoint that does not answer."""
        sink = self.sink()
        serve = self.start_serve(sink, '[[listen.http]]\naddress = "127.0.0.1:0"\n')

        def ask(method, path, body=None):
            with closing(HTTPConnection(*serve.places["http"][0], timeout=120)) as client:
                client.request(method, path, body)
                return client.getresponse().read().decode()

        lines = [ask("GET", "/v1/stats")]
        ask("POST", "/v1/inject", json.dumps(simple_job("one")))
        lines.append(ask("GET", "/v1/stats"))
        sink.stop()
        with closing(HTTPConnection(*serve.places["http"][0], timeout=120)) as waiting:
            waiting.request("POST", "/v1/inject", json.dumps(simple_job("two")))
            wait_until(lambda: '"state":"away"' in ask("GET", "/v1/stats"), "the sink is away")
            lines.append(ask("GET", "/v1/stats"))
            self.assertIn('"ready":false,"reason":"esp does not answer: ', ask("GET", "/readyz"))
        lines = [line.strip() for line in lines]
        for line, verdict in zip(lines, judged("stats.schema.json", lines), strict=True):
            self.assertEqual(verdict, "valid", line)
        more = [line.replace('"version"', '"versio":1,"version"') for line in lines]
        self.assertNotIn("valid", judged("stats.schema.json", more))


@unittest.skipUnless(HAS_AJV, "there is no ajv here")
class Summaries(SinkTest):
    patience = "1s"

    def test_every_summary_has_its_type(self):
        """Of runs that went well, in part, not at all, were dry, or were stopped."""
        sink = self.sink()
        jobs = [simple_job("good"), simple_job("no", ["reject@example.net"]), b"{}",
                simple_job("put-off", ["defer@example.net"])]
        flags = ("--summary", "json", "--max-attempts", "1")
        closed = f"smtp://127.0.0.1:{free_port()}?tls=none"
        runs = [self.send(jobs[:1], sink.endpoint(), *flags),
                self.send(jobs, sink.endpoint(), "--stats", "internal", *flags),
                self.send(jobs, closed, "-e", sink.endpoint(), *flags),
                self.send(jobs, closed, *flags), self.send(jobs, closed, "--dry-run", *flags)]
        program = self.start_send(simple_jobs(30000), sink.endpoint(), "--rate", "20/s", "--state",
                                  "none", *flags)
        wait_until((self.folder / OUTCOMES).exists, "the run has begun")
        program.signal(signal.SIGINT)
        runs.append(self.finish(program))
        lines = [run.stdout.decode() for run in runs]
        for line, verdict in zip(lines, judged("summary.schema.json", lines), strict=True):
            self.assertEqual(verdict, "valid", line)
        stopped = json.loads(lines[-1])["summary"]
        self.assertEqual(stopped["signal"], signal.SIGINT)
        self.assertIn("jobs_unread", stopped)

    def test_every_progress_has_its_type(self):
        """Of runs with messages put off, with an endpoint that does not answer, and of a pipe."""
        flags = ("--progress", "json", "--progress-every", "100ms", "--state", "none")
        jobs = [simple_job("put-off", ["defer@example.net"]), *simple_jobs(40)]
        closed = f"smtp://127.0.0.1:{free_port()}?tls=none"
        sink = self.sink()
        lines = []
        for arguments, awaited in (((sink.endpoint(), "--rate", "20/s"), '"waiting":1,'),
                                   ((closed,), '"endpoints_away":[{'),
                                   ((closed, "-e", sink.endpoint(), "--rate", "20/s"),
                                    '"messages_total":41')):
            program = self.start_send(jobs, *arguments, *flags)
            wait_until(lambda seen=awaited: seen in program.stderr(), awaited)
            program.stop()
            lines += [line for line in program.stderr().splitlines() if line.startswith("{")]
            (self.folder / OUTCOMES).unlink(missing_ok=True)
        piped = self.start("send", "-", "-e", sink.endpoint(), "-o", OUTCOMES, "--rate", "20/s",
                           *flags, stdin=subprocess.PIPE, RINGPOST_PASSWORD=PASSWORD)
        piped.process.stdin.write(b"".join(json.dumps(job).encode() + b"\n" for job in jobs))
        piped.process.stdin.flush()
        wait_until(lambda: '"accepted":2' in piped.stderr(), "some are accepted")
        piped.stop()
        lines += [line for line in piped.stderr().splitlines() if line.startswith("{")]
        self.assertIn('"messages_total":null', lines[-1])
        for line, verdict in zip(lines, judged("progress.schema.json", lines), strict=True):
            self.assertEqual(verdict, "valid", line)

    def test_what_it_says_is_so(self):
        sink = self.sink()
        jobs = [*(simple_job(f"good-{number}") for number in range(20)),
                *(simple_job(f"no-{number}", [f"reject-{number}@example.net"])
                  for number in range(3)), simple_job("put-off", ["defer@example.net"])]
        # One session: more might be opened while the summary is made.
        run = self.send(jobs, sink.endpoint(), "--summary", "json", "--max-attempts", "1",
                        "--connections", "1")
        summary = json.loads(run.stdout)["summary"]
        self.assertEqual(summary["reply_ms"]["count"], 20)
        self.assertLess(0, summary["reply_ms"]["p50"])
        self.assertEqual(summary["opening_ms"]["count"], summary["sessions_ready"])
        endpoint, = summary["endpoints"]
        self.assertEqual(endpoint["recipients"], summary["recipients"])
        self.assertEqual(endpoint["reply_ms"], summary["reply_ms"])
        refusals = summary["reasons"][0]
        self.assertEqual((refusals["count"], refusals["status"], refusals["stage"]),
                         (3, "rejected", "rcpt"))
        first = run.outcome(refusals["id"])
        self.assertEqual(refusals["sample"], f"{first['code']} {first['text']}")

    def test_the_next_step_can_be_taken(self):
        """The command sends to those who were put off, and to nobody else."""
        sink = self.sink()
        jobs = [simple_job("good"), simple_job("put off's", ["defer@example.net"])]
        run = self.send(jobs, sink.endpoint(), "--summary", "json", "--max-attempts", "1")
        step, = json.loads(run.stdout)["summary"]["next_steps"]
        again = subprocess.run(step["command"], shell=True, cwd=self.folder, capture_output=True,
                               env=environment_of(self.folder, RINGPOST_PASSWORD=PASSWORD),
                               check=False)
        self.assertEqual(again.returncode, 5, again.stderr)
        outcomes = parse_outcomes((self.folder / "outcomes.again.jsonl").read_bytes())
        self.assertEqual([outcome["id"] for outcome in outcomes], ["put off's"])
        # Its own next step names each file once.
        step, = json.loads(again.stdout)["summary"]["next_steps"]
        words = step["command"].split()
        self.assertEqual((words.count("-o"), words.count("--retry-from")), (1, 1), words)
        self.assertEqual(words[words.index("--retry-from") + 1], "outcomes.again.jsonl")
        self.assertEqual(sink.stop().ids, {"good": 1})

    def test_flags_stand_in_front_of_what_is_no_flag(self):
        sink = self.sink()
        (self.folder / "jobs.jsonl").write_text(
            json.dumps(simple_job("late", ["defer@example.net"])) + "\n", encoding="ascii")
        run = self.run_program("send", "-e", sink.endpoint(), "--outcomes=o.jsonl", "--summary",
                               "json", "--max-attempts", "1", "--", "jobs.jsonl",
                               RINGPOST_PASSWORD=PASSWORD)
        step, = json.loads(run.stdout)["summary"]["next_steps"]
        self.assertNotIn("--outcomes", step["command"])
        self.assertTrue(step["command"].endswith(
            " -o o.again.jsonl --retry-from o.jsonl -- jobs.jsonl"), step["command"])

    def test_a_journal_is_gone_on_with(self):
        jobs = [simple_job("good"), simple_job("late", ["defer@example.net"])]
        run = self.send(jobs, self.sink().endpoint(), "--max-attempts", "1", "--journal", "a b.log")
        command, = re.findall(r"^next: 1 recipient was put off.*:\n  (.*)$", run.stdout.decode(),
                              re.MULTILINE)
        self.assertIn("'a b.log' --resume", command)
        again = subprocess.run(command, shell=True, cwd=self.folder, capture_output=True,
                               env=environment_of(self.folder, RINGPOST_PASSWORD=PASSWORD),
                               check=False)
        self.assertEqual(again.returncode, 5, again.stderr)


if __name__ == "__main__":
    unittest.main()
