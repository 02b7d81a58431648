#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""buildr why, by the program itself, without an engine.

    test_why.py PROGRAM BUILD_TOOL

What a build remembers of its stages is remembered by BUILD_TOOL, as a build does it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scenario"))
from support import check, check_equal, run_tests  # noqa: E402

PROGRAM = Path(sys.argv[1]).resolve()
TOOL = Path(sys.argv[2]).resolve()
SECONDS = 60
# Nobody listens there, and nobody has to.
ENGINE = "unix:///nowhere/at/all.sock"
CHAIN = """
image: alpine:3.20
environment: {vars: [MODE=a, KEY=first], secrets: [KEY]}
stages: [gen, build, test]
gen: {inputs: [inc/**], script: [make gen]}
build: {inputs: [src/**], script: [make]}
test: {inputs: [t], script: [make test]}
"""
ALONE = """
image: alpine:3.20
stages: [test]
test: {inputs: [t, touched], script: [make test]}
"""


class Place:
    """A project, and a store of its own."""

    def __init__(self):
        self.top = Path(tempfile.mkdtemp(prefix="why-")).resolve()
        self.store = self.top / "cache/buildr"
        self.project = self.top / "project"
        self.project.mkdir()

    def write(self, files):
        for name, text in files.items():
            path = self.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def start(self, *command):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("BUILDR_")}
        environment |= {"XDG_CACHE_HOME": str(self.top / "cache"),
                        "XDG_CONFIG_HOME": str(self.top / "config")}
        return subprocess.run(command, cwd=self.project, env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=SECONDS, check=False)

    def build(self, *words):
        """Look stages up and run them; give what became of each."""
        done = self.start(TOOL, self.store, ENGINE, *words)
        check_equal((done.returncode, done.stderr), (0, ""), "the build")
        return done.stdout.splitlines()

    def run(self, *arguments):
        done = self.start(PROGRAM, "why", "-H", ENGINE, *arguments)
        return done.returncode, done.stdout, done.stderr

    def why(self, *arguments):
        """Give what is said, with every time as AGO."""
        status, out, err = self.run(*arguments)
        check_equal((status, err), (0, ""), f"why {arguments}")
        return re.sub(r"just now|\d+ (second|minute)s? ago", "AGO", out)

    def object(self, *arguments):
        status, out, err = self.run("-o", "json", *arguments)
        check_equal((status, err), (0, ""), f"why {arguments}")
        return json.loads(out)

    def tree(self):
        """Give every file of the store but the index, with its time."""
        return sorted((str(path), path.stat().st_mtime_ns)
                      for path in self.store.rglob("*")
                      if path.is_file() and not path.name.startswith("index.db") and
                      path.parent.name != "images")

    def remove(self):
        shutil.rmtree(self.top)


def with_place(test):
    def run():
        place = Place()
        test(place)
        place.remove()
    return test.__name__, run


FIRST = "it ran the last time because:\n  it was the first time here\n"


@with_place
def names_every_ingredient_that_differs_and_what_did_in_what_is_needed(place):
    place.write({".buildr.yml": CHAIN, "inc/a": "1", "src/a": "1", "src/b": "1", "t": "1"})
    place.build()
    check_equal(place.why("test"), f"nothing of test has changed since its last run (AGO)\n{FIRST}",
                "nothing")
    (place.project / "src/a").chmod(0o755)
    (place.project / "src/b").unlink()
    place.write({".buildr.yml": CHAIN.replace("MODE=a", "MODE=b").replace("first", "second"),
                 "inc/line\nfeed": "2", "t": "2"})
    before = place.tree()
    check_equal(place.why("test").partition("it ran")[0], """test would run again:
  variable MODE changed
  secret KEY changed
  stage 'build', which it needs, changed:
    variable MODE changed
    secret KEY changed
    stage 'gen', which it needs, changed:
      variable MODE changed
      secret KEY changed
      file 'inc/line\\012feed' was added
    file 'src/a' has another mode
    file 'src/b' was removed
  file 't' changed
""", "all of it")
    check_equal(place.tree(), before, "the store")
    place.build()
    check(place.why("test").startswith("nothing of test has changed since its last run (AGO)\n"
                                       "it ran the last time because:\n  variable MODE changed\n"
                                       "  secret KEY changed\n  stage 'build', which it needs, "
                                       "changed:\n    variable MODE changed\n"),
          place.why("test"))


@with_place
def a_build_that_found_the_result_leaves_why_it_ran(place):
    place.write({".buildr.yml": ALONE, "t": "1"})
    place.build()
    place.write({"t": "2"})
    place.build()
    place.write({"t": "1"})
    check_equal(place.why("test"), """test has changed since it was last looked at (AGO), \
but its result is stored, and it would not run:
  file 't' changed
it ran the last time (AGO) because:
  file 't' changed
""", "a result of before")
    check_equal(place.build(), ["test hit"], "the build")
    check_equal(place.why("test"), """nothing of test has changed since it was last looked at \
(AGO), when its result was there
it ran the last time (AGO) because:
  file 't' changed
""", "after the hit")


