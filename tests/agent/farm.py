# SPDX-License-Identifier: MIT
"""A farm of a test's own: a broker, agents, and runs of `buildr` against them.

Agents are told apart by their queues and labels, so that tests can run side by side.
"""
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pika

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent / "support"), str(HERE.parent / "scenario")]
# pylint: disable=wrong-import-position
from rabbitmq import RabbitMQ, end_with_parent  # noqa: E402
from support import Result, check, check_equal, kill, wait_until  # noqa: E402

# Far more than anything takes; only a hang gets there.
SECONDS = 120
IMAGE = "buildr-test:latest"

MANIFEST = f"""\
image: {IMAGE}
stages: [build, test]
build:
  script:
    - echo "hello $WHO"
    - if [ -n "$NAP" ]; then sleep "$NAP"; fi
test:
  script: exit ${{CODE:-0}}
"""


def git(folder, *arguments):
    """Run git as nobody in particular; give what it prints."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1",
                   "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
                   "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org"}
    done = subprocess.run(["git", "-C", str(folder), *arguments], env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=SECONDS)
    check(done.returncode == 0, f"git {' '.join(arguments)}: {done.stdout}")
    return done.stdout.strip()


class Agent:
    """A buildr-agent; what it says goes to a file."""

    def __init__(self, farm, name, *arguments):
        work_dir = farm.folder / f"work-{name}"
        work_dir.mkdir(exist_ok=True)
        self.said = farm.folder / f"{name}.log"
        with open(self.said, "ab") as said:
            self.process = subprocess.Popen(
                [farm.build / "agent" / "buildr-agent", "--name", name, "--work-dir", work_dir,
                 "--allow-protocol", "file", "--jobs", "4", *arguments],
                env=farm.environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                start_new_session=True, preexec_fn=end_with_parent)

    def diary(self):
        return self.said.read_text("utf-8")

    def await_diary(self, text):
        wait_until(lambda: text in self.diary(), SECONDS, f"{text!r} in {self.diary()!r}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """End it as an administrator does, and check that it does not leave jobs."""
        self.process.terminate()
        check_equal(self.process.wait(SECONDS), 0, "the exit status of an agent")


class Farm:
    """A broker, a repository, and runs of buildr."""

    def __init__(self, build):
        self.build = Path(build).resolve()
        self.program = self.build / "cmd" / "buildr"

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        with contextlib.ExitStack() as stack:
            self.folder = Path(stack.enter_context(
                tempfile.TemporaryDirectory(prefix="agent-", ignore_cleanup_errors=True)))
            self.rabbit = stack.enter_context(RabbitMQ(self.folder / "rabbit"))
            self.make_repository()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def make_repository(self):
        work = self.folder / "repository"
        work.mkdir()
        git(work, "init", "--quiet", "--initial-branch=main")
        (work / ".buildr.yml").write_text(MANIFEST, "utf-8")
        git(work, "add", ".")
        git(work, "commit", "--quiet", "--message=one")
        self.repo = f"file://{work}"

    def environment(self, **more):
        kept = {name: os.environ[name] for name in ("DOCKER_HOST", "LC_ALL", "ASAN_OPTIONS")
                if name in os.environ}
        return {"PATH": f"{self.build}/cmd:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                "HOME": str(self.folder), "BUILDR_BROKER": self.rabbit.url(), **kept, **more}

    @contextlib.contextmanager
    def agent(self, name, *arguments):
        """An agent that is there when this begins, and ends with it."""
        agent = Agent(self, name, *arguments)
        try:
            agent.await_diary("event=connected")
            yield agent
        finally:
            agent.kill()

    def start(self, *arguments, env=None, **options):
        """Start buildr; what it says goes to a file, process.said."""
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix="stderr-",
                                         delete=False) as said:
            process = subprocess.Popen(
                [self.program, *arguments], env=self.environment(**(env or {})),
                **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": said,
                   "start_new_session": True, "preexec_fn": end_with_parent, **options})
        process.said = Path(said.name)
        return process

    def run(self, *arguments, env=None):
        return self.finish(self.start(*arguments, env=env))

    @staticmethod
    def finish(process):
        hung = threading.Timer(SECONDS, kill, [process])
        hung.start()
        stdout = process.stdout.read() if process.stdout else b""
        status = process.wait()
        check(hung.is_alive(), f"no end in {SECONDS} s: {stdout[-2000:]!r}")
        hung.cancel()
        return Result(status, stdout, process.said.read_bytes())

    def submit(self, queue, *arguments, **options):
        return self.run("submit", "--queue", queue, self.repo, *arguments, **options)

    def submit_id(self, queue, *arguments):
        """Submit without waiting; give the build's id."""
        result = self.submit(queue, "--detach", *arguments)
        check_equal(result.status, 0, f"the exit status, saying {result.stderr!r}")
        return result.stdout.decode().strip()

    @contextlib.contextmanager
    def channel(self):
        """A channel of another client."""
        connection = pika.BlockingConnection(pika.URLParameters(self.rabbit.url()))
        with contextlib.closing(connection):
            yield connection.channel()

    def get(self, queue):
        """Take a message from a queue: its properties and JSON; None: there is none."""
        with self.channel() as channel:
            method, properties, body = channel.basic_get(queue, auto_ack=True)
            return (properties, json.loads(body)) if method else None

    def count(self, queue):
        """Say how many messages a queue has; None: there is no such queue."""
        with self.channel() as channel:
            try:
                return channel.queue_declare(queue, passive=True).method.message_count
            except pika.exceptions.ChannelClosedByBroker:
                return None

    def result(self, build):
        """Wait for the report of a build, and give it; there must be one."""
        queue = f"buildr.result.{build}"
        wait_until(lambda: self.count(queue), SECONDS, f"the result of {build}")
        check_equal(self.count(queue), 1, "reports of a build")
        return self.get(queue)[1]


def interrupt(process):
    process.send_signal(signal.SIGINT)
