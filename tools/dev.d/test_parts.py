#!/usr/bin/env python3
"""Prints the parts of a unittest module that ctest runs beside each other, one a line.

    test_parts.py classes MODULE    its classes that have tests, as unittest finds them
    test_parts.py cases MODULE      each test as CLASS.METHOD
"""

import sys
import unittest


def cases_of(suite):
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from cases_of(one)
        else:
            yield one


def main():
    kind, module = sys.argv[1:]
    sys.path.insert(0, ".")
    names = [case.id().split(".")[1:]
             for case in cases_of(unittest.defaultTestLoader.loadTestsFromName(module))]
    if any(len(name) != 2 for name in names):  # unittest's own word for what cannot be imported
        sys.exit(f"{module} cannot be loaded: python3 -m unittest {module} says why")
    parts = [".".join(name) if kind == "cases" else name[0] for name in names]
    print("\n".join(dict.fromkeys(parts)))


if __name__ == "__main__":
    main()
