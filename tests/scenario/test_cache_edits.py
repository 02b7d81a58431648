#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Random edits of a project: a build with the stage cache and a clean one always agree.

    test_cache_edits.py PROGRAM [--seed N] [--seconds N] [CASE…]

After each edit the project is built with what the cache has, and a copy of it without cache
and without outputs: both have the same outputs. A build after that runs nothing. The
seed is in the name of a case, and every edit is told when one fails.

Bugs that it was seen to catch: a mode, the target of a link or a removed file not in the
identity; a file with its old size and mtime not hashed again; a damaged blob put back.
"""

import argparse
import os
import random
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from own_image import IMAGE, own_image
from support import Failure, Place, check, check_equal, run_tests

# What a stage reads, and lists of `inputs` that choose all of it.
FOLDERS = ("src/a", "src/b")
GLOBS = {
    "src/a": (["src/a/**"], ["src/a/"], ["src/**"], ["**", "!/out"], ["**/a/**", "!out"],
              ["src/**", "!src/b/"], ["a/", "!src/b/a/"]),
    "src/b": (["src/b/**"], ["/src/b/"], ["src/**", "!src/a/**"], ["b", "src"],
              ["**", "!*.never", "!out/"]),
}
# Everything of the folder that can be seen, so that nothing that decides is overlooked.
LOOK = ('find {folder} ! -type d | sort | while read -r each; do stat -c "%a %F %N" "$each"; '
        '[ -L "$each" ] || cat "$each"; done')
MODES = (0o600, 0o644, 0o755, 0o444)
LONG_AGO = 1_500_000_000_123_456_789
# However slow the machine is.
EDITS_MIN = 3


class Project:
    """A project that is edited, and its manifest."""

    def __init__(self, place, dice):
        self.place, self.dice = place, dice
        self.values = {"src/a": "one", "src/b": "two"}
        self.words = {"src/a": "word", "src/b": "word"}
        self.globs = {folder: GLOBS[folder][0] for folder in FOLDERS}
        self.made = 0
        self.edits_of_no_input = (self.touch, self.lose_outputs, self.spoil_an_output,
                                  self.spoil_the_cache)
        self.edits = (self.change_a_byte, self.change_a_byte, self.change_a_mode, self.rename,
                      self.remove_one, self.add_one, self.retarget, self.turn_into_a_folder,
                      self.change_a_variable, self.change_a_step, self.change_the_globs,
                      *self.edits_of_no_input)
        # Each comes as often as any other one.
        self.deck = []
        for folder in FOLDERS:
            for _ in range(4):
                self.add(folder)
            self.link(folder)
        self.save()

    def save(self):
        """Write the manifest: each folder's stage, and one that needs both."""
        stages = ""
        for name, folder in (("first", "src/a"), ("second", "src/b")):
            stages += (f"{name}:\n  needs: []\n  inputs: {self.globs[folder]}\n"
                       f"  outputs: [out/{name}/]\n"
                       f"  environment: {{VALUE: {self.values[folder]}}}\n  script:\n"
                       f"    - mkdir -p out/{name}/empty; {LOOK.format(folder=folder)} "
                       f">out/{name}/seen\n"
                       f"    - echo \"$VALUE\" {self.words[folder]} | tee out/{name}/said\n"
                       f"    - ln -sf seen out/{name}/link; chmod 755 out/{name}/said\n")
        self.place.manifest(
            f"image: {IMAGE}\nstages: [first, second, both]\n{stages}"
            "both:\n  needs: [first, second]\n  inputs: [never]\n  outputs: [out/both]\n"
            "  script: [cat out/first/seen out/second/seen out/first/said >out/both]\n")

    def add(self, folder):
        """Put a file somewhere below, now and then in a new folder."""
        self.made += 1
        inner = self.dice.choice(("", "a/", f"deep{self.made}/"))
        path = self.place.project / folder / f"{inner}f{self.made}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.dice.randbytes(self.dice.choice((0, 1, 30, 5000))).hex().encode())
        return path

    def link(self, folder):
        self.made += 1
        path = self.place.project / folder / f"l{self.made}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(self.dice.choice(("f1", "nowhere", "..", "/etc/passwd", path.name)))
        return path

    def find(self, wanted):
        found = sorted(path for folder in FOLDERS
                       for path in (self.place.project / folder).rglob("*") if wanted(path))
        return self.dice.choice(found) if found else None

    def find_file(self):
        return self.find(lambda path: path.is_file() and not path.is_symlink())

    # Each edit below says what it has done, or None where there was nothing to do it with.

    def change_a_byte(self):
        path = self.find(lambda each: not each.is_symlink() and each.is_file() and
                         each.stat().st_size > 0)
        if not path:
            return None
        stamps = path.stat()
        data = bytearray(path.read_bytes())
        data[self.dice.randrange(len(data))] ^= 1
        path.write_bytes(data)
        # Whoever looks at size and mtime only would not notice.
        if self.dice.random() < 0.5:
            os.utime(path, ns=(stamps.st_atime_ns, stamps.st_mtime_ns))
        return f"a byte of {path}"

    def change_a_mode(self):
        path = self.find_file()
        mode = self.dice.choice(MODES)
        if not path or path.stat().st_mode & 0o777 == mode:
            return None
        path.chmod(mode)
        return f"mode {mode:o} of {path}"

    def rename(self):
        path = self.find(lambda each: not each.is_dir() or each.is_symlink())
        if not path:
            return None
        self.made += 1
        path.rename(path.with_name(f"r{self.made}"))
        return f"{path} renamed"

    def remove_one(self):
        path = self.find(lambda each: True)
        if path and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path:
            path.unlink()
        return path and f"{path} removed"

    def add_one(self):
        return f"{self.add(self.dice.choice(FOLDERS))} added"

    def retarget(self):
        path = self.find(lambda each: each.is_symlink())
        if not path:
            return f"{self.link(self.dice.choice(FOLDERS))} linked"
        target = f"to{self.made}"
        self.made += 1
        path.unlink()
        path.symlink_to(target)
        return f"{path} links to {target}"

    def turn_into_a_folder(self):
        path = self.find_file()
        if not path:
            return None
        path.unlink()
        path.mkdir()
        (path / "inside").write_text("inside")
        return f"{path} is a folder"

    def change_a_variable(self):
        folder = self.dice.choice(FOLDERS)
        self.values[folder] = f"v{self.dice.randrange(3)}"
        return f"the variable of {folder}"

    def change_a_step(self):
        folder = self.dice.choice(FOLDERS)
        self.words[folder] = f"w{self.dice.randrange(3)}"
        return f"the step of {folder}"

    def change_the_globs(self):
        folder = self.dice.choice(FOLDERS)
        self.globs[folder] = self.dice.choice(GLOBS[folder])
        return f"inputs {self.globs[folder]} of {folder}"

    # These change no input.

    def touch(self):
        path = self.find_file()
        if path:
            os.utime(path, ns=(LONG_AGO, LONG_AGO))
        return path and f"{path} touched"

    def lose_outputs(self):
        shutil.rmtree(self.place.project / "out")
        return "all outputs lost"

    def spoil_an_output(self):
        path = self.place.project / "out" / self.dice.choice(("first", "second")) / "seen"
        path.chmod(0o600)
        path.write_text("spoilt")
        return f"{path} spoilt"

    def spoil_the_cache(self):
        shutil.rmtree(self.place.project / "out")
        for path in sorted((self.place.top / ".cache/buildr/cas").rglob("*")):
            if path.is_file() and path.stat().st_size > 0 and self.dice.random() < 0.7:
                data = bytearray(path.read_bytes())
                data[self.dice.randrange(len(data))] ^= 16
                path.chmod(0o600)
                path.write_bytes(data)
        return "all outputs lost, and bits flipped of most contents in the cache"

    def edit(self):
        """Do something; say what, and whether an input may be another one now."""
        while True:
            if not self.deck:
                self.deck = self.dice.sample(self.edits, len(self.edits))
            edit = self.deck.pop()
            told = edit()
            if told:
                self.save()
                return told, edit not in self.edits_of_no_input


