#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Whether a stage runs, again and at all: when, status, retry, allow_failure, selection.

    test_conditions.py PROGRAM [CASE…]
"""

import json
import signal

from builds import IMAGE, build, build_in, commit, git, under_way, write
from order import check_needs
from support import (WIRES, check, check_equal, engine, finish, is_started, main_of_cases,
                     next_event, place_of, says)

# The status of what came before.

STATUS = IMAGE + """
stages: [fails, next, far, cleans, farther, reports, apart]
fails: {script: [exit 7]}
next: {script: [echo never]}
far: {script: [echo never]}
cleans: {needs: [far], when: {status: always}, script: [echo cleaned]}
farther: {needs: [cleans], script: [echo never]}
reports: {needs: [next], when: {status: failure}, script: [echo reported]}
apart: {needs: [], when: {status: always}, script: [echo apart]}
"""


def a_failure_is_seen_directly_and_through_others(program, wire):
    ran = build(program, STATUS, wire=wire, status=1)
    check_equal(ran.stages, {"fails": "fail", "next": "skipped", "far": "skipped",
                             "cleans": "pass", "farther": "skipped", "reports": "pass",
                             "apart": "pass"}, "the stages")
    check_equal([ran.why(name) for name in ("fails", "next", "far", "farther")],
                ["status", "needs", "needs", "needs"], "the reasons")


def without_a_failure_nobody_reports_one(program, wire):
    ran = build(program, STATUS.replace("exit 7", "exit 0"), wire=wire)
    check_equal(ran.why("reports"), "when", "the reason")
    check_equal({name for name, result in ran.stages.items() if result != "pass"}, {"reports"},
                "what does not run")


def always_waits_for_all_that_came_before(program, wire):
    """Also for what still runs beside the failure that skipped the stage in between."""
    ran = build(program, IMAGE + """
stages: [fails, slow, joins, cleans]
fails: {needs: [], script: [exit 1]}
slow: {needs: [], script: [sleep 1; touch slow]}
joins: {needs: [fails, slow], script: [echo never]}
cleans: {when: {status: always}, script: [ls slow]}
""", wire=wire, status=1)
    check_needs(ran.events, {"cleans": ["fails", "slow"]})
    ran.check_stages(joins="skipped", cleans="pass")


def a_skipped_stage_passes_on_what_it_needs(program, wire):
    """What needs it runs as if it had passed, hence after what it would have waited for."""
    for manifest, options in (
            ("skipped: {when: {event: never}, script: [echo never]}", ()),
            ("skipped: {script: [echo never]}", ("--skip", "skipped"))):
        manifest = IMAGE + f"""
stages: [first, skipped, last]
first: {{script: [sleep 0.5; touch first; exit $status]}}
{manifest}
last: {{script: [ls first]}}
"""
        ran = build(program, manifest, *options, wire=wire)
        check_equal(ran.stages, {"first": "pass", "skipped": "skipped", "last": "pass"},
                    f"the stages with {options}")
        check_needs(ran.events, {"last": ["first"]})
        ran = build(program, manifest, "-e", "status=3", *options, wire=wire, status=1)
        check_equal(ran.stages, {"first": "fail", "skipped": "skipped", "last": "skipped"},
                    f"the stages with {options} after a failure")


def after_prepare_has_failed(program, wire):
    ran = build(program, IMAGE + """
prepare: {script: [exit 1]}
stages: [none, next, always, failure]
none: {needs: [], script: [echo never]}
next: {needs: [none], script: [echo never]}
always: {needs: [next], when: {status: always}, script: [echo always]}
failure: {needs: [next], when: {status: failure}, script: [echo failure]}
""", wire=wire, status=3)
    check_equal(ran.stages, {"prepare": "fail", "none": "skipped", "next": "skipped",
                             "always": "pass", "failure": "pass"}, "the stages")


def an_allowed_failure_counts_for_nobody(program, wire):
    manifest = IMAGE + """
