#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What `prepare` leaves, kept as an image of the engine.

    test_prepared.py PROGRAM [CASE…]

The script of each test names its folder, so that no other build has the same identity.
"""

import contextlib
import io
import json
import sys
import tarfile
import urllib.parse

from builds import build_in, check_build
from support import (HERE, LABEL_IMAGE, LABEL_PROJECT, SOCKET, WIRES, Failure, check,
                     check_equal, engine, finish, main_of_cases, place_of, wait_until)

SECRET = "hush-hush"


def images_of(place):
    """Give the engine's images that builds of a place have made, named or not."""
    filters = urllib.parse.quote(json.dumps({"label": [f"io.buildr.project={place.project}"]}))
    return engine("GET", f"/images/json?filters={filters}")


def settings_of(image):
    config = engine("GET", f"/images/{image}/json")["Config"]
    names = "User", "WorkingDir", "Env", "Entrypoint", "Cmd"
    return {name: config[name] for name in names}


@contextlib.contextmanager
def kept_place(program, cache="7d", image="buildr-test:latest", script=(), stage="cat ~/made"):
    """A project whose `prepare` is kept; its images are gone afterwards."""
    with place_of(program, "") as place:
        # By its id: one that is made again while this runs is another one.
        place.image = "sha256:" + engine("GET", f"/images/{image}/json")["Id"].split(":")[-1]
        steps = [f"echo {place.top.name} >>ran", "echo kept >~/made", *script]
        place.manifest(f"""
image: "{place.image}"
environment: {{secrets: [KEY], vars: [KEY]}}
stages: [one]
prepare: {{cache: {cache}, script: {json.dumps(steps)}}}
one: {{script: [{json.dumps(stage)}]}}
""")
        place.project.chmod(0o777)
        try:
            yield place
        finally:
            # One that a container was made from does not go before that.
            with contextlib.suppress(Failure):
                place.check_clean()
            for found in images_of(place):
                engine("DELETE", f"/images/{found['Id']}?force=1")


def run(place, *options, wire="socket", **more):
    return build_in(place, *options, wire=wire, env={"KEY": SECRET}, **more)


def times_run(place):
    ran = place.project / "ran"
    return len(ran.read_text().splitlines()) if ran.exists() else 0


def cache_events(ran):
    return [event for event in ran.events if event["type"].startswith("cache.")]


def check_ran(ran, result, *events):
    check_equal(ran.stages, {"prepare": result, "one": "pass"},
                f"the stages, after {cache_events(ran)}")
    check_equal([event["type"] for event in cache_events(ran)], list(events), "of the cache")


def check_image(place, build_id):
    """The image has its own image's settings, and nothing of the build that made it."""
    image, = images_of(place)
    wanted, seen = settings_of(place.image), settings_of(image["Id"])
    # Podman adds what it sets in each container.
    check(set(wanted.pop("Env")) <= set(seen.pop("Env")), "variables are missing")
    check_equal(seen, wanted, "the settings")
    labels = image["Labels"]
    check_equal([labels["io.buildr." + name] for name in ("build", "owner", "keep")],
                ["", "", ""], "labels of the build")
    check(labels.get(LABEL_IMAGE), "a label of the image is lost")
    said = json.dumps([settings_of(image["Id"]),
                       engine("GET", f"/images/{image['Id']}/history")])
    check(build_id not in said and SECRET not in said, f"the image has {said}")


def what_prepare_left_is_there_though_it_did_not_run(program, wire):
    with kept_place(program, image="buildr-test:configured",
                    stage="cat ~/made; pwd; echo $IMAGE_ONLY") as place:
        first = run(place, wire=wire)
        check_ran(first, "pass", "cache.miss", "cache.stored")
        check_image(place, first.events[0]["build"])
        second = run(place, wire=wire)
        check_ran(second, "cached", "cache.hit")
        check_equal(times_run(place), 1, "how often prepare has run")
        check_equal(second.said("one"), "kept\n/app\nimage\n", "the output")
        check_equal(second.said("one"), first.said("one"), "the first output")
        digests = [ran.result.of_type("image.ready")[0]["digest"] for ran in (first, second)]
        check_equal(digests[0], digests[1], "the digest")
        check_equal(len({event["key"] for event in cache_events(first) + cache_events(second)}),
                    1, "how many keys")


