"""`ringpost serve` as a platform meets it: the provider's own answers, and nothing lost.

Each case starts a sink and a smart host in front of it, and speaks to that by smtplib or octet by
octet. Needs $RINGPOST. Loopback only.
"""

import signal
import smtplib
import ssl
import threading
import unittest
from collections import Counter

from support.certificates import Authority
from support.jobs import simple_content
from support.serve import BLOG_PASSWORD, ServeTest, trusting
from support.workspace import wait_until

LISTEN = '[[listen.smtp]]\naddress = "127.0.0.1:0"\n'


def headed(message_id, *fields, body="Hello.\r\n"):
    lines = [*fields, f"Message-ID: <{message_id}>", "From: sender@example.com", "Subject: x"]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def answer_of(client, recipients, content, sender="sender@example.com"):
    """Code and text of the reply to the end of data."""
    client.ehlo_or_helo_if_needed()
    client.mail(sender)
    for recipient in recipients:
        code, text = client.rcpt(recipient)
        if code != 250:
            raise AssertionError((recipient, code, text))
    code, text = client.data(content)
    return code, text.decode()


class Answers(ServeTest):
    """What a client hears, and what stands in the outcome lines."""

    def test_the_provider_answers(self):
        serve = self.start_serve(self.sink(), LISTEN, RINGPOST_MAX_ATTEMPTS="1")
        cases = {"fine@example.net": "accepted", "reject-user@example.net": "rejected",
                 "reject-data@example.net": "rejected", "defer-user@example.net": "deferred",
                 "defer-data@example.net": "deferred"}
        with serve.client() as client:
            answers = {name: answer_of(client, [name], headed(name)) for name in cases}
        lines = {line["rcpt"]: line for line in serve.outcomes()}
        self.assertEqual(set(lines), set(cases))
        for name, status in cases.items():
            line, (code, text) = lines[name], answers[name]
            self.assertEqual(line["status"], status)
            self.assertEqual(line["id"], name)
            self.assertEqual(code, line["code"])
            self.assertEqual(text, f"{line['enhanced']} {line['text']}")

    def test_several_recipients_have_one_answer(self):
        serve = self.start_serve(self.sink(), LISTEN, RINGPOST_MAX_ATTEMPTS="1")
        mixes = {("a@example.net", "b@example.net"): 250,
                 ("a@example.net", "reject-user@example.net", "defer-user@example.net"): 250,
                 ("reject-user@example.net", "defer-user@example.net"): 450,
                 ("reject-user@example.net", "reject-other@example.net"): 550}
        with serve.client() as client:
            for number, (recipients, code) in enumerate(mixes.items()):
                heard, text = answer_of(client, recipients, headed(f"mix-{number}"))
                self.assertEqual(heard // 10, code // 10, (recipients, text))
        lines = Counter(line["id"] for line in serve.outcomes())
        self.assertEqual(lines, Counter({f"mix-{number}": len(recipients)
                                         for number, recipients in enumerate(mixes)}))

    def test_no_endpoint_and_no_patience(self):
        """Who cannot be reached answers nothing: 451, within the time that the client waits."""
        sink = self.sink()
        # Long enough for the first message on a machine that is busy.
        serve = self.start_serve(sink, LISTEN + 'answer_within = "6s"\n')
        with serve.client() as client:
            self.assertEqual(answer_of(client, ["a@example.net"], headed("before"))[0], 250)
            sink.stop()
            code, text = answer_of(client, ["a@example.net"], headed("after"))
            self.assertEqual(code, 451)
            self.assertIn("no answer of the provider within 6s", text)
        serve.program.signal(signal.SIGTERM)
        serve.program.signal(signal.SIGINT)
        serve.program.wait(60)
        lines = serve.wait_for_outcomes(2)
        self.assertEqual([line["id"] for line in lines], ["before", "after"])
        self.assertIn(lines[1]["status"], ("unsent", "expired"))

    def test_unknown_says_so(self):
        """The provider hangs up behind the end of data."""
        serve = self.start_serve(self.sink("--fault", "drop-reply@end=100"), LISTEN)
        with serve.client() as client:
            code, text = answer_of(client, ["a@example.net"], headed("lost"))
        self.assertEqual(code, 451)
        self.assertIn("Unknown: the provider may have accepted it", text)
        self.assertEqual([line["status"] for line in serve.outcomes()], ["unknown"])

    def test_a_client_that_leaves_has_its_outcome(self):
        """The provider has it already, or at least its content."""
        sink = self.sink("--latency", "100ms")
        serve = self.start_serve(sink, LISTEN)
        dialogue = self.dialogue(serve)
        dialogue.begin()
        dialogue.send(headed("left") + b".\r\n")
        wait_until(lambda: len(sink.record()) == 1, "the sink has it")
        dialogue.close()
        lines = serve.wait_for_outcomes(1)
        self.assertEqual([(line["id"], line["status"]) for line in lines], [("left", "accepted")])


class Content(ServeTest):
    """What arrives at the provider."""

    def test_octet_for_octet(self):
        sink = self.sink("--record-content", "content")
        serve = self.start_serve(sink, LISTEN)
        contents = {
            "dots": simple_content("dots", ".\r\n..\r\n.dot\r\n").encode(),
            "8bit": simple_content("8bit", "caf\u00e9\r\n").encode("latin-1"),
            "bcc": b"Bcc: hidden@example.net\r\n" + simple_content("bcc").encode(),
            "large": simple_content("large", "0123456789 abcdef\r\n" * 60_000).encode(),
        }
        with serve.client() as client:
            client.ehlo()
            for extension in ("pipelining", "chunking", "8bitmime", "smtputf8", "size", "dsn",
                              "enhancedstatuscodes", "limits"):
                self.assertTrue(client.has_extn(extension), extension)
            for content in contents.values():
                code, text = answer_of(client, ["a@example.net"], content)
                self.assertEqual(code, 250, text)
        dialogue = self.dialogue(serve)
        dialogue.say(b"EHLO platform.example\r\n")
        chunked = simple_content("chunked", "in two\r\n").encode()
        dialogue.send(b"MAIL FROM:<a@example.com> BODY=8BITMIME\r\nRCPT TO:<b@example.net>\r\n"
                      + b"BDAT 20\r\n" + chunked[:20]
                      + f"BDAT {len(chunked) - 20} LAST\r\n".encode() + chunked[20:])
        self.assertEqual([dialogue.reply()[:3] for _ in range(4)], ["250"] * 4)
        contents["chunked"] = chunked
        sink.stop()
        for path in (sink.folder / "content").iterdir():
            head, _, rest = path.read_bytes().partition(b"\r\n\t")
            self.assertEqual(head, b"Received: from platform.example")
            by, _, rest = rest.partition(b"\r\n\t")
            self.assertRegex(by, rb"^by [\w.-]+ \(ringpost\) with ESMTP id [0-9a-f-]+;$")
            date, _, original = rest.partition(b"\r\n")
            self.assertRegex(date, rb"^\w{3}, \d+ \w{3} \d{4} \d\d:\d\d:\d\d \+0000$")
            name = original.split(b"X-Id: ")[1].split(b"\r\n")[0].decode()
            self.assertEqual(original, contents.pop(name), name)
        self.assertEqual(contents, {})

    def test_programs_as_they_are(self):
        """Who says what no grammar has and every relay takes."""
        serve = self.start_serve(self.sink(), LISTEN)
        dialogue = self.dialogue(serve)
        for said in (b"EHLO my_machine", b"MAIL FROM: <a@example.com>  SIZE=5",
                     b"RCPT TO:b@c.example"):
            self.assertEqual(dialogue.say(said + b"\r\n")[:3], "250", said)
        self.assertEqual(dialogue.say(b"DATA\r\n")[:3], "354")
        self.assertEqual(dialogue.say(headed("as-it-is") + b".\r\n")[:3], "250")
        line, = serve.outcomes()
        self.assertEqual((line["rcpt"], line["status"]), ("b@c.example", "accepted"))
        for said in (b"EHLO my machine", b"MAIL FROM: a", b"MAIL FROM:<a@b>x"):
            self.assertEqual(dialogue.say(said + b"\r\n")[:3], "501", said)

    def test_fields_for_ringpost(self):
        sink = self.sink("--record-content", "content")
        serve = self.start_serve(sink, LISTEN)
        fields = ["X-Ringpost-Id: order-7", "X-Ringpost-Tag: news, weekly",
                  "X-Ringpost-Meta-Plan: pro", "X-Listmonk-Campaign: c1",
                  "X-Listmonk-Subscriber: s2"]
        with serve.client() as client:
            self.assertEqual(answer_of(client, ["a@example.net"], headed("m1", *fields))[0], 250)
            code, text = answer_of(client, ["a@example.net"],
                                   headed("m2", "X-Ringpost-Endpoint: nowhere"))
            self.assertEqual(code, 554, text)
            self.assertIn("no endpoint is named", text)
            code, text = answer_of(client, ["a@example.net"], headed("m3", "X-Ringpost-Tga: x"))
            self.assertEqual(code, 554, text)
            self.assertIn("x-ringpost-tga", text)
            loop = ["Received: from a by b"] * 50
            code, text = answer_of(client, ["a@example.net"], headed("m4", *loop))
            self.assertEqual((code, text[:5]), (554, "5.4.6"))
            code, text = answer_of(client, ["a@example.net"],
                                   headed("m5", body="x" * 1000 + "\r\n"))
            self.assertEqual(code, 554, text)
        first = serve.outcomes()[0]
        self.assertEqual((first["id"], first["tags"]), ("order-7", ["news", "weekly"]))
        self.assertEqual(first["metadata"], {"plan": "pro", "listmonk_campaign": "c1",
                                             "listmonk_subscriber": "s2"})
        sink.stop()
        (path,) = (sink.folder / "content").iterdir()
        content = path.read_bytes()
        self.assertNotIn(b"ringpost-", content.lower())
        self.assertIn(b"X-Listmonk-Campaign: c1\r\n", content)

    def test_routes(self):
        """By user and by the sender's domain; what no route fits goes to the others."""
        sink, other = self.sink(), self.sink()
        users = self.write_users(blog=BLOG_PASSWORD)
        second = "\n".join(["[endpoint.second]", 'host = "localhost"', 'username = "mailer"',
                            f'port = {other.ports["starttls"]}',
                            f'ca_file = "{other.certificate}"'])
        routes = ('[[serve.route]]\nsender_domain = "Shop.Example"\nendpoint = "second"\n'
                  '[[serve.route]]\nuser = "blog"\nsender_domain = "blog.example"\n'
                  'endpoint = "second"\n')
        serve = self.start_serve(sink, f'{second}\n{routes}{LISTEN}users = "{users}"\n'
                                 '[send]\nendpoint = "esp"',
                                 RINGPOST_ENDPOINT_SECOND_PASSWORD="corr3ct-h0rse-battery",
                                 RINGPOST_ENDPOINT_ESP_PASSWORD="corr3ct-h0rse-battery")
        with serve.client() as client:
            client.login("blog", BLOG_PASSWORD)
            for sender in ("a@shop.example", "a@blog.example", "a@example.com"):
                self.assertEqual(answer_of(client, ["a@example.net"], headed(sender),
                                           sender=sender)[0], 250)
        used = {line["id"]: line["endpoint"] for line in serve.outcomes()}
        self.assertEqual(used, {"a@shop.example": "second", "a@blog.example": "second",
                                "a@example.com": "esp"})


class Doors(ServeTest):
    """Who is let in, and how."""

    def test_tls_and_logins(self):
        sink = self.sink()
        users = self.write_users(blog=BLOG_PASSWORD)
        authority = Authority(self.folder / "ca")
        made = authority.good()
        common = f'certificate = "{made.certificate}"\nkey = "{made.key}"\nusers = "{users}"\n'
        serve = self.start_serve(sink, f'{LISTEN}tls = "starttls"\n{common}'
                                 f'{LISTEN}tls = "implicit"\n{common}')
        context = trusting(authority.certificate)
        with serve.client() as client:
            client.ehlo()
            self.assertFalse(client.has_extn("auth"))
            self.assertEqual(client.docmd("AUTH PLAIN AGEAYg==")[0], 538)
            self.assertEqual(client.docmd("MAIL FROM:<a@example.com>")[0], 530)
            client.starttls(context=context)
            client.ehlo()
            self.assertEqual(client.esmtp_features["auth"].split(), ["PLAIN", "LOGIN"])
            with self.assertRaises(smtplib.SMTPAuthenticationError) as caught:
                client.login("blog", "wrong")
            self.assertEqual(caught.exception.smtp_code, 535)
            client.login("blog", BLOG_PASSWORD)
            self.assertEqual(answer_of(client, ["a@example.net"], headed("starttls"))[0], 250)
        host, port = serve.address(1)
        with smtplib.SMTP_SSL(host, port, context=context, timeout=120) as client:
            client.user, client.password = "blog", BLOG_PASSWORD
            client.ehlo()
            client.auth("LOGIN", client.auth_login)
            self.assertEqual(answer_of(client, ["a@example.net"], headed("implicit"))[0], 250)
        with self.assertRaises((ssl.SSLError, OSError)):
            smtplib.SMTP_SSL(host, port, context=ssl.create_default_context(), timeout=120)

    def test_what_may_not_listen(self):
        sink = self.sink()
        wrong = {
            '[[listen.smtp]]\naddress = "0.0.0.0:0"': "relay for anybody",
            '[[listen.smtp]]\naddress = "[::]:0"\nusers = "u"': "relay for anybody",
            '[[listen.smtp]]\naddress = "127.0.0.1:0"\ntls = "starttls"': "go together",
            '[[listen.smtp]]\naddress = "nowhere"': "an address and a port belong here",
            f'{LISTEN}users = "none"': "No such file",
            f'{LISTEN}reply = "stored"': 'spool = "DIR"',
            f'{LISTEN}reply = "later"': 'nor "stored"',
            f'{LISTEN}recipient = 1': "unknown key",
            '[listen]\nsmpt = []': 'did you mean "smtp"?',
            f'{LISTEN}[[serve.route]]\nendpoint = "esp"': "a route says whose messages",
            f'{LISTEN}[[serve.route]]\nuser = "x"\nendpoint = "none"': "none",
        }
        for sections, words in wrong.items():
            run = self.run_program("serve", "-c", self.toml(sink, sections),
                                   RINGPOST_PASSWORD="x")
            self.assert_exit(run, 2)
            self.assertIn(words, run.stderr, sections)
        run = self.run_program("serve", "-c", self.toml(sink, ""), RINGPOST_PASSWORD="x")
        self.assert_exit(run, 2)
        self.assertIn("nothing listens", run.stderr)


class BadInput(ServeTest):
    """Each gets a clear refusal, and the next client is served."""

    def test_refusals(self):
        serve = self.start_serve(
            self.sink(), f"{LISTEN}bytes_per_message = 5000\nrecipients_per_message = 2\n"
            "errors = 5\nmessages_per_connection = 2\n")
        dialogue = self.dialogue(serve)
        self.assertTrue(dialogue.greeting.startswith("220 "))
        self.assertTrue(dialogue.say(b"MAIL FROM:<a@example.com>\r\n").startswith("503"))
        self.assertTrue(dialogue.say(b"EHLO platform.example\r\n").startswith("250"))
        self.assertTrue(dialogue.say(b"NOOP " + b"x" * 20_000 + b"\r\n").startswith("500"))
        self.assertTrue(dialogue.say(b"MAIL FROM:<a@example.com> SIZE=6000\r\n").startswith("552"))
        self.assertTrue(dialogue.say(b"MAIL FROM:<a@\x00example.com>\r\n").startswith("554"))
        self.assertTrue(dialogue.say(b"NOSUCH\r\n").startswith("500"))
        self.assertTrue(dialogue.reply().startswith("421 4.7.0 Too many errors"))
        self.assertTrue(dialogue.is_over())

        dialogue = self.dialogue(serve)
        dialogue.begin()
        self.assertEqual(dialogue.say(b"bare\nfeed\r\n.\r\n")[:9], "554 5.6.0")
        dialogue.begin()
        self.assertEqual(dialogue.say(b"nul \x00\r\n.\r\n")[:9], "554 5.6.0")
        dialogue.begin()
        self.assertEqual(dialogue.say(b"0123456789\r\n" * 500 + b".\r\n")[:9], "552 5.3.4")
        dialogue.say(b"RSET\r\n")
        dialogue.say(b"MAIL FROM:<a@example.com>\r\n")
        heard = [dialogue.say(b"RCPT TO:<a@example.net>\r\n")[:3] for _ in range(3)]
        self.assertEqual(heard, ["250", "250", "452"])
        self.assertEqual(dialogue.say(b"RCPT TO:<postmaster>\r\n")[:3], "452")
        # Octet by octet, as from a slow client.
        dialogue.say(b"RSET\r\n")
        dialogue.begin()
        for octet in headed("slow") + b".\r\n":
            dialogue.send(bytes([octet]))
        self.assertEqual(dialogue.reply()[:3], "250")
        dialogue.begin()
        self.assertEqual(dialogue.say(headed("second") + b".\r\n")[:3], "250")
        self.assertEqual(dialogue.say(b"MAIL FROM:<a@example.com>\r\n")[:3], "421")
        self.assertTrue(dialogue.is_over())
        self.assertEqual([line["id"] for line in serve.outcomes()], ["slow", "second"])

    def test_too_many_and_too_much(self):
        """Clients beyond the number, a silent one, and contents beyond what there is room for."""
        serve = self.start_serve(
            self.sink(), f"{LISTEN}clients = 2\nincoming_bytes = 10000\nbytes_per_message = 9000\n"
            f'{LISTEN}idle_timeout = "1s"\n')
        silent = self.dialogue(serve, 1)
        first, second = self.dialogue(serve), self.dialogue(serve)
        third = self.dialogue(serve)
        self.assertEqual(third.greeting[:3], "421")
        first.begin()
        first.send(b"0123456789\r\n" * 700)
        second.say(b"EHLO platform.example\r\n")
        second.say(b"MAIL FROM:<a@example.com>\r\n")
        second.say(b"RCPT TO:<b@example.net>\r\n")
        content = b"0123456789\r\n" * 700
        self.assertEqual(second.say(f"BDAT {len(content)} LAST\r\n".encode() + content)[:9],
                         "452 4.3.1")
        self.assertEqual(first.say(b".\r\n")[:3], "250")
        self.assertEqual(silent.reply()[:9], "421 4.4.2")
        self.assertTrue(silent.is_over())


class Life(ServeTest):
    """Signals, and an end that leaves nobody without an answer."""

    def test_end_under_load(self):
        """SIGTERM while messages are under way: each is answered, then everybody is sent away."""
        sink = self.sink("--latency", "200ms")
        serve = self.start_serve(sink, LISTEN)
        waiting = []
        for number in range(20):
            dialogue = self.dialogue(serve)
            dialogue.begin()
            dialogue.send(headed(f"load-{number}") + b".\r\n")
            waiting.append(dialogue)
        idle = self.dialogue(serve)
        serve.program.signal(signal.SIGTERM)
        self.assertEqual(idle.reply()[:9], "421 4.3.2")
        for dialogue in waiting:
            self.assertEqual(dialogue.reply()[:3], "250")
            self.assertEqual(dialogue.reply()[:9], "421 4.3.2")
        run = serve.program.wait(60)
        self.assertEqual(run.exit_code, 0, run.describe())
        self.assertEqual(Counter(line["status"] for line in serve.outcomes()),
                         Counter({"accepted": 20}))
        with self.assertRaises(OSError):
            serve.client()

    def test_second_signal_cuts_short(self):
        sink = self.sink("--fault", "stall@end=100")
        serve = self.start_serve(sink, LISTEN)
        dialogue = self.dialogue(serve)
        dialogue.begin()
        dialogue.send(headed("cut") + b".\r\n")
        serve.program.signal(signal.SIGTERM)
        wait_until(lambda: "stopping" in serve.program.stderr(), "it stops")
        serve.program.signal(signal.SIGTERM)
        self.assertEqual(dialogue.reply()[:3], "451")
        run = serve.program.wait(60)
        self.assertEqual(run.exit_code, 143, run.describe())
        self.assertIn([line["status"] for line in serve.outcomes()], (["unknown"], ["unsent"]))

    def test_outcomes_are_opened_anew(self):
        serve = self.start_serve(self.sink(), LISTEN)
        path = self.folder / "outcomes.jsonl"
        with serve.client() as client:
            answer_of(client, ["a@example.net"], headed("before"))
            path.rename(self.folder / "outcomes.1")
            serve.program.signal(signal.SIGHUP)
            wait_until(path.exists, "the file is there anew")
            answer_of(client, ["a@example.net"], headed("after"))
        self.assertEqual([line["id"] for line in serve.outcomes()], ["after"])
        self.assertIn("before", (self.folder / "outcomes.1").read_text(encoding="utf-8"))
        self.assertTrue(serve.program.is_alive())

    def test_many_clients_at_once(self):
        """A provider that lets little through makes clients wait, and nobody is refused."""
        sink = self.sink("--latency", "5ms")
        serve = self.start_serve(sink, f"{LISTEN}[serve]\nmessages_in_flight = 4\n")
        answers, lock = Counter(), threading.Lock()

        def platform(name):
            with serve.client() as client:
                for number in range(10):
                    code, _ = answer_of(client, ["b@example.net"], headed(f"{name}-{number}"))
                    with lock:
                        answers[code] += 1

        threads = [threading.Thread(target=platform, args=(name,)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers[250], 80, answers)
        self.assertEqual(set(answers), {250}, answers)
        ids = Counter(line["id"] for line in serve.outcomes() if line["status"] == "accepted")
        self.assertEqual(ids, Counter(f"{name}-{number}" for name in range(8)
                                      for number in range(10)))
        self.assert_strict(sink.stop())


if __name__ == "__main__":
    unittest.main()
