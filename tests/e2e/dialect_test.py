"""`--dialect`: bodies of other services, from the file to the server.

Goal: the bodies of each service become the messages that they mean, and what cannot be had is told
in the service's words. Method: bodies as the services' documentation shows them, sent to the sink,
and rendered and read by Python.
"""

import json
import unittest
from email import message_from_bytes, policy

from support.sink import SinkTest

SENDER = {"email": "news@example.com", "name": "News"}
# One message each; the recipients that it goes to.
BODIES = {
    "sendgrid": ({"personalizations": [{"to": [{"email": "ann@example.net"}],
                                        "cc": [{"email": "bob@example.net"}],
                                        "substitutions": {"-name-": "Ann"}}],
                  "from": SENDER, "subject": "Hello -name-",
                  "content": [{"type": "text/plain", "value": "Hello -name- {{x}}"}]},
                 ["ann@example.net", "bob@example.net"]),
    "mailgun": ({"from": "News <news@example.com>", "to": "Ann <ann@example.net>, bob@example.net",
                 "subject": "Hello Ann", "text": "Hello Ann {{x}}", "o:tag": ["a"]},
                ["ann@example.net", "bob@example.net"]),
    "postmark": ({"From": "news@example.com", "To": "ann@example.net", "Subject": "Hello Ann",
                  "TextBody": "Hello Ann {{x}}", "MessageStream": "outbound"}, ["ann@example.net"]),
    "ses": ({"FromEmailAddress": "news@example.com",
             "Destination": {"ToAddresses": ["ann@example.net"]},
             "Content": {"Simple": {"Subject": {"Data": "Hello Ann"},
                                    "Body": {"Text": {"Data": "Hello Ann {{x}}"}}}}},
            ["ann@example.net"]),
    "kumomta": ({"envelope_sender": "bounce@example.com", "template_dialect": "Static",
                 "content": {"text_body": "Hello Ann {{x}}", "subject": "Hello Ann",
                             "from": SENDER},
                 "recipients": [{"email": "ann@example.net"}]}, ["ann@example.net"]),
    "nodemailer": ({"from": '"News" <news@example.com>', "to": ["ann@example.net"],
                    "subject": "Hello Ann", "text": "Hello Ann {{x}}"}, ["ann@example.net"]),
    "listmonk": ({"subject": "Hello Ann", "from_email": "news@example.com",
                  "content_type": "plain", "body": "Hello Ann {{x}}",
                  "recipients": [{"uuid": "u", "email": "ann@example.net", "name": "Ann"}],
                  "campaign": {"uuid": "c", "name": "Campaign", "tags": ["a"]}},
                 ["ann@example.net"]),
}


class DialectTest(SinkTest):
    def write_bodies(self, *bodies):
        path = self.folder / "bodies.jsonl"
        path.write_text("".join(json.dumps(body) + "\n" for body in bodies), encoding="utf-8")
        return path

    def test_each_service_is_sent_and_rendered(self):
        for dialect, (body, recipients) in BODIES.items():
            with self.subTest(dialect=dialect):
                sink = self.sink()
                run = self.send([body], sink.endpoint(), "--dialect", dialect)
                self.assert_exit(run, 0)
                self.assertEqual([outcome["rcpt"] for outcome in run.outcomes], recipients)
                self.assertEqual(run.statuses(), {"accepted": len(recipients)}, run.describe())
                self.assert_strict(sink.stop())
                path = self.write_bodies(body)
                rendered = self.run_program("render", path, "--dialect", dialect)
                message = message_from_bytes(rendered.stdout, policy=policy.default)
                self.assertEqual(message["Subject"], "Hello Ann", rendered.describe())
                self.assertEqual(message.get_content().strip(), "Hello Ann {{x}}")

    def test_several_messages_of_one_body(self):
        body = {"From": "news@example.com", "Subject": "Hello {{name}}",
                "TextBody": "Hello {{name}}", "HtmlBody": "<p>{{name}}</p>",
                "Messages": [{"To": "ann@example.net", "TemplateModel": {"name": "Ann & Co"}},
                             {"To": "bob@example.net", "TemplateModel": {"name": "Bob"}},
                             {"To": "cara@example.net"}]}
        sink = self.sink()
        run = self.send([body], sink.endpoint(), "--dialect", "postmark")
        self.assert_exit(run, 3)
        said = {outcome["rcpt"]: outcome for outcome in run.outcomes}
        self.assertEqual({rcpt: outcome["status"] for rcpt, outcome in said.items()},
                         {"ann@example.net": "accepted", "bob@example.net": "accepted",
                          "cara@example.net": "invalid"}, run.describe())
        self.assertIn("name", said["cara@example.net"]["reason"])
        rendered = self.run_program("render", self.write_bodies(body), "--dialect", "postmark")
        message = message_from_bytes(rendered.stdout, policy=policy.default)
        self.assertEqual(message["Subject"], "Hello Ann & Co")
        self.assertIn("<p>Ann &amp; Co</p>", message.get_body(("html",)).get_content())

    def test_what_cannot_be_had_is_told_to_each_recipient(self):
        body, recipients = BODIES["sendgrid"]
        path = self.write_bodies(dict(body, template_id="d-1"))
        run = self.run_program("validate", path, "--dialect", "sendgrid")
        self.assert_exit(run, 3)
        self.assertIn(b"bodies.jsonl:1: template_id: cannot be had", run.stdout)
        sink = self.sink()
        run = self.send([dict(body, template_id="d-1")], sink.endpoint(), "--dialect", "sendgrid")
        self.assert_exit(run, 3)
        self.assertEqual(run.statuses(), {"invalid": len(recipients)}, run.describe())
        self.assertEqual(list(sink.stop().recipients()), [])

    def test_the_name_comes_from_flag_variable_and_file(self):
        path = self.write_bodies(BODIES["nodemailer"][0])
        self.assert_exit(self.run_program("validate", path), 0)
        listmonk = self.write_bodies(BODIES["listmonk"][0])
        self.assert_exit(self.run_program("validate", listmonk), 3)
        (self.folder / "ringpost.toml").write_text('[send]\ndialect = "listmonk"\n')
        self.assert_exit(self.run_program("validate", listmonk), 0)
        run = self.run_program("validate", listmonk, "--dialect", "lismonk")
        self.assert_exit(run, 2)
        self.assertIn('--dialect: "lismonk" is none of sendgrid, mailgun', run.stderr)


if __name__ == "__main__":
    unittest.main()
