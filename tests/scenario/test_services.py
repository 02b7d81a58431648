#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Services: reached by alias, ready before they are used, and gone after it.

    test_services.py PROGRAM [CASE…]
"""

import json

from builds import IMAGE, build, under_way
from support import (WIRES, all_with_label, check, check_equal, engine, finish, is_started,
                     main_of_cases, next_event, place_of, says, wait_until, with_label)

GET = "wget -q -O - http://{alias}:{port}/{path}"


def get(alias, path="passwd", port=8080):
    return GET.format(alias=alias, port=port, path=path)


def containers_of(build_id, image):
    """Give the ids of a build's containers that are made of an image."""
    wanted = engine("GET", f"/images/{image}/json")["Id"]
    return [each["Id"] for each in with_label("containers", f"io.buildr.build={build_id}")
            if each["ImageID"] == wanted]


# Ready in each way.


def a_service_is_ready_when_its_port_answers(program, wire):
    """As the image has it: user, workdir, environment, entry point."""
    ran = build(program, IMAGE + f"""
stages: [use]
use:
  services:
    - {{image: 'buildr-test:server', alias: web, ready: {{port: 8080}}}}
    - image: buildr-test:latest
      alias: late
      command: [sh, -c, 'sleep 1; echo "$WHO" > /tmp/page; exec httpd -f -p 81 -h /tmp']
      environment: {{WHO: me}}
      ready: {{port: 81}}
  script:
    - {get('web')} | head -n 1
    - {get('late', 'page', 81)}
""", wire=wire)
    check_equal(ran.said("use"), "root:x:0:0:root:/root:/bin/sh\nme\n", "the output")


def a_service_is_ready_when_a_command_says_so(program, wire):
    ran = build(program, IMAGE + f"""
stages: [use]
use:
  services:
    - image: buildr-test:server
      alias: web
      command: ['9090']
      environment: [MARK=here]
      ready: {{command: [sh, -c, 'echo x >> /tmp/looks; test $(wc -l < /tmp/looks) -gt 2']}}
    - image: buildr-test:latest
      alias: env
      command:
        - sh
        - -c
        - mkdir /tmp/w; cd /tmp/w; (env; id -un; cd -) > env; httpd -f -p 80
      environment: [MARK=here]
      ready: {{port: 80}}
  script:
    - {get('web', port=9090)} | tail -n 1
    - {get('env', 'env', 80)} | grep -E '^(MARK|IMAGE_ONLY|root|/$)'
""", wire=wire)
    check_equal(sorted(ran.said("use").splitlines()[1:]),
                ["/", "IMAGE_ONLY=image", "MARK=here", "root"], "what the service knows")


def a_service_is_ready_as_its_image_says(program, wire):
    """Its HEALTHCHECK fails once, then it is well."""
    ran = build(program, IMAGE + f"""
stages: [use, own]
use: {{services: [{{image: 'buildr-test:server', alias: web}}], script: ['{get("web")}']}}
own:
  image: buildr-test:configured
  services: [{{image: 'buildr-test:server', alias: web}}]
  script: ['{get("web")}']
""", wire=wire)
    check_equal(ran.said("own"), ran.said("use"), "the output")


def network_host_reaches_services_by_alias(program, wire):
    ran = build(program, "network: host\n" + IMAGE + """
stages: [use]
use:
  services:
    - image: buildr-test:latest
      alias: some-alias
      command: [sh, -c, 'exec sleep 1000']
      ready: {command: ['true']}
  script: [grep some-alias /etc/hosts]
""", wire=wire)
    check(ran.said("use").startswith("127.0.0.1"), f"it says {ran.said('use')!r}")


# From the first user to the last.

SHARED = IMAGE + f"""
x-service: &web {{image: 'buildr-test:server', alias: web, ready: {{port: 8080}}}}
stages: [one, two, later]
one: {{needs: [], services: [*web], script: ['{get("web")}']}}
two: {{needs: [], services: [*web], script: ['{get("web")}']}}
later: {{needs: [one, two], script: ['echo ready; while [ ! -e go ]; do sleep 0.02; done']}}
"""


def a_service_that_two_stages_share_runs_once_and_ends_after_them(program, wire):
    with under_way(program, SHARED, wire=wire) as (place, process):
        started = []

        def is_ready(event):
            if event["type"] == "container.started":
                started.append(event["image"])
            return says("ready")(event)

        event = next_event(process, is_ready)
        check_equal(started.count("buildr-test:server"), 1, f"containers of it in {started}")
        wait_until(lambda: not containers_of(event["build"], "buildr-test:server"), 60,
                   "the service to end while a stage runs")
        check(process.poll() is None, "the build has ended")
        (place.project / "go").touch()
        check_equal(finish(process).status, 0, "exit status")


