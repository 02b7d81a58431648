# SPDX-License-Identifier: MIT
"""Work for bench: the stage cache, beside others that have one, `cp -a` and sha256sum."""
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import time

import peers

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "fault"))
# pylint: disable=wrong-import-position
from proxy import Proxy  # noqa: E402

CHUNK_BYTES = 1_000_000
JANITOR_SECONDS = 5
# Of inputs, and what a build with so many may take.
COUNTS = ((100, "<= 15 ms"), (20_000, "<= 60 ms"))
# Of 1 GB in all: how many files, each of how many bytes.
SHAPES = (("8 files", 8, 125_000_000), ("20,000 files", 20_000, 50_000))


def nothing():
    pass


def remove(*paths):
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)


def run_once(argv):
    subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=True)


def make_files(folder, count, size):
    """Files of bytes that no file system can make fewer."""
    for i in range(count):
        place = os.path.join(folder, "out", str(i // 200))
        os.makedirs(place, exist_ok=True)
        with open(os.path.join(place, f"{i}.o"), "wb") as file:
            for left in range(size, 0, -CHUNK_BYTES):
                file.write(os.urandom(min(left, CHUNK_BYTES)))


@contextlib.contextmanager
def environment(**more):
    """Variables of this process, and so of what it measures, for a while."""
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class CachedWorks:
    """Methods of Bench, each one kind of work."""

    def by_turns(self, sides):
        """Run each (prepare, argv) by turns; give the seconds of each, and the peaks in MiB.

        `prepare` is not measured; nor is the first turn.
        """
        times = [[] for _ in sides]
        peaks = [0.0 for _ in sides]
        for turn in range(self.runs + 1):
            for side, (prepare, argv) in enumerate(sides):
                prepare()
                seconds, mebibytes = self.measure_all(argv)
                if turn > 0:
                    times[side].append(seconds)
                    peaks[side] = max(peaks[side], mebibytes)
        return times, peaks

    def add_ratio(self, work, times, peak, what, goal, is_rate=True):
        """Note ours against theirs: how fast (theirs / ours), or how long."""
        ours, theirs = (statistics.median(each) for each in times)
        ratio = theirs / ours if is_rate else ours / theirs
        spread = f"{min(times[1]) * 1000:.0f} to {max(times[1]) * 1000:.0f}"
        self.add_row(work, ours, times[0], theirs, f"{ratio:.2f} x {what} ({spread})", goal,
                     f"{peak:.1f}")

    def cached_project(self, count):
        """Ten stages that are cached, and how they are built; the engine is only heard of
        by a proxy, which is given too."""
        folder = self.project(f"cached{count}", peers.manifest())
        peers.make_sources(folder, count)
        proxy = Proxy(os.path.join(self.folder, f"engine{count}"), self.socket)
        proxy.is_known.set()
        return folder, self.buildr_run(folder, "-H", proxy.address), proxy

    def cached(self):
        """Ten stages in which nothing changed, and not a word to the engine."""
        for count, goal in COUNTS:
            _, ours, proxy = self.cached_project(count)
            with environment(XDG_CACHE_HOME=os.path.join(self.folder, "cache")):
                run_once(ours)
                # Its janitor still speaks to the engine when it has ended.
                time.sleep(JANITOR_SECONDS)
                seen = len(proxy.seen)
                (times,), (peak,) = self.by_turns([(nothing, ours)])
            asked = len(proxy.seen) - seen
            proxy.close()
            self.add_row(f"10 cached stages, {count:,} inputs", statistics.median(times), times,
                         0.0, f"{asked} requests to the engine", f"{goal}, 0", f"{peak:.1f}")

    def cached_peers(self):
        """The same by turns with others that keep what tasks made."""
        modules = peers.install(os.path.join(self.folder, "npm"))
        print("peers:", peers.versions(modules))
        for count, _ in COUNTS:
            folder, ours, proxy = self.cached_project(count)
            peers.describe(folder)
            if modules:
                peers.link(folder, modules)
            self.git(folder)
            others = peers.commands(folder, modules)
            commands = [ours, *(argv for _, argv in others)]
            try:
                with environment(XDG_CACHE_HOME=os.path.join(self.folder, "cache")):
                    for argv in commands:
                        run_once(argv)
                    times, peaks = self.by_turns([(nothing, argv) for argv in commands])
            finally:
                peers.stop(folder, modules)
                proxy.close()
            for (name, _), theirs in zip(others, times[1:]):
                self.add_ratio(f"10 cached stages, {count:,} inputs", (times[0], theirs),
                               peaks[0], name, "< 1", is_rate=False)

    def gigabyte(self, count, size):
        """A project whose outputs are 1 GB; made once."""
        folder = os.path.join(self.folder, f"gigabyte{count}")
        if not os.path.isdir(folder):
            make_files(folder, count, size)
        return folder

    def restoring(self):
        """Put 1 GB of outputs back into an empty project."""
        for shape, count, size in SHAPES:
            source = self.gigabyte(count, size)
            store, target, copy = (os.path.join(self.folder, name)
                                   for name in ("store", "target", "copy"))
            subprocess.run([self.cache, "put", store, source, "out/"], check=True,
                           stdout=subprocess.DEVNULL)

            def empty():
                remove(target, copy)
                os.mkdir(target)

            times, peaks = self.by_turns(
                [(empty, [self.cache, "restore", store, target, "out/"]),
                 (empty, ["cp", "-a", os.path.join(source, "out"), copy])])
            self.add_ratio(f"restore 1 GB, {shape}", times, peaks[0], "the rate of cp -a",
                           ">= 0.8")
            remove(store, target, copy)

    def hashing(self):
        """Hash 1 GB of inputs of which nothing is known."""
        for shape, count, size in SHAPES:
            source = self.gigabyte(count, size)
            store = os.path.join(self.folder, "store")
            at_once = 1 if count < 100 else 100
            theirs = ["sh", "-c", 'find "$1" -type f -print0 | xargs -0 -P "$(nproc)" '
                      f"-n {at_once} sha256sum", "sh", source]
            times, peaks = self.by_turns(
                [(lambda: remove(store), [self.cache, "look", store, source, "out/"]),
                 (nothing, theirs)])
            self.add_ratio(f"hash 1 GB cold, {shape}", times, peaks[0],
                           "the rate of sha256sum", ">= 0.8")
            remove(store)
