#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Random graphs, each of which comes out as a model of the manifest says.

    test_random.py PROGRAM [CASE…]

The seed is in the name of the case, so that one that fails can be had again.
"""

import random

from builds import IMAGE, build
from order import check_needs, most_at_once
from support import check, check_equal, main_of_cases

STAGES = 40
# How a stage comes out that runs.
PASSES, FAILS, ALLOWED = "exit 0", "exit 1", "exit 2"
OWN = ("buildr-test:configured", "buildr-test:server")


class Stage:
    """A stage as the manifest describes it, and what the model makes of it."""

    def __init__(self, dice, number, before):
        self.name = f"s{number}"
        self.needs = dice.sample(before, min(len(before), dice.choice((0, 1, 1, 2, 3))))
        self.status = dice.choices(("success", "failure", "always"), (8, 1, 2))[0]
        self.is_taken_out = dice.random() < 0.1
        self.script = dice.choices((PASSES, FAILS, ALLOWED), (12, 2, 1))[0]
        self.parts = dice.choices((1, 3), (5, 1))[0]
        self.image = dice.choice(OWN) if dice.random() < 0.1 else None
        self.judge()

    def ancestors(self):
        return {each for need in self.needs for each in (need, *need.ancestors())}

    def judge(self):
        has_failed = any(each.is_failure for each in self.ancestors())
        runs = {"success": not has_failed, "failure": has_failed, "always": True}[self.status]
        if self.is_taken_out or not runs:
            self.result = "skipped"
            self.reason = "needs" if not self.is_taken_out and has_failed else "when"
        else:
            self.result = "pass" if self.script == PASSES else "fail"
            self.reason = None if self.script == PASSES else "status"
        self.is_failure = self.result == "fail" and self.script == FAILS

    def full_names(self):
        if self.parts == 1:
            return [self.name]
        return [f"{self.name} (part={part})" for part in range(self.parts)]

    def text(self):
        lines = [f"{self.name}:", f"  script: ['{self.script}']",
                 f"  needs: [{', '.join(each.name for each in self.needs)}]",
                 f"  when: {{status: {self.status}"
                 f"{', event: never' if self.is_taken_out else ''}}}"]
        if self.script == ALLOWED:
            lines.append("  allow_failure: [2]")
        if self.parts > 1:
            lines.append(f"  matrix: {{part: {list(range(self.parts))}}}")
        if self.image:
            lines.append(f"  image: {self.image}")
        return "\n".join(lines) + "\n"


def make(dice):
    stages = []
    for number in range(STAGES):
        stage = Stage(dice, number, stages)
        # A condition that cannot hold is a mistake.
        if stage.status == "failure" and not stage.needs:
            stage.status = "always"
            stage.judge()
        stages.append(stage)
    return stages


def check_model(ran, stages):
    for stage in stages:
        for name in stage.full_names():
            check_equal((ran.stages[name], ran.why(name)), (stage.result, stage.reason),
                        f"how {name} came out")
        before = [name for each in stage.ancestors() for name in each.full_names()]
        check_needs(ran.events, {name: before for name in stage.full_names()})


def a_random_graph(seed):
    def case(program, wire):
        dice = random.Random(seed)
        stages = make(dice)
        jobs = dice.choice((1, 2, 4, 8))
        names = [stage.name for stage in stages]
        listed = dice.sample(names, len(names))
        manifest = IMAGE + f"stages: [{', '.join(listed)}]\n" + "".join(
            stage.text() for stage in stages)
        has_failed = any(stage.is_failure for stage in stages)
        ran = build(program, manifest, "-j", str(jobs), wire=wire, status=int(has_failed))
        check_model(ran, stages)
        check(most_at_once(ran.events) <= jobs, "more at once than jobs")
    return case


CASES = [(f"a_random_graph_{seed}", a_random_graph(seed), (("socket", "stdio")[seed % 2],))
         for seed in range(1, 9)]

if __name__ == "__main__":
    main_of_cases(CASES, jobs=3)
