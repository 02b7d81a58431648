#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""buildr cache ls, du, prune and rm, by the program itself.

    test_command.py PROGRAM CACHE_TOOL

Results are stored by CACHE_TOOL as a build would store them.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scenario"))
from support import check, check_equal, run_tests  # noqa: E402

PROGRAM = Path(sys.argv[1]).resolve()
TOOL = Path(sys.argv[2]).resolve()
SECONDS = 120
LARGE = "x" * 100_000


class Place:
    """Two projects, and a store of their own."""

    def __init__(self):
        self.top = Path(tempfile.mkdtemp(prefix="cache-")).resolve()
        self.store = self.top / "cache/buildr"
        for name in ("one", "two"):
            (self.top / name / "out").mkdir(parents=True)
            (self.top / name / ".buildr.yml").write_text(
                "image: alpine:3.20\nstages: [build]\nbuild: [make]\n", encoding="utf-8")

    def put(self, project, stage, number, content):
        (self.top / project / "out/file").write_text(content, encoding="utf-8")
        subprocess.run([TOOL, "put", self.store, self.top / project, stage,
                        f"{number:064x}"], check=True, timeout=SECONDS)

    def run(self, *arguments, project="one"):
        """Run `buildr cache`; give its status, stdout and stderr."""
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.top / "cache"),
                       "XDG_CONFIG_HOME": str(self.top / "config")}
        done = subprocess.run([PROGRAM, "cache", *arguments], cwd=self.top / project,
                              env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=SECONDS, check=False)
        return done.returncode, done.stdout, done.stderr

    def objects(self, *arguments):
        status, out, err = self.run(*arguments, "-o", "json")
        check_equal((status, err), (0, ""), f"buildr cache {arguments}")
        return [json.loads(line) for line in out.splitlines()]

    def stages(self):
        return sorted((Path(found["project"]).name, found["stage"])
                      for found in self.objects("ls"))

    def remove(self):
        shutil.rmtree(self.top)


def with_place(test):
    def run():
        place = Place()
        test(place)
        place.remove()
    return test.__name__, run


@with_place
def where_nothing_is_stored_there_is_nothing_to_list_and_nothing_is_made(place):
    check_equal(place.run("ls"), (0, "", ""), "ls")
    check_equal(place.objects("du"), [{"total": True, "results": 0, "bytes": 0}], "du")
    check_equal(place.run("prune")[0], 0, "prune")
    check(not place.store.exists(), "the store was made by looking at it")


@with_place
def lists_results_with_their_stages_and_sizes(place):
    place.put("one", "build", 1, LARGE)
    place.put("two", "test (PY=3)", 2, LARGE)
    place.put("two", "build", 1, LARGE)
    status, out, err = place.run("ls")
    check_equal((status, err), (0, ""), "ls")
    lines = out.splitlines()
    check(lines[0].split() == ["STAGE", "USED", "SIZE", "KEY", "PROJECT"], lines[0])
    check_equal(len(lines), 4, out)
    check(f"{1:064x}"[:12] in out and str(place.top / "two") in out, out)
    check_equal(place.stages(),
                [("one", "build"), ("two", "build"), ("two", "test (PY=3)")], "stages")
    for found in place.objects("ls"):
        check(found["bytes"] > len(LARGE) and len(found["key"]) == 64, str(found))


@with_place
def sums_up_and_counts_once_what_is_shared(place):
    place.put("one", "build", 1, LARGE)
    place.put("one", "build", 2, LARGE)
    place.put("one", "test", 3, "y" * 1000)
    sums = place.objects("du")
    check_equal([(found.get("stage"), found["results"]) for found in sums],
                [("build", 2), ("test", 1), (None, 3)], "sums")
    check(2 * len(LARGE) < sums[0]["bytes"], str(sums))
    check(len(LARGE) < sums[2]["bytes"] < 2 * len(LARGE), str(sums))
    status, out, _ = place.run("du")
    check(status == 0 and out.splitlines()[-1].endswith("in all"), out)


@with_place
def prunes_down_to_a_size_and_first_says_what_it_would_do(place):
    for number in range(3):
        place.put("one", f"stage{number}", number, chr(97 + number) * 100_000)
        old = 1_000_000_000 + number
        os.utime(place.store / f"ac/00/{number:064x}", (old, old))
    status, out, err = place.run("prune", "--max-size", "150k", "--dry-run")
    check_equal((status, err), (0, ""), "prune")
    check(out.startswith("would remove 2 results, "), out)
    check_equal(len(place.stages()), 3, "after a dry run")
    (done,) = place.objects("prune", "--max-size", "150k")
    check_equal((done["removed"], done["dry_run"]), (2, False), "prune")
    check_equal(place.stages(), [("one", "stage2")], "what is left")
    # Without an option: not used in 30 days.
    check(place.run("prune")[1].startswith("removed 1 result, "), "prune")
    check_equal(place.stages(), [], "what is left")


@with_place
def removes_the_results_of_stages_of_the_project_at_hand(place):
    place.put("one", "build", 1, "a")
    place.put("one", "test (PY=3)", 2, "b")
    place.put("one", "test (PY=4)", 3, "c")
    place.put("two", "build", 4, "d")
    status, _, err = place.run("rm", "deploy")
    check_equal(status, 2, "a stage without results")
    check("no result of stage 'deploy'" in err, err)
    check_equal(len(place.stages()), 4, "after a mistake")
    status, out, err = place.run("rm", "test", "build")
    check_equal((status, err), (0, ""), "rm")
    check(out.startswith("removed 3 results, "), out)
    check_equal(place.stages(), [("two", "build")], "what is left")


@with_place
def says_what_is_wrong_with_how_it_is_called(place):
    for arguments, words in (
            ((), "wants to know which"),
            (("prun",), "did you mean 'prune'"),
            (("ls", "build"), "takes no argument like 'build'"),
            (("ls", "--max-size", "1g"), "options of 'buildr cache prune'"),
            (("du", "--dry-run"), "removes nothing"),
            (("rm",), "which stage"),
            (("prune", "--max-size", "much"), "--max-size"),
            (("ls", "-o", "plain"), "does not know this form of --output")):
        status, out, err = place.run(*arguments)
        check_equal((status, out), (2, ""), str(arguments))
        check(words in err, f"{arguments}: {err}")


TESTS = [
    where_nothing_is_stored_there_is_nothing_to_list_and_nothing_is_made,
    lists_results_with_their_stages_and_sizes,
    sums_up_and_counts_once_what_is_shared,
    prunes_down_to_a_size_and_first_says_what_it_would_do,
    removes_the_results_of_stages_of_the_project_at_hand,
    says_what_is_wrong_with_how_it_is_called,
]

if __name__ == "__main__":
    sys.exit(run_tests(TESTS))
