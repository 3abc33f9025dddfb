"""The command line around the engine: usage errors, help, config, version, completion, validate.

Needs $RINGPOST, the program. No network: nothing here sends.
"""

import gzip
import json
import os
import pty
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from support.program import PROGRAM, ProgramTest, environment_of, is_sanitized
from support.workspace import wait_until

COMMANDS = ("send", "validate", "render", "probe", "serve", "sink", "demo", "journal", "config",
            "presets", "completion", "version")
GOOD = {"from": "a@example.com", "to": "b@example.com", "subject": "Hi", "text": "Hello"}
# A screen or two.
HELP_LINES_MAX = 90  # two screens
HELP_COLUMNS_MAX = 100
# The longest line there may be has 64 MiB; twice that, while the buffer for it grows.
MEMORY_MAX = 160 << 20


def read_until(controller, end):
    """What a terminal shows up to `end`, or until nobody writes there any more."""
    shown = b""
    while end is None or end not in shown:
        try:
            piece = os.read(controller, 4096)
        except OSError:
            piece = b""
        if not piece:
            break
        shown += piece
    return shown.decode(errors="replace")


def line(**fields):
    return json.dumps({**GOOD, **fields}).encode()


class CommandLine(ProgramTest):
    def usage_error(self, *arguments, **environment):
        """Runs what must be refused, and returns what was said about it."""
        run = self.run_program(*arguments, **environment)
        self.assert_exit(run, 2)
        self.assertEqual(run.stdout, b"", run.describe())
        self.assertTrue(run.stderr.startswith("ringpost: "), run.describe())
        return run.stderr

    def test_no_command_shows_the_help_and_is_an_error(self):
        run = self.run_program()
        self.assert_exit(run, 2)
        self.assertEqual(run.stdout, b"")
        for command in COMMANDS:
            self.assertIn(f"  {command} ", run.stderr)

    def test_unknown_commands_and_flags_are_named_with_a_suggestion(self):
        self.assertIn('did you mean "send"?', self.usage_error("sned"))
        self.assertIn('did you mean "show"?', self.usage_error("config", "shwo"))
        self.assertIn('did you mean "--outcomes"?', self.usage_error("send", "--outcome", "x"))
        self.assertIn("show or check or schema", self.usage_error("config"))
        self.assertIn("behind the command", self.usage_error("--rate", "send"))
        self.assertIn("--rate", self.usage_error("send", "--rate"))
        self.assertIn("too many", self.usage_error("version", "now"))
        self.assertIn('unknown flag "-c"\nSee: ringpost config --help',
                      self.usage_error("config", "-c", "x", "show"))
        self.assertIn("completion", self.usage_error("completion", "tcsh"))

    def test_presets_are_listed_and_shown_as_they_were_written(self):
        listed = self.run_program("presets")
        self.assert_exit(listed, 0)
        names = [line.split()[0] for line in listed.stdout.decode().splitlines()]
        folder = Path(__file__).resolve().parents[2] / "tools" / "presets"
        self.assertEqual(names, sorted(file.stem for file in folder.glob("*.toml")))
        for name in names:
            shown = self.run_program("presets", "show", name)
            self.assert_exit(shown, 0)
            self.assertEqual(shown.stdout, (folder / f"{name}.toml").read_bytes())
        self.assertIn('did you mean "sendgrid"?', self.usage_error("presets", "show", "sendgrd"))
        self.assertIn('did you mean "show"?', self.usage_error("presets", "shwo"))
        self.assertIn("PRESET", self.usage_error("presets", "show"))

    def test_flags_of_later_versions_are_refused_and_not_passed_over(self):
        for flag in ("--log-attempts", "--tls-records"):
            self.assertIn("unknown flag", self.usage_error("send", flag, "x", "-e", "smtp://h"))

    def test_a_password_never_is_an_argument(self):
        said = self.usage_error("send", "-e", "smtp://u:hunter2@h")
        self.assertNotIn("hunter2", said)
        self.assertIn("RINGPOST_PASSWORD", said)
        self.assertIn("unknown flag", self.usage_error("send", "--password", "hunter2"))

    def test_help_of_each_command_fits_a_screen_or_two(self):
        for words in ((), *((command,) for command in COMMANDS), ("config", "show")):
            run = self.run_program(*words, "--help")
            self.assert_exit(run, 0)
            text = run.stdout.decode()
            self.assertIn(f"Usage: ringpost{''.join(' ' + word for word in words)}", text)
            self.assertLessEqual(len(text.splitlines()), HELP_LINES_MAX, text)
            self.assertLessEqual(max(map(len, text.splitlines())), HELP_COLUMNS_MAX, text)
            self.assertEqual(run.stderr, "")
        self.assertEqual(self.run_program("help", "send").stdout,
                         self.run_program("send", "-h").stdout)

    def test_help_says_what_a_value_is(self):
        """FILE, N, text|json: no names of types, which say nothing to whoever runs it."""
        types = r"\b(TEXT|U?INT|FLOAT|BOOLEAN|ENUM)\b|:\{| in \[[0-9]+ - "
        for command in (*COMMANDS, "journal ls", "journal export", "journal verify", "config show",
                        "config check", "config schema"):
            with self.subTest(command=command):
                text = self.run_program(*command.split(), "--help").stdout.decode()
                self.assertNotRegex(text, types)

    def test_config_schema(self):
        """Each key that the program takes stands in the schema, with what it means."""
        run = self.run_program("config", "schema")
        self.assert_exit(run, 0)
        sections = json.loads(run.stdout)["properties"]
        endpoint = sections["endpoint"]["additionalProperties"]["properties"]
        self.assertEqual(endpoint["connections"]["default"], 10)
        self.assertEqual(endpoint["verify"], {"type": "boolean", "default": True,
                                              "description": endpoint["verify"]["description"],
                                              "$comment": "BOOLEAN"})
        for key in (*endpoint.values(), *sections["send"]["properties"].values()):
            self.assertTrue(key["description"])
        self.assertNotIn("queue_id", endpoint)
        self.assertNotIn("dry_run", sections["send"]["properties"])

    def test_what_is_said_of_a_port_that_is_none(self):
        for ports in ("a,b", "0", "65536", "587,2k", "-25"):
            text = self.usage_error("probe", "smtp://localhost", f"--ports={ports}")
            self.assertRegex(text, r'--ports: ".*" is no port: a number from 1 to 65535')
        # `send` and `probe` read a list alike, and take no word behind it for a part of it.
        for ports in (",", "1,,2", ""):
            for command in (["send", "--dry-run", "-e"], ["probe"]):
                text = self.usage_error(*command, "smtp://localhost", "--ports", ports)
                self.assertIn('--ports: "" is no port', text)
        self.configure(host="localhost", ports=[0])
        self.assertIn('"0" is no port', self.usage_error("probe", "esp"))

    def test_a_missing_endpoint_is_asked_for_where_it_stands(self):
        """`send` has a flag for it, `probe` an argument."""
        self.assertIn("-e smtps://USER@HOST", self.usage_error("send"))
        text = self.usage_error("probe")
        self.assertIn("ringpost probe smtps://USER@HOST", text)
        self.assertNotIn("-e ", text)
        (self.folder / "ringpost.toml").write_text(
            '[endpoint.one]\nhost = "a"\n[endpoint.two]\nhost = "b"\n', encoding="ascii")
        self.assertIn("choose with -e", self.usage_error("send"))
        text = self.usage_error("probe")
        self.assertIn("one, two: name one of them", text)
        self.assertNotIn("-e", text)

    def test_plausible_mistakes_are_met_with_what_to_do(self):
        (self.folder / "jobs.jsonl").write_bytes(line() + b"\n")
        self.assertIn('ringpost send -e ENDPOINT "jobs.jsonl"', self.usage_error("jobs.jsonl"))
        endpoint = ("-e", "smtp://localhost?tls=none")
        self.assertRegex(self.usage_error("send", "jobs.jsonl", *endpoint, "--connections", "all"),
                         'no whole number .*, or auto')
        self.assertRegex(self.usage_error("sink", "--threads", "x"), '--threads: "x" is no whole')
        for host in ("localhost:587", "smtp://localhost"):
            self.configure(host=host)
            self.assertRegex(self.usage_error("send", "jobs.jsonl"),
                             f'"{host}" is no host name; a port stands in `port`')
        (self.folder / "ringpost.toml").unlink()
        run = self.run_program("send", "jobs.jsonl", *endpoint, "-o", "no/such/folder/o")
        self.assert_exit(run, 11)
        self.assertIn("ringpost: --outcomes no/such/folder/o: No such file", run.stderr)
        for content, words in ((b"a,b\nc,d\n", "CSV has to be converted"),
                               (line().decode().encode("utf-16"), "iconv -f UTF-16 -t UTF-8")):
            (self.folder / "other").write_bytes(content)
            self.assertIn(words, self.run_program("validate", "other").stdout.decode())

    def test_a_run_without_jobs_or_outcomes_says_so(self):
        (self.folder / "empty").write_bytes(b"\n")
        (self.folder / "bad").write_bytes(b"{}\n")
        endpoint = ("-e", "smtp://localhost?tls=none")
        run = self.run_program("send", "empty", *endpoint)
        self.assert_exit(run, 0)
        self.assertIn("there was no job in the files", run.stderr)
        self.assertIn("no job in standard input", self.run_program("send", *endpoint).stderr)
        run = self.run_program("send", "bad", *endpoint)
        self.assert_exit(run, 3)
        self.assertIn("outcomes: none were kept; -o FILE", run.stdout.decode())
        for kept in (("-o", "-"), ("--errors", "errors")):
            self.assertNotIn(b"none were kept", self.run_program(
                "send", "bad", *endpoint, *kept).stdout)

    def test_version(self):
        short = self.run_program("--version").stdout.decode()
        self.assertRegex(short, r"^ringpost \d+\.\d+\.\d+\n$")
        known = json.loads(self.run_program("version", "--json").stdout)
        self.assertEqual(f"ringpost {known['ringpost']}\n", short)
        for name in ("liburing", "wolfssl", "simdjson", "compiler"):
            self.assertRegex(known[name], r"\d+\.\d+")
        self.assertIsInstance(known["aes_in_hardware"], bool)
        self.assertIn(known["records"], ("wolfCrypt", "intel-ipsec-mb"))
        self.assertIn(known["io"], ("ring", "epoll"))
        known = json.loads(self.run_program("version", "--json", RINGPOST_IO="epoll").stdout)
        self.assertEqual(known["io"], "epoll")
        run = self.run_program("version", RINGPOST_IO="poll")
        self.assert_exit(run, 2)
        self.assertIn('RINGPOST_IO: "poll" is none of auto, ring, epoll', run.stderr)
        self.assertIn(os.uname().release, known["kernel"])
        self.assertIn(b"wolfssl", self.run_program("version").stdout)

    def test_a_full_disk_is_an_error_and_a_reader_that_has_gone_is_none_to_speak_of(self):
        with open("/dev/full", "wb") as full:
            run = subprocess.run([os.environ["RINGPOST"], "version"], stdout=full,
                                 stderr=subprocess.PIPE, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"No space left", run.stderr)
        read_end, write_end = os.pipe()
        os.close(read_end)
        run = subprocess.run([os.environ["RINGPOST"], "completion", "bash"], stdout=write_end,
                             stderr=subprocess.PIPE, check=False)
        os.close(write_end)
        self.assertEqual(run.returncode, 1)
        self.assertEqual(run.stderr, b"")


