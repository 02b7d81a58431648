# SPDX-License-Identifier: MIT
"""Work for bench: how soon the stages of a graph run."""
import json
import random
import statistics
import subprocess
from datetime import datetime

IMAGE = "buildr-sample:latest"


def stage(name, needs, script, **more):
    extra = "".join(f", {key}: {value}" for key, value in more.items())
    return f"{name}: {{needs: [{', '.join(needs)}], script: ['{script}']{extra}}}\n"


def graph(stages):
    """A manifest of stages, given as (name, needs, script)."""
    names = ", ".join(name for name, *_ in stages)
    return f"stages: [{names}]\n" + "".join(stage(*one) for one in stages)


def random_graph(count):
    """Each stage needs up to three of those before it."""
    numbers = random.Random(1)
    stages = []
    for i in range(count):
        needs = numbers.sample(range(i), min(i, numbers.randint(0, 3)))
        stages.append((f"s{i}", [f"s{need}" for need in needs], "true"))
    return graph(stages)


def span_of(text):
    """Seconds from the first stage's start to the last one's end."""
    def when(event):
        return datetime.fromisoformat(event["ts"].replace("Z", "+00:00")).timestamp()

    events = [json.loads(line) for line in text.splitlines()]
    starts = [when(event) for event in events if event["type"] == "stage.started"]
    ends = [when(event) for event in events if event["type"] == "stage.finished"]
    return max(ends) - min(starts)


class GraphWorks:
    """Methods of Bench, each one kind of work."""

    def independent(self):
        folder = self.project("independent",
                              graph([(name, [], "sleep 1") for name in "abcd"]))
        self.compare("4 stages of sleep 1", self.buildr_run(folder, "-j", "4"),
                     self.floor_run(folder, "true"), "<= 1.25", "floor + 1 s", minus=1.0)

    def barrier(self):
        """A takes a tenth of what B and C take; C needs A: nothing waits for B."""
        folder = self.project("barrier", graph(
            [("a", [], "sleep 0.1"), ("b", [], "sleep 1"), ("c", ["a"], "sleep 1")]))
        spans = []
        for _ in range(self.runs):
            done = subprocess.run([self.buildr, "-C", folder, "-o", "json", "-j", "4"],
                                  stdout=subprocess.PIPE, check=True, text=True)
            spans.append(span_of(done.stdout))
        median = statistics.median(spans)
        self.add_row("A -> C, B: first start to last end", median, spans, 1.1,
                     f"{median / 1.1:.3f} x critical path", "<= 1.03", "-")

    def thousand(self):
        folder = self.project("thousand", random_graph(1000))
        self.compare("1,000 stages of true, random graph", self.buildr_run(folder),
                     self.floor_run(folder, "true"), "<= 2 ms a stage, 30 MiB",
                     per_stage=1000)

    def planning(self):
        folder = self.project("planning", random_graph(10000))
        self.compare("plan of 10,000 stages", [self.buildr, "-C", folder, "plan"],
                     ["/bin/true"], "<= 100 ms", "/bin/true")

    def images(self):
        """Stages with images of their own, against one of them alone."""
        names = "abc"
        body = "".join(stage(name, [], "sleep 1", image=IMAGE) for name in names)
        folder = self.project("images", f"stages: [{', '.join(names)}]\n{body}")
        self.compare("3 stages with own images, sleep 1",
                     self.buildr_run(folder, "-j", "3"), self.buildr_run(folder, "a"),
                     "<= 1.15", "one alone")
