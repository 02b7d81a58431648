# SPDX-License-Identifier: MIT
"""Builds with a stage cache: the image of their own, what was cached, what is stored."""

import os
import uuid
from pathlib import Path

from support import check, check_equal, engine, main_of_cases, make_images

# A name of our own: nobody else gives it to another image meanwhile.
REPOSITORY, TAG = "buildr-test", f"cache-{uuid.uuid4().hex}"
IMAGE = f"image: {REPOSITORY}:{TAG}\n"


def whys(built):
    return {event["stage"]: event["why"] for event in built.result.of_type("cache.miss")}


def check_whys(built, wanted):
    """Check why stages run: each text is a part of what is said."""
    for stage, text in wanted.items():
        why = whys(built).get(stage)
        check(why and text in why, f"{stage} runs since {why!r}, not {text!r}")


def check_cached(built, *stages):
    """Check that these need not run, and all others have."""
    check_equal(sorted(name for name, result in built.stages.items() if result == "cached"),
                sorted(stages), f"what is cached; {whys(built)} {built.notices()}")


def blobs(place, kind="cas"):
    """Give the files of a kind in the store."""
    return sorted(filter(Path.is_file, (place.top / ".cache/buildr" / kind).rglob("*")))


def stored_keys(place):
    return [path.name for path in blobs(place, "ac")]


def kinds(built):
    return [event["type"] for event in built.events]


def tree(top):
    """Give what is below a folder: kind, mode, content."""
    found = {}
    for path in sorted(top.rglob("*")):
        content = (os.readlink(path) if path.is_symlink() else
                   path.read_bytes() if path.is_file() else None)
        found[str(path.relative_to(top))] = (0 if path.is_symlink() else
                                             path.lstat().st_mode), content
    return found


def own_folders(place):
    return list(place.project.glob(".buildr-*"))


def tag(image, name):
    engine("POST", f"/images/{REPOSITORY}:{image}/tag?repo={REPOSITORY}&tag={name}")


def untag(name):
    """Only the name goes: the image has another one."""
    engine("DELETE", f"/images/{REPOSITORY}:{name}?force=1")


def main_of(cases):
    make_images()
    tag("latest", TAG)
    try:
        main_of_cases(cases, jobs=3)
    finally:
        untag(TAG)
