#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The live view in real terminals: what stands there while a build runs, and afterwards.

usage: test_screens.py SHOW_EVENTS            print TAP
       test_screens.py SHOW_EVENTS --update   rewrite the transcripts

The events come through a pipe that stays open, so that the view goes on as in a build. The
transcripts of the recorded events of tests/view are NAME.live beside this file.
"""

import contextlib
import os
import signal
import sys
import tempfile
from pathlib import Path

from terminal import Events, Terminal, check, check_equal, run_tests, steady, wait_until

HERE = Path(__file__).resolve().parent
RECORDED = HERE.parent / "view"
TRANSCRIPTS = ("escapes", "fail-memory", "graph", "image-missing", "interleaved", "retry",
               "unended")


# The terminal outlives the view, and says how it ended.
SCRIPT = """
"$0" live "$@" <events &
echo $! >pid
wait $!
echo "ended $?"
exec cat
"""


class Show:
    """show_events in a terminal, and the pipe that it reads."""

    def __init__(self, program, columns, rows, *options, **more):
        self.folder = tempfile.TemporaryDirectory(prefix="screens-")
        path = os.path.join(self.folder.name, "events")
        os.mkfifo(path)
        self.terminal = Terminal(columns, rows, ["sh", "-c", SCRIPT, program, *options],
                                 cwd=self.folder.name, **more)
        self.pipe = os.open(path, os.O_WRONLY)

    def write(self, data):
        view = memoryview(data)
        while view:
            view = view[os.write(self.pipe, view):]

    def end(self):
        """Close the pipe; give the status and the transcript."""
        self.close_pipe()
        self.terminal.wait_until(
            lambda: "ended " in "".join(self.terminal.transcript()[-1:]), "the end")
        *transcript, last = self.terminal.transcript()
        check(self.terminal.has_cursor(), "the cursor is hidden")
        return int(last.rpartition(" ")[2]), transcript

    def pid(self):
        return int((Path(self.folder.name) / "pid").read_text("utf-8"))

    def close_pipe(self):
        if self.pipe >= 0:
            os.close(self.pipe)
            self.pipe = -1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.close_pipe()
        self.terminal.close()
        self.folder.cleanup()


def three_stages():
    events = Events("build", "lint", "test", "deploy")
    events.start("build", "make -j8", "make install")
    events.start("lint", "./lint --all").start("test", "pytest")
    events.say("build", "cc a.c\ncc b.c\n[3/9] cc c")
    events.say("lint", "one\ntwo\nthree\nfour\n").say("test", "wide 中文字 é\r\n")
    return events


THREE = {
    (80, 24): ["==> build 0192f0c1-2b3c of /home/ann/app in alpine:3.20",
               "==> stage build (2 steps)", "  build $ make -j8", "build  | cc a.c",
               "build  | cc b.c", "build TIME  1/2 $ make -j8", "  │ [3/9] cc c",
               "lint TIME  1/1 $ ./lint --all", "  │ two", "  │ three", "  │ four",
               "test TIME  1/1 $ pytest", "  │ wide 中文字 é",
               "* 3 running, 1 waiting, TIME"],
    (40, 12): ["  build $ make -j8", "build  | cc a.c", "build  | cc b.c",
               "build TIME  1/2 $ make -j8", "  │ [3/9] cc c",
               "lint TIME  1/1 $ ./lint --all", "  │ four", "test TIME  1/1 $ pytest",
               "  │ wide 中文字 é", "* 3 running, 1 waiting, TIME"],
    (20, 6): ["build  | cc a.c", "build  | cc b.c", "build TIME  1/2 $…",
              "lint TIME  1/1 $…", "test TIME  1/1 $…", "* 3 running, 1 wai…"],
}


def shows_what_runs(program, size):
    with Show(program, *size, "unicode") as show:
        show.write(three_stages().take())
        wanted = THREE[size]
        show.terminal.wait_until(
            lambda: steady(show.terminal.screen())[-len(wanted):] == wanted,
            "\n".join(wanted))
        show.terminal.wait_until(show.terminal.has_cursor, "the cursor")


def has_ascii_where_the_terminal_has_no_more(program):
    with Show(program, 60, 24) as show:
        events = three_stages()
        events.add("image.pulling", image="postgres:16", done=12300000, total=49200000)
        show.write(events.take())
        show.terminal.wait_for("pulling")
        screen = steady(show.terminal.screen())
        check("pulling postgres:16 TIME  [###--------] 12.3 MB of 49.2 MB" in screen,
              f"no pull in {screen}")
        check_equal([line for line in screen if "wide" in line], ["  | wide ??? ?"], "a tail")


def ten_stages_at_once(program):
    names = [f"stage-{i}" for i in range(10)]
    events = Events(*names)
    for name in names:
        events.start(name, "make").say(name, f"{name} works\n")
    with Show(program, 60, 24, "unicode") as show:
        show.write(events.take())
        show.terminal.wait_for("10 running")
        screen = steady(show.terminal.screen())
        for name in names:
            check(f"{name} TIME  1/1 $ make" in screen, f"{name} is not shown: {screen}")
        show.terminal.resize(60, 9)
        show.terminal.wait_for("and 6 more")
        events.finish(**{name: "pass" for name in names})
        show.write(events.take())
        status, transcript = show.end()
        check_equal(status, 0, "the status")
        for name in names:
            check_equal(transcript.count(f"{name} | {name} works"), 1, f"what {name} wrote")


END = {"build": "pass", "lint": "pass", "test": "fail", "deploy": "skipped"}


def end_three(show, events):
    events.say("build", "\n").end("lint").end("test", 3).end("build").finish(**END)
    show.write(events.take())
    status, transcript = show.end()
    check_equal(status, 0, "the status")
    return transcript


def wait_for_frames(terminal):
    """Wait until the view has drawn twice."""
    for _ in range(2):
        before = terminal.screen()
        terminal.wait_until(lambda seen=before: terminal.screen() != seen, "another frame")


def leaves_the_same_behind_when_it_is_resized(program):
    seen = []
    for sizes in ((), ((60, 24), (100, 14), (60, 10), (80, 24))):
        with Show(program, 80, 24, "unicode") as show:
            events = three_stages()
            show.write(events.take())
            show.terminal.wait_for("3 running")
            for columns, rows in sizes:
                show.terminal.resize(columns, rows)
                wait_for_frames(show.terminal)
            seen.append(end_three(show, events))
    check_equal(seen[1], seen[0], "the transcript")
    check_equal([line for line in seen[1] if "running" in line], [], "what is left of the view")


def loses_nothing_in_the_wildest_sizes(program):
    """A terminal that wraps what changes may move it where nobody can erase it."""
    wanted = []
    for sizes in ((), ((30, 24), (100, 24), (41, 5), (80, 2), (1, 1), (120, 40))):
        with Show(program, 80, 24, "unicode") as show:
            events = three_stages()
            show.write(events.take())
            for columns, rows in sizes:
                show.terminal.resize(columns, rows)
            seen = iter(end_three(show, events))
            if not sizes:
                wanted = list(seen)
            lost = [line for line in wanted if line not in seen]
            check(sizes or wanted, "there is no transcript")
            check_equal(lost if sizes else [], [], "what is lost")


def a_terminal_of_one_character(program):
    with Show(program, 1, 1) as show:
        events = three_stages()
        events.end("build").end("lint").end("test")
        events.finish(build="pass", lint="pass", test="pass", deploy="skipped")
        show.write(events.take())
        check_equal(show.end()[0], 0, "the status")


def a_terminal_that_goes_away(program):
    with Show(program, 80, 24) as show:
        show.write(three_stages().take())
        show.terminal.wait_for("3 running")
        pid = show.pid()
        os.kill(pid, 0)
        show.terminal.close()
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the end of the view")


def a_view_that_is_killed_leaves_the_cursor(program):
    with Show(program, 80, 24) as show:
        show.write(three_stages().take())
        show.terminal.wait_for("3 running")
        os.kill(show.pid(), signal.SIGKILL)
        show.terminal.wait_for("ended 137")
        check(show.terminal.has_cursor(), "the cursor is hidden")


def what_is_typed_does_not_stay(program):
    with Show(program, 80, 24) as show:
        events = three_stages()
        show.write(events.take())
        show.terminal.wait_for("3 running")
        show.terminal.send("typed")
        show.terminal.wait_until(
            lambda: any(line.startswith("build ") for line in show.terminal.screen()),
            "the line to come back")


def transcript_of(program, name):
    with Show(program, 80, 24, "color", "unicode") as show:
        show.write((RECORDED / f"{name}.events").read_bytes().replace(b"flush\n", b""))
        return show.end()


def leaves_a_transcript(program, name):
    status, transcript = transcript_of(program, name)
    check_equal(status, 0, "the status")
    check_equal(transcript, (HERE / f"{name}.live").read_text("utf-8").split("\n")[:-1], name)


def main():
    program = str(Path(sys.argv[1]).resolve())
    if sys.argv[2:] == ["--update"]:
        for name in TRANSCRIPTS:
            lines = transcript_of(program, name)[1]
            (HERE / f"{name}.live").write_text("\n".join(lines) + "\n", "utf-8")
        return 0
    tests = [(f"shows what runs on {columns} columns",
              lambda size=(columns, rows): shows_what_runs(program, size))
             for columns, rows in THREE]
    tests += [(function.__name__.replace("_", " "), lambda test=function: test(program))
              for function in (
                  has_ascii_where_the_terminal_has_no_more, ten_stages_at_once,
                  leaves_the_same_behind_when_it_is_resized,
                  loses_nothing_in_the_wildest_sizes, a_terminal_of_one_character,
                  a_terminal_that_goes_away, a_view_that_is_killed_leaves_the_cursor,
                  what_is_typed_does_not_stay)]
    tests += [(f"leaves a transcript: {name}",
               lambda name=name: leaves_a_transcript(program, name)) for name in TRANSCRIPTS]
    return run_tests(tests)


if __name__ == "__main__":
    sys.exit(main())
