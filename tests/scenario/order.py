# SPDX-License-Identifier: MIT
"""What the contract promises of every stream of events, whatever the build."""

import json

from support import HERE, UUID, Failure, check, check_equal

EXITS = {"pass": (0,), "fail": (1,), "error": (2, 3), "cancelled": (130, 143)}
# Of an attempt whose container was lost a step may have begun that nobody ends.
LOST = ("error", "cancelled")


class Stage:
    """One stage as its events tell it."""

    def __init__(self, name):
        self.name = name
        self.attempt = 0
        self.is_running = False
        self.is_skipped = False
        self.step = None
        self.last_step = 0
        self.result = None
        self.cache = None

    def take(self, event):
        check(not self.is_skipped, f"a skipped stage goes on: {event}")
        getattr(self, "take_" + event["type"].replace(".", "_"))(event)

    def take_stage_skipped(self, event):
        check_equal(self.attempt, 0, f"attempts before {event}")
        self.is_skipped, self.result = True, "skipped"

    def take_stage_started(self, event):
        check(not self.is_running, f"it runs: {event}")
        check_equal(event["attempt"], self.attempt + 1, f"the attempt of {event}")
        self.attempt += 1
        self.is_running, self.step, self.last_step = True, None, 0

    def is_hit(self):
        return self.cache is not None and self.cache["type"] == "cache.hit"

    def take_cache_hit(self, event):
        """It is looked for once, before the first attempt."""
        check(self.attempt == 0 and self.cache is None, f"out of order: {event}")
        self.cache = event

    take_cache_miss = take_cache_hit

    def take_cache_stored(self, event):
        check(self.is_running and self.step is None, f"out of order: {event}")
        check_equal((self.cache["type"], self.cache["key"]), ("cache.miss", event["key"]),
                    f"what was looked for before {event}")

    def take_step_started(self, event):
        check(self.is_running and self.step is None, f"out of order: {event}")
        check(event["step"] > self.last_step, f"a step back: {event}")
        self.step = self.last_step = event["step"]

    def take_output(self, event):
        check(self.is_running, f"out of order: {event}")
        check_equal(event["step"], self.step, f"the step of {event}")

    def take_step_finished(self, event):
        self.take_output(event)
        self.step = None

    def take_stage_finished(self, event):
        check(self.is_running, f"it does not run: {event}")
        check_equal(event["attempt"], self.attempt, f"the attempt of {event}")
        check(self.step is None or event["result"] in LOST, f"in the middle of a step: {event}")
        check_equal(event["result"] == "cached", self.is_hit(), f"found before {event}")
        self.is_running, self.step, self.result = False, None, event["result"]


def load_validator():
    """Give what checks an event against the schema."""
    import jsonschema
    schema = json.loads((HERE.parents[1] / "schemas/event.schema.json").read_text())
    return jsonschema.Draft202012Validator(schema)


def check_each(events, validator):
    """Check what every event has."""
    builds = {event.get("build") for event in events}
    check(len(builds) == 1 and UUID.fullmatch(min(builds)), f"build ids: {builds}")
    check_equal([event["seq"] for event in events], list(range(1, len(events) + 1)), "seq")
    for event in events:
        check_equal((event["v"], event["try"]), (1, 1), "v and try")
        for error in validator.iter_errors(event) if validator else ():
            raise Failure(f"{json.dumps(event)}: {error.message}")


def check_images(events):
    """An image is told of once, and before the containers that are made of it."""
    ready = set()
    for event in events:
        if event["type"] == "image.ready":
            check(event["image"] not in ready, f"told before: {event}")
            ready.add(event["image"])
        elif event["type"] == "container.started":
            check(event["image"] in ready, f"before its image: {event}")


def check_stages(events):
    """Give the stages by name; each has kept to the order."""
    names = events[0]["stages"]
    check_equal(len(set(names)), len(names), "different names of stages")
    stages = {name: Stage(name) for name in names}
    for event in events:
        if "stage" in event:
            check(event["stage"] in stages, f"an unknown stage: {event}")
            stages[event["stage"]].take(event)
    return stages


def check_order(events, validator=None):
    """Check the events of a whole build; give its stages' results."""
    check(events, "there are no events")
    check_each(events, validator)
    kinds = [event["type"] for event in events]
    check_equal((kinds[0], kinds.count("build.started")), ("build.started", 1), "the first")
    check_equal((kinds[-1], kinds.count("build.finished")), ("build.finished", 1), "the last")
    check_images(events)
    stages = check_stages(events)
    finished = events[-1]
    for stage in stages.values():
        check(not stage.is_running, f"{stage.name} has no end")
        check(stage.result, f"nothing was said of {stage.name}")
    check_equal(list(finished["stages"]), list(stages), "the names in build.finished")
    check_equal(finished["stages"], {each.name: each.result for each in stages.values()},
                "the results in build.finished")
    check(finished["exit"] in EXITS[finished["result"]], f"{finished}")
    return finished["stages"]


def position(events, kind, stage):
    """Give where the last event of a kind is that a stage has; None: it has none."""
    found = [at for at, event in enumerate(events)
             if event["type"] == kind and event["stage"] == stage]
    return found[-1] if found else None


def check_needs(events, needs):
    """Check of {stage: [stages]} that none has started before those had ended."""
    for stage, before in needs.items():
        start = position(events, "stage.started", stage)
        for name in before:
            end = position(events, "stage.finished", name)
            check(start is None or end is None or end < start,
                  f"{stage} has started before {name} had ended")


def most_at_once(events):
    """Give how many stages ran at once at most."""
    most = running = 0
    for event in events:
        running += {"stage.started": 1, "stage.finished": -1}.get(event["type"], 0)
        most = max(most, running)
    return most
