"""The faults of `ringpost sink`, seen over real sockets and TLS by clients that are not ours.

Needs $RINGPOST, the program. Everything listens on loopback, on ports that the kernel picks.
"""

import socket
import ssl
import time
import unittest

from sink_test import Sink, codes


class Faults(unittest.TestCase):
    """What goes wrong by chance, here always, over real sockets."""

    ENVELOPE = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"
    MESSAGE = ENVELOPE + "BDAT 12 LAST\r\n0123456789\r\n"

    def end_of(self, raw):
        """How the stream of a connection ends: "close", "fin" without TLS's word, or "reset"."""
        try:
            while raw.socket.recv(65536):
                pass
        except ConnectionResetError:
            return "reset"
        except ssl.SSLError:  # SSLEOFError, where Python knows this one
            return "fin"
        return "close"

    def test_ends_of_dropped_connections(self):
        """With a FIN and with a reset, and over TLS without its word of farewell."""
        ends = {"plain": set(), "tls": set()}
        with Sink("--no-auth", "--fault", "drop-reply=100", "--fault-seed", "1",
                  record=True) as sink:
            for kind in list(ends) * 8:
                with sink.raw(kind) as raw:
                    raw.ehlo()
                    raw.send(self.MESSAGE)
                    self.assertEqual(codes(raw.replies(2)), [250, 250])
                    ends[kind].add(self.end_of(raw))
            self.assertEqual(ends["plain"], {"close", "reset"})
            # OpenSSL calls a reset an end of file, too.
            self.assertLessEqual(ends["tls"], {"fin", "reset"})
            summary = sink.stop()
            self.assertEqual(summary["faults"], {"drop-reply@end": 16})
            self.assertLess(0, summary["sessions_reset"])
            self.assertLess(summary["sessions_reset"], 16)
            self.assertEqual(summary["sessions_lost"], 0)
            # All of them were taken before they lost their reply.
            self.assertEqual(len(sink.records()), 16)

    def test_not_taken_is_not_recorded(self):
        """Whatever comes in place of the end of data leaves no trace in the record."""
        for fault in ("drop@data", "drop@content", "drop@end", "421@end", "stall@content"):
            with Sink("--no-auth", "--fault", f"{fault}=100", record=True) as sink, \
                    sink.raw("tls") as raw:
                raw.ehlo()
                raw.send(self.MESSAGE)
                self.assertEqual(codes(raw.replies(2)), [250, 250])
                if fault == "stall@content":
                    raw.socket.settimeout(0.3)
                    with self.assertRaises(TimeoutError):
                        raw.reply()
                elif fault == "421@end":
                    self.assertTrue(raw.reply().startswith("421 "))
                    self.assertTrue(raw.at_end())
                else:
                    self.assertIn(self.end_of(raw), ("fin", "reset"))
                self.assertEqual(sink.stop()["faults"], {fault: 1})
                self.assertEqual(sink.records(), [])

    def test_half_a_reply(self):
        with Sink("--no-auth", "--fault", "half-reply@ehlo=100") as sink, sink.raw("tls") as raw:
            raw.send("EHLO client.example\r\n")
            heard = b""
            with self.assertRaises((ssl.SSLError, ConnectionResetError)):
                while octets := raw.socket.recv(1000):
                    heard += octets
            self.assertTrue(heard.startswith(b"250-localhost"))
            self.assertNotIn(b"250 HELP", heard)

    def test_a_late_reply_holds_up_those_behind_it(self):
        with Sink("--no-auth", "--fault", "late@mail=100", "--fault-late", "300ms") as sink, \
                sink.raw() as raw:
            raw.ehlo()
            before = time.monotonic()
            raw.send("NOOP\r\n")
            raw.reply()
            raw.send("RSET\r\n" + self.MESSAGE)
            raw.reply()
            between = time.monotonic()
            self.assertEqual(codes(raw.replies(3)), [250, 250, 250])
            self.assertGreaterEqual(time.monotonic() - before, 0.3)
            self.assertLess(between - before, time.monotonic() - before)

    def test_a_reply_that_trickles(self):
        with Sink("--no-auth", "--fault", "trickle@rcpt=100", "--fault-octet", "10ms") as sink, \
                sink.raw("tls") as raw:
            raw.ehlo()
            raw.send(self.MESSAGE)
            before = time.monotonic()
            self.assertEqual(raw.replies(2), ["250 2.1.0 Ok", "250 2.1.5 Ok"])
            self.assertGreaterEqual(time.monotonic() - before, 0.01 * (len("250 2.1.5 Ok\r\n") - 1))
            self.assertTrue(raw.reply().startswith("250 2.0.0 Ok: queued as "))

    def test_a_stalled_session_stays_open(self):
        with Sink("--no-auth", "--fault", "stall@end=100", record=True) as sink, \
                sink.raw("tls") as raw:
            raw.ehlo()
            raw.send(self.MESSAGE)
            raw.replies(2)
            raw.socket.settimeout(0.3)
            with self.assertRaises(TimeoutError):
                raw.reply()
            raw.send("NOOP\r\n")
            before = time.monotonic()
            self.assertEqual(sink.stop()["faults"], {"stall@end": 1})
            self.assertEqual(len(sink.records()), 1)
            self.assertLess(time.monotonic() - before, 15)

    def test_421_in_place_of_the_greeting(self):
        for kind in ("plain", "tls"):
            with Sink("--fault", "421@greeting=100") as sink:
                connection = socket.create_connection(("127.0.0.1", sink.port[kind]), timeout=20)
                if kind == "tls":
                    connection = sink.context().wrap_socket(connection, server_hostname="localhost")
                with connection:
                    heard = b""
                    while octets := connection.recv(1000):
                        heard += octets
                self.assertEqual(heard, b"421 4.3.2 The sink has had enough\r\n")

    def test_faults_of_starttls(self):
        """Behind a reply that is lost or spoilt there is no TLS."""
        for fault in ("drop", "421", "drop-reply", "half-reply", "garbage", "noise", "stall"):
            with Sink("--fault", f"{fault}@starttls=100") as sink, sink.raw("starttls") as raw:
                raw.ehlo()
                raw.send("STARTTLS\r\n")
                # Only what stalls is waited for in vain.
                raw.socket.settimeout(2 if fault == "stall" else 60)
                try:
                    heard = raw.socket.recv(1000)
                except (TimeoutError, ConnectionResetError):
                    heard = b""
                self.assertFalse(heard.startswith(b"220 2.0.0 Go ahead\r\n"), (fault, heard))
                raw.socket.close()
                self.assertEqual(sink.stop()["faults"], {f"{fault}@starttls": 1})

    def test_a_seed_decides_the_same_again(self):
        def lost_with(seed):
            """Which of many messages, each in a session of its own, lose the connection."""
            lost = []
            # Each session is heard to its end; one that stalls has none.
            with Sink("--no-auth", "--fault", "all=5", "--fault", "stall=0", "--fault-late", "1ms",
                      "--fault-octet", "1ms", "--fault-seed", seed) as sink:
                for number in range(60):
                    with sink.raw() as raw:
                        raw.ehlo()
                        raw.send(self.MESSAGE + "QUIT\r\n")
                        heard = b""
                        try:
                            while octets := raw.socket.recv(1000):
                                heard += octets
                        except ConnectionResetError:
                            heard = "reset"
                        lost.append((number, heard))
                return lost, sink.stop()["faults"]

        self.assertEqual(lost_with("7"), lost_with("7"))
        self.assertNotEqual(lost_with("7"), lost_with("8"))

    def test_the_seed_is_said(self):
        with Sink("--fault", "all=1") as sink:
            sink.stop()
            self.assertRegex(sink.errors.decode(), r"fault-seed=\d+")
        with Sink() as sink:
            sink.stop()
            self.assertNotIn(b"fault-seed", sink.errors)


if __name__ == "__main__":
    unittest.main()