class Configuration(ProgramTest):
    def write(self, text, name="ringpost.toml"):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def test_show_names_the_origin_of_each_value_and_no_secret(self):
        self.write('[endpoint.ses]\nhost = "mail.example.com"\nusername = "u"\n'
                   'password_command = "echo hunter2"\n[send]\ndrain = "9s"\n')
        self.write('[endpoint.ses]\nrate = "14/s"\nhost = "other"\n',
                   "config/ringpost/ringpost.toml")
        run = self.run_program("config", "show", RINGPOST_CORES="2", RINGPOST_PASSWORD="hunter3")
        self.assert_exit(run, 0)
        shown = run.stdout.decode()
        self.assertRegex(shown, r'host = "mail.example.com" +# ./ringpost.toml:2:8\n')
        self.assertRegex(shown, r'rate = "14/s" +# .*/config/ringpost/ringpost.toml:2:8\n')
        self.assertRegex(shown, r'cores = 2 +# RINGPOST_CORES\n')
        self.assertRegex(shown, r'drain = "9s" +# ./ringpost.toml:6:9\n')
        self.assertRegex(shown, r'port = 587 +# default\n')
        self.assertIn("# password: from password_command\n", shown)
        self.assertNotIn("hunter", shown + run.stderr)
        # What it prints is a configuration file itself.
        again = self.write(shown, "again.toml")
        self.assert_exit(self.run_program("config", "check", "-c", again), 0)

    def test_show_names_the_preset_that_a_value_comes_from(self):
        self.write('[endpoint.news]\npreset = "ses"\nregion = "eu-west-1"\nplan = "sandbox"\n'
                   'username = "me"\nbytes_per_message = 5000\n[endpoint.esp]\n'
                   'host = "smtp.postmarkapp.com"\n[send]\nendpoint = "news"\n')
        run = self.run_program("config", "show")
        self.assert_exit(run, 0)
        shown = run.stdout.decode()
        self.assertRegex(shown, r'host = "email-smtp.eu-west-1.amazonaws.com" +'
                                r'# preset ses, region eu-west-1\n')
        self.assertRegex(shown, r'recipients_per_message = 50 +# preset ses, line \d+\n')
        self.assertRegex(shown, r'bytes_per_message = 5000 +# ./ringpost.toml:6:21\n')
        self.assertRegex(shown, r'\nrate = \["1 recipients/s", "200 recipients/d"\] +'
                                r'# preset ses, line \d+\n')
        self.assertRegex(shown, r'username_is_password = true +# preset postmark, line \d+\n')
        self.write(shown, "again.toml")
        again = self.run_program("config", "check", "-c", "again.toml")
        self.assert_exit(again, 0)
        self.assertIn('"me" is no user name as Amazon SES gives them', again.stderr)
        self.assertIn("the host is Postmark's", again.stderr)

    def test_a_preset_is_an_endpoint_by_its_name(self):
        """What is missing of one is asked for in the provider's words."""
        for words, said in (
                (("send", "-e", "sendgrd"), 'did you mean "sendgrid"?'),
                (("send", "-e", "sendgrid"), "the password should be: an API key"),
                (("send", "-e", "mailgun"), "Mailgun wants a user name (the full address"),
                (("send", "-e", "ses"), 'region = "..." under [endpoint.ses] picks one of'),
                (("send", "-e", "relay"), "endpoint.relay: preset relay has no host of its own"),
                (("send", "-e", "smtp://u@h?preset=sendgrd"), 'did you mean "sendgrid"?')):
            with self.subTest(words=words):
                run = self.run_program(*words)
                self.assert_exit(run, 2)
                self.assertIn(said, run.stderr)
        # An endpoint of that name is meant before the preset.
        self.write('[endpoint.sendgrid]\nhost = "localhost"\nport = 1\n')
        run = self.run_program("send", "--dry-run", "-e", "sendgrid")
        self.assert_exit(run, 0)

    def test_check_names_each_mistake_by_file_line_and_column(self):
        self.write('[endpoint.ses]\nhosst = "x"\nport = "465x"\n[send]\npreset = 1\n')
        run = self.run_program("config", "check")
        self.assert_exit(run, 2)
        self.assertEqual(run.stdout, b"")
        self.assertIn('./ringpost.toml:2:1: unknown key "hosst"; did you mean "host"?', run.stderr)
        self.assertIn("./ringpost.toml:3:8: port: ", run.stderr)
        self.assertIn('./ringpost.toml:5:1: unknown key "preset"', run.stderr)

    def test_check_reads_every_endpoint_and_the_variables(self):
        self.write('[endpoint.a]\nport = 465\n[endpoint.b]\nhost = "h"\nport = 465\n'
                   'security = "starttls"\n')
        run = self.run_program("config", "check", RINGPOST_RATE="fast")
        self.assert_exit(run, 2)
        self.assertIn("endpoint.a: it has no host", run.stderr)
        self.assertIn("./ringpost.toml:5:8", run.stderr)
        self.assertIn('RINGPOST_RATE: "fast"', run.stderr)

    def test_a_misspelt_variable_is_named_and_not_passed_over(self):
        """Whoever set it believes that there is a rate, or that nothing is sent."""
        (self.folder / "jobs.jsonl").write_bytes(line() + b"\n")
        send = ("send", "-e", "smtp://localhost:1?tls=none", "-o", "out.jsonl", "jobs.jsonl")
        for name, meant in (("RINGPOST_CONNECTONS", "RINGPOST_CONNECTIONS"),
                            ("RINGPOST_DRYRUN", "RINGPOST_DRY_RUN"),
                            ("RINGPOST_RATES", "RINGPOST_RATE"),
                            ("RINGPOST_PASWORD", "RINGPOST_PASSWORD"),
                            ("RINGPOST_CONFG", "RINGPOST_CONFIG"),
                            ("RINGPOST_ENDPOINT_SES_PASWORD", "RINGPOST_ENDPOINT_SES_PASSWORD")):
            for arguments in (send, ("config", "check"), ("config", "show"),
                              ("validate", "jobs.jsonl"), ("probe", "smtp://localhost:1")):
                with self.subTest(name, arguments=arguments):
                    run = self.run_program(*arguments, **{name: "hunter2"})
                    self.assert_exit(run, 2)
                    self.assertIn(f"unknown variable {name}; did you mean {meant}?", run.stderr)
                    self.assertNotIn("hunter2", run.stderr)
        self.assertFalse((self.folder / "out.jsonl").exists())

    def test_variables_that_are_known_or_somebody_elses(self):
        (self.folder / "jobs.jsonl").write_bytes(line() + b"\n")
        send = ("send", "--dry-run", "jobs.jsonl")
        known = dict.fromkeys(("RINGPOST_CACHE", "RINGPOST_WOLFSSL_SOURCE", "RINGPOST_SOURCE_SUITE",
                               "RINGPOST_ENDPOINT_SMTP_EXAMPLE_COM_PASSWORD", "RINGPOST_PASSWORD",
                               "RINGPOST_CRASH_ROUNDS"), "x")
        run = self.run_program(*send, **known, RINGPOST_CONNECTIONS="3", RINGPOST="x",
                               RINGPOST_CONNECTONS="")
        self.assert_exit(run, 0)
        self.assertNotIn("RINGPOST", run.stderr)
        run = self.run_program(*send, RINGPOST_MY_WRAPPERS_OWN="hunter2")
        self.assert_exit(run, 0)
        self.assertIn("RINGPOST_MY_WRAPPERS_OWN", run.stderr)
        self.assertNotIn("hunter2", run.stderr)
        for arguments in (("validate", "jobs.jsonl"), ("render", "jobs.jsonl"),
                          ("plan", "jobs.jsonl", "-e", "smtp://localhost?tls=none")):
            with self.subTest(arguments=arguments):
                run = self.run_program(*arguments, RINGPOST_MY_WRAPPERS_OWN="hunter2")
                self.assert_exit(run, 0)
                self.assertIn("RINGPOST_MY_WRAPPERS_OWN means nothing", run.stderr)

    def test_show_has_every_key(self):
        """What is not set, too: whoever looks for a key finds it where it goes."""
        self.write('[endpoint.a]\nhost = "h"\n')
        schema = json.loads(self.run_program("config", "schema").stdout)["properties"]
        shown = self.run_program("config", "show").stdout.decode()
        send, endpoint = shown.split("\n[endpoint.a]\n")
        for section, properties in ((send, schema["send"]),
                                    (endpoint, schema["endpoint"]["additionalProperties"])):
            listed = set(re.findall(r"^(?:# )?(\w+) = ", section, flags=re.M))
            self.assertLessEqual(set(properties["properties"]) - {"reply"}, listed)
        self.assertRegex(shown, r"\n# rate = +# not set: N\[/s")

    def test_two_ways_to_say_one_thing_are_one_too_many(self):
        pairs = {"password_command": 'password_file = "f"\npassword_command = "echo x"\n',
                 "ports": "port = 587\nports = [587]\n",
                 "oauth_token_command":
                     'oauth_token_file = "f"\noauth_token_command = "echo x"\n'}
        for other, lines in pairs.items():
            with self.subTest(lines=lines):
                self.write('[endpoint.a]\nhost = "h"\nusername = "u"\n' + lines)
                run = self.run_program("config", "check")
                self.assert_exit(run, 2)
                self.assertIn(f'./ringpost.toml:4:', run.stderr)
                self.assertIn(f'it stands beside "{other}"; keep one', run.stderr)
        # Of two files the stronger one has its way.
        self.write('[endpoint.a]\nhost = "h"\nusername = "u"\npassword_file = "f"\n',
                   "config/ringpost/ringpost.toml")
        self.write('[endpoint.a]\npassword_command = "echo x"\n')
        shown = self.run_program("config", "show").stdout.decode()
        self.assertIn("# password: from password_command\n", shown)
        self.assertIn("# password_file = ", shown)

    def test_check_warns_and_is_content(self):
        self.write('[endpoint.a]\nhost = "h"\nverify = false\nusername = "u"\n')
        run = self.run_program("config", "check")
        self.assert_exit(run, 0)
        self.assertEqual(run.stdout, b"./ringpost.toml: ok\n")
        self.assertIn("not verified", run.stderr)
        self.assertIn("no password", run.stderr)

    def test_no_file_is_fine_and_a_named_one_has_to_be_there(self):
        run = self.run_program("config", "check")
        self.assert_exit(run, 0)
        self.assertIn(b"ringpost.toml", run.stdout)
        for arguments, variables in ((("-c", "none.toml"), {}),
                                     ((), {"RINGPOST_CONFIG": "none.toml"})):
            run = self.run_program("config", "check", *arguments, **variables)
            self.assert_exit(run, 2)
            self.assertIn("none.toml", run.stderr)

    def test_a_file_of_a_stranger_is_not_obeyed(self):
        path = self.write('[send]\ncores = 2\n')
        path.chmod(0o666)
        run = self.run_program("config", "show")
        self.assert_exit(run, 2)
        self.assertIn("chmod o-w", run.stderr)
        self.assert_exit(self.run_program("config", "show", "-c", path), 0)

    def test_send_tells_what_is_missing(self):
        run = self.run_program("send")
        self.assert_exit(run, 2)
        self.assertIn("-e", run.stderr)
        run = self.run_program("send", "-e", "smtp://u@mail.example.com")
        self.assert_exit(run, 2)
        self.assertIn("RINGPOST_ENDPOINT_MAIL_EXAMPLE_COM_PASSWORD", run.stderr)
        secret = self.folder / "secret"
        secret.write_text("hunter2\n", encoding="ascii")
        secret.chmod(0o644)
        self.write('[endpoint.a]\nhost = "h"\nusername = "u"\npassword_file = "secret"\n')
        run = self.run_program("send")
        self.assert_exit(run, 2)
        self.assertIn("chmod 600", run.stderr)
        self.assertNotIn("hunter2", run.stderr)


