"""What `cmake --install` and CPack make of the preset `package`, built once for all tests."""

import fcntl
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Not optimised, which takes a quarter of the time: what these tests look at is what can be seen,
# how it is linked and where it is put.
BUILD = Path(os.environ.get("RINGPOST_PACKAGE_BUILD", ROOT / "build/library"))
SECONDS_MAX = 3000


def run_tool(*command, cwd=ROOT, **environment):
    """The output of a tool that must not fail."""
    run = subprocess.run(list(map(str, command)), cwd=cwd, env={**os.environ, **environment},
                         check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         timeout=SECONDS_MAX)
    if run.returncode != 0:
        raise AssertionError(f"{command} failed\n{run.stdout[-6000:]}")
    return run.stdout


def build(*targets):
    """Several test modules may want it at a time: one builds, the others find it built."""
    (ROOT / "build").mkdir(exist_ok=True)
    with open(ROOT / "build/package.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (BUILD / "build.ninja").exists():
            run_tool("cmake", "--preset", "package", "-B", BUILD, "-DCMAKE_BUILD_TYPE=Plain",
                     "--log-level=WARNING")
        run_tool("nice", "cmake", "--build", BUILD, "--target", *targets)


def install(folder):
    """Installs the libraries and returns where they are."""
    build("ringpost_shared", "ringpost_static")
    run_tool("cmake", "--install", BUILD, "--prefix", folder, "--component", "library")
    return next(folder.glob("lib/**/libringpost.a")).parent
