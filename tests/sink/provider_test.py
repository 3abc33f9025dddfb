"""`ringpost sink --profile`: each provider's announcements, names, limits and words, as a client
that is not ours meets them.

Goal: what a preset says of a provider is what the sink does. Method: smtplib and raw sockets
against the sink, and the preset's own text. No moment is asserted but in one direction: what has to
come at all may come late.
"""

import smtplib
import subprocess
import time
import tomllib
import unittest

from sink_test import RINGPOST, Sink, codes

SECRET = "ringpost"


def shown(name):
    run = subprocess.run([RINGPOST, "presets", "show", name], capture_output=True, check=True)
    return tomllib.loads(run.stdout.decode())


def preset_of(name):
    preset = shown(name)
    return preset_of(preset["same_as"]) if "same_as" in preset else preset


def names():
    listed = subprocess.run([RINGPOST, "presets"], capture_output=True, check=True)
    return [line.split()[0] for line in listed.stdout.decode().splitlines()]


def words(reply):
    """The keywords of an answer to EHLO, behind its first line."""
    return [line[4:] for line in reply.splitlines()[1:]]


def user_of(preset):
    endpoint = preset["endpoint"]
    if endpoint.get("username_is_password"):
        return SECRET
    forms = preset.get("forms", {}).get("username", [])
    return endpoint.get("username") or (forms[0].replace("*", "x") if forms else "ringpost")


def send(client, count=1):
    """The last reply to each of so many messages, or to what kept it from being sent."""
    replies = []
    for _ in range(count):
        try:
            client.sendmail("a@b.example", "c@d.example", "Subject: x\n\nx\n")
            replies.append((250, b""))
        except smtplib.SMTPResponseException as error:
            replies.append((error.smtp_code, error.smtp_error))
        except smtplib.SMTPRecipientsRefused as error:
            replies += error.recipients.values()
        except smtplib.SMTPServerDisconnected:
            break
    return replies


