#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The stage cache in whole builds: what runs again and what does not.

    test_cache.py PROGRAM [CASE…]
"""

import contextlib
import shutil
import socket
from pathlib import Path

from builds import build_in, commit, git, write
from cached import (IMAGE, REPOSITORY, TAG, blobs, check_cached, check_whys, kinds, main_of,
                    own_folders, tag, tree, untag)
from support import SOCKET, WIRES, bytes_of, check, check_equal, finish, of_type, place_of, says


# What a stage is.

IDENTITIES = IMAGE + """
environment: {secrets: [SECRET]}
stages: [content, mode, target, added, step, variable, secret, base, needs-base, old, mine]
content: {needs: [], inputs: ["in/*.c"], script: [cat in/a.c]}
mode: {needs: [], inputs: [tool], script: [ls -l tool]}
target: {needs: [], inputs: [link], script: [readlink link]}
added: {needs: [], inputs: ["more/**"], script: [ls more]}
step: {needs: [], inputs: [], script: [echo one]}
variable: {needs: [], inputs: [], environment: [OWN=one], script: [echo $OWN]}
secret: {needs: [], inputs: [], environment: [SECRET], script: [test -n "$SECRET"]}
base: {needs: [], inputs: [], script: [echo one]}
needs-base: {needs: [base], inputs: [], script: [echo above]}
old: {needs: [], inputs: [in/b.c], outputs: [out], script: [cat in/b.c; cp in/b.c out]}
mine: {needs: [], inputs: ["own/**"], outputs: [own/made], script: [touch own/made]}
"""


def change_all(place):
    """Change an ingredient of each stage but the last two."""
    (place.project / "in/a.c").write_text("int b;\n")
    (place.project / "tool").chmod(0o755)
    (place.project / "link").unlink()
    (place.project / "link").symlink_to("elsewhere")
    (place.project / "more/new").write_text("")
    (place.project / "own/made").write_text("changed by hand")
    text = (place.project / ".buildr.yml").read_text()
    for old, new in (("[echo one]", "[echo two]"), ("OWN=one", "OWN=two"),
                     (", old, mine]", ", new, mine] # a comment"),
                     ("old: {needs: [], inputs: [in/b.c],", "new: {inputs: [in/b.c], needs: [],")):
        check(old in text, f"{old} in the manifest")
        text = text.replace(old, new)
    place.manifest(text)


def each_ingredient_counts_and_is_named(program, wire):
    with place_of(program, IDENTITIES) as place:
        write(place, {"in/a.c": "int a;\n", "in/b.c": "\n", "tool": "", "more/old": "",
                      "own/source": ""})
        (place.project / "tool").chmod(0o644)
        (place.project / "link").symlink_to("somewhere")
        built = build_in(place, env={"SECRET": "first-secret"}, wire=wire)
        check_cached(built)
        check_whys(built, {"content": "nothing is known of an earlier run"})
        check_cached(build_in(place, env={"SECRET": "first-secret"}, wire=wire), *built.stages)
        change_all(place)
        built = build_in(place, env={"SECRET": "other-secret"}, wire=wire)
        check_cached(built, "new", "mine")
        check_whys(built, {
            "content": "file 'in/a.c' changed", "mode": "file 'tool' has another mode",
            "target": "link 'link' changed", "added": "file 'more/new' was added",
            "step": "step 1 changed", "variable": "variable OWN changed",
            "secret": "secret SECRET changed", "base": "step 1 changed",
            "needs-base": "stage 'base', which it needs, changed"})
        secrets = (b"first-secret", b"other-secret")
        check(not any(secret in built.result.stdout for secret in secrets), "a secret is told")
        for folder in (".cache/buildr", ".local"):
            for path in filter(Path.is_file, (place.top / folder).rglob("*")):
                check(not any(secret in path.read_bytes() for secret in secrets),
                      f"a secret in {path}")
        check_equal(built.said("new"), "\n", "what the renamed stage said")


def another_checkout_finds_the_same_results(program, wire):
    """Wherever it is, whoever has it in git or not, and whenever its files were written."""
    manifest = IMAGE + """
