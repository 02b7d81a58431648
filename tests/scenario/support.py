# SPDX-License-Identifier: MIT
"""What the scenario tests share: images, runs of buildr, what must not be left behind.

A run has a folder of its own for the project and one for temporary files, and its
processes carry a mark in their environment by which any that stays is found.
"""

import contextlib
import fcntl
import hashlib
import http.client
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import traceback
import urllib.parse
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The engine; buildr gets the same DOCKER_HOST.
SOCKET = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
WIRES = ("socket", "stdio")
# Far more than anything takes; only a hang gets there.
RUN_SECONDS = 180
WAIT_SECONDS = 120
# The contract says five. A loaded machine may take longer, and only a hang fails here; how
# long it took at most is told, and the tests of reliability are strict.
CLEAN_SECONDS = 120
# And so many looks: while a machine stands still nothing can go.
CLEAN_LOOKS = 100

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

# What a build has in the engine.
KINDS = "containers", "networks", "volumes"
LABEL_PROJECT = "io.buildr.project"
LABEL_BUILD = "io.buildr.build"
# On the test images: what they were made from.
LABEL_IMAGE = "io.buildr.test"


class Failure(Exception):
    """What a test found wrong, in words."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def check_equal(seen, wanted, what):
    check(seen == wanted, f"{what}: {seen!r} instead of {wanted!r}")


def wait_until(condition, seconds, what):
    """Wait until `condition` gives a true value, and give it."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < end, f"waited {seconds} s for {what}")
        time.sleep(0.02)


# The engine.


class EngineConnection(http.client.HTTPConnection):
    def __init__(self):
        super().__init__("engine", timeout=60)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(SOCKET)


def engine(method, path, body=None, headers=None):
    """Make one request, and give the answer as a value, or None for a 404."""
    connection = EngineConnection()
    with contextlib.closing(connection):
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        data = answer.read()
    if answer.status == 404:
        return None
    check(answer.status < 400, f"{method} {path}: {answer.status} {data[:300]!r}")
    with contextlib.suppress(ValueError):
        return json.loads(data)
    return data


def with_label(kind, label):
    """Find what the engine has of a kind (containers, networks, volumes)."""
    filters = urllib.parse.quote(json.dumps({"label": [label]}))
    found = engine("GET", f"/{kind}{'/json' if kind == 'containers' else ''}"
                          f"?all=1&filters={filters}")
    return found.get("Volumes") or [] if kind == "volumes" else found


def all_with_label(label):
    return [(kind, each.get("Id") or each.get("Name"))
            for kind in KINDS
            for each in with_label(kind, label)]


# Images.


class Layer:
    """A file system in the making, as a tar."""

    def __init__(self):
        self.data = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.data, mode="w")

    def add(self, name, content=None, mode=0o755, kind=tarfile.REGTYPE, link=""):
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode, entry.linkname = kind, mode, link
        entry.size = len(content or b"")
        self.tar.addfile(entry, io.BytesIO(content or b""))

    def folder(self, name, mode=0o755):
        self.add(name, mode=mode, kind=tarfile.DIRTYPE)

    def bytes(self):
        self.tar.close()
        return self.data.getvalue()


