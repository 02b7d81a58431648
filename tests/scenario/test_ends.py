#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How a build can be ended from outside, and that nothing is left then.

    test_ends.py PROGRAM [CASE…]

Everything here waits for an event of the build before it acts.
"""

import contextlib
import os
import signal
import threading

from support import (LABEL_PROJECT, WAIT_SECONDS, WIRES, Place, all_with_label, check, check_equal,
                     engine, finish, kill, main_of_cases, marked_processes, next_event, of_type,
                     says, wait_until)

SLOW = """
image: buildr-test:latest
stages: [slow, after]
slow:
  script:
    - echo ready; sleep 1000
after:
  script: [echo never]
"""

POLITE = """
image: buildr-test:latest
stages: [slow]
slow:
  script:
    - |
      trap 'echo "told to stop"; exit 0' TERM
      echo ready
      while :; do sleep 0.1; done
"""

STUBBORN = """
image: buildr-test:latest
stages: [slow]
slow:
  script:
    - trap '' TERM INT; echo ready; while :; do sleep 1; done
"""


@contextlib.contextmanager
def build(program, wire, manifest, *options, **more):
    """A build under way, and what reads its events; all is clean afterwards."""
    place = Place(program)
    try:
        place.manifest(manifest)
        process = place.start("run", "--output", "json", *options, wire=wire, **more)
        try:
            yield place, process
        finally:
            kill(process)
            process.wait()
        place.check_clean()
    finally:
        place.remove()


def last_of(process):
    """Read to the end; give (exit status, build.finished, all events read)."""
    result = finish(process)
    events = result.events
    check(events and events[-1]["type"] == "build.finished",
          f"no build.finished; stderr: {result.stderr[-2000:]!r}")
    return result.status, events[-1], events


def check_cancelled(process, status):
    seen, finished, events = last_of(process)
    check_equal(seen, status, "exit status")
    check_equal((finished["result"], finished["exit"]), ("cancelled", status), "the end")
    stages = [event for event in events if event["type"] == "stage.finished"]
    check_equal([(each["stage"], each["result"]) for each in stages], [("slow", "cancelled")],
                "stages")
    return events


def sigint_cancels(program, wire):
    with build(program, wire, SLOW) as (_, process):
        next_event(process, says("ready"))
        process.send_signal(signal.SIGINT)
        check_cancelled(process, 130)


def sigterm_cancels_and_the_step_can_say_goodbye(program, wire):
    with build(program, wire, POLITE) as (_, process):
        next_event(process, says("ready"))
        process.send_signal(signal.SIGTERM)
        events = check_cancelled(process, 143)
        check(any(says("told to stop")(event) for event in events), "SIGTERM was not heard")


def a_step_that_does_not_listen_is_killed_after_the_grace(program, wire):
    with build(program, wire, STUBBORN, "--grace", "1s") as (_, process):
        next_event(process, says("ready"))
        process.send_signal(signal.SIGTERM)
        check_cancelled(process, 143)


def a_second_signal_ends_at_once(program, wire):
    with build(program, wire, STUBBORN, "--grace", "1h") as (_, process):
        next_event(process, says("ready"))
        process.send_signal(signal.SIGINT)
        # The first one has been heard when a second one finds the build stopping; where
        # they come together, the grace of an hour would show.
        process.send_signal(signal.SIGTERM)
        status = finish(process).status
        check(status in (130, 143), f"exit status {status}")


def a_signal_before_the_first_step(program, wire):
    with build(program, wire, SLOW) as (_, process):
        next_event(process, of_type("build.started"))
        process.send_signal(signal.SIGTERM)
        status, finished, _ = last_of(process)
        check_equal((status, finished["result"]), (143, "cancelled"), "the end")


def is_gone(place, build_id):
    return not all_with_label(f"io.buildr.build={build_id}") and not place.left_behind()


def kill_9_in_a_step(program, wire):
    with build(program, wire, SLOW) as (place, process):
        event = next_event(process, says("ready"))
        check(all_with_label(f"io.buildr.build={event['build']}"), "no container to look for")
        process.kill()
        process.wait()
        place.check_clean()
        check(is_gone(place, event["build"]), "something is left")


def kill_9_of_a_build_that_makes_output(program, wire):
    manifest = SLOW.replace("sleep 1000", "yes")
    with build(program, wire, manifest) as (place, process):
        next_event(process, says("ready"))
        process.kill()
        process.wait()
        place.check_clean()


def kill_9_at_any_time_before_the_first_step(program, wire):
    # The kill comes at another point of the start each time: after so many lines.
    for kind in ("build.started", "image.ready", "container.started", "stage.started"):
        with build(program, wire, SLOW) as (place, process):
            next_event(process, of_type(kind))
            process.kill()
            process.wait()
            place.check_clean()


def kill_9_of_each_helper(program, wire):
    """Whatever process of buildr's dies: an end comes, and nothing is left."""
    with build(program, wire, SLOW) as (place, process):
        next_event(process, says("ready"))
        helpers = [pid for pid, _ in marked_processes(place.mark) if pid != process.pid]
        for pid in helpers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        status = finish(process).status
        check(status in (3, 143), f"exit status {status}")


