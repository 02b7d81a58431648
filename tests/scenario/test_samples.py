#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Each folder of samples/, copied and run as a reader would.

    test_samples.py PROGRAM [SAMPLE…]

They take the image buildr-sample:latest, which tests/run makes.
"""

import shutil
import sys

from support import HERE, Place, check, check_equal, run_tests

SAMPLES = HERE.parents[1] / "samples"
# What a sample asks of its caller.
VARIABLES = {"secrets": {"API_KEY": "correct-horse", "CI_JOB": "1"}}


def hello(result):
    check(b"hello, world\n" in result.output("build"), result.output("build"))


def secrets(result):
    said = result.output("use")
    check(b"the key is ***" in said and b"correct-horse" not in said, said)


def graph(result):
    ends = [(event["attempt"], event["result"]) for event in result.of_type("stage.finished")
            if event["stage"] == "upload"]
    check_equal(ends, [(1, "fail"), (2, "pass")], "attempts of 'upload'")
    check_equal(result.output("serve"), b"from the service\n", "what the service said")
    check_equal(result.events[-1]["stages"], {
        "sort": "pass", "lint": "fail", "check (LETTER=a, LENGTH=5)": "pass",
        "check (LETTER=a, LENGTH=6)": "pass", "check (LETTER=b, LENGTH=5)": "pass",
        "serve": "pass", "upload": "pass", "release": "skipped", "tidy": "pass",
    }, "results")
    names = [(event["type"], event["stage"]) for event in result.events if "stage" in event]
    check(names.index(("stage.started", "tidy")) > names.index(("stage.finished", "lint")),
          "'tidy' did not wait for 'lint'")


# What is said of a sample beside that it passes.
LOOKS = {"hello": hello, "secrets": secrets, "graph": graph}


def run_sample(program, name):
    place = Place(program)
    try:
        shutil.copytree(SAMPLES / name, place.project, dirs_exist_ok=True)
        result = place.run("run", "--output", "json", env=VARIABLES.get(name))
        check(result.status == 0,
              f"exit status {result.status}: {result.stderr[-2000:]!r} {result.stdout[-2000:]!r}")
        LOOKS.get(name, lambda _: None)(result)
        place.check_clean()
    finally:
        place.remove()


def main():
    program, wanted = sys.argv[1], sys.argv[2:]
    names = sorted(path.parent.name for path in SAMPLES.glob("*/.buildr.yml"))
    return run_tests((name, lambda name=name: run_sample(program, name))
                     for name in names if not wanted or name in wanted)


if __name__ == "__main__":
    sys.exit(main())