@with_place
def a_build_that_never_got_that_far_hides_nothing(place):
    place.write({".buildr.yml": ALONE, "t": "1"})
    place.build()
    place.write({"t": "2"})
    for _ in range(2):
        check_equal(place.build("look:test"), ["test miss: file 't' changed"], "the build")
    check_equal(place.build("fail:test"), ["test miss: file 't' changed"], "the build")
    check_equal(place.build("look:test"), ["test miss: nothing changed, but no result is stored"],
                "the build")
    place.build()
    check_equal(place.why("test"), "nothing of test has changed since its last run (AGO)\n"
                "it ran the last time because:\n  nothing changed, but no result is stored\n",
                "the last run")


@with_place
def of_what_is_needed_it_tells_only_what_happened_since(place):
    place.write({".buildr.yml": CHAIN, "inc/a": "1", "src/a": "1", "t": "1"})
    place.build()
    place.write({"inc/a": "2"})
    place.build()
    # Back to what there is a result for: neither gen nor build runs.
    place.write({"inc/a": "1", "t": "2"})
    check_equal([line.split()[1] for line in place.build()], ["hit", "hit", "miss:"], "the build")
    said = "  stage 'build', which it needs, changed\n  file 't' changed\n"
    check_equal(place.why("test"), f"nothing of test has changed since its last run (AGO)\n"
                f"it ran the last time because:\n{said}", "the last run")


@with_place
def what_several_stages_need_is_told_once(place):
    place.write({".buildr.yml": """
image: alpine:3.20
stages: [nothing, top, left, right, bottom]
nothing: {inputs: [t]}
top: {inputs: [t], script: [a]}
left: {needs: [top], inputs: [l], script: [a]}
right: {needs: [top], inputs: [r], script: [a]}
bottom: {needs: [left, right], inputs: [b], script: [a]}
""", "t": "1", "l": "1", "r": "1", "b": "1"})
    place.build()
    place.write({"t": "2"})
    check_equal(place.why("bottom").partition("it ran")[0], """bottom would run again:
  stage 'left', which it needs, changed:
    stage 'top', which it needs, changed:
      file 't' changed
  stage 'right', which it needs, changed:
    stage 'top', which it needs, changed
""", "now")


@with_place
def says_why_there_is_no_result_though_nothing_changed(place):
    place.write({".buildr.yml": ALONE, "t": "1", "touched": "x"})
    again = "test would run again: nothing has changed since its last run (AGO), but "
    place.build("fail:test")
    check_equal(place.why("test"),
                f"{again}that run has left no result: it failed or was stopped\n{FIRST}", "failed")
    shutil.rmtree(place.store)
    place.build("touch:test")
    place.write({"touched": "x"})
    check_equal(place.why("test"),
                f"{again}its result was not stored: file 'touched' changed while it ran\n{FIRST}",
                "refused")
    shutil.rmtree(place.store)
    place.build()
    (result,) = place.store.glob("ac/*/*")
    result.chmod(0o600)
    result.write_bytes(b"no result")
    check_equal(place.why("test"), f"{again}the stored result is damaged\n{FIRST}", "damaged")
    result.unlink()
    check_equal(place.why("test"), f"{again}its result is not stored any more\n{FIRST}", "pruned")


@with_place
def where_nothing_ran_yet_it_says_so_and_makes_no_store(place):
    place.write({".buildr.yml": ALONE, "t": "1"})
    check_equal(place.why("test"), "test would run: nothing is known of an earlier run here\n",
                "no store")
    check(not place.store.exists(), "a store was made")
    place.build()
    shutil.copytree(place.project, place.top / "copy")
    place.project = place.top / "copy"
    check_equal(place.why("test"),
                "test would not run: it never has here, but its result is stored\n", "elsewhere")


@with_place
def says_what_is_no_matter_of_files(place):
    place.write({".buildr.yml": """
image: alpine:3.20
stages: [each, off, never, far, none]
prepare: {script: [a]}
each: {script: [a]}
off: {inputs: [t], cache: false, script: [a]}
never: {inputs: [t], script: [a], when: {env: {NO_SUCH_VARIABLE: x}}}
far: {inputs: [t], image: 'far:1', script: [a]}
none: {inputs: [t]}
""", "t": "1"})
    place.store.mkdir(parents=True)
    for stage, words in (
            ("prepare", "prepare is not cached: it runs whenever a stage in the build's"),
            ("each", "each is not cached: it has no 'inputs', and runs each time"),
            ("off", "off is not cached: it has 'cache: false', and runs each time"),
            ("never", "never would be skipped: "),
            ("far", "whether far would run again cannot be said: what the image 'far:1' is"),
            ("none", "none is not cached: it has no steps")):
        check(place.why(stage).startswith(words), place.why(stage))


