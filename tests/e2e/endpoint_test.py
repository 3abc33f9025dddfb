"""Where `ringpost send` sends to, and as whom: endpoint URLs, configuration, passwords.

Goal: the endpoint forms and the ways to give a password of docs/CONTRACT.md section 1. Method: the
sink writes down under which TLS and for which user it accepted each message.
"""

import json
import subprocess
import unittest
from pathlib import Path

from support.jobs import line_of, recipients_of, simple_jobs
from support.program import OUTCOMES, PASSWORD, USER
from support.sink import SinkTest
from support.workspace import free_port, wait_until


class EndpointTest(SinkTest):
    """The three forms of an endpoint URL, and the ways to name one."""

    def check(self, listener):
        sink = self.sink(listeners=(listener,))
        jobs = simple_jobs(20)
        run = self.send(jobs, sink.endpoint(listener))
        self.assert_all_accepted(run, jobs)
        report = sink.stop()
        self.assertEqual(report.recipients(), recipients_of(jobs))
        self.assert_strict(report)
        return run, report

    def test_starttls(self):
        """smtp:// logs in under TLS that STARTTLS began."""
        run, report = self.check("starttls")
        self.assertTrue(all(one["tls"] and one["auth"] == USER for one in report.record))
        self.assert_secret_absent(run)

    def test_implicit_tls(self):
        """smtps:// logs in under TLS from the first octet."""
        run, report = self.check("tls")
        self.assertTrue(all(one["tls"] and one["auth"] == USER for one in report.record))
        self.assert_secret_absent(run)

    def test_plaintext(self):
        """?tls=none is a relay without TLS and without a login."""
        _, report = self.check("plain")
        self.assertFalse(any(one["tls"] or one["auth"] for one in report.record))

    def test_address_in_place_of_a_name(self):
        """A certificate for an IP address is enough for an endpoint that is one."""
        sink = self.sink()
        jobs = simple_jobs(2)
        self.assert_all_accepted(self.send(jobs, sink.endpoint(host="127.0.0.1")), jobs)

    def test_next_port_where_the_first_takes_no_connection(self):
        """Ports are tried in their order, and which one is used is said once."""
        sink = self.sink(listeners=("starttls",))
        dead = free_port()
        for ports in ([dead, sink.ports["starttls"]], [sink.ports["starttls"], dead]):
            name = self.configure(host="localhost", ports=ports, username=USER,
                                  ca_file=str(sink.certificate))
            jobs = simple_jobs(20)
            run = self.send(jobs, name, "--connections", "4")
            self.assert_all_accepted(run, jobs)
            said = f"uses port {sink.ports['starttls']}: no connection came about on {dead}"
            self.assertEqual(run.stderr.count(said), int(ports[0] == dead), run.stderr)
            self.assertNotIn("is away", run.stderr)
            run = self.send(jobs, name, "--ports", ",".join(map(str, ports)))
            self.assert_all_accepted(run, jobs)

    def test_each_port_has_a_security_of_its_own(self):
        """A list with 465 begins TLS at once there, and with STARTTLS on the others."""
        sink = self.sink(listeners=("starttls",))
        dead = free_port()
        name = self.configure(host="localhost", ports=[465, dead, sink.ports["starttls"]],
                              username=USER, ca_file=str(sink.certificate))
        jobs = simple_jobs(5)
        self.assert_all_accepted(self.send(jobs, name), jobs)

    def test_no_port_at_all(self):
        """Where none takes a connection the endpoint is away, and the run ends with patience."""
        name = self.configure(host="localhost", security="none",
                              ports=[free_port(), free_port()])
        run = self.send(simple_jobs(2), name, "--patience", "1s")
        self.assert_exit(run, 7)
        self.assertEqual(run.stderr.count("is away"), 1, run.stderr)

    def test_name_with_a_dot_at_its_end(self):
        """The absolute form of a name: the certificate, SNI and what people read are without it."""
        sink = self.sink()
        endpoint = sink.endpoint(host="localhost.")
        self.assertIn("@localhost.:", endpoint)
        jobs = simple_jobs(3)
        run = self.send(jobs, endpoint)
        self.assert_all_accepted(run, jobs)
        self.assertEqual({outcome["endpoint"] for outcome in run.outcomes}, {"localhost"})
        probe = self.run_program("probe", endpoint, "--json", RINGPOST_PASSWORD=PASSWORD)
        self.assert_exit(probe, 0)
        found = json.loads(probe.stdout)
        self.assertEqual(found["host"], "localhost")
        self.assertEqual(found["ports"][0]["certificate"]["problems"], [])
        self.assertIn("@localhost.:", found["verdict"]["url"])
        name = self.configuration(sink, host="localhost.", client_name="mail.example.com.")
        self.assert_all_accepted(self.send(jobs, name), jobs)
        probe = self.run_program("probe", name, "--transcript", RINGPOST_PASSWORD=PASSWORD)
        self.assertRegex(probe.stdout.decode(), r"(?m)EHLO mail\.example\.com$")

    def test_verification_switched_off_warns(self):
        """?verify=off sends to anybody, and every run says so."""
        sink = self.sink()
        jobs = simple_jobs(2)
        endpoint = sink.endpoint().partition("?")[0] + "?verify=off"
        run = self.send(jobs, endpoint)
        self.assert_all_accepted(run, jobs)
        self.assertRegex(run.stderr.lower(), "verif|certificate")

    def test_endpoint_of_the_configuration(self):
        """An [endpoint.NAME] of ./ringpost.toml is used by its name, and named in the outcomes."""
        sink = self.sink()
        self.configuration(sink)
        jobs = simple_jobs(5)
        run = self.send(jobs, "esp")
        self.assert_all_accepted(run, jobs)
        self.assertEqual({outcome["endpoint"] for outcome in run.outcomes}, {"esp"})

    def test_user_without_tls(self):
        """A user name without TLS is a mistake of usage: no connection, no password."""
        sink = self.sink(listeners=("plain",))
        endpoint = sink.endpoint("plain").replace("//", f"//{USER}@")
        run = self.send(simple_jobs(1), endpoint)
        self.assert_exit(run, 2)
        self.assert_says(run, "TLS")
        self.assertEqual(sink.stop().summary["sessions"], 0)

    def test_user_without_tls_that_is_wanted(self):
        """allow_plaintext_auth permits it to one endpoint."""
        sink = self.sink("--plain-auth", listeners=("plain",))
        jobs = simple_jobs(3)
        name = self.configure(host="127.0.0.1", port=sink.ports["plain"], security="none",
                              username=USER, allow_plaintext_auth=True)
        run = self.send(jobs, name)
        self.assert_all_accepted(run, jobs)
        self.assert_secret_absent(run)
        self.assertEqual({one["auth"] for one in sink.stop().record}, {USER})

    def test_two_endpoints(self):
        """--endpoint given twice shares the jobs; the outcomes say which one took each."""
        sinks = {name: self.sink(listeners=("plain",)) for name in ("localhost", "127.0.0.1")}
        jobs = simple_jobs(200)
        first, second = (sink.endpoint("plain", host) for host, sink in sinks.items())
        run = self.send(jobs, first, "--endpoint", second)
        self.assert_all_accepted(run, jobs)
        taken = {host: sink.stop().ids for host, sink in sinks.items()}
        self.assertEqual(taken["localhost"] + taken["127.0.0.1"],
                         {job["id"]: 1 for job in jobs})
        for outcome in run.outcomes:
            self.assertIn(outcome["id"], taken[outcome["endpoint"]])
        self.assertTrue(all(taken.values()), "one of them got nothing")

    def test_without_pipelining(self):
        """With --pipeline off, and with a server that does not offer it, all goes in lock-step."""
        for flags in ((), ("--no-pipelining",)):
            with self.subTest(sink=flags):
                sink = self.sink(*flags)
                jobs = simple_jobs(50, prefix=f"job{len(flags)}")
                run = self.send(jobs, sink.endpoint(), "--pipeline", "off")
                self.assert_all_accepted(run, jobs)
                self.assert_strict(sink.stop())

    def test_without_any_extension(self):
        """A server that offers nothing but AUTH gets plain messages all the same."""
        names = ("pipelining", "chunking", "8bitmime", "smtputf8", "size", "dsn",
                 "enhancedstatuscodes")
        sink = self.sink(*(f"--no-{name}" for name in names))
        jobs = simple_jobs(50)
        self.assert_all_accepted(self.send(jobs, sink.endpoint()), jobs)
        self.assert_strict(sink.stop())

    def test_notifications_that_nobody_can_ask_for(self):
        """envelope.dsn with a server that has no DSN is left out, which is said once."""
        for flags, wished, times in ((("--no-dsn",), True, 1), ((), True, 0),
                                     (("--no-dsn",), False, 0)):
            with self.subTest(sink=flags, wished=wished):
                sink = self.sink(*flags)
                jobs = simple_jobs(30, prefix=f"job{times}{wished}")
                if wished:
                    for job in jobs:
                        job["envelope"]["dsn"] = {"notify": "FAILURE"}
                run = self.send(jobs, sink.endpoint())
                self.assert_all_accepted(run, jobs)
                self.assertEqual(run.stderr.count("does not announce DSN"), times, run.describe())
                self.assert_strict(sink.stop())


