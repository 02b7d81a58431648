#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""buildr-agent and its jobs: good ones, bad ones, and what an agent does not allow.

usage: test_jobs.py AGENT [WORD…]: only the tests that have the words in their names
"""
import hashlib
import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from world import SECONDS, Repo, Scripted, check, check_equal, manifest, new_id, run, wait_until

MIB = 1024 * 1024


def build_of(world, put):
    """Do `put`, and give the build that starts then: of a job without an id."""
    before = set(world.bus.starts())
    put()
    found = wait_until(lambda: [build for build in world.bus.starts() if build not in before],
                       SECONDS, "a build")
    world.builds.append(found[0])
    return found[0]


def outputs(world, build):
    return "".join(event.get("text", "") for event in world.bus.of(build)
                   if event["type"] == "output")


def errors(world, build):
    return [event["text"] for event in world.bus.of(build)
            if event["type"] == "notice" and event["level"] == "error"]


def takes_the_jobs_of_the_original(world):
    """On its own queue, which is classic, and without an id."""
    world.declare()
    repo = world.repo("echo built $BUILDR_STAGE")
    agent = world.agent("-j", "1")
    build = build_of(world, lambda: world.put({"repo": repo.url, "branch": "main"}))
    end = world.bus.finished(build)
    check_equal((end["result"], end["exit"]), ("pass", 0), "the end")
    check("built only" in outputs(world, build), "no output")
    start = world.bus.of(build)[0]
    check_equal((start["repo"], start["branch"]), (repo.url, "main"), "build.started")
    check_equal(start["host"]["name"], "agent0", "the agent")
    world.bus.whole(build)
    world.is_empty()
    check_equal(agent.end(), 0, "exit")
    world.clean()


def makes_the_queue_where_there_is_none(world):
    repo = world.repo("true")
    world.agent("-j", "1")
    world.bus.finished(world.job(repo))
    listed = world.rabbit.ctl("list_queues", "name", "type", "arguments", "durable")
    line = next(line for line in listed.splitlines() if line.startswith(f"{world.queue}\t"))
    for part in ("quorum", f"{world.queue}.dead", "true"):
        check(part in line, f"no {part}: {line}")
    check_equal(world.count(f"{world.queue}.dead"), 0, "dead ones")


def replies_as_the_original_does(world):
    repo = world.repo("echo one; echo two >&2", "exit 3")
    empty = Repo(world.folder / "empty")
    world.agent("-j", "1")
    with world.bus.channel() as channel:
        back = channel.queue_declare("", exclusive=True).method.queue
        for job, wanted in (
                ({"repo": repo.url, "branch": "main"},
                 ["Starting new build", f'Cloning repository "{repo.url}@main"', "one\n", "two\n",
                  "Build Finished"]),
                ({"repo": empty.url}, ["Starting new build", f'Cloning repository "{empty.url}"',
                                       None, "Build Finished"])):
            world.put(job, reply_to=back, correlation_id="c1")
            seen = take_replies(channel, back)
            check_equal(len(seen), len(wanted), f"replies {seen}")
            for reply, text in zip(seen, wanted):
                check(text is None or reply["message"] == text, f"{reply} is not {text}")
            check_equal([reply["result"] for reply in seen[:-1]], ["Pending"] * (len(seen) - 1),
                        "results")
            check_equal(seen[-1]["result"], "Fail" if len(wanted) == 5 else "Error", "the last")


def take_replies(channel, queue):
    seen = []
    for method, properties, body in channel.consume(queue, auto_ack=True,
                                                    inactivity_timeout=SECONDS):
        check(method is not None, f"no reply after {seen}")
        check_equal(properties.correlation_id, "c1", "the correlation id")
        seen.append(json.loads(body))
        if seen[-1]["result"] != "Pending":
            break
    channel.cancel()
    return seen


def bad_bodies():
    deep = b"[" * 100000
    return [b"", b"{", b"not JSON", b"[]", b"12", b'"text"', b"null", deep, b"\xff\xfe\x00",
            b'{"repo": "\xff"}', b'{"repo": 1}', b"{}", b'{"repo": ""}', b'{"repo": null}',
            b'{"repo": "a", "repo": "b"}', b'{"repo": "x\\u0000y"}', b" " * (2 * MIB),
            b'{"repo": "https://a/b", "id": "not-a-uuid"}', b"{" * (17 * MIB),
            b'{"repo": "https://a/b", "stages": {}}', b'{"repo": "https://a/b", "commit": "--x"}',
            json.dumps({"repo": "https://a/b", "labels": [c * 64 for c in "abcdef"]}).encode(),
            b'{"repo": "https://a/b", "environment": {"A=B": "c"}}']


def reports_what_is_no_job_and_takes_the_next(world):
    repo = world.repo("true")
    world.agent("-j", "2")
    bodies = bad_bodies()
    before = len(world.bus.ends())
    for body in bodies:
        world.put(body)
    wait_until(lambda: len(world.bus.ends()) >= before + len(bodies), SECONDS,
               "reports of bad jobs")
    good = world.job(repo)
    check_equal(world.bus.finished(good)["result"], "pass", "the good one")
    ends = world.bus.ends()[before:-1]
    check_equal(len(ends), len(bodies), "reports")
    for end in ends:
        check_equal((end["result"], end["exit"]), ("error", 2), "a bad job")
        check_equal(world.bus.types(end["build"]), ["build.started", "notice", "build.finished"],
                    "its events")
        world.bus.whole(end["build"])
    world.is_empty()
    check_equal(world.count(f"{world.queue}.dead"), 0, "dead ones")


class Asking:
    """A web server that asks everybody for a password."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}/private.git"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            near, _ = self.server.accept()
            near.recv(65536)
            near.sendall(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\n"
                         b"Content-Length: 0\r\nConnection: close\r\n\r\n")
            near.close()


