# SPDX-License-Identifier: MIT
"""Work for bench: what the live view costs, on a terminal that is read as fast as it goes."""
import contextlib
import fcntl
import os
import pty
import statistics
import struct
import termios
import time

SECONDS = 10
# Ten lines every ten milliseconds.
STEADY = f"""stages: [build]
build:
  script: ['i=0; while [ $i -lt {SECONDS * 100} ]; do cat ten; usleep 9000; i=$((i + 1)); done']
"""


def run_in_terminal(argv):
    """Give the seconds that it took, its processor seconds, and the bytes that it wrote."""
    begin = time.monotonic()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.environ.pop("CI", None)
        os.execv(argv[0], argv)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    count, frames = 0, 0
    with contextlib.suppress(OSError):
        while data := os.read(terminal, 1 << 20):
            count += len(data)
            frames += data.count(b"\x1b[?2026l")
    _, _, usage = os.wait4(pid, 0)
    os.close(terminal)
    return (time.monotonic() - begin, usage.ru_utime + usage.ru_stime, count, frames)


class LiveWorks:
    """Methods of Bench, each one kind of work."""

    def alternate(self, folder):
        """Run live and plain by turns; give the medians of each."""
        runs = {"live": [], "plain": []}
        for turn in range(self.runs + 1):
            for form, seen in runs.items():
                told = run_in_terminal([self.buildr, "-C", folder, "-o", form])
                time.sleep(0.3)
                if turn > 0:
                    seen.append(told)
        return {form: [statistics.median(column) for column in zip(*seen)]
                for form, seen in runs.items()}

    def live(self):
        line = b"x" * 79 + b"\n"
        folder = self.project("steady", STEADY)
        with open(os.path.join(folder, "ten"), "wb") as file:
            file.write(line * 10)
        told = self.alternate(folder)
        print("work | live | plain | goal")
        print("---|---|---|---")
        (wall, busy, _, frames), plain = told["live"], told["plain"]
        print(f"1,000 lines a second: per cent of a core | {busy / wall * 100:.1f} | "
              f"{plain[1] / plain[0] * 100:.1f} | <= 3")
        print(f"frames a second | {frames / wall:.1f} | | <= 20")
        folder = self.project("full", "stages: [build]\nbuild:\n  script: [cat big]\n")
        with open(os.path.join(folder, "big"), "wb") as file:
            for _ in range(self.megabytes // 5):
                file.write(line * (1000000 // len(line)))
        told = self.alternate(folder)
        rates = {form: self.megabytes // 5 / one[0] for form, one in told.items()}
        print(f"{self.megabytes // 5} MB at full speed, MB/s | {rates['live']:.0f} | "
              f"{rates['plain']:.0f} | >= 0.95 x plain: "
              f"{rates['live'] / rates['plain']:.2f}", flush=True)