stages: [plain, commit]
plain: {inputs: [a], outputs: [b], script: [cp a b]}
commit: {needs: [], inputs: [], script: [echo at $BUILDR_COMMIT]}
"""
    with place_of(program, manifest) as place, place_of(program, manifest) as other:
        for each in place, other:
            write(each, {"a": "same"})
        check_cached(build_in(place, wire=wire))
        env = {"XDG_CACHE_HOME": str(place.top / ".cache")}
        check_cached(build_in(other, env=env, wire=wire), "plain", "commit")
        check_equal((other.project / "b").read_text(), "same", "the output")
        git(other, "init", "-q")
        commit(other)
        built = build_in(other, env=env, wire=wire)
        check_cached(built, "plain")
        check_whys(built, {"commit": "variable BUILDR_COMMIT was added"})
        commit(other, "another one")
        built = build_in(other, env=env, wire=wire)
        check_cached(built, "plain")
        check_whys(built, {"commit": "variable BUILDR_COMMIT changed"})


def another_image_of_the_same_name(program, wire):
    """As long as nothing needs the engine it is not asked; then what it says counts."""
    name = f"{TAG}-other"
    manifest = f"""
image: {REPOSITORY}:{name}
stages: [one, two]
one: {{inputs: [], script: [echo "$ROLE"]}}
two: {{needs: [], inputs: [a], script: [echo "$ROLE"]}}
"""
    tag("latest", name)
    try:
        with place_of(program, manifest) as place:
            write(place, {"a": "a"})
            check_cached(build_in(place, wire=wire))
            tag("server", name)
            check_cached(build_in(place, wire=wire), "one", "two")
            write(place, {"a": "b"})
            built = build_in(place, wire=wire)
            check_cached(built)
            check_whys(built, {"one": "its image changed", "two": "its image changed"})
            check_equal((built.said("one"), built.said("two")), ("server\n", "server\n"),
                        "what they said")
            tag("latest", name)
            check_whys(build_in(place, "--pull", "never", "--verify-cache", wire=wire),
                       {"one": "its image changed"})
    finally:
        untag(name)


# What is not done for a hit.


@contextlib.contextmanager
def deaf_engine(path):
    """An engine that nobody is to speak to; fails where somebody does."""
    path.unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        server.setblocking(False)
        yield
        with contextlib.suppress(BlockingIOError):
            server.accept()
            check(False, "the engine was asked for something")


SILENT = IMAGE + f"""
stages: [one, own, two, when, fails, serves]
prepare: {{script: [echo prepared]}}
one: {{inputs: [a], outputs: [out/, "*.txt"], script: [./make]}}
own: {{image: "{REPOSITORY}:{TAG}", inputs: [], script: [echo own]}}
two:
  inputs: [out/a]
  matrix: {{N: [1, 2]}}
  script: [cat out/a, echo $N]
when: {{when: {{branch: never}}, script: [echo never]}}
fails: {{when: {{status: failure}}, script: [echo never]}}
serves:
  inputs: []
  services: [{{image: "{REPOSITORY}:{TAG}", alias: beside, command: [sleep, "1000"]}}]
  script: [echo served]
