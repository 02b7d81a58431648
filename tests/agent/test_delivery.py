#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""buildr-agent when something dies or is cut: no job lost, each reported once.

usage: test_delivery.py AGENT [WORD…]: only the tests that have the words in their names
"""
import json
import os
import re
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from world import SECONDS, SOCKET, check, check_equal, new_id, run, wait_until


def reports_once_what_is_queued_twice(world):
    repo = world.repo("sleep 1")
    agent = world.agent("-j", "4")
    build = world.job(repo)
    for _ in range(3):
        world.job(repo, build)
    world.bus.finished(build)
    agent.wait_said("end=elsewhere", 3)
    world.is_empty()
    world.bus.whole(build)
    check_equal(agent.end(), 0, "exit")
    check_equal(world.bus.types(build).count("build.started"), 1, "runs")


def counts_no_try_of_a_job_that_somebody_else_has(world):
    """What it has begun ahead of the broker's answer leaves nothing, and nobody hears of it."""
    repo = world.repo("true")
    build = new_id()
    agent = world.agent("-j", "2")
    with world.bus.channel() as other:
        other.queue_declare(f"buildr.claim.{build}", exclusive=True)
        world.job(repo, build)
        world.bus.finished(world.job(repo))
        wait_until(lambda: not list((agent.folder / "trees").glob("*")), SECONDS, "no trees")
        check_equal(world.bus.types(build), [], "what was told of the other's job")
    check_equal(world.bus.finished(build)["try"], 1, "the try")
    world.bus.whole(build)
    world.is_empty()
    world.clean()


def peak_bytes(agent):
    text = (Path("/proc") / str(agent.process.pid) / "status").read_text("ascii")
    return int(re.search(r"^VmHWM:\s*(\d+) kB$", text, re.M)[1]) * 1024


def is_held_up_by_nobody_who_does_not_listen(world):
    """Events pile up at the broker, not here, and not before another's build."""
    loud = world.repo("yes 'what nobody reads' | head -c 40000000")
    agent = world.agent("-j", "2")
    with world.bus.channel() as other:
        other.queue_declare("deaf", exclusive=True)
        other.queue_declare("slow", exclusive=True)
        for queue in "deaf", "slow":
            other.queue_bind(queue, "buildr.events", "#")
        # It takes one event, and no more of them.
        other.basic_qos(prefetch_count=1)
        other.basic_consume("slow", lambda *_: None)
        for repo in loud, world.repo("true"):
            check_equal(world.bus.finished(world.job(repo))["result"], "pass", "the result")
    check(peak_bytes(agent) < 32 << 20, f"the agent has taken {peak_bytes(agent)} bytes")
    world.is_empty()


def takes_no_job_while_its_engine_is_dead_so_that_another_agent_does(world):
    world.declare()
    repo = world.repo("true")
    dead = world.agent("--name", "dead", "-H", f"unix://{world.folder}/none.sock")
    build = world.job(repo)
    well = world.agent("--name", "well")
    end = world.bus.finished(build)
    check_equal((end["result"], end["try"], end["host"]["name"]), ("pass", 1, "well"),
                "the report")
    check_equal(dead.end(), 0, "exit")
    check_equal(well.end(), 0, "exit")
    world.is_empty()
    world.bus.whole(build)
    world.clean()


