#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The stage cache where files, disks, servers and other builds are not as one would wish.

    test_cache_bad.py PROGRAM [CASE…]

A build passes all the same, with the outputs that its steps make, and where that can be a
second one runs nothing.
"""

import contextlib
import hashlib
import http.server
import os
import socket
import subprocess
import threading

from own_image import IMAGE, own_image
from support import Place, check, check_equal, finish, main_of_cases, place_of

HEAD = f"image: {IMAGE}\nnetwork: none\nstages: [make]\n"
MANIFEST = HEAD + """
make:
  inputs: [src/**]
  outputs: [out/]
  script:
    - mkdir -p out/deep; cat src/plain >out/deep/made; ln -sf deep/made out/link
"""
STORE = ".cache/buildr"
MANY = 100_000
# Files that come and go.
BUSY = 300
# Results that no build may have written anywhere.
EVIL_PATHS = ("../evil", "/tmp/buildr-test-evil")
DISK_KIB = 1024


def write(place, name, text="text\n"):
    path = place.project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def build(place, *options, status=0, **more):
    result = place.run("run", "-o", "json", *options, **more)
    check_equal(result.status, status,
                f"exit status, {result.stderr[-800:]!r} {result.stdout[-1500:]!r}")
    return result


def outcome(result, stage="make"):
    return [event["result"] for event in result.of_type("stage.finished")
            if event["stage"] == stage][-1]


@contextlib.contextmanager
def small_disk(folder, kib):
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k,mode=755", "none", folder],
                   check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def notices(result):
    return [f"{event['level']}: {event['text']}" for event in result.of_type("notice")
            if event["level"] != "info"]


def check_outcomes(place, *wanted, options=()):
    """Build as often as there are outcomes, and check them and what is made."""
    for number, each in enumerate(wanted, 1):
        result = build(place, *options)
        check_equal(outcome(result), each, f"build {number}, {notices(result)}, "
                    f"{[event['why'] for event in result.of_type('cache.miss')]}")
        check_made(place)
    return result


def check_made(place, text="text\n"):
    made = place.project / "out/deep/made"
    check_equal(made.read_text(), text, "what was made")
    check_equal(os.readlink(place.project / "out/link"), "deep/made", "the link that was made")


def a_glob_that_leaves_the_project(program, wire):
    for key, glob in (("inputs", "../x"), ("outputs", "a/../../x"), ("inputs", "!../x")):
        other = "outputs: [out]" if key == "inputs" else "inputs: [src]"
        manifest = HEAD + f"make:\n  {key}: [src2, '{glob}']\n  {other}\n  script: ['true']\n"
        with place_of(program, manifest) as place:
            result = place.run("run", wire=wire)
            check_equal(result.status, 2, "exit status")
            check(b".buildr.yml:5:" in result.stderr and b"'..'" in result.stderr,
                  f"it says {result.stderr!r}")


def links_in_circles_and_out_of_the_project(program, wire):
    with place_of(program, MANIFEST) as place:
        write(place, "src/plain")
        for name, target in (("self", "self"), ("one", "two"), ("two", "one"), ("up", ".."),
                             ("root", "/"), ("deep/up", "../.."), ("deep/proc", "/proc/self")):
            path = place.project / "src" / name
            path.parent.mkdir(exist_ok=True)
            path.symlink_to(target)
        check_outcomes(place, "pass", "cached")
        (place.project / "src/up").unlink()
        (place.project / "src/up").symlink_to("../..")
        check_outcomes(place, "pass", "cached")


def sockets_and_devices(program, wire):
    manifest = MANIFEST.replace("[out/]", "[out/, 'deep.*']") + (
        "    - mkfifo out/fifo; mknod out/null c 1 3; touch deep.file\n"
        "    - rm -f out/deep/pipe; mkfifo out/deep/pipe\n")
    with place_of(program, manifest) as place:
        write(place, "src/plain")
        os.mkfifo(place.project / "src/fifo")
        os.mknod(place.project / "src/null", 0o20666, os.makedev(1, 3))
        os.mknod(place.project / "src/zero", 0o20666, os.makedev(1, 5))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.path.relpath(place.project / "src/socket"))
            check_outcomes(place, "pass", "cached")
            # A FIFO in the place of an output is not waited for.
            made = place.project / "out/deep/made"
            made.unlink()
            os.mkfifo(made)
            check_outcomes(place, "cached")


def files_that_vanish_while_they_are_hashed(program, wire):
    stop = threading.Event()

    def come_and_go(place, number):
        """Whatever happens to a file happens here, again and again."""
        folder = place.project / f"src/busy{number}"
        paths = [folder / str(each) for each in range(BUSY)]
        while not stop.is_set():
            folder.mkdir()
            for path in paths:
                path.write_bytes(b"x" * 1000)
            paths[0].rename(place.project / f"away{number}")
            for path in paths[1:]:
                path.unlink()
            folder.rmdir()
            folder.write_text("a file")
            folder.unlink()
            folder.symlink_to("plain")
            folder.unlink()

    with place_of(program, MANIFEST) as place:
        write(place, "src/plain")
        for number in range(200):
            write(place, f"src/many/{number}", f"{number}\n" * 1000)
        threads = [threading.Thread(target=come_and_go, args=(place, number))
                   for number in range(2)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(2):
                result = build(place, wire=wire)
                check(outcome(result) in ("pass", "cached"), f"it is {outcome(result)}")
                check_made(place)
                gone = [event["text"] for event in result.of_type("notice")
                        if "No such file" in event["text"]]
                check(not gone, f"what is gone is missed: {gone}")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        build(place, wire=wire)
        check_outcomes(place, "cached")


def a_hundred_thousand_files(program, wire):
    # In memory, where files come and go at once.
    with place_of(program, MANIFEST) as place, small_disk(place.project / "src", 10 * MANY):
        write(place, "src/plain")
        for folder in range(MANY // 1000):
            path = place.project / f"src/{folder}"
            path.mkdir()
            fd = os.open(path, os.O_RDONLY)
            for number in range(1000):
                os.close(os.open(str(number), os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=fd))
            os.close(fd)
        check_outcomes(place, "pass", "cached")
        write(place, "src/77/777", "x")
        result = check_outcomes(place, "pass")
        why, = (event["why"] for event in result.of_type("cache.miss"))
        check("src/77/777" in why, f"it runs since {why!r}")


def names_that_are_not_utf8(program, wire):
    manifest = MANIFEST + "    - cp -r out/deep out/$(printf 'n\\377ame')\n"
    for text, wanted in ((MANIFEST, ("pass", "cached")), (manifest, ("pass", "pass"))):
        with place_of(program, text) as place:
            write(place, "src/plain")
            for name in (b"\xff\xfe", b"new\nline", b"tab\t", b"\xe2\x28"):
                with open(os.fsencode(place.project) + b"/src/" + name, "wb") as file:
                    file.write(name)
            result = check_outcomes(place, *wanted)
            said = [text for text in notices(result) if "UTF-8" in text]
            check_equal(len(said), wanted.count("pass") - 1, f"warnings in {notices(result)}")


def flip_a_bit_of_everything(store):
    for path in sorted(store.rglob("*")):
        if path.is_file() and path.stat().st_size > 0:
            path.chmod(0o600)
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 4
            path.write_bytes(data)


def a_store_with_flipped_bits(program, wire):
    with place_of(program, MANIFEST) as place:
        write(place, "src/plain")
        store = place.top / STORE
        check_outcomes(place, "pass", "cached")
        # Once an output, and nothing else.
        output = "cas/" + hashlib.sha256(b"text\n").hexdigest()[:2]
        for kind in (output, "ac", "."):
            (place.project / "out/deep/made").unlink()
            flip_a_bit_of_everything(store / kind)
            result = build(place, wire=wire)
            check(outcome(result) in ("pass", "cached"), f"{kind}: it is {outcome(result)}")
            check_made(place)
            check_outcomes(place, "cached")


def a_full_disk_under_the_store(program, wire):
    manifest = MANIFEST + f"    - dd if=/dev/urandom of=out/big bs=1024 count={2 * DISK_KIB}\n"
    with place_of(program, manifest) as place, small_disk(place.top / STORE, DISK_KIB):
        write(place, "src/plain")
        result = check_outcomes(place, "pass", "pass")
        said = notices(result)
        check(len(said) == 1 and "No space left" in said[0], f"it says {said}")
        # Nothing at all: no index, no key, no place for a file.
        with open(place.top / STORE / "full", "wb", buffering=0) as file, \
                contextlib.suppress(OSError):
            while True:
                file.write(bytes(512))
        check_outcomes(place, "pass", "pass")


def two_builds_that_store_the_same(program, wire):
    # Of projects of their own: in one, a step would write what another build reads.
    places = [Place(program) for _ in range(4)]
    shared = {"XDG_CACHE_HOME": str(places[0].top / "shared")}
    try:
        for place in places:
            place.manifest(MANIFEST)
            write(place, "src/plain")
        started = [place.start("run", "-o", "json", wire=wire, env=shared)
                   for place in places]
        for process in started:
            result = finish(process)
            check_equal(result.status, 0, f"exit status, {result.stdout[-1500:]!r}")
            check(outcome(result) in ("pass", "cached"), f"it is {outcome(result)}")
            check(not notices(result), f"it says {notices(result)}")
        for place in places:
            check_made(place)
            check_equal(outcome(build(place, env=shared)), "cached", "another build")
            place.check_clean()
    finally:
        for place in places:
            place.remove()


def field(number, data):
    """A field of a protobuf, of bytes or a small number."""
    if isinstance(data, int):
        return bytes([number << 3, data])
    return bytes([number << 3 | 2, len(data)]) + data


def evil_result(path, content):
    digest = field(1, hashlib.sha256(content).hexdigest().encode()) + field(2, len(content))
    return field(2, field(1, path.encode()) + field(2, digest))


class EvilServer(http.server.ThreadingHTTPServer):
    """A remote cache that has for every identity a result with this path."""

    content = b"evil"

    def __init__(self, path):
        super().__init__(("127.0.0.1", 0), EvilHandler)
        self.result = evil_result(path, self.content)
        self.asked = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class EvilHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self.path)
        body = self.server.result if "/ac/" in self.path else self.server.content
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def a_remote_result_that_leaves_the_project(program, wire):
    for path in EVIL_PATHS:
        server = EvilServer(path)
        url = f"http://127.0.0.1:{server.server_port}"
        try:
            with place_of(program, MANIFEST) as place:
                write(place, "src/plain")
                result = build(place, "--remote-cache", url, "--remote-cache-read-only",
                               wire=wire)
                check_equal(outcome(result), "pass", f"{path}, {notices(result)}")
                check_made(place)
                check(server.asked, "the server was not asked")
                check(any("unsafe path" in text for text in notices(result)),
                      f"it says {notices(result)}")
                found = [each for each in place.top.rglob("*evil*")]
                check(not found and not os.path.lexists(EVIL_PATHS[1]), f"{path}: {found}")
        finally:
            server.shutdown()
            server.server_close()


CASES = [(case.__name__, case, wires) for case, wires in (
    (a_glob_that_leaves_the_project, ("socket",)),
    (links_in_circles_and_out_of_the_project, ("socket",)),
    (sockets_and_devices, ("socket",)),
    (files_that_vanish_while_they_are_hashed, ("socket",)),
    (a_hundred_thousand_files, ("socket",)),
    (names_that_are_not_utf8, ("socket",)),
    (a_store_with_flipped_bits, ("socket",)),
    (a_full_disk_under_the_store, ("socket",)),
    (two_builds_that_store_the_same, ("stdio",)),
    (a_remote_result_that_leaves_the_project, ("stdio",)))]

if __name__ == "__main__":
    with own_image():
        main_of_cases(CASES, jobs=3)
