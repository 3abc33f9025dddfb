"""A seccomp filter made of a profile as Docker reads it, and put onto a process.

The kernel judges: this only writes down what it is told.
"""

import ctypes
import errno
import platform
import re
import struct
import subprocess

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


def io_uring_refused():
    """What Docker's own profile does to it, and nothing else."""
    rule = {"names": ["io_uring_enter", "io_uring_register", "io_uring_setup"],
            "action": "SCMP_ACT_ERRNO", "errnoRet": errno.EPERM}
    return filter_of({"syscalls": [rule]}, ALLOW)
