# SPDX-License-Identifier: MIT
"""A proxy on a unix socket in front of the real engine, which spoils one answer.

Everything passes through untouched but the one request that a Fault names. A request is
named as NAMES has it; the socket tells who sent it: buildr, a child of it (the starter of
a container), or neither, and then it is the janitor.
"""

import contextlib
import json
import re
import socket
import struct
import threading

# Method and path without version, ids and query, and what this calls it.
NAMES = (
    ("ping", "GET", r"/_ping"),
    ("image", "GET", r"/images/.*/json"),
    ("images", "GET", r"/images/json"),
    ("commit", "POST", r"/commit"),
    ("pull", "POST", r"/images/create"),
    ("create", "POST", r"/containers/create"),
    ("copy", "PUT", r"/containers/[^/]+/archive"),
    ("attach", "POST", r"/containers/[^/]+/attach"),
    ("start", "POST", r"/containers/[^/]+/start"),
    ("inspect", "GET", r"/containers/[0-9a-f]+/json"),
    ("list", "GET", r"/containers/json"),
    ("networks", "GET", r"/networks"),
    ("remove", "DELETE", r"/containers/[^/]+"),
)
LATE_SECONDS = 0.5
GARBAGE = bytes(range(256)) * 8


def name_of(method, path):
    path = re.sub(r"^/v[0-9.]+", "", path.partition("?")[0])
    for name, wanted, pattern in NAMES:
        if method == wanted and re.fullmatch(pattern, path):
            return name
    return f"{method} {path}"