class PasswordTest(SinkTest):
    """Where the password may come from; never from the arguments."""

    def check(self, endpoint="esp", **environment):
        environment.setdefault("RINGPOST_PASSWORD", "")
        jobs = simple_jobs(3)
        run = self.send(jobs, endpoint, **environment)
        self.assert_all_accepted(run, jobs)
        self.assert_secret_absent(run)

    def test_from_a_file(self):
        """password_file: its first line, whoever else may not read it."""
        secret = self.folder / "secret"
        secret.write_text(PASSWORD + "\n", encoding="ascii")
        secret.chmod(0o600)
        self.configuration(self.sink(), password_file=str(secret))
        self.check()

    def test_from_a_file_that_others_can_read(self):
        """password_file: one that others may open is a mistake to be mended, not a password."""
        secret = self.folder / "secret"
        secret.write_text(PASSWORD + "\n", encoding="ascii")
        secret.chmod(0o644)
        self.configuration(self.sink(), password_file=str(secret))
        run = self.send(simple_jobs(1), "esp", RINGPOST_PASSWORD="")
        self.assert_exit(run, 2)
        self.assert_says(run, "password_file", "chmod 600")
        self.assert_secret_absent(run)

    def test_from_a_command(self):
        """password_command: the first line that it prints."""
        script = self.folder / "print-secret"
        script.write_text(f"#!/bin/sh\necho '{PASSWORD}'\necho second line\n", encoding="ascii")
        script.chmod(0o700)
        self.configuration(self.sink(), password_command=str(script))
        self.check()

    def test_from_a_command_that_fails(self):
        """password_command: one that fails ends the run with its words, before any connection."""
        self.configuration(self.sink(), password_command="echo no such entry >&2; exit 3")
        run = self.send(simple_jobs(1), "esp", RINGPOST_PASSWORD="")
        self.assert_exit(run, 2)
        self.assert_says(run, "password_command", "no such entry")

    def test_from_the_variable_of_the_endpoint(self):
        """RINGPOST_ENDPOINT_<NAME>_PASSWORD goes before RINGPOST_PASSWORD."""
        self.configuration(self.sink())
        self.check(RINGPOST_ENDPOINT_ESP_PASSWORD=PASSWORD, RINGPOST_PASSWORD="not this one")

    def test_from_the_credentials_of_systemd(self):
        """$CREDENTIALS_DIRECTORY/NAME goes before the variables."""
        credentials = self.folder / "credentials"
        credentials.mkdir()
        (credentials / "esp").write_text(PASSWORD, encoding="ascii")
        self.configuration(self.sink())
        self.check(CREDENTIALS_DIRECTORY=str(credentials), RINGPOST_PASSWORD="not this one")

    def test_not_in_the_environment_of_the_process(self):
        """Once it runs, nobody finds the password in /proc/PID/environ."""
        sink = self.sink()
        program = self.start("send", "-e", sink.endpoint(), "-o", OUTCOMES, stdin=subprocess.PIPE,
                             RINGPOST_PASSWORD=PASSWORD)
        program.process.stdin.write(line_of(simple_jobs(1)[0]) + b"\n")
        program.process.stdin.flush()
        wait_until(sink.record, "the first job has arrived")
        try:
            environment = Path(f"/proc/{program.process.pid}/environ").read_bytes()
        except PermissionError:
            environment = b""  # better still
        self.assertNotIn(PASSWORD.encode(), environment)
        program.process.stdin.close()
        self.assert_exit(program.wait(), 0)

    def test_none_at_all(self):
        """A user name without a password is a mistake of usage that names the ways to give one."""
        run = self.send(simple_jobs(1), self.sink().endpoint(), RINGPOST_PASSWORD="")
        self.assert_exit(run, 2)
        self.assert_says(run, "password", "RINGPOST_PASSWORD")

    def test_in_the_url(self):
        """A password in a URL is refused, and not repeated."""
        endpoint = self.sink().endpoint().replace(f"{USER}@", f"{USER}:{PASSWORD}@")
        run = self.send(simple_jobs(1), endpoint)
        self.assert_exit(run, 2)
        self.assertIn(b"", run.stdout)
        self.assertNotIn(PASSWORD, run.stderr)
        self.assertEqual(run.outcomes, [])


if __name__ == "__main__":
    unittest.main()
