#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Pulls from a real registry (Debian's docker-registry) through a real engine.

usage: test_registry.py PULL_IMAGE
"""
import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

from registry import PASSWORD, SECONDS, USER, Registry, check, engine, remove

PULL_IMAGE = sys.argv[1]


def pull(image, config=None, policy="missing", path=""):
    """Run pull_image with `config` as config.json; give its lines, split."""
    with tempfile.TemporaryDirectory(prefix="buildr-registry-") as home:
        if config is not None:
            (Path(home) / "config.json").write_text(config, encoding="utf-8")
        environment = dict(os.environ, DOCKER_CONFIG=home,
                           PATH=f"{path}:{os.environ['PATH']}")
        done = subprocess.run([PULL_IMAGE, image, policy], env=environment, text=True,
                              stdout=subprocess.PIPE, timeout=SECONDS, check=False)
    return [line.split(" ", 2) for line in done.stdout.splitlines()]


def check_pulled(lines, image):
    check(lines and lines[-1][0] == "image", f"not pulled: {lines}")
    status, said = engine("GET", f"/images/{image}/json")
    check(status == 200, f"the engine does not have it: {said!r}")


def check_error(lines, code, *parts):
    check(lines and lines[-1][0] == "error", f"no error: {lines}")
    check(lines[-1][1] == code, f"another code than {code}: {lines}")
    for part in parts:
        check(part in lines[-1][2], f"'{part}' is not in '{lines[-1][2]}'")
    check(PASSWORD not in lines[-1][2], "the password is told")


def pulls_an_image_and_tells_its_digest_and_progress(registry):
    image = registry.push("plain")
    try:
        lines = pull(image)
        check_pulled(lines, image)
        _, digest = registry.ask("HEAD", "/v2/plain/manifests/1", {
            "Accept": "application/vnd.docker.distribution.manifest.v2+json"})
        check(lines[-1][2] == digest, f"digest {lines[-1][2]} instead of {digest}")
        told = [line for line in lines if line[0] == "progress"]
        check(told, f"no progress: {lines}")
        check(all(int(line[1]) >= 0 for line in told), f"odd progress: {told}")
        # It is there now, and nothing is pulled again.
        check(len(pull(image)) == 1, "pulled twice")
        check(len(pull(image, policy="always")) > 1, "not looked at again")
        remove(image)
        by_digest = image.replace(":1", "") + "@" + digest
        check_pulled(pull(by_digest), by_digest)
        remove(by_digest)
    finally:
        remove(image)


def tells_an_image_that_the_registry_does_not_have(registry):
    check_error(pull(f"{registry.host}/missing:1"), "ENOTFOUND", "image '", "missing")


def tells_an_image_that_is_broken_in_the_registry(registry):
    before = registry.blobs()
    image = registry.push("broken")
    layer = max(registry.blobs() - before, key=lambda path: path.stat().st_size)
    content = bytearray(layer.read_bytes())
    content[len(content) // 2] ^= 0xff
    layer.write_bytes(content)
    try:
        check_error(pull(image), "EUNAVAIL", "pull: ")
    finally:
        remove(image)


def tells_a_registry_that_does_not_answer(_registry):
    with socket.socket() as taken:
        # Bound and not listened at: a connection is refused.
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        check_error(pull(f"{host}/img"), "EUNAVAIL", "connection refused")


def login(host, password=PASSWORD):
    text = base64.b64encode(f"{USER}:{password}".encode()).decode()
    return json.dumps({"auths": {host: {"auth": text}}})


def pulls_with_the_login_of_the_configuration(registry):
    image = registry.push("private")
    try:
        check_error(pull(image), "EUNAVAIL", "no basic auth credentials")
        check_error(pull(image, login(registry.host, "wrong")), "EUNAVAIL", "pull: ")
        check_pulled(pull(image, login(registry.host)), image)
    finally:
        remove(image)


def pulls_with_a_credential_helper(registry):
    image = registry.push("helped")
    config = json.dumps({"credHelpers": {registry.host: "test"}})
    helper = registry.folder / "docker-credential-test"
    try:
        check_error(pull(image, config), "EUNAVAIL", "no basic auth credentials",
                    "'docker-credential-test' is not installed")
        answer = json.dumps({"ServerURL": registry.host, "Username": USER,
                             "Secret": PASSWORD})
        helper.write_text(f"#!/bin/sh\nread -r host\n"
                          f"[ \"$1 $host\" = 'get {registry.host}' ] || exit 1\n"
                          f"echo '{answer}'\n", encoding="utf-8")
        helper.chmod(0o755)
        check_pulled(pull(image, config, path=registry.folder), image)
    finally:
        remove(image)


OPEN = [
    pulls_an_image_and_tells_its_digest_and_progress,
    tells_an_image_that_the_registry_does_not_have,
    tells_an_image_that_is_broken_in_the_registry,
    tells_a_registry_that_does_not_answer,
]
CLOSED = [
    pulls_with_the_login_of_the_configuration,
    pulls_with_a_credential_helper,
]


def run(tests, registry, first):
    """Run tests, and print their TAP lines; give how many failed."""
    failed = 0
    for number, test in enumerate(tests, first):
        name = test.__name__.replace("_", " ")
        try:
            test(registry)
            print(f"ok {number} - {name}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {name}")
            print("# " + traceback.format_exc().replace("\n", "\n# "), flush=True)
    return failed


def main():
    print(f"1..{len(OPEN) + len(CLOSED)}")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="buildr-registry-") as name:
        for tests, first in ((OPEN, 1), (CLOSED, 1 + len(OPEN))):
            folder = Path(name) / str(first)
            folder.mkdir()
            registry = Registry(folder, tests is CLOSED)
            try:
                failed += run(tests, registry, first)
            finally:
                registry.stop()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
