"""Endpoints that are a preset and a password.

Goal: with each of the presets a name and a password are enough to send, and what the preset says is
kept. Method: the preset itself, but for where its server is: the sink plays the provider, so it
announces what the provider announces, lets in whom it lets in, and keeps its limits. What a preset
leaves to its user is filled in as its own forms say.
"""

import json
import tomllib
import unittest

from support.jobs import recipients_of, simple_jobs
from support.program import PASSWORD, USER
from support.sink import SinkTest

JOBS = 3  # some providers take one in two seconds
SINK_USER = "ringpost"  # whom a sink knows when nobody says a name


class PresetTest(SinkTest):
    """The program's own presets against the sink."""

    def preset(self, name):
        run = self.run_program("presets", "show", name)
        self.assert_exit(run, 0)
        found = tomllib.loads(run.stdout.decode())
        return self.preset(found["same_as"]) if "same_as" in found else found

    def names(self):
        listed = self.run_program("presets").stdout.decode()
        return [line.split()[0] for line in listed.splitlines()]

    def user_of(self, preset):
        """Who logs in, and whether that has to be said."""
        endpoint = preset["endpoint"]
        if endpoint.get("username_is_password"):
            return PASSWORD, False
        if "username" in endpoint:
            return endpoint["username"], False
        forms = preset.get("forms", {}).get("username", ["*"])
        return forms[0].replace("*", "x"), True

    def write_endpoint(self, name, **settings):
        lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        (self.folder / "ringpost.toml").write_text("\n".join([f"[endpoint.{name}]", *lines, ""]),
                                                   encoding="utf-8")

    def sink_of(self, name, *flags, **settings):
        """A sink in the provider's place, as an endpoint of the preset's name."""
        preset = self.preset(name)
        user, is_own = self.user_of(preset)
        is_open = preset["endpoint"].get("auth") == "none"
        listener = "plain" if is_open else "starttls"
        sink = self.sink("--profile", name, *flags, listeners=(listener,), user=None)
        place = {"preset": name, "host": "localhost", "ca_file": str(sink.certificate),
                 "ports": [f"{sink.ports[listener]} {'none' if is_open else 'starttls'}"]}
        if is_open:
            del place["ca_file"]
        elif is_own:
            place["username"] = user if "forms" in preset else SINK_USER
            user = place["username"]
        self.write_endpoint(name, **{**place, **settings})
        return sink, None if is_open else user

    def test_each_sends_with_a_name_and_a_password(self):
        names = self.names()
        self.assertEqual(len(names), 24)
        for name in names:
            with self.subTest(preset=name):
                sink, user = self.sink_of(name)
                jobs = simple_jobs(JOBS)
                run = self.send(jobs, name)
                self.assert_all_accepted(run, jobs)
                self.assert_secret_absent(run)
                report = sink.stop()
                self.assertEqual(report.recipients(), recipients_of(jobs))
                self.assertEqual({one["auth"] for one in report.record}, {user})
                self.assert_strict(report)
                self.assert_within_limits(report)

    def test_a_wrong_user_name_is_refused_and_the_right_one_is_told(self):
        """Of each provider that gives user names a form, or has one for all."""
        refusing = 0
        for name in self.names():
            preset = self.preset(name)
            endpoint = preset["endpoint"]
            if endpoint.get("auth") == "none" or preset.get("server", {}).get("takes_any_username"):
                continue
            with self.subTest(preset=name):
                sink, _ = self.sink_of(name, username="nobody")
                run = self.send(simple_jobs(1), name)
                self.assert_exit(run, 7)
                self.assertEqual(set(run.statuses()), {"unsent"}, run.describe())
                self.assert_secret_absent(run)
                if "username" in preset.get("forms", {}) and "username" in preset["hints"]:
                    self.assert_says(run, "the user name should be")
                self.assertGreater(sink.stop().summary["limits"]["logins_refused"], 0)
                refusing += 1
        self.assertGreaterEqual(refusing, 22)

    def test_limits_are_kept(self):
        """MailerSend has five messages a connection, Microsoft 365 three connections."""
        sink, _ = self.sink_of("mailersend")
        jobs = simple_jobs(23)
        self.assert_all_accepted(self.send(jobs, "mailersend", "--connections", "1"), jobs)
        report = sink.stop()
        self.assertEqual(report.summary["sessions"], 5)
        self.assert_within_limits(report)
        sink, _ = self.sink_of("m365", "--limit", "rate=none", rate="100/s")
        jobs = simple_jobs(60)
        run = self.send(jobs, "m365", "--connections", "20")
        self.assert_all_accepted(run, jobs)
        self.assert_says(run, "of 20 connections 3 are opened")
        limits = sink.stop().summary["limits"]
        self.assertLessEqual(limits["connections_peak"], 3)
        self.assertEqual(limits["connections"], {"allowed": 3, "refused": 0})

    def test_a_message_that_is_too_large_is_invalid(self):
        sink, _ = self.sink_of("sendgrid", bytes_per_message=2000)
        jobs = simple_jobs(2)
        jobs[1]["raw"] += "twenty octets a line\r\n" * 200
        run = self.send(jobs, "sendgrid")
        self.assertEqual([one["status"] for one in sorted(run.outcomes, key=lambda o: o["id"])],
                         ["accepted", "invalid"], run.describe())
        self.assert_says(run, "bytes_per_message allows at most 2000")
        self.assertEqual(len(sink.stop().record), 1)

    def test_a_refused_login_is_told_what_the_provider_wants(self):
        self.sink_of("sendgrid", username="me@example.com")
        run = self.send(simple_jobs(1), "sendgrid")
        self.assert_exit(run, 7)
        self.assert_says(run, "the user name should be: the word apikey")
        self.assert_says(run, "the password should be: an API key")
        probe = self.run_program("probe", "sendgrid", RINGPOST_PASSWORD=PASSWORD)
        self.assert_exit(probe, 7)
        self.assertIn("the user name should be: the word apikey", probe.stdout.decode())

    def test_a_token_that_is_user_name_and_password_is_shown_nowhere(self):
        self.sink_of("postmark")
        for flags in ((), ("--json",), ("--transcript",)):
            probe = self.run_program("probe", "postmark", *flags, RINGPOST_PASSWORD=PASSWORD)
            self.assert_exit(probe, 0)
            self.assertNotIn(PASSWORD, probe.stdout.decode() + probe.stderr)
        self.assertIn("username_is_password = true",
                      self.run_program("probe", "postmark",
                                       RINGPOST_PASSWORD=PASSWORD).stdout.decode())

    def test_none_turns_a_preset_off(self):
        """An endpoint is then what its own section says, whatever its name."""
        sink = self.sink()
        self.write_endpoint("sendgrid", host="localhost", port=sink.ports["starttls"],
                            username=USER, ca_file=str(sink.certificate), preset="none")
        jobs = simple_jobs(2)
        self.assert_all_accepted(self.send(jobs, "sendgrid"), jobs)


if __name__ == "__main__":
    unittest.main()
