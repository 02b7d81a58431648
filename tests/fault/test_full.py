#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""No space, no memory, no more processes: who is to blame, and that nothing is left.

    test_full.py PROGRAM

A disk is full for the build, for buildr, for its output; a step forks without end, or
takes all the memory that there is.
"""

import contextlib
import json
import subprocess
import sys
import uuid
from pathlib import Path

from faults import MANIFEST, Place, check, complaints, finish, make_images, run_tests
from support import WIRES, wait_until

HEAD = """
image: buildr-test:latest
network: none
stages: [stage]
"""
GONE_SECONDS = 60


@contextlib.contextmanager
def place_of(program, manifest):
    place = Place(program)
    try:
        place.manifest(manifest)
        yield place
        place.check_clean()
    finally:
        place.remove()


@contextlib.contextmanager
def small_disk(folder):
    """Put a file system of 1 MiB at a folder, with what the folder holds."""
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=777", "none", folder],
                   check=True)
    try:
        for name, content in kept.items():
            (folder / name).write_bytes(content)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder):
    with open(folder / "full", "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def processes_with(token):
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and token.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def stage_finished(result):
    return next(event for event in map(json.loads, result.stdout.splitlines())
                if event["type"] == "stage.finished")


def a_full_disk_under_the_project(program, wire):
    manifest = HEAD + """
stage:
  script: [dd if=/dev/zero of=big bs=64k count=64]
"""
    with place_of(program, manifest) as place, small_disk(place.project):
        result = place.run("run", "--output", "json", wire=wire)
        check(result.status == 1, f"exit status {result.status}: {result.stdout[-600:]!r}")
        check(b"No space left" in result.output(), "the step does not say why")
        check(stage_finished(result)["reason"] == "status", "the wrong reason")


def a_full_disk_for_temporary_files(program, wire):
    with place_of(program, MANIFEST) as place, small_disk(place.tmp):
        fill(place.tmp)
        result = place.run("run", wire=wire)
        said = complaints(result.stderr)
        check(result.status == 3, f"exit status {result.status}: {result.stderr[-600:]!r}")
        check(len(said) == 1 and "No space left" in said[0], f"it says {said}")
        check(not list(place.tmp.glob("buildr-*")), "a folder is left")


def a_full_disk_under_the_output(program, wire):
    token = uuid.uuid4().hex
    manifest = HEAD + f"""
stage:
  script: [": {token}; echo more; sleep 1000"]
"""
    for options in ((), ("--output", "json")):
        with place_of(program, manifest) as place, open("/dev/full", "wb") as full:
            process = place.start("run", *options, "--grace", "2s", wire=wire, stdout=full)
            result = finish(process)
            said = complaints(result.stderr)
            check(result.status == 3, f"exit status {result.status}: {result.stderr!r}")
            check(len(said) == 1 and "No space left" in said[0], f"it says {said}")
            wait_until(lambda: not processes_with(token), GONE_SECONDS, "the step to end")


def a_full_disk_under_the_log(program, wire):
    """The log is nice to have: the build goes on without."""
    with place_of(program, MANIFEST) as place:
        state = place.top / "state"
        state.mkdir()
        with small_disk(state):
            fill(state)
            result = place.run("run", "--output", "json", wire=wire,
                               env={"XDG_STATE_HOME": str(state)})
            check(result.status == 0, f"exit status {result.status}: {result.stderr[-600:]!r}")
            check(json.loads(result.stdout.splitlines()[-1])["result"] == "pass",
                  "the build did not pass")
            said = complaints(result.stderr)
            check(len(said) == 1 and "No space left" in said[0], f"it says {said}")


def a_step_that_forks_without_end(program, wire):
    token = uuid.uuid4().hex
    # The shell that started it all comes to its end at once; what is left is the bomb.
    manifest = HEAD + f"""
limits: {{pids: 64}}
stage:
  timeout: 60s
  script:
    - [sh, -c, "bomb() {{ bomb | bomb & }}; bomb; sleep 1; echo {token}"]
"""
    with place_of(program, manifest) as place:
        result = place.run("run", wire=wire)
        check(result.status in (0, 1), f"exit status {result.status}: {result.stderr!r}")
        wait_until(lambda: not processes_with(token), GONE_SECONDS, "the bomb to end")


def a_step_that_takes_all_memory(program, wire):
    manifest = HEAD + """
limits: {memory: 32m}
stage:
  script: [dd if=/dev/zero of=/dev/null bs=256M count=1]
"""
    with place_of(program, manifest) as place:
        result = place.run("run", "--output", "json", wire=wire)
        check(result.status == 1, f"exit status {result.status}: {result.stdout[-600:]!r}")
        reason = stage_finished(result)["reason"]
        check(reason == "memory", f"the reason is {reason!r}")


def main():
    program = sys.argv[1]
    make_images()
    sys.exit(run_tests(
        (f"{case.__name__} ({wire})", lambda case=case, wire=wire: case(program, wire))
        for case in (a_full_disk_under_the_project, a_full_disk_for_temporary_files,
                     a_full_disk_under_the_output, a_full_disk_under_the_log,
                     a_step_that_forks_without_end,
                     a_step_that_takes_all_memory)
        for wire in WIRES))


main()
