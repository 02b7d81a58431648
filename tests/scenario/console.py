# SPDX-License-Identifier: MIT
"""A terminal with a program in it, for tests: keys go in, what is shown comes out."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import termios
import time

from support import RUN_SECONDS, Failure, check, kill, wait_until


class Terminal:
    """A pseudo-terminal; what the program in it has shown so far is `shown`."""

    def __init__(self, columns=90, rows=30):
        self.master, self.slave = pty.openpty()
        self.shown, self.seen = b"", 0
        self.process = None
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.slave)

    def resize(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def start(self, place, *arguments, wire="socket", env=None, **streams):
        """Start buildr with the terminal as all of its streams, but for those given."""
        streams = {"stdin": self.slave, "stdout": self.slave, "stderr": self.slave, **streams}
        self.process = place.start_in(
            [place.program, *arguments], wire, {"TERM": "dumb", **(env or {})},
            preexec_fn=lambda: fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0), **streams)
        return self.process

    def type(self, text):
        os.write(self.master, text.encode())

    def read_more(self, what):
        ready, _, _ = select.select([self.master], [], [], RUN_SECONDS)
        check(ready, f"waited for {what}; after {self.shown[-3000:]!r}")
        with contextlib.suppress(OSError):
            self.shown += os.read(self.master, 65536)

    def expect(self, text):
        """Wait until `text` is shown behind what was expected before; give all up to it."""
        text = text.encode()
        end = time.monotonic() + RUN_SECONDS
        while (at := self.shown.find(text, self.seen)) < 0:
            check(time.monotonic() < end, f"no {text!r} in {self.shown[-3000:]!r}")
            self.read_more(repr(text))
        before, self.seen = self.shown[self.seen:at], at + len(text)
        return before.decode(errors="replace")

    def expect_shell(self):
        """Wait until keys go to a shell, and have it show nothing but answers."""
        wait_until(self.is_raw, RUN_SECONDS, "a raw terminal")
        self.ask("PS1='$ '; stty -echo; echo up$((1))", "up1")
        self.expect("$ ")

    def ask(self, command, answer):
        """Type a command to a shell, and expect what it prints."""
        self.type(command + "\n")
        return self.expect(answer)

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def is_as_before(self):
        return termios.tcgetattr(self.slave) == self.before

    def finish(self):
        """Read up to the end of the program, and give its status."""
        end = time.monotonic() + RUN_SECONDS
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise Failure(f"no end after {self.shown[-3000:]!r}")
            if select.select([self.master], [], [], 0.05)[0]:
                self.read_more("the end")
        while select.select([self.master], [], [], 0)[0]:
            self.read_more("the end")
        return self.process.returncode

    def close(self):
        if self.process:
            kill(self.process)
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@contextlib.contextmanager
def terminal(**size):
    made = Terminal(**size)
    try:
        yield made
    finally:
        made.close()