class Completion(ProgramTest):
    def script(self, shell):
        run = self.run_program("completion", shell)
        self.assert_exit(run, 0)
        path = self.folder / f"completion.{shell}"
        path.write_bytes(run.stdout)
        return path

    def test_bash_completes_commands_flags_and_words(self):
        script = self.script("bash")

        def completed(*words):
            quoted = " ".join(f"'{word}'" for word in ("ringpost", *words))
            program = (f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; "
                       "_ringpost; printf '%s\\n' \"${COMPREPLY[@]}\"")
            run = subprocess.run(["bash", "--norc", "-c", program], capture_output=True,
                                 check=True, text=True)
            return run.stdout.split()

        self.assertEqual(completed("se"), ["send", "serve"])
        self.assertEqual(completed("config", ""), ["show", "check", "schema"])
        self.assertIn("--endpoint", completed("send", "--end"))
        self.assertEqual(completed("send", "--progress", "pl"), ["plain"])
        self.assertEqual(completed("send", "--rate", ""), [])
        self.assertEqual(completed("send", "x.jsonl", "--summary", "j"), ["json"])

    def test_names_are_those_of_files_and_presets(self):
        (self.folder / "ringpost.toml").write_text('[endpoint.newsletter]\nhost = "h"\n')
        (self.folder / "own.toml").write_text('[endpoint.mine]\nhost = "h"\n')
        def names(what, **variables):
            run = self.run_program("completion", "--names", what, **variables)
            self.assert_exit(run, 0)
            return run.stdout.decode().split()
        self.assertIn("sendgrid", names("presets"))
        self.assertNotIn("newsletter", names("presets"))
        self.assertLess({"newsletter", "ses"}, set(names("endpoints")))
        self.assertIn("mine", names("endpoints", RINGPOST_CONFIG="own.toml"))
        (self.folder / "ringpost.toml").write_text("[endpoint.")
        self.assertEqual(names("endpoints"), names("presets"))
        for wrong in (("completion",), ("completion", "bash", "--names", "presets")):
            self.assert_exit(self.run_program(*wrong), 2)

    def test_names_are_completed_as_they_are_typed(self):
        """In interactive shells: half a name, the tab key, and the command runs with the whole."""
        (self.folder / "ringpost.toml").write_text('[endpoint.newsletter]\nhost = "h"\n')
        (self.folder / "jobs.jsonl").write_bytes(line() + b"\n")
        typed = ("ringpost presets show sendg\t > preset\n"
                 "ringpost send --dry-run jobs.jsonl -e newsl\t > sent 2>&1\n"
                 "ringpost sink --duration 1ms --listen none --listen-tls none --listen-plain "
                 "127.0.0.1:0 --profile mailg\t > sink 2>&1\nexit\n").encode()
        environment = {**environment_of(self.folder), "TERM": "dumb"}
        environment["PATH"] = f"{Path(PROGRAM).parent}:{environment['PATH']}"
        shells = {"bash": ["bash", "--norc", "-i"], "zsh": ["zsh", "-f", "-i"]}
        for shell, words in shells.items():
            if not shutil.which(shell):
                continue
            with self.subTest(shell=shell):
                for name in ("preset", "sent", "sink"):
                    (self.folder / name).unlink(missing_ok=True)
                start = "autoload -U compinit; compinit -u -D; " if shell == "zsh" else ""
                controller, terminal = pty.openpty()
                with subprocess.Popen(words, cwd=self.folder, env=environment, stdin=terminal,
                                      stdout=terminal, stderr=terminal,
                                      start_new_session=True) as process:
                    os.close(terminal)
                    os.write(controller,
                             f"{start}source {self.script(shell)}; echo set-'up'\n".encode())
                    read_until(controller, b"set-up\r")
                    os.write(controller, typed)
                    shown = read_until(controller, None)
                    process.wait(60)
                os.close(controller)
                self.assertIn("Twilio SendGrid", (self.folder / "preset").read_text(), shown)
                self.assertIn("1 valid", (self.folder / "sent").read_text(), shown)
                self.assertIn("limits      of Mailgun", (self.folder / "sink").read_text(), shown)

    def test_fish_offers_names(self):
        if not shutil.which("fish"):
            self.skipTest("there is no fish")
        (self.folder / "ringpost.toml").write_text('[endpoint.newsletter]\nhost = "h"\n')
        script = self.script("fish")
        environment = environment_of(self.folder)
        environment["PATH"] = f"{Path(PROGRAM).parent}:{environment['PATH']}"
        for words, name in (("ringpost send -e newsl", "newsletter"),
                            ("ringpost probe newsl", "newsletter"),
                            ("ringpost probe sendg", "sendgrid"),
                            ("ringpost presets show mailg", "mailgun")):
            with self.subTest(words=words):
                asked = f"source {script}; complete -C '{words}'"
                run = subprocess.run(["fish", "-N", "-c", asked], cwd=self.folder, env=environment,
                                     capture_output=True, text=True, check=True, timeout=60)
                self.assertEqual(run.stdout.split("\t")[0].split(), [name], run.stderr)

    def test_the_scripts_are_understood_by_their_shells(self):
        for shell in ("bash", "zsh", "fish"):
            script = self.script(shell)
            if shutil.which(shell):
                subprocess.run([shell, "-n", str(script)], check=True)
            self.assertIn(b"endpoint", script.read_bytes())


