#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What `buildr log` and `buildr events` show of logs, good ones and others. No engine.

usage: test_log.py BUILDR [ROUNDS]

Logs are made from the recorded events of this folder, as buildr writes them: all events but
output in one file, output in another.
"""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading

from test_view import HERE, Tap

TIMEOUT_S = 120
VIEWS = ([], ["--group"], ["-v"], ["-o", "json"], ["-q"])
UUID = "0192f0c1-2b3c-7d4e-8f50-61728394a5b6"
HEADER = b'{"log":1,"branch":"main","commit":"0123456789abcdef","command":"buildr run -C x"}\n'


def lines_of(name):
    """Give the recorded events of a case, and nothing else."""
    lines = (HERE / f"{name}.events").read_bytes().splitlines(True)
    return [line for line in lines if line.startswith(b"{")]


def is_output(line):
    return b'"type":"output"' in line


def case_names():
    return sorted(path.stem for path in HERE.glob("*.events"))


class Place:
    """A project with a folder of logs, and buildr in it."""

    def __init__(self, program, top):
        self.program = program
        self.project = pathlib.Path(top) / "app"
        self.project.mkdir()
        (self.project / ".buildr.yml").write_text("stages: []\n")
        self.state = pathlib.Path(top) / "state"
        digest = hashlib.sha256(os.fsencode(self.project)).hexdigest()[:12]
        self.logs = self.state / "buildr" / f"app-{digest}"
        self.logs.mkdir(parents=True)

    def environment(self, **more):
        return {"PATH": os.environ["PATH"], "XDG_STATE_HOME": str(self.state), "TZ": "UTC",
                **{name: os.environ[name] for name in ("ASAN_OPTIONS", "LC_ALL")
                   if name in os.environ}, **more}

    def run(self, *arguments, env=None, **options):
        return subprocess.run([self.program, *arguments], cwd=self.project,
                              env=self.environment() if env is None else env,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=TIMEOUT_S, check=False, **options)

    def start(self, *arguments):
        return subprocess.Popen([self.program, *arguments], cwd=self.project,
                                env=self.environment(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def path(self, build=UUID, suffix=".jsonl"):
        return self.logs / f"{build}{suffix}"

    def write(self, lines, build=UUID, header=HEADER):
        """Make the log of a build from lines that all have its id, or the usual one."""
        lines = [line.replace(id_of(line), build.encode()) for line in lines]
        self.path(build).write_bytes(
            header + b"".join(line for line in lines if not is_output(line)))
        self.path(build, ".output.jsonl").write_bytes(
            b"".join(line for line in lines if is_output(line)))
        return b"".join(lines)

    def clear(self):
        for path in self.logs.iterdir():
            path.unlink()


def id_of(line):
    return line.partition(b'"build":"')[2][:36]


@contextlib.contextmanager
def place_of(program):
    with tempfile.TemporaryDirectory(prefix="log-") as top:
        yield Place(program, top)


def show_every_view_of_damaged_logs(tap, place, rounds):
    """Lines are dropped, cut, doubled, swapped and overwritten: it is shown or left out."""
    dice = random.Random(5)
    bad = ""
    for number in range(rounds):
        lines = lines_of(dice.choice(case_names()))
        for _ in range(dice.randint(1, 6)):
            damage(dice, lines)
        place.write(lines, header=dice.choice((HEADER, b"", HEADER[:20])))
        for file in place.logs.iterdir():
            damage_file(dice, file)
        result = place.run("log", "@1", *dice.choice(VIEWS), *dice.choice(([], ["--failed"])))
        seen = place.run("log").stdout.count(b"\n")
        if result.returncode not in (0, 1, 2) or b"Sanitizer" in result.stderr or seen != 2:
            bad = f"round {number}: {result.returncode}, {seen} lines, {result.stderr[-2000:]!r}"
            break
    place.clear()
    tap.equal("damaged logs are shown as far as they can be read", bad, "")


def damage(dice, lines):
    """Change a line, or the place of one."""
    if not lines:
        return
    at = dice.randrange(len(lines))
    kind = dice.randrange(4)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(dice.randrange(len(lines)), lines[at])
    elif kind == 2:
        lines.insert(dice.randrange(len(lines)), lines.pop(at))
    else:
        del lines[at:at + dice.randint(1, 5)]


def damage_file(dice, path):
    """Cut the file, or put bytes into it that do not belong there."""
    data = bytearray(path.read_bytes())
    kind = dice.randrange(3)
    at = dice.randrange(len(data) + 1)
    if kind == 0:
        del data[at:]
    elif kind == 1:
        data[at:at + dice.randint(0, 40)] = dice.choice((b"\0" * 30, b"\n", b"\xff\xfe{", b"}"))
    path.write_bytes(data)


def give_events_back(tap, place):
    """The JSON lines are what was written, of every case."""
    differing = []
    for name in case_names():
        wanted = place.write(lines_of(name), id_of(lines_of(name)[0]).decode())
        result = place.run("events")
        if (result.stdout, result.returncode) != (wanted, 0):
            differing.append(name)
        place.clear()
    tap.equal("the events of a log are those that were written", differing, [])


def show_as_run_does(tap, place, program):
    """What a log shows is all on stdout, and what `run` shows."""
    show_events = pathlib.Path(program).parents[1] / "tests" / "view" / "show_events"
    differing = []
    for name in ("pass", "graph", "interleaved", "fail-127", "notices", "retry"):
        lines = lines_of(name)
        place.write(lines, id_of(lines[0]).decode(), header=b'{"log":1,"command":"buildr -f ci.yml"}\n')
        shown = subprocess.run([show_events, "plain"], input=b"".join(lines), check=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        result = place.run("log", "@1")
        if result.stdout != shown.stdout or result.stderr:
            differing.append((name, result.stdout, shown.stdout, result.stderr))
        place.clear()
    tap.equal("a log is shown as the build was", differing, [])


LISTED = """\
     BUILD     RESULT      STARTED                     TOOK  BRANCH
