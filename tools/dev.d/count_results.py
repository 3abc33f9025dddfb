#!/usr/bin/env python3
"""Prints "passed failed skipped" of a JUnit file that ctest has written.

    count_results.py RESULTS CASES

A test that stands for the cases of a program counts as those: tools/dev.d/catch_program.py leaves
their counts in the folder CASES.
"""

import collections
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

WORDS = {"run": "passed", "fail": "failed"}


def main():
    results, folder = sys.argv[1:]
    counts = collections.Counter()
    for case in ElementTree.parse(results).getroot().iter("testcase"):
        word = WORDS.get(case.get("status"), "skipped")
        path = Path(folder) / f"{case.get('name')}.json"
        if not path.exists():
            counts[word] += 1
            continue
        inside = json.loads(path.read_text())
        counts.update(inside)
        # ctest has ended it behind its last case.
        counts["failed"] += word == "failed" and inside["failed"] == 0
    print(counts["passed"], counts["failed"], counts["skipped"])


if __name__ == "__main__":
    main()
