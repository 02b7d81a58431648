# SPDX-License-Identifier: MIT
"""What the tests of buildr-agent share: a broker, repositories, agents, and who listens.

One RabbitMQ serves a whole suite; each test has a queue, a folder and agents of its own.
"""
import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import uuid
from pathlib import Path

import jsonschema
import pika

HERE = Path(__file__).resolve().parent
for folder in ("support", "scenario", "checkout", "cache"):
    sys.path.append(str(HERE.parent / folder))

from cache_servers import Scripted  # noqa: E402
from proxy import Proxy  # noqa: E402
from rabbitmq import RabbitMQ, end_with_parent  # noqa: E402
from support import CLEAN_SECONDS, KINDS, LABEL_BUILD, SOCKET, check, check_equal, \
    wait_until, with_label  # noqa: E402

# Only a hang gets there.
SECONDS = int(os.environ.get("TEST_SECONDS", "120"))
IMAGE = "buildr-sample:latest"
SCHEMA = json.loads((HERE.parent.parent / "schemas/event.schema.json").read_text("utf-8"))
TROUBLE = (pika.exceptions.AMQPError, OSError)

__all__ = ["SECONDS", "SOCKET", "Agent", "Bus", "Proxy", "RabbitMQ", "Repo", "Scripted", "World",
           "check", "check_equal", "manifest", "new_id", "run", "wait_until"]


def new_id():
    return str(uuid.uuid4())


def manifest(*script, more=""):
    """A manifest with one stage of these commands."""
    lines = [f"version: 1\nimage: {IMAGE}\n{more}\nstages: [only]\nonly:\n  script:"]
    lines += [f"    - {json.dumps(command)}" for command in script or ("true",)]
    return "\n".join(lines) + "\n"


