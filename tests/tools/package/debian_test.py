"""The Debian package: what is in it, where, and what it depends on.

That it can be installed, run and removed in a fresh Debian 12 and 13 says `tools/dev package-try`.
"""

import gzip
import re
import shutil
import subprocess
import unittest

from support.package import BUILD, ROOT, build, run_tool
from support.workspace import Workspace, temporary_folder


class DebianTest(Workspace):
    @classmethod
    def setUpClass(cls):
        build("ringpost_pages")
        cls.made = temporary_folder(cls.addClassCleanup)
        run_tool("cpack", "-G", "DEB", "--config", BUILD / "CPackConfig.cmake", "-B", cls.made)
        cls.package = next(cls.made.glob("ringpost_*.deb"))
        cls.tree = cls.made / "tree"
        run_tool("dpkg-deb", "--extract", cls.package, cls.tree)

    def field(self, name):
        return run_tool("dpkg-deb", "--field", self.package, name).strip()

    def test_it_depends_on_what_releases_name_alike(self):
        names = {re.sub(r" .*", "", one) for one in self.field("Depends").split(", ")}
        self.assertLessEqual(names, {"libc6", "libgcc-s1", "libidn2-0", "libstdc++6", "libzstd1",
                                     "zlib1g"})
        self.assertIn("libzstd1", names)
        self.assertEqual(self.field("Package"), "ringpost")
        version = re.search(r"project\(ringpost VERSION ([\d.]+)",
                            (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))[1]
        self.assertEqual(self.field("Version"), version)

    def test_every_command_has_a_page(self):
        program = self.tree / "usr/bin/ringpost"
        listed = run_tool(program, "--help").split("Commands:\n")[1].split("\n\n")[0]
        commands = re.findall(r"^  ([a-z]+) ", listed, re.MULTILINE)
        self.assertGreater(len(commands), 12)
        pages = {page.name for page in self.tree.glob("usr/share/man/man*/*.gz")}
        self.assertLessEqual({f"ringpost-{command}.1.gz" for command in commands}, pages)
        self.assertLessEqual({"ringpost.1.gz", "ringpost-jobs.5.gz", "ringpost-outcomes.5.gz",
                              "ringpost.toml.5.gz"}, pages)
        for page in self.tree.glob("usr/share/man/man*/*.gz"):
            self.assertIn(b".TH", gzip.decompress(page.read_bytes()))

    def test_completions_are_where_shells_look_and_are_the_programs_own(self):
        program = self.tree / "usr/bin/ringpost"
        for shell, path in (("bash", "bash-completion/completions/ringpost"),
                            ("zsh", "zsh/vendor-completions/_ringpost"),
                            ("fish", "fish/vendor_completions.d/ringpost.fish")):
            self.assertEqual((self.tree / "usr/share" / path).read_text(encoding="utf-8"),
                             run_tool(program, "completion", shell))

    def test_what_it_configures_and_shows_is_valid(self):
        program = self.tree / "usr/bin/ringpost"
        configuration = self.tree / "etc/ringpost/ringpost.toml"
        run_tool(program, "config", "check", "--config", configuration, HOME=str(self.folder))
        # What is commented out is what somebody will take in.
        taken_in = self.folder / "ringpost.toml"
        lines = configuration.read_text(encoding="utf-8").split("\n\n", 1)[1].splitlines()
        taken_in.write_text("\n".join(line.removeprefix("# ") for line in lines),
                            encoding="utf-8")
        run_tool(program, "config", "check", "--config", taken_in, HOME=str(self.folder))
        examples = self.tree / "usr/share/doc/ringpost/examples"
        run_tool(program, "validate", examples / "jobs.jsonl", HOME=str(self.folder))
        self.assertEqual({file.name for file in examples.iterdir()},
                         {"consumer", "jobs.jsonl", "ringpost.py", "submit.c", "submit.cpp"})

    @unittest.skipUnless(shutil.which("lintian"), "lintian is not installed")
    def test_lintian_has_nothing_to_say(self):
        run = subprocess.run(["lintian", "--fail-on", "error,warning", self.package], check=False,
                             capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stdout), (0, ""))


if __name__ == "__main__":
    unittest.main()
