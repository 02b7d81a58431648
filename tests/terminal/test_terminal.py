#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Whole builds in a real terminal, against a real engine.

usage: test_terminal.py PROGRAM
"""

import contextlib
import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenario"))

# pylint: disable=wrong-import-position
from support import Place, make_images  # noqa: E402
from terminal import Terminal, check, check_equal, run_tests  # noqa: E402

# Two stages that run at once until somebody makes the file `go`.
MANIFEST = """
image: buildr-test:latest
docker: false
stages: [build, lint, deploy]
build:
  script:
    - echo compiling; until [ -e go ]; do sleep 0.05; done
    - echo linked
lint:
  needs: []
  script:
    - printf '\\033[31mred\\033[0m \\033[2J\\033[Hhome\\n'; until [ -e go ]; do sleep 0.05; done
    - nosuchprogram
deploy:
  script: [echo never]
"""
# The terminal outlives the build, and says how it ended.
SCRIPT = """
trap : INT
"$0" "$@"
echo "ended $?"
exec cat
"""


@contextlib.contextmanager
def build(program, *arguments, columns=80, rows=24, script=SCRIPT, **environment):
    """A build in a terminal; all is clean afterwards."""
    place = Place(program)
    try:
        place.manifest(MANIFEST)
        command = ["sh", "-c", script, str(place.program), *arguments]
        with Terminal(columns, rows, command, place.environment(**environment),
                      place.project) as terminal:
            yield place, terminal
            terminal.close()
        place.check_clean()
    finally:
        place.remove()


def wait_until_it_runs(terminal):
    terminal.wait_for("2 running")
    terminal.wait_for("compiling")
    terminal.wait_for("red home")


def status_of(terminal):
    terminal.wait_until(lambda: "ended " in "".join(terminal.transcript()[-1:]), "the end")
    check(terminal.has_cursor(), "the cursor is hidden")
    return int(terminal.transcript()[-1].rpartition(" ")[2])


def is_live_on_a_terminal(program):
    with build(program, "-j", "4") as (place, terminal):
        wait_until_it_runs(terminal)
        (place.project / "go").touch()
        check_equal(status_of(terminal), 1, "the status")
        seen = terminal.transcript()
        blocks = [line for line in seen if line.startswith("==> stage")]
        check("==> stage lint failed: exit status 127: command not found" in blocks, blocks)
        check("lint   | red home" in seen, seen)
        end = seen[[line.startswith("FAILED lint, step 2 (.buildr.yml:") for line in seen]
                   .index(True):]
        check(end[0].endswith(": exit status 127: command not found"), end)
        check_equal(end[1], "  $ nosuchprogram", "the command")
        check("  again: buildr run --only lint" in end, end)
        check_equal([line for line in seen if " running" in line], [], "what is left of the view")


def is_stopped_by_ctrl_c(program):
    with build(program, "-j", "4") as (_, terminal):
        wait_until_it_runs(terminal)
        terminal.send("C-c")
        check_equal(status_of(terminal), 130, "the status")
        check("info: stopping the build; a second Ctrl-C or SIGTERM ends buildr at once"
              in terminal.transcript(), "it does not say that it was heard")
        check(any(line.startswith("cancelled after") for line in terminal.transcript()),
              "it does not say that it was cancelled")


def ends_with_its_terminal(program):
    """The shell in it leaves the build to itself, as one that is killed does."""
    with build(program, "-j", "4") as (place, terminal):
        wait_until_it_runs(terminal)
        terminal.close()
        place.check_clean()


def is_plain_where_nobody_watches(program):
    """CI, a terminal that only prints, and a stream that goes elsewhere."""
    elsewhere = '"$0" "$@" 2>said; status=$?; cat said; echo "ended $status"; exec cat'
    cases = (("CI", (), {"CI": "true"}), ("dumb", (), {"TERM": "dumb"}),
             ("stderr", (), {"script": elsewhere}), ("group", ("--group",), {}),
             ("plain", ("-o", "plain"), {}))
    for name, arguments, how in cases:
        with build(program, "-j", "4", *arguments, **how) as (place, terminal):
            (place.project / "go").touch()
            check_equal(status_of(terminal), 1, f"{name}: the status")
            seen = terminal.transcript()
            check(("==> stage build passed" in "".join(seen)) == (name == "group"),
                  f"{name}: it is live: {seen}")


def folds_where_a_log_has_folds(program):
    """Only in the CI system that has them, and only in plain."""
    cases = (({"GITHUB_ACTIONS": "true", "CI": "true"}, "::group::stage lint", True),
             ({"TEAMCITY_VERSION": "2024.12"}, "##teamcity[blockOpened name='stage lint']", False),
             ({"BUILDKITE": "false", "CI": "true"}, "--- stage lint", False))
    for environment, mark, has_marks in cases:
        with build(program, "-j", "4", **environment) as (place, terminal):
            (place.project / "go").touch()
            check_equal(status_of(terminal), 1, "the status")
            seen = terminal.transcript()
            check((mark in seen) == has_marks, f"{environment}: {seen}")


def a_key_that_is_heeded_leaves_nothing(program):
    """Enter, with --watch: it stops the build, and its echo must not move what is below."""
    with build(program, "-j", "4", "--watch") as (place, terminal):
        wait_until_it_runs(terminal)
        terminal.send("Enter")
        terminal.wait_until(lambda: any(line.startswith("cancelled after")
                                        for line in terminal.transcript()), "its end")
        (place.project / "go").touch()
        terminal.wait_for("Enter: run again")
        terminal.send("q", "Enter")
        check_equal(status_of(terminal), 1, "the status")
        left = [line for line in terminal.transcript() if re.search(r" \d+ s +\d/\d \$", line)]
        check_equal(left, [], "what is left of the view")


def is_live_for_who_asks(program):
    with build(program, "-j", "4", "-o", "live", CI="true", NO_COLOR="1") as (place, terminal):
        wait_until_it_runs(terminal)
        styled = terminal.tmux("capture-pane", "-p", "-e")
        check("\x1b[3" not in styled and "\x1b[1m" not in styled, f"there is colour: {styled!r}")
        (place.project / "go").touch()
        check_equal(status_of(terminal), 1, "the status")


def main():
    program = os.path.abspath(sys.argv[1])
    make_images()
    return run_tests(
        (function.__name__.replace("_", " "), lambda test=function: test(program))
        for function in (is_live_on_a_terminal, is_stopped_by_ctrl_c, ends_with_its_terminal,
                         is_plain_where_nobody_watches, folds_where_a_log_has_folds,
                         is_live_for_who_asks, a_key_that_is_heeded_leaves_nothing))


if __name__ == "__main__":
    sys.exit(main())