def two_builds_with_the_same_alias(program, wire):
    """Each sees its own, and neither the other's."""
    manifest = IMAGE + """
stages: [use]
use:
  services:
    - image: buildr-test:latest
      alias: web
      command: [sh, -c, 'echo $WHO > /tmp/page; exec httpd -f -p 80 -h /tmp']
      environment: [WHO]
      ready: {port: 80}
  timeout: 100s
  script:
    - echo ready; while [ ! -e go ]; do sleep 0.02; done; wget -q -O - http://web/page
"""
    with place_of(program, manifest) as place:
        running = [place.start("run", "--output", "json", wire=wire, env={"WHO": who})
                   for who in ("first", "second")]
        for process in running:
            next_event(process, says("ready"))
        (place.project / "go").touch()
        for process, who in zip(running, ("first", "second")):
            result = finish(process)
            check_equal((result.status, result.output()), (0, f"{who}\n".encode()), who)


def what_is_not_used_is_not_started(program, wire):
    ran = build(program, IMAGE + """
stages: [plain, failed, skipped, chosen-out]
plain: {script: [echo plain]}
failed:
  when: {status: failure}
  services: [{image: 'buildr-test:no-such', alias: a}]
  script: [echo never]
skipped:
  when: {event: never}
  services: [{image: 'buildr-test:no-such', alias: b}]
  script: [echo never]
chosen-out: {services: [{image: 'buildr-test:no-such', alias: c}], script: [echo never]}
""", "--skip", "chosen-out", "--pull", "never", wire=wire)
    check_equal(len(ran.result.of_type("container.started")), 1, "containers")
    check_equal(ran.notices("error"), "", "the errors")


def a_stage_that_is_tried_again_has_its_service_still(program, wire):
    ran = build(program, IMAGE + f"""
stages: [use]
use:
  retry: 1
  services: [{{image: 'buildr-test:server', alias: web, ready: {{port: 8080}}}}]
  script: ['{get("web")}; test -e tried || {{ touch tried; exit 1; }}']
""", wire=wire)
    check_equal([event["result"] for event in ran.finished("use")], ["fail", "pass"], "attempts")


# What goes wrong.

DIES = IMAGE + """
stages: [use, other]
use:
  timeout: 100s
  services:
    - image: buildr-test:latest
      alias: mortal
      command: [sh, -c, 'echo last words; while [ ! -e /tmp/die ]; do sleep 0.05; done; exit 3']
      ready: {command: ['true']}
  script: [echo ready; sleep 1000]
other: {needs: [], script: [echo other]}
"""


def a_service_that_dies_fails_its_stage(program, wire):
    manifest = DIES.replace("while [ ! -e /tmp/die ]; do sleep 0.05; done", "sleep 2")
    ran = build(program, manifest, wire=wire, status=1)
    check_equal((ran.stages["use"], ran.stages["other"]), ("fail", "pass"), "the stages")
    check_equal(ran.why("use"), "service", "the reason")
    said = ran.notices()
    check("mortal" in said and "3" in said and "last words" in said, f"it says {said}")


def a_service_that_dies_at_once(program, wire):
    for command, words in (("[sh, -c, 'echo oh no; exit 4']", "oh no"),
                           ("[/no/such/program]", "/no/such/program")):
        ran = build(program, IMAGE + f"""
stages: [use, other]
use:
  services:
    - image: buildr-test:latest
      alias: dead
      command: {command}
      ready: {{port: 80}}
  script: [echo never]
other: {{needs: [], script: [echo other]}}
""", wire=wire, status=1)
        check_equal((ran.stages, ran.why("use")), ({"use": "fail", "other": "pass"}, "service"),
                    f"the stages with {command}")
        check(words in ran.notices(), f"it says {ran.notices()}")


def a_service_that_is_killed_is_replaced_for_the_next_attempt(program, wire):
    with under_way(program, IMAGE + f"""
stages: [use]
use:
  retry: 1
  services: [{{image: 'buildr-test:server', alias: web, ready: {{port: 8080}}}}]
  script: ['{get("web")}; test -e tried && exit 0; touch tried; echo ready; sleep 1000']
""", wire=wire) as (_, process):
        service = next_event(process, is_started("buildr-test:server"))["container"]
        next_event(process, says("ready"))
        engine("POST", f"/containers/{service}/kill")
        result = finish(process)
        check_equal(result.status, 0, f"exit status: {result.stdout!r}")
        check_equal([(each["result"], each.get("reason"))
                     for each in result.of_type("stage.finished")],
                    [("fail", "service"), ("pass", None)], "the attempts")


def a_service_that_never_gets_ready(program, wire):
    for ready in ("port: 81", "command: ['false']"):
        ran = build(program, IMAGE + f"""
stages: [use, after]
use:
  services:
    - {{image: 'buildr-test:server', alias: slow, ready: {{{ready}}}, timeout: 3s}}
  script: [echo never]
after: {{script: [echo never]}}
""", wire=wire, status=1)
        check_equal((ran.stages, ran.why("use")),
                    ({"use": "fail", "after": "skipped"}, "service"), f"the stages with {ready}")
        check("slow" in ran.notices("error") and "3" in ran.notices("error"),
              f"it says {ran.notices()}")


