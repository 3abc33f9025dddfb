#!/usr/bin/env python3
"""How much faster a platform is that sends through `serve` to a provider far away.

PHPMailer as phpList has it (one connection a message, nothing kept alive) sends to a provider whose
replies come late (--latency), by STARTTLS: straight, through `serve` that answers with the
provider's own reply, and through one that answers when the message is stored. Prints messages a
second of the client, and how long the provider was behind. Needs php-cli and libphp-phpmailer.

    bench/e2e/stored.py [--messages N] [--straight N] [--latency 50ms]
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENT = ROOT / "tests/e2e/platforms/phpmailer.php"
USER, PASSWORD = "news", "secret-of-a-test"


def wait_for(path, process):
    while not path.exists():
        if process.poll() is not None:
            sys.exit(f"{process.args[1]} ended at once")
        time.sleep(0.01)
    return json.loads(path.read_text(encoding="utf-8"))


def start(folder, program, *arguments):
    ready = folder / f"{arguments[0]}.ready"
    ready.unlink(missing_ok=True)
    process = subprocess.Popen([program, *arguments, "--ready-file", ready], cwd=folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return process, wait_for(ready, process)


def end(process):
    process.send_signal(signal.SIGTERM)
    process.wait(60)


def seconds_of_client(port, messages, *login):
    begun = time.monotonic()
    run = subprocess.run(["php", CLIENT, str(port), str(messages), "0", *login],
                         capture_output=True, text=True, check=False)
    if run.stdout.strip() != str(messages):
        raise RuntimeError(f"PHPMailer had {run.stdout.strip()} of {messages} accepted\n"
                           f"{run.stderr[-1000:]}")
    return time.monotonic() - begun


def through_serve(folder, program, ports, messages, reply):
    (folder / "serve.toml").write_text(
        f'[endpoint.esp]\nhost = "localhost"\nport = {ports["starttls"]}\nca_file = "sink.pem"\n'
        f'username = "{USER}"\npassword_file = "password"\n'
        f'[serve]\nspool = "spool"\n[[listen.smtp]]\naddress = "127.0.0.1:0"\nreply = "{reply}"\n',
        encoding="utf-8")
    outcomes = folder / f"{reply}.jsonl"
    process, ready = start(folder, program, "serve", "-c", "serve.toml", "-o", outcomes)
    port = ready["listening"][0].rpartition(":")[2]
    try:
        seconds = seconds_of_client(port, messages)
        begun = time.monotonic()
        while outcomes.read_bytes().count(b'"accepted"') < messages:
            time.sleep(0.01)
        return seconds, time.monotonic() - begun
    finally:
        end(process)


def compare(folder, program, ports, options):
    straight = options.straight / seconds_of_client(ports["starttls"], options.straight, USER,
                                                    PASSWORD)
    print(f"straight      {straight:8.2f} messages/s")
    for reply in ("end-to-end", "stored"):
        seconds, behind = through_serve(folder, program, ports, options.messages, reply)
        rate = options.messages / seconds
        print(f"{reply:12}  {rate:8.2f} messages/s, {rate / straight:6.1f} times; the last one was "
              f"accepted {behind:.2f} s later")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--straight", type=int, default=20, help="messages of the straight way")
    parser.add_argument("--latency", default="50ms")
    options = parser.parse_args()
    program = os.path.abspath(os.environ.get("RINGPOST", ROOT / "build/release/ringpost"))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        password = folder / "password"
        password.write_text(PASSWORD, encoding="ascii")
        password.chmod(0o600)
        sink, ready = start(folder, program, "sink", "--listen", "127.0.0.1:0", "--listen-tls",
                            "none", "--listen-plain", "none", "--cert-out", "sink.pem",
                            "--user", USER, "--password-file", password, "--latency",
                            options.latency)
        try:
            compare(folder, program, ready["ports"], options)
        finally:
            end(sink)


if __name__ == "__main__":
    main()
