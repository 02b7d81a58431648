#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs the scenarios: each folder here that has `expect.exit`.

    run_scenarios.py PROGRAM [--update] [NAME…]

A scenario is a project that is copied to a folder of its own, and

    command         what is run there, in a shell (default: buildr run --output json)
    setup           a script that is run there before
    once            run over one wire only: the build never gets as far as the wire
    expect.exit     its exit status
    expect.events   the events on its stdout, one a line, as normalise() leaves them;
                    "*" stands for any value
    expect.stdout   what it prints, line by line: a line `re: …` is a regular expression,
    expect.stderr   and `...` stands for any number of lines

Afterwards no container, network, volume, folder or process may be left. Each scenario
runs over both wires. --update writes what was seen.
"""

import json
import re
import shutil
import sys
from pathlib import Path

from order import check_order, load_validator
from support import (HERE, UUID, WIRES, Failure, Place, bytes_of, check, check_equal,
                     make_images, run_tests)

COMMAND = "buildr run --output json"
OURS = {"command", "setup", "once", "expect.exit", "expect.events", "expect.stdout",
        "expect.stderr"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
MEASURED = ("seconds", "cpu_seconds", "max_rss")


def take_common(events):
    """Take off what every event has, and give the build's id."""
    build = events[0]["build"]
    times = [event["ts"] for event in events]
    check(all(TIME.fullmatch(each) for each in times), f"times: {times}")
    for event in events:
        for name in MEASURED:
            check(event.pop(name, 0) >= 0, f"{name} of {event}")
        for name in ("v", "try", "seq", "ts", "build"):
            del event[name]
    return build


def join_output(events):
    """Put the output of each step, one event a stream, in front of its step.finished."""
    joined, pieces = [], {}
    for event in events:
        if event["type"] == "output":
            key = (event["stage"], event["step"], event["stream"])
            pieces[key] = pieces.get(key, b"") + bytes_of(event)
            continue
        if event["type"] == "step.finished":
            for stream in ("stdout", "stderr"):
                data = pieces.pop((event["stage"], event["step"], stream), b"")
                if data:
                    joined.append({"type": "output", "stage": event["stage"],
                                   "step": event["step"], "stream": stream,
                                   "text": data.decode("utf-8", "backslashreplace")})
        joined.append(event)
    check(not pieces, f"output of steps that have not finished: {pieces}")
    return joined


def lift_container(events):
    """Put what the container's start says first: stages without steps do not wait."""
    kinds = ("build.started", "image.ready", "container.started")
    first = [event for event in events if event["type"] in kinds]
    check_equal([event["type"] for event in first], list(kinds[:len(first)]), "the start")
    return first + [event for event in events if event["type"] not in kinds]


def normalise(stdout, place, validator):
    """Give the events without what differs from run to run."""
    events = [json.loads(line) for line in stdout.decode().splitlines()]
    check_order(events, validator)
    build = take_common(events)
    for event in events:
        if event["type"] == "build.started":
            host = event.pop("host")
            check(all(host.get(name) for name in ("name", "system", "release", "machine")),
                  f"host: {host}")
            check(event.pop("version"), "no version")
        for name in ("container", "digest"):
            if name in event:
                check(event[name], f"{name} of {event}")
                event[name] = name.upper()
    events = lift_container([event for event in join_output(events)
                             if event["type"] != "image.pulling"])
    text = "\n".join(json.dumps(event, ensure_ascii=False) for event in events)
    text = text.replace(build, "BUILD").replace(str(place.project), "PROJECT")
    return [json.loads(line) for line in text.splitlines()]


def matches(seen, wanted):
    """Compare values in which "*" stands for anything."""
    if wanted == "*":
        return True
    if isinstance(wanted, dict) and isinstance(seen, dict):
        return (seen.keys() == wanted.keys() and
                all(matches(seen[name], wanted[name]) for name in wanted))
    return seen == wanted


