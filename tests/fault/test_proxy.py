#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The real buildr on an engine that answers as none should.

    test_proxy.py PROGRAM [--all]

A proxy before the real engine spoils one request of a build after the other, in each of
the ways that proxy.py has. --all: every one of them, over both wires, and an attached
stream that is cut after each single byte; else a part that touches each.
"""

import contextlib
import os
import signal
import sys
import time

from faults import (SOCKET, Tally, build, check, finish, in_parallel, make_images, place_for,
                    run_tests)
from proxy import FAULTS, SILENCE, Fault, Proxy
from support import marked_processes, next_event, says, wait_until

REQUESTS = {
    "socket": ("ping", "image", "create", "start"),
    "stdio": ("ping", "image", "create", "copy", "attach", "start"),
}
SLOW = """
image: buildr-test:latest
network: none
stages: [slow]
slow:
  script: [echo ready; sleep 1000]
"""
# The head of a frame, theirs as well as ours.
HEAD_BYTES = 8
# After which bytes of an attached stream it is cut in every run: in and after the head of
# a frame of Docker's, in and after ours, between two of them.
OUT_CUTS = (0, 7, 8, 16, 30, 100, 200)
IN_CUTS = (0, 8, 100)
# So many requests without an answer are the five seconds in which a janitor should end.
SLOW_ROUNDS = 4


def run(program, wire, faults, allowed):
    place = place_for(program)
    proxy = Proxy(place.top / "engine", SOCKET, faults)
    try:
        seconds, clean_seconds, result = build(
            place, "-H", proxy.address, wire=wire, allowed=allowed,
            on_start=proxy.serve_process)
        for fault in faults:
            # What is to be removed may have been by the janitor of another build.
            check(fault.has_struck or (fault.is_janitors and fault.request == "remove"),
                  f"no request to spoil among {proxy.seen}")
        return result.status, seconds, clean_seconds
    finally:
        proxy.close()
        place.remove()


# What libcurl sends again where a kept connection turns out to be closed (a create is
# not among them: it must not be done twice), and answers of which only the status counts.
RESENT = {"image", "copy", "start"}
UNANSWERED = {"hears nothing", "closes without an answer"}
STATUS_ONLY = {"ping", "copy", "start"}


def allowed_for(wire, request, kind):
    _, does_it, _ = FAULTS[kind]
    # Which comes first: the word of init, or what became of the answer?
    if wire == "socket" and request == "start" and does_it and kind != "is late":
        return (0, 3)
    is_harmless = (kind == "is late" or (request in RESENT and kind in UNANSWERED) or
                   (request in STATUS_ONLY and kind == "sends garbage as a body"))
    return (0,) if is_harmless else (3,)


def spoilt_request(program, wire, request, kind):
    return (f"{request} {kind} ({wire})",
            lambda: run(program, wire, [Fault(request, kind)], allowed_for(wire, request, kind)))


def spoilt_twice(program, wire, kind):
    """The start fails, and so does the removal that follows: the janitor is left."""
    return (f"start says 500, and remove {kind} ({wire})",
            lambda: run(program, wire, [Fault("start", "says 500"), Fault("remove", kind)],
                        (3,)))


def spoilt_janitor(program, wire, request, kind):
    """The build fails, and the first round of the janitor as well."""
    return (f"create unanswered, and the janitor's {request} {kind} ({wire})",
            lambda: run(program, wire, [Fault("create", "closes without an answer"),
                                        Fault(request, kind, is_janitors=True)], (3,)))


def slow_engine(program, wire):
    """The build fails, and the engine is too busy to answer the janitor for five seconds."""
    def attempt():
        place = place_for(program)
        faults = [Fault("create", "closes without an answer"),
                  *(Fault("list", SILENCE, is_janitors=True) for _ in range(SLOW_ROUNDS))]
        proxy = Proxy(place.top / "engine", SOCKET, faults)
        try:
            seconds, clean_seconds, result = build(
                place, "-H", proxy.address, wire=wire, allowed=(3,),
                on_start=proxy.serve_process)
            # The janitor of another build may have removed what is left.
            check(proxy.seen.count("janitor list") > SLOW_ROUNDS, f"it gave up: {proxy.seen}")
            return result.status, seconds, clean_seconds
        finally:
            proxy.close()
            place.remove()

    return (f"create unanswered, and the janitor's list not for five seconds ({wire})", attempt)


def forgetful_engine(program, wire):
    """The build passes, and the engine does not remove its container: Podman 4.3 at times."""
    def attempt():
        place = place_for(program)
        proxy = Proxy(place.top / "engine", SOCKET, keeps_containers=True)
        try:
            seconds, clean_seconds, result = build(
                place, "-H", proxy.address, wire=wire, on_start=proxy.serve_process)
            return result.status, seconds, clean_seconds
        finally:
            proxy.close()
            place.remove()

    return (f"the engine leaves the container of a build that passes ({wire})", attempt)


def killed(place, *arguments, wire, on_start):
    """Run a build that `on_start` kills, and wait until nothing is left of it."""
    process = place.start("run", *arguments, wire=wire)
    on_start(process)
    begin = time.monotonic()
    status = finish(process).status
    return status, time.monotonic() - begin, place.check_clean()


def silent_sweep(program, wire):
    """Beside a build the janitor looks for what others left, and hears nothing of the engine
    when buildr is killed: what that one leaves comes first."""
    def attempt():
        place = place_for(program)
        place.manifest(SLOW)
        fault = Fault("list", SILENCE, is_janitors=True)
        proxy = Proxy(place.top / "engine", SOCKET, [fault])

        def stop(process):
            proxy.serve_process(process)
            wait_until(lambda: fault.has_struck, 120, "the request")
            process.kill()

        try:
            return killed(place, "-H", proxy.address, wire=wire, on_start=stop)
        finally:
            proxy.close()
            place.remove()

    return (f"the janitor's sweep {SILENCE}, and buildr is killed ({wire})", attempt)


def lost_machine(program):
    """All of buildr's side is gone, and whoever carries its stream does not tell."""
    def attempt():
        place = place_for(program)
        place.manifest(SLOW)
        proxy = Proxy(place.top / "engine", SOCKET, keeps_streams=True)

        def stop(process):
            proxy.serve_process(process)
            next_event(process, says("ready"))
            for pid, _ in marked_processes(place.mark):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

        try:
            return killed(place, "-H", proxy.address, "-o", "json", wire="stdio",
                          on_start=stop)
        finally:
            proxy.close()
            place.remove()

    return ("the machine is lost, and the container ends by itself (stdio)", attempt)