def what_is_mounted_is_not_in_the_image(program, wire):
    """Seen from a container of it in which nothing is mounted."""
    with kept_place(program) as place:
        run(place, wire=wire)
        image, = images_of(place)
        made = engine("POST", "/containers/create", json.dumps(
            {"Image": image["Id"], "Cmd": ["true"],
             "Labels": {LABEL_PROJECT: str(place.project)}}),
            {"Content-Type": "application/json"})["Id"]
        try:
            for folder in (".buildr", "app"):
                archive = engine("GET", f"/containers/{made}/archive?path=/{folder}")
                with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                    check_equal(tar.getnames(), [folder], "what is in it")
        finally:
            engine("DELETE", f"/containers/{made}?force=1")


def another_script_or_secret_runs_again(program, wire):
    with kept_place(program) as place:
        run(place, wire=wire)
        check_ran(run(place, "--no-cache", wire=wire), "pass")
        check_equal(len(images_of(place)), 1, "how many images")
        place.manifest((place.project / ".buildr.yml").read_text().replace(
            "echo kept", "echo other"))
        ran = run(place, wire=wire)
        check_ran(ran, "pass", "cache.miss", "cache.stored")
        check("another script" in cache_events(ran)[0]["why"], "why is not said")
        check_equal(ran.said("one"), "other\n", "the output")
        ran = build_in(place, wire=wire, env={"KEY": "another"})
        check_ran(ran, "pass", "cache.miss", "cache.stored")
        check_equal(len(images_of(place)), 3, "how many images")


def names_of(place):
    """Give the names; of images that have none, what Docker says instead."""
    return {name for image in images_of(place) for name in image["RepoTags"] or ["<none>"]}


def what_is_over_runs_again_and_goes(program, wire):
    """Other builds that look remove it as well."""
    with kept_place(program, cache="1ms") as place:
        check_ran(run(place, wire=wire), "pass", "cache.miss", "cache.stored")
        before = names_of(place)
        check_ran(run(place, wire=wire), "pass", "cache.miss", "cache.stored")
        wait_until(lambda: not before & names_of(place), 60, "the old image to go")
        check_equal(place.run("gc", wire=wire).status, 0, "exit status of gc")
        wait_until(lambda: not images_of(place), 60, "gc to remove the new one")


def no_cache_keeps_nothing(program, wire):
    with kept_place(program) as place:
        check_ran(run(place, "--no-cache", wire=wire), "pass")
        check_equal(images_of(place), [], "images")


def a_failure_keeps_nothing(program, wire):
    with kept_place(program, script=["false"]) as place:
        ran = run(place, wire=wire, status=3)
        ran.check_stages(prepare="fail")
        check_equal(images_of(place), [], "images")


def a_shell_in_prepare_is_where_it_has_not_run(program, wire):
    shell = f"KEY={SECRET} buildr shell"
    with kept_place(program) as place:
        run(place, wire=wire)
        seen = place.shell(f"echo 'test -e ~/made; echo there $?' | {shell} prepare", wire)
        check(b"there 1" in seen.stdout, f"the shell says {seen.stdout} {seen.stderr}")
        seen = place.shell(f"echo 'cat ~/made' | {shell} one", wire)
        check(b"kept" in seen.stdout, f"the shell says {seen.stdout} {seen.stderr}")
        check_equal(times_run(place), 1, "how often prepare has run")


# With a proxy before the engine.


@contextlib.contextmanager
def through_proxy(place, wire, *faults):
    """A build under way whose requests go through a proxy. Gives (process, proxy)."""
    sys.path.insert(0, str(HERE.parent / "fault"))
    from proxy import Fault, Proxy  # pylint: disable=import-outside-toplevel
    # Always the same: what images are is remembered for each engine.
    path = place.top / "engine"
    path.unlink(missing_ok=True)
    proxy = Proxy(path, SOCKET, [Fault(*fault) for fault in faults])
    process = place.start("run", "--output", "json", "-H", proxy.address, wire=wire,
                          env={"KEY": SECRET})
    try:
        proxy.serve_process(process)
        yield process, proxy
    finally:
        process.kill()
        process.wait()
        proxy.close()


def an_image_that_cannot_be_made_is_a_warning(program, wire):
    with kept_place(program) as place:
        with through_proxy(place, wire, ("commit", "says 500")) as (process, _):
            ran = check_build(finish(process), 0)
        check_ran(ran, "pass", "cache.miss")
        check_equal(len(ran.result.of_type("notice")), 1, "how many notices")
        check("is not kept" in ran.notices("warning"), "the warning")