"""
MAKE = """#!/bin/sh
set -e
mkdir -p out/empty out/deep
cat a > out/a; chmod 751 out/a
printf x > out/deep/x; chmod 600 out/deep/x; chmod 700 out/empty
ln -sf ../a out/link; echo text > made.txt
echo to stdout; echo to stderr >&2; printf 'no end \\377'
"""


def check_replay(first, second):
    """What stages say at a hit is what they have said, byte by byte and in order."""
    for stage in (name for name, result in second.stages.items() if result == "cached"):
        said = [[(event["type"], event["step"], event.get("stream"), event.get("command"),
                  event.get("status"), event.get("line"),
                  bytes_of(event) if event["type"] == "output" else b"")
                 for event in built.events
                 if event.get("stage") == stage and "step" in event and
                 event["type"] != "stage.finished"] for built in (first, second)]
        check_equal(said[1], said[0], f"the events of {stage}")


def nothing_runs_and_nobody_is_asked_when_all_is_there(program, wire):
    with place_of(program, SILENT) as place:
        address = place.top / "engine.sock"
        address.symlink_to(SOCKET)
        asking = "-H", f"unix://{address}"
        write(place, {"a": "content\n", "make": MAKE})
        (place.project / "make").chmod(0o755)
        first = build_in(place, *asking, wire=wire)
        check_cached(first)
        made = tree(place.project)
        shutil.rmtree(place.project / "out")
        (place.project / "made.txt").write_text("something else")
        (place.project / "made.txt").chmod(0o600)
        stages = set(first.stages) - {"prepare", "when", "fails"}
        # Its janitor speaks to the engine still.
        place.check_clean()
        with deaf_engine(address):
            for _ in range(2):
                second = build_in(place, *asking, wire=wire)
                check_cached(second, *stages)
                check_equal((second.why("prepare"), second.why("fails")), ("selection", "when"),
                            "why they are skipped")
                check_equal(tree(place.project), made, "the project")
                check_replay(first, second)
                check(not {"container.started", "image.ready"} & set(kinds(second)),
                      "a container")
        address.unlink()
        address.symlink_to(SOCKET)
        write(place, {"a": "other\n"})
        third = build_in(place, *asking, wire=wire)
        check_cached(third)
        check_whys(third, {"one": "file 'a' changed", "own": "stage 'one', which it needs, changed",
                           "two (N=1)": "stage 'own', which it needs, changed (and 1 more)"})
        third.check_stages(prepare="pass")


def a_hit_needs_only_what_others_need(program, wire):
    """prepare and services run for those that run, and what a hit leaves is there for them."""
    manifest = IMAGE + f"""
stages: [made, used, own]
prepare: {{script: [touch /prepared]}}
made: {{inputs: [a], outputs: [b], script: [cp a b; ls /prepared]}}
used: {{inputs: [c], script: [cat b, ls /prepared]}}
own: {{needs: [], image: "{REPOSITORY}:{TAG}", inputs: [d], script: [cat d]}}
"""
    with place_of(program, manifest) as place:
        write(place, {"a": "content", "c": "", "d": ""})
        check_cached(build_in(place, wire=wire))
        write(place, {"d": "d"})
        built = build_in(place, wire=wire)
        check_cached(built, "made", "used")
        check_equal((built.why("prepare"), len(built.result.of_type("container.started"))),
                    ("selection", 1), "prepare, and containers")
        (place.project / "b").unlink()
        write(place, {"c": "c"})
        built = build_in(place, "-j", "1", wire=wire)
        check_cached(built, "made", "own")
        built.check_stages(prepare="pass", used="pass")
        check_equal(len(built.result.of_type("container.started")), 1, "containers")


SKIPPED_BETWEEN = IMAGE + """
stages: [makes, between, empty, uses]
makes: {script: [cat /proc/sys/kernel/random/uuid > made]}
between: {when: {branch: never}, script: [echo never]}
empty: {script: []}
uses: {inputs: [made], script: [cat made]}
"""


def an_image_that_nothing_is_known_of_is_looked_at_first(program, wire):
    """As on a machine that is new to a cache: no container, and no `prepare`, for hits."""
    manifest = IMAGE + """
stages: [one, two]
prepare: {script: [echo prepared]}
one: {inputs: [a], outputs: [b], script: [cp a b]}
two: {inputs: [b], script: [cat b]}
"""
    with place_of(program, manifest) as place:
        write(place, {"a": "text"})
        check_cached(build_in(place, wire=wire))
        (place.project / "b").unlink()
        shutil.rmtree(place.top / ".cache/buildr/images")
        built = build_in(place, wire=wire)
        check_cached(built, "one", "two")
        check_equal((built.why("prepare"), built.result.of_type("container.started")),
                    ("selection", []), "prepare, and containers")
        check_equal(len(built.result.of_type("image.ready")), 1, "the images that were looked at")
        check_equal((place.project / "b").read_text(), "text", "the output")
        # One that cannot be pulled is not taken for what it was.
        built = build_in(place, "--pull", "always", wire=wire, status=3)
        built.check_stages(one="skipped", two="skipped")


def what_runs_before_is_waited_for_through_others(program, wire):
    """A stage that is skipped, or has no steps, passes on that what it needs runs."""
    with place_of(program, SKIPPED_BETWEEN) as place:
        for _ in range(2):
            built = build_in(place, wire=wire)
            check_cached(built)
            check_equal(built.said("uses"), (place.project / "made").read_text(), "the output")


def what_was_left_out_is_not_known(program, wire):
    """A stage whose needs are not in the build may have read what they left another time."""
    manifest = IMAGE + """
