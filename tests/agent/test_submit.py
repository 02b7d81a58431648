#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""buildr submit, cancel and watch, and the sample hook, with real agents.

    test_submit.py BUILD [NAME…]

Each was seen to fail, by: an exit status of 0 for all builds, or of the first that ends; only
some events subscribed to; a new try taken as the old one; a Ctrl-C that always cancels, never
asks, or asks for ever; an answer that is not heeded; of a variable given twice the first; a job
that is not persistent; a queue that is declared without a look; exit 2 for 3 and the other way
round; a build that is ended by SIGTERM, cancelled without a report, or named by anything;
labels that agents do not look at; a job for all that is dropped after one try, or goes to the
dead jobs; a checkout whose end is the agent's fault; a watch without ends of stages; a hook that submits deleted branches, tags, or options.
"""

import contextlib
import fcntl
import json
import os
import pty
import re
import socket
import subprocess
import sys
import termios
import uuid

from farm import (HERE, SECONDS, Farm, check, check_equal, git, interrupt, wait_until)
from proxy import Proxy
from support import make_images, next_event, run_tests, says

# For what goes to all agents: two that are well carry the one, one of them and one that is
# ill the other.
PAIR, MIXED = "pair", "mixed"


def check_status(result, status):
    check_equal(result.status, status,
                f"the exit status, saying {result.stderr[-2000:]!r} {result.stdout[-1000:]!r}")


# Waiting.


def wait_shows_the_build_and_exits_as_it_does(farm):
    result = farm.submit("main", "--wait", "-e", "WHO=world")
    check_status(result, 0)
    check_equal(result.stdout, b"build | hello world\n", "stdout")
    for text in (b"submitted ", b"==> stage test", b"test   passed", b"passed in"):
        check(text in result.stderr, f"no {text!r} in {result.stderr!r}")
    result = farm.submit("main", "--wait", "-o", "quiet", "-e", "CODE=7")
    check_status(result, 1)
    check(b"exit status 7" in result.stderr, result.stderr)


def wait_gives_every_event_as_json(farm):
    commit = git(farm.folder / "repository", "rev-parse", "HEAD")
    result = farm.submit("main", "main", "--commit", commit, "--wait", "-o", "json",
                         "--stage", "build")
    check_status(result, 0)
    events = result.events
    check_equal((events[0]["branch"], events[0]["commit"]), ("main", commit), "what is built")
    check_equal([event["seq"] for event in events], list(range(1, len(events) + 1)), "seq")
    check_equal((events[0]["type"], events[-1]["type"]), ("build.started", "build.finished"),
                "the first and the last event")
    check_equal(events[-1]["stages"], {"build": "pass", "test": "skipped"}, "stages")
    check_equal(events[0]["host"]["name"], "one", "the agent")


def a_new_try_begins_the_view_anew(farm):
    with farm.agent("victim", "--queue", "tries") as victim:
        process = farm.start("submit", "--queue", "tries", farm.repo, "--wait", "-o", "json",
                             "-e", "NAP=1000")
        next_event(process, says("hello"))
        victim.kill()
    with farm.agent("heir", "--queue", "tries"):
        event = next_event(process, lambda event: event["try"] == 2)
        check_equal((event["type"], event["seq"]), ("build.started", 1), "the first event")
        next_event(process, says("hello"))
        interrupt(process)
        result = farm.finish(process)
    check(b"try 2 of the build" in result.stderr, result.stderr)


def ctrl_c_without_a_terminal_leaves_the_build_to_itself(farm):
    process = farm.start("submit", "--queue", "main", farm.repo, "--wait", "-o", "json",
                         "-e", "NAP=1")
    build = next_event(process, says("hello"))["build"]
    interrupt(process)
    result = farm.finish(process)
    check_status(result, 130)
    check(b"goes on" in result.stderr, result.stderr)
    check_equal(farm.result(build)["result"], "pass", "the result")


class Terminal:
    """A `buildr submit` on a terminal, on which it waits by itself."""

    def __init__(self, farm, *arguments, **environment):
        self.master, slave = pty.openpty()

        def take_terminal():
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.process = farm.start("submit", farm.repo, *arguments, stdin=slave, stdout=slave,
                                  stderr=slave, preexec_fn=take_terminal, env=environment)
        os.close(slave)
        self.shown = b""

    def close(self):
        os.close(self.master)

    def read(self):
        # The other end is gone: EIO.
        with contextlib.suppress(OSError):
            data = os.read(self.master, 65536)
            self.shown += data
            return data
        return b""

    def expect(self, text):
        """Read until `text` is shown; the limit is that of the whole test."""
        while text not in self.shown:
            check(self.read(), f"{text!r} never came: {self.shown!r}")
        self.shown = self.shown.partition(text)[2]

    def type(self, text):
        os.write(self.master, text)

    def end(self):
        while self.read():
            pass
        return self.process.wait(SECONDS)


def ctrl_c_on_a_terminal_asks_and_yes_cancels(farm):
    """In the live view, which makes room for the question."""
    with contextlib.closing(Terminal(farm, "--queue", "main", "-e", "NAP=1000",
                                     TERM="xterm")) as terminal:
        terminal.expect(b"hello")
        # It ticks while nothing happens.
        for _ in range(2):
            terminal.expect(b"1 running")
        terminal.type(b"\x03")
        terminal.expect(b"cancel the build?")
        terminal.type(b"y\n")
        terminal.expect(b"cancelled after")
        check_equal(terminal.end(), 130, "the exit status")


def a_second_ctrl_c_leaves_the_build_to_itself(farm):
    with contextlib.closing(Terminal(farm, "--queue", "main", "-e", "NAP=2")) as terminal:
        terminal.expect(b"submitted ")
        while b"hello" not in terminal.shown:
            check(terminal.read(), terminal.shown)
        build = terminal.shown[:36].decode()
        terminal.type(b"\x03")
        terminal.expect(b"cancel the build?")
        terminal.type(b"\x03")
        terminal.expect(b"goes on")
        check_equal(terminal.end(), 130, "the exit status")
    check_equal(farm.result(build)["result"], "pass", "the result")


# What is put on the queue.


def submit_prints_the_id_of_a_job_that_is_there_to_stay(farm):
    build = str(uuid.uuid4())
    result = farm.submit("jobs", "topic", "--commit", "0123456789", "--id", build.upper(),
                         "--label", "b", "--label", "a", "--label", "b", "--stage", "test",
                         "--submodules", "--lfs", "-e", "WHO=not me", "-e", "WHO=a=b", "-e", "HOME",
                         env={"BUILDR_STAGE": "deploy", "BUILDR_LABEL": "not-mine"})
    check_status(result, 0)
    check_equal(result.stdout, f"{build}\n".encode(), "stdout")
    check(b"waits there" in result.stderr, result.stderr)
    properties, job = farm.get("jobs@a+b")
    check_equal((properties.delivery_mode, properties.message_id), (2, build), "properties")
    check_equal(job, {"repo": farm.repo, "branch": "topic", "commit": "0123456789",
                      "id": build.upper(), "submodules": True, "lfs": True,
                      "stages": ["test"], "labels": ["b", "a", "b"],
                      "environment": {"WHO": "a=b", "HOME": str(farm.folder)}}, "the job")
    with farm.channel() as channel:
        # As it is or not at all.
        channel.queue_declare("jobs@a+b", durable=True, arguments={
            "x-queue-type": "quorum", "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": "jobs.dead"})
    check_equal(farm.count("jobs.dead"), 0, "messages of the queue of dead letters")


def a_queue_of_another_form_is_taken_as_it_is(farm):
    with farm.channel() as channel:
        channel.queue_declare("classic", durable=True)
    farm.submit_id("classic")
    check_equal(farm.count("classic"), 1, "jobs")


def a_queue_that_refuses_is_asked_again(farm):
    """One that is full; and so one that has only just been made."""
    with farm.channel() as channel:
        channel.queue_declare("full", durable=True,
                              arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    farm.submit_id("full")
    process = farm.start("submit", "--queue", "full", "--detach", farm.repo)
    wait_until(lambda: b"refuses it" in process.said.read_bytes(), SECONDS, "a refusal")
    with farm.channel() as channel:
        channel.queue_purge("full")
    result = farm.finish(process)
    check_status(result, 0)
    check_equal(farm.get("full")[0].message_id, result.stdout.decode().strip(), "the job")


def wrong_usage_is_2_and_an_absent_broker_3(farm):
    for arguments in ([], [farm.repo, "--commit", "main"], [farm.repo, "--label", "a b"],
                      [farm.repo, "--id", "1"], [farm.repo, "-e", "NOT_SET_HERE"],
                      [farm.repo, "-e", "1=2"], [farm.repo, "a", "b"], [""], ["a\nb"],
                      [farm.repo, "--everywhere", "--id", str(uuid.uuid4())],
                      [farm.repo, "--wait", "--detach"], [farm.repo, "--broker", "http://a/"],
                      [farm.repo, *(f"--label=l{number}" for number in range(7))]):
        check_status(farm.run("submit", "--queue", "usage", *arguments), 2)
    check_equal(farm.count("usage"), None, "a queue")
    for command in (["submit", farm.repo], ["watch"], ["cancel", str(uuid.uuid4())]):
        for url in ("amqp://127.0.0.1:1/", farm.rabbit.url(password="wrong"),
                    farm.rabbit.url(vhost="none")):
            result = farm.run(*command, env={"BUILDR_BROKER": url})
            check_status(result, 3)
            check(result.stderr.startswith(b"buildr: broker: ") and
                  b"wrong" not in result.stderr, result.stderr)


def without_the_program_for_the_broker_buildr_says_so(farm):
    alone = farm.folder / "alone"
    alone.mkdir()
    # By another program: what this one has open for writing, a child that another test
    # starts just then has open too, and nobody can start it.
    subprocess.run(["cp", farm.program, alone / "buildr"], check=True)
    result = farm.finish(farm.start("watch", executable=alone / "buildr"))
    check_status(result, 3)
    check(b"buildr-farm" in result.stderr, result.stderr)


def doctor_says_which_broker_answers(farm):
    for url, is_ok in ((farm.rabbit.url(), True), (farm.rabbit.url(password="wrong"), False)):
        result = farm.run("doctor", "-o", "json", env={"BUILDR_BROKER": url})
        line, = (line for line in json.loads(result.stdout)["lines"]
                 if line["name"] == "broker")
        check_equal(line["ok"], is_ok, f"the line {line}")
        check("wrong" not in line["text"], f"the line {line}")


# Cancelling.


def a_running_build_is_cancelled(farm):
    process = farm.start("submit", "--queue", "main", farm.repo, "--wait", "-o", "json",
                         "-e", "NAP=1000")
    build = next_event(process, says("hello"))["build"]
    result = farm.run("cancel", build.upper())
    check_status(result, 0)
    check(f"cancelled {build}".encode() in result.stderr, result.stderr)
    result = farm.finish(process)
    check_status(result, 130)
    check_equal((result.events[-1]["result"], result.events[-1]["exit"]), ("cancelled", 130),
                "how the build ended")
    # The agent deletes it when the broker has confirmed the end, which others see before.
    wait_until(lambda: farm.count(f"buildr.tries.{build}") is None, SECONDS,
               "the end of its tries: it is not tried again")
    result = farm.run("cancel", build)
    check_status(result, 2)
    check(b"has ended before" in result.stderr, result.stderr)


def a_checkout_is_cancelled_and_not_tried_again(farm):
    with socket.create_server(("127.0.0.1", 0)) as server:
        # It takes the connection, and never answers.
        process = farm.start("submit", "--queue", "main", "--wait", "-o", "json",
                             f"git://127.0.0.1:{server.getsockname()[1]}/project.git")
        server.settimeout(SECONDS)
        connection, _ = server.accept()
        with connection:
            build = re.search(rb"submitted (\S+)", process.said.read_bytes())[1].decode()
            check_status(farm.run("cancel", build), 0)
    result = farm.finish(process)
    check_status(result, 130)
    check_equal([(event["type"], event["try"]) for event in result.events],
                [("build.started", 1), ("build.finished", 1)], "events")


def a_build_that_waits_is_cancelled_and_never_run(farm):
    process = farm.start("submit", "--queue", "later", farm.repo, "--wait", "-o", "json")
    wait_until(lambda: farm.count("later"), SECONDS, "the job")
    said = process.said
    wait_until(lambda: b"submitted " in said.read_bytes(), SECONDS, "the id")
    build = re.search(rb"submitted (\S+)", said.read_bytes())[1].decode()
    result = farm.run("cancel", build)
    check_status(result, 0)
    check(b"no agent works on" in result.stderr, result.stderr)
    result = farm.finish(process)
    check_status(result, 130)
    check_equal([event["type"] for event in result.events],
                ["build.started", "notice", "build.finished"], "events")
    with farm.agent("late", "--queue", "later") as agent:
        agent.await_diary(f"build={build} end=elsewhere")
        agent.stop()
    check_equal(farm.count("later"), 0, "jobs")
    check_equal(farm.result(build)["result"], "cancelled", "the result")


def what_is_no_build_cannot_be_cancelled(farm):
    for name in ("", "@1", "01234567", f"{uuid.uuid4()}0"):
        check_status(farm.run("cancel", name), 2)


# To all agents.


def everywhere_is_a_build_for_each_agent_with_the_labels(farm):
    result = farm.run("submit", "--everywhere", "--label", PAIR, farm.repo)
    check_status(result, 0)
    first, *lines = result.stdout.decode().splitlines()
    check_equal(first, "taken by 2 agents", "the first line")
    taken = dict(line.split(" ")[::-1] for line in lines)
    check_equal(sorted(taken), ["one", "two"], "agents")
    for name, build in taken.items():
        report = farm.result(build)
        check_equal((report["build"], report["result"], report["host"]["name"]),
                    (build, "pass", name), "a report")
        check_equal(report["host"]["machine"], os.uname().machine, "the machine")
    result = farm.run("submit", "--everywhere", "--label", "nobodys", farm.repo)
    check_status(result, 3)
    check_equal(result.stdout, b"taken by 0 agents\n", "stdout")


def everywhere_shows_the_agents_as_they_go(farm):
    result = farm.run("submit", "--everywhere", "--label", PAIR, "--wait", "-e", "CODE=7",
                      farm.repo)
    check_status(result, 1)
    for name in (b"one", b"two"):
        for what in (b"started on Linux", b"stage build passed", b"failed in"):
            check(re.search(rb"^\S{36} " + name + b" " + what, result.stdout, re.M),
                  f"no {what!r} of {name!r}: {result.stdout!r}")


def everywhere_waits_for_all_and_ends_as_the_worst(farm):
    # The engine of one is gone: it tries three times, and no other agent does.
    with farm.agent("ill", "--queue", "ill", "--label", MIXED,
                    "--docker-sock", "unix:///nowhere"):
        result = farm.run("submit", "--everywhere", "--label", MIXED, "--wait", "-o", "json",
                          "-e", "NAP=5", farm.repo)
    check_status(result, 3)
    check_equal([(event["host"]["name"], event["try"], event["result"], event.get("reason"))
                 for event in result.of_type("build.finished")],
                [("ill", 4, "error", "tries"), ("one", 1, "pass", None)], "reports")
    check_equal(farm.count("ill.dead") or 0, 0, "dead jobs")


def everywhere_a_build_goes_on_over_a_cut_connection(farm):
    proxy = Proxy(farm.rabbit.port)
    with contextlib.closing(proxy), \
            farm.agent("cut", "--queue", "cut", "--label", "cut", "--broker", proxy.url()) as agent:
        # When it has built something it has long been listening to what goes to all.
        farm.result(farm.submit_id("cut"))
        process = farm.start("submit", "--everywhere", "--label", "cut", "--wait", "-o", "json",
                             "-e", "NAP=2", farm.repo)
        build = next_event(process, says("hello"))["build"]
        check(proxy.cut() > 0, "nothing was cut")
        result = farm.finish(process)
        agent.stop()
    check_status(result, 0)
    check("broker lost" in agent.diary(), agent.diary())
    check_equal([event["try"] for event in result.of_type("build.finished")], [1], "reports")
    check_equal(farm.result(build)["host"]["name"], "cut", "the agent")


# Watching.


def watch_shows_builds_until_it_is_stopped(farm):
    plain = farm.start("watch")
    raw = farm.start("watch", "-o", "json")
    with farm.channel() as channel:
        # There is no word of it when it listens: the queues are seen to be bound.
        channel.exchange_declare("buildr.events", "topic", durable=True)
        channel.confirm_delivery()
        wait_until(lambda: is_heard(channel), SECONDS, "watchers")
    build = farm.submit_id("main")
    event = next_event(raw, lambda event: (event["build"], event["type"]) ==
                       (build, "build.finished"))
    check_equal(event["host"]["name"], "one", "the agent")
    lines = []
    while not lines or not lines[-1].startswith(f"{build} one passed in"):
        lines.append(plain.stdout.readline().decode())
        check(lines[-1], f"the end of {lines}")
    shown = [line.split(" ", 2)[2] for line in lines if line.startswith(build)]
    check(shown[0].startswith("started on Linux") and farm.repo in shown[0], shown)
    check([line.split(" in ")[0] for line in shown[1:]] ==
          ["stage build passed", "stage test passed", "passed"], shown)
    for process in (plain, raw):
        interrupt(process)
        check_status(farm.finish(process), 130)


def is_heard(channel):
    import pika
    with contextlib.suppress(pika.exceptions.UnroutableError):
        # Both of them: the one in words hears only some events.
        for kind in ("build.started", "notice"):
            channel.basic_publish("buildr.events", f"x.{kind}", b"no event", mandatory=True)
        return True
    return False


# The hook.


def the_hook_submits_branches_that_are_new_or_changed(farm):
    bare, work = farm.folder / "bare.git", farm.folder / "work"
    git(farm.folder, "clone", "--quiet", "--bare", farm.repo, str(bare))
    git(farm.folder, "clone", "--quiet", str(bare), str(work))
    subprocess.run(["cp", "-p", HERE.parents[1] / "samples" / "post-receive", bare / "hooks"],
                   check=True)
    git(bare, "config", "buildr.repo", farm.repo)
    git(bare, "config", "buildr.broker", farm.rabbit.url(vhost="hook"))
    farm.rabbit.ctl("add_vhost", "hook")
    farm.rabbit.ctl("set_permissions", "-p", "hook", "guest", ".*", ".*", ".*")
    environment = farm.environment()
    del environment["BUILDR_BROKER"]

    def push(*refs):
        with_hook = os.environ["PATH"]
        os.environ["PATH"] = f"{environment['PATH']}:{with_hook}"
        try:
            return git(work, "push", "origin", *refs)
        finally:
            os.environ["PATH"] = with_hook

    def jobs():
        import pika
        connection = pika.BlockingConnection(
            pika.URLParameters(farm.rabbit.url(vhost="hook")))
        with contextlib.closing(connection):
            channel, found = connection.channel(), []
            while True:
                method, _, body = channel.basic_get("build_queue", auto_ack=True)
                if not method:
                    return found
                job = json.loads(body)
                found.append((job["repo"], job["branch"], job["commit"]))

    git(work, "tag", "v1")
    git(work, "branch", "gone")
    first = git(work, "rev-parse", "HEAD")
    said = push("HEAD:refs/heads/feature/new", "gone", "v1", "HEAD:refs/notes/x",
                "HEAD:refs/heads/-x")
    check(re.search(r"build [0-9a-f-]{36} of feature/new", said), said)
    check_equal(sorted(jobs()), [(farm.repo, name, first)
                                 for name in ("-x", "feature/new", "gone")], "new branches")
    git(work, "commit", "--quiet", "--allow-empty", "--message=two")
    second = git(work, "rev-parse", "HEAD")
    push("HEAD:main", ":gone", "HEAD:refs/tags/v2", ":v1", f"{first}:feature/new")
    check_equal(jobs(), [(farm.repo, "main", second)], "a changed branch")
    git(bare, "config", "--unset", "buildr.repo")
    check("buildr.repo" in push("HEAD:feature/new"), "a hook that is not set up is silent")


TESTS = [
    wait_shows_the_build_and_exits_as_it_does,
    wait_gives_every_event_as_json,
    a_new_try_begins_the_view_anew,
    ctrl_c_without_a_terminal_leaves_the_build_to_itself,
    ctrl_c_on_a_terminal_asks_and_yes_cancels,
    a_second_ctrl_c_leaves_the_build_to_itself,
    submit_prints_the_id_of_a_job_that_is_there_to_stay,
    a_queue_of_another_form_is_taken_as_it_is,
    a_queue_that_refuses_is_asked_again,
    wrong_usage_is_2_and_an_absent_broker_3,
    without_the_program_for_the_broker_buildr_says_so,
    doctor_says_which_broker_answers,
    a_running_build_is_cancelled,
    a_checkout_is_cancelled_and_not_tried_again,
    a_build_that_waits_is_cancelled_and_never_run,
    what_is_no_build_cannot_be_cancelled,
    everywhere_is_a_build_for_each_agent_with_the_labels,
    everywhere_shows_the_agents_as_they_go,
    everywhere_waits_for_all_and_ends_as_the_worst,
    everywhere_a_build_goes_on_over_a_cut_connection,
    watch_shows_builds_until_it_is_stopped,
    the_hook_submits_branches_that_are_new_or_changed,
]


def main():
    build, names = sys.argv[1], sys.argv[2:]
    make_images()
    with Farm(build) as farm, farm.agent("one", "--queue", "main", "--label", PAIR,
                                             "--label", MIXED), \
            farm.agent("two", "--queue", "other", "--label", PAIR):
        return run_tests([(test.__name__.replace("_", " "), lambda test=test: test(farm))
                          for test in TESTS if not names or test.__name__ in names], jobs=4)


if __name__ == "__main__":
    sys.exit(main())
