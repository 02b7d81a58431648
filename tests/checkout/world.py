# SPDX-License-Identifier: MIT
"""What the tests of checkouts share: repositories, a work directory, and the program."""

import contextlib
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scenario"))

from support import Failure, check, check_equal, wait_until  # noqa: E402

# Only a hang gets there.
SECONDS = 120

GIT_ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "GIT_CONFIG_GLOBAL": "/dev/null",
                   "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@test",
                   "GIT_COMMITTER_NAME": "c", "GIT_COMMITTER_EMAIL": "c@test"}


def git(folder, *arguments, data=None):
    """Run git there, undisturbed by any configuration, and give what it says."""
    done = subprocess.run(["git", "-c", "safe.directory=*", "-C", folder, *arguments], input=data,
                          env=GIT_ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=SECONDS, check=False)
    check(done.returncode == 0, f"git {arguments}: {done.stderr.decode()}")
    return done.stdout.decode().strip()


class Repository:
    """A bare repository that commits are put into."""

    def __init__(self, path, *options):
        self.path = path
        git("/", "init", "-q", "--bare", "-b", "main", *options, path)
        git(path, "config", "uploadpack.allowAnySHA1InWant", "true")

    def commit(self, files, branch="main", parent=True):
        """Add a commit with just these files to the branch, and give its name."""
        lines = [f"commit refs/heads/{branch}\ncommitter c <c@test> 1 +0000\ndata 1\nx\n"]
        if parent and self.has(f"refs/heads/{branch}"):
            lines.append(f"from refs/heads/{branch}^0\ndeleteall\n")
        for name, content in files.items():
            if isinstance(content, tuple):
                lines.append(f"M {content[0]} {content[1]} {name}\n")
            else:
                lines.append(f"M 644 inline {name}\ndata {len(content.encode())}\n{content}\n")
        git(self.path, "fast-import", "--quiet", "--force", data="".join(lines).encode())
        return git(self.path, "rev-parse", f"refs/heads/{branch}")

    def has(self, name):
        return bool(git(self.path, "for-each-ref", name))

    def history(self, count, branch="main"):
        """Add so many commits at once, and give them, the newest first."""
        lines = []
        for i in range(count):
            text = f"file {i}\n"
            lines.append(f"commit refs/heads/{branch}\ncommitter c <c@test> {i + 1} +0000\n"
                         f"data 1\nx\n"
                         f"M 644 inline file\ndata {len(text)}\n{text}\n")
        git(self.path, "fast-import", "--quiet", "--force", data="".join(lines).encode())
        return git(self.path, "rev-list", f"refs/heads/{branch}").split()


class Made:
    """A run of make_checkout; `lines` are what it says up to `held` or its end."""

    def __init__(self, process):
        self.process = process
        self.text = ""

    def read(self):
        """Read until the tree is held, or the process has ended."""
        end = time.monotonic() + SECONDS
        while "\nheld\n" not in self.text:
            check(select.select([self.process.stdout], [], [], end - time.monotonic())[0],
                  f"no end in {SECONDS} s: {self.text!r}")
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                break
            self.text += piece.decode()
        return self

    def get(self, word):
        for line in self.text.splitlines():
            first, _, rest = line.partition(" ")
            if first == word:
                return rest
        return None

    @property
    def folder(self):
        folder = self.get("made")
        check(folder, f"not made: {self.text!r}")
        return Path(folder)

    def content(self, name="file"):
        return (self.folder / name).read_text(encoding="utf-8")

    def check_failed(self, code, *parts):
        """It failed with `code`, and says each of `parts`."""
        said = self.get("failed") or ""
        check(said.startswith(code + " "), f"not {code}: {self.text!r}")
        for part in parts:
            check(part in said, f"'{part}' is not in {said!r}")
        self.end()
        return said

    def end(self):
        """Let it remove the tree, and wait for its end."""
        self.process.stdin.close()
        status = self.process.wait(SECONDS)
        self.process.stdout.close()
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class World:
    """A folder for one test, with repositories in `repos`, and `work`."""

    def __init__(self, program):
        self.program = program
        self.folder = Path(tempfile.mkdtemp(prefix="buildr-checkout-"))
        self.folder.chmod(0o755)
        self.repos = self.folder / "repos"
        self.home = self.folder / "home"
        self.work = self.folder / "work"
        for path in (self.repos, self.home):
            path.mkdir()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.home),
                            "BUILDR_BROKER": "amqp://never:told@host"}
        self.runs = []
        self.closing = contextlib.ExitStack()

    def repository(self, name="repo", *options):
        return Repository(self.repos / name, *options)

    def serve(self, server):
        """Have `server` stopped at the end of the test."""
        self.closing.callback(server.stop)
        return server

    def configure(self, text):
        (self.home / ".gitconfig").write_text(text, encoding="utf-8")

    def start(self, prefix=(), work=None, **keys):
        """Start make_checkout; `allow_` and the like for words that Python has."""
        arguments = []
        for key, value in keys.items():
            values = value if isinstance(value, list) else [value]
            arguments += [f"{key}={each}" for each in values]
        process = subprocess.Popen([*prefix, self.program, work or self.work, *arguments],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   env=self.environment, bufsize=0, start_new_session=True)
        self.runs.append(Made(process))
        return self.runs[-1]

    def make(self, prefix=(), work=None, **keys):
        """As start(), and wait until the tree is there, or is not."""
        return self.start(prefix, work, **keys).read()

    def sweep(self):
        done = subprocess.run([self.program, self.work, "sweep=yes"], stdout=subprocess.PIPE,
                              env=self.environment, timeout=SECONDS, check=True)
        return int(done.stdout)

    def prune(self, *limits):
        """Remove mirrors: age in ms, bytes of all, bytes that are to be free; 0: any."""
        done = subprocess.run([self.program, self.work, f"prune={','.join(map(str, limits))}"],
                              stdout=subprocess.PIPE, env=self.environment, timeout=SECONDS,
                              check=True)
        return int(done.stdout)

    def trees(self):
        return sorted(path.name for path in (self.work / "trees").iterdir())

    def mirrors(self):
        return sorted(path for path in (self.work / "mirrors").iterdir() if path.is_dir())

    def processes(self):
        """Find processes that are at the test's folder, or have its home."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and int(entry.name) != os.getpid() and \
                        (os.fsencode(self.work) in (entry / "cmdline").read_bytes() or
                         os.fsencode(self.home) in (entry / "environ").read_bytes()):
                    found.append(int(entry.name))
        return found

    def mirror_id(self):
        """What changes when the one mirror is made anew."""
        return self.mirrors()[0].stat().st_ino

    def close(self):
        for made in self.runs:
            if made.process.poll() is None:
                made.kill()
        self.closing.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def run_tests(program, tests, names):
    """Run test functions, each with a world of its own, and print TAP."""
    tests = [test for test in tests if not names or test.__name__ in names]
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for number, test in enumerate(tests, 1):
        world = World(program)
        start = time.monotonic()
        problem = None
        try:
            test(world)
        except Failure as failure:
            problem = str(failure)
        except Exception:  # pylint: disable=broad-except
            problem = traceback.format_exc()
        finally:
            world.close()
        failed += problem is not None
        print(f"{'not ok' if problem else 'ok'} {number} - {test.__name__}", flush=True)
        print(f"# {time.monotonic() - start:.1f} s", flush=True)
        for line in (problem or "").splitlines():
            print("#   " + line, flush=True)
    return 1 if failed else 0


__all__ = ["Failure", "SECONDS", "World", "check", "check_equal", "git", "run_tests", "uuid", "wait_until"]
