#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Counts the test cases of a run of `meson test`.

tally.py FOLDER [LOG...] reads LOG.json and LOG.junit.xml in FOLDER (meson-logs), where LOG is
testlog unless named, and prints `passed N` and a line `failed NAME` for each case that did
not pass; what was skipped did not. A test in a later log takes the place of the same in an
earlier one. The end of the output of each test that failed goes to stderr, also if it
passed later, and how long it took at most until all of a build was gone.

tally.py --failed FOLDER prints the names of the tests that failed, for `meson test`.
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


def read_tests(folder, log):
    """Give what meson says of each test program."""
    with open(folder / f"{log}.json", encoding="utf-8", errors="replace") as file:
        return [json.loads(line) for line in file if line.strip()]


def read_cases(folder, log):
    """Give the cases of each test that has some: {test: [(case, has passed)]}.

    A test without cases of its own stands in a suite of the project's name, which is
    left out: meson does not say there whether it ran out of time.
    """
    text = (folder / f"{log}.junit.xml").read_text("utf-8", errors="replace")
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


def short_name(test):
    """Give the name that `meson test` takes."""
    return test["name"].rpartition(" / ")[2]


def read_all(folder, logs):
    """Give each test of all logs as it came out last, and its cases."""
    tests, cases = {}, {}
    for log in logs:
        of_log = read_cases(folder, log)
        for test in read_tests(folder, log):
            before = tests.get(test["name"])
            if test["result"] != "OK":
                show(test)
            elif before:
                print(f"# {test['name']} passed when it ran again", file=sys.stderr)
            tests[test["name"]] = test
            cases[test["name"]] = of_log.get(test["name"], [])
    return list(tests.values()), cases


def main():
    if sys.argv[1] == "--failed":
        for test in read_tests(Path(sys.argv[2]), "testlog"):
            if test["result"] != "OK":
                print(short_name(test))
        return
    tests, cases = read_all(Path(sys.argv[1]), sys.argv[2:] or ["testlog"])
    passed, failed = 0, []
    show_gone(tests)
    for test in tests:
        name = short_name(test)
        is_ok = test["result"] == "OK"
        of_test = cases[test["name"]]
        bad = [f"{name}: {case}" for case, good in of_test if not good]
        passed += len(of_test) - len(bad) if of_test else is_ok
        # A program that crashed or ran out of time has no case that says so.
        if not is_ok and not bad:
            bad = [f"{name}: {test['result']}"]
        failed += bad
    print("passed", passed)
    for case in failed:
        print("failed", " ".join(case.split()))


main()