def libraries_of(program):
    """Give the shared libraries that a program is linked with."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True)
    return [word for word in listed.stdout.split() if word.startswith("/")]


def full_layer():
    """busybox, and dash and bash as they are on this machine."""
    layer = Layer()
    busybox = Path(shutil.which("busybox")).read_bytes()
    for name, mode in (("bin", 0o755), ("etc", 0o755), ("root", 0o700), ("tmp", 0o1777),
                       ("home", 0o755), ("home/builder", 0o777)):
        layer.folder(name, mode)
    layer.add("bin/busybox", busybox)
    applets = subprocess.run(["busybox", "--list"], capture_output=True, text=True,
                             check=True).stdout.split()
    for applet in applets:
        if applet != "busybox":
            layer.add(f"bin/{applet}", kind=tarfile.SYMTYPE, link="busybox")
    shells = [shutil.which(shell) for shell in ("dash", "bash")]
    for shell in shells:
        layer.add(f"bin/{Path(shell).name}-debian", Path(shell).read_bytes())
    for library in {each for shell in shells for each in libraries_of(shell)}:
        layer.add(library.lstrip("/"), Path(library).read_bytes())
    layer.add("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n"
                            b"builder:x:1000:1000::/home/builder:/bin/sh\n", 0o644)
    layer.add("etc/group", b"root:x:0:\nbuilder:x:1000:\nmakers:x:2000:builder\n", 0o644)
    layer.add("etc/unreadable", b"#!/bin/sh\n", 0o644)
    return layer.bytes()


def bare_layer():
    """One static program and nothing else: no shell."""
    layer = Layer()
    layer.add("echo", Path(shutil.which("busybox")).read_bytes())
    return layer.bytes()


IMAGES = {
    "buildr-test:latest": (full_layer, ["ENV IMAGE_ONLY=image", "ENV ALL=image"]),
    "buildr-test:configured": (full_layer, [
        "USER builder", "ENV IMAGE_ONLY=image", "WORKDIR /tmp", 'ENTRYPOINT ["/bin/false"]',
        'CMD ["never"]']),
    "buildr-test:bare": (bare_layer, []),
    "buildr-test:server": (full_layer, [
        "USER builder", "WORKDIR /etc", "ENV ROLE=server",
        'ENTRYPOINT ["httpd", "-f", "-p"]', 'CMD ["8080"]',
        "HEALTHCHECK --interval=1s CMD test -e /tmp/well || ! touch /tmp/well"]),
}


def is_podman():
    parts = engine("GET", "/version").get("Components") or []
    return any(part["Name"].startswith("Podman") for part in parts)


def make_images():
    """Make the images that are not there as this file describes them.

    One program at a time: an image that another makes anew, while tests run that use it, has
    another id from then on.
    """
    with open(__file__, "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_missing_images()


def make_missing_images():
    described = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    # An image that Podman imports cannot have a health check.
    refused = "HEALTHCHECK" if is_podman() else "-"
    for name, (make_layer, changes) in IMAGES.items():
        there = engine("GET", f"/images/{name}/json")
        if there and (there["Config"]["Labels"] or {}).get(LABEL_IMAGE) == described:
            continue
        changes = [*(change for change in changes if not change.startswith(refused)),
                   f"LABEL {LABEL_IMAGE}={described}"]
        query = urllib.parse.urlencode(
            [("fromSrc", "-"), ("repo", name)] + [("changes", change) for change in changes])
        engine("POST", f"/images/create?{query}", make_layer(),
               {"Content-Type": "application/x-tar"})


# Runs of buildr.


def marked_process(pid, mark):
    """Give pid and command line of a process if it lives and carries the mark."""
    folder = Path("/proc") / str(pid)
    with contextlib.suppress(OSError):
        if mark.encode() in (folder / "environ").read_bytes():
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
            state = (folder / "stat").read_text(errors="replace").rpartition(")")[2]
            if state.split()[0] != "Z":
                return pid, command.decode(errors="replace")
    return None


def marked_processes(mark):
    """Give pid and command line of each process that carries the mark."""
    found = (marked_process(name, mark) for name in os.listdir("/proc") if name.isdigit())
    return [(int(pid), command) for pid, command in filter(None, found)]


class Place:
    """Where a test runs buildr: a project, a folder for temporary files, a mark.

    `clean_seconds` is after how long anything that is still there is a leftover.
    """

    # The longest that it took until all of a build was gone, in any place, and what was
    # there for so long.
    latest = 0.0, "nothing"

    def __init__(self, program, name="project", clean_seconds=None):
        self.program = Path(program).resolve()
        self.clean_seconds = clean_seconds
        self.last_pid = 0
        self.top = Path(os.fsdecode(tempfile.mkdtemp(prefix="scenario-")))
        self.top.chmod(0o755)
        self.project = self.top / name
        self.project.mkdir()
        self.tmp = self.top / "tmp"
        self.tmp.mkdir(mode=0o777)
        self.tmp.chmod(0o777)
        self.mark = f"SCENARIO_MARK={uuid.uuid4()}"
        tools = self.top / "bin"
        tools.mkdir()
        (tools / "buildr").symlink_to(self.program)

    def environment(self, **more):
        kept = {name: os.environ[name] for name in ("DOCKER_HOST", "LC_ALL", "ASAN_OPTIONS")
                if name in os.environ}
        name, value = self.mark.split("=")
        return {"PATH": f"{self.top}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                "HOME": str(self.top), "TMPDIR": str(self.tmp), name: value, **kept, **more}

    def manifest(self, text, name=".buildr.yml"):
        (self.project / name).write_text(text)

    def start(self, *arguments, wire="socket", env=None, **options):
        """Start buildr in the project; its events come on process.stdout."""
        return self.start_command([self.program, *arguments], wire, env, **options)

    def start_command(self, command, wire, env=None, **options):
        """Start a command; what it says on stderr goes to a file, process.said."""
        said = tempfile.NamedTemporaryFile(dir=self.top, prefix="stderr-", delete=False)
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "cwd": self.project, "start_new_session": True, **options}
        with said:
            process = subprocess.Popen(
                command, stderr=said,
                env=self.environment(BUILDR_WIRE=wire, **(env or {})), **options)
        process.said = Path(said.name)
        return process

    def start_in(self, command, wire, env, **options):
        """Start a command whose streams are all given."""
        return subprocess.Popen(command, cwd=self.project, start_new_session=True,
                                env=self.environment(BUILDR_WIRE=wire, **env), **options)

    def public_copy(self):
        """Install the program where anybody may run it: a build folder may be shut."""
        build = self.program.parents[1]
        for folder in ("cmd", "init"):
            (self.top / "build" / folder).mkdir(parents=True)
        shutil.copy(self.program, self.top / "build/cmd/buildr")
        shutil.copy(build / "init/buildr-init", self.top / "build/init/buildr-init")
        return self.top / "build/cmd/buildr"

    def start_as(self, uid, gid, *arguments, wire="socket"):
        """Start buildr as a user that is not root, and may speak to the engine."""
        socket_gid = os.stat(SOCKET).st_gid
        return self.start_command(
            ["setpriv", f"--reuid={uid}", f"--regid={gid}", f"--groups={socket_gid}", "--",
             str(self.public_copy()), *arguments], wire)

    def run(self, *arguments, wire="socket", env=None, **options):
        """Run buildr to its end; give a Result."""
        return finish(self.start(*arguments, wire=wire, env=env, **options))

    def shell(self, command, wire):
        """Run a line of shell in the project, in which `buildr` is ours."""
        return finish(self.start_command(["/bin/sh", "-c", command], wire))

    def signs(self):
        """Find what is there that should not be, one thing after the other."""
        label = f"{LABEL_PROJECT}={os.fsencode(self.project).decode(errors='replace')}"
        for path in self.tmp.glob("buildr-*"):
            yield f"folder {path.name}"
        for kind in KINDS:
            for each in with_label(kind, label):
                yield f"{kind} {each.get('Id') or each.get('Name')} {each.get('State', '')}"
        for pid, command in marked_processes(self.mark):
            self.last_pid = pid
            yield f"process {pid}: {command}"

    def left_processes(self):
        """Say which processes are there that carry the mark."""
        return marked_processes(self.mark)

    def left_behind(self):
        """Say what is there that should not be."""
        return list(self.signs())

    def find_sign(self):
        """Find one thing, or None. Many tests look at once, so this is cheap: it is mostly
        one process that is there the longest."""
        last = marked_process(self.last_pid, self.mark) if self.last_pid else None
        return f"process {last[0]}: {last[1]}" if last else next(self.signs(), None)

    def is_too_late(self, seconds, looks):
        if self.clean_seconds is None:
            return seconds >= CLEAN_SECONDS and looks >= CLEAN_LOOKS
        return seconds >= self.clean_seconds

    def check_clean(self):
        """Wait until nothing is left behind, and fail where something stays.

        To be called at the end of a build; gives the seconds that it took.
        """
        begin = time.monotonic()
        looks, last = 0, "nothing"
        while True:
            seconds = time.monotonic() - begin
            sign = self.find_sign()
            if not sign:
                seconds = time.monotonic() - begin
                Place.latest = max(Place.latest, (seconds, last))
                return seconds
            looks += 1
            last = f"{sign} {seconds:.1f} s after the end"
            if self.is_too_late(seconds, looks):
                left = ", ".join(dict.fromkeys([sign, *self.left_behind()]))
                raise Failure(f"left behind after {seconds:.1f} s: {left}")
            time.sleep(0.05)

    def remove(self):
        for pid, _ in marked_processes(self.mark):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(os.fsencode(self.top), ignore_errors=True)


@contextlib.contextmanager
def place_of(program, manifest, name="project"):
    """A project; all is clean afterwards."""
    place = Place(program, name)
    try:
        place.manifest(manifest)
        yield place
        place.check_clean()
    finally:
        place.remove()


class Result:
    def __init__(self, status, stdout, stderr):
        self.status, self.stdout, self.stderr = status, stdout, stderr

    @property
    def events(self):
        return [json.loads(line) for line in self.stdout.splitlines()]

    def of_type(self, kind):
        return [event for event in self.events if event["type"] == kind]

    def output(self, stage=None, stream=None):
        return output_of(self.events, stage, stream)


def kill(process):
    """End a process and its children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def finish(process):
    """Read to a process's end; one that has none is killed, and fails."""
    hung = threading.Timer(RUN_SECONDS, kill, [process])
    hung.start()
    stdout = process.stdout.read() if process.stdout else b""
    status = process.wait()
    check(hung.is_alive(), f"no end in {RUN_SECONDS} s; it said {stdout[-2000:]!r}")
    hung.cancel()
    return Result(status, stdout, process.said.read_bytes())


