"""`tools/dev bench-compare`: what it calls slower, and what it does without a commit."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

SCRIPTS = Path(__file__).parents[3] / "tools" / "dev.d"
sys.path.insert(0, str(SCRIPTS))

import bench_compare  # noqa: E402  pylint: disable=wrong-import-position


class BenchCompareTest(unittest.TestCase):
    """The verdict is about ratios of medians and their noise."""

    def word(self, before, now, noise_min=0.05):
        return bench_compare.verdict(before, now, noise_min)[-1]

    def test_verdict(self):
        quiet = [100, 101, 99, 100, 100]
        self.assertEqual(self.word(quiet, quiet), "")
        self.assertEqual(self.word(quiet, [time * 1.5 for time in quiet]), "slower")
        self.assertEqual(self.word(quiet, [time / 1.5 for time in quiet]), "faster")
        # One bad round is no verdict; nor is a difference below what counts.
        self.assertEqual(self.word(quiet, [100, 100, 100, 900, 100]), "")
        self.assertEqual(self.word(quiet, [time * 1.1 for time in quiet], 0.2), "")

    def test_noise_hides_what_it_could_be(self):
        before, now, ratio, noise, word = bench_compare.verdict([100, 150, 80, 120, 100],
                                                                [130, 180, 110, 150, 130], 0.05)
        self.assertEqual((before, now, ratio), (100, 130, 1.3))
        self.assertGreater(noise, 0.3)
        self.assertEqual(word, "")

    def test_what_has_changed(self):
        """--short measures what has another source, or is another itself, in any room of codec."""
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(bench_compare, "ROOT", Path(folder)):
            names = ["codec/text/utf8.cpp", "codec/mail/composition.h",
                     "bench/micro/sasl_bench.cpp", "engine/route.cpp"]
            for name in names + ["codec/text/base64.cpp"]:
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("before\n")
            for command in (("init", "-q"), ("add", "."),
                            ("-c", "user.name=n", "-c", "user.email=n@example.org",
                             "commit", "-q", "-m", "before")):
                self.assertEqual(bench_compare.git(*command).returncode, 0)
            for name in names:
                (Path(folder) / name).write_text("now\n")
            self.assertEqual(bench_compare.changed_since("HEAD"),
                             {"utf8_bench", "composition_bench", "sasl_bench"})

    def test_without_a_commit(self):
        """A shallow clone has no parent: that is said, and only without --short a failure."""
        for flags, code in (((), 2), (("--short",), 0)):
            done = subprocess.run([sys.executable, "-B", SCRIPTS / "bench_compare.py", *flags,
                                   "no-such-commit"], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn("there is no commit no-such-commit", done.stderr)


if __name__ == "__main__":
    unittest.main()
