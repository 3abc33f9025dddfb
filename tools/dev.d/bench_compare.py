#!/usr/bin/env python3
"""Says what became slower since another commit: the micro benchmarks of both, run in turns.

    bench_compare.py [--short] [--filter REGEX] [--rounds N] BASE

BASE is built in a worktree below build/, with the same libraries and flags. Each program that both
have runs once for each round, first the one and then the other, so that a machine that is busy for
a while is busy for both; what counts is the ratio of the medians of CPU time. A benchmark is slower
or faster when that ratio is beyond the noise: three times the spread of the rounds (the median
distance from the median), and 5 % at least.

--short is for continuous integration: the benchmarks of codec sources that are others than in BASE
and no more, few and short rounds, noise of 20 % at least, and at most three minutes for the build.
It skips with a word where there is no such commit,
as in a shallow clone, and its verdict is for people: the exit code is 0 whatever became slower.
Without --short it is 1 when something did.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "bench-compare"
BUILD_SECONDS_MAX = 180


class Skip(Exception):
    """There is nothing to compare with, and that is nobody's fault."""


def arguments():
    parser = argparse.ArgumentParser(prog="tools/dev bench-compare",
                                     description=__doc__.split("\n")[0])
    parser.add_argument("base", metavar="BASE", help="a commit, as HEAD^ or main")
    parser.add_argument("--short", action="store_true",
                        help="changed codec sources only, a minute at most, never fails")
    parser.add_argument("--filter", default="", metavar="REGEX", help="of program names")
    parser.add_argument("--rounds", type=int, metavar="N", help="[9, with --short 5]")
    options = parser.parse_args()
    options.rounds = options.rounds or (5 if options.short else 9)
    options.seconds = "0.01" if options.short else "0.1"
    options.noise_min = 0.20 if options.short else 0.05
    return options


def git(*command):
    return subprocess.run(["git", "-C", str(ROOT), *command], capture_output=True, text=True,
                          check=False)


def commit_of(base):
    found = git("rev-parse", "--verify", "--quiet", f"{base}^{{commit}}")
    if found.returncode != 0:
        raise Skip(f"there is no commit {base} in this clone")
    return found.stdout.strip()


def programs_in(tree):
    """Names of the benchmarks of a tree, by their sources."""
    return {path.name.removesuffix(".cpp") for path in (tree / "bench/micro").glob("*_bench.cpp")}


def changed_since(commit):
    """The benchmarks of what is another in codec, or that are others themselves."""
    changed = git("diff", "--name-only", commit, "--", "codec", "bench/micro").stdout.split()
    return {f"{Path(name).stem.removesuffix('_bench')}_bench" for name in changed}


def build(tree, folder, programs, seconds_max):
    configure = ["cmake", "-S", str(tree), "-B", str(folder), "-G", "Ninja",
                 "--log-level=WARNING", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                 "-DRINGPOST_DEVELOPER=ON", f"-DRINGPOST_DEPS={ROOT / 'build/deps'}"]
    make = ["cmake", "--build", str(folder), "--target", *programs]
    try:
        for command in (configure, make):
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, timeout=seconds_max, check=False)
            if done.returncode != 0:
                raise Skip(f"{tree} cannot be built:\n{done.stdout[-3000:]}")
    except subprocess.TimeoutExpired:
        raise Skip(f"building took more than {seconds_max} s; the next time goes on") from None


def run(program, seconds):
    """CPU nanoseconds of each benchmark of a program."""
    output = subprocess.run(
        [str(program), "--benchmark_format=json", f"--benchmark_min_time={seconds}"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    scale = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    return {entry["name"]: entry["cpu_time"] * scale[entry["time_unit"]]
            for entry in json.loads(output)["benchmarks"] if not entry.get("error_occurred")}


def spread(times, median):
    """The median distance from the median, as a part of it."""
    return statistics.median(abs(time - median) for time in times) / median


def verdict(before_times, now_times, noise_min):
    """Medians, their ratio, the noise, and whether that is "slower", "faster" or nothing."""
    before, now = statistics.median(before_times), statistics.median(now_times)
    noise = max(noise_min, 3 * (spread(before_times, before) + spread(now_times, now)))
    ratio = now / before
    word = "slower" if ratio > 1 + noise else "faster" if ratio < 1 / (1 + noise) else ""
    return before, now, ratio, noise, word


def compare(programs, folders, options):
    """Prints a line for each benchmark; returns how many became slower beyond the noise."""
    slower = 0
    print(f"{'benchmark':<52}{'before':>12}{'now':>12}{'ratio':>8}{'noise':>8}")
    for program in programs:
        times = ({}, {})
        for _ in range(options.rounds):
            for side, folder in enumerate(folders):
                for name, time in run(folder / "bench/micro" / program, options.seconds).items():
                    times[side].setdefault(name, []).append(time)
        for name in (name for name in times[0] if name in times[1]):
            before, now, ratio, noise, word = verdict(times[0][name], times[1][name],
                                                      options.noise_min)
            slower += word == "slower"
            label = f"{program.removesuffix('_bench')}: {name}"
            print(f"{label:<52}{before:>10.0f}ns{now:>10.0f}ns{ratio:>8.2f}{noise:>8.0%}  {word}",
                  flush=True)
    return slower


def main():
    options = arguments()
    commit = commit_of(options.base)
    tree = WORK / "tree"
    WORK.mkdir(parents=True, exist_ok=True)
    git("worktree", "remove", "--force", str(tree))
    git("worktree", "prune")
    added = git("worktree", "add", "--detach", "--force", str(tree), commit)
    if added.returncode != 0:
        raise Skip(f"no worktree of {commit}: {added.stderr.strip()}")
    try:
        programs = sorted(name for name in programs_in(tree) & programs_in(ROOT)
                          if re.search(options.filter, name))
        if not programs:
            raise Skip("the commits have no benchmark in common")
        if options.short:
            programs = [name for name in programs if name in changed_since(commit)]
        if not programs:
            raise Skip("no benchmark is about what has changed")
        seconds_max = BUILD_SECONDS_MAX if options.short else None
        build(tree, WORK / "base", programs, seconds_max)
        build(ROOT, ROOT / "build/release", programs, seconds_max)
        slower = compare(programs, (WORK / "base", ROOT / "build/release"), options)
    finally:
        git("worktree", "remove", "--force", str(tree))
    print(f"{slower} slower than {commit[:12]} beyond the noise")
    return 1 if slower and not options.short else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Skip as why:
        print(f"nothing was compared: {why}", file=sys.stderr)
        sys.exit(0 if "--short" in sys.argv else 2)
