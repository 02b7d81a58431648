#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""buildr-agent and who runs it: --check, options that are read again, systemd, the log,
health and metrics.

usage: test_operations.py AGENT [WORD…]: only the tests that have the words in their names
"""
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys

from world import SECONDS, check, check_equal, run, wait_until
# Found where world.py looks.
from rabbitmq import free_ports
from support import SOCKET

LISTEN = ("--listen", "127.0.0.1:0")


def configure(world, text):
    """Write a configuration; give the options that name it."""
    path = world.folder / "agent.conf"
    path.write_text(text, "utf-8")
    return "--config", str(path)


def read_again(world, agent, text):
    """Have the configuration read again, and wait until it was."""
    count = agent.said().count('event="options ')
    configure(world, text)
    agent.send(signal.SIGHUP)
    agent.wait_said('event="options ', count + 1)


def ask(agent, path, method="GET"):
    """Make a request; give the status and the body."""
    connection = http.client.HTTPConnection("127.0.0.1", port(agent), timeout=SECONDS)
    with contextlib.closing(connection):
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def port(agent):
    agent.wait_said("event=listening")
    return int(re.search(r"address=127\.0\.0\.1:(\d+)", agent.said()).group(1))


def metrics(agent):
    """Give each number by its name."""
    lines = ask(agent, "/metrics")[1].splitlines()
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def await_health(agent, status, text):
    wait_until(lambda: ask(agent, "/healthz") == (status, text + "\n"), SECONDS,
               f"{status} {text}; it is {ask(agent, '/healthz')}, {agent.said()}")


@contextlib.contextmanager
def hear_agents(world):
    """What agents say of themselves: gives a function for the next message."""
    with world.bus.channel() as channel:
        channel.exchange_declare("buildr.events", "topic", durable=True)
        name = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(name, "buildr.events", "agent.#")

        def get():
            method, _, body = channel.basic_get(name, auto_ack=True)
            return method and (method.routing_key, json.loads(body))
        yield lambda: wait_until(get, SECONDS, "a message of an agent")


def check_run(world, *arguments, **environment):
    """Run --check; give its exit status and what it says on each thing."""
    done = subprocess.run([world.program, "--check", *arguments], text=True, check=False,
                          env=dict(os.environ, BUILDR_BROKER=world.rabbit.url()) | environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=SECONDS)
    return done.returncode, {line.split()[1]: (line.split()[0], line)
                             for line in done.stdout.splitlines()}


def check_says_of_each_thing_that_it_is_there(world):
    status, lines = check_run(world, "--work-dir", world.folder / "checked")
    check_equal({name: word for name, (word, _) in lines.items()},
                dict.fromkeys(("options", "broker", "engine", "init", "git", "work-dir",
                               "space"), "ok"), "what --check says")
    check_equal(status, 0, "the exit status")
    check("guest" not in str(lines), f"the password is told: {lines}")


def check_says_what_is_wrong_and_what_to_do(world):
    status, lines = check_run(
        world, "--work-dir", "/proc/none", "-H", f"unix://{world.folder}/no-engine",
        BUILDR_BROKER=world.rabbit.url(password="wrong"), PATH=str(world.folder))
    wrong = {name: line for name, (word, line) in lines.items() if word == "WRONG"}
    check_equal(sorted(wrong), ["broker", "engine", "git", "space", "work-dir"], "what is wrong")
    check_equal(status, 3, "the exit status")
    for name, remedy in (("broker", "BUILDR_BROKER"), ("engine", "DOCKER_HOST"),
                         ("git", "install it"), ("work-dir", "--work-dir")):
        check(remedy in wrong[name], f"no remedy: {wrong[name]}")
    status, lines = check_run(world, "--work-dir", world.folder / "checked",
                              "--min-free", "1000000t")
    check("make room" in lines["space"][1] and status == 3, f"{status} {lines}")


def the_log_can_be_json(world):
    agent = world.agent("--log", "json")
    world.bus.finished(world.job(world.repo()))
    agent.wait_said('"end":"reported"')
    events = [json.loads(line)["event"] for line in agent.said().splitlines()]
    check(events[:2] == ["connected", "ready"] and "job" in events, f"{events}")


def systemd_hears_of_start_reload_and_end(world):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        path = world.folder / "notify"
        systemd.bind(str(path))
        systemd.settimeout(SECONDS)

        def hear(start):
            while True:
                said = systemd.recv(4096).decode()
                if said.startswith(start):
                    return said

        agent = world.agent(env={"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "200000"})
        hear("READY=1")
        hear("STATUS=taking jobs; 0 running, 0 waiting")
        for _ in range(3):
            hear("WATCHDOG=1")
        agent.send(signal.SIGHUP)
        check("\nMONOTONIC_USEC=" in hear("RELOADING=1"), "no time")
        hear("READY=1")
        agent.send(signal.SIGTERM)
        hear("STOPPING=1")
        check_equal(agent.end(), 0, "the exit status")


def sighup_changes_options_and_a_broken_file_nothing(world):
    repo = world.repo()
    agent = world.agent(*configure(world, "allow-repo https://*\n"))
    check_equal(world.bus.finished(world.job(repo))["result"], "error", "a refused job")
    read_again(world, agent, "allow-repo file://*\nlabel linux\njobs 3\nqueue other\n")
    check("only-with-a-restart" not in agent.said(), "the command line's --queue counts for more")
    for labels in ([], ["linux"]):
        build = world.job(repo, queue="@".join([world.queue, *labels]), labels=labels)
        check_equal(world.bus.finished(build)["result"], "pass", f"a job with {labels}")
    read_again(world, agent, "allow-repo none\nlabel\n")
    check("agent.conf:2: 'label' needs a value" in agent.said(), agent.said())
    check_equal(world.bus.finished(world.job(repo))["result"], "pass",
                "a job after a broken file")
    world.is_empty()


def what_takes_a_restart_is_told(world):
    agent = world.agent(*configure(world, ""))
    agent.wait_said("event=ready")
    read_again(world, agent, "listen 127.0.0.1:0\n")
    check("only-with-a-restart=--listen" in agent.said(), agent.said())
    check_equal(world.bus.finished(world.job(world.repo()))["result"], "pass", "a job")


def an_agent_without_an_engine_leaves_jobs_alone(world):
    engine = world.folder / "late-engine"
    with hear_agents(world) as hear:
        agent = world.agent("-H", f"unix://{engine}", *LISTEN, name="late")
        key, body = hear()
        check_equal((key, body["agent"], body["state"]),
                    ("agent.late.resting", "late", "resting"), "what the bus says")
        check(str(engine) in body["why"], f"{body}")
        check_equal(ask(agent, "/healthz"), (503, body["why"] + "\n"), "its health")
        check_equal(metrics(agent)["buildr_agent_resting"], 1, "the metric")
        world.declare()
        build = world.job(world.repo())
        engine.symlink_to(SOCKET)
        agent.send(signal.SIGHUP)
        check_equal(hear(), ("agent.late.ready", {"agent": "late", "state": "ready"}),
                    "what the bus says then")
    check_equal([world.bus.finished(build)[key] for key in ("result", "try")], ["pass", 1],
                "the job that waited")
    await_health(agent, 200, "ok")


def three_failures_in_a_row_make_it_rest(world):
    why = "three failures of its own in a row"
    with hear_agents(world) as hear:
        agent = world.agent("-H", world.broken_engine(), *LISTEN)
        await_health(agent, 200, "ok")
        build = world.job(world.repo())
        check_equal(hear(), ("agent.agent0.resting",
                             {"agent": "agent0", "state": "resting", "why": why}), "the bus")
    await_health(agent, 503, why)
    numbers = metrics(agent)
    check_equal(numbers["buildr_agent_given_back_total"], 3, "tries given back")
    check_equal(numbers["buildr_agent_failures_in_row"], 3, "failures in a row")
    wait_until(lambda: world.count() == 1, SECONDS, "the job's return")
    check("build.finished" not in world.bus.types(build), "it was reported")


def a_job_whose_server_is_away_makes_it_not_rest(world):
    nobody, = free_ports(1)
    agent = world.agent("-j", "1", *LISTEN)
    world.job(f"https://127.0.0.1:{nobody}/repo")
    agent.wait_said('end="given back"', 2)
    check_equal(metrics(agent)["buildr_agent_failures_in_row"], 1, "failures of its own")
    check_equal(world.bus.finished(world.job(world.repo()))["result"], "pass", "the next")
    check("event=resting" not in agent.said(), agent.said())


def bad_jobs_are_no_failures_of_its_own(world):
    repo = world.repo()
    agent = world.agent(*LISTEN)
    await_health(agent, 200, "ok")
    for _ in range(4):
        world.put(b"no job")
    world.job(f"{repo.url}-none")
    check_equal(world.bus.finished(world.job(repo))["result"], "pass", "a good job")
    ended = [f'buildr_agent_jobs_total{{result="{result}"}}' for result in ("error", "pass")]
    wait_until(lambda: [metrics(agent)[name] for name in ended] == [5, 1], SECONDS,
               "the count of jobs")
    numbers = metrics(agent)
    check_equal(numbers["buildr_agent_build_seconds_count"], 6, "builds")
    check(numbers["buildr_agent_build_seconds_sum"] > 0, f"{numbers}")
    check(numbers["buildr_agent_events_published_total"] >= 6 * 3, f"{numbers}")
    for name in ("failures_in_row", "given_back_total", "backlog_bytes", "resting"):
        check_equal(numbers[f"buildr_agent_{name}"], 0, name)
    check_equal(numbers["buildr_agent_broker_connected"], 1, "the connection")


def a_full_disk_makes_it_rest(world):
    agent = world.agent(*LISTEN, *configure(world, "min-free 1000000t\n"))
    wait_until(lambda: "make room" in ask(agent, "/healthz")[1], SECONDS, "a rest")
    read_again(world, agent, "min-free 0\n")
    await_health(agent, 200, "ok")


def mirrors_that_nobody_uses_go(world):
    agent = world.agent()
    repos = [world.repo() for _ in range(2)]
    for repo in repos:
        world.bus.finished(world.job(repo))
    locks = sorted((agent.folder / "mirrors").glob("*.lock"))
    check_equal(len(locks), 2, "locks of mirrors")
    os.utime(locks[0], (0, 0))
    agent.send(signal.SIGHUP)
    agent.wait_said('event="mirrors removed" count=1')
    check_equal([path.with_suffix("").exists() for path in locks], [False, True], "mirrors")
    check_equal(world.bus.finished(world.job(repos[0]))["result"], "pass", "a job")


def health_is_bad_without_a_broker(world):
    nobody, = free_ports(1)
    agent = world.agent(*LISTEN, url=f"amqp://127.0.0.1:{nobody}/")
    await_health(agent, 503, "no connection to the broker")
    check_equal(metrics(agent)["buildr_agent_broker_connected"], 0, "the connection")


def slow_and_odd_clients_do_not_matter(world):
    agent = world.agent(*LISTEN)
    with contextlib.ExitStack() as stack:
        await_health(agent, 200, "ok")
        check_equal(ask(agent, "/nothing")[0], 404, "another path")
        check_equal(ask(agent, "/metrics", "POST")[0], 405, "another method")
        check_equal(ask(agent, "/healthz", "HEAD"), (200, ""), "no body")
        check_equal(ask(agent, "/healthz?full=1"), (200, "ok\n"), "with a query")

        def client(data=b""):
            made = stack.enter_context(socket.create_connection(("127.0.0.1", port(agent))))
            made.settimeout(SECONDS)
            made.sendall(data)
            return made

        slow = [client(b"GET /healthz") for _ in range(80)]
        check_equal(ask(agent, "/healthz"), (200, "ok\n"), "beside 80 slow clients")
        check(client(b"\x00\xff nonsense\r\n\r\n").recv(99).startswith(b"HTTP/1.1 400 "),
              "nonsense is understood")
        # In pieces, as some do.
        late = client(b"GET /heal")
        late.sendall(b"thz HTTP/1.1\r\nHost: a\r\n")
        late.sendall(b"\r\n")
        check(late.recv(99).startswith(b"HTTP/1.1 200 "), "a request in pieces")
        for silent in (slow[0], slow[-1]):
            with contextlib.suppress(ConnectionResetError):
                check_equal(silent.recv(1), b"", "what a slow client gets")
        endless = client()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(1000):
                endless.sendall(b"X: y\r\n" * 1000)
            check(False, "an endless request is read to its end")
    check_equal(world.bus.finished(world.job(world.repo()))["result"], "pass", "a job")


TESTS = [
    three_failures_in_a_row_make_it_rest,
    an_agent_without_an_engine_leaves_jobs_alone,
    slow_and_odd_clients_do_not_matter,
    sighup_changes_options_and_a_broken_file_nothing,
    what_takes_a_restart_is_told,
    a_job_whose_server_is_away_makes_it_not_rest,
    bad_jobs_are_no_failures_of_its_own,
    check_says_of_each_thing_that_it_is_there,
    check_says_what_is_wrong_and_what_to_do,
    the_log_can_be_json,
    systemd_hears_of_start_reload_and_end,
    a_full_disk_makes_it_rest,
    mirrors_that_nobody_uses_go,
    health_is_bad_without_a_broker,
]


if __name__ == "__main__":
    sys.exit(run(TESTS, sys.argv[1], sys.argv[2:]) > 0)
