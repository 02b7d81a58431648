#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares what the views make of recorded events with what is expected.

usage: test_view.py SHOW_EVENTS            print TAP
       test_view.py SHOW_EVENTS --update   rewrite what is expected

NAME.events holds the events of a case, as JSON lines; a line `flush` stands for a
while in which none comes. What is expected stands beside it: NAME.VARIANT.out
and NAME.VARIANT.err. Every case is shown plain and quiet; with the other variants
where a file of them is there. As JSON lines the events come out as they went in.
"""
import base64
import itertools
import json
import pathlib
import resource
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

HERE = pathlib.Path(__file__).resolve().parent
TIMEOUT_S = 120

# The arguments of a variant, and whether both streams go to one pipe.
VARIANTS = {
    "plain": (["plain"], False),
    "quiet": (["quiet"], False),
    "color": (["plain", "color"], False),
    "verbose": (["plain", "verbose"], False),
    "joined": (["plain"], True),
    "group": (["plain", "group"], True),
    "junit": (["junit"], False),
    "github": (["plain", "github"], True),
    "gitlab": (["plain", "gitlab"], True),
    "teamcity": (["plain", "teamcity"], True),
    "buildkite": (["plain", "buildkite"], True),
    "streams": (["plain", "teamcity"], False),
}
ALWAYS = ("plain", "quiet")


class Tap:
    """Counts and prints the lines of the Test Anything Protocol."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def equal(self, name, seen, expected):
        self.count += 1
        is_good = seen == expected
        self.failed += not is_good
        print(f"{'ok' if is_good else 'not ok'} {self.count} - {name}")
        if not is_good:
            print(f"# {first_difference(seen, expected) if isinstance(seen, bytes) else seen}")

    def end(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def first_difference(seen, expected):
    pairs = itertools.zip_longest(seen.splitlines(True), expected.splitlines(True))
    for number, (left, right) in enumerate(pairs, 1):
        if left != right:
            return f"line {number}: {(left or b'')[:500]!r} for {(right or b'')[:500]!r}"
    return "none"


def show(program, arguments, events, is_joined=False, **options):
    """What a view writes to stdout and stderr."""
    done = subprocess.run([program, *arguments], input=events, timeout=TIMEOUT_S,
                          stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.STDOUT if is_joined else subprocess.PIPE,
                          **options)
    if done.returncode != 0:
        raise SystemExit(f"show_events: status {done.returncode}: {done.stderr!r}")
    return done.stdout, done.stderr


def variants_of(case):
    return [name for name in VARIANTS
            if name in ALWAYS or any(HERE.glob(f"{case.stem}.{name}.*"))]


def read(path):
    return path.read_bytes() if path.exists() else b""


def write(path, content):
    if content:
        path.write_bytes(content)
    elif path.exists():
        path.unlink()


def check_case(program, case, tap, is_update):
    events = case.read_bytes()
    for variant in variants_of(case):
        arguments, is_joined = VARIANTS[variant]
        for end, seen in zip(("out", "err"),
                             show(program, arguments, events, is_joined)):
            path = HERE / f"{case.stem}.{variant}.{end}"
            if is_update:
                write(path, seen or b"")
            else:
                tap.equal(f"{case.stem}: {variant} {end}", seen or b"", read(path))
    if not is_update:
        check_junit(program, case, tap)
        tap.equal(f"{case.stem}: as JSON lines", show(program, ["jsonl"], events)[0],
                  events.replace(b"flush\n", b""))


def has_outcome(case, kind):
    return case.find(kind) is not None


def check_junit(program, case, tap):
    """Whatever the events are, the report is XML, and its sums are right."""
    root = ElementTree.fromstring(show(program, ["junit"], case.read_bytes())[0])
    for suite in (root, *root):
        cases = list(suite.iter("testcase"))
        seen = [int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")]
        wanted = [len(cases)] + [sum(has_outcome(one, kind) for one in cases)
                                 for kind in ("failure", "error", "skipped")]
        tap.equal(f"{case.stem}: JUnit sums of {suite.get('name')!a}", seen, wanted)


def make_event(kind, stage, **fields):
    event = {"v": 1, "seq": 1, "try": 1, "ts": "2026-11-21T02:30:00.000000Z",
             "build": "0192f0c1-2b3c-7d4e-8f50-61728394a5b6", "type": kind,
             "stage": stage, **fields}
    return json.dumps(event).encode() + b"\n"


def make_output(data, stage="big"):
    return make_event("output", stage, step=1, stream="stdout",
                      base64=base64.b64encode(data).decode())


def check_long_line(program, tap):
    """10 MB without a newline, in pieces: one line, whatever is kept back."""
    line = bytes(range(11, 256)) * (10 * 1000 * 1000 // 245)
    pieces = [line[i:i + 65536] for i in range(0, len(line), 65536)]
    events = b"".join(make_output(piece) for piece in pieces)
    tap.equal("a line of 10 MB", show(program, ["plain"], events)[0],
              b"big | " + line + b"\n")


def check_many_lines(program, tap):
    """More lines in a piece than what is written at once takes."""
    events = make_output(b"\n" * 65536) + make_output(b"x\n" * 32768)
    tap.equal("98,304 short lines", show(program, ["plain"], events)[0],
              b"big | \n" * 65536 + b"big | x\n" * 32768)


def make_two_stages():
    """Stages that write 3 MB each, at once: the events, and each stage's lines."""
    pieces = {stage: [b"%c%07d\n" % (stage[0].encode(), i) * 1000 for i in range(340)]
              for stage in ("ann", "bob")}
    events = [make_event("stage.started", stage, attempt=1, image="i", steps=1)
              for stage in pieces]
    for pair in zip(*pieces.values()):
        events += [make_output(data, stage) for stage, data in zip(pieces, pair)]
    events += [make_event("stage.finished", stage, attempt=1, result="pass", seconds=1)
               for stage in pieces]
    lines = {stage: b"".join(b"%s | %s" % (stage.encode(), line)
                             for data in pieces[stage] for line in data.splitlines(True))
             for stage in pieces}
    return b"".join(events), lines


def check_group(program, tap):
    """Much output is put aside in a file; where that does not go, none is lost."""
    events, lines = make_two_stages()
    together = b"".join(lines.values())
    tap.equal("blocks of 3 MB", show(program, ["plain", "group"], events)[0], together)
    cases = {
        "no folder for what is put aside": {"env": {"TMPDIR": "/proc/none"}},
        "a file that may not grow": {
            "restore_signals": False,
            "preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1500000,) * 2)},
    }
    for name, how in cases.items():
        seen = show(program, ["plain", "group"], events, **how)[0].splitlines(True)
        for stage, expected in lines.items():
            mine = b"".join(line for line in seen if line.startswith(stage.encode()))
            tap.equal(f"{name}: {stage}", mine, expected)
        tap.equal(f"{name}: nothing else", sum(map(len, seen)), len(together))


def main():
    program = sys.argv[1]
    is_update = sys.argv[2:] == ["--update"]
    cases = sorted(HERE.glob("*.events"))
    tap = Tap()
    for case in cases:
        check_case(program, case, tap, is_update)
    if not is_update:
        check_long_line(program, tap)
        check_many_lines(program, tap)
        check_group(program, tap)
        return tap.end()
    return 0 if cases else 1


if __name__ == "__main__":
    sys.exit(main())