class Profiles(unittest.TestCase):
    def login(self, sink, name):
        client = sink.smtp()
        self.addCleanup(client.close)
        client.login(user_of(preset_of(name)), SECRET)
        return client

    def test_each_announces_what_its_preset_says(self):
        self.assertEqual(len(names()), 24)
        for name in names():
            with self.subTest(profile=name):
                preset = preset_of(name)
                server = preset.get("server", {})
                open_to_all = preset["endpoint"].get("auth") == "none"
                with Sink("--profile", name) as sink, sink.raw("starttls") as raw:
                    in_clear = words(raw.ehlo())
                    client = sink.smtp()
                    inside = words("\n" + "\n".join(
                        "250-" + line for line in client.ehlo_resp.decode().split("\n")[1:]))
                    client.close()
                wanted = server.get("ehlo", [])
                if not open_to_all and not any(word.startswith("AUTH") for word in wanted):
                    wanted = [*wanted, "AUTH PLAIN LOGIN"]
                self.assertEqual(inside, wanted)
                without = [word for word in wanted if not word.startswith("AUTH")]
                self.assertEqual(in_clear, server.get("ehlo_in_clear", [*without, "STARTTLS"]))

    def test_each_lets_in_who_has_its_form_of_a_name_and_nobody_else(self):
        for name in names():
            preset = preset_of(name)
            if preset["endpoint"].get("auth") == "none":
                continue
            with self.subTest(profile=name), Sink("--profile", name) as sink:
                client = self.login(sink, name)
                self.assertEqual(send(client), [(250, b"")])
                client.close()
                client = sink.smtp()
                user = user_of(preset)
                if not preset.get("server", {}).get("takes_any_username"):
                    with self.assertRaises(smtplib.SMTPAuthenticationError):
                        client.login("nobody", SECRET)
                client.close()
                client = sink.smtp()
                with self.assertRaises(smtplib.SMTPAuthenticationError):
                    client.login(user, "wrong")
                client.close()
                limits = sink.stop()["limits"]
                self.assertEqual(limits["profile"], shown(name)["name"])
                self.assertGreater(limits["logins_refused"], 0)

    def test_only_who_is_named_gets_in_where_a_user_is_named(self):
        with Sink("--profile", "sendgrid", "--user", "me") as sink:
            client = sink.smtp()
            self.addCleanup(client.close)
            with self.assertRaises(smtplib.SMTPAuthenticationError) as caught:
                client.login("apikey", SECRET)
            self.assertEqual(caught.exception.smtp_error, b"Authentication failed")

    def test_a_provider_without_implicit_tls_has_no_such_listener(self):
        ready = subprocess.run([RINGPOST, "sink", "--profile", "sparkpost",
                                "--listen", "127.0.0.1:0", "--duration", "1ms"],
                               capture_output=True, check=True)
        self.assertNotIn(b" tls=", ready.stderr)

    def test_a_rate_is_kept_in_the_words_of_the_provider(self):
        with Sink("--profile", "ses", "--limit", "rate=5 recipients/m") as sink:
            replies = send(self.login(sink, "ses"), 8)
            self.assertEqual([code for code, _ in replies], [250] * 5 + [454] * 3)
            self.assertEqual(replies[-1][1], b"Throttling failure: Maximum sending rate exceeded")
            limits = sink.stop()["limits"]
            rate, = limits["rates"]
            self.assertEqual((rate["unit"], rate["allowed"], rate["window_s"]),
                             ("recipients", 5, 60))
            self.assertEqual((rate["came"], rate["accepted"], rate["refused"]), (8, 5, 3))
            self.assertEqual((rate["peak"], rate["peak_accepted"], rate["over"]), (8, 5, 0.6))
            self.assertEqual(sum(limits["came_by_second"]), 8)
            self.assertEqual(sum(limits["accepted_by_second"]), 5)

    def test_rates_of_a_preset_and_of_its_plan_are_kept(self):
        with Sink("--profile", "resend", "--limit", "rate=none") as sink:
            self.assertEqual(sink.stop()["limits"]["rates"], [])
        for flags, rates in (((), {("messages", 1): 2}),
                             (("--plan", "free"), {("messages", 1): 2, ("messages", 86400): 100}),
                             (("--limit", "rate=9/s"), {("messages", 1): 9})):
            with self.subTest(flags=flags), Sink("--profile", "resend", *flags) as sink:
                found = {(rate["unit"], rate["window_s"]): rate["allowed"]
                         for rate in sink.stop()["limits"]["rates"]}
                self.assertEqual(found, rates)

    def test_a_rate_that_is_judged_at_mail_is_refused_there(self):
        with Sink("--profile", "m365", "--limit", "rate=1/m") as sink:
            client = self.login(sink, "m365")
            self.assertEqual(send(client), [(250, b"")])
            code, text = client.mail("a@b.example")
            self.assertEqual(code, 421)
            self.assertIn(b"4.4.2 Message submission rate for this client", text)

    def test_messages_of_a_connection(self):
        with Sink("--profile", "mailersend") as sink:
            replies = send(self.login(sink, "mailersend"), 6)
            self.assertEqual([code for code, _ in replies], [250] * 5 + [421])
            self.assertEqual(sink.stop()["limits"]["messages"], {"allowed": 5, "refused": 1})

    def test_connections_are_refused_where_the_provider_does(self):
        with Sink("--profile", "socketlabs", "--limit", "connections=1") as sink:
            client = self.login(sink, "socketlabs")
            with self.assertRaises(smtplib.SMTPConnectError) as caught:
                smtplib.SMTP("127.0.0.1", sink.port["starttls"], timeout=20)
            self.assertEqual(caught.exception.smtp_error,
                             b"4.4.5 Too many connections from your host")
            client.quit()
            self.assertEqual(send(self.login(sink, "socketlabs")), [(250, b"")])
            self.assertEqual(sink.stop()["limits"]["connections"], {"allowed": 1, "refused": 1})
        with Sink("--profile", "m365", "--limit", "rate=none") as sink:
            clients = [self.login(sink, "m365") for _ in range(4)]
            self.assertEqual([send(client)[0][0] for client in clients], [250, 250, 250, 432])
            limits = sink.stop()["limits"]
            self.assertEqual((limits["connections_peak"], limits["logins_refused"]), (4, 0))

    def test_recipients_and_octets_of_a_message(self):
        with Sink("--profile", "socketlabs", "--limit", "recipients=2",
                  "--limit", "bytes=1000") as sink:
            client = self.login(sink, "socketlabs")
            client.mail("a@b.example")
            heard = [client.rcpt(f"{name}@d.example")[0] for name in "xyz"]
            self.assertEqual(heard, [250, 250, 452])
            client.rset()
            client.mail("a@b.example")
            client.rcpt("c@d.example")
            self.assertEqual(client.data("x" * 900 + "\r\n" + "x" * 900)[0], 552)

    def test_who_is_silent_is_told_so(self):
        with Sink("--profile", "ses", "--limit", "idle=300ms") as sink, sink.raw("starttls") as raw:
            self.assertEqual(raw.reply(), "451 4.4.2 Timeout waiting for data from client")
            self.assertTrue(raw.at_end())
            self.assertEqual(sink.stop()["limits"]["idle"], {"allowed": 0.3, "refused": 1})

    def test_a_connection_that_is_too_old_ends_at_its_next_message(self):
        with Sink("--limit", "age=1s") as sink:
            client = sink.smtp()
            self.addCleanup(client.close)
            client.login(SECRET, SECRET)
            until = time.monotonic() + 20
            while time.monotonic() < until and send(client) == [(250, b"")]:
                time.sleep(0.1)
            self.assertEqual(sink.stop()["limits"]["age"]["refused"], 1)

    def test_limits_change_behind_the_first_connection(self):
        with Sink("--profile", "ses", "--limit", "rate=1000/m", "--change", "0s:rate=2/m",
                  "--change", "0s:rate=3/m") as sink:
            time.sleep(0.3)
            replies = send(self.login(sink, "ses"), 4)
            self.assertEqual([code for code, _ in replies], [250] * 3 + [454])
            rates = sink.stop()["limits"]["rates"]
            self.assertEqual([rate["allowed"] for rate in rates], [1000, 2, 3])

    def test_an_outage_is_one_of_the_provider_s_own_words(self):
        with Sink("--profile", "ses", "--change", "0s:454 for 1s") as sink:
            client = self.login(sink, "ses")
            began = time.monotonic()
            heard = []
            while not heard or (heard[-1][0] != 250 and time.monotonic() < began + 30):
                heard += send(client)
                time.sleep(0.1)
            if time.monotonic() - began < 1:
                self.assertEqual(heard[0], (454, b"Throttling failure: Maximum sending rate "
                                                 b"exceeded"))
            self.assertEqual(heard[-1][0], 250)
            refused = sink.stop()["limits"]["refused_for_outage"]
            self.assertEqual(refused, len(heard) - 1)

    def test_all_threads_keep_one_account(self):
        with Sink("--profile", "ses", "--limit", "rate=10/h", "--threads", "3") as sink:
            clients = [self.login(sink, "ses") for _ in range(6)]
            replies = [reply for client in clients for reply in send(client, 4)]
            self.assertEqual(sum(code == 250 for code, _ in replies), 10)
            self.assertEqual({text for code, text in replies if code != 250},
                             {b"Throttling failure: Daily message quota exceeded"})

    def test_limits_of_no_provider_have_anybody_s_words(self):
        with Sink("--limit", "rate=1/h", "--no-auth") as sink:
            client = sink.smtp()
            self.addCleanup(client.close)
            self.assertEqual(send(client, 2),
                             [(250, b""), (451, b"4.7.1 Sending quota exceeded")])
            self.assertEqual(sink.stop()["limits"]["profile"], "")
        with Sink() as sink:
            self.assertIsNone(sink.stop()["limits"])

    def test_what_cannot_be_is_refused_with_the_flag_and_the_reason(self):
        for flags, said in (
                (("--profile", "sesame"), "--profile: unknown preset \"sesame\""),
                (("--plan", "free"), "--plan: it belongs to a provider"),
                (("--profile", "ses", "--plan", "fre"), "there are sandbox"),
                (("--profile", "relay", "--plan", "fre"), "--plan: relay has no plans"),
                (("--limit", "rat=1/s"), "--limit rat=1/s: unknown limit \"rat\"; did you mean"),
                (("--limit", "rate=x"), "--limit rate=x: \"x\" is no rate"),
                (("--limit", "idle=9"), "--limit idle=9: \"9\" has no unit"),
                (("--limit", "idle=0"), "it is a time, or none"),
                (("--limit", "connections=0"), "out of range"),
                (("--change", "rate=7/s"), "--change rate=7/s: it is TIME:LIMIT"),
                (("--change", "5s:rate"), "no limit (rate=7/s) and no outage (454 for 60s)"),
                (("--change", "5s:250 for 3s"), "\"250\" is out of range")):
            with self.subTest(flags=flags):
                run = subprocess.run([RINGPOST, "sink", *flags], capture_output=True, timeout=20,
                                     check=False)
                self.assertEqual(run.returncode, 2, run)
                self.assertIn(said, run.stderr.decode())


if __name__ == "__main__":
    unittest.main()
