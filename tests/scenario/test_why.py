#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""buildr why after real builds.

    test_why.py PROGRAM [CASE…]

What it says of builds that nothing ran in is in tests/cache/test_why.py.
"""

import re

from builds import IMAGE, write
from support import check_equal, main_of_cases, place_of

MANIFEST = IMAGE + """
stages: [build, test]
build: {inputs: [src/**], outputs: [out], script: [cat src/* > out]}
test: {inputs: [t], script: [grep right t out]}
"""


def why(place, *arguments):
    result = place.run("why", *arguments)
    check_equal((result.status, result.stderr), (0, b""), f"why {arguments}")
    said = re.sub(r"just now|\d+ (second|minute)s? ago", "AGO", result.stdout.decode())
    # Tests of another tree may make the image anew meanwhile.
    return re.sub(" *its image changed\n", "", said)


def build(place, wire, status=0):
    """Run the build; give the results of its stages."""
    result = place.run("run", "--output", "json", wire=wire)
    check_equal(result.status, status, f"exit status, with {result.stderr[-2000:]!r}")
    return result.events[-1]["stages"]


def what_made_a_stage_run_is_known_before_and_after(program, wire):
    unchanged = "nothing of test has changed since its last run (AGO)\nit ran the last time because:\n"
    edit = "  stage 'build', which it needs, changed:\n    file 'src/a' changed\n"
    with place_of(program, MANIFEST) as place:
        write(place, {"src/a": "right", "t": "right"})
        check_equal(why(place, "test"), "test would run: nothing is known of an earlier run here\n",
                    "before the first build")
        build(place, wire)
        check_equal(why(place, "test"), f"{unchanged}  it was the first time here\n",
                    "after the first build")
        write(place, {"src/a": "more that is right"})
        check_equal(why(place, "test").partition("it ran")[0], f"test would run again:\n{edit}",
                    "after an edit")
        check_equal(build(place, wire), {"build": "pass", "test": "pass"}, "the second build")
        check_equal(why(place, "test"), unchanged + edit, "after the second build")
        # A stage that fails at once has been written down all the same.
        write(place, {"t": "wrong", "src/a": "wrong"})
        build(place, wire, status=1)
        check_equal(why(place, "test"), "test would run again: nothing has changed since its last "
                    "run (AGO), but that run has left no result: it failed or was stopped\n"
                    f"it ran the last time because:\n{edit}  file 't' changed\n",
                    "after one that failed")


CASES = [("what_made_a_stage_run_is_known_before_and_after",
          what_made_a_stage_run_is_known_before_and_after, ("socket",))]

if __name__ == "__main__":
    main_of_cases(CASES)
