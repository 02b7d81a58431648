#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""buildr where there is no memory: one sentence, exit status 3, and nothing left behind.

    test_memory.py PROGRAM FAILING_MALLOC [--all]

failing_malloc.so makes the N-th allocation of buildr fail, and all after it. --all: 400
N from the first one to the last; else some. Then buildr gets less and less address space.
"""

import os
import sys

from faults import STATUS_LOADER, Tally, build, check, in_parallel, make_images, place_for, \
    run_tests

TRIES, TRIES_OF_ALL = 24, 400
# MiB of address space: from what no program starts with to what is nearly enough.
SPACES = (3, 5, 6, 8, 12, 16, 20, 30)


def attempt(program, wire, prefix=(), env=None, allowed=(0, 3, STATUS_LOADER)):
    place = place_for(program)
    try:
        seconds, clean_seconds, result = build(
            place, wire=wire, prefix=prefix, env=env, allowed=allowed)
        return result.status, seconds, clean_seconds
    finally:
        place.remove()


def count_allocations(program, library, wire):
    place = place_for(program)
    try:
        report = place.top / "report"
        build(place, wire=wire, env={"LD_PRELOAD": library, "FAIL_REPORT": str(report)})
        return int(report.read_text())
    finally:
        place.remove()


def allocation_case(program, library, wire, number):
    env = {"LD_PRELOAD": library, "FAIL_ALLOCATION": str(number)}
    return (f"no memory from allocation {number} on ({wire})",
            lambda: attempt(program, wire, env=env, allowed=(3,)))


def space_case(program, wire, mebibytes):
    prefix = ("prlimit", f"--as={mebibytes << 20}", "--")
    return (f"{mebibytes} MiB of address space ({wire})",
            lambda: attempt(program, wire, prefix=prefix))


def cases(program, library, tries):
    for wire in ("socket", "stdio"):
        count = count_allocations(program, library, wire)
        check(count > tries / 2, f"only {count} allocations were seen")
        for i in range(tries // 2):
            # The last two are those of build.finished, and of nobody.
            number = 1 + round(i * (count - 3) / (tries // 2 - 1))
            yield allocation_case(program, library, wire, number)
    for mebibytes in SPACES:
        yield space_case(program, "stdio" if mebibytes % 2 else "socket", mebibytes)


def main():
    program = sys.argv[1]
    # Builds have a working directory of their own.
    library = os.path.abspath(sys.argv[2])
    make_images()
    tally = Tally()
    tries = TRIES_OF_ALL if "--all" in sys.argv else TRIES
    status = run_tests(in_parallel(cases(program, library, tries), tally))
    tally.show()
    sys.exit(status)


main()
