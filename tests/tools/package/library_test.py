"""libringpost as it is installed: what can be seen of it, and programs that are built with it.

The programs are those of tools/examples, built by CMake and by hand with pkg-config, shared and
static, against the installed tree alone, and run against the embedded ESP.
"""

import re
import shutil
import subprocess
import unittest
from collections import Counter
from pathlib import Path

from support.package import ROOT, install, run_tool
from support.program import PASSWORD, SECONDS_MAX, USER, environment_of
from support.sink import Sink
from support.workspace import Workspace, temporary_folder

EXAMPLES = ROOT / "tools/examples"
# What programs may call; a name of another form is one that somebody forgot to hide.
PUBLIC = re.compile(r"^(ringpost_[a-z_]+|"
                    r"ringpost::(Engine::|Content|ContentMaker::|ContentError::|Message::|"
                    r"Outcome::|RecipientList::|SegmentStore::|operator\+|name_of|first_mistake|"
                    r"written_host|jobs_active_max|checked_address|assertion_failed))")


class LibraryTest(Workspace):
    @classmethod
    def setUpClass(cls):
        cls.prefix = temporary_folder(cls.addClassCleanup)
        cls.libraries = install(cls.prefix)
        cls.shared = cls.libraries / "libringpost.so"

    def names_of(self, *arguments):
        lines = run_tool("nm", "--demangle", "--defined-only", *arguments).splitlines()
        return [line.split(" ", 2)[2] for line in lines if len(line.split(" ", 2)) == 3]

    def environment(self, **more):
        pc = str(self.libraries / "pkgconfig")
        return environment_of(self.folder, PKG_CONFIG_LIBDIR=f"{pc}:/usr/share/pkgconfig", **more)

    def run_against_sink(self, *command):
        """Two hundred messages, each accepted once, with the output's claim of it."""
        sink = Sink(self.folder, cleanup=self.addCleanup)
        run = subprocess.run(
            [*map(str, command), "localhost", str(sink.ports["starttls"]), str(sink.certificate),
             USER, "200"], env=self.environment(RINGPOST_PASSWORD=PASSWORD,
                                                LD_LIBRARY_PATH=str(self.libraries)),
            check=False, capture_output=True, text=True, timeout=SECONDS_MAX)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("accepted: 200,", run.stderr)
        expected = Counter((f"example-{number}", f"reader{number}@example.net")
                           for number in range(1, 201))
        self.assertEqual(Counter(tuple(line.split(" ", 2)[:2])
                                 for line in run.stdout.splitlines()), expected)
        self.assertEqual(sink.stop().recipients(), expected)

    def needed_by(self, file):
        return re.findall(r"\(NEEDED\).*\[(.*)\]", run_tool("readelf", "--dynamic", file))

    # ---- The libraries --------------------------------------------------------------------------

    def test_nothing_but_what_is_public_can_be_seen(self):
        shared = self.names_of("--dynamic", self.shared)
        self.assertGreater(len(shared), 40)
        self.assertEqual([name for name in shared if not PUBLIC.match(name)], [])
        for function in ("ringpost_engine_start", "ringpost_submit"):
            self.assertIn(function, shared)
        self.assertEqual(sorted(set(self.names_of("--extern-only",
                                                  self.libraries / "libringpost.a"))),
                         sorted(set(shared)))

    def test_it_needs_what_every_system_has(self):
        self.assertEqual(
            [name for name in self.needed_by(self.shared)
             if not re.match(r"(libidn2|libz|libstdc\+\+|libm|libgcc_s|libc|ld-linux.*)\.so\.\d+$",
                             name)], [])
        dynamic = run_tool("readelf", "--dynamic", self.shared)
        self.assertRegex(dynamic, r"\(SONAME\).*\[libringpost\.so\.0\]")
        self.assertNotRegex(dynamic, r"\((RUNPATH|RPATH)\)")

    def test_static_it_wants_nothing_of_the_libraries_that_are_in_it(self):
        wanted = run_tool("nm", "--undefined-only", "--demangle",
                          self.libraries / "libringpost.a")
        self.assertNotRegex(wanted, r"wolfSSL|wc_[A-Z]|io_uring|simdjson|fmt::|ringpost::")

    # ---- Their consumers ------------------------------------------------------------------------

    def test_a_cmake_project_finds_it(self):
        build = self.folder / "build"
        run_tool("cmake", "-S", EXAMPLES / "consumer", "-B", build, "-G", "Ninja",
                 f"-DCMAKE_PREFIX_PATH={self.prefix}", "-DCMAKE_BUILD_TYPE=Release")
        run_tool("cmake", "--build", build)
        for name, is_shared in (("submit_shared", True), ("submit_static", False),
                                ("submit_c_shared", True), ("submit_c_static", False)):
            with self.subTest(name):
                self.assertEqual("libringpost.so.0" in self.needed_by(build / name), is_shared)
                self.run_against_sink(build / name)

    def test_pkg_config_tells_a_compiler_all_it_needs(self):
        for package, is_shared in (("ringpost", True), ("ringpost-static", False)):
            flags = run_tool("pkg-config", "--cflags", "--libs", package,
                             PKG_CONFIG_LIBDIR=str(self.libraries / "pkgconfig")).split()
            for source, compiler in (("submit.cpp", ("c++", "-std=c++20")),
                                     ("submit.c", ("cc", "-std=c99"))):
                with self.subTest(source, package=package):
                    program = self.folder / f"{package}-{source}.program"
                    run_tool(*compiler, EXAMPLES / source, "-o", program, *flags)
                    self.assertEqual("libringpost.so.0" in self.needed_by(program), is_shared)
                    self.run_against_sink(program)

    def test_another_version_is_not_what_was_asked_for(self):
        project = self.folder / "CMakeLists.txt"
        project.write_text("cmake_minimum_required(VERSION 3.25)\nproject(p LANGUAGES CXX)\n"
                           "find_package(ringpost 9.0 REQUIRED)\n", encoding="ascii")
        with self.assertRaisesRegex(AssertionError, "compatible with requested version"):
            run_tool("cmake", "-S", self.folder, "-B", self.folder / "build",
                     f"-DCMAKE_PREFIX_PATH={self.prefix}")

    @unittest.skipUnless(shutil.which("clang++"), "clang++ is not installed")
    def test_headers_compile_alone_with_another_compiler(self):
        include = Path(next(self.prefix.glob("**/ringpost.h"))).parents[1]
        for header in sorted((include / "ringpost").glob("*.h")):
            source = self.folder / "one.cpp"
            source.write_text(f"#include <ringpost/{header.name}>\n", encoding="ascii")
            run_tool("clang++", "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                     f"-I{include}", source)
        source = self.folder / "one.c"
        source.write_text("#include <ringpost/ringpost.h>\n", encoding="ascii")
        run_tool("cc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wstrict-prototypes",
                 "-Werror", "-fsyntax-only", f"-I{include}", source)


if __name__ == "__main__":
    unittest.main()
