#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Results that go to a remote cache and come back, and servers that fail at it.

    test_remote.py CACHE_TOOL

The server is nginx where it works, and a scripted one (cache_servers.py) where it does not. Whatever
a server does, nothing fails, and there is at most one warning.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scenario"))
from cache_servers import Nginx, Scripted  # noqa: E402
from support import check, check_equal, run_tests, wait_until  # noqa: E402

TOOL = Path(sys.argv[1]).resolve()
SECONDS = 120
IDENTITY = "ab" * 32
OTHER = "cd" * 32
CONTENT = b"\0\xff" * 100_000


class Place:
    """A project with outputs of every kind, stored; and an empty store beside it."""

    def __init__(self):
        self.top = Path(tempfile.mkdtemp(prefix="remote-")).resolve()
        self.home = self.top / "home"
        self.home.mkdir()
        out = self.top / "project/out"
        (out / "deep/empty").mkdir(parents=True)
        (out / "large").write_bytes(CONTENT)
        (out / "nothing").touch()
        (out / "deep/run").write_text("#!/bin/sh\n", encoding="utf-8")
        (out / "deep/run").chmod(0o750)
        (out / "deep/link").symlink_to("../large")
        for identity in (IDENTITY, OTHER):
            self.tool("put", self.top / "store", self.top / "project", "build", identity)

    def tool(self, *arguments, **environment):
        """Give its lines. It must not fail."""
        done = subprocess.run([TOOL, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=SECONDS, check=False,
                              env={**os.environ, "HOME": str(self.home), **environment})
        check(done.returncode == 0, f"{arguments}: {done.returncode} {done.stderr}")
        return done.stdout.splitlines()

    def push(self, url, *identities, **environment):
        return self.tool("push", self.top / "store", url, *(identities or (IDENTITY,)),
                         **environment)

    def fetch(self, url, *identities, store="other", **environment):
        return self.tool("fetch", self.top / store, url, *(identities or (IDENTITY,)),
                         **environment)

    def check_restored(self, store="other"):
        again = self.top / "again"
        shutil.rmtree(again, ignore_errors=True)
        again.mkdir()
        lines = self.tool("restore", self.top / store, again, IDENTITY)
        check_equal(lines, ["a line of the log"], "the log")
        check_equal((again / "out/large").read_bytes(), CONTENT, "a file")
        check_equal((again / "out/nothing").read_bytes(), b"", "an empty file")
        check_equal((again / "out/deep/run").stat().st_mode & 0o777, 0o750, "a mode")
        check_equal(os.readlink(again / "out/deep/link"), "../large", "a link")
        check(not list((again / "out/deep/empty").iterdir()), "an empty folder")

    def remove(self):
        shutil.rmtree(self.top)


THERE = [f"{IDENTITY} there"]
MISSING = [f"{IDENTITY} missing"]


def with_nginx(test):
    def run():
        place = Place()
        nginx = Nginx(place.top / "nginx")
        try:
            test(place, nginx)
        finally:
            nginx.stop()
        place.remove()
    return test.__name__, run


def with_scripted(test):
    def run():
        place = Place()
        server = Scripted()
        try:
            test(place, server)
        finally:
            server.stop()
        place.remove()
    return test.__name__, run


@with_nginx
def a_result_goes_to_nginx_and_comes_back_as_it_was(place, nginx):
    url = nginx.url("open") + "/"
    check_equal(place.fetch(url), MISSING, "before")
    check_equal(place.push(url), [], "push")
    check(f"ac/{IDENTITY}" in nginx.files(), str(nginx.files()))
    check(f"cas/{hashlib.sha256(CONTENT).hexdigest()}" in nginx.files(), str(nginx.files()))
    check_equal(place.fetch(url), THERE, "fetch")
    place.check_restored()


@with_nginx
def credentials_are_sent_and_never_shown(place, nginx):
    user = f"{nginx.user}:{nginx.password.replace('@', '%40')}@"
    check_equal(place.push(nginx.url("basic", user)), [], "in the URL")
    check_equal(place.fetch(nginx.url("bearer"), CACHE_TOKEN=nginx.token), THERE, "a token")
    (place.home / ".netrc").write_text(
        f"machine 127.0.0.1 login {nginx.user} password {nginx.password}\n", encoding="utf-8")
    check_equal(place.fetch(nginx.url("basic"), store="third"), THERE, "in .netrc")
    for lines in (place.fetch(nginx.url("basic", "somebody:secret-word@"), OTHER),
                  place.fetch(nginx.url("bearer"), OTHER, CACHE_TOKEN="secret-word")):
        check_equal(len(lines), 2, "lines")
        check("status 401" in lines[0] and "secret-word" not in lines[0], lines[0])


@with_nginx
def a_certificate_is_checked_with_the_authorities_that_are_named(place, nginx):
    authorities = str(nginx.top / "ca.pem")
    check_equal(place.push(nginx.url("tls"), CACHE_CA=authorities), [], "push")
    check_equal(place.fetch(nginx.url("tls"), CACHE_CA=authorities), THERE, "fetch")
    for wrong in ({}, {"CACHE_CA": str(nginx.top / "other.pem")}):
        (warning,) = place.push(nginx.url("tls"), **wrong)
        check("certificate" in warning, warning)


@with_nginx
def nothing_is_sent_to_a_cache_that_is_read_only(place, nginx):
    check_equal(place.push(nginx.url("open"), CACHE_READ_ONLY="1"), [], "push")
    check_equal(nginx.files(), [], "files")


@with_scripted
def a_server_that_checks_takes_results_and_may_add_to_them(place, server):
    check_equal(place.push(server.url, IDENTITY, OTHER), [], "push")
    check_equal(server.refused, [], "refused")
    check_equal(place.fetch(server.url, IDENTITY, OTHER), [*THERE, f"{OTHER} there"], "fetch")
    place.check_restored()


@with_scripted
def contents_come_before_their_result_and_only_once(place, server):
    check_equal(place.push(server.url), [], "push")
    check_equal(server.puts[-1], f"/ac/{IDENTITY}", "what came last")
    check_equal(len(server.puts), 5, str(server.puts))
    # The outputs are the same: only the result itself is new.
    check_equal(place.push(server.url, OTHER), [], "push")
    check_equal(server.puts[5:], [f"/ac/{OTHER}"], "what came then")


@with_scripted
def a_content_that_the_server_has_lost_is_a_miss(place, server):
    check_equal(place.push(server.url), [], "push")
    result = server.data[f"/ac/{IDENTITY}"]
    lost = f"/cas/{hashlib.sha256(CONTENT).hexdigest()}"

    def lose(handler):
        if handler.path == f"/ac/{IDENTITY}":
            handler.answer(200, result)
        elif handler.path == lost:
            handler.answer(404)
        return handler.path in (f"/ac/{IDENTITY}", lost)

    server.fault = lose
    check_equal(place.fetch(server.url), MISSING, "fetch")
    server.fault = None
    check_equal(place.fetch(server.url), THERE, "fetch")


def answer(*arguments, **headers):
    def fault(handler):
        handler.answer(*arguments, **headers)
        return True
    return fault


def close(handler):
    handler.close_connection = True
    return True


def hang(handler):
    handler.server.ended.wait()
    return close(handler)


def cut(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"half")
    return close(handler)


def only_contents(fault):
    def one(handler):
        return handler.path.startswith("/cas/") and fault(handler)
    return one


def endless(handler):
    """More bytes than the content has, and no end that was said before."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(bytes(4_000_000))
    return close(handler)


def changed(old, new):
    """Results with other bytes, as many as there were."""
    assert len(old) == len(new)

    def fault(handler):
        data = handler.server.data[handler.path]
        handler.answer(200, data.replace(old, new))
        return True
    return fault


FAULTS = {
    "an error of the server": (answer(500, b"<html>no</html>"), "status 500"),
    "a page instead of a result": (answer(200, b"<html>login</html>"), "the remote cache"),
    "nothing instead of a result": (close, "GET"),
    "half of a result": (cut, "GET"),
    "a redirect": (answer(302, Location="http://127.0.0.1:1/"), "redirect"),
    "no answer": (hang, "within 5 seconds"),
    "a page instead of a content": (only_contents(answer(200, b"<html>login</html>")),
                                    "sends"),
    "other bytes": (only_contents(answer(200, bytes(7))), "sends"),
    "too many bytes": (only_contents(endless), "sends more than"),
    "a path that leads out": (changed(b"out/large", b"../larger"), "unsafe"),
    "an absolute path": (changed(b"out/large", b"/tmp/larg"), "unsafe"),
    "a file of git's": (changed(b"out/large", b".git/hook"), "unsafe"),
    "a path below a file": (changed(b"out/nothing", b"out/large/x"), "below"),
}


@with_scripted
def a_server_that_fails_is_left_out_after_one_warning(place, server):
    check_equal(place.push(server.url, IDENTITY, OTHER), [], "push")
    for number, (what, (fault, words)) in enumerate(FAULTS.items()):
        server.fault = fault
        lines = place.fetch(server.url, IDENTITY, OTHER, store=f"store{number}")
        server.fault = None
        check_equal(len(lines), 3, f"{what}: {lines}")
        check(lines[0].startswith("left out: ") and words in lines[0], f"{what}: {lines[0]}")
        check_equal(sorted(lines[1:]), [*MISSING, f"{OTHER} missing"], what)
        left = list((place.top / f"store{number}/tmp").iterdir())
        check_equal(left, [], f"{what}: files left")


@with_scripted
def a_server_that_is_not_there_or_takes_nothing_is_left_out(place, server):
    server.fault = answer(403)
    (warning,) = place.push(server.url, IDENTITY, OTHER)
    check("status 403" in warning, warning)
    server.stop()
    (warning,) = place.push(server.url, IDENTITY, OTHER)
    check(warning.startswith("left out: "), warning)
    server.fault = None


def processes_with(word):
    """Those that have `word` on their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if word.encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
    return found


@with_scripted
def no_process_outlives_the_one_that_asked(place, server):
    asked = threading.Event()

    def fault(handler):
        asked.set()
        return hang(handler)

    server.fault = fault
    store = str(place.top / "other")
    process = subprocess.Popen([TOOL, "fetch", store, server.url, IDENTITY],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    check(asked.wait(SECONDS), "nothing was asked")
    check_equal(len(processes_with(store)), 2, "processes")
    process.kill()
    process.wait(SECONDS)
    wait_until(lambda: not processes_with(store), SECONDS, "the other process to end")


TESTS = [
    a_result_goes_to_nginx_and_comes_back_as_it_was,
    credentials_are_sent_and_never_shown,
    a_certificate_is_checked_with_the_authorities_that_are_named,
    nothing_is_sent_to_a_cache_that_is_read_only,
    a_server_that_checks_takes_results_and_may_add_to_them,
    contents_come_before_their_result_and_only_once,
    a_content_that_the_server_has_lost_is_a_miss,
    a_server_that_fails_is_left_out_after_one_warning,
    a_server_that_is_not_there_or_takes_nothing_is_left_out,
    no_process_outlives_the_one_that_asked,
]

if __name__ == "__main__":
    sys.exit(run_tests(TESTS))