stages: [allowed, codes, next, reports]
allowed: {needs: [], allow_failure: true, script: [exit 9]}
codes: {needs: [], allow_failure: [3, 4], script: [exit 4]}
next: {needs: [allowed, codes], script: [echo next]}
reports: {needs: [next], when: {status: failure}, script: [echo never]}
"""
    for options in ((), ("--fail-fast",)):
        ran = build(program, manifest, *options, wire=wire)
        check_equal(ran.stages, {"allowed": "fail", "codes": "fail", "next": "pass",
                                 "reports": "skipped"}, "the stages")
    ran = build(program, manifest.replace("exit 4", "exit 5"), wire=wire, status=1)
    check_equal((ran.stages["next"], ran.stages["reports"]), ("skipped", "pass"),
                "what comes after another code")


# --fail-fast.

INDEPENDENT = IMAGE + """
stages: [fails, slow, after, cleans]
fails: {needs: [], script: ['while [ ! -e ready ]; do sleep 0.02; done; exit 1']}
slow: {needs: [], script: [touch ready; sleep 1; echo done]}
after: {needs: [slow], script: [echo after]}
cleans: {needs: [after], when: {status: always}, script: [echo cleaned]}
"""


def what_is_independent_of_a_failure_finishes(program, wire):
    ran = build(program, INDEPENDENT, wire=wire, status=1)
    check_equal(ran.stages, {"fails": "fail", "slow": "pass", "after": "pass",
                             "cleans": "pass"}, "the stages")


def fail_fast_stops_the_others(program, wire):
    ran = build(program, INDEPENDENT.replace("sleep 1;", "sleep 1000;"), "--fail-fast", wire=wire,
                status=1)
    check_equal(ran.stages, {"fails": "fail", "slow": "cancelled", "after": "skipped",
                             "cleans": "pass"}, "the stages")
    check_equal((ran.why("slow"), ran.why("after")), ("cancelled", "fail-fast"), "the reasons")
    check_needs(ran.events, {"cleans": ["slow"]})


# retry.

FLAKY = "echo x >> tries; test $(wc -l < tries) -ge {wanted} || exit {status}"


def attempts(ran, stage):
    return [(event["attempt"], event["result"]) for event in ran.finished(stage)]


def a_stage_is_tried_again(program, wire):
    flaky = FLAKY.format(wanted=2, status=5)
    manifest = IMAGE + f"""
stages: [flaky, next]
flaky: {{retry: {{max: 2, delay: 200ms}}, script: ['{flaky}']}}
next: {{script: [echo next]}}
"""
    ran = build(program, manifest, wire=wire)
    check_equal(attempts(ran, "flaky"), [(1, "fail"), (2, "pass")], "the attempts")
    ran = build(program, manifest.replace("-ge 2", "-ge 4"), wire=wire, status=1)
    check_equal(attempts(ran, "flaky"), [(1, "fail"), (2, "fail"), (3, "fail")], "the attempts")
    check_equal(ran.stages["next"], "skipped", "the next stage")


def only_what_retry_names_is_tried_again(program, wire):
    for on, timeout, script, wanted in (
            ("[5]", "100s", FLAKY.format(wanted=2, status=5), [(1, "fail"), (2, "pass")]),
            ("[6]", "100s", FLAKY.format(wanted=2, status=5), [(1, "fail")]),
            ("[timeout]", "100s", FLAKY.format(wanted=2, status=5), [(1, "fail")]),
            ("[timeout]", "5s", "test -e tried && exit 0; touch tried; sleep 1000",
             [(1, "fail"), (2, "pass")]),
            ("[5, engine]", "5s", "touch tried; sleep 1000", [(1, "fail")])):
        ran = build(program, IMAGE + f"""
stages: [flaky]
flaky: {{timeout: {timeout}, retry: {{max: 3, on: {on}}}, script: ['{script}']}}
""", wire=wire, status=0 if wanted[-1][1] == "pass" else 1)
        check_equal(attempts(ran, "flaky"), wanted, f"the attempts with {on}")


def prepare_is_tried_again(program, wire):
    flaky = FLAKY.format(wanted=2, status=1)
    ran = build(program, IMAGE + f"""
prepare: {{retry: 1, script: ['{flaky}']}}
stages: [next]
next: {{script: [cat tries]}}
""", wire=wire)
    check_equal(attempts(ran, "prepare"), [(1, "fail"), (2, "pass")], "the attempts")
    check_equal(ran.said("next"), "x\nx\n", "what prepare wrote")


def a_container_that_was_killed_is_replaced(program, wire):
    again, once = [(1, "error"), (2, "pass")], [(1, "error")]
    for retry, more, wanted, status in (
            ("{max: 1, on: [engine]}", "", again, 0),
            ("{max: 1, on: [engine]}", "image: 'buildr-test:latest', ", again, 0),
            ("{max: 1, on: [7]}", "", once, 3)):
        # Here the other one may be about to join the network of the one that is killed.
        # Over stdio the engine tells of that end late, after the other one has failed.
        if more and wire == "stdio":
            continue
        with under_way(program, IMAGE + f"""
stages: [own, beside]
own:
  image: buildr-test:configured
  retry: {retry}
  script: ['test -e tried && exit 0; touch tried; echo "id $(hostname)"; sleep 1000']
  user: root