@1   0192f0c3  unfinished  2026-11-21 02:30:00       12.2 s  -
@2   0192f0c2  failed      2026-11-21 02:30:00        2.5 s  main
@3   0192f0c1  passed      2026-11-21 02:30:00   1 h 03 min  main
"""


def list_builds(tap, place):
    lines = lines_of("pass")
    place.write(lines, "0192f0c1-2b3c-7d4e-8f50-61728394a5b6")
    place.write(lines_of("fail-127"), "0192f0c2-2b3c-7d4e-8f50-61728394a5b6")
    place.write(lines[:-1], "0192f0c3-2b3c-7d4e-8f50-61728394a5b6", header=b"")
    listed = place.run("log")
    tap.equal("the list has a row for each build", listed.stdout.decode(), LISTED)
    tap.equal("nothing is said beside it", (listed.stderr, listed.returncode), (b"", 0))
    failed = place.run("log", "--failed").stdout.decode().splitlines()
    tap.equal("only those that failed", failed,
              [LISTED.splitlines()[0], LISTED.splitlines()[2]])
    objects = [json.loads(line) for line in place.run("log", "-o", "json").stdout.splitlines()]
    tap.equal("as JSON", [(each["build"][:8], each["number"], each["state"], each.get("result"),
                           each.get("branch")) for each in objects],
              [("0192f0c3", 1, "unfinished", None, None), ("0192f0c2", 2, "finished", "fail", "main"),
               ("0192f0c1", 3, "finished", "pass", "main")])
    place.clear()


def show_some_stages(tap, place):
    lines = lines_of("graph")
    place.write(lines, id_of(lines[0]).decode())
    names = json.loads(lines[0])["stages"]
    events = [json.loads(line) for line in
              place.run("events", "@1", names[0]).stdout.splitlines()]
    tap.equal("a stage alone is shown", {event["stage"] for event in events if "stage" in event},
              {names[0]})
    tap.equal("the end tells of it alone", events[-1]["stages"].keys(), {names[0]})
    result = place.run("log", "@1", names[0][:-1] + "x")
    tap.equal("a stage that is not there is a mistake", result.returncode, 2)
    tap.equal("and the nearest one is named", b"did you mean" in result.stderr, True)
    place.clear()


def find_nothing(tap, place):
    result = place.run("log")
    tap.equal("no build is an empty list", (result.stdout, result.returncode), (b"", 0))
    tap.equal("no build has no events", place.run("events").returncode, 2)
    env = place.environment()
    del env["XDG_STATE_HOME"]
    result = place.run("log", env=env)
    tap.equal("without a home there is no place for logs", (result.returncode, result.stderr),
              (3, b"buildr: neither XDG_STATE_HOME nor HOME is set\n"))
    result = place.run("log", env={**env, "XDG_STATE_HOME": "state", "HOME": str(place.state)})
    tap.equal("a relative XDG_STATE_HOME is ignored", (result.stdout, result.returncode), (b"", 0))
    place.write(lines_of("pass"))
    elsewhere = place.project.parent / "other"
    elsewhere.mkdir()
    result = place.run("log", "-C", str(elsewhere), UUID)
    tap.equal("a build of another project is said to be one",
              (result.returncode, b"buildr log -C " in result.stderr), (2, True))
    place.clear()


def write_to_nobody(tap, place):
    """A reader that goes, and a disk that is full."""
    place.write(lines_of("pass"))
    for arguments in (["log"], ["log", "@1"], ["events"]):
        with open("/dev/full", "wb") as full:
            process = subprocess.run([place.program, *arguments], cwd=place.project,
                                     env=place.environment(), stdout=full, check=False,
                                     stderr=subprocess.PIPE, timeout=TIMEOUT_S)
        tap.equal(f"a full disk under {' '.join(arguments)} is an error",
                  (process.returncode, process.stderr.count(b"No space left")), (3, 1))
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run([place.program, "log", "@1"], cwd=place.project, check=False,
                             env=place.environment(), stdout=writer, stderr=subprocess.PIPE,
                             timeout=TIMEOUT_S)
    os.close(writer)
    tap.equal("a reader that has gone has what it wants", (process.returncode, process.stderr),
              (3, b""))
    place.clear()


def lock(path):
    """Say that the build runs, as buildr does, for as long as the file is open."""
    file = open(path, "ab", buffering=0)
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file


def follow_a_build(tap, place, is_removed):
    """It is read to its end, also where somebody removes the log meanwhile."""
    lines = lines_of("interleaved")
    build = id_of(lines[0]).decode()
    wanted = place.write(lines[:3], build) + b"".join(lines[3:])
    # In this process: another one sees the lock.
    with lock(place.path(build)) as events, \
            open(place.path(build, ".output.jsonl"), "ab", buffering=0) as output:
        running = place.run("log").stdout
        process = place.start("events", "--follow")
        seen = [process.stdout.readline() for _ in range(3)]
        if is_removed:
            place.clear()
        for line in lines[3:]:
            # Cut within the line: half of one is no event yet.
            for part in (line[:20], line[20:]):
                (output if is_output(line) else events).write(part)
            seen.append(process.stdout.readline())
    rest, said = process.communicate(timeout=TIMEOUT_S)
    what = "a log that is removed" if is_removed else "a build that runs"
    tap.equal(f"{what} is in the list", b"running" in running, True)
    tap.equal(f"{what} is followed to its end", b"".join(seen) + rest, wanted)
    tap.equal(f"{what}: all is well then", (process.returncode, said), (0, b""))
    place.clear()


def follow_until_stopped(tap, place):
    lines = lines_of("pass")
    place.write(lines[:2])
    with lock(place.path()):
        process = place.start("log", "--follow")
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT_S)
    tap.equal("Ctrl-C ends following", process.returncode, 130)
    with lock(place.path()) as events:
        process = place.start("log", "@1", "--follow")
        process.stdout.readline()
        threading.Timer(0, events.close).start()
        _, said = process.communicate(timeout=TIMEOUT_S)
    tap.equal("a build whose process goes ends it", (process.returncode, said),
              (0, b"buildr: the build has not finished, and does not run any more\n"))
    place.clear()


def main():
    program = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    tap = Tap()
    with place_of(program) as place:
        give_events_back(tap, place)
        show_as_run_does(tap, place, program)
        list_builds(tap, place)
        show_some_stages(tap, place)
        find_nothing(tap, place)
        write_to_nobody(tap, place)
        follow_a_build(tap, place, False)
        follow_a_build(tap, place, True)
        follow_until_stopped(tap, place)
        show_every_view_of_damaged_logs(tap, place, rounds)
    sys.exit(tap.end())


if __name__ == "__main__":
    main()