def bad_jobs(world):
    """Jobs, each with a word of what is said about it."""
    good = world.repo("true")
    wrong = Repo(world.folder / "wrong")
    wrong.commit("stages: [a\n")
    none = Repo(world.folder / "none")
    none.commit(None, file="x")
    away = Repo(world.folder / "away")
    os.symlink("/etc/passwd", away.path / ".buildr.yml")
    away.commit(None)
    return [
        ({"repo": "--upload-pack=touch /tmp/x"}, ""), ({"repo": "../../etc"}, ""),
        ({"repo": "ext::sh -c true"}, ""), ({"repo": good.url, "branch": "--upload-pack=x"}, ""),
        ({"repo": good.url, "branch": "../../x"}, ""), ({"repo": good.url, "branch": "gone"}, ""),
        ({"repo": f"file://{world.folder}/absent"}, ""),
        ({"repo": Repo(world.folder / "hollow").url}, ""), ({"repo": Asking().url}, ""),
        ({"repo": good.url, "commit": "0123456789abcdef0123456789abcdef01234567"}, ""),
        ({"repo": wrong.url}, ".buildr.yml"), ({"repo": none.url}, "no .buildr.yml"),
        ({"repo": away.url}, "link out of the repository"),
        ({"repo": good.url, "stages": ["absent"]}, "absent")]


def reports_jobs_that_cannot_be_built(world):
    world.agent("-j", "2", "--allow-protocol", "http")
    jobs = [(world.job(job.pop("repo"), **job), word) for job, word in bad_jobs(world)]
    for build, word in jobs:
        end = world.bus.finished(build)
        said = errors(world, build)
        check_equal((end["result"], end["exit"], end["try"]), ("error", 2, 1), f"{said}")
        check(any(word in text for text in said), f"no '{word}' in {said}")
        world.bus.whole(build)
    check(not Path("/tmp/x").exists(), "an option was taken")
    world.is_empty()
    world.clean()


def builds_what_the_job_asks_for(world):
    repo = Repo(world.folder / "repo")
    first = repo.commit(manifest("echo was $WORD")
                        .replace("[only]", "[only, more]") + "more:\n  script: [echo more]\n")
    repo.commit(manifest("exit 1"))
    repo.commit(manifest("echo side"), "side")
    world.agent("-j", "2")
    build = world.job(repo, commit=first, stages=["only"], environment={"WORD": "given"},
                      unheard="of")
    check_equal(world.bus.finished(build)["result"], "pass", "the end")
    check_equal(outputs(world, build), "was given\n", "output")
    check_equal([event["text"] for event in world.bus.of(build) if event["type"] == "notice"],
                ["the job has keys that are not known: 'unheard'"], "notices")
    check_equal(world.bus.of(build)[0]["commit"], first, "the commit")
    side = world.job(repo, branch="side")
    world.bus.finished(side)
    check_equal(outputs(world, side), "side\n", "output of the branch")
    check_equal(world.bus.finished(world.job(repo))["result"], "fail", "main")