def kill_9_of_all_at_once_and_gc(program, wire):
    """With nobody left to clean up the next buildr does, the private folder too."""
    with build(program, wire, SLOW) as (place, process):
        next_event(process, of_type("image.ready"))
        for pid, _ in marked_processes(place.mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        # A request that was on its way may still make a container.
        wait_until(lambda: place.run("gc", wire=wire).status == 0 and not place.left_behind(),
                   60, "gc to remove all")


def the_container_is_removed_from_outside(program, wire):
    with build(program, wire, SLOW) as (place, process):
        event = next_event(process, says("ready"))
        (_, container), = all_with_label(f"io.buildr.build={event['build']}")
        engine("DELETE", f"/containers/{container}?force=1")
        status, finished, _ = last_of(process)
        check_equal((status, finished["result"]), (3, "error"), "the end")


def two_builds_in_one_project(program, wire):
    with build(program, wire, SLOW) as (place, first):
        next_event(first, says("ready"))
        second = place.start("run", "--output", "json", wire=wire)
        next_event(second, says("ready"))
        second.send_signal(signal.SIGTERM)
        check_equal(finish(second).status, 143, "exit status of the second")
        label = f"{LABEL_PROJECT}={place.project}"
        wait_until(lambda: len(all_with_label(label)) == 1, WAIT_SECONDS,
                   "one container to be left")
        check(first.poll() is None, "the first build has ended with the second")
        first.send_signal(signal.SIGINT)
        check_cancelled(first, 130)


def a_reader_that_is_gone_stops_the_build(program, wire):
    manifest = SLOW.replace("sleep 1000", "while :; do echo more; sleep 0.05; done")
    with build(program, wire, manifest) as (_, process):
        next_event(process, says("ready"))
        process.stdout.close()
        process.stdout = None
        status = process.wait(timeout=120)
        check_equal(status, 3, "exit status")


def a_reader_that_stalls_loses_nothing(program, wire):
    manifest = """
image: buildr-test:latest
stages: [much]
much:
  script: [seq 1 400000]
"""
    with build(program, wire, manifest) as (_, process):
        next_event(process, of_type("output"))
        # The pipe is full long before the step has ended, and buildr has to wait for us.
        stalled = threading.Event()
        stalled.wait(4)
        status, _, events = last_of(process)
        check_equal(status, 0, "exit status")
        # Without what next_event() has read.
        text = "".join(event["text"] for event in events if event["type"] == "output")
        check(text.endswith("399999\n400000\n"), f"the output ends in {text[-40:]!r}")
        numbers = [int(line) for line in text.splitlines()[1:]]
        check_equal(numbers, list(range(400001 - len(numbers), 400001)), "the numbers")


CASES = [
    (function.__name__, function, WIRES) for function in (
        sigint_cancels,
        sigterm_cancels_and_the_step_can_say_goodbye,
        a_step_that_does_not_listen_is_killed_after_the_grace,
        a_second_signal_ends_at_once,
        a_signal_before_the_first_step,
        kill_9_in_a_step,
        kill_9_of_a_build_that_makes_output,
        kill_9_at_any_time_before_the_first_step,
        kill_9_of_each_helper,
        kill_9_of_all_at_once_and_gc,
        the_container_is_removed_from_outside,
        two_builds_in_one_project,
        a_reader_that_is_gone_stops_the_build,
        a_reader_that_stalls_loses_nothing,
    )
]

if __name__ == "__main__":
    main_of_cases(CASES)
