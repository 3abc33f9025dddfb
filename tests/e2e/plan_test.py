"""`ringpost plan`: how long a run will take, before it is begun.

Goal: what it says is what a run then takes, and it changes nothing. Method: the same jobs and flags
for both, against the sink with replies that are late. A run may be slower on a busy machine, and is
never faster than what was foreseen.
"""

import json
import unittest
from datetime import datetime

from support.jobs import read_outcomes, simple_job, simple_jobs
from support.program import OUTCOMES, PASSWORD
from support.sink import SinkTest

LATE = ("--latency", "50ms")


class PlanTest(SinkTest):

    def plan(self, jobs, endpoint, *flags, exit_code=0):
        file = self.folder / "plan.jsonl"
        file.write_text("".join(json.dumps(job) + "\n" for job in jobs), encoding="utf-8")
        run = self.run_program("plan", file, "-e", endpoint, "--reply-time", "50ms", "--json",
                               *flags)
        self.assert_exit(run, exit_code)
        return json.loads(run.stdout)

    def measured(self, jobs, sink, *flags):
        run = self.send(jobs, sink.endpoint(), *flags)
        self.assert_all_accepted(run, jobs)
        moments = sorted(datetime.fromisoformat(line["ts"].replace("Z", "+00:00")).timestamp()
                         for line in sink.stop().record)
        return moments[-1] - moments[0]

    def assert_foreseen(self, measured, plan):
        # The first message is taken behind the opening of its session.
        self.assertGreater(measured, (plan["duration_s"] - 0.6) * 0.97)
        self.assertLess(measured, plan["duration_s"] * 1.25)

    def test_a_rate(self):
        sink = self.sink(*LATE)
        jobs = simple_jobs(90)
        flags = ("--rate", "15/s", "--state", "none")
        plan = self.plan(jobs, sink.endpoint(), *flags)
        self.assertEqual(plan["endpoints"][0]["bound_by"], "rate")
        self.assertEqual(plan["endpoints"][0]["binding_rate"], "15/s")
        self.assert_foreseen(self.measured(jobs, sink, *flags), plan)

    def test_round_trips(self):
        sink = self.sink(*LATE)
        jobs = simple_jobs(150)
        flags = ("--connections", "5", "--pipeline", "off")
        plan = self.plan(jobs, sink.endpoint(), *flags)
        endpoint, = plan["endpoints"]
        self.assertEqual((endpoint["bound_by"], endpoint["rate_is_known"], endpoint["way"]),
                         ("connections", False, "lock-step"))
        self.assert_foreseen(self.measured(jobs, sink, *flags), plan)

    def test_a_state_file_is_read_and_not_touched(self):
        sink = self.sink()
        flags = ("--rate", "40/d", "--state", "state")
        jobs = simple_jobs(30)
        self.assert_all_accepted(self.send(jobs, sink.endpoint(), *flags), jobs)
        file, = (self.folder / "state").iterdir()
        before = (file.read_bytes(), file.stat().st_mtime_ns)
        plan = self.plan(simple_jobs(30, "later"), sink.endpoint(), *flags)
        self.assertEqual((file.read_bytes(), file.stat().st_mtime_ns), before)
        self.assertEqual([one.name for one in (self.folder / "state").iterdir()], [file.name])
        quota, = plan["endpoints"][0]["quotas"]
        self.assertTrue(plan["counts_are_known"])
        self.assertEqual((quota["used_before"], quota["units"]), (30, 30))
        self.assertGreater(plan["duration_s"], 23 * 3600)
        self.assertLess(plan["duration_s"], 24.1 * 3600)

    def test_presets_and_days(self):
        plan = self.plan([simple_job(f"{n}", [f"r{n}-{k}@example.com" for k in range(60)])
                          for n in range(400)], "m365", "--state", "none")
        endpoint, = plan["endpoints"]
        self.assertEqual((plan["recipients"], endpoint["recipients"]), (24000, 24000))
        self.assertEqual(endpoint["binding_rate"], "10000 recipients/d")
        self.assertGreater(plan["duration_s"], 2 * 86400)
        self.assertEqual(endpoint["quotas"][1]["windows"], 2.4)
        text = self.run_program("plan", self.folder / "plan.jsonl", "-e", "m365", "--state",
                                "none").stdout.decode()
        for words in ("2 days", "all of it not before", "10000 recipients/d", "nobody measured"):
            self.assertIn(words, text)

    def test_endpoints_share_by_weight_and_jobs_may_choose(self):
        jobs = [simple_job(f"{n}") for n in range(90)]
        jobs += [{**simple_job(f"{n}"), "endpoint": "mailersend"} for n in range(90, 100)]
        file = self.folder / "plan.jsonl"
        file.write_text("".join(json.dumps(job) + "\n" for job in jobs), encoding="utf-8")
        run = self.run_program("plan", file, "-e", "sendgrid=2", "-e", "mailersend", "--json")
        self.assert_exit(run, 0)
        plan = json.loads(run.stdout)
        self.assertEqual([one["messages"] for one in plan["endpoints"]], [60, 40])
        self.assertTrue(plan["reply_time_is_presumed"])

    def test_rows_of_recipients_count_as_they_do_for_send(self):
        (self.folder / "news.json").write_text(json.dumps(
            {"from": "shop@example.com", "subject": "News for {{name}}",
             "text": "Dear {{name}}\n{{#many}}more\n{{/many}}"}), encoding="utf-8")
        (self.folder / "list.csv").write_text(
            "email,name,many\n" +
            "".join(f"r{n}@example.net,{'x' * (n + 1)},{n}\n" for n in range(40)),
            encoding="utf-8")
        rows = ("--template", "news.json", "--recipients", "list.csv", "-e",
                self.configuration(self.sink(), rate=["20/s", "1000000 bytes/d"]))
        plan = self.run_program("plan", *rows, "--state", "none", "--json")
        self.assert_exit(plan, 0)
        plan = json.loads(plan.stdout)
        run = self.run_program("send", *rows, "--state", "state", "-o", OUTCOMES,
                               RINGPOST_PASSWORD=PASSWORD)
        self.assert_exit(run, 0)
        outcomes = read_outcomes(self.folder / OUTCOMES)
        endpoint, = plan["endpoints"]
        self.assertEqual((plan["jobs"], endpoint["messages"], endpoint["recipients"]), (40, 40, 40))
        self.assertEqual([(use["limit"], use["units"]) for use in endpoint["quotas"]],
                         [("20/s", 40), ("1000000 bytes/d",
                                         sum(outcome["bytes"] for outcome in outcomes))])
        self.assertEqual(endpoint["binding_rate"], "20/s")
        # The counts are those of the run.
        after = self.run_program("plan", *rows, "--state", "state", "--json")
        uses = json.loads(after.stdout)["endpoints"][0]["quotas"]
        self.assertEqual(uses[1]["used_before"], uses[1]["units"])

    def test_jobs_that_a_template_completes(self):
        (self.folder / "news.json").write_text(json.dumps(
            {"from": "shop@example.com", "subject": "s", "text": "{{name}}"}), encoding="utf-8")
        (self.folder / "jobs.jsonl").write_text(
            '{"to": "r@example.net", "merge": {"name": "R"}}\n{"to": "s@example.net"}\n',
            encoding="utf-8")
        run = self.run_program("plan", "jobs.jsonl", "--template", "news.json", "-e", "sendgrid",
                               "--json")
        self.assert_exit(run, 3)
        plan = json.loads(run.stdout)
        self.assertEqual((plan["jobs"], plan["invalid"]), (1, 1))

    def test_a_row_that_is_nobodys_is_left_out(self):
        (self.folder / "news.json").write_text(json.dumps(
            {"from": "shop@example.com", "subject": "s", "text": "{{name}}"}), encoding="utf-8")
        (self.folder / "list.csv").write_text("email,name\nr@example.net,R\nnobody,N\n",
                                              encoding="utf-8")
        run = self.run_program("plan", "--template", "news.json", "--recipients", "list.csv", "-e",
                               "sendgrid", "--json")
        self.assert_exit(run, 3)
        plan = json.loads(run.stdout)
        self.assertEqual((plan["jobs"], plan["invalid"]), (1, 1))
        self.assertIn("list.csv:3", self.run_program(
            "plan", "--template", "news.json", "--recipients", "list.csv", "-e",
            "sendgrid").stdout.decode())

    def test_lines_that_are_no_jobs(self):
        plan = self.plan([simple_job("1"), {"to": 7}, {**simple_job("2"), "endpoint": "other"}],
                         "sendgrid", exit_code=3)
        self.assertEqual((plan["jobs"], plan["invalid"]), (1, 2))

    def test_usage(self):
        (self.folder / "jobs.jsonl").write_text("", encoding="utf-8")
        for flags, words in ((("-e", "sendgrid", "--reply-time", "x"), "--reply-time: "),
                             (("-e", "sendgrid", "--rate", "x"), "--rate"), ((), "endpoint")):
            run = self.run_program("plan", "jobs.jsonl", *flags)
            self.assert_exit(run, 2)
            self.assertIn(words, run.stderr)
        self.assert_exit(self.run_program("plan", "none.jsonl", "-e", "sendgrid"), 2)
        for flags in (("--template", "none.json"), ("--recipients", "jobs.jsonl"),
                      ("--template", "none.json", "--recipients", "jobs.jsonl"),
                      ("jobs.jsonl", "--template", "none.json", "--recipients", "jobs.jsonl")):
            run = self.run_program("plan", "-e", "sendgrid", *flags)
            self.assert_exit(run, 2)


if __name__ == "__main__":
    unittest.main()
