# SPDX-License-Identifier: MIT
"""Work for bench: what an agent adds to a build, with a RabbitMQ of the bench's own."""
import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "support"))

from rabbitmq import RabbitMQ, end_with_parent  # noqa: E402

IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
SETTLE_MS = "300"
OUTPUT_MB = 200
# The subscriber that is slow takes an event in so many ms.
SLOW_MS = "100"


def read(path):
    return Path(path).read_text(encoding="ascii", errors="replace")


def number(pid, name):
    return int(re.search(rf"^{name}:\s*(\d+)", read(f"/proc/{pid}/status"), re.M)[1])


class Peak:
    """The most that a worker of the agent had in memory, looked at again and again."""

    def __init__(self, agent):
        self.agent = agent
        self.kibibytes = 0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()

    def watch(self):
        while not self.is_over.wait(0.02):
            for pid in read(f"/proc/{self.agent}/task/{self.agent}/children").split():
                with contextlib.suppress(OSError, TypeError):
                    self.kibibytes = max(self.kibibytes, number(pid, "VmHWM"))


class Farm:
    """A broker and one agent that takes one job at a time."""

    def __init__(self, bench):
        self.bench = bench
        self.stack = contextlib.ExitStack()
        self.url = self.pid = None

    def __enter__(self):
        folder = Path(tempfile.mkdtemp(dir=self.bench.folder))
        self.url = self.stack.enter_context(RabbitMQ(folder / "rabbit")).url()
        log = self.stack.enter_context(open(folder / "agent.log", "wb"))
        agent = subprocess.Popen(
            [self.bench.agent_program, "--broker", self.url, "--queue", "bench", "--jobs", "1",
             "--work-dir", folder / "work", "--allow-protocol", "file"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=end_with_parent)
        self.stack.callback(agent.wait)
        self.stack.callback(agent.kill)
        self.pid = agent.pid
        while b"event=ready" not in (folder / "agent.log").read_bytes():
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.stack.close()

    def run(self, folder, count, *slow):
        """Build so many jobs, one after the other; give the columns of bus.c."""
        told = subprocess.run(
            [self.bench.bus, self.url, "bench", f"file://{folder}", str(count), SETTLE_MS, *slow],
            stdout=subprocess.PIPE, text=True, check=True).stdout
        return [[float(word) for word in line.split()] for line in told.splitlines()]

    def used(self):
        """Seconds on a processor, and how often it was woken."""
        return int(read(f"/proc/{self.pid}/schedstat").split()[0]) / 1e9, \
            number(self.pid, "voluntary_ctxt_switches")


class AgentWorks:
    """Methods of Bench, each one kind of work."""

    def repository(self, name, manifest):
        folder = self.project(name, manifest)
        for command in (("init", "-q", "-b", "main"), ("add", "-A"), (*IDENTITY, "commit", "-qm", "bench")):
            subprocess.run(["git", "-C", folder, *command], check=True)
        return folder

    def agent(self):
        """Jobs and builds by hand take turns, so that both see the same machine."""
        folder = self.repository("agent", "stages: [build]\nbuild:\n  script: ['true']\n")
        by_hand, jobs = [], []
        with Farm(self) as farm:
            farm.run(folder, 1)
            while len(jobs) < self.jobs:
                time.sleep(int(SETTLE_MS) / 1000)
                by_hand.append(self.measure_one(self.buildr_run(folder)))
                jobs += farm.run(folder, 1)
            peak = f"{number(farm.pid, 'VmHWM') / 1024:.1f}"
        first = [job[0] / 1000 for job in jobs]
        whole = [job[1] / 1000 for job in jobs]
        more = statistics.median(ours - theirs for ours, theirs in zip(whole, by_hand)) * 1000
        self.add_row("publish to the first event", statistics.median(first), first, 0, "", "<= 10 ms",
                     peak)
        self.add_row(f"{len(jobs)} jobs of 1 step", statistics.median(whole), whole,
                     statistics.median(by_hand), f"{more:.1f} ms more than by hand", "<= 25 ms", peak)

    def agent_output(self):
        loud = self.repository(
            "agent-output", "stages: [build]\nbuild:\n  script:\n    - >-\n"
            "      yes 'a line of output as long as lines of a log usually are, more or less'"
            f" | head -c {OUTPUT_MB}000000\n")
        with Farm(self) as farm:
            self.agent_fast(farm, loud)
            self.agent_slow(farm, loud)

    def agent_fast(self, farm, folder):
        """From the first output event to the last."""
        farm.run(folder, 1)
        with Peak(farm.pid) as peak:
            times = [job[3] / 1000 for job in farm.run(folder, self.runs)]
        self.add_row(f"{OUTPUT_MB} MB to a subscriber", statistics.median(times), times, 0,
                     f"{OUTPUT_MB / statistics.median(times):.0f} MB/s", ">= 60 MB/s",
                     f"{number(farm.pid, 'VmHWM') / 1024:.1f}, worker {peak.kibibytes / 1024:.1f}")

    def agent_slow(self, farm, folder):
        """Beside a second subscriber that takes what comes, or an event in a while."""
        times = {"0": [], SLOW_MS: []}
        for _ in range(self.runs):
            for slow, taken in times.items():
                taken += [job[3] / 1000 for job in farm.run(folder, 1, slow)]
        fast, slow = (statistics.median(taken) for taken in times.values())
        self.add_row("the same beside a slow one", slow, times[SLOW_MS], fast,
                     f"{slow / fast:.2f} x beside one that is not slow", "-",
                     f"{number(farm.pid, 'VmHWM') / 1024:.1f}")

    def agent_idle(self):
        """After a few jobs."""
        folder = self.repository("agent-idle", "stages: [build]\nbuild:\n  script: ['true']\n")
        with Farm(self) as farm:
            farm.run(folder, 3)
            time.sleep(3)
            before = farm.used()
            time.sleep(self.idle)
            after = farm.used()
            told = f"{(after[0] - before[0]) * 1000:.1f} ms on a processor, " \
                f"{after[1] - before[1]} times woken"
            self.add_row(f"idle for {self.idle} s", 0, [0], 0, told, "<= 6 MiB",
                         f"{number(farm.pid, 'VmRSS') / 1024:.1f}")
