# SPDX-License-Identifier: MIT
"""Real git servers on ports of their own, and one that never answers.

Each connection of git daemon and sshd is a process that gets it as stdin and stdout, so
that no port can be taken between finding and using it.
"""

import base64
import contextlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import urllib.parse
from pathlib import Path

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")


class Listener:
    """Calls `serve` in a thread for each connection."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.arrived = threading.Event()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.arrived.set()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        raise NotImplementedError

    def stop(self):
        # Closing alone does not wake accept().
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class GitDaemon(Listener):
    """Serves the repositories in a folder; while `hangs` is set it does not answer."""

    def __init__(self, root):
        self.root = root
        self.hangs = False
        self.held = []
        super().__init__()

    def url(self, name):
        return f"git://127.0.0.1:{self.port}/{name}"

    def serve(self, connection):
        if self.hangs:
            self.held.append(connection)
            return
        with connection:
            subprocess.run(["git", "daemon", "--inetd", "--export-all",
                            f"--base-path={self.root}"], stdin=connection, stdout=connection,
                           stderr=subprocess.DEVNULL, check=False)


class Sshd(Listener):
    """An sshd that takes one key, or offers to take a password."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name],
                           check=True)
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        (folder / "sshd_config").write_text(
            f"HostKey {folder}/host\nPidFile none\nAuthorizedKeysFile {folder}/user.pub\n"
            "StrictModes no\nPasswordAuthentication yes\nUsePAM no\n"
            "PermitRootLogin prohibit-password\n", encoding="utf-8")
        super().__init__()
        known = (folder / "host.pub").read_text(encoding="ascii").split()[:2]
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {' '.join(known)}\n",
                                            encoding="ascii")

    def command(self, key="user"):
        """Give an ssh that knows the host, and the key of that name."""
        return (f"ssh -F none -oUserKnownHostsFile={self.folder}/known_hosts "
                f"-oIdentitiesOnly=yes -i {self.folder}/{key}")

    def serve(self, connection):
        with connection, open(self.folder / "log", "ab") as log:
            subprocess.run([SSHD, "-i", "-e", "-f", self.folder / "sshd_config"],
                           stdin=connection, stdout=connection, stderr=log, check=False)


class Web:
    """git over HTTP (git-http-backend), with a password where one is wanted.

    What is asked for below `redirect` is sent to `target`. `on_request` is called for each
    request. It also has the files of Git LFS: `large` has them by their name. While it
    `has_only_files` it is one of which git knows nothing.
    """

    def __init__(self, root, login=None, target=None):
        web = self
        self.root, self.login, self.target = root, login, target
        self.on_request = lambda: None
        self.large = {}
        self.has_only_files = False
        self.arrived = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                web.answer(self)

            do_POST = do_GET  # pylint: disable=invalid-name

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, name, login=""):
        return f"http://{login}{'@' if login else ''}{self.host}/{name}"

    def answer(self, request):
        self.arrived.set()
        self.on_request()
        wanted = self.login and "Basic " + base64.b64encode(self.login.encode()).decode()
        # The address of a large file is a secret itself.
        if request.path.startswith("/lfs-file/"):
            self.send(request, self.large[request.path.removeprefix("/lfs-file/")],
                      "application/octet-stream")
        elif wanted and request.headers.get("Authorization") != wanted:
            self.refuse(request, 401, "WWW-Authenticate", 'Basic realm="test"')
        elif request.path.startswith("/redirect"):
            self.refuse(request, 302, "Location",
                        self.target + request.path.removeprefix("/redirect"))
        elif self.has_only_files:
            self.send_file(request)
        elif request.path.endswith("/info/lfs/objects/batch"):
            self.list_large(request)
        else:
            self.run_backend(request)

    def send_file(self, request):
        path = Path(self.root) / request.path.partition("?")[0].lstrip("/")
        if path.is_file():
            self.send(request, path.read_bytes(), "application/octet-stream")
        else:
            self.refuse(request, 404, "X-None", "none")

    @staticmethod
    def send(request, content, kind):
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def list_large(self, request):
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        objects = [dict(each, authenticated=True,
                        actions={"download": {"href": f"http://{self.host}/lfs-file/{each['oid']}"}})
                   for each in body["objects"]]
        self.send(request, json.dumps({"transfer": "basic", "objects": objects}).encode(),
                  "application/vnd.git-lfs+json")

    @staticmethod
    def refuse(request, status, name, value):
        request.send_response(status)
        request.send_header(name, value)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def run_backend(self, request):
        path, _, query = request.path.partition("?")
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        environment = dict(os.environ, GIT_PROJECT_ROOT=str(self.root), GIT_HTTP_EXPORT_ALL="1",
                           PATH_INFO=urllib.parse.unquote(path), QUERY_STRING=query,
                           REQUEST_METHOD=request.command,
                           CONTENT_TYPE=request.headers.get("Content-Type", ""),
                           CONTENT_LENGTH=str(len(body)),
                           HTTP_CONTENT_ENCODING=request.headers.get("Content-Encoding", ""),
                           GIT_PROTOCOL=request.headers.get("Git-Protocol", ""))
        done = subprocess.run(["git", "http-backend"], input=body, stdout=subprocess.PIPE,
                              env=environment, stderr=subprocess.DEVNULL, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode("ascii").splitlines())
        request.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        with contextlib.suppress(OSError):
            request.wfile.write(content)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