class Repo:
    """A repository on the disk with branches that have a manifest each."""

    def __init__(self, folder):
        self.path = Path(folder)
        self.path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", ".")

    def git(self, *arguments):
        return subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@test", *arguments], cwd=self.path,
            check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(self.path), "GIT_CONFIG_NOSYSTEM": "1"}
        ).stdout.strip()

    def commit(self, text, branch="main", name=".buildr.yml", **files):
        """Commit a manifest (and files) to the branch; give the commit."""
        if branch != "main":
            self.git("checkout", "-q", "-B", branch)
        if text is not None:
            (self.path / name).write_text(text, encoding="utf-8")
        for file, content in files.items():
            (self.path / file).write_text(content, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        done = self.git("rev-parse", "HEAD")
        self.git("checkout", "-q", "-B", branch)
        if branch != "main" and self.git("branch", "--list", "main"):
            self.git("checkout", "-q", "main")
        return done

    @property
    def url(self):
        return f"file://{self.path}"


class Bus:
    """Listens to all events, and talks to the broker, also when it was away."""

    def __init__(self, rabbit):
        self.rabbit = rabbit
        self.events = []
        self.lock = threading.Lock()
        self.ending = False
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        check(self.ready.wait(SECONDS), "nobody listens")

    def connect(self):
        parameters = pika.URLParameters(self.rabbit.url() + "?heartbeat=0")
        return pika.BlockingConnection(parameters)

    def listen(self):
        while not self.ending:
            with contextlib.suppress(*TROUBLE):
                connection = self.connect()
                channel = connection.channel()
                channel.exchange_declare("buildr.events", "topic", durable=True)
                channel.queue_declare("test.events", durable=True)
                channel.queue_bind("test.events", "buildr.events", "#")
                for method, _, body in channel.consume("test.events", auto_ack=True,
                                                       inactivity_timeout=0.2):
                    self.ready.set()
                    # What agents say of themselves is no event of a build.
                    if method is not None and not method.routing_key.startswith("agent."):
                        event = json.loads(body)
                        check_equal(method.routing_key, f"{event['build']}.{event['type']}",
                                    "the routing key")
                        with self.lock:
                            self.events.append(event)
                    if self.ending:
                        connection.close()
                        return
            time.sleep(0.1)

    def stop(self):
        self.ending = True
        self.thread.join(SECONDS)

    @contextlib.contextmanager
    def channel(self):
        end = time.monotonic() + SECONDS
        while True:
            try:
                connection = self.connect()
                break
            except TROUBLE:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
        try:
            yield connection.channel()
        finally:
            with contextlib.suppress(*TROUBLE):
                connection.close()

    def of(self, build):
        with self.lock:
            return [event for event in self.events if event["build"] == build]

    def types(self, build):
        return [event["type"] for event in self.of(build)]

    def finished(self, build):
        """Wait for the end of a build, and give it."""
        def find():
            return [event for event in self.of(build) if event["type"] == "build.finished"]
        return wait_until(find, SECONDS, f"the end of {build}: {self.types(build)}")[0]

    def wait_for(self, build, kind, count=1):
        wait_until(lambda: self.types(build).count(kind) >= count, SECONDS, f"{kind} of {build}")

    def starts(self):
        with self.lock:
            return [event["build"] for event in self.events if event["type"] == "build.started"]

    def ends(self):
        with self.lock:
            return [event for event in self.events if event["type"] == "build.finished"]

    def whole(self, build):
        """See that what was told of a build is as it has to be: no gap in any try, each
        event as the schema has it, and one end."""
        tries = {}
        for event in self.of(build):
            jsonschema.validate(event, SCHEMA)
            tries.setdefault(event["try"], []).append(event)
        for number, events in tries.items():
            # What was not confirmed is told again after a connection is lost.
            told = sorted({event["seq"] for event in events})
            check_equal(told, list(range(1, len(told) + 1)), f"seq in try {number}")
            check_equal(events[0]["type"], "build.started", "the first event")
        ends = [event for event in self.of(build) if event["type"] == "build.finished"]
        check_equal(len(ends), 1, f"ends of {build}")
        return ends[0]


class Agent:
    """An agent at work; `folder` is its work directory."""

    def __init__(self, program, url, queue, folder, *options, name="agent", env=None):
        self.folder = Path(folder)
        self.log_path = Path(f"{folder}.log")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [program, "--broker", url, "--queue", queue, "--work-dir", self.folder, "--name",
                 name, "--allow-protocol", "file", *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=end_with_parent,
                env=dict(os.environ, **(env or {})))

    def said(self):
        return self.log_path.read_text("utf-8", errors="replace")

    def wait_said(self, text, count=1):
        wait_until(lambda: self.said().count(text) >= count, SECONDS,
                   f"'{text}' from the agent: {self.said()[-1000:]}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM):
        """Have it end, and give its exit status."""
        if self.process.poll() is None:
            self.send(signal.SIGCONT)
            self.send(number)
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


class BrokenEngine(http.server.BaseHTTPRequestHandler):
    """An engine that greets as Docker does, and fails at all else."""

    server_version, sys_version = "Docker/20.10.24", "(linux)"

    def do_GET(self):
        self.send_response(200 if self.path.endswith("/_ping") else 500)
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_DELETE = do_HEAD = do_GET

    def log_message(self, *_):
        pass

    def address_string(self):
        return "client"


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class World:
    """A folder, a queue and agents for one test."""

    def __init__(self, program, rabbit, bus):
        self.program = program
        self.rabbit = rabbit
        self.bus = bus
        self.queue = f"jobs-{uuid.uuid4().hex[:12]}"
        self.folder = Path(tempfile.mkdtemp(prefix="buildr-agent-"))
        self.agents = []
        self.builds = []
        self.closing = contextlib.ExitStack()

    def repo(self, *script, name=None, more=""):
        made = Repo(self.folder / (name or f"repo{uuid.uuid4().hex[:8]}"))
        made.commit(manifest(*script, more=more))
        return made

    def agent(self, *options, url=None, name=None, env=None, folder=None):
        name = name or f"agent{len(self.agents)}"
        made = Agent(self.program, url or self.rabbit.url(), self.queue,
                     folder or self.folder / name, *options, name=name, env=env)
        self.agents.append(made)
        return made

    def proxy(self):
        made = Proxy(self.rabbit.port)
        self.closing.callback(made.close)
        return made

    def broken_engine(self):
        """Give the address of an engine that seems to be there."""
        path = self.folder / "broken-engine"
        server = UnixServer(str(path), BrokenEngine)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.closing.callback(server.server_close)
        self.closing.callback(server.shutdown)
        return f"unix://{path}"

    def declare(self, queue=None, **arguments):
        with self.bus.channel() as channel:
            channel.queue_declare(queue or self.queue, durable=True, **arguments)

    def put(self, body, queue=None, **properties):
        """Publish a job; `body` is bytes, or becomes JSON."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        def published():
            with self.bus.channel() as channel:
                channel.confirm_delivery()
                try:
                    channel.basic_publish("", queue or self.queue, body,
                                          pika.BasicProperties(delivery_mode=2, **properties),
                                          mandatory=True)
                except (pika.exceptions.UnroutableError, pika.exceptions.NackError):
                    # The agent has not made it yet, or it is only just there.
                    return False
            return True
        wait_until(published, SECONDS, f"the queue {queue or self.queue}")

    def job(self, repo, build=None, queue=None, properties=None, **keys):
        """Publish a job that has an id, and give that."""
        build = build or new_id()
        self.builds.append(build)
        self.put(dict(repo=getattr(repo, "url", repo), id=build, **keys), queue,
                 **(properties or {}))
        return build

    def count(self, queue=None):
        """How many messages wait; None: there is no such queue."""
        with self.bus.channel() as channel:
            try:
                return channel.queue_declare(queue or self.queue, passive=True).method.message_count
            except pika.exceptions.ChannelClosedByBroker:
                return None

    def is_empty(self):
        """Nothing waits, and nothing is in any agent's hands."""
        for agent in self.agents:
            agent.end()
        check_equal(self.count(), 0, f"jobs in the queue; {self.logs()}")

    def logs(self):
        return "\n".join(agent.said()[-1500:] for agent in self.agents)

    def clean(self):
        """See that no container and no work tree is left of the builds."""
        def left():
            found = [build for build in self.builds for kind in KINDS
                     if with_label(kind, f"{LABEL_BUILD}={build}")]
            for agent in self.agents:
                found += list((agent.folder / "trees").glob("*"))
            return found
        wait_until(lambda: not left(), CLEAN_SECONDS, "what is left to go")

    def close(self, has_failed):
        for agent in self.agents:
            with contextlib.suppress(Exception):
                agent.kill()
        self.closing.close()
        if has_failed:
            print(f"# kept: {self.folder}")
            for line in self.logs().splitlines():
                print(f"# {line}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def run(tests, program, words, config=""):
    """Run tests as TAP, each in a world of its own; give how many failed."""
    wanted = [test for test in tests if all(word in test.__name__ for word in words)]
    failed = 0
    print(f"1..{len(wanted)}")
    with tempfile.TemporaryDirectory(prefix="buildr-broker-") as folder, \
            RabbitMQ(folder, config) as rabbit:
        bus = Bus(rabbit)
        for number, test in enumerate(wanted, 1):
            failed += run_one(test, number, World(program, rabbit, bus))
        bus.stop()
    return failed


def run_one(test, number, world):
    name = test.__name__.replace("_", " ")
    started = time.monotonic()
    has_failed = False
    try:
        test(world)
        print(f"ok {number} - {name}")
    except Exception:  # pylint: disable=broad-except
        has_failed = True
        print(f"not ok {number} - {name}")
        for line in traceback.format_exc().splitlines():
            print(f"# {line}")
    world.close(has_failed)
    print(f"# {time.monotonic() - started:.1f} s", flush=True)
    return has_failed
