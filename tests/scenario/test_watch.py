#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`buildr --watch`: what starts a build, what does not, and how it ends.

    test_watch.py PROGRAM [CASE…]

Nothing here sleeps. That something starts no build is seen by what comes next: a change
that does, after which the builds are counted.
"""

import contextlib
import os
import pty
import shutil
import signal

from builds import git, write
from support import (Place, check, check_equal, finish, kill, main_of_cases, next_event,
                     of_type, says, wait_until)

WAITING = "waiting for files to change"
ONE = """
image: buildr-test:latest
stages: [say]
say:
  script: [cat src/text]
"""


class Watched:
    """A project that is watched, and the events of its builds."""

    def __init__(self, place, process):
        self.place, self.process = place, process
        self.seen = 0

    def write(self, **files):
        write(self.place, {name.replace("__", "/"): text for name, text in files.items()})

    def replace(self, name, text):
        """As editors save: a try, a copy, and a new file that takes the place of the old."""
        path = self.place.project / name
        (path.parent / "4913").touch()
        (path.parent / "4913").unlink()
        shutil.copy(path, path.parent / (path.name + "~"))
        new = path.parent / ".goutputstream-1"
        new.write_text(text)
        new.rename(path)

    def stages(self):
        """Wait for the end of the next build; give how its stages came out."""
        return next_event(self.process, of_type("build.finished"))["stages"]

    def said(self):
        return self.process.said.read_text()

    def wait(self):
        """Wait until it waits once more; give what it has said since the last time."""
        wait_until(lambda: self.said().count(WAITING, self.seen), 120, WAITING)
        said = self.said()
        at = said.index(WAITING, self.seen) + len(WAITING)
        new, self.seen = said[self.seen:at], at
        return new

    def end(self, number=signal.SIGTERM, status=143):
        """End it; give the types of all events that were not read."""
        self.process.send_signal(number)
        result = finish(self.process)
        check_equal(result.status, status, f"exit status; it said {result.stderr!r}")
        return [event["type"] for event in result.events]


@contextlib.contextmanager
def watched(program, manifest, *options, files=None, ignored=None, env=None, cwd=None, **more):
    """A project of git that is watched; all is clean afterwards."""
    place = Place(program)
    try:
        place.manifest(manifest)
        write(place, files or {"src/text": "one\n"})
        if ignored is not None:
            git(place, "init", "-q")
            write(place, {".gitignore": ignored})
            git(place, "add", ".")
            git(place, "commit", "-qm", "one")
        process = place.start("--watch", "-o", "json", *options, env=env, **more,
                              **({"cwd": cwd(place)} if cwd else {}))
        try:
            yield Watched(place, process)
        finally:
            kill(process)
            process.wait()
        place.check_clean()
    finally:
        place.remove()


def a_save_is_one_build_and_what_is_ignored_is_none(program, wire):
    with watched(program, ONE, ignored="*.o\n/target/\n") as project:
        project.stages()
        project.wait()
        # Nothing of this counts; all of it is there before what does.
        write(project.place, {"src/a.o": "x", "target/deep/file": "x", "src/.text.swp": "x"})
        git(project.place, "commit", "-q", "--allow-empty", "-m", "two")
        project.replace("src/text", "two\n")
        next_event(project.process, says("two"))
        project.stages()
        said = project.wait()
        check("buildr: src/text changed\n" in said, said)
        # A folder that is new is watched too, and a link to one above it is no way in.
        new = project.place.top / "new"
        (new / "deep").mkdir(parents=True)
        (new / "loop").symlink_to("..")
        new.rename(project.place.project / "new")
        project.stages()
        check("new/loop changed" in project.wait(), project.said())
        file = project.place.top / "\x1b[2J"
        file.write_text("x")
        file.rename(project.place.project / "new/deep" / file.name)
        project.stages()
        check("new/deep/?[2J changed" in project.wait(), project.said())
        check_equal(project.end(signal.SIGINT, 130), [], "events of builds too many")


CHANGES = """
image: buildr-test:latest
stages: [code, docs, any]
code: {needs: [], when: {changes: src/}, script: [grep right src/text]}
docs: {needs: [], when: {changes: docs/}, script: ["true"]}
any: {needs: [], script: ["true"]}
"""


def runs_what_a_change_concerns(program, wire):
    files = {"src/text": "right\n", "docs/text": "one\n"}
    with watched(program, CHANGES, files=files, ignored="") as project:
        # There is no commit before, so that the first one runs all.
        check_equal(project.stages(), {"code": "pass", "docs": "pass", "any": "pass"}, "first")
        project.wait()
        project.write(src__text="wrong\n")
        check_equal(project.stages(), {"code": "fail", "docs": "skipped", "any": "pass"}, "src")
        project.wait()
        # What has failed is still not well when something else is changed.
        project.write(docs__text="two\n")
        check_equal(project.stages(), {"code": "fail", "docs": "pass", "any": "pass"}, "docs")
        project.wait()
        project.write(src__text="right\n")
        check_equal(project.stages(), {"code": "pass", "docs": "pass", "any": "pass"}, "both")
        project.wait()
        project.write(docs__text="three\n")
        check_equal(project.stages(), {"code": "skipped", "docs": "pass", "any": "pass"}, "last")
        project.wait()
        project.end()


NAMED = """
image: buildr-test:latest
environment: {files: [.env, ../outside]}
stages: [say]
say: {script: ["echo $A$B"]}
"""


def watches_the_manifest_and_the_files_that_it_names(program, wire):
    files = {".env": "A=a\n", "../outside": "B=b\n"}
    with watched(program, NAMED, files=files, ignored=".env\n") as project:
        next_event(project.process, says("ab"))
        project.wait()
        project.write(**{".env": "A=c\n"})
        next_event(project.process, says("cb"))
        project.wait()
        project.write(**{"../outside": "B=d\n"})
        next_event(project.process, says("cd"))
        project.wait()
        project.place.manifest("stages: [")
        check("error:" in project.wait(), project.said())
        project.place.manifest(NAMED.replace("echo ", "echo again "))
        next_event(project.process, says("again cd"))
        project.wait()
        project.end()


WRITES = """
image: buildr-test:latest
stages: [write]
write:
  script: ["cat src/text >> out; cat src/text"]
