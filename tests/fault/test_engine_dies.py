#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An engine that dies under a build.

    test_engine_dies.py PROGRAM

Over the socket a build goes on without an engine, and passes; where the engine takes the
container with it, and over stdio in any case, it ends with 3 and one sentence. What ran in
the container is gone within seconds, engine or not, and what the engine still knows of it
when it is there again, `buildr gc` removes.
"""

import os
import signal
import sys
import uuid
from pathlib import Path

from private_engine import PrivateEngine

ENGINE = PrivateEngine()
# The modules below look after the engine that this names.
os.environ["DOCKER_HOST"] = f"unix://{ENGINE.socket}"

# pylint: disable=wrong-import-position
from faults import Place, check, complaints, finish, make_images, run_tests  # noqa: E402
from support import LABEL_PROJECT, all_with_label, engine, wait_until  # noqa: E402

# Five, says the contract. Here only what never ends fails.
GONE_SECONDS = 60
WAIT_SECONDS = 120


def processes_with(token):
    """Find processes of anybody's that have `token` on their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and token in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def is_there(kind, identity):
    """Docker may list for ever a container that it removed while it started: of that it
    knows nothing, and it can be removed by nobody."""
    return kind != "containers" or engine("GET", f"/containers/{identity}/json") is not None


class Build:
    """A build that waits in a step until it is let go."""

    def __init__(self, program, wire):
        if not ENGINE.answers():
            ENGINE.start()
        self.place = Place(program)
        self.token = uuid.uuid4().hex.encode()
        self.place.manifest(f"""
image: buildr-test:latest
network: none
stages: [wait]
wait:
  script:
    - ": {self.token.decode()}; echo ready; until [ -e go ]; do sleep 0.1; done; echo done"
""")
        self.process = self.place.start("run", wire=wire)
        line = self.process.stdout.readline()
        check(line == b"wait | ready\n", f"the build does not start: {line!r} "
                                         f"{self.process.said.read_bytes()!r}")
        check(processes_with(self.token), "no process to look for")

    def let_go(self):
        (self.place.project / "go").touch()

    def check_passes(self):
        result = finish(self.process)
        check((result.status, result.stdout) == (0, b"wait | done\n"),
              f"exit status {result.status}, {result.stdout!r}, {result.stderr[-500:]!r}")

    def check_passes_or_fails(self):
        result = finish(self.process)
        if result.status == 0:
            check(result.stdout == b"wait | done\n", f"exit status 0, {result.stdout!r}")
        else:
            self.check_failed(result)

    def check_fails(self):
        self.check_failed(finish(self.process))

    @staticmethod
    def check_failed(result):
        check(result.status == 3, f"exit status {result.status}, {result.stderr[-500:]!r}")
        check(len(complaints(result.stderr)) == 1, f"not one sentence: {result.stderr!r}")

    def check_no_process(self):
        wait_until(lambda: not processes_with(self.token), GONE_SECONDS,
                   "the processes of the build to end")

    def check_nothing_left(self):
        """The engine is there again: nothing of the build is, after `buildr gc`."""
        wait_until(lambda: not list(self.place.tmp.glob("buildr-*")), GONE_SECONDS,
                   "the private folder to go")
        label = f"{LABEL_PROJECT}={self.place.project}"

        def is_gone():
            gc = self.place.run("gc")
            check(gc.status in (0, 3), f"gc: exit status {gc.status}, {gc.stderr!r}")
            return not any(is_there(*each) for each in all_with_label(label))

        wait_until(is_gone, WAIT_SECONDS, "the engine to forget the build")


def kill_engine(build):
    """Kill the engine while a build is in a step."""
    ENGINE.signal(signal.SIGKILL)
    check(build.process.poll() in (None, 3), "the build has ended with another status")


def without_engine_over_the_socket(program):
    build = Build(program, "socket")
    try:
        kill_engine(build)
        build.let_go()
        build.check_passes()
        build.check_no_process()
        ENGINE.start()
        build.check_nothing_left()
    finally:
        build.place.remove()


def without_engine_over_stdio(program):
    build = Build(program, "stdio")
    try:
        kill_engine(build)
        build.check_fails()
        build.check_no_process()
        ENGINE.start()
        build.check_nothing_left()
    finally:
        build.place.remove()


def a_new_engine(program, wire):
    """It ends what the one before it ran, unless that had not written it down yet."""
    build = Build(program, wire)
    try:
        kill_engine(build)
        ENGINE.start()
        build.let_go()
        if wire == "socket":
            build.check_passes_or_fails()
        else:
            build.check_fails()
        build.check_no_process()
        build.check_nothing_left()
    finally:
        build.place.remove()


def an_engine_that_is_stopped(program, wire):
    build = Build(program, wire)
    try:
        ENGINE.signal(signal.SIGTERM)
        build.check_fails()
        build.check_no_process()
        ENGINE.start()
        build.check_nothing_left()
    finally:
        build.place.remove()


def without_engine_and_killed(program):
    """Both die: init sees that, and the next buildr clears up."""
    build = Build(program, "socket")
    try:
        kill_engine(build)
        build.process.kill()
        build.process.wait()
        build.check_no_process()
        ENGINE.start()
        build.check_nothing_left()
    finally:
        build.place.remove()


def main():
    program = sys.argv[1]
    cases = [
        ("killed under a build over the socket, which passes",
         lambda: without_engine_over_the_socket(program)),
        ("killed under a build over stdio", lambda: without_engine_over_stdio(program)),
        ("killed with buildr", lambda: without_engine_and_killed(program)),
    ]
    for wire in ("socket", "stdio"):
        cases += [
            (f"killed and started again ({wire})", lambda wire=wire: a_new_engine(program, wire)),
            (f"stopped ({wire})", lambda wire=wire: an_engine_that_is_stopped(program, wire)),
        ]
    try:
        ENGINE.start()
        make_images()
        status = run_tests(cases)
    finally:
        ENGINE.remove()
    sys.exit(status)


main()