class Validate(ProgramTest):
    def validate(self, *lines, **more):
        """Validates these lines and returns the complaints without file name."""
        path = self.folder / "jobs.jsonl"
        path.write_bytes(b"\n".join(lines) + b"\n")
        run = self.run_program("validate", "jobs.jsonl", **more)
        text = run.stdout.decode("utf-8")
        for complaint in text.splitlines():
            self.assertTrue(complaint.startswith("jobs.jsonl:"), complaint)
        return run, [complaint.removeprefix("jobs.jsonl:") for complaint in text.splitlines()]

    def complaint(self, *lines):
        run, complaints = self.validate(*lines)
        self.assert_exit(run, 3)
        self.assertEqual(len(complaints), 1, run.describe())
        return complaints[0]

    def test_valid_jobs_are_counted_and_nothing_is_data(self):
        run, complaints = self.validate(line(), b"", line(to=["c@example.com", "d@example.com"]))
        self.assert_exit(run, 0)
        self.assertEqual(complaints, [])
        self.assertEqual(run.stderr, "2 valid (3 recipients), 0 invalid\n")

    def test_each_bad_line_is_named_and_the_others_go_on(self):
        run, complaints = self.validate(line(), b"{", line(subjct="x"), line(), b"[]")
        self.assert_exit(run, 3)
        self.assertEqual([complaint.split(":")[0] for complaint in complaints], ["2", "3", "5"])
        self.assertIn("2 valid (2 recipients), 3 invalid", run.stderr)

    def test_the_end_of_a_terminal_is_said_once(self):
        """Ctrl-D at the beginning of a line ends the input, and not only the second one."""
        for typed in (b"\x04", b"\n\x04", b"xy\n\x04", line() + b"\n\x04"):
            with self.subTest(typed):
                controller, terminal = pty.openpty()
                program = self.start("validate", stdin=terminal)
                os.close(terminal)
                os.write(controller, typed)
                run = program.wait(20)
                os.close(controller)
                self.assertIn("valid", run.stderr)

    def test_a_terminal_is_told_that_it_is_read(self):
        """Of each command that may wait for somebody who does not know it."""
        (self.folder / "template.json").write_text(
            '{"from":"a@example.com","subject":"Hi","text":"Hi"}')
        rows = ("--template", "template.json", "--recipients", "-")
        for arguments, what in ((("validate",), "jobs"), (("render", "-"), "jobs"),
                                (("plan", "-e", "smtp://localhost?tls=none"), "jobs"),
                                (("send", "--dry-run"), "jobs"), (("report", "-"), "outcome lines"),
                                (("validate", *rows), "recipients")):
            with self.subTest(arguments=arguments):
                controller, terminal = pty.openpty()
                program = self.start(*arguments, stdin=terminal)
                os.close(terminal)
                os.write(controller, b"\x04")
                run = program.wait(20)
                os.close(controller)
                self.assertIn(f"reading {what} from the terminal", run.stderr)
                self.assertIn("Ctrl-D on an empty line ends them", run.stderr)

    def test_one_is_no_plural(self):
        (self.folder / "one.jsonl").write_bytes(line() + b"\n")
        self.assertEqual(self.run_program("validate", "one.jsonl").stderr,
                         "1 valid (1 recipient), 0 invalid\n")
        plan = self.run_program("plan", "one.jsonl", "-e", "smtp://localhost?tls=none",
                                "--connections", "1").stdout.decode()
        self.assertIn("1 job to 1 recipient takes ", plan)
        self.assertIn(": 1 message to 1 recipient, ", plan)
        self.assertIn(" 1 connection, ", plan)
        demo = self.run_program("demo", "--jobs", "1").stdout.decode()
        self.assertIn("\n1 job is in ", demo)
        self.assertIn("\n1 job in ", demo)
        for text in (plan, demo):
            self.assertNotRegex(text, r"(?<![\d.,])1 [a-z]+s\b(?! \(|/)")

    def test_every_kind_of_bad_line(self):
        cases = {
            "not json": (b"hello", "1: "),
            "cut off": (line()[:-9], "1: "),
            "a list": (b"[1]", "object"),
            "two jobs": (line() + line(), "1: "),
            "unknown field": (line(subjct="x"), 'did you mean "subject"?'),
            "duplicate field": (b'{"from":"a@b.c","from":"a@b.c","to":"x@y.z","text":""}', "from"),
            "line break in an address": (line(to="b@example.com\r\nRCPT TO:<x@y.z>"), "1: to: "),
            "line break in a header": (line(headers={"X-A": "a\r\nBcc: x@y.z"}), "headers.X-A: "),
            "line break in the subject": (line(subject="a\nb"), "1: subject: "),
            "NUL in text": (line(text="a\0b"), "1: text: "),
            "bare CR": (line(text="a\rb"), "1: text: "),
            "mixed line ends": (line(text="a\r\nb\nc"), "1: text: "),
            "invalid UTF-8": (b'{"from":"a@b.c","to":"x@y.z","text":"\xff"}', "UTF-8"),
            "wrong type": (line(subject=7), "1: subject: "),
            "no recipients": (b'{"from":"a@b.c","text":"x"}', "recipient"),
            "missing file": (b'{"envelope":{"from":"a@b.c","to":["x@y.z"]},"raw_file":"none.eml"}',
                             "1: raw_file: "),
        }
        for name, (bad, expected) in cases.items():
            with self.subTest(name):
                self.assertIn(expected, self.complaint(bad))

    def test_a_pipe_as_raw_file_is_refused_at_once(self):
        os.mkfifo(self.folder / "pipe.eml")
        said = self.complaint(
            b'{"envelope":{"from":"a@b.c","to":["x@y.z"]},"raw_file":"pipe.eml"}')
        self.assertIn("1: raw_file: ", said)

    def test_hostile_text_reaches_the_terminal_escaped(self):
        said = self.complaint(b'{"\\u001b[2J\\u0007":1}')
        self.assertNotIn("\x1b", said)
        self.assertNotIn("\x07", said)

    def test_a_line_of_100_mb_takes_no_memory_for_it(self):
        path = self.folder / "jobs.jsonl"
        with open(path, "wb") as file:
            file.write(line() + b"\n" + b'{"text":"')
            for _ in range(100):
                file.write(b"x" * (1 << 20))
            file.write(b'"}\n' + line() + b"\n")
        program = self.start("validate", "jobs.jsonl", "-", stdin=subprocess.PIPE)
        # It waits for standard input when the file is done; its memory can be looked at meanwhile.
        program.process.stdin.write(b"nonsense\n")
        program.process.stdin.flush()
        until_said(self, program, b"stdin:1: ")
        peak = program.peak_memory()
        program.process.stdin.close()
        run = program.wait()
        self.assert_exit(run, 3)
        self.assertIn(b"jobs.jsonl:2: ", run.stdout)
        self.assertIn("2 valid (2 recipients), 2 invalid", run.stderr)
        if not is_sanitized():
            self.assertLess(peak, MEMORY_MAX)

    def test_compressed_files_and_standard_input(self):
        (self.folder / "jobs.jsonl.gz").write_bytes(gzip.compress(line() + b"\n{}\n"))
        run = self.run_program("validate", "jobs.jsonl.gz")
        self.assert_exit(run, 3)
        self.assertTrue(run.stdout.startswith(b"jobs.jsonl.gz:2: "), run.describe())
        with open(self.folder / "in", "wb") as file:
            file.write(b"nonsense")
        with open(self.folder / "in", "rb") as file:
            run = self.run_program("validate", stdin=file)
        self.assert_exit(run, 3)
        self.assertTrue(run.stdout.startswith(b"stdin:1: "), run.describe())

    def test_a_file_that_cannot_be_read_is_a_usage_error(self):
        run = self.run_program("validate", "none.jsonl")
        self.assert_exit(run, 2)
        self.assertIn("none.jsonl", run.stderr)
        (self.folder / "cut.gz").write_bytes(gzip.compress(line() * 100)[:-20])
        run = self.run_program("validate", "cut.gz")
        self.assert_exit(run, 2)
        self.assertIn("cut.gz", run.stderr)

    def test_newlines_come_from_flag_variable_and_file_as_for_send(self):
        bad = line(text="a\nb\n")
        self.assert_exit(self.validate(bad)[0], 0)
        self.assert_exit(self.validate(bad, RINGPOST_NEWLINES="strict")[0], 3)
        (self.folder / "ringpost.toml").write_text('[send]\nnewlines = "strict"\n')
        self.assert_exit(self.validate(bad)[0], 3)
        self.assert_exit(self.validate(bad, RINGPOST_NEWLINES="normalize")[0], 0)
        run = self.run_program("validate", "jobs.jsonl", "--newlines", "crlf")
        self.assert_exit(run, 2)
        self.assertIn('--newlines: "crlf"', run.stderr)


def until_said(test, program, text, seconds=60):
    wait_until(lambda: text in program.stdout() or not program.is_alive(), f"it says {text}",
               seconds)
    test.assertTrue(program.is_alive(), program.stderr())


if __name__ == "__main__":
    unittest.main()