def parent_of(pid):
    """Give the pid of a process's parent; 0 where there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


class Closed(Exception):
    """One of the two ends has closed the connection."""


class Reader:
    """Reads messages of HTTP from a socket, as the bytes that they are."""

    def __init__(self, peer):
        self.peer, self.rest = peer, b""

    def more(self):
        data = self.peer.recv(65536)
        if not data:
            raise Closed
        self.rest += data

    def head(self):
        while b"\r\n\r\n" not in self.rest:
            self.more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n"

    def take(self, count):
        while len(self.rest) < count:
            self.more()
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def chunks(self):
        body = b""
        while not body.endswith(b"\r\n0\r\n\r\n") and body != b"0\r\n\r\n":
            while b"\r\n" not in self.rest:
                self.more()
            count = int(self.rest.partition(b"\r\n")[0], 16)
            body += self.take(self.rest.index(b"\r\n") + 2 + count + 2)
        return body

    def body(self, head):
        if re.search(rb"\r\ntransfer-encoding: *chunked", head, re.I):
            return self.chunks()
        length = re.search(rb"\r\ncontent-length: *([0-9]+)", head, re.I)
        return self.take(int(length[1])) if length else b""


class Fault:
    """What happens to the `number`-th request of this name; see FAULTS below."""

    def __init__(self, request, kind, number=1, is_janitors=False, cut_out=None, cut_in=None):
        self.request, self.kind, self.number = request, kind, number
        self.is_janitors = is_janitors
        # How many bytes of an attached stream pass; to buildr and to the container.
        self.cut_out, self.cut_in = cut_out, cut_in
        self.has_struck = False

    def fits(self, name, is_janitors):
        if name != self.request or is_janitors != self.is_janitors:
            return False
        self.number -= 1
        return self.number == 0


def send_error(client, _answer):
    body = json.dumps({"message": "the scripted engine does not feel well"}).encode()
    client.sendall(b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
                   b"Api-Version: 1.41\r\nServer: Docker/20.10.24 (linux)\r\n"
                   b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


def send_nothing(_client, _answer):
    pass


def send_half_head(client, answer):
    head, _ = answer
    client.sendall(head[:len(head) // 2])


def send_half_body(client, answer):
    head, body = answer
    # Where there is none, one that was promised.
    if not body:
        head = head[:-2] + b"Content-Length: 10\r\n\r\n"
    client.sendall(re.sub(rb"(?i)204 No Content", b"200 OK", head) + body[:len(body) // 2])


def send_garbage(client, _answer):
    client.sendall(GARBAGE)


def send_garbage_body(client, answer):
    status = answer[0].partition(b"\r\n")[0].replace(b"204 No Content", b"200 OK")
    client.sendall(status + b"\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n"
                   b"Content-Length: %d\r\n\r\n%s" % (len(GARBAGE), GARBAGE))


def send_endless_body(client, answer):
    status = answer[0].partition(b"\r\n")[0].replace(b"204 No Content", b"200 OK")
    client.sendall(status + b"\r\nApi-Version: 1.41\r\n\r\n")
    while True:
        client.sendall(b"[" * 65536)


def send_endless_head(client, _answer):
    client.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        client.sendall(b"X-More: and more\r\n" * 4096)


def send_never(client, _answer):
    while client.recv(65536):
        pass


def send_late(client, answer):
    threading.Event().wait(LATE_SECONDS)
    client.sendall(answer[0] + answer[1])


# What is sent, whether the engine gets the request all the same, and whether the
# connection is closed afterwards.
FAULTS = {
    "says 500": (send_error, False, False),
    "says 500 and does it": (send_error, True, False),
    "hears nothing": (send_nothing, False, True),
    "closes without an answer": (send_nothing, True, True),
    "breaks off in the head": (send_half_head, True, True),
    "breaks off in the body": (send_half_body, True, True),
    "sends garbage": (send_garbage, True, True),
    "sends garbage as a body": (send_garbage_body, True, True),
    "sends a body without end": (send_endless_body, True, True),
    "sends a head without end": (send_endless_head, True, True),
    "is late": (send_late, True, False),
}
# Its client has a minute's patience, unless somebody stops it.
SILENCE = "never answers"
FAULTS_WITH_SILENCE = {**FAULTS, SILENCE: (send_never, False, True)}


class Proxy:
    """Listens at `path` until close(). `faults` are good for once each. With `keeps_streams`
    the engine does not hear that the client of an attached stream is gone, and with
    `keeps_containers` it removes no container by itself."""

    def __init__(self, path, target, faults=(), keeps_streams=False, keeps_containers=False):
        self.keeps_streams, self.keeps_containers = keeps_streams, keeps_containers
        self.target, self.faults, self.seen = target, list(faults), []
        # What the engine has answered; and what is called, once, before it is asked.
        self.answered, self.before = [], {}
        # Who buildr is; nothing is answered before that is known.
        self.buildr_pid = 0
        self.is_known = threading.Event()
        self.lock = threading.Lock()
        # How much went through an attached stream, to buildr and to the container.
        self.out_bytes = self.in_bytes = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(64)
        self.address = f"unix://{path}"
        threading.Thread(target=self.accept, daemon=True).start()

    def serve_process(self, process):
        """From now on answer buildr, which is this process, and its children."""
        self.buildr_pid = process.pid
        self.is_known.set()

    def close(self):
        # An accept() that waits is not ended by close() alone.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        pid, _, _ = struct.unpack("3i", client.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
        self.is_known.wait()
        is_janitors = self.buildr_pid not in (pid, parent_of(pid))
        engine = socket.socket(socket.AF_UNIX)
        with client, engine, contextlib.suppress(Closed, OSError):
            engine.connect(self.target)
            reader, answers = Reader(client), Reader(engine)
            while self.exchange(client, engine, reader, answers, is_janitors):
                pass

    def exchange(self, client, engine, reader, answers, is_janitors):
        """Carry one request and its answer; false where that was the last one."""
        head = reader.head()
        method, path = head.split(b" ", 2)[:2]
        name = name_of(method.decode(), path.decode())
        fault = self.find_fault(name, is_janitors)
        send, does_it, is_end = FAULTS_WITH_SILENCE[fault.kind] if fault and fault.kind else (
            None, True, False)
        body = reader.body(head)
        if self.keeps_containers:
            body = body.replace(b'"AutoRemove":true', b'"AutoRemove":null')
        answer = None
        self.before.pop(name, lambda: None)()
        if does_it:
            engine.sendall(head + body)
            answer_head = answers.head()
            is_upgrade = b" 101 " in answer_head.partition(b"\r\n")[0]
            has_body = not is_upgrade and not re.match(rb"HTTP/1.1 (204|304)", answer_head)
            answer = answer_head, answers.body(answer_head) if has_body else b""
            if is_upgrade and (not send or send is send_late):
                (send or (lambda to, what: to.sendall(what[0])))(client, answer)
                self.carry(client, engine, answers.rest, fault)
                return False
        self.answered.append(name)
        if send:
            send(client, answer)
        else:
            client.sendall(answer[0] + answer[1])
        return not is_end

    def find_fault(self, name, is_janitors):
        with self.lock:
            self.seen.append(("janitor " if is_janitors else "") + name)
            for fault in self.faults:
                if not fault.has_struck and fault.fits(name, is_janitors):
                    fault.has_struck = True
                    return fault
        return None

    def carry(self, client, engine, rest, fault):
        """Carry an attached stream both ways until it ends or is to be cut."""
        cut_out = fault.cut_out if fault else None
        cut_in = fault.cut_in if fault else None
        back = threading.Thread(target=self.pump, daemon=True,
                                args=(client, engine, b"", cut_in, "in_bytes"))
        back.start()
        self.pump(engine, client, rest, cut_out, "out_bytes")
        back.join()

    def pump(self, source, target, data, cut, counter):
        left = cut
        with contextlib.suppress(OSError):
            while True:
                if left is not None:
                    data = data[:left]
                    left -= len(data)
                if data:
                    target.sendall(data)
                    setattr(self, counter, getattr(self, counter) + len(data))
                if left == 0:
                    break
                data = source.recv(65536)
                if not data:
                    # The end of one way; the other one may go on.
                    if not self.keeps_streams:
                        target.shutdown(socket.SHUT_WR)
                    return
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
