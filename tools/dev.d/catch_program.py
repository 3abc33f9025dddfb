#!/usr/bin/env python3
"""Runs all cases of a Catch2 program in one process, and counts them.

    catch_program.py PROGRAM COUNTS

A program with a sanitizer takes longer to start than most of its cases do, so that a process for
each case, as other builds have it, would take most of the time of a test run. What a process for
each case is good for stays: when one ends the program, it is named and counts as failed, and those
behind it run in another process. The exit code is 1 when a case failed, or when the program did
not end well although none has, as after a leak.

COUNTS becomes a JSON object with the keys passed, failed and skipped: ctest knows of one test here,
and tools/dev.d/test.sh adds up what is in it.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree


def names_of_all(program):
    """Names of the cases that the program runs when nothing else is said."""
    listed = subprocess.run([program, "--list-tests", "--reporter", "xml"], check=True,
                            stdout=subprocess.PIPE).stdout
    return [case.findtext("Name") for case in ElementTree.fromstring(listed).iter("TestCase")]


def read_results(path):
    """What became of each case, by name, in order: None of the one that ended the program. And
    whether the program came to its end."""
    results, complete = {}, False
    parser = ElementTree.XMLPullParser(("start", "end"))
    try:
        parser.feed(path.read_bytes())
        for event, element in parser.read_events():
            if event == "start" and element.tag == "TestCase":
                name = element.get("name").strip()
                results[name] = None
            elif event == "end" and element.tag == "OverallResult":
                skipped = int(element.get("skips", "0")) > 0
                word = "skipped" if skipped else "passed"
                results[name] = word if element.get("success") == "true" else "failed"
            elif event == "end" and element.tag == "OverallResultsCases":
                complete = True
    except (ElementTree.ParseError, FileNotFoundError):
        pass  # it ended in the middle of a line, or before the first
    return results, complete


def run(program, names, folder):
    """Runs these cases, of which the output is the program's own. Returns results and exit code;
    the last one of the results is the one that ended the program, if one has."""
    results_path, names_path = folder / "results.xml", folder / "names"
    results_path.unlink(missing_ok=True)
    names_path.write_text("".join(f'"{escaped(name)}"\n' for name in names))
    status = subprocess.run([program, "--input-file", names_path, "--reporter", "console",
                             "--reporter", f"xml::out={results_path}"], check=False).returncode
    results, complete = read_results(results_path)
    if not complete:
        victim = next((name for name, result in results.items() if result is None),
                      next(name for name in names if name not in results))
        results = {name: result for name, result in results.items() if result} | {victim: "failed"}
        print(f"\nFAILED: {victim}\n  it ended the program, with {status}", flush=True)
    return results, status


def escaped(name):
    """As a test specification of Catch2 takes it."""
    return "".join("\\" + character if character in '\\"*,[' else character for character in name)


def main():
    program, counts_path = sys.argv[1], Path(sys.argv[2])
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    left = names_of_all(program)
    ended_well = bool(left)
    with tempfile.TemporaryDirectory(prefix="ringpost-cases-") as folder:
        while left:
            results, status = run(program, left, Path(folder))
            for result in results.values():
                counts[result] += 1
            ended_well = status == 0 or "failed" in results.values()
            if not ended_well:
                print(f"\nFAILED: {program} ended with {status} although no case has failed")
                break
            not_run = [name for name in left if name not in results]
            if len(not_run) == len(left):
                print(f"\nFAILED: {program} has run none of the cases that it lists")
                ended_well = False
                break
            left = not_run
    if not ended_well:
        counts["failed"] += 1
    counts_path.parent.mkdir(parents=True, exist_ok=True)
    counts_path.write_text(json.dumps(counts))
    print(f"{counts['passed']} cases passed, {counts['failed']} failed, "
          f"{counts['skipped']} skipped")
    return int(counts["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