def checks_out_submodules_and_large_files_when_the_job_asks(world):
    inner = world.repo("true", name="inner")
    outer = Repo(world.folder / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.url, "in")
    outer.git("lfs", "install", "--local")
    outer.git("lfs", "track", "*.bin")
    outer.commit(manifest("ls -A in | wc -l", "cat big.bin | head -n 1"), **{"big.bin": "large"})
    world.agent("-j", "3")
    for keys, wanted in (({}, "0\nversion https://git-lfs.github.com/spec/v1\n"),
                         ({"submodules": True, "lfs": True}, "2\nlarge")):
        build = world.job(outer, **keys)
        check_equal(world.bus.finished(build)["result"], "pass", f"{errors(world, build)}")
        check_equal(outputs(world, build), wanted, f"output with {keys}")
    world.is_empty()
    # An agent that may not build it takes it as no part either.
    world.agent("-j", "3", "--allow-repo", "*/outer")
    build = world.job(outer, submodules=True)
    check_equal([world.bus.finished(build)[key] for key in ("result", "try")], ["error", 1],
                "the end")
    check("inner' (--allow-repo)" in errors(world, build)[0], f"{errors(world, build)}")
    check_equal(world.bus.finished(world.job(outer))["result"], "pass", "without it")


def lets_every_user_of_a_container_read_the_project(world):
    """Also where the agent's own files are for itself alone, as samples/agent has it."""
    repo = Repo(world.folder / "repo")
    repo.commit(manifest("cat word; env | grep ^GIT_CONFIG_ | sort")
                .replace("only:\n", 'only:\n  user: "1000:1000"\n'), word="read\n")
    before = os.umask(0o077)
    try:
        world.agent("-j", "1")
    finally:
        os.umask(before)
    build = world.job(repo)
    check_equal(world.bus.finished(build)["result"], "pass", f"{errors(world, build)}")
    # git takes a tree that is another user's only then.
    check_equal(outputs(world, build), "read\nGIT_CONFIG_COUNT=1\n"
                "GIT_CONFIG_KEY_0=safe.directory\nGIT_CONFIG_VALUE_0=*\n", "output")


def moves_jobs_to_the_queue_of_their_labels(world):
    repo = world.repo("true")
    plain = world.agent("-j", "1")
    build = world.job(repo, labels=["linux", "arm"])
    queue = f"{world.queue}@arm+linux"
    wait_until(lambda: world.count(queue) == 1, SECONDS, "the job among its labels")
    plain.end()
    world.agent("-j", "1", "--label", "arm", "--label", "linux", "--label", "x", name="right")
    world.bus.finished(build)
    check_equal(world.bus.of(build)[0]["host"]["name"], "right", "who built")
    world.bus.whole(build)
    world.is_empty()


def moves_a_job_to_a_queue_that_is_there_in_another_form(world):
    repo = world.repo("true")
    world.declare(f"{world.queue}@a")
    world.agent("-j", "1")
    build = world.job(repo, labels=["a"])
    wait_until(lambda: world.count(f"{world.queue}@a") == 1, SECONDS, "the job among its labels")
    world.agent("-j", "1", "--label", "a")
    world.bus.finished(build)
    world.bus.whole(build)


def takes_queues_that_are_there_in_another_form_beside_those_that_are_not(world):
    """What is refused of one queue is no word on the next."""
    repo = world.repo("true")
    world.declare(f"{world.queue}.dead", arguments={"x-queue-type": "quorum"})
    world.declare(f"{world.queue}@a")
    agent = world.agent("-j", "3", "--label", "a", "--label", "b")
    builds = [world.job(repo, queue=queue, labels=labels)
              for queue, labels in ((world.queue, []), (f"{world.queue}@a", ["a"]),
                                    (f"{world.queue}@a+b", ["a", "b"]))]
    for build in builds:
        check_equal([world.bus.finished(build)[key] for key in ("result", "try")], ["pass", 1],
                    "the end")
    for trouble in ("channel closed", "no jobs"):
        check(trouble not in agent.said(), agent.said())
    # Moving one makes a queue, too.
    build = world.job(repo, labels=["c"])
    wait_until(lambda: world.count(f"{world.queue}@c") == 1, SECONDS, "the job among its labels")
    world.is_empty()


