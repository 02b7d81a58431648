# SPDX-License-Identifier: MIT
"""A registry of images (Debian's docker-registry) on a free port of 127.0.0.1, which
engines take without TLS, and images of random bytes in it, of which no engine has a layer.
"""
import base64
import contextlib
import ctypes
import http.client
import io
import json
import secrets
import signal
import socket
import subprocess
import tarfile
import time
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import crypt

SOCKET = "/var/run/docker.sock"
# Its base64 has a `+` and a `/`, which X-Registry-Auth must not have.
USER, PASSWORD = "me", "p?ss~>>word:x"
# Far more than anything takes; only a hang gets there.
SECONDS = 120


class Failure(Exception):
    """What a test found wrong, in words."""


def check(condition, text):
    if not condition:
        raise Failure(text)


class EngineConnection(http.client.HTTPConnection):
    def __init__(self):
        super().__init__("engine", timeout=SECONDS)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(SOCKET)


def engine(method, path, body=None, headers=None):
    """Make one request of the engine; give the status and the answer's bytes."""
    connection = EngineConnection()
    with contextlib.closing(connection):
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()


def end_with_parent():
    """In a child: go when the test goes, whatever ends it."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def archive(files):
    """Make a tar of {name: bytes}."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return data.getvalue()


class Registry:
    """A registry with a folder of its own; with a password where one is wanted."""

    def __init__(self, folder, has_password=False):
        self.folder = folder
        self.auth = ""
        if has_password:
            hashed = crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
            (folder / "htpasswd").write_text(f"{USER}:{hashed}\n", encoding="ascii")
            self.auth = f"auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n"
        # Between finding a free port and taking it, another may take it.
        for _ in range(10):
            if self.start():
                return
        raise Failure("no registry could be started")

    def start(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.host = f"127.0.0.1:{probe.getsockname()[1]}"
        config = self.folder / "config.yml"
        config.write_text(
            f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '{self.host}'}}\n"
            f"storage: {{filesystem: {{rootdirectory: {self.folder}/data}}}}\n{self.auth}",
            encoding="utf-8")
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", config],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=end_with_parent)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, _ = self.ask("GET", "/v2/")
                return status in (200, 401)
            time.sleep(0.02)
        self.stop()
        return False

    def ask(self, method, path, headers=None):
        connection = http.client.HTTPConnection(self.host, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.getheader("Docker-Content-Digest")

    def blobs(self):
        return set((self.folder / "data").glob("docker/registry/v2/blobs/sha256/*/*/data"))

    def stop(self):
        self.process.kill()
        self.process.wait()

    def push(self, name):
        """Make an image of random bytes and push it; leave none in the engine."""
        image = f"{self.host}/{name}"
        status, said = engine("POST", f"/images/create?fromSrc=-&repo={image}&tag=1",
                              archive({"random": secrets.token_bytes(3 * 1024 * 1024)}),
                              {"Content-Type": "application/x-tar"})
        check(status == 200, f"import: {status} {said!r}")
        return self.push_made(image)

    def push_layers(self, name, base, sizes):
        """The same, of layers of so many random bytes over the image `base`."""
        image = f"{self.host}/{name}"
        files = {f"random-{number}": secrets.token_bytes(size)
                 for number, size in enumerate(sizes)}
        steps = "".join(f"COPY {file} /\n" for file in files)
        status, said = engine("POST", f"/build?t={image}:1&rm=1&forcerm=1", archive(
            {"Dockerfile": f"FROM {base}\n{steps}".encode(), **files}),
                              {"Content-Type": "application/x-tar"})
        check(status == 200 and b"errorDetail" not in said, f"build: {status} {said!r}")
        return self.push_made(image)

    def push_made(self, image):
        auth = json.dumps({"username": USER, "password": PASSWORD}).encode()
        status, said = engine("POST", f"/images/{image}/push?tag=1", "",
                              {"X-Registry-Auth": base64.urlsafe_b64encode(auth).decode()})
        check(status == 200 and b"errorDetail" not in said, f"push: {status} {said!r}")
        remove(f"{image}:1")
        return f"{image}:1"


def remove(image):
    engine("DELETE", f"/images/{image}?force=1")
