"""ringpost from Python, by ctypes: the C interface (ringpost/ringpost.h) and nothing else.

    python3 ringpost.py HOST PORT CA_FILE USER COUNT

submits a few messages and prints what became of each; the password is read from
RINGPOST_PASSWORD. As a module it is a small binding, to be copied:

    with Engine([{"host": "smtp.example.com", "username": "news", "password": "..."}],
                on_outcome=print) as engine:
        engine.submit("id-1", "news@example.com", ["ann@example.net"], content)
        engine.drain()

RINGPOST_LIBRARY names the library, libringpost.so.0 by default.
"""

import ctypes
import os
import sys
from collections import namedtuple
from ctypes import (CFUNCTYPE, POINTER, Structure, byref, c_char, c_char_p, c_double, c_int32,
                    c_int64, c_size_t, c_uint32, c_uint64, c_void_p, create_string_buffer, sizeof)

(OK, BAD_ARGUMENT, BAD_OPTIONS, INVALID_MESSAGE, ENDED, TIMED_OUT, LOGIN_FAILED, ENDPOINT_FAILED,
 NO_MEMORY, FAILED) = range(10)
STATUS_COUNT = 8
IO_AUTOMATIC, IO_RING, IO_EPOLL = range(3)
ERROR_BYTES = 1000


class Versioned(Structure):
    """A structure that says how large it is."""

    def __init__(self, **members):
        super().__init__(sizeof(type(self)), **members)


TOKEN_CALLBACK = CFUNCTYPE(c_int32, c_void_p, POINTER(c_char), c_size_t, POINTER(c_double))


class Endpoint(Versioned):
    _fields_ = [
        ("struct_bytes", c_size_t), ("name", c_char_p), ("host", c_char_p), ("port", c_uint32),
        ("security", c_uint32), ("username", c_char_p), ("password", c_char_p),
        ("ca_file", c_char_p), ("client_certificate_file", c_char_p),
        ("client_key_file", c_char_p), ("client_name", c_char_p), ("trusts_anybody", c_uint32),
        ("allows_plaintext_auth", c_uint32), ("connections_max", c_uint32),
        ("recipients_max", c_uint32), ("attempts_max", c_uint32), ("weight", c_uint32),
        ("messages_per_connection", c_uint64), ("messages_per_second", c_uint64),
        ("patience_seconds", c_double), ("connect_timeout_seconds", c_double),
        ("command_timeout_seconds", c_double), ("end_of_data_timeout_seconds", c_double),
        ("mechanism", c_char_p), ("read_token", TOKEN_CALLBACK), ("token_user", c_void_p)]


class COutcome(Structure):
    _fields_ = [
        ("struct_bytes", c_size_t), ("id", c_char_p), ("recipient", c_char_p),
        ("status", c_int32), ("stage", c_int32), ("code", c_uint32), ("attempts", c_uint32),
        ("enhanced", c_char_p), ("text", c_char_p), ("reason", c_char_p),
        ("queue_id", c_char_p), ("endpoint", c_char_p), ("peer", c_char_p),
        ("timestamp_us", c_int64), ("queue_ms", c_double), ("submit_ms", c_double),
        ("total_ms", c_double), ("context", c_void_p)]


OUTCOME_CALLBACK = CFUNCTYPE(None, c_void_p, POINTER(COutcome))
NOTICE_CALLBACK = CFUNCTYPE(None, c_void_p, c_char_p, c_char_p, c_int32)


class Options(Versioned):
    _fields_ = [
        ("struct_bytes", c_size_t), ("endpoints", POINTER(POINTER(Endpoint))),
        ("endpoint_count", c_size_t), ("on_outcome", OUTCOME_CALLBACK),
        ("on_notice", NOTICE_CALLBACK), ("user", c_void_p), ("cores", c_uint32),
        ("deadline_seconds", c_double), ("messages_in_flight_max", c_uint64),
        ("message_bytes_in_flight_max", c_uint64), ("state_folder", c_char_p),
        ("io", c_uint32)]


class Message(Versioned):
    _fields_ = [
        ("struct_bytes", c_size_t), ("id", c_char_p), ("sender", c_char_p),
        ("recipients", POINTER(c_char_p)), ("recipient_count", c_size_t),
        ("content", c_char_p), ("content_bytes", c_size_t), ("newlines", c_uint32),
        ("endpoint", c_char_p), ("idempotency_key", c_char_p), ("expires_at_us", c_int64),
        ("context", c_void_p), ("dsn_notify", c_char_p), ("dsn_return", c_char_p),
        ("dsn_envelope_id", c_char_p)]


class TimeSpread(Structure):
    _fields_ = [("count", c_uint64), ("p50_ms", c_double), ("p90_ms", c_double),
                ("p99_ms", c_double), ("p999_ms", c_double), ("max_ms", c_double)]


class Statistics(Versioned):
    _fields_ = [
        ("struct_bytes", c_size_t), ("outcomes", c_uint64 * STATUS_COUNT),
        ("messages_in_flight", c_uint64), ("waiting", c_uint64), ("transactions", c_uint64),
        ("content_bytes", c_uint64), ("sessions", c_uint64), ("sessions_opened", c_uint64),
        ("sessions_resumed", c_uint64), ("reply_times", TimeSpread),
        ("opening_times", TimeSpread)]


Outcome = namedtuple("Outcome", "id recipient status stage code enhanced text reason queue_id "
                                "endpoint peer attempts timestamp_us total_ms context")