def keeps_to_the_policy_of_its_owner(world):
    good = world.repo("cat /sys/class/net/*/address | wc -l", name="allowed")
    other = world.repo("true", name="other")
    docker = world.repo("true", name="allowed2", more="docker: true")
    host = world.repo("true", name="allowed3", more="network: host")
    image = Repo(world.folder / "allowed4")
    image.commit(manifest("true").replace("buildr-sample:latest", "elsewhere:1"))
    slow = world.repo("sleep 100", name="allowed5")
    options = ("-j", "2", "--allow-repo", f"file://{world.folder}/allowed*", "--allow-image",
               "buildr-sample:*", "--no-network", "--memory", "64m")
    agent = world.agent(*options)
    for repo, word in ((other, "--allow-repo"), (docker, "--docker-socket"),
                       (host, "--docker-socket"), (image, "--allow-image")):
        build = world.job(repo)
        end = world.bus.finished(build)
        check_equal((end["result"], end["exit"]), ("error", 2), f"{word}")
        check(any(word in text for text in errors(world, build)), f"no {word}")
    build = world.job(good)
    check_equal(world.bus.finished(build)["result"], "pass", "an allowed one")
    check_equal(outputs(world, build).strip(), "1", "networks besides none")
    check_equal(agent.end(), 0, "exit")
    world.agent(*options, "--timeout", "3s")
    check_equal(world.bus.finished(world.job(slow))["result"], "fail", "at the timeout")


LIMITS = "; ".join(f"cat /sys/fs/cgroup/{old} 2>/dev/null || cat /sys/fs/cgroup/{new}" for old, new in (
    ("memory/memory.limit_in_bytes", "memory.max"), ("pids/pids.max", "pids.max"),
    ("cpu/cpu.cfs_quota_us", "cpu.max")))


def limits_containers_whatever_the_manifest_says(world):
    """What the kernel holds them to; the lower of the two."""
    world.agent("-j", "3", "--memory", "64m", "--cpus", "0.5", "--pids", "40")
    for limits, wanted in (
            ("limits: {memory: 1g, cpus: 2, pids: 9999}", (64 * MIB, 40, 50000)),
            ("limits: {memory: 32m, cpus: 0.25, pids: 20}", (32 * MIB, 20, 25000))):
        build = world.job(world.repo(LIMITS, more=limits))
        check_equal(world.bus.finished(build)["result"], "pass", f"{errors(world, build)}")
        said = [int(line.split()[0]) for line in outputs(world, build).splitlines()]
        check_equal(tuple(said), wanted, f"the limits with '{limits}'")
    build = world.job(world.repo("tail -c 200000000 /dev/zero"))
    world.bus.finished(build)
    ends = [event for event in world.bus.of(build) if event["type"] == "stage.finished"]
    check_equal(ends[0]["reason"], "memory", f"{ends}")


def builds_where_the_engine_does_not_see_its_files(world):
    """All but the work tree: as an agent in a container, with /tmp and /run of its own."""
    hidden = world.folder / "hidden"
    hidden.mkdir()
    alone = world.folder / "alone"
    alone.write_text(f'#!/bin/sh\nexec unshare -m sh -c \'mount -t tmpfs none {hidden} && '
                     f'exec {world.program} "$@"\' sh "$@"\n', "ascii")
    alone.chmod(0o755)
    world.program = alone
    agent = world.agent("-j", "2", env={"XDG_RUNTIME_DIR": str(hidden)})
    repo = Repo(world.folder / "repo")
    repo.commit(manifest("cat word", "yes | head -n 300000 | md5sum", "exit 3"), word="seen\n")
    lines = hashlib.md5(b"y\n" * 300000).hexdigest()
    builds = [world.job(repo) for _ in range(2)]
    for build in builds:
        check_equal(world.bus.finished(build)["result"], "fail", f"{errors(world, build)}")
        check_equal(outputs(world, build), f"seen\n{lines}  -\n", "output")
        world.bus.whole(build)
    check_equal(agent.end(), 0, "exit")
    world.is_empty()
    world.clean()


def masks_secrets_on_the_bus(world):
    repo = world.repo("echo a $TOKEN z", more="environment: {vars: [TOKEN], secrets: [TOKEN]}")
    world.agent("-j", "1", env={"TOKEN": "hunter2-hunter2"})
    build = world.job(repo)
    world.bus.finished(build)
    check("hunter2" not in json.dumps(world.bus.of(build)), "the secret is told")
    check_equal(outputs(world, build), "a *** z\n", "output")