def an_engine_that_lists_no_images_is_no_failure(program, wire):
    with kept_place(program) as place:
        with through_proxy(place, wire, ("images", "says 500")) as (process, _):
            ran = check_build(finish(process), 0)
        check_ran(ran, "pass")
        check("without the stage cache" in ran.notices("info"), "the notice")
        check_equal(images_of(place), [], "images")


def an_image_that_goes_at_the_last_moment_is_made_again(program, wire):
    with kept_place(program) as place:
        run(place, wire=wire)
        image, = images_of(place)
        with through_proxy(place, wire) as (process, proxy):
            proxy.before["create"] = lambda: engine("DELETE", f"/images/{image['Id']}?force=1")
            ran = check_build(finish(process), 0)
        check_ran(ran, "pass", "cache.miss", "cache.stored")
        check_equal((times_run(place), ran.said("one")), (2, "kept\n"), "runs and output")


def kill_9_while_the_image_is_made(program, wire):
    with kept_place(program) as place:
        with through_proxy(place, wire) as (process, proxy):
            proxy.before["commit"] = process.kill
            wait_until(lambda: "commit" in proxy.answered, 120, "the engine's answer")
            process.wait()
        place.check_clean()
        check(not any("<none>" in name for name in names_of(place)), "an image has no name")
        ran = run(place, wire=wire)
        check(ran.stages["prepare"] in ("cached", "pass"), "the next build")


def a_signal_while_the_image_is_made(program, wire):
    with kept_place(program) as place:
        with through_proxy(place, wire, ("commit", "is late")) as (process, proxy):
            proxy.before["commit"] = process.terminate
            ran = check_build(finish(process), 143)
            wait_until(lambda: "commit" in proxy.answered, 120, "the engine's answer")
        check_equal(ran.stages["prepare"], "cancelled", "prepare")


def the_engine_is_asked_for_nothing_more_where_nothing_is_kept(program, wire):
    with kept_place(program) as place:
        manifest = (place.project / ".buildr.yml").read_text()
        place.manifest(manifest.replace("cache: 7d, ", ""))
        with through_proxy(place, wire) as (process, proxy):
            check_ran(check_build(finish(process), 0), "pass")
        check(not {"images", "commit"} & set(proxy.seen), f"asked for {proxy.seen}")


def where_nothing_runs_nothing_is_looked_for(program, wire):
    with kept_place(program) as place:
        manifest = (place.project / ".buildr.yml").read_text()
        place.manifest(manifest.replace("one: {script", "one: {inputs: [in], script"))
        (place.project / "in").write_text("")
        with through_proxy(place, wire) as (process, _):
            check_build(finish(process), 0)
            place.check_clean()
        image, = images_of(place)
        engine("DELETE", f"/images/{image['Id']}?force=1")
        with through_proxy(place, wire) as (process, proxy):
            ran = check_build(finish(process), 0)
        check_equal((ran.stages["one"], proxy.seen, times_run(place)), ("cached", [], 1),
                    "the stage, the requests, and how often prepare has run")


BOTH = WIRES
ONE = WIRES[:1]
CASES = [
    (function.__name__, function, wires) for function, wires in (
        (what_prepare_left_is_there_though_it_did_not_run, BOTH),
        (what_is_mounted_is_not_in_the_image, WIRES[1:]),
        (another_script_or_secret_runs_again, ONE),
        (what_is_over_runs_again_and_goes, ONE),
        (no_cache_keeps_nothing, ONE),
        (a_failure_keeps_nothing, ONE),
        (a_shell_in_prepare_is_where_it_has_not_run, ONE),
        (an_image_that_cannot_be_made_is_a_warning, ONE),
        (an_engine_that_lists_no_images_is_no_failure, ONE),
        (an_image_that_goes_at_the_last_moment_is_made_again, ONE),
        (kill_9_while_the_image_is_made, ONE),
        (a_signal_while_the_image_is_made, ONE),
        (the_engine_is_asked_for_nothing_more_where_nothing_is_kept, ONE),
        (where_nothing_runs_nothing_is_looked_for, ONE),
    )
]

if __name__ == "__main__":
    main_of_cases(CASES, jobs=5)
