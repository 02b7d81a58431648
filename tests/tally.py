#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Counts the test cases of a run of `meson test`.

tally.py FOLDER reads testlog.json and testlog.junit.xml in FOLDER (meson-logs) and
prints `passed N` and a line `failed NAME` for each case that did not pass; what was
skipped did not. The end of the output of each test that failed goes to stderr, and how
long it took at most until all of a build was gone.
"""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

SHOWN_LINES = 100
# What each test of builds says last: how long it took until all of one was gone.
GONE = re.compile(r"^# all gone ([0-9.]+) s after the end", re.M)
# What XML cannot hold, and meson writes all the same where a test prints it.
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def read_tests(folder):
    """Give what meson says of each test program."""
    with open(folder / "testlog.json", encoding="utf-8", errors="replace") as file:
        return [json.loads(line) for line in file if line.strip()]


def read_cases(folder):
    """Give the cases of each test that has some: {test: [(case, has passed)]}.

    A test without cases of its own stands in a suite of the project's name, which is
    left out: meson does not say there whether it ran out of time.
    """
    text = (folder / "testlog.junit.xml").read_text("utf-8", errors="replace")
    cases = {}
    for suite in ElementTree.fromstring(NOT_XML.sub("?", text)).iter("testsuite"):
        _, _, test = suite.get("name").partition(".")
        for case in suite.iter("testcase") if test else ():
            bad = any(case.find(kind) is not None
                      for kind in ("failure", "error", "skipped"))
            cases.setdefault(test, []).append((case.get("name"), not bad))
    return cases


def show(test):
    """Print the end of the output of a test that failed."""
    output = (test.get("stdout") or "") + (test.get("stderr") or "")
    print(f"---- {test['name']}: {test['result']}", file=sys.stderr)
    for line in output.splitlines()[-SHOWN_LINES:]:
        print("    " + line, file=sys.stderr)


def show_gone(tests):
    """Print how long it took at most until nothing was left of a build, and where."""
    seen = [(float(seconds), test["name"]) for test in tests
            for seconds in GONE.findall(test.get("stdout") or "")]
    if seen:
        seconds, name = max(seen)
        print(f"# all of each build was gone {seconds:.1f} s after its end at the latest "
              f"({name})", file=sys.stderr)


def main():
    folder = Path(sys.argv[1])
    cases = read_cases(folder)
    tests = read_tests(folder)
    passed, failed = 0, []
    show_gone(tests)
    for test in tests:
        name = test["name"].rpartition(" / ")[2]
        is_ok = test["result"] == "OK"
        of_test = cases.get(test["name"], [])
        bad = [f"{name}: {case}" for case, good in of_test if not good]
        passed += len(of_test) - len(bad) if of_test else is_ok
        # A program that crashed or ran out of time has no case that says so.
        if not is_ok and not bad:
            bad = [f"{name}: {test['result']}"]
        if not is_ok:
            show(test)
        failed += bad
    print("passed", passed)
    for case in failed:
        print("failed", " ".join(case.split()))


main()
