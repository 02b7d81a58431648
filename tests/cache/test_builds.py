#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Builds that share a remote cache, by the program itself and a real engine.

    test_builds.py PROGRAM

A machine is a home of its own with a copy of the project. Whatever a server does, a build
passes, with one warning at most, and its results are in the cache of its machine.
"""

import contextlib
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scenario"))
from cache_servers import Nginx, Scripted  # noqa: E402
from support import Place, Result, check, check_equal, kill, next_event, run_tests  # noqa: E402

PROGRAM = sys.argv[1]
SECONDS = 120
TEXT = "some text\n"
STAGES = ("upper", "twice")
MANIFEST = """
image: buildr-sample:latest
stages: [upper, twice]
upper:
  script: [mkdir -p out, tr a-z A-Z <text >out/upper, ln -sf upper out/link, 'echo upper: said']
  inputs: [text]
  outputs: [out/upper, out/link]
twice:
  script: [cat out/upper out/upper >out/twice, env, 'echo twice: said']
  inputs: [text]
  outputs: [out/twice]
"""
LEFT_OUT = "no remote cache in the rest of this build: "


class Machine(Place):
    """A home, a project, and the way to the engine, which can be taken away."""

    def __init__(self, url=None, *options):
        super().__init__(PROGRAM)
        self.engine = self.top / "engine.sock"
        self.give_engine()
        self.options = [*(["--remote-cache", url] if url else []), *options]
        self.manifest(MANIFEST)
        self.write(TEXT)

    def give_engine(self):
        self.engine.symlink_to("/var/run/docker.sock")

    def take_engine(self):
        self.engine.unlink()

    def write(self, text):
        (self.project / "text").write_text(text, encoding="utf-8")

    def begin(self, *arguments, **environment):
        return self.start("-o", "json", "-H", f"unix://{self.engine}", *self.options, *arguments,
                          env=environment)

    def build(self, *arguments, **environment):
        """Build, which must pass; give the Result."""
        return self.end(self.begin(*arguments, **environment))

    def end(self, process, status=0):
        hung = threading.Timer(SECONDS, kill, [process])
        hung.start()
        stdout = process.stdout.read()
        result = Result(process.wait(), stdout, process.said.read_bytes())
        hung.cancel()
        check_equal(result.status, status, f"exit: {stdout!r} {result.stderr!r}")
        return result

    def outputs(self):
        return ((self.project / "out/upper").read_text("utf-8"),
                os.readlink(self.project / "out/link"),
                (self.project / "out/twice").read_text("utf-8"))

    def check_outputs(self, text=TEXT.upper()):
        check_equal(self.outputs(), (text, "upper", 2 * text), "outputs")


def results(result):
    (end,) = result.of_type("build.finished")
    return end["stages"]


PASSED = {name: "pass" for name in STAGES}
CACHED = {name: "cached" for name in STAGES}


def notices(result, level="warning"):
    return [event["text"] for event in result.of_type("notice") if event["level"] == level]


def check_quiet(result):
    check_equal(notices(result), [], "warnings")
    check_equal(result.stderr, b"", "stderr")


class Machines:
    """Those of a test, and its server."""

    def __init__(self, server, top):
        self.server = server
        self.top = top
        self.all = []

    def new(self, url, *options):
        self.all.append(Machine(url, *options))
        return self.all[-1]


class Filled:
    """What a server has after a first build, which is made once for all tests."""

    lock = threading.Lock()
    data = {}

    @classmethod
    def fill(cls, server):
        with cls.lock:
            if not cls.data:
                machine = Machine(server.url)
                check_quiet(machine.build())
                machine.remove()
                cls.data.update(server.data)
        server.data.update(cls.data)


def with_server(make):
    """Make a decorator of tests that have Machines with that server."""
    def decorator(test):
        def run():
            with tempfile.TemporaryDirectory(prefix="remote-") as top:
                machines = Machines(make(Path(top)), Path(top))
                try:
                    test(machines)
                    machines.server.stop()
                    for machine in machines.all:
                        machine.check_clean()
                finally:
                    with contextlib.suppress(Exception):
                        machines.server.stop()
                    for machine in machines.all:
                        machine.remove()
        return test.__name__, run
    return decorator


with_nginx = with_server(lambda top: Nginx(top / "nginx"))
with_scripted = with_server(lambda top: Scripted())


@with_scripted
def what_one_machine_has_built_no_other_runs(machines):
    server = machines.server
    first = machines.new(server.url)
    result = first.build()
    check_equal(results(result), PASSED, "the first machine")
    check_quiet(result)
    check_equal(server.refused, [], "refused")
    check_equal(sum(path.startswith("/ac/") for path in server.puts), 2, "results that were sent")
    second = machines.new(server.url)
    result = second.build()
    check_equal(results(result), CACHED, "the second machine")
    check_quiet(result)
    check_equal(second.outputs(), first.outputs(), "outputs")
    check_equal(result.output("upper"), b"upper: said\n", "what was said again")
    # It knows the image now: neither the engine nor the server is needed for more.
    asked = len(server.asked)
    second.take_engine()
    again = second.build()
    check_equal(results(again), CACHED, "the second build")
    check_equal(server.asked[asked:], [], "what the server was asked for")


@with_scripted
def the_server_is_asked_before_the_engine(machines):
    server = machines.server
    Filled.fill(server)
    machine = machines.new(server.url)
    machine.write("another\n")
    check_equal(results(machine.build()), PASSED, "another project")
    machine.write(TEXT)
    machine.take_engine()
    asked = len(server.asked)
    result = machine.build()
    check_equal(results(result), CACHED, "the build")
    check_quiet(result)
    machine.check_outputs()
    check_equal(sum(path.startswith("GET /ac/") for path in server.asked[asked:]), 2,
                f"results that were asked for: {server.asked[asked:]}")
    # What is foreseen to be missing is asked for once.
    machine.write("something new\n")
    machine.give_engine()
    asked = len(server.asked)
    check_equal(results(machine.build()), PASSED, "a new project")
    gets = [path for path in server.asked[asked:] if path.startswith("GET")]
    check_equal(len(gets), 2, f"what was asked for: {gets}")


@with_scripted
def options_that_leave_it_out_are_heeded(machines):
    server = machines.server
    machine = machines.new(server.url)
    result = machine.build("--no-cache")
    check_equal((results(result), server.asked), (PASSED, []), "without a cache")
    check_quiet(machine.build("--remote-cache-read-only"))
    check_equal(server.puts, [], "what a reader has sent")
    asked = len(server.asked)
    result = machine.build("--verify-cache")
    check_equal(results(result), PASSED, "a build that verifies")
    check(not any(path.startswith("GET") for path in server.asked[asked:]),
          f"got to be verified: {server.asked[asked:]}")
    check_equal(sum(path.startswith("/ac/") for path in server.puts), 2, "what it has sent")


@with_scripted
def stages_that_are_the_same_share_a_result(machines):
    server = machines.server
    manifest = MANIFEST.replace("[upper, twice]", "[upper, again, twice]").replace(
        "\ntwice:\n", """
