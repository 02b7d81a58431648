#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Stages as a graph: what runs beside what, and in which container.

    test_graph.py PROGRAM [CASE…]

No test measures time: that stages run at once is proved by letting them meet.
"""

import os

from builds import IMAGE, build, build_in, check_build, meet, under_way
from order import check_needs, most_at_once
from support import WIRES, check, check_equal, finish, main_of_cases, next_event, place_of


def starts(events):
    return [event["stage"] for event in events if event["type"] == "stage.started"]


# Needs and jobs.


def without_needs_each_waits_for_the_one_before(program, wire):
    ran = build(program, IMAGE + """
stages: [one, two, three]
three: {script: [cat two]}
one: {script: [sleep 0.2; echo 1 > one]}
two: {script: [cat one > two]}
""", wire=wire)
    check_equal(starts(ran.events), ["one", "two", "three"], "the starts")
    check_equal((ran.said("three"), most_at_once(ran.events)), ("1\n", 1), "the output")


def stages_that_need_nothing_run_at_once(program, wire):
    ran = build(program, IMAGE + f"""
stages: [a, b]
a: {meet('a', 'b')}
b: {meet('b', 'a')}
""", "-j", "2", wire=wire)
    check_equal(most_at_once(ran.events), 2, "stages at once")


def a_diamond(program, wire):
    ran = build(program, IMAGE + f"""
stages: [top, left, right, bottom]
top: {{script: [sleep 0.1; touch top]}}
left: {meet('left', 'right').replace('needs: []', 'needs: [top]')}
right: {meet('right', 'left').replace('needs: []', 'needs: [top]')}
bottom: {{needs: [left, right], script: [ls at-left at-right top]}}
""", wire=wire)
    check_needs(ran.events, {"left": ["top"], "right": ["top"], "bottom": ["left", "right"]})


def a_stage_starts_as_soon_as_its_own_needs_are_there(program, wire):
    """No levels: c runs while b, which came before it, still does."""
    ran = build(program, IMAGE + """
stages: [a, b, c]
a: {script: ['true']}
b: {needs: [], timeout: 100s, script: ['while [ ! -e c-ran ]; do sleep 0.02; done']}
c: {needs: [a], script: [touch c-ran]}
""", "-j", "2", wire=wire)
    check_equal(ran.stages, {"a": "pass", "b": "pass", "c": "pass"}, "the stages")


FIVE = IMAGE + "stages: [a, b, c, d, e]\n" + "".join(
    f"{name}: {{needs: [], script: [sleep 0.05]}}\n" for name in "abcde")


def jobs_is_how_many_run_at_once(program, wire):
    for jobs in (1, 2, 3):
        ran = build(program, FIVE, "-j", str(jobs), wire=wire)
        check_equal(most_at_once(ran.events), jobs, f"stages at once with -j {jobs}")


def the_longest_path_goes_first(program, wire):
    ran = build(program, IMAGE + """
stages: [short, first, second, third]
short: {needs: [], script: ['true']}
first: {needs: [], script: ['true']}
second: {script: ['true']}
third: {script: ['true']}
""", "-j", "1", wire=wire)
    check_equal(starts(ran.events)[0], "first", "the first stage")


def all_wait_for_prepare(program, wire):
    ran = build(program, IMAGE + """
prepare: {script: [sleep 0.3; touch prepared]}
stages: [none, own]
none: {needs: [], script: [ls prepared]}
own: {needs: [], image: 'buildr-test:configured', script: [ls prepared]}
""", wire=wire)
    check_needs(ran.events, {"none": ["prepare"], "own": ["prepare"]})


# Containers.


OWN = IMAGE + """
stages: [serve, own]
serve: {script: [echo hello > page; httpd -p 127.0.0.1:8099 -h /app; readlink /proc/self/ns/net]}
own:
  image: buildr-test:configured
  user: root
  script:
    - echo "$IMAGE_ONLY"; touch by-own; readlink /proc/self/ns/net
    - wget -q -O - http://127.0.0.1:8099/page
"""


def an_image_of_its_own_shares_project_and_network(program, wire):
    with place_of(program, OWN) as place:
        ran = build_in(place, wire=wire)
        mine, network, page = ran.said("own").splitlines()
        check_equal((mine, network, page), ("image", ran.said("serve").strip(), "hello"),
                    "what the stage with its own image said")
        check((place.project / "by-own").exists(), "the project is not shared")
        check_equal([event["image"] for event in ran.result.of_type("container.started")],
                    ["buildr-test:latest", "buildr-test:configured"], "the containers")


def network_host_and_none(program, wire):
    for network, is_shared in (("host", True), ("none", False)):
        ran = build(program, f"network: {network}\n" + IMAGE + """