def waits_with_a_job_whose_queue_is_full_and_builds_the_next(world):
    """The broker refuses the copy that is to go to the queue of its labels."""
    full = f"{world.queue}@a"
    world.declare(full, arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    world.put(b"full", full)
    world.declare()
    repo = world.repo("true")
    build = world.job(repo, labels=["a"])
    agent = world.agent("-j", "2")
    for _ in range(3):
        world.bus.finished(world.job(repo))
    check("given back" not in agent.said(), agent.said())
    with world.bus.channel() as channel:
        channel.queue_purge(full)
    agent.wait_said(f"build={build} end=moved")
    world.is_empty()
    check_equal(world.count(full), 1, "copies")
    world.builds.remove(build)


def a_subscriber_that_refuses_events_is_no_reason_to_tell_them_again(world):
    world.declare()
    with world.bus.channel() as channel:
        channel.queue_declare(f"{world.queue}-full", durable=True,
                              arguments={"x-max-length": 2, "x-overflow": "reject-publish"})
        channel.queue_bind(f"{world.queue}-full", "buildr.events", "#")
    try:
        world.agent("-j", "1")
        build = world.job(world.repo("for i in $(seq 100); do echo $i; done", "true"))
        end = world.bus.finished(build)
        check_equal((end["result"], end["try"]), ("pass", 1), "the end")
    finally:
        with world.bus.channel() as channel:
            channel.queue_delete(f"{world.queue}-full")
    world.is_empty()
    world.bus.whole(build)
    told = [event["seq"] for event in world.bus.of(build)]
    check_equal(told, list(range(1, len(told) + 1)), "what is told")


class DyingEngine:
    """An engine that says what it has, and does nothing more."""

    def __init__(self, path):
        self.address = f"unix://{path}"
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.server.accept()
            threading.Thread(target=self.serve, args=(near,), daemon=True).start()

    @staticmethod
    def serve(near):
        with near:
            while head := near.recv(65536):
                method, path = head.decode().split()[:2]
                body, status = b'{"message": "dying"}', b"500 No"
                # Whoever looks after it finds nothing.
                if method == "GET":
                    with socket.socket(socket.AF_UNIX) as real:
                        real.connect(SOCKET)
                        real.sendall(f"GET {path} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
                        body = b"".join(iter(lambda: real.recv(65536), b""))
                    body, status = body.split(b"\r\n\r\n", 1)[1], b"200 OK"
                near.sendall(b"HTTP/1.1 " + status + b"\r\nApi-Version: 1.41\r\n"
                             b"Content-Type: application/json\r\n"
                             b"Content-Length: %d\r\n\r\n" % len(body) + body)


def gives_a_job_back_when_the_engine_fails_and_reports_it_after_three_tries(world):
    world.declare()
    repo = world.repo("true")
    options = ("-j", "1", "-H", DyingEngine(world.folder / "dying.sock").address)
    world.agent(*options)
    world.agent(*options)
    build = world.job(repo, odd=[1])
    end = world.bus.finished(build)
    check_equal((end["result"], end["exit"], end["reason"]), ("error", 3, "tries"), "the report")
    check_equal(end["try"], 4, "the try that reports")
    wait_until(lambda: world.count(f"{world.queue}.dead") == 1, SECONDS, "the job among the dead")
    with world.bus.channel() as channel:
        _, properties, body = channel.basic_get(f"{world.queue}.dead", auto_ack=True)
    check_equal(json.loads(body), {"repo": repo.url, "id": build, "odd": [1]}, "its body")
    said = dict(properties.headers)
    check("tried three times" in said.pop("x-buildr-text"), f"{properties}")
    check_equal({key.removeprefix("x-buildr-"): value for key, value in said.items()},
                {"reason": "tries", "build": build, "tries": "3", "queue": world.queue,
                 "agent": end["host"]["name"]}, "why it is there")
    world.is_empty()
    world.bus.whole(build)
    world.clean()


def adopts_its_jobs_after_their_channel_was_closed(world):
    """A build of more than 30 minutes: the broker closes the channel that its delivery came
    on, and delivers it again. What was a tag of the old channel is nobody's on the new one."""
    set_timeouts(world, 2000, 500)
    try:
        repo = world.repo("sleep 7")
        agent = world.agent("-j", "3")
        builds = [world.job(repo) for _ in range(2)]
        for build in builds:
            world.bus.wait_for(build, "step.started")
        agent.wait_said("channel closed")
        builds.append(world.job(repo))
        for build in builds:
            end = world.bus.finished(build)
            check_equal((end["result"], end["try"]), ("pass", 1), "the end")
    finally:
        set_timeouts(world, 1800000, 60000)
    world.is_empty()
    for build in builds:
        world.bus.whole(build)


def set_timeouts(world, consumer_ms, tick_ms):
    world.rabbit.ctl("eval", f"application:set_env(rabbit, consumer_timeout, {consumer_ms}),"
                     f" application:set_env(rabbit, channel_tick_interval, {tick_ms}).")


def takes_jobs_again_when_the_queue_was_deleted_under_it(world):
    repo = world.repo("true")
    agent = world.agent("-j", "1", "--label", "a")
    world.bus.finished(world.job(repo))
    with world.bus.channel() as channel:
        channel.queue_delete(world.queue)
    for queue in (world.queue, f"{world.queue}@a"):
        labels = {"labels": ["a"]} if "@" in queue else {}
        world.bus.finished(world.job(repo, queue=queue, **labels))
    check_equal(agent.end(), 0, "exit")
    check_equal(agent.said().count("broker lost"), 0, "lost connections")


def finishes_a_build_over_a_cut_connection(world):
    proxy = world.proxy()
    repo = world.repo("for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.5; done")
    agent = world.agent("-j", "2", url=proxy.url())
    build = world.job(repo)
    world.bus.wait_for(build, "output", 2)
    check(proxy.cut() > 0, "nothing was cut")
    end = world.bus.finished(build)
    check_equal(end["result"], "pass", "result")
    world.is_empty()
    world.bus.whole(build)
    check_equal(end["try"], 1, "the try")
    check_equal(agent.end(), 0, "exit")
    world.clean()


def finishes_a_build_over_a_restart_of_the_broker(world):
    repo = world.repo("for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done")
    agent = world.agent("-j", "2")
    build = world.job(repo)
    world.bus.wait_for(build, "output", 1)
    world.rabbit.ctl("stop_app")
    world.rabbit.kill()
    world.rabbit.start()
    check_equal(world.bus.finished(build)["try"], 1, "the try")
    # The broker may deliver it again after the report: it is taken, and not built.
    wait_until(lambda: world.count() == 0, SECONDS, "an empty queue")
    world.is_empty()
    check_equal(agent.end(), 0, "exit")
    world.bus.whole(build)
    world.clean()


def forgets_no_report_where_the_broker_forgets_it(world):
    """Killed right after a report, it knows nothing of it, and delivers the job again."""
    world.declare()
    world.rabbit.sync()
    repo = world.repo("true")
    folders = [world.folder / name for name in ("one", "two")]
    agents = [world.agent("-j", "2", folder=folder) for folder in folders]
    for agent in agents:
        agent.wait_said("connected")
    running = world.job(world.repo("sleep 5"))
    world.bus.wait_for(running, "step.started")
    for build in [world.job(repo) for _ in range(3)]:
        world.bus.finished(build)
    world.rabbit.kill()
    world.rabbit.start()
    world.bus.finished(running)
    world.bus.finished(world.job(repo))
    # Who has got a job that the other one works on waits for its claim, and gives it back.
    for agent in agents:
        check_equal(agent.end(), 0, "exit")
    if world.count() > 0:
        world.agent("-j", "2").wait_said("end=elsewhere")
    world.is_empty()
    for build in world.builds:
        world.bus.whole(build)


def reports_once_where_an_agent_was_frozen_and_another_took_the_job(world):
    """Its connection is cut here as the broker does after some 30 s without a heartbeat."""
    repo = world.repo("sleep 3")
    proxy = world.proxy()
    frozen = world.agent("-j", "1", url=proxy.url())
    build = world.job(repo)
    world.bus.wait_for(build, "step.started")
    frozen.send(signal.SIGSTOP)
    os.waitid(os.P_PID, frozen.process.pid, os.WSTOPPED | os.WNOWAIT)
    world.agent("-j", "1")
    proxy.cut()
    end = world.bus.finished(build)
    check_equal((end["result"], end["try"]), ("pass", 2), "the report of the other")
    frozen.send(signal.SIGCONT)
    frozen.wait_said("broker lost")
    frozen.wait_said("end=elsewhere")
    world.is_empty()
    world.bus.whole(build)
    world.clean()


def tries_again_where_a_worker_is_killed_in_the_middle_of_a_line(world):
    repo = world.repo("yes | tr -d '\\n' | head -c 40000000", "sleep 1")
    agent = world.agent("-j", "1")
    build = world.job(repo)
    world.bus.wait_for(build, "output")
    # While nobody reads, the pipe has half a line.
    agent.send(signal.SIGSTOP)
    time.sleep(1)
    children = f"/proc/{agent.process.pid}/task/{agent.process.pid}/children"
    with open(children, encoding="ascii") as file:
        worker = int(file.read().split()[0])
    os.kill(worker, signal.SIGKILL)
    agent.send(signal.SIGCONT)
    agent.wait_said("given back")
    check(not os.path.exists(f"/proc/{worker}"), "the worker is there")
    check_equal(world.bus.types(build).count("build.finished"), 0, "reports of the first try")
    world.agent("-j", "1")
    check_equal(world.bus.finished(build)["try"], 2, "the try")
    world.is_empty()
    world.bus.whole(build)
    world.clean()


def loses_no_job_and_reports_none_twice_where_agents_are_killed_at_any_moment(world):
    repo = world.repo("echo a; sleep 0.2")
    folder = world.folder / "work"
    builds = [world.job(repo) for _ in range(8)] if world.declare() is None else []
    for moment in (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.2, 1.5):
        agent = world.agent("-j", "2", folder=folder)
        time.sleep(moment)
        agent.kill()
    last = world.agent("-j", "2", folder=folder)
    for build in builds:
        world.bus.finished(build)
    wait_until(lambda: world.count() == 0, SECONDS, "an empty queue")
    check_equal(last.end(), 0, "exit")
    world.is_empty()
    for build in builds:
        world.bus.whole(build)
    world.clean()


TESTS = [
    reports_once_what_is_queued_twice,
    counts_no_try_of_a_job_that_somebody_else_has,
    is_held_up_by_nobody_who_does_not_listen,
    takes_no_job_while_its_engine_is_dead_so_that_another_agent_does,
    waits_with_a_job_whose_queue_is_full_and_builds_the_next,
    a_subscriber_that_refuses_events_is_no_reason_to_tell_them_again,
    gives_a_job_back_when_the_engine_fails_and_reports_it_after_three_tries,
    takes_jobs_again_when_the_queue_was_deleted_under_it,
    finishes_a_build_over_a_cut_connection,
    reports_once_where_an_agent_was_frozen_and_another_took_the_job,
    loses_no_job_and_reports_none_twice_where_agents_are_killed_at_any_moment,
]
# A minute more, for when the agent has changed: test_delivery.py PROGRAM --all
SLOW = [
    adopts_its_jobs_after_their_channel_was_closed,
    finishes_a_build_over_a_restart_of_the_broker,
    forgets_no_report_where_the_broker_forgets_it,
    tries_again_where_a_worker_is_killed_in_the_middle_of_a_line,
]

if __name__ == "__main__":
    is_all = "--all" in sys.argv
    names = [name for name in sys.argv[2:] if name != "--all"]
    sys.exit(run(TESTS + (SLOW if is_all or names else []), sys.argv[1], names) > 0)