again:
  needs: []
  script: [mkdir -p out, tr a-z A-Z <text >out/upper, ln -sf upper out/link, 'echo upper: said']
  inputs: [text]
  outputs: [out/upper, out/link]
twice:
""")
    first, second = machines.new(server.url), machines.new(server.url)
    for machine in (first, second):
        machine.manifest(manifest)
        # Both make the same file: at once neither could store it.
        result = machine.build("-j", "1")
        check_quiet(result)
        machine.check_outputs()
    check_equal(set(results(result).values()), {"cached"}, "the second machine")


SECRET = "word.nobody_sees"


def check_secret(machine, result, *secrets):
    """No secret in events, in what is said, or on the disk."""
    files = [path for path in machine.top.rglob("*") if path.is_file() and not path.is_symlink()]
    seen = {"stdout": result.stdout, "stderr": result.stderr,
            **{str(path): path.read_bytes() for path in files}}
    for secret in secrets:
        where = [name for name, data in seen.items() if secret.encode() in data]
        check_equal(where, [], f"where the secret '{secret}' is seen")


@with_nginx
def nginx_is_spoken_to_as_it_wants_and_no_secret_is_seen(machines):
    nginx = machines.server
    password = nginx.password.replace("@", "%40")
    first = machines.new(None)
    result = first.build(BUILDR_REMOTE_CACHE=nginx.url("basic", f"{nginx.user}:{password}@"))
    check_quiet(result)
    check_secret(first, result, nginx.password, password)
    second = machines.new(nginx.url("bearer"))
    result = second.build(BUILDR_REMOTE_CACHE_TOKEN=nginx.token)
    check_equal(results(result), CACHED, "with a token")
    check_secret(second, result, nginx.token)
    third = machines.new(nginx.url("tls"), "--remote-cache-ca", str(nginx.top / "ca.pem"))
    check_equal(results(third.build()), CACHED, "with TLS")


@with_nginx
def what_nginx_refuses_is_a_warning_without_a_secret(machines):
    nginx = machines.server
    machine = machines.new(None)
    # Steps get all but what is buildr's own.
    machine.manifest(f"environment: {{inherit: true}}\n{MANIFEST}")
    for number, (words, environment) in enumerate((
            ("401", {"BUILDR_REMOTE_CACHE": nginx.url("basic", f"{nginx.user}:{SECRET}@")}),
            ("401", {"BUILDR_REMOTE_CACHE": nginx.url("bearer"),
                     "BUILDR_REMOTE_CACHE_TOKEN": SECRET}),
            ("certificate", {"BUILDR_REMOTE_CACHE": nginx.url("tls"),
                             "BUILDR_REMOTE_CACHE_CA": str(nginx.top / "other.pem")}))):
        machine.write(f"{number}\n")
        result = machine.build(**environment)
        said = notices(result)
        check_equal((results(result), len(said)), (PASSED, 1), f"warnings {said}")
        check(words in said[0], said[0])
        check_secret(machine, result, SECRET)


def answer(*arguments):
    def fault(handler):
        handler.answer(*arguments)
        return True
    return fault


def hang(handler):
    handler.server.ended.wait()
    handler.close_connection = True
    return True


def of_contents(fault):
    def one(handler):
        return handler.path.startswith("/cas/") and handler.command == "GET" and fault(handler)
    return one


FAULTS = {
    "an error": (answer(500), "status 500"),
    "no answer": (hang, "within 5 seconds"),
    "a page": (answer(200, b"<html>login</html>"), "the remote cache"),
    "another content": (of_contents(answer(200, b"hello")), "sends"),
}


def try_fault(machines, what, fault, words):
    machine = machines.new(machines.server.url)
    machines.server.fault = fault
    result = machine.build()
    machines.server.fault = None
    check_equal(results(result), PASSED, what)
    said = notices(result)
    check_equal(len(said), 1, f"{what}: warnings: {said}")
    check(said[0].startswith(LEFT_OUT) and words in said[0], f"{what}: {said[0]}")
    machine.check_outputs()
    # It is stored here, and nothing else is anywhere.
    asked = len(machines.server.asked)
    check_equal(results(machine.build()), CACHED, f"{what}: the second build")
    check_equal(machines.server.asked[asked:], [], f"{what}: asked for in the second build")
    check(not list((machine.top / ".cache/buildr/tmp").iterdir()), f"{what}: files left")


def fault_test(what):
    @with_scripted
    def test(machines):
        Filled.fill(machines.server)
        try_fault(machines, what, *FAULTS[what])
    return f"{what} of a server is a warning and no more".replace(" ", "_"), test[1]


@with_scripted
def a_server_that_is_not_there_is_a_warning_and_no_more(machines):
    machines.server.stop()
    try_fault(machines, "nobody", None, "connect")


def hold_uploads(server):
    """Have uploads wait for an event; give what tells that one waits, and the event."""
    waits, may_go = threading.Event(), threading.Event()

    def fault(handler):
        if handler.command == "PUT":
            waits.set()
            may_go.wait(SECONDS)
        return False

    server.fault = fault
    return waits, may_go


@with_scripted
def a_build_goes_on_while_it_sends_and_ends_when_it_has(machines):
    waits, may_go = hold_uploads(machines.server)
    machine = machines.new(machines.server.url)
    process = machine.begin()
    next_event(process, lambda event: event["type"] == "stage.finished" and
               event["stage"] == "twice")
    check(waits.wait(SECONDS), "nothing was sent")
    check_equal(machines.server.puts, [], "what has been sent")
    check(process.poll() is None, "it has ended without having sent all")
    may_go.set()
    check_quiet(machine.end(process))
    check_equal(sum(path.startswith("/ac/") for path in machines.server.puts), 2, "results")


@with_scripted
def a_signal_ends_a_build_that_is_still_sending(machines):
    waits, may_go = hold_uploads(machines.server)
    machine = machines.new(machines.server.url)
    process = machine.begin()
    next_event(process, lambda event: event["type"] == "stage.finished" and
               event["stage"] == "twice")
    check(waits.wait(SECONDS), "nothing was sent")
    process.send_signal(signal.SIGINT)
    result = machine.end(process, 130)
    may_go.set()
    check_equal((results(result), notices(result)), (PASSED, []), "the build")
    check_equal(results(machine.build("--remote-cache", "")), CACHED, "the next build")


@with_scripted
def a_build_is_stopped_while_a_result_is_waited_for(machines):
    asked = threading.Event()

    def fault(handler):
        asked.set()
        return hang(handler)

    machine = machines.new(machines.server.url)
    machines.server.fault = fault
    process = machine.begin()
    check(asked.wait(SECONDS), "nothing was asked for")
    process.send_signal(signal.SIGTERM)
    result = machine.end(process, 143)
    check_equal(set(results(result).values()), {"skipped"}, "the stages")
    check_equal(notices(result), [], "warnings")


TESTS = [
    *(fault_test(what) for what in FAULTS),
    a_server_that_is_not_there_is_a_warning_and_no_more,
    what_one_machine_has_built_no_other_runs,
    the_server_is_asked_before_the_engine,
    options_that_leave_it_out_are_heeded,
    stages_that_are_the_same_share_a_result,
    nginx_is_spoken_to_as_it_wants_and_no_secret_is_seen,
    what_nginx_refuses_is_a_warning_without_a_secret,
    a_build_goes_on_while_it_sends_and_ends_when_it_has,
    a_signal_ends_a_build_that_is_still_sending,
    a_build_is_stopped_while_a_result_is_waited_for,
]

if __name__ == "__main__":
    wanted = [test for test in TESTS if all(word in test[0] for word in sys.argv[2:])]
    sys.exit(run_tests(wanted, jobs=4))