stages: [shared, own]
shared: {script: [readlink /proc/self/ns/net]}
own: {image: 'buildr-test:configured', script: [readlink /proc/self/ns/net]}
""", wire=wire)
        check_equal(ran.said("own") == ran.said("shared"), is_shared, f"one network ({network})")


def own_images_run_beside_the_others(program, wire):
    meets = (meet(me, other).replace("{", f"{{image: 'buildr-test:{tag}', user: root, ", 1)
             for me, other, tag in (("a", "b", "configured"), ("b", "a", "latest")))
    ran = build(program, IMAGE + "stages: [a, b]\na: {}\nb: {}\n".format(*meets), "-j", "2",
                wire=wire)
    check_equal(len(ran.result.of_type("container.started")), 2, "containers")


def a_container_is_there_before_its_turn(program, wire):
    """It comes up while others take all jobs, though it could run if there were more."""
    with under_way(program, IMAGE + """
defaults: {timeout: 100s}
stages: [busy, own]
busy:
  needs: []
  image: buildr-test:latest
  script: ['while [ ! -e come ]; do sleep 0.02; done']
own: {needs: [], image: 'buildr-test:configured', script: ['true']}
""", "-j", "1", wire=wire) as (place, process):
        next_event(process, lambda event: event["type"] == "container.started" and
                   event["image"] == "buildr-test:configured")
        (place.project / "come").touch()
        check_equal(finish(process).status, 0, "exit status")


def an_image_is_told_of_once(program, wire):
    """Also where its first container has long gone: what the checker looks at."""
    for pull in ("missing", "never"):
        build(program, IMAGE + """
stages: [a, b, c, d]
a: {image: 'buildr-test:configured', script: ['true']}
b: {image: 'buildr-test:server', script: [sleep 1]}
c: {image: 'buildr-test:server', script: ['true']}
d: {image: 'buildr-test:configured', script: ['true']}
""", "-j", "1", "--pull", pull, wire=wire)


def a_missing_image_of_one_stage(program, wire):
    ran = build(program, IMAGE + """
stages: [bad, after, good, own]
bad: {image: 'buildr-test:no-such-tag', script: [echo never]}
after: {script: [echo never]}
good: {needs: [], script: [sleep 0.5; echo good]}
own: {needs: [good], image: 'buildr-test:configured', script: [echo own]}
""", "--pull", "never", wire=wire, status=3)
    check_equal(ran.stages, {"bad": "error", "after": "skipped", "good": "pass", "own": "pass"},
                "the stages")
    check_equal((ran.why("bad"), ran.why("after")), ("engine", "needs"), "the reasons")
    check("no-such-tag" in ran.notices("error"), f"it says {ran.notices()}")


def only_missing_images(program, wire):
    ran = build(program, """
stages: [one, two, three]
one: {image: 'buildr-test:no-such-tag', script: [echo never]}
two: {needs: [], image: 'buildr-test:no-such-tag', script: [echo never]}
three: {needs: [], script: []}
""", "--pull", "never", wire=wire, status=3)
    check_equal(ran.stages, {"one": "error", "two": "error", "three": "pass"}, "the stages")


def an_image_without_a_shell(program, wire):
    ran = build(program, IMAGE + """
stages: [exec, shell]
exec:
  image: buildr-test:bare
  script:
    - [/echo, from, 'a $bare image']
    - [/echo, again]
shell: {needs: [], image: 'buildr-test:bare', script: [echo never]}
""", wire=wire, status=1)
    check_equal(ran.said("exec"), "from a $bare image\nagain\n", "the output")
    check_equal(ran.finished("shell")[0]["status"], 127, "the status without a shell")
    check("shell" in ran.notices("error"), f"it says {ran.notices()}")


def user_workdir_shell_and_terminal_in_an_image_of_its_own(program, wire):
    ran = build(program, IMAGE + """
