# SPDX-License-Identifier: MIT
"""A running tests/broker/talk.c: commands go in, lines come out and are waited for."""
import queue
import subprocess
import threading
import time
import traceback

# Far more than anything takes; only a hang gets there.
SECONDS = 120


class Failure(Exception):
    """What a test found wrong, in words."""


def check(condition, text):
    if not condition:
        raise Failure(text)


class Talk:
    """One connection. It is ready when this returns, unless `is_tried`."""

    program = None

    def __init__(self, url, heartbeat=20, files=(), is_tried=False, timeout_ms=30000):
        self.seen = []
        self.lines = queue.Queue()
        self.process = subprocess.Popen(
            [self.program, url, str(heartbeat), str(timeout_ms), *map(str, files)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.first = self.next()
        if not is_tried:
            check(self.first.startswith("ready "), f"not connected: {self.first}")

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        """Quit, and see that it ends well (where the test did until here)."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        if kind is not None:
            self.process.kill()
        status = self.process.wait(SECONDS)
        self.reader.join()
        self.process.stdout.close()
        if kind is None:
            check(status in (0, 1), f"talk ended with {status}: {self.seen}")

    def next(self):
        """Give the next line."""
        try:
            line = self.lines.get(timeout=SECONDS)
        except queue.Empty:
            raise Failure(f"no line; before: {self.seen}") from None
        if line is None:
            raise Failure(f"talk has ended; before: {self.seen}")
        self.seen.append(line)
        return line

    def say(self, *commands):
        """Say all of it in one write, so that it is read before anything is answered."""
        self.process.stdin.write("".join(command + "\n" for command in commands))
        self.process.stdin.flush()

    def wait(self, start):
        """Give the next line that starts so, without the start."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            line = self.next()
            if line.startswith(start):
                return line[len(start):].strip()
        raise Failure(f"no line '{start}…'; only {self.seen}")

    def saw(self, start):
        """See that a line that starts so has come, or wait for it."""
        if not any(line.startswith(start) for line in self.seen):
            self.wait(start)

    def ask(self, command, answer):
        """Say something, and see that the next line is `answer` or starts so."""
        self.say(command)
        line = self.next()
        check(line.startswith(answer), f"'{command}' gave '{line}', not '{answer}…'")
        return line[len(answer):].strip()

    def request(self, *commands):
        """Make requests that are granted."""
        for command in commands:
            name = command.split()[0]
            self.say(command)
            line = self.wait(f"reply {name} ")
            check(line.startswith("OK 0 "), f"'{command}' gave '{line}'")


def run(tests, *given):
    """Run tests as TAP; give how many failed."""
    failed = 0
    for number, test in enumerate(tests, 1):
        name = test.__name__.replace("_", " ")
        started = time.monotonic()
        try:
            test(*given)
            print(f"ok {number} - {name}")
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {name}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
        print(f"# {time.monotonic() - started:.1f} s", flush=True)
    return failed
