"""tools/docker/seccomp.json: ringpost runs under it, and what a container must not do is refused.

The kernel judges: the profile becomes a filter of the process that is started, as Docker's would,
but for one thing: what the profile does not name ends the process here, where Docker would refuse
it, because a library may go on without what it was refused and nobody would see.
"""

import errno
import json
import subprocess
import unittest

from support.package import ROOT
from support.program import PASSWORD, PROGRAM, ProgramTest, environment_of, is_sanitized
from support.seccomp import REFUSE, enter, filter_of
from support.sink import SinkTest

PROFILE = json.loads((ROOT / "tools/docker/seccomp.json").read_text(encoding="utf-8"))
class ProfileTest(unittest.TestCase):
    def names(self):
        return {name for rule in PROFILE["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW"
                for name in rule["names"]}

    def test_it_has_the_form_that_docker_reads(self):
        self.assertEqual(PROFILE["defaultAction"], "SCMP_ACT_ERRNO")
        self.assertEqual(PROFILE["defaultErrnoRet"], errno.EPERM)
        for rule in PROFILE["syscalls"]:
            self.assertLessEqual(set(rule),
                                 {"comment", "names", "action", "args", "errnoRet"}, rule)
            self.assertEqual(rule["names"], sorted(set(rule["names"])))
        self.assertEqual({entry["architecture"] for entry in PROFILE["archMap"]},
                         {"SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"})

    def test_io_uring_is_allowed_and_what_leaves_a_container_is_not(self):
        allowed = self.names()
        self.assertLessEqual({"io_uring_setup", "io_uring_enter", "io_uring_register"}, allowed)
        self.assertEqual(allowed & {
            "mount", "umount2", "ptrace", "bpf", "unshare", "setns", "init_module", "reboot",
            "finit_module", "kexec_load", "keyctl", "add_key", "perf_event_open", "pivot_root",
            "open_by_handle_at", "process_vm_readv", "userfaultfd", "chroot", "clone3"}, set())


@unittest.skipIf(is_sanitized(), "a sanitizer's own calls are others")
class RunTest(SinkTest, ProgramTest):
    def run_under(self, program, *arguments, **environment):
        # Processes of tests that run beside this one fork, too; nothing else happens in between.
        return subprocess.run([PROGRAM, *map(str, arguments)], cwd=self.folder, check=False,
                              env=environment_of(self.folder, **environment),
                              preexec_fn=enter(program), capture_output=True, text=True,
                              timeout=300)

    def test_everything_that_a_container_does_is_allowed(self):
        (self.folder / "jobs.jsonl").write_text(
            '{"id":"1","from":"a@example.com","to":"b@example.net","subject":"s","text":"t\\n"}\n',
            encoding="ascii")
        sink = self.sink()
        (self.folder / "password").write_text(PASSWORD, encoding="ascii")
        name = self.configuration(sink, password_command=f"cat {self.folder}/password")
        rules = filter_of(PROFILE)
        for arguments in (["demo"], ["version"], ["validate", "jobs.jsonl"], ["probe", name],
                          ["send", "jobs.jsonl", "-e", name, "-o", "out.jsonl",
                           "--journal", "run.journal", "--durability", "power"],
                          ["journal", "verify", "run.journal"],
                          ["report", "out.jsonl", "--html", "page.html"]):
            with self.subTest(arguments[0]):
                run = self.run_under(rules, *arguments)
                self.assertEqual(run.returncode, 0, (run.returncode, run.stderr[-2000:]))
        self.assertEqual(len(sink.stop().record), 1)

    def test_where_a_part_of_io_uring_is_refused_it_goes_on_with_epoll_and_says_so(self):
        """Whichever of its calls a profile lacks, and with those that a kernel has not yet."""
        for lacks in (["io_uring_setup"], ["io_uring_register"], ["io_uring_enter"],
                      ["io_uring_setup", "epoll_pwait2"]):
            lacking = json.loads(json.dumps(PROFILE))
            for rule in lacking["syscalls"]:
                rule["names"] = [name for name in rule["names"] if name not in lacks]
            rules = filter_of(lacking, REFUSE | errno.EPERM)
            with self.subTest(lacks):
                run = self.run_under(rules, "demo")
                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertEqual(run.stderr.count("goes on with epoll"), 1, run.stderr)
                self.assertIn("io_uring", run.stderr)
                run = self.run_under(rules, "demo", RINGPOST_IO="ring")
                self.assertNotEqual(run.returncode, 0)
                self.assertIn("io_uring", run.stderr)

    def test_another_call_is_not_allowed(self):
        run = subprocess.run(["unshare", "--mount", "true"], preexec_fn=enter(
            filter_of(PROFILE, REFUSE | errno.EPERM)), capture_output=True, text=True, check=False)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("not permitted", run.stderr)


if __name__ == "__main__":
    unittest.main()