defaults: {image: 'buildr-test:configured'}
stages: [as-is, given, numbers, bash, list, tty, no-tty]
as-is: {script: ['id -un; pwd']}
given: {user: root, workdir: sub, script: ['id -un; pwd']}
numbers: {user: '12:34', workdir: /tmp, script: ['id -u; id -g; pwd']}
bash: {needs: [], shell: bash-debian, script: ['echo "${BASH_VERSION:+bash}"']}
list: {needs: [], shell: [dash-debian, -u], script: ['echo "$no_such_variable"']}
tty: {needs: [], tty: true, script: ['test -t 1 && test -t 0 && echo terminal']}
no-tty: {needs: [], script: ['test -t 1 || echo none']}
""", files={"sub/file": ""}, wire=wire, status=1)
    check_equal([ran.said(name).replace("\r", "") for name in
                 ("as-is", "given", "numbers", "bash", "tty", "no-tty")],
                ["builder\n/app\n", "root\n/app/sub\n", "12\n34\n/tmp\n", "bash\n",
                 "terminal\n", "none\n"], "the output")
    ran.check_stages(list="fail", tty="pass", no_tty="pass")


def files_are_given_back_when_nothing_uses_them_any_more(program, wire):
    """Containers come and go while others work in the project, as whoever they are."""
    uid, gid = 4321, 4322
    manifest = IMAGE + """
defaults: {timeout: 100s}
stages: [builder, churn, one, two]
builder:
  needs: []
  user: builder
  script:
    - 'while [ ! -e here ]; do sleep 0.02; done'
    - mkdir out; touch ready
    - 'while [ ! -e stop ]; do sleep 0.02; done; touch out/file'
churn:
  needs: []
  script: ['while [ ! -e stop ]; do mkdir -p d/e/f; touch d/e/f/g; rm -rf d; done']
one:
  needs: []
  image: buildr-test:configured
  user: root
  script: ['touch here; while [ ! -e ready ]; do sleep 0.02; done; mkdir by-one']
two: {image: 'buildr-test:server', user: root, script: [sleep 1; touch stop by-one/two]}
"""
    with place_of(program, manifest) as place:
        for path in (place.project, place.tmp, place.project / ".buildr.yml"):
            os.chown(path, uid, gid)
        place.project.chmod(0o777)
        process = place.start_as(uid, gid, "run", "-o", "json", "-j", "4", wire=wire)
        check_build(finish(process), 0)
        for path in place.project.rglob("*"):
            check_equal((path.lstat().st_uid, path.lstat().st_gid), (uid, gid),
                        f"owner of {path.name}")


def a_missing_init_is_told(program, _):
    """The build's container cannot even be begun: an error, and no wait for ever."""
    for manifest in (IMAGE + "stages: [a]\na: {script: [echo never]}\n",
                     "stages: [a]\na: {image: 'buildr-test:latest', script: [echo never]}\n"):
        ran = build(program, manifest, status=3, env={"BUILDR_INIT": "/no/such/file"})
        check("/no/such/file" in ran.notices("error"), f"it says {ran.notices()}")


# Matrices.


MATRIX = IMAGE + """
stages: [test, after]
test:
  matrix:
    py: ['3.11', '3.12']
    os: [slim, full]
    exclude: [{py: '3.11', os: full}]
    include: [{py: '2.7', os: old, extra: yes}]
  script:
    - echo "$py $os ${extra-none}"
    - test "$os" != "$broken"; sleep 0.1
after: {script: [echo after]}
"""
NAMES = ["test (py=3.11, os=slim)", "test (py=3.12, os=slim)", "test (py=3.12, os=full)",
         "test (py=2.7, os=old, extra=yes)"]


def each_combination_is_a_stage(program, wire):
    ran = build(program, MATRIX, wire=wire)
    check_equal(list(ran.stages), [*NAMES, "after"], "the names")
    check_equal([ran.said(name) for name in NAMES],
                ["3.11 slim none\n", "3.12 slim none\n", "3.12 full none\n", "2.7 old yes\n"],
                "the output")
    check_needs(ran.events, {"after": NAMES})


def one_combination_that_fails(program, wire):
    """The others go on, and what needs the matrix does not run."""
    ran = build(program, MATRIX, "-e", "broken=full", wire=wire, status=1)
    check_equal(ran.stages, dict(zip([*NAMES, "after"],
                                     ["pass", "pass", "fail", "pass", "skipped"])), "the stages")
    check_equal(ran.why("after"), "needs", "the reason")


def combinations_can_be_chosen(program, wire):
    for names, wanted in ((["test"], NAMES), ([NAMES[2]], NAMES[2:3]),
                          (["test (*os=slim)"], NAMES[:2]), (["*2.7*"], NAMES[3:])):
        ran = build(program, MATRIX, *names, wire=wire)
        check_equal([name for name in ran.stages if ran.stages[name] == "pass"], wanted,
                    f"what runs of {names}")
        check_equal(ran.why("after"), "selection", "the reason")