def ends_when_its_jobs_have(world):
    """SIGTERM: none is begun any more, what runs ends; the second one gives all back."""
    repo = world.repo("sleep 2")
    agent = world.agent("-j", "1")
    builds = [world.job(repo) for _ in range(2)]
    world.bus.wait_for(builds[0], "step.started")
    check_equal(agent.end(), 0, "exit")
    check_equal(world.bus.finished(builds[0])["result"], "pass", "what ran")
    wait_until(lambda: world.count() == 1, SECONDS, "what waits")
    agent = world.agent("-j", "1")
    world.bus.wait_for(builds[1], "step.started")
    agent.send(signal.SIGTERM)
    agent.wait_said("event=stopping")
    check_equal(agent.end(), 0, "exit")
    wait_until(lambda: world.count() == 1, SECONDS, "what was given back")
    world.clean()
    world.agent("-j", "1")
    check_equal(world.bus.finished(builds[1])["try"], 2, "the try")
    world.bus.whole(builds[1])


def keeps_trying_where_it_is_not_let_in(world):
    for url in (world.rabbit.url(password="wrong-secret"), world.rabbit.url(vhost="absent")):
        agent = world.agent("-j", "1", url=url)
        agent.wait_said("no broker", 2)
        check("wrong-secret" not in agent.said(), "the password is told")
        check(agent.said().count("no broker") < 20, "it tries all the time")
        check_equal(agent.end(), 0, "exit")


def stages_of(world, build):
    """The results of a build's stages; it must have passed without a warning."""
    end = world.bus.finished(build)
    said = [event["text"] for event in world.bus.of(build) if event["type"] == "notice"]
    check_equal((end["result"], said), ("pass", []), "the build")
    world.bus.whole(build)
    return end["stages"]


def shares_what_stages_leave_with_later_jobs_and_other_agents(world):
    repo = Repo(world.folder / "repo")
    repo.commit(manifest("echo said; cp words out") +
                "  inputs: [words]\n  outputs: [out]\n", words="content\n")
    server = Scripted()
    world.closing.callback(server.stop)
    remote = {"BUILDR_REMOTE_CACHE": server.url, "BUILDR_REMOTE_CACHE_TOKEN": "secret-word"}
    first = world.agent("-j", "1", env=remote)
    check_equal(stages_of(world, world.job(repo)), {"only": "pass"}, "the first job")
    asked = len(server.asked)
    again = world.job(repo)
    check_equal(stages_of(world, again), {"only": "cached"}, "the second job")
    check("said" in outputs(world, again), "the output is not told again")
    check_equal(server.asked[asked:], [], "what the server was asked for")
    check_equal(first.end(), 0, "exit")
    second = world.agent("-j", "1", env=remote)
    check_equal(stages_of(world, world.job(repo)), {"only": "cached"}, "another agent")
    check_equal(second.end(), 0, "exit")
    world.agent("-j", "1", "--no-cache", folder=first.folder)
    check_equal(stages_of(world, world.job(repo)), {"only": "pass"}, "without a cache")
    check("secret-word" not in world.logs(), "the token is told")
    world.is_empty()
    world.clean()


TESTS = [
    takes_the_jobs_of_the_original,
    makes_the_queue_where_there_is_none,
    replies_as_the_original_does,
    reports_what_is_no_job_and_takes_the_next,
    reports_jobs_that_cannot_be_built,
    builds_what_the_job_asks_for,
    checks_out_submodules_and_large_files_when_the_job_asks,
    lets_every_user_of_a_container_read_the_project,
    moves_jobs_to_the_queue_of_their_labels,
    moves_a_job_to_a_queue_that_is_there_in_another_form,
    takes_queues_that_are_there_in_another_form_beside_those_that_are_not,
    keeps_to_the_policy_of_its_owner,
    limits_containers_whatever_the_manifest_says,
    builds_where_the_engine_does_not_see_its_files,
    masks_secrets_on_the_bus,
    shares_what_stages_leave_with_later_jobs_and_other_agents,
    ends_when_its_jobs_have,
    keeps_trying_where_it_is_not_let_in,
]

if __name__ == "__main__":
    sys.exit(run(TESTS, sys.argv[1], sys.argv[2:]) > 0)
