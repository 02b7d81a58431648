# SPDX-License-Identifier: MIT
"""Whole builds of a graph, each checked for the order of its events and for leftovers."""

import contextlib
import subprocess
import threading

from order import check_order, load_validator
from support import check, check_equal, place_of

IMAGE = "image: buildr-test:latest\n"
# Two stages that wait for a file of each other pass only where both run at once.
MEET = "touch at-{me}; while [ ! -e at-{other} ]; do sleep 0.02; done"

VALIDATOR = load_validator()
# It fills itself while it is used.
VALIDATOR_LOCK = threading.Lock()


def meet(me, other):
    """A stage's text that ends only where the other is there as well."""
    return f"{{needs: [], timeout: 100s, script: ['{MEET.format(me=me, other=other)}']}}"


class Build:
    """How a build went."""

    def __init__(self, result, stages):
        self.result, self.stages = result, stages
        self.events = result.events

    def check_stages(self, **wanted):
        """Check how stages came out; `_` stands for `-`."""
        for name, result in wanted.items():
            name = name.replace("_", "-")
            check_equal(self.stages[name], result, f"stage {name} of {self.stages}")

    def finished(self, stage):
        """Give the stage.finished of each attempt."""
        return [event for event in self.result.of_type("stage.finished")
                if event["stage"] == stage]

    def why(self, stage):
        """Give the reason of a stage's skip or of its last attempt's failure."""
        for event in reversed(self.events):
            if event.get("stage") == stage and event["type"] in ("stage.skipped",
                                                                 "stage.finished"):
                return event.get("reason")
        return None

    def said(self, stage):
        return self.result.output(stage).decode()

    def notices(self, level=None):
        return "\n".join(event["text"] for event in self.result.of_type("notice")
                         if level in (None, event["level"]))


def check_build(result, status, validate=True):
    """Check the exit status and the events of a finished run; give its Build."""
    check(result.status == status, f"exit status {result.status} instead of {status}: "
          f"{result.stderr[-2000:]!r} {result.stdout[-3000:]!r}")
    with VALIDATOR_LOCK:
        stages = check_order(result.events, VALIDATOR if validate else None)
    check_equal(result.events[-1]["exit"], status, "exit of build.finished")
    return Build(result, stages)


def write(place, files):
    for name, text in files.items():
        path = place.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def build_in(place, *options, wire="socket", status=0, env=None, validate=True):
    """Run the build of a place, and check it."""
    options = options if "-j" in options else ("-j", "4", *options)
    result = place.run("run", "--output", "json", *options, wire=wire, env=env)
    return check_build(result, status, validate)


def build(program, manifest, *options, files=None, **more):
    """Run a build in a place of its own, after which nothing is left."""
    with place_of(program, manifest) as place:
        write(place, files or {})
        return build_in(place, *options, **more)


@contextlib.contextmanager
def under_way(program, manifest, *options, wire="socket"):
    """A build that runs; what is done with it must end it. Gives (place, process)."""
    with place_of(program, manifest) as place:
        process = place.start("run", "--output", "json", *options, wire=wire)
        try:
            yield place, process
        finally:
            process.kill()
            process.wait()


def git(place, *arguments):
    """Run git in the project, whatever the user's own settings are."""
    subprocess.run(
        ["git", "-c", "user.name=tester", "-c", "user.email=tester@example.org", *arguments],
        cwd=place.project, check=True, capture_output=True,
        env=place.environment(GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null"))


def commit(place, message="a commit"):
    git(place, "add", "-A")
    git(place, "commit", "-q", "--allow-empty", "-m", message)
