"""Real clients through `ringpost serve` to a sink that keeps a provider's limits.

Each sends as platforms do, and is told the truth: what it counts as sent is what the provider has,
and what the outcome lines say. Those that are not installed are skipped by name.
"""

import shutil
import subprocess
import sys
import threading
import unittest
from pathlib import Path

from support.serve import ServeTest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLATFORMS = HERE / "platforms"
NODE_MODULES = ROOT / "build/clients/nodemailer/node_modules"
PHPMAILER = Path("/usr/share/php/libphp-phpmailer/src/PHPMailer.php")
LISTEN = '[[listen.smtp]]\naddress = "127.0.0.1:0"\n'
COUNT = 20


def printed(*command, stdin=b""):
    """What a client prints; what it complains of is shown."""
    done = subprocess.run(list(map(str, command)), input=stdin, capture_output=True, timeout=600,
                          check=False)
    sys.stderr.buffer.write(done.stderr)
    return done.stdout.decode().strip(), done.returncode


class Platforms(ServeTest):
    """One smart host, and one provider with a rate, for all of them at a time."""

    user = "AKIAIOSFODNN7EXAMPLE"

    def test_all_are_told_the_truth(self):
        # Fewer a second than the clients could send, who have to wait for their answers.
        sink = self.sink("--profile", "ses", "--limit", "rate=60 recipients/s", user=None)
        serve = self.start_serve(sink, LISTEN + '[send]\nrate = "60 recipients/s"\n')
        port = serve.address()[1]
        runs = dict(self.counting_clients(port))
        results = {}

        def run(name, command):
            results[name] = printed(*command)

        threads = [threading.Thread(target=run, args=one) for one in runs.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name, result in results.items():
            self.assertEqual(result, (str(COUNT), 0), name)
        single = dict(self.single_clients(port))
        for name, (command, stdin) in single.items():
            self.assertEqual(printed(*command, stdin=stdin)[1], 0, name)
        total = COUNT * len(runs) + len(single)
        lines = serve.wait_for_outcomes(total)
        self.assertEqual({line["status"] for line in lines}, {"accepted"})
        self.assertEqual(len(lines), total)
        self.assertEqual(len({line["id"] for line in lines}), total)
        report = sink.stop()
        self.assertEqual(len(report.record), total)
        self.assert_strict(report)

    @staticmethod
    def counting_clients(port):
        """Those that send COUNT messages and print how many were accepted."""
        if shutil.which("node") and NODE_MODULES.exists():
            yield "nodemailer", ("node", PLATFORMS / "nodemailer_pool.js", NODE_MODULES, port,
                                 COUNT)
        if shutil.which("php") and PHPMAILER.exists():
            for keep_alive in (0, 1):
                yield (f"PHPMailer {keep_alive}",
                       ("php", PLATFORMS / "phpmailer.php", port, COUNT, keep_alive))
        if shutil.which("go"):
            yield "Go", ("env", "GO111MODULE=off", "go", "run", PLATFORMS / "net_smtp.go", port,
                         COUNT)
        if shutil.which("perl"):
            yield "Net::SMTP", ("perl", PLATFORMS / "net_smtp.pl", port, COUNT)

    @staticmethod
    def single_clients(port):
        """Those that send one message each."""
        head = b"From: news@example.com\r\nSubject: x\r\n"
        if shutil.which("curl"):
            yield "curl", (("curl", "--silent", "--show-error", "--mail-from", "news@example.com",
                            "--mail-rcpt", "a@example.net", "--upload-file", "-",
                            f"smtp://127.0.0.1:{port}"),
                           head + b"Message-ID: <curl@example.com>\r\n\r\n.Hello\r\n")
        if shutil.which("swaks"):
            yield "swaks", (("swaks", "--server", f"127.0.0.1:{port}", "--helo",
                             "platform.example", "--from", "news@example.com", "--to",
                             "a@example.net", "--silent", "2"), b"")
        if shutil.which("msmtp"):
            yield "msmtp", (("msmtp", "--host=127.0.0.1", f"--port={port}", "--tls=off",
                             "--auth=off", "--from=news@example.com", "a@example.net"),
                            head + b"Message-ID: <msmtp@example.com>\r\n\r\nHello\r\n")


if __name__ == "__main__":
    unittest.main()
