#!/usr/bin/env python3
"""Prints what the failed tests of a JUnit file that ctest has written said at last.

    failures.py PRESET RESULTS

For the end of a long run: what was printed when a test failed is thousands of lines above, and a
record of a run often keeps its end alone.
"""

import sys
from xml.etree import ElementTree

TESTS_MAX = 8
LINES_MAX = 40
COLUMNS_MAX = 300


def end_of(text):
    lines = [line[:COLUMNS_MAX] for line in text.splitlines() if line.strip()]
    return lines[-LINES_MAX:]


def main():
    preset, results = sys.argv[1:]
    failed = [case for case in ElementTree.parse(results).getroot().iter("testcase")
              if case.get("status") == "fail"]
    for case in failed[:TESTS_MAX]:
        name, seconds = case.get("name"), case.get("time")
        print(f"-- {preset}: {name} failed after {seconds} s, and said at last:")
        for line in end_of(case.findtext("system-out") or ""):
            print(f"   {line}")
    if len(failed) > TESTS_MAX:
        print(f"-- {preset}: {len(failed) - TESTS_MAX} more failed; all is in {results}")


if __name__ == "__main__":
    main()