@with_place
def a_matrix_is_each_of_its_stages(place):
    place.write({".buildr.yml": """
image: alpine:3.20
stages: [test, other]
test: {matrix: {PY: [3, 4]}, inputs: [t], script: [a]}
other: {script: [a]}
""", "t": "1"})
    place.build()
    both = [f"nothing of test (PY={number}) has changed since its last run (AGO)"
            for number in (3, 4)]
    for names, wanted in ((["test"], both), (["test (PY=4)"], both[1:]), (["t?s*"], both),
                          (["te?t"], both)):
        seen = [line for line in place.why(*names).splitlines() if line.startswith("nothing")]
        check_equal(seen, wanted, str(names))


@with_place
def what_the_command_line_changes_differs(place):
    place.write({".buildr.yml": ALONE, "t": "1"})
    place.build()
    check("  variable MORE was added\n" in place.why("test", "-e", "MORE=1"), "-e")
    check("what the image 'other:1' is, is not known" in place.why("test", "--image", "other:1"),
          "--image")


@with_place
def as_json_it_is_an_object_for_each_stage(place):
    place.write({".buildr.yml": CHAIN, "inc/a": "1", "src/a": "1", "t": "1"})
    place.build()
    place.write({"inc/a": "2"})
    found = place.object("test")
    check_equal((found["stage"], found["state"], found["stored"], len(found["key"])),
                ("test", "changed", False, 64), "the object")
    file = {"kind": "changed", "ingredient": "file", "name": "inc/a"}
    gen = {"kind": "changed", "ingredient": "need", "name": "gen", "differences": [file]}
    build = {"kind": "changed", "ingredient": "need", "name": "build", "differences": [gen]}
    check_equal(found["differences"], [build], "the differences")
    check_equal((found["last_run"]["result"], found["last_run"]["differences"]),
                ("stored", []), "the last run")
    place.build()
    found = place.object("test")
    check_equal((found["state"], found["stored"], found["differences"]),
                ("unchanged", True, []), "after the build")
    check_equal(found["last_run"]["differences"], [build], "the last run")
    check(found["looked_at"].endswith("Z") and found["last_run"]["time"].endswith("Z"), str(found))


@with_place
def a_record_that_cannot_be_read_is_what_differs(place):
    place.write({".buildr.yml": ALONE, "t": "1"})
    place.build()
    (record,) = [path for path in place.store.glob("stages/*/*") if not path.suffix]
    lines = record.read_bytes().splitlines(keepends=True)
    lines[1] = b"0" * 64 + b"\n"
    lines[4] = b"buildr-key 0\n"
    record.chmod(0o600)
    record.write_bytes(b"".join(lines))
    check("  the record of the last run is of another version\n" in place.why("test"),
          place.why("test"))
    check_equal(place.object("test")["differences"], [], "as JSON")


@with_place
def says_what_is_wrong_with_how_it_is_called(place):
    place.write({".buildr.yml": ALONE})
    for arguments, wanted, words in (
            ((), 2, "wants to know which"),
            (("tset",), 2, "did you mean 'test'?"),
            (("x*",), 2, "no stage in .buildr.yml matches 'x*'"),
            (("test", "-o", "plain"), 2, "does not know this form of --output"),
            (("test", "--jobs", "2"), 2, "--jobs is no option of 'buildr why'"),
            (("test", "-H", "ftp://engine"), 2, "ftp://engine")):
        status, out, err = place.run(*arguments)
        check_equal((status, out), (wanted, ""), str(arguments))
        check(words in err, f"{arguments}: {err}")
    place.store.parent.mkdir()
    place.store.write_text("no folder", encoding="utf-8")
    status, out, err = place.run("test")
    check_equal((status, out), (3, ""), "a store that is none")
    check("cache" in err, err)


TESTS = [
    names_every_ingredient_that_differs_and_what_did_in_what_is_needed,
    a_build_that_found_the_result_leaves_why_it_ran,
    a_build_that_never_got_that_far_hides_nothing,
    of_what_is_needed_it_tells_only_what_happened_since,
    what_several_stages_need_is_told_once,
    says_why_there_is_no_result_though_nothing_changed,
    where_nothing_ran_yet_it_says_so_and_makes_no_store,
    says_what_is_no_matter_of_files,
    a_matrix_is_each_of_its_stages,
    what_the_command_line_changes_differs,
    as_json_it_is_an_object_for_each_stage,
    a_record_that_cannot_be_read_is_what_differs,
    says_what_is_wrong_with_how_it_is_called,
]

if __name__ == "__main__":
    sys.exit(run_tests(TESTS))
