#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every system call of buildr failing in turn, in a build on the real engine.

    test_buildr_calls.py PROGRAM [--all]

strace makes one call fail: of buildr itself, or of buildr and each of its children. A
build then passes with all of its output or ends with 3 and one sentence; it never hangs,
crashes, or leaves anything. --all: every call that a build makes, at twelve of the times
that it makes it, over both wires; else each at one, over one of them.
"""

import sys

from calls import count_calls, errors_of, is_strace_usable, spoiling, strace
from faults import STATUS_LOADER, Tally, build, check, in_parallel, make_images, place_for, run_tests

TIMES_OF_ALL = 12
# The loader of programs says so, or, of the very first one, says nothing and crashes.
LOADER_WORDS = (b"shared librar", b"TLS data structures")
LOADER_CRASH = ("mmap", 1)
# Made by the children alone.
CHILD_CALLS = {"setsid": 1, "dup2": 3, "dup3": 2, "chdir": 1, "close_range": 1, "prctl": 1,
               "timerfd_create": 1, "timerfd_settime": 2}


def spread(count, wanted):
    """Give up to `wanted` numbers from 1 to `count`, the last among them."""
    if count <= wanted:
        return list(range(1, count + 1))
    return sorted({count - round(i * (count - 1) / max(wanted - 1, 1)) for i in range(wanted)})


def attempt(program, wire, prefix):
    place = place_for(program)
    try:
        seconds, clean_seconds, result = build(
            place, wire=wire, prefix=prefix, allowed=(0, 3, STATUS_LOADER))
        check(result.status != STATUS_LOADER or
              any(words in result.stderr for words in LOADER_WORDS),
              f"exit status 127: {result.stderr[-300:]!r}")
        return result.status, seconds, clean_seconds
    finally:
        place.remove()


def case(program, wire, call, error, number, *options):
    who = "buildr or a child of it" if "-f" in options else "buildr"
    return (f"{who}: {call} number {number}: {error} ({wire})",
            lambda: attempt(program, wire, spoiling(call, error, number, *options)))


def counts_of(program, wire):
    place = place_for(program)
    try:
        log = place.top / "counts"
        build(place, wire=wire, prefix=strace("-c", log=log))
        return count_calls(log)
    finally:
        place.remove()


def all_cases(program):
    for wire in ("socket", "stdio"):
        for call, count in sorted(counts_of(program, wire).items()):
            for error in errors_of(call):
                for number in spread(count, TIMES_OF_ALL):
                    if (call, number) != LOADER_CRASH:
                        yield case(program, wire, call, error, number)
                # The starter's and the janitor's own.
                for number in (1, 2, 3):
                    if (call, number) != LOADER_CRASH:
                        yield case(program, wire, call, error, number, "-f")
        for call, count in CHILD_CALLS.items():
            for error in errors_of(call):
                for number in range(1, count + 1):
                    yield case(program, wire, call, error, number, "-f")


def some_cases(program):
    # Each with an error and at a time of its own, which are always the same ones.
    counts = sorted(counts_of(program, "stdio").items())
    for place, (call, count) in enumerate(counts):
        errors = errors_of(call)
        if errors:
            number = spread(count, 4)[-1 - place % min(count, 3)]
            yield case(program, "stdio", call, errors[place % len(errors)], number)
    for call in ("connect", "recvfrom", "fork", "setsid", "dup2"):
        yield case(program, "socket", call, errors_of(call)[0], 1, "-f")


def main():
    program = sys.argv[1]
    make_images()
    check(is_strace_usable(), "strace does not work here")
    tally = Tally()
    cases = all_cases(program) if "--all" in sys.argv else some_cases(program)
    status = run_tests(in_parallel(cases, tally))
    tally.show()
    sys.exit(status)


main()
