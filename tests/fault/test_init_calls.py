#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every system call of buildr-init failing in turn.

    test_init_calls.py INIT_RUN INIT [--all]

init_run.c has a real buildr-init run a build of three stages under strace, which makes one
call fail. Whatever that is: the build passes with all of its output, or a stage fails, or
init is lost; it never hangs, crashes, or leaves a process. --all: every call that such a
build makes, each time that it makes it; else the first and the last.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from calls import count_calls, errors_of, is_strace_usable, spoiling, strace
from faults import Tally, check, check_speed, in_parallel, run_tests

OUTPUT = "\n".join(["first", "second", "third", "long", *map(str, range(1, 60001)),
                    "fourth\r", "second\r", ""])
OWNER = 1000
# init_run.c says what they are.
STATUS_LOST, STATUS_LEFT = 3, 92

# A process of a stage makes these before its program runs; the number is how often.
CHILD_CALLS = {"setsid": 1, "fcntl": 4, "dup2": 3,
               "setgroups": 1, "setgid": 1, "setuid": 1, "chdir": 1, "open": 1, "execve": 2}


@contextlib.contextmanager
def folder():
    path = Path(tempfile.mkdtemp(prefix="init-calls-"))
    path.chmod(0o777)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def run(programs, work, tracer):
    """Run init_run in a namespace of its own. Gives its status and what it said."""
    init_run, init = programs
    done = subprocess.run(
        ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", init_run, str(work),
         *tracer, init, "stdio"],
        stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=600)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


# A pipe that says that it holds bytes gives them, unless a step reads its own output;
# zeros stand for what was taken. And a shell whose socket is gone is gone as well.
NEVER = {("read", "EAGAIN"), ("write", "EPIPE")}
# Out of memory init just ends. Here that leaves its children; PID 1 takes them with it.
MEMORY = {"mmap", "mremap"}


def judge(status, stdout, stderr, work):
    check(status in (0, 1, 3), f"exit status {status}; stderr {stderr[-600:]!r}")
    if status != 0:
        check(stderr, f"exit status {status} without a word")
        return
    check(stdout == OUTPUT.encode(), f"passed with output that is not whole: {len(stdout)} bytes, "
                          f"{stdout[:100]!r}; stderr {stderr[-300:]!r}")
    check((work / "made").stat().st_uid == OWNER, "passed with a file that was not given back")


def attempt(programs, call, error, number, *options):
    begin = time.monotonic()
    with folder() as work:
        status, stdout, stderr = run(programs, work, spoiling(call, error, number, *options))
        seconds = time.monotonic() - begin
        check_speed(seconds)
        # That a chown is refused is between init and the kernel, and F_GETFL, for which
        # musl gives up a folder without a word, never is; the build has passed.
        if call in ("fchownat", "fcntl"):
            (work / "made").exists() and os.chown(work / "made", OWNER, OWNER)
        if call in MEMORY and status == STATUS_LEFT:
            status = STATUS_LOST
        judge(status, stdout, stderr, work)
    return status, seconds, 0


def case(programs, call, error, number, *options):
    who = "a process of a stage" if "-f" in options else "init"
    return (f"{who}: {call} number {number}: {error}",
            lambda: attempt(programs, call, error, number, *options))


def counts_of(programs):
    with folder() as work:
        log = work / "counts"
        status, stdout, stderr = run(programs, work, strace("-c", log=log))
        judge(status, stdout, stderr, work)
        return count_calls(log)


def cases(programs, is_all):
    for call, count in sorted(counts_of(programs).items()):
        for error in errors_of(call):
            if (call, error) in NEVER:
                continue
            for number in range(1, count + 1) if is_all else sorted({1, count}):
                yield case(programs, call, error, number)
    for call, count in CHILD_CALLS.items():
        for error in errors_of(call) if is_all else errors_of(call)[:1]:
            for number in range(1, count + 1):
                yield case(programs, call, error, number, "-f")


def main():
    programs = sys.argv[1:3]
    tally = Tally()
    check(is_strace_usable(), "strace does not work here")
    status = run_tests(in_parallel(cases(programs, "--all" in sys.argv), tally))
    tally.show()
    sys.exit(status)


main()
