#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""buildr init, doctor and completion, and the file of options, by the program itself.

    test_tools.py PROGRAM SOURCE_ROOT

Completion runs in real shells: bash and zsh at a terminal of their own, where a line is
typed and then, instead of being run, its words are written to a file.
"""

import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scenario"))
from support import check, check_equal, run_tests, wait_until  # noqa: E402

PROGRAM = Path(sys.argv[1]).resolve()
ROOT = Path(sys.argv[2])
SECONDS = 120
NO_ENGINE = "unix:///no/engine.sock"
MANIFEST = """
image: alpine:3.20
stages: [build, test]
build: {}
test: {matrix: {PY: [3, 4]}}
"""


class Place:
    """A folder with a project, a home, and buildr on PATH."""

    def __init__(self):
        self.top = Path(tempfile.mkdtemp(prefix="tools-"))
        for name in ("project", "home", "bin"):
            (self.top / name).mkdir()
        self.project = self.top / "project"
        self.home = self.top / "home"
        (self.top / "bin/buildr").symlink_to(PROGRAM)

    def environment(self, **more):
        kept = {name: os.environ[name] for name in ("LC_ALL", "ASAN_OPTIONS")
                if name in os.environ}
        return {"PATH": f"{self.top}/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                "HOME": str(self.home), "TERM": "xterm", **kept, **more}

    def run(self, *arguments, env=None, **options):
        """Run buildr in the project; give its status, stdout and stderr."""
        environment = self.environment() if env is None else env
        options = {"stdout": subprocess.PIPE, **options}
        done = subprocess.run([str(PROGRAM), *map(str, arguments)], cwd=self.project,
                              env=environment, stdin=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=SECONDS, check=False, **options)
        return done.returncode, (done.stdout or b"").decode(), done.stderr.decode()

    def config(self, text):
        path = self.home / ".config/buildr/config"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    def docker_config(self, value):
        (self.home / ".docker").mkdir(exist_ok=True)
        text = value if isinstance(value, str) else json.dumps(value)
        (self.home / ".docker/config.json").write_text(text)

    def helper(self, name, script):
        path = self.top / "bin" / f"docker-credential-{name}"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


@contextlib.contextmanager
def place():
    made = Place()
    yield made
    shutil.rmtree(made.top)


# init.


def init_writes_what_check_takes():
    with place() as here:
        (here.project / "Cargo.toml").write_text("[package]\n")
        (here.project / "package.json").write_text('{"scripts": {"test": "true"}}')
        status, out, err = here.run("init")
        check_equal((status, out), (0, ""), f"init, which said {err!r}")
        check("cargo (Cargo.toml), npm (package.json)" in err, f"it says {err!r}")
        check_equal(here.run("check")[0], 0, "check of what it wrote")
        plan = json.loads(here.run("plan", "-o", "json")[1])
        check_equal([stage["stage"] for stage in plan["stages"]], ["build", "test", "npm"],
                    "the stages")
        mode = stat.S_IMODE((here.project / ".buildr.yml").stat().st_mode)
        mask = os.umask(0)
        os.umask(mask)
        check_equal(mode, 0o666 & ~mask, "its mode")


def init_never_overwrites():
    with place() as here:
        (here.project / "Makefile").write_text("all:\n")
        for name in (".buildr", ".buildr.yml", ".buildr.yaml"):
            path = here.project / name
            path.write_text("mine")
            status, _, err = here.run("init")
            check_equal(status, 2, f"exit status beside {name}")
            check(f"{name}' is there already" in err, f"it says {err!r}")
            check_equal(path.read_text(), "mine", name)
            path.unlink()
            # Not through a link to elsewhere either.
            path.symlink_to(here.top / "elsewhere")
            check_equal(here.run("init", "make")[0], 2, f"exit status with a link {name}")
            check(not (here.top / "elsewhere").exists(), "it wrote through the link")
            path.unlink()
        # A folder of this name is for other things.
        (here.project / ".buildr").mkdir()
        check_equal(here.run("init", "-q"), (0, "", ""), "init beside a folder")
        status, out, _ = here.run("init", "--dry-run")
        check_equal((status, out), (0, (here.project / ".buildr.yml").read_text()),
                    "--dry-run beside a manifest")


def init_says_what_is_wrong():
    with place() as here:
        for arguments, wanted, said in (
                ([], 2, "nothing in '.' tells what there is to build"),
                (["nmp"], 2, "there is no template 'nmp': did you mean 'npm'?"),
                (["cobol85"], 2, "there is no template 'cobol85': 'buildr init --list' lists"),
                (["go", "go"], 2, "the template 'go' is named twice"),
                (["go", "-C", "/no/folder"], 2, "no directory '/no/folder'"),
                (["go", "-C", "/proc"], 3, "create '/proc/.buildr.yml'"),
                (["go", "--jobs", "3"], 2, "--jobs is no option of 'buildr init'")):
            status, out, err = here.run("init", *arguments)
            check_equal((status, out), (wanted, ""), f"init {arguments}, which said {err!r}")
            check(said in err, f"init {arguments} says {err!r}")
        check_equal(list(here.project.iterdir()), [], "what it left")
        status, out, _ = here.run("init", "--list")
        check_equal((status, len(out.splitlines())), (0, 10), "init --list")
        (here.project / "package.json").write_text('{"scripts": ')
        status, _, err = here.run("init")
        check_equal(status, 0, "init with a broken package.json")
        check("package.json is not used" in err, f"it says {err!r}")


# The file of options.


def a_mistake_in_the_file_of_options_stops_everything_but_help():
    with place() as here:
        (here.project / ".buildr.yml").write_text(MANIFEST)
        here.config("jobs = 2\r\nouptut = json\r\n")
        status, out, err = here.run("plan")
        check_equal((status, out), (2, ""), "plan")
        check(err.endswith("/buildr/config:2: there is no option 'ouptut': "
                           "did you mean 'output'?\n"), f"it says {err!r}")
        check_equal(here.run("--version")[0], 0, "--version")
        check_equal(here.run("help", "plan")[0], 0, "help plan")
        here.config("output = json\nimage = other:1\n")
        status, out, _ = here.run("run", "--dry-run")
        check_equal(json.loads(out)["image"], "other:1", "the image")
        env = here.environment(BUILDR_IMAGE="third:1")
        check_equal(json.loads(here.run("run", "--dry-run", env=env)[1])["image"], "third:1",
                    "the image of the environment")
        (here.home / ".config/buildr/config").unlink()
        (here.home / ".config/buildr/config").mkdir()
        status, _, err = here.run("plan")
        check_equal(status, 2, "plan with a folder for a file")
        check("config' is a directory" in err, f"it says {err!r}")


# doctor.


def lines_of(here, *arguments, **options):
    status, out, err = here.run("doctor", "-o", "json", "-H", NO_ENGINE, *arguments, **options)
    report = json.loads(out)
    check_equal((status, report["ok"], err), (3, False, ""), "doctor without an engine")
    return report["lines"]


def of_name(lines, name):
    return [line for line in lines if line["name"] == name]


def doctor_tells_of_no_engine_and_goes_on():
    with place() as here:
        (here.project / ".buildr.yml").write_text(MANIFEST)
        lines = lines_of(here)
        engine, = of_name(lines, "engine")
        check(not engine["ok"] and engine["mend"], f"the engine's line is {engine}")
        for name in ("config", "init", "git", "disk"):
            check(of_name(lines, name)[0]["ok"], f"the line {of_name(lines, name)}")
        check("docker.io: no credentials" in of_name(lines, "registry")[0]["text"],
              f"the line {of_name(lines, 'registry')}")
        broker, = of_name(lines, "broker")
        check(broker["ok"] and "none is named" in broker["text"], f"the line {broker}")
        for where in ("tcp://127.0.0.1:1", "nonsense"):
            engine, = of_name(json.loads(here.run(
                "doctor", "-o", "json", env=here.environment(DOCKER_HOST=where))[1])["lines"],
                "engine")
            check("DOCKER_HOST" in engine["text"] and
                  engine["mend"].endswith("unset DOCKER_HOST"), f"the line {engine}")
        status, out, _ = here.run("doctor", "-H", NO_ENGINE, "-q")
        check_equal(status, 3, "exit status")
        check(re.fullmatch(r"WRONG  engine    .*\n       to mend:  .*\n", out), f"text {out!r}")
        with open("/dev/full", "wb") as full:
            check_equal(here.run("doctor", stdout=full)[0], 3, "exit status with a full stdout")


def doctor_tells_what_is_wrong_with_the_file_of_options():
    with place() as here:
        here.config("jbos 3\n")
        config, = of_name(lines_of(here), "config")
        check(not config["ok"] and "config:1: there is no option 'jbos'" in config["text"],
              f"the line {config}")
        env = here.environment()
        del env["HOME"]
        config, = of_name(lines_of(here, env=env), "config")
        check(config["ok"] and "HOME" in config["text"], f"without a home {config}")


def doctor_shows_where_credentials_come_from_and_none_of_them():
    with place() as here:
        here.helper("good", 'echo \'{"Username": "me", "Secret": "hidden-secret"}\'')
        here.docker_config({
            "auths": {"https://index.docker.io/v1/": {"auth": "bWU6aGlkZGVuLXNlY3JldA=="},
                      "broken.example": {"auth": "%"}},
            "credHelpers": {"good.example:5000": "good", "lost.example": "lost"}})
        _, out, _ = here.run("doctor", "-o", "json", "-H", NO_ENGINE)
        check("hidden-secret" not in out and "bWU6" not in out, f"a secret is in {out!r}")
        lines = {line["text"].split(" ")[0]: line
                 for line in of_name(json.loads(out)["lines"], "registry") if line["ok"]}
        check("config.json" in lines["docker.io:"]["text"], f"the lines {lines}")
        check("docker-credential-good" in lines["good.example:5000:"]["text"], f"{lines}")
        wrong = [line for line in of_name(json.loads(out)["lines"], "registry")
                 if not line["ok"]]
        check_equal(sorted(line["mend"] for line in wrong),
                    ["docker login broken.example", "docker login lost.example"], "to mend")
        here.docker_config("{")
        registry, = of_name(lines_of(here), "registry")
        check(not registry["ok"] and "config.json: " in registry["text"], f"{registry}")


def doctor_asks_the_broker_that_is_named():
    if not (PROGRAM.parents[1] / "agent/buildr-farm").exists():
        return
    with place() as here:
        here.config("broker = amqp://me:hidden-secret@127.0.0.1:1/\n")
        broker, = of_name(lines_of(here), "broker")
        check(not broker["ok"] and "127.0.0.1:1" in broker["text"], f"the line {broker}")
        check("hidden-secret" not in json.dumps(broker), f"a secret is in {broker}")


# Completion.


class Shell:
    """An interactive shell at a terminal of its own."""

    def __init__(self, here, command, *begin):
        self.here = here
        self.count = 0
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(here.project)
            os.execvpe(command[0], command, here.environment())
        # Whatever it shows is read, so that it never waits.
        threading.Thread(target=self.read, daemon=True).start()
        for line in begin:
            self.type(line + "\r")
        self.done("true")

    def read(self):
        with contextlib.suppress(OSError):
            while os.read(self.terminal, 65536):
                pass

    def type(self, text):
        """Type slower than the terminal would have to drop anything."""
        data = text.encode()
        while data:
            select.select([], [self.terminal], [])
            data = data[os.write(self.terminal, data[:64]):]

    def done(self, line):
        """Type a line, end it, and wait until it has run."""
        self.count += 1
        path = self.here.top / f"done-{self.count}"
        self.type(f"{line}\x05 ; touch {path}\r")
        wait_until(path.exists, SECONDS, f"the end of {line!r}")

    def words(self, line):
        """Give the words that `line`, in which tabs complete, has become."""
        path = self.here.top / "words"
        self.done(f"{line}\x01printf '%s\\n' >{path} ")
        return path.read_text().splitlines()

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


@contextlib.contextmanager
def shell(command, *begin):
    with place() as here:
        (here.project / ".buildr.yml").write_text(MANIFEST)
        (here.project / "sub folder").mkdir()
        (here.project / "other.yml").write_text(MANIFEST)
        started = Shell(here, command, *begin)
        try:
            yield started
        finally:
            started.end()


# What is typed, and the words that it is to become.
LINES = [
    ("buildr pl\t", ["plan"]),
    ("buildr -q bu\t", ["-q", "build"]),
    ("buildr --outp\tjs\t", ["--output", "json"]),
    ("buildr --output=js\t", ["--output=json"]),
    ("buildr --only test\\ \\(PY=4\t", ["--only", "test (PY=4)"]),
    ("buildr --skip 'test (PY=4\t", ["--skip", "test (PY=4)"]),
    ("buildr -C su\t", ["-C", "sub folder/"]),
    ("buildr check --file=ot\t", ["check", "--file=other.yml"]),
    ("buildr completion z\t", ["completion", "zsh"]),
    ("buildr init carg\t", ["init", "cargo"]),
]


def check_lines(started):
    for line, wanted in LINES:
        words = started.words(line)
        # zsh takes the slash behind a folder off again when the line ends.
        check_equal([word.rstrip("/") for word in words],
                    ["buildr", *(word.rstrip("/") for word in wanted)], repr(line))


def bash_completes():
    with shell(["bash", "--norc", "--noprofile", "-i"],
               "source <(buildr completion bash)") as started:
        check_lines(started)


def zsh_completes():
    with shell(["zsh", "-f", "-i"], "autoload -U compinit && compinit -u -D",
               "source <(buildr completion zsh)") as started:
        check_lines(started)
    # As it is installed: a file that is loaded when it is needed.
    with shell(["zsh", "-f", "-i"], "buildr completion zsh >../home/_buildr; fpath+=(~)",
               "autoload -U compinit && compinit -u -D") as started:
        for line, wanted in LINES[:3]:
            check_equal(started.words(line), ["buildr", *wanted], repr(line))


def fish_completes():
    with place() as here:
        (here.project / ".buildr.yml").write_text(MANIFEST)
        (here.project / "sub folder").mkdir()
        (here.project / "other.yml").write_text(MANIFEST)
        for line, wanted in (
                ("buildr pl", ["plan"]),
                ("buildr -q bu", ["build"]),
                ("buildr --output js", ["json"]),
                ("buildr --output=js", ["--output=json"]),
                ("buildr --only 'test (PY=4", ["test (PY=4)"]),
                ("buildr -C su", ["sub folder/"]),
                ("buildr completion z", ["zsh"])):
            done = subprocess.run(
                ["fish", "--no-config", "-c",
                 "buildr completion fish | source; complete -C $argv[1]", line],
                cwd=here.project, env=here.environment(), stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=SECONDS, check=True)
            check_equal([each.split("\t")[0] for each in done.stdout.splitlines()], wanted,
                        repr(line))


def an_unknown_shell_is_refused_by_name():
    with place() as here:
        status, out, err = here.run("completion", "tcsh")
        check_equal((status, out), (2, ""), "exit status and stdout")
        check("'tcsh', only for bash, zsh and fish" in err, f"it says {err!r}")
        check_equal(here.run("completion")[0], 2, "without a shell")
        for name in ("bash", "zsh", "fish"):
            check_equal(here.run("completion", name)[1],
                        (ROOT / "cmd/completion" / name).read_text(), f"the script of {name}")


# What it costs.


def buildr_links_no_more_than_it_did():
    listed = subprocess.run(["ldd", PROGRAM], capture_output=True, text=True, check=True).stdout
    for name in ("libcurl", "librabbitmq", "libssl"):
        check(name not in listed, f"it links {name}: {listed}")


# Samples.


def commands_in(text):
    """Find the calls of buildr: the arguments of each, without what the shell does."""
    plain = re.sub(r'"[^"\n]*"', "WORD", text)
    for call in re.findall(r"(?<![\w./-])buildr ([^\n\"'|&;<>]*)", plain):
        yield [word for word in call.split() if word]


def samples_for_other_systems_call_what_there_is():
    with place() as here:
        (here.project / ".buildr.yml").write_text(MANIFEST)
        for name in ("github.yml", "gitlab.yml", "buildkite.yml", "teamcity.kts"):
            text = (ROOT / "samples/ci" / name).read_text()
            if name.endswith(".yml"):
                check(isinstance(yaml.safe_load(text), dict), f"{name} is no mapping")
            plain = "\n".join(line.split("#")[0].split("//")[0] for line in text.splitlines())
            calls = list(commands_in(plain))
            check(["run"] in [call[:1] for call in calls], f"{name} runs no build: {calls}")
            for call in calls:
                status, _, err = here.run(*call, "--help")
                check_equal((status, err), (0, ""), f"{name}: buildr {' '.join(call)}")


TESTS = [
    init_writes_what_check_takes,
    init_never_overwrites,
    init_says_what_is_wrong,
    a_mistake_in_the_file_of_options_stops_everything_but_help,
    doctor_tells_of_no_engine_and_goes_on,
    doctor_tells_what_is_wrong_with_the_file_of_options,
    doctor_shows_where_credentials_come_from_and_none_of_them,
    doctor_asks_the_broker_that_is_named,
    bash_completes,
    zsh_completes,
    fish_completes,
    an_unknown_shell_is_refused_by_name,
    buildr_links_no_more_than_it_did,
    samples_for_other_systems_call_what_there_is,
]

if __name__ == "__main__":
    sys.exit(run_tests((test.__name__, test) for test in TESTS))