stages: [makes, uses]
makes: {inputs: [a], outputs: [b], script: [cp a b]}
uses: {inputs: [], outputs: [c], script: [cp b c]}
"""
    with place_of(program, manifest) as place:
        write(place, {"a": "one"})
        check_cached(build_in(place, wire=wire))
        check_cached(build_in(place, "--only", "uses", wire=wire))
        write(place, {"a": "two"})
        check_cached(build_in(place, "makes", wire=wire))
        built = build_in(place, "--only", "uses", wire=wire)
        check_cached(built)
        check_equal((place.project / "c").read_text(), "two", "what it made of it")
        write(place, {"a": "one"})
        check_cached(build_in(place, wire=wire), "makes", "uses")
        check_equal((place.project / "c").read_text(), "one", "what is put back")
        check_cached(build_in(place, "--from", "makes", wire=wire), "makes", "uses")


SAYS = IMAGE + """
stages: [old, long, many, bytes]
old: {needs: [], inputs: [a], tty: true, script: ['test -t 1 && echo on a terminal']}
long: {needs: [], inputs: [a], script: ['head -c 300000 /dev/zero | tr "\\0" x', ls]}
many:
  needs: []
  inputs: [a]
  script: ['for i in $(seq 500); do echo out $i; echo err $i >&2; done']
bytes:
  needs: []
  inputs: [a]
  script: [[printf, '\\377\\376 \\n'], 'printf "\\342\\202"; printf "\\254"']
"""


def what_it_said_is_shown_again(program, wire):
    """Byte by byte, under the name that the stage has now, and marked in every view."""
    with place_of(program, SAYS) as place:
        write(place, {"a": ""})
        first = build_in(place, wire=wire)
        check_cached(first)
        second = build_in(place, wire=wire)
        check_cached(second, *first.stages)
        check_replay(first, second)
        for stream in ("stdout", "stderr"):
            check_equal([second.result.output(name, stream) for name in first.stages],
                        [first.result.output(name, stream) for name in first.stages], stream)
        place.manifest(SAYS.replace("[old,", "[new,").replace("\nold:", "\n\n\nnew:"))
        third = build_in(place, wire=wire)
        check_equal(third.said("new"), first.said("old"), "what the renamed stage said")
        check_equal({event["line"] for event in third.result.of_type("step.started")
                     if event["stage"] == "new"}, {6}, "the line of its step")
        report = place.top / "report.xml"
        plain = place.run("new", "-o", "plain", "--junit", str(report), wire=wire)
        check(b"==> stage new (1 step) from the cache\n  $ test" in plain.stderr, plain.stderr)
        check(plain.stdout.startswith(b"new   | on a terminal"), plain.stdout)
        check('<testsuite name="new" tests="1" failures="0"' in report.read_text(), "the report")
        log = place.run("log", "@1", wire=wire).stdout
        check(b"from the cache\n  $ test -t 1 && echo on a terminal\nnew   | on a terminal" in log,
              f"the log: {log}")


def builds_at_once_are_all_right(program, wire):
    """Each stores or finds it, in the same project."""
    manifest = IMAGE + """
stages: [one]
one:
  inputs: [a]
  outputs: [b/]
  script: ['mkdir -p b; for i in 1 2 3 4 5 6 7 8; do cp a b/$i; done']
"""
    with place_of(program, manifest) as place:
        write(place, {"a": "content" * 1000})
        for results in {"pass", "cached"}, {"cached"}, {"cached"}:
            shutil.rmtree(place.project / "b", ignore_errors=True)
            ends = [finish(each) for each in [place.start("run", "-o", "json", wire=wire)
                                              for _ in range(2)]]
            check(all(end.status == 0 and end.events[-1]["stages"]["one"] in results
                      for end in ends), f"the ends {[end.stdout for end in ends]}")
            # What one stores the other one may be writing: then neither has.
            build_in(place, wire=wire)
            check_equal({path.read_text() for path in (place.project / "b").iterdir()},
                        {"content" * 1000}, "the outputs")
            check(not own_folders(place), "our folder is left")


def what_may_follow_a_failure_has_its_prepare(program, wire):
    manifest = IMAGE + f"""