class RingpostError(Exception):
    """What a function has returned, with its words."""

    def __init__(self, code, words):
        super().__init__(words)
        self.code = code


def load(path=None):
    """The library, with the types of its functions."""
    library = ctypes.CDLL(path or os.environ.get("RINGPOST_LIBRARY", "libringpost.so.0"))
    error = (c_char_p, c_size_t)
    for name, result, arguments in (
            ("version", c_char_p, ()),
            ("c_version", c_uint32, ()),
            ("status_name", c_char_p, (c_int32,)),
            ("stage_name", c_char_p, (c_int32,)),
            ("check_address", c_int32, (c_char_p, *error)),
            ("engine_start", c_int32, (POINTER(Options), POINTER(c_void_p), *error)),
            ("submitter_new", c_int32, (c_void_p, POINTER(c_void_p))),
            ("submit", c_int32, (c_void_p, POINTER(Message), *error)),
            ("flush", c_int32, (c_void_p,)),
            ("submitter_free", None, (c_void_p,)),
            ("drain", c_int32, (c_void_p, c_double, *error)),
            ("stop_sending", c_int32, (c_void_p,)),
            ("abort", c_int32, (c_void_p,)),
            ("get_statistics", c_int32, (c_void_p, POINTER(Statistics))),
            ("engine_free", c_int32, (c_void_p,))):
        function = getattr(library, f"ringpost_{name}")
        function.restype = result
        function.argtypes = arguments
    return library


def octets(value):
    return value.encode() if isinstance(value, str) else value


class Engine:
    """An engine with one submitter, for the thread that makes it."""

    def __init__(self, endpoints, on_outcome, on_notice=None, cores=1,
                 io=IO_AUTOMATIC, library=None):
        self.library = library or load()
        self.error = create_string_buffer(ERROR_BYTES)
        given = [Endpoint(**{name: octets(value) for name, value in endpoint.items()})
                 for endpoint in endpoints]
        pointers = (POINTER(Endpoint) * len(given))(*map(ctypes.pointer, given))
        # Whoever drops a callback that is still called ends the process.
        self.given = given
        self.callback = OUTCOME_CALLBACK(
            lambda _, outcome: on_outcome(self.outcome_of(outcome.contents)))
        self.notice_callback = NOTICE_CALLBACK(
            lambda _, *words: on_notice(*words)) if on_notice else NOTICE_CALLBACK()
        options = Options(endpoints=pointers, endpoint_count=len(given),
                          on_outcome=self.callback, on_notice=self.notice_callback,
                          cores=cores, io=io)
        self.engine = c_void_p()
        self.submitter = c_void_p()
        self.check(self.library.ringpost_engine_start(byref(options), byref(self.engine),
                                                      self.error, ERROR_BYTES))
        self.check(self.library.ringpost_submitter_new(self.engine, byref(self.submitter)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def check(self, code):
        if code != OK:
            raise RingpostError(code, self.error.value.decode(errors="replace"))

    def outcome_of(self, one):
        def text(value):
            return value.decode(errors="replace")

        return Outcome(text(one.id), text(one.recipient),
                       text(self.library.ringpost_status_name(one.status)),
                       text(self.library.ringpost_stage_name(one.stage)), one.code,
                       text(one.enhanced), text(one.text), text(one.reason), text(one.queue_id),
                       text(one.endpoint), text(one.peer), one.attempts, one.timestamp_us,
                       one.total_ms, one.context)

    def submit(self, message_id, sender, recipients, content, **more):
        content = octets(content)
        addresses = (c_char_p * len(recipients))(*map(octets, recipients))
        message = Message(id=octets(message_id), sender=octets(sender), recipients=addresses,
                          recipient_count=len(recipients), content=content,
                          content_bytes=len(content),
                          **{name: octets(value) for name, value in more.items()})
        self.check(self.library.ringpost_submit(self.submitter, byref(message), self.error,
                                                ERROR_BYTES))

    def drain(self, seconds=-1.0):
        """Until every outcome was told; raises for an endpoint that was given up, too."""
        self.check(self.library.ringpost_flush(self.submitter))
        self.check(self.library.ringpost_drain(self.engine, seconds, self.error, ERROR_BYTES))

    def statistics(self):
        statistics = Statistics()
        self.check(self.library.ringpost_get_statistics(self.engine, byref(statistics)))
        return statistics

    def close(self):
        self.library.ringpost_submitter_free(self.submitter)
        self.submitter = c_void_p()
        self.check(self.library.ringpost_engine_free(self.engine))
        self.engine = c_void_p()


def main(host, port, ca_file, user, count):
    endpoint = {"name": "example", "host": host, "port": int(port), "ca_file": ca_file,
                "username": user, "password": os.environ.get("RINGPOST_PASSWORD", "")}

    def show(outcome):
        print(outcome.id, outcome.recipient, outcome.status, outcome.code,
              outcome.text or outcome.reason)

    with Engine([endpoint], show) as engine:
        for number in range(1, int(count) + 1):
            reader = f"reader{number}@example.net"
            engine.submit(f"example-{number}", "news@example.com", [reader],
                          f"From: News <news@example.com>\nTo: {reader}\nSubject: Hello\n"
                          f"X-Id: example-{number}\n\nHello, reader.\n")
        try:
            engine.drain()
        except RingpostError as error:
            print("no login:" if error.code == LOGIN_FAILED else "error:", error,
                  file=sys.stderr)
            return 1
        print(f"accepted: {engine.statistics().outcomes[0]}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