beside: {{{more}needs: [], script: [sleep 1; echo beside]}}
""", wire=wire) as (_, process):
            own = next_event(process, is_started("buildr-test:configured"))["container"]
            next_event(process, says("id "))
            engine("POST", f"/containers/{own}/kill")
            result = finish(process)
            check_equal(result.status, status, f"exit status: {result.stdout!r}")
            seen = [(event["attempt"], event["result"])
                    for event in result.of_type("stage.finished") if event["stage"] == "own"]
            check_equal(seen, wanted, "the attempts")
            check_equal(result.events[-1]["stages"]["beside"], "pass", "the stage beside it")


def a_cancelled_stage_is_not_tried_again(program, wire):
    for script, delay in (("echo ready; sleep 1000", "1ms"), ("echo ready; exit 1", "1h")):
        with under_way(program, IMAGE + f"""
stages: [slow, next]
slow: {{retry: {{max: 5, delay: {delay}}}, script: ['{script}']}}
next: {{when: {{status: always}}, script: [echo never]}}
""", wire=wire) as (_, process):
            next_event(process, lambda event, delay=delay: says("ready")(event) if delay == "1ms"
                       else event["type"] == "stage.finished")
            process.send_signal(signal.SIGINT)
            result = finish(process)
            check_equal(result.status, 130, "exit status")
            check(not result.of_type("stage.started"), "it was tried again")
            check_equal(result.events[-1]["stages"]["next"], "skipped", "the stage after it")


def fail_fast_ends_the_wait_for_an_attempt(program, wire):
    ran = build(program, IMAGE + """
