# SPDX-License-Identifier: MIT
"""A Docker engine of a test's own, which may be killed without harm to anybody else.

It is in a network namespace of its own: an engine without a bridge deletes the one of the
engine beside it.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

START_SECONDS = 120
# It gives up where its containerd takes more than 15 s to begin.
STARTS = 3


class PrivateEngine:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="own-engine-"))
        self.socket = self.folder / "d.sock"
        self.process = None

    def start(self):
        """Start it, also after kill(), and wait until it answers."""
        for _ in range(STARTS):
            self.spawn()
            if self.await_answer():
                return
        log = (self.folder / "log").read_text(errors="replace")
        raise RuntimeError(f"the engine does not start: {log[-1500:]}")

    def spawn(self):
        # An engine that was killed has left them, and a new one would believe them.
        for name in ("pid", "exec/containerd/containerd.pid"):
            (self.folder / name).unlink(missing_ok=True)
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["unshare", "--net", "--", "dockerd", "--data-root", self.folder / "data",
                 "--exec-root", self.folder / "exec", "-H", f"unix://{self.socket}",
                 "--pidfile", self.folder / "pid", "--bridge", "none", "--iptables=false",
                 "--ip-masq=false"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def await_answer(self):
        """Wait until it answers; gives False where it has ended before."""
        end = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None:
                return False
            if time.monotonic() > end:
                self.signal(signal.SIGKILL)
                return False
            time.sleep(0.05)
        return True

    def answers(self):
        return subprocess.run(
            ["docker", "-H", f"unix://{self.socket}", "version"], check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def signal(self, number):
        """Send it a signal that ends it, and wait for that."""
        self.process.send_signal(number)
        self.process.wait()
        # Its containerd goes with it, a moment later.
        end = time.monotonic() + START_SECONDS
        while any(True for _ in self.own_processes("containerd")) and time.monotonic() < end:
            time.sleep(0.02)

    def own_processes(self, program=None):
        """Find what the engine has started: its folder is on their command lines."""
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
                name = os.path.basename(line.split(b"\0")[0]).decode(errors="replace")
                if os.fsencode(self.folder) in line and program in (None, name):
                    yield int(entry.name)

    def remove(self):
        """End it and all that it started, and remove what it wrote."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=30)
        for _ in range(50):
            pids = list(self.own_processes())
            if not pids:
                break
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if self.process:
                self.process.poll()
            time.sleep(0.1)
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted(mounts, reverse=True):
            if mount.startswith(f"{self.folder}/"):
                subprocess.run(["umount", "--lazy", mount], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
