#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What real builds leave in their logs, whatever becomes of them.

    test_log.py PROGRAM [CASE…]

What is shown of logs that are there already is in tests/view/test_log.py.
"""

import json
import os
import signal

from support import (WAIT_SECONDS, WIRES, check, check_equal, finish, main_of_cases, next_event,
                     place_of, says, wait_until)

SLOW = """
image: buildr-test:latest
stages: [slow]
slow:
  script:
    - echo first; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo ready; sleep 1000
"""

SECRET = """
image: buildr-test:latest
environment:
  vars: [TOKEN]
  secrets: [TOKEN]
stages: [a]
a:
  script: ['echo "the token is $TOKEN"']
"""

QUICK = """
image: buildr-test:latest
stages: [a]
a:
  script: [echo quick]
"""


def builds_of(place):
    listed = place.run("log", "-o", "json")
    return [json.loads(line) for line in listed.stdout.splitlines()]


def logs_of(place):
    return [path for path in (place.top / ".local/state/buildr").rglob("*") if path.is_file()]


def killed_without_warning(program, wire):
    """What a build has shown before a kill -9 is in its log, every byte."""
    with place_of(program, SLOW) as place:
        process = place.start("-o", "json", wire=wire)
        seen = []
        next_event(process, lambda event: seen.append(event) or says("ready")(event))
        check_equal(builds_of(place)[0]["state"], "running", "its state")
        follower = place.start("events", "--follow")
        next_event(follower, says("ready"))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        followed = finish(follower)
        check_equal(followed.status, 0, "the status of who followed")
        check(b"does not run any more" in followed.stderr, f"it says {followed.stderr!r}")
        check_equal(builds_of(place)[0]["state"], "unfinished", "its state")
        logged = place.run("events").events
        check_equal(logged[:len(seen)], seen, "the events in the log")
        text = "".join(event["text"] for event in logged if event["type"] == "output")
        check_equal(text, f"first\n{'x' * 3000000}\nready\n", "the output in the log")


def two_builds_at_once(program, wire):
    """Each has a log of its own; both are running, and followed to their ends."""
    gate = """
image: buildr-test:latest
stages: [a]
a:
  script: [echo ready, 'while [ ! -e go ]; do sleep 0.05; done', echo gone on]
"""
    with place_of(program, gate) as place:
        builds = [place.start("-o", "json", wire=wire) for _ in range(2)]
        ids = {next_event(build, says("ready"))["build"] for build in builds}
        check_equal(len(ids), 2, "the builds")
        listed = builds_of(place)
        check_equal({each["build"] for each in listed}, ids, "the builds in the list")
        check_equal({each["state"] for each in listed}, {"running"}, "their states")
        follower = place.start("log", "@2", "--follow")
        wait_until(lambda: b"ready" in follower.stdout.readline(), WAIT_SECONDS, "the follower")
        (place.project / "go").touch()
        check(b"gone on" in finish(follower).stdout, "the end was not followed")
        for build in builds:
            finish(build)
        # They lag behind the end of the builds by nothing.
        check_equal({each["result"] for each in builds_of(place)}, {"pass"}, "their results")


def a_secret(program, wire):
    """Neither the events, the output, nor what is said of the build has it."""
    with place_of(program, SECRET) as place:
        place.project.joinpath(".git/refs/heads").mkdir(parents=True)
        (place.project / ".git/objects").mkdir()
        (place.project / ".git/HEAD").write_text("ref: refs/heads/x-s3cr3t-value\n")
        (place.project / ".git/refs/heads/x-s3cr3t-value").write_text("1" * 40 + "\n")
        result = place.run(wire=wire, env={"TOKEN": "s3cr3t-value"})
        check_equal(result.status, 0, "the status")
        for path in logs_of(place):
            check(b"s3cr3t" not in path.read_bytes(), f"the secret is in {path.name}")
        check_equal(builds_of(place)[0]["branch"], "x-***", "the branch")
        shown = place.run("log", "@1").stdout
        check(b"the token is ***" in shown, f"it shows {shown!r}")


def a_log_that_cannot_be_made(program, wire):
    """The build goes on without, and says so once."""
    with place_of(program, QUICK) as place:
        (place.top / "file").write_text("")
        for options, told in (((), 1), (("--log-size", "0"), 0)):
            result = place.run(*options, wire=wire,
                               env={"XDG_STATE_HOME": str(place.top / "file")})
            check_equal(result.status, 0, "the status")
            check_equal(result.stderr.count(b"buildr: no log"), told, "complaints")


def how_many_are_kept(program, wire):
    with place_of(program, QUICK) as place:
        ids = [place.run("-o", "json", "--log-builds", "1", wire=wire).of_type("build.started")
               [0]["build"] for _ in range(2)]
        check_equal([each["build"] for each in builds_of(place)], ids[:0:-1], "the builds")
        check_equal(len(logs_of(place)), 2, "the files")


main_of_cases([
    ("killed-without-warning", killed_without_warning, WIRES),
    ("two-builds-at-once", two_builds_at_once, WIRES[:1]),
    ("a-secret", a_secret, WIRES[:1]),
    ("a-log-that-cannot-be-made", a_log_that_cannot_be_made, WIRES[:1]),
    ("how-many-are-kept", how_many_are_kept, WIRES[:1]),
], jobs=6)
