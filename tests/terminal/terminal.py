# SPDX-License-Identifier: MIT
"""A real terminal without a person: tmux, whose screen is read back."""

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
import traceback

# Far more than anything takes; only a hang gets there.
WAIT_SECONDS = 120
CONFIGURATION = """
set -g remain-on-exit on
set -g remain-on-exit-format ""
set -g status off
set -g history-limit 50000
set -g default-terminal screen-256color
set -g escape-time 0
"""

# What changes from run to run: the time that has passed, and what turns.
ELAPSED = re.compile(r" +(\d+ s|\d+ min \d+ s)(?=  |$)")
TURNING = re.compile(r"^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏|/\\-] (?=\d+ )")


class Failure(Exception):
    """What a test found wrong, in words."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def check_equal(seen, wanted, what):
    check(seen == wanted, f"{what}: seen\n{show(seen)}\ninstead of\n{show(wanted)}")


def show(value):
    return "\n".join(value) if isinstance(value, list) else repr(value)


def steady(lines):
    """Lines of a screen without what changes from run to run."""
    return [TURNING.sub("* ", ELAPSED.sub(" TIME", line)) for line in lines]


class Terminal:
    """One command in a terminal of its own."""

    def __init__(self, columns, rows, command, env=None, cwd=None):
        self.folder = tempfile.mkdtemp(prefix="terminal-")
        configuration = os.path.join(self.folder, "tmux.conf")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION)
        self.server = ["tmux", "-S", os.path.join(self.folder, "socket"), "-f", configuration]
        # tmux says itself what TERM is.
        term = (env or {}).pop("TERM", "screen-256color")
        line = shlex.join(["env", f"TERM={term}", *command])
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), f"exec {line}",
                  env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], **(env or {})}, cwd=cwd)

    def tmux(self, *arguments, **options):
        done = subprocess.run([*self.server, *arguments], stdin=subprocess.DEVNULL, check=False,
                              capture_output=True, timeout=WAIT_SECONDS, **options)
        check(done.returncode == 0, f"tmux {arguments}: {done.stderr.decode()}")
        return done.stdout.decode()

    def tell(self, form):
        return self.tmux("display-message", "-p", form).strip()

    def screen(self):
        """The lines that are seen, without the empty ones at the end."""
        return trim(self.tmux("capture-pane", "-p"))

    def transcript(self):
        """All lines that were ever written, as they were before they were wrapped."""
        return trim(self.tmux("capture-pane", "-p", "-J", "-S", "-"))

    def wait_until(self, condition, what):
        wait_until(condition, what, lambda: f"; there is\n{show(self.screen())}")

    def wait_for(self, text):
        """Wait until a line of the screen holds `text`."""
        self.wait_until(lambda: any(text in line for line in self.screen()), repr(text))

    def resize(self, columns, rows):
        """Resize, and wait until the programs in the terminal can know of it."""
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))
        tty = self.tell("#{pane_tty}")
        self.wait_until(lambda: size_of(tty) == (columns, rows), "the size")

    def has_cursor(self):
        return self.tell("#{cursor_flag}") == "1"

    def send(self, *keys):
        self.tmux("send-keys", *keys)

    def close(self):
        """End the terminal as a window that is closed."""
        subprocess.run([*self.server, "kill-server"], stdin=subprocess.DEVNULL, check=False,
                       capture_output=True, timeout=WAIT_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def wait_until(condition, what, more=str):
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        check(time.monotonic() < end, f"waited for {what}{more()}")
        time.sleep(0.02)


def size_of(tty):
    with open(tty, "rb") as file:
        size = os.get_terminal_size(file.fileno())
    return size.columns, size.lines


def trim(text):
    lines = [line.rstrip() for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


class Events:
    """Makes events as a build would."""

    def __init__(self, *stages):
        self.seq = 0
        self.clock = 0
        self.text = b""
        self.add("build.started", project="/home/ann/app", manifest=".buildr.yml",
                 image="alpine:3.20", stages=list(stages),
                 host={"name": "h", "system": "Linux", "release": "6", "machine": "m"},
                 version="0")

    def add(self, kind, **fields):
        self.seq += 1
        event = {"v": 1, "seq": self.seq, "try": 1,
                 "ts": f"2026-11-21T02:{30 + self.clock // 60:02}:{self.clock % 60:02}.000000Z",
                 "build": "0192f0c1-2b3c-7d4e-8f50-61728394a5b6", "type": kind, **fields}
        self.text += json.dumps(event).encode() + b"\n"
        return self

    def start(self, stage, *commands, steps=None):
        self.add("stage.started", stage=stage, attempt=1, image="alpine:3.20",
                 steps=steps or len(commands))
        if commands:
            self.step(stage, 1, commands[0])
        return self

    def step(self, stage, number, command):
        return self.add("step.started", stage=stage, step=number, command=command, line=5)

    def say(self, stage, text):
        return self.add("output", stage=stage, step=1, stream="stdout", text=text)

    def end(self, stage, status=0):
        self.add("step.finished", stage=stage, step=1, status=status, seconds=1,
                 cpu_seconds=0.5, max_rss=1000000)
        why = {} if status == 0 else {"reason": "status", "step": 1, "status": status}
        return self.add("stage.finished", stage=stage, attempt=1,
                        result="fail" if status else "pass", seconds=1, **why)

    def finish(self, **results):
        is_good = all(result == "pass" for result in results.values())
        return self.add("build.finished", result="pass" if is_good else "fail",
                        exit=0 if is_good else 1, seconds=12, stages=results)

    def take(self):
        text, self.text = self.text, b""
        return text


def run_tests(tests):
    """Run (name, function) pairs and print TAP; give the exit status."""
    failed = 0
    tests = list(tests)
    print(f"1..{len(tests)}", flush=True)
    for number, (name, function) in enumerate(tests, 1):
        start = time.monotonic()
        problem = ""
        try:
            function()
        except Failure as failure:
            problem = str(failure)
        except Exception:  # pylint: disable=broad-except
            problem = traceback.format_exc()
        failed += problem != ""
        print(f"{'not ok' if problem else 'ok'} {number} - {name}", flush=True)
        print(f"# {time.monotonic() - start:.1f} s", flush=True)
        for line in problem.splitlines():
            print("#   " + line, flush=True)
    return 1 if failed else 0