def tree_of(top):
    """Give what a folder has, as {path: what it is}."""
    found = {}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            if os.path.islink(path):
                what = "link", os.readlink(path)
            elif os.path.isdir(path):
                what = "folder", None
            else:
                with open(path, "rb") as file:
                    what = oct(status.st_mode), file.read()
            found[os.path.relpath(path, top)] = what
    return found


def differences(cached, clean):
    return [f"{path}: {cached.get(path)!r:.300} instead of {clean.get(path)!r:.300}"
            for path in sorted(cached.keys() | clean.keys())
            if cached.get(path) != clean.get(path)]


def run_build(place, wire, *options):
    result = place.run("run", "-o", "json", *options, wire=wire)
    check(result.status == 0, f"exit status {result.status}: {result.stderr[-1000:]!r} "
          f"{result.stdout[-2000:]!r}")
    return result


def copy_of(place, clean):
    """Have the project again in `clean`, without what builds left in it."""
    shutil.rmtree(clean.project)
    shutil.copytree(place.project, clean.project, symlinks=True,
                    ignore=lambda folder, names: ["out"] if folder == str(place.project) else [])


def agree(pool, place, clean, wire, said):
    """Build both, where need be, and check that nothing tells them apart; give what the
    first stage says."""
    slow = None
    if not said:
        copy_of(place, clean)
        slow = pool.submit(run_build, clean, wire, "--no-cache")
    cached_said = run_build(place, wire).output("first")
    said = said or slow.result().output("first")
    check_equal(cached_said, said, "what the first stage said")
    found = differences(tree_of(place.project / "out"), tree_of(clean.project / "out"))
    check(not found, "other outputs than a clean build: " + "; ".join(found[:3]))
    return said


def check_hits(place, wire):
    """Check that a build without any edit runs nothing."""
    result = run_build(place, wire)
    results = {event["stage"]: event["result"] for event in result.of_type("stage.finished")}
    check_equal(set(results.values()), {"cached"}, f"{results}, "
                f"{[event['why'] for event in result.of_type('cache.miss')]}")
    check(not result.of_type("container.started"), "a container was started")


def random_edits(program, seed, seconds, wire):
    dice = random.Random(seed)
    place, clean = Place(program), Place(program)
    told, said = [], None
    try:
        project = Project(place, dice)
        end = time.monotonic() + seconds
        with ThreadPoolExecutor(1) as pool:
            while len(told) <= EDITS_MIN or time.monotonic() < end:
                what, is_other = project.edit() if told else ("nothing", True)
                told.append(what)
                said = agree(pool, place, clean, wire, None if is_other else said)
                check_hits(place, wire)
        print(f"# seed {seed}: {len(told) - 1} edits agree", flush=True)
        place.check_clean()
        clean.check_clean()
    except Failure as failure:
        raise Failure(f"seed {seed}, after {told}: {failure}") from failure
    finally:
        place.remove()
        clean.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=1, help="of the first of two")
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args()
    with own_image():
        sys.exit(run_tests([
            (f"random edits, seed {seed} ({wire})", lambda seed=seed, wire=wire: random_edits(
                options.program, seed, options.seconds, wire))
            for seed, wire in ((options.seed, "socket"), (options.seed + 1, "stdio"))], 2))


main()
