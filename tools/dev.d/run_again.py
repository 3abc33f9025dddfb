#!/usr/bin/env python3
"""Which failed tests deserve a run alone, and what that run makes of them.

    run_again.py wanted RESULTS
    run_again.py merge RESULTS AGAIN

Tests run several times as many at once as there are cores, and one that waits for a server may come
too late beside the others. So what failed runs once more by itself, and its second result counts;
whoever reads the end of the run is told of it. That is no way out for a mistake: where a sanitizer
reported, an assertion of ours did not hold or the program crashed, or where many tests failed, the
first run stands.

"wanted" succeeds when there is something to run again. "merge" writes into the JUnit file RESULTS
what passed in AGAIN, and prints the names.
"""

import re
import sys
from xml.etree import ElementTree

TESTS_MAX = 4
# As the sanitizers, assertion_failed() and Catch2 say it.
MISTAKE = re.compile(r"Sanitizer|runtime error:|broken invariant|SIG(SEGV|ABRT|BUS|ILL|FPE)")


def by_name(root):
    return {case.get("name"): case for case in root.iter("testcase")}


def failed_in_company(root):
    """Names of the failed tests that no mistake of the program's has ended; none when they are
    many, which is not the company's doing."""
    failed = [case for case in root.iter("testcase") if case.get("status") == "fail"]
    if len(failed) > TESTS_MAX:
        return []
    return [case.get("name") for case in failed
            if not MISTAKE.search(ElementTree.tostring(case, encoding="unicode"))]


def merge(results, again):
    tree = ElementTree.parse(results)
    second = by_name(ElementTree.parse(again).getroot())
    first = by_name(tree.getroot())
    for name in failed_in_company(tree.getroot()):
        if name in second and second[name].get("status") == "run":
            first[name].set("status", "run")
            print(name)
    tree.write(results, encoding="unicode")


def main():
    action, results, *again = sys.argv[1:]
    if action == "merge":
        merge(results, *again)
        return 0
    return 0 if failed_in_company(ElementTree.parse(results).getroot()) else 1


if __name__ == "__main__":
    sys.exit(main())