stages: [one, own, report]
prepare: {{script: [touch /prepared]}}
one: {{inputs: [a], script: [ls /prepared]}}
own: {{needs: [], image: "{REPOSITORY}:{TAG}", script: [test -e well]}}
report: {{needs: [own], when: {{status: failure}}, script: [ls /prepared]}}
"""
    with place_of(program, manifest) as place:
        write(place, {"a": "", "well": ""})
        check_cached(build_in(place, wire=wire))
        (place.project / "well").unlink()
        built = build_in(place, wire=wire, status=1)
        check_cached(built, "one")
        built.check_stages(prepare="pass", report="pass")


# Options.


OPTIONS = IMAGE + """
stages: [steady, random, off]
steady: {inputs: [a], outputs: [b], script: [cp a b, echo said]}
random:
  needs: []
  inputs: [a]
  outputs: [c, d]
  retry: 1
  script: [cat /proc/sys/kernel/random/uuid > c; cp a d]
off: {needs: [], cache: false, inputs: [a], script: [cat a]}
"""


def no_cache_neither_reads_nor_writes(program, wire):
    with place_of(program, OPTIONS) as place:
        write(place, {"a": "one"})
        built = build_in(place, "--no-cache", wire=wire)
        check_cached(built)
        check(not any(kind.startswith("cache.") for kind in kinds(built)), "the cache is told of")
        check(not (place.top / ".cache/buildr").exists(), "the store is there")
        check_cached(build_in(place, wire=wire))
        check_cached(build_in(place, "--no-cache", wire=wire))
        check_cached(build_in(place, wire=wire), "steady", "random")
        check_cached(build_in(place, "--pull", "missing", wire=wire), "steady", "random")


def verifying_finds_what_inputs_do_not_name(program, wire):
    with place_of(program, OPTIONS) as place:
        write(place, {"a": "one"})
        build_in(place, wire=wire)
        (kept,) = [path for path in blobs(place) if path.read_text().count("-") == 4]
        built = build_in(place, "--verify-cache", wire=wire, status=1)
        built.check_stages(steady="pass", random="fail", off="pass")
        check_equal([(event["attempt"], event["reason"]) for event in built.finished("random")],
                    [(1, "outputs")], "the ends of the one that differs")
        check("'c'" in built.notices("error") and "'d'" not in built.notices("error"),
              f"it says {built.notices()}")
        built = build_in(place, wire=wire)
        check_cached(built, "steady")
        check_whys(built, {"random": "nothing changed, but no result is stored"})
        check(kept.exists(), "contents stay for the pruning")
        place.manifest(OPTIONS.replace("random/uuid", "osrelease"))
        build_in(place, wire=wire)
        built = build_in(place, "--verify-cache", wire=wire)
        check_cached(built)
        check_whys(built, {"random": "nothing changed, but it runs all the same to verify"})


BOTH = WIRES
ONE = WIRES[:1]
CASES = [
    (function.__name__, function, wires) for function, wires in (
        (each_ingredient_counts_and_is_named, ONE),
        (another_checkout_finds_the_same_results, ONE),
        (another_image_of_the_same_name, ONE),
        (nothing_runs_and_nobody_is_asked_when_all_is_there, BOTH),
        (a_hit_needs_only_what_others_need, ONE),
        (an_image_that_nothing_is_known_of_is_looked_at_first, ONE),
        (what_runs_before_is_waited_for_through_others, ONE),
        (what_was_left_out_is_not_known, ONE),
        (what_it_said_is_shown_again, ONE),
        (builds_at_once_are_all_right, ONE),
        (what_may_follow_a_failure_has_its_prepare, ONE),
        (no_cache_neither_reads_nor_writes, ONE),
        (verifying_finds_what_inputs_do_not_name, ONE),
    )
]

if __name__ == "__main__":
    main_of(CASES)
