# SPDX-License-Identifier: MIT
"""Servers of a remote cache: a real nginx, one that checks as bazel-remote does, and one that
does what it is told.

bazel-remote takes a PUT of /ac only if it is an ActionResult whose paths are neither empty nor
absolute, whose digests are 64 hex digits and no negative size, and adds to it who has sent
it; a GET gives it only while the cache has all that it names. A PUT must say its length.
"""

import contextlib
import hashlib
import http.server
import os
import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
SECONDS = 120
HEX = re.compile(rb"[0-9a-f]{64}")

# One server for each kind of access; they share what they store.
CONFIGURATION = """
daemon off;
{user}
error_log {top}/error.log;
pid {top}/nginx.pid;
events {{ worker_connections 64; }}
http {{
	access_log off;
	client_body_temp_path {top}/body;
	proxy_temp_path {top}/proxy;
	fastcgi_temp_path {top}/fastcgi;
	uwsgi_temp_path {top}/uwsgi;
	scgi_temp_path {top}/scgi;
	client_max_body_size 0;
	root {top}/data;
	dav_methods PUT;
	create_full_put_path on;
	server {{ listen 127.0.0.1:{open}; }}
	server {{
		listen 127.0.0.1:{basic};
		auth_basic cache;
		auth_basic_user_file {top}/users;
	}}
	server {{
		listen 127.0.0.1:{bearer};
		if ($http_authorization != "Bearer {token}") {{ return 401; }}
	}}
	server {{
		listen 127.0.0.1:{tls} ssl;
		ssl_certificate {top}/server.pem;
		ssl_certificate_key {top}/server.key;
	}}
}}
"""


def openssl(*arguments, folder):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True,
                   timeout=SECONDS)


def make_certificates(top):
    """A CA in ca.pem, a certificate of its for 127.0.0.1 in server.pem, and another CA."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-days", "2", "-subj", "/CN=tests", "-keyout", "ca.key",
            "-out", "ca.pem", folder=top)
    openssl("req", "-x509", *key, "-days", "2", "-subj", "/CN=tests", "-keyout", "other.key",
            "-out", "other.pem", folder=top)
    openssl("req", *key, "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr",
            folder=top)
    (top / "names").write_text("subjectAltName=IP:127.0.0.1\n", encoding="utf-8")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
            "-set_serial", "1", "-extfile", "names", "-out", "server.pem", folder=top)


class Nginx:
    """nginx on sockets that it inherits, so that nobody can take their ports before it."""

    token = "a-token.of_tests"
    user = "somebody"
    password = "pass:word@1"

    def __init__(self, top):
        self.top = top
        (top / "data").mkdir(parents=True)
        make_certificates(top)
        hashed = subprocess.run(["openssl", "passwd", "-apr1", self.password], check=True,
                                capture_output=True, text=True, timeout=SECONDS).stdout.strip()
        (top / "users").write_text(f"{self.user}:{hashed}\n", encoding="utf-8")
        sockets = {name: socket.create_server(("127.0.0.1", 0))
                   for name in ("open", "basic", "bearer", "tls")}
        self.ports = {name: one.getsockname()[1] for name, one in sockets.items()}
        (top / "nginx.conf").write_text(CONFIGURATION.format(
            top=top, token=self.token, user="user root;" if os.getuid() == 0 else "",
            **self.ports), encoding="utf-8")
        numbers = [one.fileno() for one in sockets.values()]
        self.process = subprocess.Popen(
            [NGINX, "-c", str(top / "nginx.conf"), "-e", str(top / "error.log")],
            pass_fds=numbers, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            env={**os.environ, "NGINX": "".join(f"{number};" for number in numbers)})
        for one in sockets.values():
            one.close()

    def url(self, name, user=""):
        scheme = "https" if name == "tls" else "http"
        return f"{scheme}://{user}127.0.0.1:{self.ports[name]}/a/prefix"

    def files(self):
        """What it has, by what stands before the hash."""
        return sorted(str(path.relative_to(self.top / "data/a/prefix"))
                      for path in (self.top / "data").rglob("*") if path.is_file())

    def stop(self):
        self.process.terminate()
        self.process.wait(SECONDS)


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """The fields of a protobuf message: number, and bytes or a number."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            length, at = varint(data, at)
            value = data[at:at + length]
            assert len(value) == length, "a field is cut off"
            at += length
        else:
            raise AssertionError(f"wire type {key & 7}")
        yield key >> 3, value


def check_digest(data):
    digest = dict(fields(data))
    assert HEX.fullmatch(digest[1]), "a hash"
    assert digest.get(2, 0) < 1 << 63, "a negative size"
    return digest[1].decode()


def check_action_result(data):
    """The hashes that it names, where bazel-remote would take it."""
    assert data, "an empty result"
    for number, value in fields(data):
        if number in (2, 3, 12):
            parts = dict(fields(value))
            path = parts.get(1, b"").decode()
            assert number == 3 or path, "an empty path"
            assert not path.startswith("/"), "an absolute path"
            if number == 12:
                assert parts[2], "a link to nowhere"
            else:
                yield check_digest(parts[2 if number == 2 else 3])
        elif number == 6:
            yield check_digest(value)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_one_request(self):
        with contextlib.suppress(OSError):
            super().handle_one_request()
            return
        self.close_connection = True

    def do_GET(self):
        self.server.asked.append(f"{self.command} {self.path}")
        fault = self.server.fault
        if fault and fault(self):
            return
        data = self.server.data.get(self.path)
        if data is not None and self.path.startswith("/ac/"):
            if not all(self.server.has(name) for name in check_action_result(data)):
                data = None
        self.answer(404 if data is None else 200, data or b"")

    do_HEAD = do_GET

    def do_PUT(self):
        self.server.asked.append(f"PUT {self.path}")
        fault = self.server.fault
        length = self.headers["Content-Length"]
        body = self.rfile.read(int(length or 0))
        if fault and fault(self):
            return
        if length is None:
            self.answer(400)
            return
        kind, name = self.path.split("/")[1:]
        try:
            if kind == "cas":
                assert hashlib.sha256(body).hexdigest() == name, "another hash"
            else:
                list(check_action_result(body))
                body += b"\x4a\x09\x0a\x07somehow"
        except (AssertionError, KeyError, IndexError) as wrong:
            self.server.refused.append(f"{self.path}: {wrong!r}")
            self.answer(400)
            return
        self.server.data[self.path] = body
        self.server.puts.append(self.path)
        self.answer(200)


class Scripted(http.server.ThreadingHTTPServer):
    """Checks as bazel-remote; `fault(handler)` may answer instead, and gives True then."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.data = {}
        self.refused = []
        # The paths of what was put, in their order.
        self.puts = []
        # All that was asked for, with its method.
        self.asked = []
        self.fault = None
        self.ended = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def has(self, name):
        return name == hashlib.sha256().hexdigest() or f"/cas/{name}" in self.data

    def stop(self):
        self.ended.set()
        self.shutdown()
        self.server_close()
