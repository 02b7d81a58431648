#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""However a build of a whole graph ends, nothing of it is left.

    test_graph_ends.py PROGRAM [CASE…]

The build has the build's own container, others, services and a network. It is ended
after each of its first events once, and the events then still keep their order.
"""

import signal

from builds import check_build, under_way
from support import Result, check, check_equal, finish, main_of_cases

GRAPH = """
image: buildr-test:latest
defaults: {timeout: 100s}
x-web: &web {image: 'buildr-test:server', alias: web, ready: {port: 8080}}
prepare: {script: [sleep 0.1]}
stages: [build, test, own, beside, ends]
build: {script: [sleep 0.1; echo built]}
test: {needs: [build], matrix: {n: [1, 2]}, services: [*web], script: [sleep 1000]}
own: {needs: [], image: 'buildr-test:configured', retry: 2, script: [sleep 1000]}
beside: {needs: [], image: 'buildr-test:latest', services: [*web], script: [sleep 1000]}
ends: {when: {status: always}, script: [echo never]}
"""
# About as many events as there are until all of it runs.
LINES = 26


def read(process, count):
    """Read events until there are `count`, or all of the graph runs."""
    lines = b""
    running = 0
    while lines.count(b"\n") < count and running < 4:
        line = process.stdout.readline()
        check(line, f"the events ended; stderr: {process.said.read_bytes()!r}")
        lines += line
        running += b'"step.started"' in line and b"sleep 1000" in line
    return lines


def end_at(program, wire, count, number, *options):
    """Send a signal after so many events; give exit status, and all events."""
    with under_way(program, GRAPH, "-j", "6", *options, wire=wire) as (_, process):
        lines = read(process, count)
        process.send_signal(number)
        result = finish(process)
        return Result(result.status, lines + result.stdout, result.stderr)


def check_stopped(result, status):
    ran = check_build(result, status)
    check_equal(ran.events[-1]["result"], "cancelled", "the build's result")
    check(set(ran.stages.values()) <= {"pass", "skipped", "cancelled"}, f"{ran.stages}")
    check_equal(ran.stages["ends"], "skipped", "the stage at the end")


def sigterm_at(count):
    return lambda program, wire: check_stopped(
        end_at(program, wire, count, signal.SIGTERM), 143)


def sigint_at(count):
    return lambda program, wire: check_stopped(
        end_at(program, wire, count, signal.SIGINT), 130)


def sigkill_at(count):
    return lambda program, wire: check_equal(
        end_at(program, wire, count, signal.SIGKILL).status, -signal.SIGKILL, "exit status")


def a_timeout_of_the_build(program, wire):
    with under_way(program, GRAPH, "-j", "6", "--timeout", "8s", wire=wire) as (_, process):
        ran = check_build(finish(process), 1)
        check_equal(ran.events[-1]["result"], "fail", "the build's result")
        # On a very slow machine not all have come to run.
        check(set(ran.stages.values()) <= {"pass", "skipped", "fail"}, f"{ran.stages}")
        for event in ran.result.of_type("stage.finished"):
            check_equal(event.get("reason", "timeout"), "timeout", f"the reason of {event}")


def a_second_signal(program, wire):
    """It ends at once, without a word of the steps."""
    with under_way(program, GRAPH, "-j", "6", "--grace", "1h", wire=wire) as (_, process):
        read(process, LINES)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        check(finish(process).status in (130, 143), "exit status")


def cases():
    for number, (name, make) in enumerate((("sigterm", sigterm_at), ("sigint", sigint_at),
                                           ("kill_9", sigkill_at))):
        for count in range(1 + number, LINES + 1, 5):
            wire = ("socket", "stdio")[count % 2]
            yield f"{name}_after_{count}_events", make(count), (wire,)
    yield "a_timeout_of_the_build", a_timeout_of_the_build, ("socket",)
    yield "a_second_signal", a_second_signal, ("socket", "stdio")


if __name__ == "__main__":
    main_of_cases(cases(), jobs=3)