# How it is shown.


def a_group_is_one_block(program, wire):
    talk = "for i in 1 2 3 4 5; do echo \"$BUILDR_STAGE $i\"; sleep 0.05; done"
    with place_of(program, IMAGE + f"""
stages: [left, right]
left: {{needs: [], script: ['{talk}']}}
right: {{needs: [], script: ['{talk}']}}
""") as place:
        result = place.run("run", "--output", "plain", "--group", "-j", "2", wire=wire)
        check_equal(result.status, 0, "exit status")
        names = [word for line in result.stdout.decode().splitlines()
                 for word in line.split() if word in ("left", "right")]
        check_equal(sorted(names), ["left"] * (len(names) // 2) + ["right"] * (len(names) // 2),
                    "as many lines of each")
        changes = sum(a != b for a, b in zip(names, names[1:]))
        check_equal(changes, 1, f"changes from one to the other in {result.stdout!r}")


# Many, and bad.


def ten_thousand_stages_that_do_nothing(program, _):
    names = [f"s{number}" for number in range(10000)]
    manifest = IMAGE + "stages: [" + ", ".join(names) + "]\n" + "".join(
        f"{name}: {{}}\n" for name in names)
    ran = build(program, manifest, validate=False)
    check_equal(starts(ran.events), names, "the starts")


def mistakes_in_the_graph(program, _):
    for manifest, words in (
            ("a: {needs: [b]}\nb: {needs: [c]}\nc: {needs: [a]}\n", ["→"]),
            ("a: {needs: [a]}\nb: {}\nc: {}\n", ["a → a"]),
            ("a: {needs: [bb]}\nb: {}\nc: {}\n", ["bb", "'b'"]),
            ("a: {timeout: 0}\nb: {}\nc: {}\n", ["timeout"]),
            ("a: {timeout: 0s}\nb: {}\nc: {}\n", ["timeout"]),
            ("a: {retry: -1}\nb: {}\nc: {}\n", ["retry"]),
            ("a: {when: {status: failure}, needs: []}\nb: {}\nc: {}\n", ["failure"]),
            ("a: {when: {branch: []}}\nb: {}\nc: {}\n", ["branch"]),
            (f"a: {{matrix: {{x: {list(range(40))}, y: {list(range(40))}}}}}\nb: {{}}\nc: {{}}\n",
             ["1600"])):
        with place_of(program, IMAGE + "stages: [a, b, c]\n" + manifest) as place:
            result = place.run("run", "--output", "json")
            check_equal((result.status, result.stdout), (2, b""), f"the end of {manifest}")
            said = result.stderr.decode()
            check(all(word in said for word in words), f"{manifest!r} is said to be {said}")


BOTH = WIRES
ONE = WIRES[:1]
CASES = [
    (function.__name__, function, wires) for function, wires in (
        (without_needs_each_waits_for_the_one_before, ONE),
        (stages_that_need_nothing_run_at_once, BOTH),
        (a_diamond, BOTH),
        (a_stage_starts_as_soon_as_its_own_needs_are_there, ONE),
        (jobs_is_how_many_run_at_once, ONE),
        (the_longest_path_goes_first, ONE),
        (all_wait_for_prepare, BOTH),
        (an_image_of_its_own_shares_project_and_network, BOTH),
        (network_host_and_none, BOTH),
        (own_images_run_beside_the_others, BOTH),
        (a_container_is_there_before_its_turn, ONE),
        (an_image_is_told_of_once, ONE),
        (a_missing_image_of_one_stage, BOTH),
        (only_missing_images, ONE),
        (an_image_without_a_shell, BOTH),
        (user_workdir_shell_and_terminal_in_an_image_of_its_own, BOTH),
        (files_are_given_back_when_nothing_uses_them_any_more, BOTH),
        (a_missing_init_is_told, ONE),
        (each_combination_is_a_stage, BOTH),
        (one_combination_that_fails, ONE),
        (combinations_can_be_chosen, ONE),
        (a_group_is_one_block, ONE),
        (ten_thousand_stages_that_do_nothing, ONE),
        (mistakes_in_the_graph, ONE),
    )
]

if __name__ == "__main__":
    main_of_cases(CASES, jobs=3)
