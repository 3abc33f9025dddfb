"""The two lanes of tools/dev.d/test.sh: one builds, the other tests what is built.

Goal: the last line counts what happened, whatever happens to a preset or to the script. Method: the
script itself with programs in place of cmake, ctest and its own set-up that note what they are
asked, and end as a file tells.
"""

import os
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

from support.workspace import Workspace, wait_until

PARTS = Path(__file__).parents[3] / "tools/dev.d"

# Each says "NAME ARGUMENT..." in the file "said". A preset that is named in "unbuilt" cannot be
# built, one in "slow" takes its time.
CMAKE = """#!/bin/bash
echo "cmake $*" >>"$FOLDER/said"
for word in "$@"; do
  if [[ $1 == --build && -e $FOLDER/slow && $word == "$(cat "$FOLDER/slow")" ]]; then
    echo $$ >"$FOLDER/builds"
    sleep 60
  fi
  if [[ -e $FOLDER/unbuilt && $word == "$(cat "$FOLDER/unbuilt")" ]]; then
    echo "what the compiler says"
    exit 1
  fi
done
"""
CTEST = """#!/bin/bash
echo "ctest $*" >>"$FOLDER/said"
while (($# > 1)); do
  if [[ $1 == --rerun-failed ]]; then again=-again; fi
  if [[ $1 == --output-junit ]]; then cp "$FOLDER/results$again.xml" "$2" || true; fi
  shift
done
"""
FUZZ = """#!/bin/bash
echo "fuzz.sh $*" >>"$FOLDER/said"
echo "11 passed, 1 failed"
"""
RESULTS = ('<testsuite><testcase name="one" status="run"/><testcase name="two" status="run"/>'
           '<testcase name="three" status="fail"><system-out>first words\n{}expected 2 &lt; 1'
           '</system-out></testcase></testsuite>').format("more\n" * 50)


class LanesTest(Workspace):
    def setUp(self):
        super().setUp()
        parts = self.folder / "tools/dev.d"
        parts.mkdir(parents=True)
        for name in "test.sh", "common.sh", "count_results.py", "failures.py", "run_again.py":
            shutil.copy(PARTS / name, parts)
        for name in "packages.sh", "dependencies.sh", "peers.sh", "roots.sh", "bench_compare.py":
            self.program(parts / name, "#!/bin/sh\n")
        self.program(parts / "fuzz.sh", FUZZ)
        self.program(self.folder / "bin/cmake", CMAKE)
        self.program(self.folder / "bin/ctest", CTEST)
        for preset in "release", "dev", "tsan":
            (self.folder / "build" / preset).mkdir(parents=True)
        (self.folder / "results.xml").write_text(RESULTS)

    @staticmethod
    def program(path, text):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def start(self, *presets):
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return subprocess.Popen(
            [self.folder / "tools/dev.d/test.sh", *presets], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, "PATH": path, "FOLDER": str(self.folder)})

    def run_presets(self, *presets):
        """Returns the exit code, the last line and what was said to people."""
        with self.start(*presets) as script:
            out, err = script.communicate(timeout=60)
        return script.returncode, out.splitlines()[-1], err

    def test_all(self):
        """Each preset is built and tested once, in order, and everything is counted."""
        code, last, _ = self.run_presets()
        self.assertEqual((code, last), (1, "17 passed, 4 failed"))
        said = (self.folder / "said").read_text().splitlines()
        self.assertEqual([line.split()[2] for line in said
                          if line.startswith("ctest") and "--rerun-failed" not in line],
                         ["release", "dev", "tsan"])
        self.assertEqual([line.split()[2] for line in said if line.startswith("cmake --build")],
                         ["--preset"] * 3)
        self.assertEqual([line.split()[1] for line in said if line.startswith("fuzz.sh")],
                         ["--build", "--built"])

    def test_nothing_fails(self):
        (self.folder / "results.xml").write_text(RESULTS.replace("fail", "run"))
        self.assertEqual(self.run_presets("dev", "tsan")[:2], (0, "6 passed, 0 failed"))

    def test_failures_are_told_again(self):
        """At the end, by preset and name, with the last that each of them said."""
        _, _, said = self.run_presets("dev", "tsan")
        end = said[said.rindex("all of it took"):]
        self.assertEqual([line.split()[1:3] for line in end.splitlines() if line[:2] == "--"],
                         [["dev:", "three"], ["tsan:", "three"]])
        self.assertEqual(end.count("expected 2 < 1"), 2)
        self.assertNotIn("first words", end)

    def test_failed_beside_others(self):
        """Alone it passes, which counts and is told at the end."""
        (self.folder / "results-again.xml").write_text(
            '<testsuite><testcase name="three" status="run"/></testsuite>')
        code, last, said = self.run_presets("dev")
        self.assertEqual((code, last), (0, "3 passed, 0 failed"))
        self.assertIn("dev: three failed beside others and passed alone",
                      said[said.rindex("all of it took"):])

    def test_mistake_is_not_tried_away(self):
        """A sanitizer's report, an assertion of ours, a crash, and many failures stand."""
        again = '<testsuite><testcase name="three" status="run"/></testsuite>'
        (self.folder / "results-again.xml").write_text(again)
        for words in ("ERROR: AddressSanitizer: heap-use-after-free", "WARNING: ThreadSanitizer",
                      "a.cpp:1:2: runtime error: shift", "ringpost: broken invariant at a.cpp:7",
                      "SIGSEGV - Segmentation violation signal"):
            with self.subTest(words):
                (self.folder / "results.xml").write_text(RESULTS.replace("first words", words))
                self.assertEqual(self.run_presets("tsan")[:2], (1, "2 passed, 1 failed"))
        (self.folder / "results.xml").write_text(RESULTS.replace("run", "fail").replace(
            "</testsuite>", "".join(f'<testcase name="{number}" status="fail"/>'
                                    for number in range(4)) + "</testsuite>"))
        self.assertEqual(self.run_presets("dev")[1], "0 passed, 7 failed")

    def test_preset_that_cannot_be_built(self):
        """It is one failure and is shown; those behind it are tested."""
        (self.folder / "unbuilt").write_text("dev")
        code, last, said = self.run_presets("release", "dev", "tsan")
        self.assertEqual((code, last), (1, "4 passed, 3 failed"))
        self.assertIn("what the compiler says", said)
        self.assertIn("dev: could not be built", said)

    def test_preset_without_a_test(self):
        (self.folder / "results.xml").unlink()
        self.assertEqual(self.run_presets("release")[:2], (1, "0 passed, 1 failed"))

    def test_end_in_the_middle(self):
        """The lane that builds ends with it."""
        (self.folder / "slow").write_text("dev")
        with self.start("release", "dev") as script:
            builds = self.folder / "builds"
            wait_until(lambda: builds.exists() and builds.read_text().strip(), "dev is built")
            pid = int(builds.read_text())
            wait_until(lambda: (self.folder / "said").read_text().count("ctest"), "a test ran")
            began = time.monotonic()
            script.send_signal(signal.SIGTERM)
            out, _ = script.communicate(timeout=30)
            self.assertLess(time.monotonic() - began, 20)
        self.assertEqual(script.returncode, 1)
        self.assertEqual(out.splitlines()[-1].split()[2:], ["1", "failed"])
        wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the build is gone")


if __name__ == "__main__":
    unittest.main()