"""


def builds_do_not_start_each_other_for_ever(program, wire):
    with watched(program, WRITES) as project:
        check("out changes in each build" in project.wait(), project.said())
        project.write(src__text="two\n")
        next_event(project.process, says("two"))
        project.wait()
        check_equal(project.said().count("changes in each build"), 1, "said")
        project.end()
        counted = (project.place.project / "out").read_text()
        check_equal(counted, "one\none\none\ntwo\n", "a line for each build")


OUTPUTS = """
image: buildr-test:latest
stages: [write]
write:
  outputs: [out, /made/**, "gen/", "!gen/keep"]
  script: ["mkdir -p gen; cat src/text | tee -a out gen/a"]
"""


def what_stages_have_as_outputs_is_no_change(program, wire):
    files = {"src/text": "one\n", "made/a": "x"}
    with watched(program, OUTPUTS, files=files) as project:
        project.stages()
        check_equal(project.wait().count("changed"), 0, "builds too many")
        # Nothing of this counts, in a new folder neither; what is taken away does.
        project.write(out="x", made__deep__er="x", gen__a="x", gen__new="x")
        project.write(gen__keep="x")
        project.stages()
        check("buildr: gen/keep changed\n" in project.wait(), project.said())
        # What is no output any more counts at once.
        project.place.manifest(OUTPUTS.replace("/made/**, ", ""))
        project.stages()
        project.wait()
        project.write(made__deep__er="y")
        project.stages()
        check("made/deep/er changed" in project.wait(), project.said())
        check_equal(project.end(), [], "events of builds too many")


SLOW = """
image: buildr-test:latest
stages: [slow]
slow:
  script:
    - text=$(cat src/text)
    - echo "$text"; while [ "$text" = one ] && [ ! -e /tmp/go ]; do
        [ "$(cat src/text)" = one ] || touch /tmp/go; sleep 0.05; done
"""
# It takes a moment to say goodbye: who is stopped twice at once does not wait for that.
HANGS = """
image: buildr-test:latest
stages: [slow]
slow:
  script:
    - |
      set +e
      trap 'n=0; while [ $n -lt 100000 ]; do n=$((n+1)); done; echo goodbye; exit 0' TERM
      echo ready
      while :; do sleep 0.1; done
"""


def what_is_saved_during_a_build_is_built_after_it(program, wire):
    with watched(program, SLOW) as project:
        next_event(project.process, says("one"))
        project.replace("src/text", "two\n")
        check_equal(project.stages(), {"slow": "pass"}, "the build that ran")
        next_event(project.process, says("two"))
        project.stages()
        check("src/text changed while the build ran" in project.wait(), project.said())
        project.end()


def a_signal_stops_the_build_and_ends(program, wire):
    """To the whole group, as a terminal does: it must not count twice."""
    with watched(program, HANGS, "--grace", "100s") as project:
        next_event(project.process, says("ready"))
        os.killpg(project.process.pid, signal.SIGINT)
        next_event(project.process, says("goodbye"))
        check_equal(project.stages(), {"slow": "cancelled"}, "stages")
        check_equal(finish(project.process).status, 130, "exit status")


def a_watcher_that_is_killed_leaves_no_build(program, wire):
    with watched(program, HANGS) as project:
        next_event(project.process, says("ready"))
        project.process.kill()
        check_equal(project.stages(), {"slow": "cancelled"}, "stages")


def ends_when_the_project_is_gone(program, wire):
    def below(place):
        return place.top

    with watched(program, ONE, "-C", "project", cwd=below) as project:
        project.wait()
        project.place.project.rename(project.place.top / "elsewhere")
        result = finish(project.process)
        check_equal(result.status, 3, "exit status")
        check(b"is gone" in result.stderr, result.stderr)
        (project.place.top / "elsewhere").rename(project.place.project)


def works_without_git(program, wire):
    with watched(program, ONE, env={"PATH": "/nonexistent"}, ignored="*.o\n") as project:
        project.wait()
        project.write(**{"src/a.o": "x"})
        project.stages()
        check("git does not say" in project.said(), project.said())
        project.wait()
        project.end()


def the_terminal_has_two_keys(program, wire):
    place = Place(program)
    ours, theirs = pty.openpty()
    try:
        place.manifest(ONE)
        write(place, {"src/text": "one\n"})
        process = place.start("--watch", "-o", "json", stdin=theirs)
        project = Watched(place, process)
        project.stages()
        project.wait()
        check("Enter: run again" in project.said(), project.said())
        os.write(ours, b"\n")
        project.stages()
        project.wait()
        os.write(ours, b"q\n")
        check_equal(finish(process).status, 0, "exit status")
        place.check_clean()
    finally:
        os.close(ours)
        os.close(theirs)
        kill(process)
        place.remove()


def a_limit_of_the_machine_is_named(program, wire):
    """Of a namespace of its own; where none can be made there is nothing to see."""
    place = Place(program)
    limits = "/proc/sys/user/max_inotify_watches"
    try:
        place.manifest(ONE)
        write(place, {"src/text": "one\n"})
        result = place.shell(f"unshare -Ur sh -c 'echo 1 >{limits} && exec buildr --watch' || "
                             "{ s=$?; unshare -Ur true || exit 3; exit $s; }", wire)
        check_equal(result.status, 3, f"exit status; it said {result.stderr!r}")
        check(b"max_user_watches" in result.stderr or b"unshare" in result.stderr,
              result.stderr)
    finally:
        place.remove()


def wrong_usage_ends_it(program, wire):
    place = Place(program)
    try:
        check_equal(place.run("--watch").status, 2, "without a manifest")
        check_equal(place.run("--watch", "-f", "none").status, 2, "with a wrong one")
    finally:
        place.remove()


if __name__ == "__main__":
    main_of_cases([(case.__name__, case, ("socket",)) for case in (
        a_save_is_one_build_and_what_is_ignored_is_none,
        runs_what_a_change_concerns,
        watches_the_manifest_and_the_files_that_it_names,
        builds_do_not_start_each_other_for_ever,
        what_stages_have_as_outputs_is_no_change,
        what_is_saved_during_a_build_is_built_after_it,
        a_signal_stops_the_build_and_ends,
        a_watcher_that_is_killed_leaves_no_build,
        ends_when_the_project_is_gone,
        works_without_git,
        the_terminal_has_two_keys,
        a_limit_of_the_machine_is_named,
        wrong_usage_ends_it,
    )], jobs=4)
