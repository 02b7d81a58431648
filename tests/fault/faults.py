# SPDX-License-Identifier: MIT
"""What the tests of faults share: a small build, and how its end is judged."""

import concurrent.futures
import os
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scenario"))

from support import SOCKET, Failure, Place, check, finish, make_images, run_tests  # noqa: E402

MANIFEST = """
image: buildr-test:latest
network: none
stages: [one, two]
one:
  script:
    - echo first; echo second >&2
    - [echo, third]
two:
  script: [echo last]
"""
WANTED = ["one | first", "one | second", "one | third", "two | last"]

# Nothing may take longer than 10 s. On a machine that is busy with other tests it may, and
# is tried again while this test does nothing else: a hang hangs again.
HANG_SECONDS = 10
AGAIN = 3
# What the loader of programs gives, before there is a main() that could say anything.
STATUS_LOADER = 127
# What SIGTERM makes of a build: it needs no words.
STATUS_STOPPED = 143
# A sweep of everything counts by the contract what is left. The part of it that is in every
# run only looks for what stays.
CLEAN_SECONDS = 5 if "--all" in sys.argv else None
# Builds at once: most of their time they wait. More than a machine can carry at once are
# slow, and slow is what these tests look for.
BUILDS = int(os.environ.get("FAULT_BUILDS", "4"))


class Tally:
    """What a sweep has seen, for the figures in docs/reliability.md."""

    def __init__(self):
        self.tries, self.failed, self.statuses = 0, 0, {}
        self.slowest = self.latest = 0.0

    def add(self, status, seconds, clean_seconds):
        self.tries += 1
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.slowest = max(self.slowest, seconds)
        self.latest = max(self.latest, clean_seconds)

    def show(self):
        statuses = ", ".join(f"{status}: {count}"
                             for status, count in sorted(self.statuses.items()))
        print(f"# {self.tries} tries; exit {statuses}; slowest {self.slowest:.1f} s; "
              f"all gone {self.latest:.1f} s after the end at the latest; {self.failed} failed",
              flush=True)


def complaints(stderr):
    """Give the lines in which buildr says what went wrong."""
    return [line for line in stderr.decode(errors="replace").splitlines()
            if re.match(r"(error|buildr): ", line)]


def is_of_log(line):
    """A build goes on without its log, and says so."""
    return re.match(r"buildr: (no log of this build: |\d+ events? of this build )", line)


def judge(result, allowed):
    """Fail where a build did not end as one should, whatever befell it."""
    complained = [line for line in complaints(result.stderr) if not is_of_log(line)]
    said = f"stdout {result.stdout[-600:]!r}, stderr {result.stderr[-600:]!r}"
    check(result.status >= 0, f"it died of signal {-result.status}; {said}")
    check(result.status in allowed, f"exit status {result.status}; {said}")
    lines = sorted(result.stdout.decode(errors="replace").splitlines())
    if result.status == 0:
        check(lines == WANTED, f"exit status 0, and the output is not whole; {said}")
        check(not complained, f"exit status 0, and a complaint; {said}")
    elif result.status not in (STATUS_LOADER, STATUS_STOPPED):
        check(len(complained) == 1, f"not one sentence on stderr; {said}")


class Slow(Failure):
    """It took longer than anything may, though maybe only since the machine is busy."""


def check_speed(seconds):
    if seconds > HANG_SECONDS:
        raise Slow(f"it took {seconds:.1f} s")


def build(place, *arguments, wire="socket", prefix=(), env=None, allowed=(0,),
          on_start=None, **options):
    """Run a build, judge it, and wait until nothing is left of it. Gives the seconds
    that the build took, and those until all was gone, and its result."""
    begin = time.monotonic()
    process = place.start_command(
        [*prefix, str(place.program), "run", *arguments], wire, env, **options)
    if on_start:
        on_start(process)
    result = finish(process)
    seconds = time.monotonic() - begin
    check_speed(seconds)
    judge(result, allowed)
    return seconds, place.check_clean(), result


def in_parallel(cases, tally):
    """Run (name, function) pairs a few at a time; give pairs that tell how it went.

    What was too slow is tried again when all the others are over.
    """
    def attempt(function):
        try:
            return function()
        except Slow as slow:
            return slow

    def finish_attempt(future, function):
        try:
            outcome = future.result()
            for _ in range(AGAIN):
                if isinstance(outcome, Slow):
                    concurrent.futures.wait(waiting)
                    outcome = attempt(function)
            if isinstance(outcome, Slow):
                raise outcome
            tally.add(*outcome)
        except Failure:
            tally.failed += 1
            raise

    pool = concurrent.futures.ThreadPoolExecutor(BUILDS)
    futures = [(name, pool.submit(attempt, function), function) for name, function in cases]
    waiting = [future for _, future, _ in futures]
    return [(name, lambda future=future, function=function: finish_attempt(future, function))
            for name, future, function in futures]


def place_for(program):
    place = Place(program, clean_seconds=CLEAN_SECONDS)
    place.manifest(MANIFEST)
    return place


__all__ = ["BUILDS", "Failure", "HANG_SECONDS", "MANIFEST", "Place", "SOCKET", "STATUS_LOADER", "Tally",
           "WANTED", "build", "check", "check_speed", "complaints", "finish", "in_parallel", "judge",
           "make_images", "os", "place_for", "run_tests", "sys", "time"]
