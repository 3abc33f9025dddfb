"""tools/docker/seccomp.json: ringpost runs under it, and what a container must not do is refused.

The kernel judges: the profile becomes a filter of the process that is started, as Docker's would,
but for one thing: what the profile does not name ends the process here, where Docker would refuse
it, because a library may go on without what it was refused and nobody would see.
"""

import ctypes
import errno
import json
import platform
import re
import struct
import subprocess
import unittest

from support.package import ROOT
from support.program import PASSWORD, PROGRAM, ProgramTest, environment_of, is_sanitized
from support.sink import SinkTest

PROFILE = json.loads((ROOT / "tools/docker/seccomp.json").read_text(encoding="utf-8"))
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# linux/bpf_common.h, linux/seccomp.h, linux/prctl.h
LOAD, JUMP_EQUAL, AND, RETURN = 0x20, 0x15, 0x54, 0x06
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2
NUMBER_AT, ARCHITECTURE_AT, ARGUMENT_AT = 0, 4, 16


def numbers():
    """Of all system calls of this machine, by name."""
    lines = subprocess.run(["cc", "-E", "-dM", "-"], input="#include <sys/syscall.h>\n",
                           capture_output=True, text=True, check=True).stdout
    return {name: int(number) for name, number in
            re.findall(r"^#define __NR_(\w+) (\d+)$", lines, re.MULTILINE)}


def step(code, value=0, if_true=0, if_false=0):
    return struct.pack("HBBI", code, if_true, if_false, value)


def steps_of(rule, known):
    """What a rule says of each of its calls, the number being loaded."""
    refuses = rule["action"] == "SCMP_ACT_ERRNO"
    verdict = REFUSE | rule["errnoRet"] if refuses else ALLOW
    for name in rule["names"]:
        if name not in known:
            continue
        checks = b""
        for check in rule.get("args", ()):
            checks += step(LOAD, ARGUMENT_AT + 8 * check["index"])
            if check["op"] == "SCMP_CMP_NE":
                checks += step(JUMP_EQUAL, check["value"], 0, 1)
            else:
                assert check["op"] == "SCMP_CMP_MASKED_EQ", check
                checks += step(AND, check["value"])
                checks += step(JUMP_EQUAL, check["valueTwo"], 1, 0)
            checks += step(RETURN, KILL)
        body = checks + step(RETURN, verdict)
        yield step(JUMP_EQUAL, known[name], 0, len(body) // 8) + body


def filter_of(profile, otherwise=KILL):
    known = numbers()
    program = step(LOAD, ARCHITECTURE_AT)
    program += step(JUMP_EQUAL, ARCHITECTURES[platform.machine()], 1, 0) + step(RETURN, KILL)
    program += step(LOAD, NUMBER_AT)
    for rule in profile["syscalls"]:
        program += b"".join(steps_of(rule, known))
    return program + step(RETURN, otherwise)


def enter(program):
    """For a process between fork and exec."""
    libc = ctypes.CDLL(None, use_errno=True)
    octets = ctypes.create_string_buffer(program, len(program))

    class Filter(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]

    given = Filter(len(program) // 8, ctypes.addressof(octets))

    def install(_kept=octets):
        if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0 or \
                libc.prctl(SET_SECCOMP, FILTER, ctypes.byref(given), 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "seccomp")
    return install


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

    def test_without_io_uring_it_says_what_the_profile_lacks(self):
        lacking = json.loads(json.dumps(PROFILE))
        for rule in lacking["syscalls"]:
            rule["names"] = [name for name in rule["names"] if name != "io_uring_setup"]
        run = self.run_under(filter_of(lacking, REFUSE | errno.EPERM), "demo")
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("seccomp", run.stderr)

    def test_another_call_is_not_allowed(self):
        run = subprocess.run(["unshare", "--mount", "true"], preexec_fn=enter(
            filter_of(PROFILE, REFUSE | errno.EPERM)), capture_output=True, text=True, check=False)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("not permitted", run.stderr)


if __name__ == "__main__":
    unittest.main()