def silent_request(program, wire, request):
    """An engine that says nothing at all must not keep a build from being stopped."""
    def attempt():
        place = place_for(program)
        fault = Fault(request, SILENCE)
        proxy = Proxy(place.top / "engine", SOCKET, [fault])

        def stop(process):
            proxy.serve_process(process)
            wait_until(lambda: fault.has_struck, 120, "the request")
            process.send_signal(signal.SIGTERM)

        try:
            seconds, clean_seconds, result = build(
                place, "-H", proxy.address, wire=wire, allowed=(143,), on_start=stop)
            return result.status, seconds, clean_seconds
        finally:
            proxy.close()
            place.remove()

    return (f"{request} {SILENCE}, and SIGTERM comes ({wire})", attempt)


def cut_stream(program, direction, offset, allowed):
    return (f"the attached stream is cut after {offset} bytes {direction}",
            lambda: run(program, "stdio",
                        [Fault("attach", None, **{f"cut_{direction}": offset})], allowed))


def stream_lengths(program):
    """How many bytes an undisturbed build has in its attached stream, out and in."""
    place = place_for(program)
    proxy = Proxy(place.top / "engine", SOCKET)
    try:
        build(place, "-H", proxy.address, wire="stdio", on_start=proxy.serve_process)
        return proxy.out_bytes, proxy.in_bytes
    finally:
        proxy.close()
        place.remove()


def all_cases(program):
    for wire, requests in REQUESTS.items():
        for request in requests:
            yield silent_request(program, wire, request)
        for kind in FAULTS:
            for request in requests:
                yield spoilt_request(program, wire, request, kind)
            yield spoilt_twice(program, wire, kind)
        yield silent_sweep(program, wire)
        yield forgetful_engine(program, wire)
    for kind in FAULTS:
        for request in ("ping", "list", "remove"):
            yield spoilt_janitor(program, "socket", request, kind)
    for request in ("ping", "list", "remove"):
        yield spoilt_janitor(program, "socket", request, SILENCE)
    yield lost_machine(program)
    out_bytes, in_bytes = stream_lengths(program)
    # The engine makes a frame of what it finds: a few heads more or less, and the end is at
    # another place.
    for offset in range(out_bytes):
        is_sure = offset < out_bytes - 8 * HEAD_BYTES
        yield cut_stream(program, "out", offset, (3,) if is_sure else (0, 3))
    for offset in range(in_bytes):
        yield cut_stream(program, "in", offset, (3,))


def some_cases(program):
    kinds = list(FAULTS)
    for number, kind in enumerate(kinds):
        requests = REQUESTS["stdio"]
        for request in (requests[number % 6], requests[(number + 3) % 6]):
            yield spoilt_request(program, "stdio", request, kind)
        yield spoilt_request(program, "socket", REQUESTS["socket"][number % 4], kind)
    for request in REQUESTS["stdio"]:
        yield silent_request(program, "stdio", request)
    for kind in ("says 500", "breaks off in the head"):
        yield spoilt_twice(program, "socket", kind)
    for request in ("ping", "list", "remove"):
        yield spoilt_janitor(program, "socket", request, "breaks off in the body")
    yield spoilt_janitor(program, "socket", "list", SILENCE)
    yield silent_sweep(program, "socket")
    yield slow_engine(program, "socket")
    yield forgetful_engine(program, "stdio")
    yield lost_machine(program)
    for offset in OUT_CUTS:
        yield cut_stream(program, "out", offset, (3,))
    for offset in IN_CUTS:
        yield cut_stream(program, "in", offset, (3,))


def main():
    program = sys.argv[1]
    make_images()
    tally = Tally()
    cases = all_cases(program) if "--all" in sys.argv else some_cases(program)
    status = run_tests(in_parallel(cases, tally))
    tally.show()
    sys.exit(status)


main()
