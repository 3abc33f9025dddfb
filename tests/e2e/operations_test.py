"""tools/ops against what `ringpost serve` really has at /metrics: each name in the dashboard and in
the alert rules exists there, and Prometheus' own tools read both.

Needs $RINGPOST, and python3-prometheus-client; promtool is where tools/dev test puts it. Loopback
only.
"""

import http.client
import json
import re
import subprocess
import unittest
from contextlib import closing
from pathlib import Path

from support.jobs import simple_job
from support.serve import ServeTest

try:
    from prometheus_client.parser import text_string_to_metric_families
except ImportError:
    text_string_to_metric_families = None

ROOT = Path(__file__).parents[2]
OPS = ROOT / "tools/ops"
PROMTOOL = ROOT / "build/operations/promtool/promtool"
# Of Prometheus itself.
OWN = {"up"}
FUNCTIONS = {"sum", "rate", "increase", "by", "le", "or", "histogram_quantile", "time", "instance",
             "endpoint", "status", "job", "label_values", "webhook", "result"}
SUFFIXES = ("_bucket", "_sum", "_count")


def expressions_of_dashboard():
    board = json.loads((OPS / "grafana.json").read_text(encoding="utf-8"))
    yield from (target["expr"] for panel in board["panels"] for target in panel["targets"])
    yield from (variable["definition"] for variable in board["templating"]["list"]
                if variable["type"] == "query")


def expressions_of_rules():
    """Of `expr: ...` on one line, or on those below that are further in."""
    text = (OPS / "alerts.yml").read_text(encoding="utf-8")
    for found in re.finditer(r"^( *)expr: (.*(?:\n\1 +\S.*)*)", text, re.M):
        yield found[2]


def names_in(expression):
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]', "", expression)
    return set(re.findall(r"[a-z][a-z_0-9]*(?![a-z_0-9]*\()", bare)) - FUNCTIONS - {"s", "m"}


class Operations(ServeTest):

    @classmethod
    def setUpClass(cls):
        """One program, that has sent to a provider which accepts, refuses and is gone."""
        super().setUpClass()
        case = cls()
        case.setUp()
        cls.addClassCleanup(case.doCleanups)
        serve = case.start_serve(case.sink(), '[[listen.smtp]]\naddress = "127.0.0.1:0"\n'
                                 '[[listen.http]]\naddress = "127.0.0.1:0"\n'
                                 '[[webhook]]\nurl = "http://127.0.0.1:9"\n'
                                 'dead_letters = "dead.jsonl"\n')
        lines = [json.dumps(simple_job(f"job-{number}", (recipient,))) for number, recipient in
                 enumerate(["a@example.net", "reject-user@example.net", "b@example.net"])]
        with closing(http.client.HTTPConnection(*serve.places["http"][0], timeout=120)) as client:
            client.request("POST", "/v1/jobs", "\n".join(lines))
            client.getresponse().read()
            client.request("GET", "/metrics")
            answer = client.getresponse()
            cls.content_type = answer.headers["Content-Type"]
            cls.text = answer.read().decode("utf-8")

    def names(self):
        """All that a query may ask for."""
        return {line.split("{")[0].split(" ")[0] for line in self.text.splitlines()
                if not line.startswith("#")}

    def test_every_metric_of_the_dashboard_exists(self):
        expressions = list(expressions_of_dashboard())
        self.assertGreater(len(expressions), 30)
        for expression in expressions:
            self.assertLessEqual(names_in(expression) - OWN, self.names(), expression)

    def test_every_metric_of_the_rules_exists(self):
        expressions = list(expressions_of_rules())
        self.assertEqual(len(expressions),
                         (OPS / "alerts.yml").read_text(encoding="utf-8").count("- alert:"))
        for expression in expressions:
            names = names_in(expression)
            self.assertTrue(names)
            self.assertLessEqual(names - OWN, self.names(), expression)

    def test_every_metric_is_looked_at(self):
        """What nobody draws or alerts for is not worth its scrape."""
        used = set().union(*map(names_in, [*expressions_of_dashboard(), *expressions_of_rules()]))
        families = {re.sub("_(bucket|sum|count)$", "", name) for name in self.names()}
        self.assertLessEqual(families, {re.sub("_bucket$", "", name) for name in used})

    def test_a_real_parser_reads_the_text(self):
        if text_string_to_metric_families is None:
            self.skipTest("there is no python3-prometheus-client")
        self.assertEqual(self.content_type, "text/plain; version=0.0.4; charset=utf-8")
        families = {family.name: family for family in text_string_to_metric_families(self.text)}
        outcomes = {sample.labels["status"]: sample.value
                    for sample in families["ringpost_outcomes"].samples}
        self.assertEqual((outcomes["accepted"], outcomes["rejected"], outcomes["unknown"]),
                         (2, 1, 0))
        replies = [sample for sample in families["ringpost_reply_seconds"].samples
                   if sample.name.endswith("_bucket")]
        counts = [sample.value for sample in replies]
        self.assertEqual(counts, sorted(counts))
        self.assertEqual((replies[-1].labels["le"], counts[-1]), ("+Inf", 2))
        listeners = {sample.labels["listener"]
                     for sample in families["ringpost_client_connections"].samples}
        self.assertEqual(listeners, {"smtp", "http"})
        for family in families.values():
            for sample in family.samples:
                self.assertLessEqual(set(sample.labels), {"endpoint", "status", "le", "factor",
                                                          "listener", "version", "webhook",
                                                          "result"})

    def promtool(self, *arguments, **more):
        if not PROMTOOL.exists():
            self.skipTest("there is no promtool: tools/dev.d/peers.sh operations fetches it")
        run = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, timeout=120,
                             check=False, **more)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_prometheus_reads_the_rules(self):
        self.promtool("check", "rules", OPS / "alerts.yml")
        self.promtool("test", "rules", OPS / "alerts_test.yml")

    def test_each_rule_has_a_case_in_which_it_fires(self):
        rules = re.findall(r"- alert: (\w+)", (OPS / "alerts.yml").read_text(encoding="utf-8"))
        cases = (OPS / "alerts_test.yml").read_text(encoding="utf-8")
        fires = set(re.findall(r"- alertname: (\w+)\n *eval_time: \w+\n *exp_alerts:\n"
                               r" *- exp_labels", cases))
        self.assertEqual(set(rules), fires)

    def test_prometheus_likes_the_names(self):
        self.promtool("check", "metrics", input=self.text)


if __name__ == "__main__":
    unittest.main()