stages: [waits, fails]
waits: {needs: [], retry: {max: 5, delay: 1h}, script: [touch tried; exit 1]}
fails: {needs: [], script: ['while [ ! -e tried ]; do sleep 0.02; done; sleep 0.5; exit 1']}
""", "--fail-fast", wire=wire, status=1)
    check_equal(attempts(ran, "waits"), [(1, "fail")], "the attempts")


# when, with a real repository.

WHEN = IMAGE + """
stages: [main, release, push, sources, docs, ci, tagged, plain]
main: {needs: [], when: {branch: main}}
release: {needs: [], when: {branch: ['release/*', 'v*']}}
push: {needs: [], when: {event: [push, tag]}}
sources: {needs: [], when: {changes: ['src/**', '!src/notes/**']}}
docs: {needs: [], when: {changes: 'docs/**'}}
ci: {needs: [], when: {env: {KIND: 'night*'}}}
tagged: {needs: [], when: {tag: 'v*'}}
plain: {needs: [], script: []}
"""


def chosen(place, *options, env=None):
    """Give the stages that run, as plan says and as run does; both must agree."""
    plan = place.run("plan", "-o", "json", *options, env=env)
    check_equal(plan.status, 0, f"exit status of plan: {plan.stderr!r}")
    stages = json.loads(plan.stdout)["stages"]
    planned = {each["name"] for each in stages if each["runs"]}
    check(all(each["why"] for each in stages), "a stage without a reason")
    ran = build_in(place, *options, env=env)
    check_equal({name for name, result in ran.stages.items() if result == "pass"}, planned,
                "what ran and what plan said")
    return planned - {"plain"}


def when_in_a_repository(program, _):
    with place_of(program, WHEN) as place:
        check_equal(chosen(place), {"sources", "docs"}, "without a repository")
        git(place, "init", "-q", "-b", "main")
        write(place, {"src/code": "1", "docs/page": "1"})
        commit(place)
        check_equal(chosen(place), {"main", "sources", "docs"}, "with the first commit")
        write(place, {"src/code": "2"})
        commit(place)
        check_equal(chosen(place), {"main", "sources"}, "in the second")
        write(place, {"docs/new": "not added"})
        check_equal(chosen(place, "--base", "HEAD"), {"main", "docs"}, "not even added")
        git(place, "checkout", "-q", "-b", "release/1")
        commit(place)
        write(place, {"src/notes/a": "1"})
        commit(place)
        check_equal(chosen(place), {"release"}, "what is taken out again")
        check_equal(chosen(place, "--base", "main"), {"release", "docs"}, "since main")
        check_equal(chosen(place, "--event", "push", "-e", "KIND=nightly"),
                    {"release", "push", "ci"}, "an event and a variable")
        check_equal(chosen(place, env={"KIND": "night", "BUILDR_EVENT": "tag"}),
                    {"release", "push", "ci"}, "the caller's variables")
        git(place, "tag", "v1.0")
        git(place, "checkout", "-q", "--detach")
        check(chosen(place) >= {"tagged"}, "at a tag")
        check(not chosen(place) & {"main"}, "without a branch")


def when_changes_against_the_upstream(program, _):
    with place_of(program, WHEN) as place:
        git(place, "init", "-q", "-b", "main")
        write(place, {"src/code": "1", "docs/page": "1"})
        commit(place)
        git(place, "clone", "-q", "--bare", ".", "../origin.git")
        git(place, "remote", "add", "origin", "../origin.git")
        git(place, "fetch", "-q", "origin")
        git(place, "branch", "-q", "-u", "origin/main")
        write(place, {"docs/page": "2"})
        commit(place)
        commit(place, "nothing more")
        check_equal(chosen(place), {"main", "docs"}, "two commits after the upstream")
        git(place, "push", "-q", "origin", "main")
        check_equal(chosen(place), {"main"}, "what was pushed, against the commit before")


# Selection.

CHOICE = IMAGE + """
prepare: {script: []}
stages: [build, unit, lint, deploy]
build: {}
unit: {needs: [build]}
lint: {needs: [], image: 'buildr-test:bare'}
deploy: {needs: [unit, lint]}
extra: {script: []}
"""


def stages_can_be_chosen(program, _):
    with place_of(program, CHOICE) as place:
        for options, wanted in (
                ((), "prepare build unit lint deploy"),
                (("unit",), "prepare build unit"),
                (("extra",), "prepare extra"),
                (("deploy",), "prepare build unit lint deploy"),
                (("--only", "deploy"), "prepare deploy"),
                (("--only", "lint"), "lint"),
                (("--only", "lint", "--only", "unit"), "prepare lint unit"),
                (("lint",), "lint"),
                (("--from", "unit"), "prepare unit deploy"),
                (("--from", "unit", "--skip", "deploy"), "prepare unit"),
                (("--skip", "unit"), "prepare build lint deploy"),
                (("--skip", "prepare"), "build unit lint deploy"),
                (("[bu]*",), "prepare build unit"),
                (("--only", "*i*", "--skip", "b*"), "prepare unit lint"),
                (("unit", "--skip", "build"), "prepare unit"),
                (("prepare",), "prepare")):
            ran = chosen(place, *options)
            check_equal(ran, set(wanted.split()), f"what {options} chooses")
        for options in (("--only", "biuld"), ("biuld",), ("--from", "biuld"),
                        ("--skip", "biuld")):
            result = place.run("run", "-o", "json", *options)
            check_equal((result.status, result.stdout), (2, b""), f"the end with {options}")
            check(b"'build'" in result.stderr, f"no suggestion: {result.stderr!r}")
        result = place.run("run", "-o", "json", "x*")
        check_equal(result.status, 2, "exit status of a glob that matches nothing")


def only_prepares_what_runs_in_the_builds_container(program, wire):
    manifest = CHOICE.replace("[]}\nstages", "[echo prepared]}\nstages")
    ran = build(program, manifest, "--only", "unit", wire=wire)
    check_equal((ran.stages["prepare"], ran.stages["build"]), ("pass", "skipped"), "the stages")
    ran = build(program, manifest, "--only", "lint", wire=wire)
    check_equal((ran.stages["prepare"], ran.stages["lint"]), ("skipped", "pass"), "the stages")


def dry_run_is_plan(program, _):
    with place_of(program, CHOICE) as place:
        plan = place.run("plan", "--only", "unit")
        dry = place.run("run", "--dry-run", "--only", "unit")
        check_equal((dry.status, dry.stdout), (0, plan.stdout), "what is printed")
        check(b"named with --only" in plan.stdout, f"no reason in {plan.stdout!r}")
        for form, words in (("dot", b"digraph"), ("mermaid", b"flowchart")):
            graph = place.run("plan", "-o", form)
            check_equal((graph.status, graph.stdout.startswith(words)), (0, True),
                        f"{form}: {graph.stdout!r}")


BOTH = WIRES
ONE = WIRES[:1]
CASES = [
    (function.__name__, function, wires) for function, wires in (
        (a_failure_is_seen_directly_and_through_others, BOTH),
        (without_a_failure_nobody_reports_one, ONE),
        (always_waits_for_all_that_came_before, ONE),
        (a_skipped_stage_passes_on_what_it_needs, ONE),
        (after_prepare_has_failed, ONE),
        (an_allowed_failure_counts_for_nobody, ONE),
        (what_is_independent_of_a_failure_finishes, ONE),
        (fail_fast_stops_the_others, BOTH),
        (a_stage_is_tried_again, BOTH),
        (only_what_retry_names_is_tried_again, ONE),
        (prepare_is_tried_again, ONE),
        (a_container_that_was_killed_is_replaced, BOTH),
        (a_cancelled_stage_is_not_tried_again, BOTH),
        (fail_fast_ends_the_wait_for_an_attempt, ONE),
        (when_in_a_repository, ONE),
        (when_changes_against_the_upstream, ONE),
        (stages_can_be_chosen, ONE),
        (only_prepares_what_runs_in_the_builds_container, ONE),
        (dry_run_is_plan, ONE),
    )
]

if __name__ == "__main__":
    main_of_cases(CASES, jobs=3)