def compare_events(seen, text):
    wanted = [json.loads(line) for line in text.splitlines() if line.strip()]
    for number, (have, want) in enumerate(zip(seen, wanted), 1):
        if not matches(have, want):
            raise Failure(f"event {number}:\n  seen   {json.dumps(have)}\n"
                          f"  wanted {json.dumps(want)}")
    check_equal(len(seen), len(wanted), "number of events; the last seen is "
                f"{json.dumps(seen[-1])}")


def line_pattern(line):
    if line == "...":
        return "(?:.*\n)*?"
    if line.startswith("re: "):
        return f"(?:{line[4:]})\n"
    return re.escape(line) + "\n"


def compare_text(seen, text, what):
    pattern = "".join(line_pattern(line) for line in text.splitlines())
    if seen and not seen.endswith("\n"):
        seen += "\n"
    check(re.fullmatch(pattern, seen), f"{what} is\n{seen}instead of\n{text}")


def normal_text(data, place):
    """Give text without paths, build ids (whole or the start of one) and durations."""
    text = data.decode("utf-8", "backslashreplace").replace(str(place.project), "PROJECT")
    text = UUID.sub("BUILD", text)
    text = re.sub(r"\bbuild [0-9a-f]{8}-[0-9a-f]{4}\b", "build BUILD", text)
    return re.sub(r" +(\d+ h )?(\d+ min )?\d+(\.\d+)? s\b", " SECONDS", text)


class Scenario:
    def __init__(self, folder, program, validator):
        self.folder, self.program, self.validator = folder, program, validator

    def read(self, name, default=None):
        path = self.folder / name
        return path.read_text() if path.exists() else default

    def wires(self):
        return WIRES[:1] if (self.folder / "once").exists() else WIRES

    def run(self, wire, use):
        """Run it, and give what was seen to `use(self, result, place)`."""
        place = Place(self.program)
        try:
            shutil.copytree(self.folder, place.project, dirs_exist_ok=True, symlinks=True,
                            ignore=lambda _, names: OURS.intersection(names))
            setup = self.read("setup")
            if setup:
                check_equal(place.shell(setup, wire).status, 0, "status of setup")
            result = place.shell(self.read("command", COMMAND), wire)
            use(self, result, place)
            place.check_clean()
        finally:
            place.remove()

    def check(self, result, place):
        wanted = int(self.read("expect.exit"))
        check(result.status == wanted,
              f"exit status {result.status} instead of {wanted}; stderr:\n"
              f"{result.stderr.decode(errors='replace')[-3000:]}\nstdout:\n"
              f"{result.stdout.decode(errors='replace')[-3000:]}")
        events = self.read("expect.events")
        if events is not None:
            compare_events(normalise(result.stdout, place, self.validator), events)
        for stream in ("stdout", "stderr"):
            text = self.read(f"expect.{stream}")
            if text is not None:
                compare_text(normal_text(getattr(result, stream), place), text, stream)

    def update(self, result, place):
        (self.folder / "expect.exit").write_text(f"{result.status}\n")
        if result.stdout.startswith(b'{"v":'):
            lines = (json.dumps(event, ensure_ascii=False)
                     for event in normalise(result.stdout, place, self.validator))
            (self.folder / "expect.events").write_text("".join(f"{line}\n" for line in lines))
        for stream in ("stdout", "stderr"):
            if (self.folder / f"expect.{stream}").exists():
                (self.folder / f"expect.{stream}").write_text(
                    normal_text(getattr(result, stream), place))


def main():
    program, names = sys.argv[1], sys.argv[2:]
    is_update = "--update" in names
    names = [name for name in names if name != "--update"]
    make_images()
    validator = load_validator()
    folders = sorted(path for path in HERE.iterdir()
                     if path.is_dir() and path.name != "__pycache__" and
                     (not names or path.name in names))
    scenarios = [Scenario(folder, program, validator) for folder in folders]
    if is_update:
        for scenario in scenarios:
            scenario.run("socket", Scenario.update)
        return 0
    return run_tests(
        (f"{scenario.folder.name} ({wire})",
         lambda scenario=scenario, wire=wire: scenario.run(wire, Scenario.check))
        for scenario in scenarios for wire in scenario.wires())


if __name__ == "__main__":
    sys.exit(main())
