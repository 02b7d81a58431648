#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the stage cache keeps, of whom, and what is left of it where something goes wrong.

    test_cache_kept.py PROGRAM [CASE…]
"""

import contextlib
import os
import resource
import shutil
import signal
from pathlib import Path

from builds import build_in, check_build, write
from cached import (IMAGE, blobs, check_cached, check_whys, main_of, own_folders, stored_keys,
                    tree)
from support import (WIRES, check, check_equal, finish, next_event, of_type, place_of, says,
                     wait_until)


# What is stored.


MISSING = IMAGE + """
stages: [missing, again, allowed, flawed, absent]
missing: {needs: [], inputs: [a], outputs: [b, "!c"], script: ["true"]}
again:
  needs: []
  inputs: [a]
  outputs: [d]
  retry: 1
  script: [test ! -e tried || touch d; touch tried]
allowed: {needs: [], inputs: [a], outputs: [never], allow_failure: true, script: ["true"]}
flawed: {needs: [allowed], inputs: [a], script: [echo flawed]}
absent: {needs: [], outputs: [nowhere/**], script: ["true"]}
"""


def a_stage_that_leaves_less_than_it_promised_has_failed(program, wire):
    with place_of(program, MISSING) as place:
        write(place, {"a": ""})
        for options in ((), ("--no-cache",)):
            for name in ("tried", "d"):
                with contextlib.suppress(FileNotFoundError):
                    (place.project / name).unlink()
            built = build_in(place, *options, wire=wire, status=1)
            built.check_stages(missing="fail", again="pass", allowed="fail", flawed="pass",
                               absent="fail")
            check_equal([event.get("reason") for event in built.finished("again")],
                        ["outputs", None], "the attempts")
            check_equal([event["reason"] for event in built.finished("missing")], ["outputs"],
                        "the reason")
            check("stage 'missing': it left nothing that matches 'b' of its outputs"
                  in built.notices("error"), built.notices())
        # Only what has passed, after nothing that has not.
        check_equal(len(stored_keys(place)), 1, "results")


def inputs_that_change_meanwhile_are_told(program, wire):
    manifest = IMAGE + """
stages: [eats, after]
eats: {inputs: ["*.c"], outputs: [out], script: [cp a.c out; echo more >> a.c; sleep 0.1]}
after: {inputs: [], script: [cat out]}
"""
    with place_of(program, manifest) as place:
        write(place, {"a.c": "text\n"})
        built = build_in(place, wire=wire)
        built.check_stages(eats="pass", after="pass")
        check("the result of stage 'eats' is not stored: file 'a.c' changed while it ran"
              in built.notices("warning"), built.notices())
        check_equal(stored_keys(place), [], "what is stored")
        place.manifest(manifest.replace("; echo more >> a.c", ""))
        built = build_in(place, wire=wire)
        check_cached(built)
        check_equal(built.said("after"), "text\nmore\n", "the output")
        check_cached(build_in(place, wire=wire), "eats", "after")


ENDS = IMAGE + """
stages: [fails, allowed, late, stopped]
fails: {needs: [], inputs: [a], outputs: [a], script: [exit 3]}
allowed: {needs: [], inputs: [a], allow_failure: true, script: [exit 3]}
late: {needs: [], inputs: [a], timeout: 1s, script: [sleep 1000]}
stopped: {needs: [], inputs: [a], script: [echo ready; sleep 1000]}
"""


def nothing_is_stored_of_what_has_not_passed(program, wire):
    with place_of(program, ENDS) as place:
        write(place, {"a": ""})
        process = place.start("run", "-o", "json", "-j", "4", wire=wire)
        seen = []
        ended = 0
        while ended < 3 or not any(says("ready")(event) for event in seen):
            seen.append(next_event(process, lambda event: True))
            ended += seen[-1]["type"] == "stage.finished"
        process.send_signal(signal.SIGINT)
        result = finish(process)
        check_equal((result.status, result.events[-1]["stages"]), (130, {
            "fails": "fail", "allowed": "fail", "late": "fail", "stopped": "cancelled"}),
            "the end")
        check_equal(stored_keys(place), [], "what is stored")
        check(not list((place.top / ".cache/buildr/tmp").iterdir()), "files in tmp")


# Stops.


def a_build_stops_while_it_hashes(program, wire):
    with place_of(program, IMAGE + """
stages: [huge]
huge: {inputs: [huge], script: [echo never]}
""") as place:
        with open(place.project / "huge", "wb") as file:
            file.truncate(1 << 40)
        # Without what an image is nothing is hashed.
        for number, status in ((signal.SIGTERM, 143), (signal.SIGKILL, -9)):
            process = place.start("run", "-o", "json", wire=wire)
            next_event(process, of_type("build.started"))
            wait_until(lambda: is_reading(place, "huge"), 60, "the file to be read")
            process.send_signal(number)
            check_equal(finish(process).status, status, "exit status")
            wait_until(lambda: not place.left_processes(), 30, "the end of its processes")
        built = check_build(place.run("run", "-o", "json", "--timeout", "1s", wire=wire), 1)
        built.check_stages(huge="skipped")
        place.check_clean()


def is_reading(place, name):
    """Whether a process of the build has the file open."""
    for pid, _ in place.left_processes():
        with contextlib.suppress(OSError):
            for each in os.scandir(f"/proc/{pid}/fd"):
                if os.readlink(each.path) == str(place.project / name):
                    return True
    return False


# What is killed.


SLOW = IMAGE + """
stages: [one]
one:
  inputs: [a]
  outputs: [out/]
  script:
    - mkdir -p out
    - for i in 1 2 3 4 5 6 7 8; do dd if=/dev/zero of=out/$i bs=1M count=8; done
"""


def a_build_that_is_stopped_while_it_stores_or_restores(program, wire):
    """It is stored and put back as a whole or not at all, and nothing of that is left."""
    with place_of(program, SLOW) as place:
        write(place, {"a": ""})
        process = place.start("run", "-o", "json", wire=wire)
        next_event(process, lambda event: event["type"] == "step.finished" and event["step"] == 2)
        process.send_signal(signal.SIGINT)
        result = finish(process)
        check((result.status, len(stored_keys(place))) in ((130, 0), (0, 1)),
              f"{result.status}, {stored_keys(place)}")
        known = ["one"] * len(stored_keys(place))
        check_cached(build_in(place, wire=wire), *known)
        made = tree(place.project)
        for number, statuses in ((signal.SIGINT, (130, 0)), (signal.SIGKILL, (-9, 0))):
            shutil.rmtree(place.project / "out", ignore_errors=True)
            process = place.start("run", "-o", "json", wire=wire)
            wait_until(lambda: own_folders(place) or process.poll() is not None, 60,
                       "a folder in the project")
            process.send_signal(number)
            check(finish(process).status in statuses, "the end")
            wait_until(lambda: not place.left_processes(), 30, "the end of its processes")
            check(number == signal.SIGKILL or not own_folders(place), "our folder is left")
        check_cached(build_in(place, wire=wire), "one")
        check_equal(tree(place.project), made, "the project")


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def worker_of(place, process):
    """Find the process of the build that has the index of the store open."""
    for pid, _ in place.left_processes():
        with contextlib.suppress(OSError):
            if parent_of(pid) == process.pid and any(
                    os.readlink(each.path).endswith("/index.db")
                    for each in os.scandir(f"/proc/{pid}/fd")):
                return pid
    return None


def without_its_process_the_build_goes_on(program, wire):
    manifest = IMAGE + """
stages: [one, two]
one:
  inputs: [a]
  outputs: [b]
  script: ['cp a b; echo ready; while [ -e a ]; do sleep 0.05; done']
two: {needs: [], outputs: [never], script: ['while [ -e a ]; do sleep 0.05; done']}
"""
    with place_of(program, manifest) as place:
        write(place, {"a": ""})
        process = place.start("run", "-o", "json", wire=wire)
        seen = []
        while not seen or not says("ready")(seen[-1]):
            seen.append(next_event(process, lambda event: True))
        os.kill(worker_of(place, process), signal.SIGKILL)
        seen.append(next_event(process, of_type("notice")))
        check_equal((seen[-1]["level"], seen[-1]["text"]), (
            "warning", "no stage cache in this build: the process of the stage cache has ended"),
            "the notice")
        (place.project / "a").unlink()
        result = finish(process)
        check_equal((result.status, result.events[-1]["stages"]),
                    (1, {"one": "pass", "two": "fail"}), "the end")
        check_equal(stored_keys(place), [], "what is stored")


# Bad stores.


SIMPLE = IMAGE + """
stages: [one]
one: {inputs: [a], outputs: [b/], script: [mkdir -p b; cp a b/c; cp a b/d, echo said]}
"""


def damage(path, how):
    data = path.read_bytes()
    if how == "flip":
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    else:
        path.write_bytes(data[:len(data) // 2])


def a_damaged_store_is_a_miss(program, wire):
    with place_of(program, SIMPLE) as place:
        write(place, {"a": "content " * 100})
        build_in(place, wire=wire)
        for is_damaged, how in ((lambda path: path.parts[-3] == "ac", "flip"),
                                (lambda path: path.read_bytes().startswith(b"content"), "cut"),
                                (lambda path: b"step.started" in path.read_bytes(), "flip")):
            shutil.rmtree(place.project / "b")
            for path in filter(is_damaged, [*blobs(place, "ac"), *blobs(place)]):
                damage(path, how)
            built = build_in(place, wire=wire)
            check_cached(built)
            check_whys(built, {"one": "nothing changed, but "})
            check_equal((place.project / "b/c").read_text(), "content " * 100, "the output")
            built = build_in(place, wire=wire)
            check_cached(built, "one")
            check_equal(built.said("one"), "said\n", "what it said")


def with_room_for(size):
    """Options of a process whose files can have so many bytes, as if the disk were full."""
    return {"restore_signals": False,
            "preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))}


def without_room_all_runs(program, wire):
    manifest = IMAGE + """
stages: [one]
one: {inputs: [a], outputs: [b], script: [dd if=/dev/zero of=b bs=1M count=4]}
"""
    with place_of(program, manifest) as place:
        write(place, {"a": ""})
        for is_stored in (False, True):
            if is_stored:
                build_in(place, wire=wire)
                (place.project / "b").unlink()
            result = place.run("run", "-o", "json", wire=wire, **with_room_for(1 << 20))
            built = check_build(result, 0)
            check_cached(built)
            if is_stored:
                check_whys(built, {"one": "nothing changed, but put back 'b'"})
            else:
                check("the result of stage 'one' is not stored: store output 'b'"
                      in built.notices("warning"), built.notices())
            check(not own_folders(place), "our folder is left")
            check(not list((place.top / ".cache/buildr/tmp").iterdir()), "files in tmp")


def a_store_that_goes_away_meanwhile(program, wire):
    manifest = IMAGE + """
stages: [one, two]
one: {inputs: [a], script: ['echo ready; while [ -e a ]; do sleep 0.05; done']}
two: {inputs: [c], script: [echo two]}
"""
    with place_of(program, manifest) as place:
        write(place, {"a": "", "c": ""})
        process = place.start("run", "-o", "json", wire=wire)
        next_event(process, says("ready"))
        shutil.rmtree(place.top / ".cache")
        (place.project / "a").unlink()
        result = finish(process)
        check_equal((result.status, result.events[-1]["stages"]),
                    (0, {"one": "pass", "two": "pass"}), "the end")
        told = [event["text"] for event in result.of_type("notice")]
        check(any("the result of stage 'two' is not stored" in text for text in told) or
              any("stage 'two' runs without" in text for text in told), f"it says {told}")


def without_a_store_all_runs(program, wire):
    with place_of(program, SIMPLE) as place:
        write(place, {"a": "", "file": "", "shut/buildr/secret.key": "too short"})
        for env, is_told in (({"XDG_CACHE_HOME": "relative", "HOME": "also"}, False),
                             ({"XDG_CACHE_HOME": str(place.project / "file")}, True),
                             ({"XDG_CACHE_HOME": str(place.project / "shut")}, True)):
            built = build_in(place, wire=wire, env=env)
            check_cached(built)
            check_equal("no stage cache in this build" in built.notices("warning"), is_told,
                        f"a warning: {built.notices()}")
            check(not (place.project / "relative").exists(), "a folder in the project")


ONE = WIRES[:1]
CASES = [
    (function.__name__, function, wires) for function, wires in (
        (a_stage_that_leaves_less_than_it_promised_has_failed, ONE),
        (inputs_that_change_meanwhile_are_told, ONE),
        (nothing_is_stored_of_what_has_not_passed, ONE),
        (a_build_stops_while_it_hashes, ONE),
        (a_build_that_is_stopped_while_it_stores_or_restores, ONE),
        (without_its_process_the_build_goes_on, ONE),
        (a_damaged_store_is_a_miss, ONE),
        (without_room_all_runs, ONE),
        (a_store_that_goes_away_meanwhile, ONE),
        (without_a_store_all_runs, ONE),
    )
]

if __name__ == "__main__":
    main_of(CASES)
