"""The C interface, from Python by ctypes (tools/examples/ringpost.py), against the embedded ESP.

What is asserted is what a program in any language would be told: the fate of each recipient, which
login failed, what is wrong with what it has given, and that nothing of that ends the process.
"""

import ctypes
import importlib.util
import os
import subprocess
import sys
import unittest
from collections import Counter
from ctypes import byref, c_void_p, create_string_buffer, sizeof

from support.package import ROOT, install
from support.program import PASSWORD, USER, environment_of
from support.sink import Sink
from support.workspace import Workspace, free_port, temporary_folder

EXAMPLE = ROOT / "tools/examples/ringpost.py"
_spec = importlib.util.spec_from_file_location("ringpost_example", EXAMPLE)
ringpost = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(ringpost)

CONTENT = "From: News <news@example.com>\nSubject: Hello\nX-Id: {}\n\nHello.\n"
SECONDS_MAX = 120


class CInterfaceTest(Workspace):
    @classmethod
    def setUpClass(cls):
        prefix = temporary_folder(cls.addClassCleanup)
        cls.path = install(prefix) / "libringpost.so"
        cls.library = ringpost.load(str(cls.path))

    def setUp(self):
        super().setUp()
        self.outcomes = []

    def endpoint(self, sink, **more):
        return {"name": "esp", "host": "localhost", "port": sink.ports["starttls"],
                "ca_file": str(sink.certificate), "username": USER, "password": PASSWORD, **more}

    def engine(self, *endpoints, **more):
        return ringpost.Engine(endpoints, self.outcomes.append, library=self.library, **more)

    def submit(self, engine, message_id, recipients, **more):
        engine.submit(message_id, "news@example.com", recipients, CONTENT.format(message_id),
                      **more)

    def error_of(self, code, call, *arguments, **more):
        """What it says when it fails as it should."""
        with self.assertRaises(ringpost.RingpostError) as raised:
            call(*arguments, **more)
        self.assertEqual(raised.exception.code, code, raised.exception)
        return str(raised.exception)

    def fates(self):
        return {(outcome.id, outcome.recipient): outcome.status for outcome in self.outcomes}

    # ---- Fates ----------------------------------------------------------------------------------

    def test_each_recipient_is_told_his_fate_over_tls(self):
        sink = Sink(self.folder, cleanup=self.addCleanup)
        with self.engine(self.endpoint(sink, attempts_max=1)) as engine:
            self.submit(engine, "two", ["ann@example.net", "reject.me@example.net"])
            self.submit(engine, "later", ["defer.me@example.net"])
            for number in range(500):
                self.submit(engine, f"n{number}", [f"r{number}@example.net"])
            engine.drain(SECONDS_MAX)
            statistics = engine.statistics()
        fates = self.fates()
        self.assertEqual(len(self.outcomes), 503)
        self.assertEqual(len(fates), 503)
        self.assertEqual(fates["two", "ann@example.net"], "accepted")
        self.assertEqual(fates["two", "reject.me@example.net"], "rejected")
        self.assertEqual(fates["later", "defer.me@example.net"], "deferred")
        self.assertEqual(Counter(fates.values()),
                         {"accepted": 501, "rejected": 1, "deferred": 1})
        rejected = next(one for one in self.outcomes if one.status == "rejected")
        self.assertEqual((rejected.stage, rejected.code, rejected.endpoint), ("rcpt", 550, "esp"))
        self.assertRegex(rejected.enhanced, r"^5\.\d+\.\d+$")
        self.assertIn("No such user", rejected.text)
        self.assertEqual(list(statistics.outcomes), [501, 1, 1, 0, 0, 0, 0, 0])
        self.assertEqual((statistics.messages_in_flight, statistics.waiting), (0, 0))
        self.assertEqual(statistics.reply_times.count, 501)
        self.assertLessEqual(0 < statistics.reply_times.p50_ms, statistics.reply_times.max_ms)
        report = sink.stop()
        self.assertEqual(sum(report.ids.values()), 501)
        self.assertEqual({message["auth"] for message in report.record}, {USER})
        self.assertTrue(all(message["tls"] for message in report.record))
        self.assertEqual(report.summary["violations_total"], 0)

    def test_a_message_brings_its_context_back_and_asks_for_notifications(self):
        """By epoll, which is asked for; of notifications the notice tells that none can come."""
        sink = Sink(self.folder, "--no-dsn", cleanup=self.addCleanup)
        notices = []
        with self.engine(self.endpoint(sink), io=ringpost.IO_EPOLL,
                         on_notice=lambda *words: notices.append(words)) as engine:
            self.submit(engine, "one", ["ann@example.net"], context=0xabcdef, dsn_notify="failure",
                        dsn_return="HDRS", dsn_envelope_id="n-1")
            self.submit(engine, "two", ["bob@example.net"])
            for field, value in (("dsn_notify", "NEVER,FAILURE"), ("dsn_return", "ALL"),
                                 ("dsn_envelope_id", "a\tb")):
                self.assertIn(field, self.error_of(
                    ringpost.INVALID_MESSAGE, self.submit, engine, field, ["ann@example.net"],
                    **{field: value}))
            engine.drain(SECONDS_MAX)
        self.assertEqual({one.id: one.context for one in self.outcomes if one.id in ("one", "two")},
                         {"one": 0xabcdef, "two": None})
        self.assertEqual([endpoint for endpoint, words, _ in notices
                          if b"does not announce DSN" in words], [b"esp"])
        self.assertEqual(sorted(sink.stop().ids), ["one", "two"])

    def test_tokens_are_asked_for_and_a_mechanism_is_chosen(self):
        (self.folder / "tokens").write_text("good-token\n", encoding="ascii")
        sink = Sink(self.folder, "--auth", "xoauth2,oauthbearer", "--token-file",
                    self.folder / "tokens", cleanup=self.addCleanup)
        asked = []

        @ringpost.TOKEN_CALLBACK
        def token(_, room, room_bytes, lifetime_seconds):
            asked.append(room_bytes)
            given = b"good-token\0"
            ctypes.memmove(room, given, len(given))
            lifetime_seconds[0] = 3600
            return ringpost.OK

        endpoint = {**self.endpoint(sink, read_token=token, mechanism="xoauth2"), "password": None}
        with self.engine(endpoint) as engine:
            self.submit(engine, "one", ["ann@example.net"])
            engine.drain(SECONDS_MAX)
        self.assertEqual([(one.id, one.status) for one in self.outcomes], [("one", "accepted")])
        self.assertEqual(len(asked), 1)
        self.assertGreaterEqual(asked[0], 4096)
        self.assertIn("mechanism", self.error_of(ringpost.BAD_OPTIONS, self.engine,
                                                 {**endpoint, "mechanism": "telepathy"}))

    def test_a_token_that_is_not_to_be_had_is_said(self):
        sink = Sink(self.folder, cleanup=self.addCleanup)
        notices = []

        @ringpost.TOKEN_CALLBACK
        def token(*_):
            return 42

        endpoint = {**self.endpoint(sink, read_token=token, patience_seconds=0.2),
                    "password": None}
        with self.engine(endpoint, on_notice=lambda *words: notices.append(words)) as engine:
            self.submit(engine, "one", ["ann@example.net"])
            said = self.error_of(ringpost.LOGIN_FAILED, engine.drain, SECONDS_MAX)
        self.assertIn("read_token returned 42", said)
        self.assertEqual([(one.id, one.status) for one in self.outcomes], [("one", "unsent")])

    def test_a_reply_that_never_came_is_unknown(self):
        sink = Sink(self.folder, "--fault", "drop-reply@end=100", cleanup=self.addCleanup)
        with self.engine(self.endpoint(sink)) as engine:
            self.submit(engine, "one", ["ann@example.net"])
            engine.drain(SECONDS_MAX)
        self.assertEqual([(one.id, one.status) for one in self.outcomes], [("one", "unknown")])
        self.assertEqual(sink.stop().ids, {"one": 1})

    def test_a_failed_login_is_told_from_other_failures(self):
        sink = Sink(self.folder, cleanup=self.addCleanup)
        secret = "n0t-the-passw0rd"
        with self.engine(self.endpoint(sink, password=secret)) as engine:
            self.submit(engine, "one", ["ann@example.net"])
            words = self.error_of(ringpost.LOGIN_FAILED, engine.drain, SECONDS_MAX)
            self.assertIn("535", words)
            self.assertNotIn(secret, words)
        self.assertEqual([(one.status, one.stage, one.code) for one in self.outcomes],
                         [("unsent", "auth", 535)])
        with self.engine(self.endpoint(sink, ca_file=None)) as engine:
            self.submit(engine, "two", ["ann@example.net"])
            self.error_of(ringpost.ENDPOINT_FAILED, engine.drain, SECONDS_MAX)
        self.assertEqual((self.outcomes[1].status, self.outcomes[1].stage), ("unsent", "tls"))
        self.assertEqual(sink.stop().summary["messages_accepted"], 0)

    def test_a_server_that_is_not_there_ends_by_patience(self):
        absent = {"host": "127.0.0.1", "port": free_port(), "patience_seconds": 0.2}
        with self.engine(absent) as engine:
            self.submit(engine, "one", ["ann@example.net"])
            words = self.error_of(ringpost.ENDPOINT_FAILED, engine.drain, SECONDS_MAX)
        self.assertIn("refused", words)
        self.assertEqual(self.outcomes[0].status, "unsent")

    # ---- What is wrong --------------------------------------------------------------------------

    def test_what_no_command_could_say_is_an_error_and_an_outcome(self):
        sink = Sink(self.folder, cleanup=self.addCleanup)
        wrong = {"injected": ["ann@example.net\r\nRCPT TO:<b@example.net>"], "no-at": ["ann"],
                 "long": ["a" * 300 + "@example.net"], "empty": [""], "nobody": []}
        with self.engine(self.endpoint(sink)) as engine:
            for name, recipients in wrong.items():
                with self.subTest(name):
                    words = self.error_of(ringpost.INVALID_MESSAGE, self.submit, engine, name,
                                          recipients)
                    self.assertEqual(self.library.ringpost_check_address(
                        (recipients or [""])[0].encode(), None, 0), ringpost.INVALID_MESSAGE)
                    self.assertIn("recipient", words)
            self.error_of(ringpost.INVALID_MESSAGE, engine.submit, "sender", "a\nb@example.com",
                          ["ann@example.net"], "X: 1\n\nHello\n")
            self.error_of(ringpost.INVALID_MESSAGE, engine.submit, "content", "", ["a@b.example"],
                          "X: 1\r\n\r\nbare\rreturn\r\n")
            self.error_of(ringpost.INVALID_MESSAGE, self.submit, engine, "elsewhere",
                          ["ann@example.net"], endpoint="none")
            self.submit(engine, "good", ["ann@bücher.example"])
            engine.drain(SECONDS_MAX)
        fates = {one.id: one.status for one in self.outcomes}
        self.assertEqual(fates, {**dict.fromkeys([*wrong, "sender", "content", "elsewhere"],
                                                 "invalid"), "good": "accepted"})
        self.assertEqual(len(self.outcomes), len(fates))
        report = sink.stop()
        self.assertEqual(report.recipients(), {("good", "ann@xn--bcher-kva.example"): 1})
        self.assertEqual(report.summary["violations_total"], 0)

    def test_options_that_cannot_be_are_refused_with_the_reason(self):
        good = {"host": "127.0.0.1", "port": 2525}
        for change, words in (({"host": None}, "no host"),
                              ({"port": 70000}, "65535"),
                              ({"port": 465}, "465"),
                              ({"security": 9}, "security"),
                              ({"patience_seconds": -1.0}, "seconds"),
                              ({"username": "a\r\nb"}, "line break"),
                              ({"ca_file": "/nowhere.pem"}, "nowhere.pem")):
            with self.subTest(change):
                said = self.error_of(ringpost.BAD_OPTIONS, self.engine, {**good, **change})
                self.assertIn(words, said)
        self.error_of(ringpost.BAD_OPTIONS, self.engine)
        self.assertIn("io", self.error_of(ringpost.BAD_OPTIONS, self.engine, good, io=3))

    def test_null_everywhere_is_an_error(self):
        library = self.library
        bad = ringpost.BAD_ARGUMENT
        error = create_string_buffer(100)
        handle = c_void_p(1)
        self.assertEqual(library.ringpost_engine_start(None, byref(handle), error, 100), bad)
        self.assertIsNone(handle.value)
        self.assertIn(b"options", error.value)
        self.assertEqual(library.ringpost_engine_start(None, None, None, 0), bad)
        options = ringpost.Options()
        self.assertEqual(library.ringpost_engine_start(byref(options), byref(handle), error, 100),
                         bad)
        self.assertIn(b"on_outcome", error.value)
        for function in (library.ringpost_flush, library.ringpost_stop_sending,
                         library.ringpost_abort):
            self.assertEqual(function(None), bad)
        self.assertEqual(library.ringpost_submitter_new(None, byref(handle)), bad)
        self.assertEqual(library.ringpost_submit(None, None, None, 0), bad)
        self.assertEqual(library.ringpost_drain(None, 0, None, 0), bad)
        self.assertEqual(library.ringpost_get_statistics(None, None), bad)
        self.assertEqual(library.ringpost_check_address(None, None, 0), bad)
        self.assertEqual(library.ringpost_engine_free(None), ringpost.OK)
        library.ringpost_submitter_free(None)
        for number in (-1, 8, 1 << 30):
            self.assertIsNone(library.ringpost_status_name(number))
        self.assertIsNone(library.ringpost_stage_name(11))
        self.assertEqual(library.ringpost_stage_name(10), b"eod")

    def test_an_error_is_cut_off_at_its_room(self):
        error = create_string_buffer(b"x" * 20, 20)
        self.assertEqual(self.library.ringpost_check_address(b"ann", error, 8),
                         ringpost.INVALID_MESSAGE)
        self.assertEqual(len(error.value), 7)
        self.assertEqual(error.raw[8:], b"x" * 12)

    # ---- Versions -------------------------------------------------------------------------------

    def test_structures_of_other_versions_are_read_as_far_as_both_know_them(self):
        library = self.library
        engine = self.engine({"host": "127.0.0.1", "port": free_port()})
        self.addCleanup(engine.close)
        message = ringpost.Message(id=b"one", content=b"X: 1\n\n", content_bytes=6)
        # An older program: nothing behind `content_bytes`.
        message.struct_bytes = ringpost.Message.newlines.offset
        message.newlines = 99
        submit = library.ringpost_submit
        self.assertEqual(submit(engine.submitter, byref(message), engine.error,
                                ringpost.ERROR_BYTES), ringpost.INVALID_MESSAGE)
        self.assertIn(b"no recipients", engine.error.value)
        # A newer one, which says nothing that is not known here, and one which does.
        class Newer(ctypes.Structure):
            _fields_ = [("known", ringpost.Message), ("more", ctypes.c_uint64)]
        newer = Newer(known=ringpost.Message(id=b"two", content=b"X: 1\n\n", content_bytes=6))
        newer.known.struct_bytes = sizeof(Newer)
        submit.argtypes = None
        self.addCleanup(setattr, submit, "argtypes", (c_void_p, c_void_p, ctypes.c_char_p,
                                                      ctypes.c_size_t))
        given = (engine.submitter, byref(newer), engine.error,
                 ctypes.c_size_t(ringpost.ERROR_BYTES))
        self.assertEqual(submit(*given), ringpost.INVALID_MESSAGE)
        newer.more = 1
        self.assertEqual(submit(*given), ringpost.BAD_ARGUMENT)
        self.assertIn(b"struct_bytes", engine.error.value)
        newer.known.struct_bytes = 0
        self.assertEqual(submit(*given), ringpost.BAD_ARGUMENT)
        statistics = ringpost.Statistics()
        statistics.struct_bytes = ringpost.Statistics.messages_in_flight.offset
        statistics.waiting = 77
        self.assertEqual(library.ringpost_get_statistics(engine.engine, byref(statistics)),
                         ringpost.OK)
        self.assertEqual(statistics.waiting, 77)

    def test_the_python_structures_are_those_of_the_header(self):
        names = {"ringpost_endpoint": ringpost.Endpoint, "ringpost_outcome": ringpost.COutcome,
                 "ringpost_options": ringpost.Options, "ringpost_message": ringpost.Message,
                 "ringpost_time_spread": ringpost.TimeSpread,
                 "ringpost_statistics": ringpost.Statistics}
        lines, expected = [], []
        for name, structure in names.items():
            lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
            expected.append(f"{name} {sizeof(structure)}")
            for member, _ in structure._fields_:
                lines.append(f'printf("{name} {member} %zu\\n", offsetof({name}, {member}));')
                expected.append(f"{name} {member} {getattr(structure, member).offset}")
        source = self.folder / "offsets.c"
        source.write_text("#include <stdio.h>\n#include <ringpost/ringpost.h>\n"
                          f"int main(void) {{ {' '.join(lines)} return 0; }}\n", encoding="ascii")
        subprocess.run(["cc", f"-I{ROOT / 'include'}", source, "-o", self.folder / "offsets"],
                       check=True)
        printed = subprocess.run([self.folder / "offsets"], check=True, capture_output=True,
                                 text=True).stdout
        self.assertEqual(printed.splitlines(), expected)
        self.assertRegex(self.library.ringpost_version().decode(), r"^\d+\.\d+\.\d+$")
        self.assertEqual(self.library.ringpost_c_version(), 2)

    # ---- Ends -----------------------------------------------------------------------------------

    def test_an_engine_ends_by_abort_and_not_before_its_submitters(self):
        sink = Sink(self.folder, "--latency", "60s", cleanup=self.addCleanup)
        engine = self.engine(self.endpoint(sink))
        self.submit(engine, "one", ["ann@example.net"])
        self.error_of(ringpost.TIMED_OUT, engine.drain, 0.05)
        self.assertEqual(self.library.ringpost_engine_free(engine.engine), ringpost.BAD_ARGUMENT)
        self.assertEqual(engine.statistics().messages_in_flight, 1)
        self.assertEqual(self.library.ringpost_abort(engine.engine), ringpost.OK)
        engine.drain(SECONDS_MAX)
        self.error_of(ringpost.ENDED, self.submit, engine, "two", ["ann@example.net"])
        engine.close()
        self.assertEqual([(one.id, one.status) for one in self.outcomes], [("one", "unsent")])

    def test_the_example_says_what_the_others_say(self):
        sink = Sink(self.folder, cleanup=self.addCleanup)
        for password, code in ((PASSWORD, 0), ("wrong", 1)):
            run = subprocess.run(
                [sys.executable, "-B", EXAMPLE, "localhost", str(sink.ports["starttls"]),
                 str(sink.certificate), USER, "20"], check=False, capture_output=True, text=True,
                env=environment_of(self.folder, RINGPOST_PASSWORD=password,
                                   RINGPOST_LIBRARY=os.fspath(self.path)), timeout=SECONDS_MAX)
            self.assertEqual(run.returncode, code, run.stderr)
            self.assertEqual(len(run.stdout.splitlines()), 20)
            self.assertIn("no login" if code else "accepted: 20", run.stderr)
        self.assertEqual(sum(sink.stop().ids.values()), 20)


if __name__ == "__main__":
    unittest.main()
