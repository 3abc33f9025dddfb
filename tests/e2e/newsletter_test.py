"""A newsletter from its first look to its last retry, in three commands and no script.

Goal: what docs/how-to/newsletter.md shows somebody with a list of subscribers: a test to himself,
the newsletter, and those who were put off once more. Method: SendGrid's preset against a sink that
plays SendGrid, at its rate; some addresses are refused and some put off for as long as the first
run lasts. Limits: some hundred subscribers, since a rate is waited for.
"""

import csv
import json
import unittest
from email import message_from_bytes, policy

from support.jobs import read_outcomes
from support.program import PASSWORD
from support.sink import SinkTest

SUBSCRIBERS = 120
REFUSED = {7, 70}
PUT_OFF = {11, 77, 99}


class NewsletterTest(SinkTest):
    def address(self, number):
        kind = "reject" if number in REFUSED else "defer" if number in PUT_OFF else "reader"
        return f"{kind}-rcpt-{number}@example.net" if kind != "reader" else f"r{number}@example.net"

    def write_list(self, name, addresses):
        with open(self.folder / name, "w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("id", "email", "name", "city"))
            rows.writerows((f"s-{number}", address, "Zoë" if number % 2 else "", "Paris")
                           for number, address in addresses.items())

    def write_template(self):
        (self.folder / "news.html").write_text(
            "<p>Hello {{name|default:\"reader\"}} in {{city}}</p>\n"
            "<p><a href=\"https://example.com/u/{{id|url}}\">leave</a></p>\n", encoding="utf-8")
        (self.folder / "news.json").write_text(json.dumps(
            {"from": "Shop <shop@example.com>", "subject": "News for {{name|default:\"you\"}}",
             "text": "Hello {{name|default:\"reader\"}} in {{city}}\n", "html_file": "news.html",
             "unsubscribe": "https://example.com/u/{{id}}"}), encoding="utf-8")

    def provider(self):
        store = self.folder / "store"
        store.mkdir(exist_ok=True)
        sink = self.sink("--profile", "sendgrid", "--limit", "rate=50/s",
                         "--record-content", store, listeners=("starttls",), user=None)
        (self.folder / "ringpost.toml").write_text(
            "[endpoint.sendgrid]\npreset = \"sendgrid\"\nhost = \"localhost\"\nrate = \"50/s\"\n"
            f"ports = [\"{sink.ports['starttls']} starttls\"]\nca_file = \"{sink.certificate}\"\n",
            encoding="utf-8")
        return sink

    def newsletter(self, *flags):
        run = self.run_program("send", "--template", "news.json", "--recipients", "list.csv", "-e",
                               "sendgrid", *flags, RINGPOST_PASSWORD=PASSWORD)
        self.assert_secret_absent(run)
        return run

    def stored(self):
        return [message_from_bytes(path.read_bytes(), policy=policy.default)
                for path in (self.folder / "store").glob("*.eml")]

    def test_three_commands(self):
        sink = self.provider()
        self.write_template()
        self.write_list("list.csv", {n: self.address(n) for n in range(SUBSCRIBERS)})

        run = self.newsletter("--to-me", "me@example.com")
        self.assert_exit(run, 0)
        first, = self.stored()
        self.assertEqual(first["Subject"], "News for you")
        self.assertIn("Hello reader in Paris", first.get_body(("html",)).get_content())
        self.assertEqual(first["List-Unsubscribe"], "<https://example.com/u/s-0>")
        self.assertEqual(first["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")

        run = self.newsletter("-o", "outcomes.jsonl", "--max-attempts", "1")
        self.assert_exit(run, 5)
        told = {one["id"]: one for one in read_outcomes(self.folder / "outcomes.jsonl")}
        self.assertEqual(len(told), SUBSCRIBERS)
        for number in range(SUBSCRIBERS):
            wanted = ("rejected" if number in REFUSED else
                      "deferred" if number in PUT_OFF else "accepted")
            self.assertEqual(told[f"s-{number}"]["status"], wanted, told[f"s-{number}"])
        self.assertIn("550 No such user, as its address asks", run.stdout.decode())
        report = sink.stop()
        self.assert_within_limits(report)
        self.assertEqual(len(report.record), 1 + SUBSCRIBERS - len(REFUSED) - len(PUT_OFF))

        # They are put off again, and nobody else is sent to.
        sink = self.provider()
        run = self.newsletter("-o", "again.jsonl", "--retry-from", "outcomes.jsonl",
                              "--max-attempts", "1")
        again = read_outcomes(self.folder / "again.jsonl")
        self.assertEqual({one["id"] for one in again}, {f"s-{number}" for number in PUT_OFF})
        self.assert_exit(run, 5)
        sink.stop()


if __name__ == "__main__":
    unittest.main()