def bytes_of(event):
    """Give the bytes of an `output` event."""
    import base64
    if "base64" in event:
        return base64.b64decode(event["base64"], validate=True)
    return event["text"].encode()


def output_of(events, stage=None, stream=None):
    return b"".join(bytes_of(event) for event in events
                    if event["type"] == "output" and
                    stage in (None, event["stage"]) and stream in (None, event["stream"]))


def next_event(process, wanted):
    """Read events from a running buildr until `wanted(event)`; give that one.

    The limit of a meson test is the only one here: an event that never comes is rare.
    """
    while True:
        line = process.stdout.readline()
        if not line:
            raise Failure(f"the events ended; stderr: {process.said.read_bytes()[-2000:]!r}")
        event = json.loads(line)
        if wanted(event):
            return event


def of_type(kind):
    return lambda event: event["type"] == kind


def is_started(image):
    """A container of this image, whatever id that has by now."""
    return lambda event: event["type"] == "container.started" and event["image"] == image


def says(text):
    """An `output` event that holds `text`."""
    return lambda event: event["type"] == "output" and text.encode() in bytes_of(event)


# TAP.


def run_test(function):
    """Run one test; give the seconds that it took, and what is wrong or None."""
    start = time.monotonic()
    try:
        function()
        problem = None
    except Failure as failure:
        problem = str(failure)
    except Exception:  # pylint: disable=broad-except
        problem = traceback.format_exc()
    return time.monotonic() - start, problem


def run_tests(tests, jobs=1):
    """Run (name, function) pairs, `jobs` at once, and print TAP; give the exit status."""
    tests = list(tests)
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    with ThreadPoolExecutor(jobs) as pool:
        done = pool.map(run_test, [function for _, function in tests])
        for number, ((name, _), (seconds, problem)) in enumerate(zip(tests, done), 1):
            failed += problem is not None
            print(f"{'not ok' if problem else 'ok'} {number} - {name}", flush=True)
            print(f"# {seconds:.1f} s", flush=True)
            for line in (problem or "").splitlines():
                print("#   " + line.encode("utf-8", "backslashreplace").decode(), flush=True)
    seconds, last = Place.latest
    if seconds:
        print(f"# all gone {seconds:.1f} s after the end at the latest; last seen: {last}",
              flush=True)
    return 1 if failed else 0


def main_of_cases(module_cases, jobs=1):
    """Run `function(program, wire)` cases over both wires, or those that argv names."""
    program, names = sys.argv[1], sys.argv[2:]
    make_images()
    sys.exit(run_tests(
        ((f"{name} ({wire})", lambda case=case, wire=wire: case(program, wire))
         for name, case, wires in module_cases for wire in wires
         if not names or name in names), jobs))