def a_service_without_an_image(program, wire):
    ran = build(program, IMAGE + """
stages: [use, after, other]
use: {services: [{image: 'buildr-test:no-such', alias: db}], script: [echo never]}
after: {script: [echo never]}
other: {needs: [], script: [echo other]}
""", "--pull", "never", wire=wire, status=3)
    check_equal(ran.stages, {"use": "error", "after": "skipped", "other": "pass"}, "the stages")
    check("no-such" in ran.notices("error"), f"it says {ran.notices()}")


def what_a_service_said_is_shown_where_its_stage_fails(program, wire):
    manifest = IMAGE + """
stages: [use]
use:
  services:
    - image: buildr-test:latest
      alias: chatty
      command: [sh, -c, 'echo it is the $TOKEN; printf "no newline $TOKEN"; exec sleep 1000']
      environment: [TOKEN]
      ready: {command: [test, -e, /bin/sh]}
  script: [sleep 0.5; exit $status]
environment: {vars: [TOKEN], secrets: [TOKEN]}
"""
    env = {"TOKEN": "battery-staple"}
    ran = build(program, manifest, "-e", "status=1", wire=wire, status=1, env=env)
    said = ran.notices()
    check("it is the" in said and "no newline" in said, f"it says {said}")
    check(b"battery-staple" not in ran.result.stdout, f"the secret is shown: {said}")
    ran = build(program, manifest, "-e", "status=0", wire=wire, env=env)
    check("it is the" not in ran.notices(), "it is shown though all is well")


def the_engine_learns_no_environment_of_a_service(program, wire):
    manifest = DIES.replace("ready: {", "environment: [KEY=open-sesame]\n      ready: {")
    with under_way(program, manifest, wire=wire) as (_, process):
        event = next_event(process, says("ready"))
        found = all_with_label(f"io.buildr.build={event['build']}")
        kinds = [kind for kind, _ in found]
        check_equal(sorted(kinds), ["containers", "containers", "networks"], "what is there")
        for kind, name in found:
            inspected = json.dumps(engine(
                "GET", f"/{kind}/{name}" + ("/json" if kind == "containers" else "")))
            check("open-sesame" not in inspected, f"it shows in {inspected}")
        process.terminate()
        check_equal(finish(process).status, 143, "exit status")


def mistakes_in_services(program, _):
    for services, words in (
            ("[{image: a, alias: x}, {image: b, alias: x}]", "x"),
            ("[{image: a, alias: 'b c'}]", "alias"),
            ("[{alias: x}]", "image"),
            ("[{image: a, alias: x, ready: {port: 0}}]", "port"),
            ("[{image: a, alias: x, ready: {port: 70000}}]", "port"),
            ("[{image: a, alias: x, timeout: 0s}]", "duration")):
        with place_of(program, IMAGE + f"""
stages: [a]
a: {{services: {services}, script: [echo never]}}
""") as place:
            result = place.run("run", "--output", "json")
            check_equal((result.status, result.stdout), (2, b""), f"the end of {services}")
            check(words in result.stderr.decode(), f"it says {result.stderr!r}")
    for other in ("image: b", "image: a, command: [c]"):
        with place_of(program, IMAGE + f"""
stages: [a, b]
a: {{services: [{{image: a, alias: x}}], script: [echo never]}}
b: {{services: [{{{other}, alias: x}}], script: [echo never]}}
""") as place:
            check_equal(place.run("run").status, 2, f"exit status with {other}")


BOTH = WIRES
ONE = WIRES[:1]
CASES = [
    (function.__name__, function, wires) for function, wires in (
        (a_service_is_ready_when_its_port_answers, BOTH),
        (a_service_is_ready_when_a_command_says_so, BOTH),
        (a_service_is_ready_as_its_image_says, BOTH),
        (network_host_reaches_services_by_alias, ONE),
        (a_service_that_two_stages_share_runs_once_and_ends_after_them, BOTH),
        (two_builds_with_the_same_alias, ONE),
        (what_is_not_used_is_not_started, ONE),
        (a_stage_that_is_tried_again_has_its_service_still, ONE),
        (a_service_that_dies_fails_its_stage, BOTH),
        (a_service_that_dies_at_once, ONE),
        (a_service_that_is_killed_is_replaced_for_the_next_attempt, BOTH),
        (a_service_that_never_gets_ready, ONE),
        (a_service_without_an_image, BOTH),
        (what_a_service_said_is_shown_where_its_stage_fails, BOTH),
        (the_engine_learns_no_environment_of_a_service, ONE),
        (mistakes_in_services, ONE),
    )
]

if __name__ == "__main__":
    main_of_cases(CASES, jobs=3)
