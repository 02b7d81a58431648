#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Bad jobs, bad servers, damage, and sudden ends.

usage: test_trouble.py MAKE_CHECKOUT [TEST…]
"""

import contextlib
import fcntl
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from servers import GitDaemon, Web
from world import SECONDS, check, check_equal, git, run_tests, uuid, wait_until

PASSWORD = "pass-w0rd-of-nobody"
NOBODY = 65534


def refuses_addresses_that_are_none(world):
    mark = world.folder / "executed"
    (world.folder / "-x").mkdir()
    for address in (
            "", " ", "-", f"--upload-pack=touch {mark}", f"-utouch {mark}", "a\nb", "a\tb", "a\x7f",
            f"ext::sh -c touch% {mark}", "fd::17/foo", "::x", "file::/etc", "https::example.invalid",
            "file:///etc", "file://localhost/etc", "/etc", "../../etc", "relative", "./-x",
            "ftp://example.invalid/x", "HTTP://example.invalid/x", "git+ssh://example.invalid/x",
            f"ssh://-oProxyCommand=touch%20{mark}/x", f"ssh://-oProxyCommand=touch {mark}/x",
            f"ssh://%2DoProxyCommand=touch%20{mark}/x", f"-oProxyCommand=touch {mark}:x",
            "ssh://-x/y", "ssh://[-x/y",
            f"ssh://-oProxyCommand=touch@host/{mark}", "ssh:///x", "https://", "https:///x",
            f"host:-oProxyCommand=touch {mark}", "host:", "ssh://host:port/x", "https://host:0/x",
            "https://a b/x", "https://a;b/x", "https://user:p/a@host/x", "https://" + "x" * 5000,
            f"ssh://user:{PASSWORD}@host/x", f"git://user:{PASSWORD}@host/x",
            f"user:{PASSWORD}@host:x", f"http://user:{PASSWORD}%0a@host/x"):
        made = world.make(repo=address)
        said = made.check_failed("EINPUT", "repository '")
        check(PASSWORD not in said and "p/a" not in said, f"a password: {said}")
        check("\n" not in said and "\t" not in said, f"control characters: {said!r}")
        check(address[:1] != "-" or "looks like an option" in said, said)
    check(not mark.exists(), "something was executed")
    check(not world.work.exists(), "something was made")


def refuses_branches_that_are_none(world):
    for branch in ("-x", "--upload-pack=touch x", "a..b", "../x", "a/../b", "/x", "x/", "a//b", ".x",
                   "a/.x", "x.lock", "a.lock/b", "x.", "a b", "a\nb", "a\x01", "a\x7f", "a~1", "a^", "a:b",
                   "a?", "a*", "a[b", "a\\b", "@", "@{-1}", "a@{1}", "HEAD", "refs/heads/", "refs/heads/-x",
                   b"a\xff", "x" * 2000, "a:refs/heads/b"):
        made = world.make(repo="git://127.0.0.1:1/x", branch=os.fsdecode(branch))
        made.check_failed("EINPUT", "branch '")
    for build in "../../x", "x", "", "/etc", "0" * 36:
        world.make(repo="git://127.0.0.1:1/x", build=build).check_failed("EINPUT", "UUID")


def takes_a_plus_for_a_letter(world):
    repository = world.repository()
    commit = repository.commit({"file": "x"}, branch="+a")
    daemon = world.serve(GitDaemon(world.repos))
    check_equal(world.make(repo=daemon.url("repo"), branch="+a").get("commit"), commit, "commit")


def shows_addresses_without_passwords(world):
    for address, shown in (
            ("https://u:p@h/x", "https://h/x"), ("https://u@h:8/x", "https://h:8/x"),
            ("git@h:x/y", "h:x/y"), ("u:p@h:x", "h:x"), ("https://u:p@q@h/x", "https://h/x"),
            ("https://u:a/b@h/x", "https://h/x"), ("https://h/@scope/x", "https://h/@scope/x"),
            ("https://h:80/@scope/x", "https://h:80/@scope/x"), ("https://h/x?token=p", "https://h/x"),
            ("/a/b@c", "/a/b@c"), ("a\x1bb", "a?b"), ("", "")):
        done = subprocess.run([world.program, world.work, f"show={address}"], stdout=subprocess.PIPE,
                              timeout=SECONDS, check=True)
        check_equal(done.stdout.decode(), shown + "\n", address)


def never_shows_a_password(world):
    repository = world.repository()
    commit = repository.commit({"file": "x"})
    web = world.serve(Web(world.repos, login=f"me:{PASSWORD}"))
    seen = []

    def look():
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
                # Our own command line is the test's doing.
                if PASSWORD.encode() in line and b"make_checkout" not in line.split(b"\0")[0]:
                    seen.append(line)

    web.on_request = look
    for keys in {}, {"branch": "main"}:
        made = world.make(repo=web.url("repo", f"me:{PASSWORD}"), **keys)
        check_equal(made.get("commit"), commit, "commit")
    check_equal(seen, [], "command lines")
    for path in world.work.rglob("*"):
        check(not path.is_file() or PASSWORD.encode() not in path.read_bytes(), f"it is in {path}")
    web.login = "me:another"
    said = world.make(repo=web.url("repo", f"me:{PASSWORD}")).check_failed("ENOTFOUND")
    check(PASSWORD not in said, said)
    # A token may be in the place of the user.
    said = world.make(repo=web.url("repo", PASSWORD)).check_failed("ENOTFOUND")
    check(PASSWORD not in said, said)
    check_equal(seen, [], "command lines")


def asks_nobody_for_a_password(world):
    """Also where there is a terminal, and programs that would ask."""
    world.repository().commit({"file": "x"})
    web = world.serve(Web(world.repos, login="me:secret"))
    asked = world.folder / "asked"
    ask = world.folder / "ask"
    ask.write_text(f"#!/bin/sh\ntouch {asked}\necho x\n", encoding="utf-8")
    ask.chmod(0o755)
    world.configure(f"[core]\n\taskPass = {ask}\n")
    environment = dict(world.environment, GIT_ASKPASS=str(ask), SSH_ASKPASS=str(ask), DISPLAY=":9",
                       SSH_ASKPASS_REQUIRE="force", GIT_TERMINAL_PROMPT="1")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(world.program, [world.program, world.work, f"repo={web.url('repo')}"], environment)
    text = b""
    with contextlib.suppress(OSError):
        while select.select([terminal], [], [], SECONDS)[0]:
            piece = os.read(terminal, 4096)
            if not piece:
                break
            text += piece
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    check(os.WEXITSTATUS(status) == 1 and text.startswith(b"failed ENOTFOUND"), repr(text))
    check(b"sername for" not in text.replace(b"could not read Username for", b""), repr(text))
    check(not asked.exists(), "a program was asked")


def follows_no_redirect_to_a_file(world):
    repository = world.repository()
    repository.commit({"file": "x"})
    web = world.serve(Web(world.repos, target=f"file://{world.repos}"))
    made = world.make(repo=web.url("redirect/repo"), branch="main")
    check("failed E" in made.text and "made" not in made.text, made.text)
    # Nor where the user's configuration would send everybody there.
    world.configure(f'[url "file://{world.repos}/"]\n\tinsteadOf = https://sent.invalid/\n')
    world.make(repo="https://sent.invalid/repo").check_failed("EINPUT", "not allowed")


def runs_no_hook_and_no_filter(world):
    repository = world.repository()
    repository.commit({"file": "x", ".gitattributes": "* filter=evil\n"})
    repository.commit({"file": "y", ".gitattributes": "* filter=evil\n"})
    mark = world.folder / "executed"
    hooks = world.folder / "hooks"
    hooks.mkdir()
    for name in "post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc":
        (hooks / name).write_text(f"#!/bin/sh\ntouch {mark}\n", encoding="utf-8")
        (hooks / name).chmod(0o755)
    world.configure(f"[core]\n\thooksPath = {hooks}\n\tfsmonitor = touch {mark}\n"
                    f'[filter "evil"]\n\tsmudge = touch {mark}; cat\n[init]\n\ttemplateDir = {hooks}\n')
    daemon = world.serve(GitDaemon(world.repos))
    made = world.make(repo=daemon.url("repo"), branch="main", submodules="yes", lfs="yes")
    check_equal(made.content(), "y", "file")
    check(not mark.exists(), "something was executed")
    check(not (made.folder / ".git/hooks").exists(), "hooks")


def is_not_led_astray_by_the_environment(world):
    commit = world.repository().commit({"file": "x"})
    daemon = world.serve(GitDaemon(world.repos))
    trace = world.folder / "trace"
    world.environment.update(GIT_DIR="/nowhere", GIT_WORK_TREE="/nowhere", GIT_INDEX_FILE="/nowhere/i",
                             GIT_OBJECT_DIRECTORY="/nowhere/o", GIT_TRACE=str(trace),
                             GIT_ALLOW_PROTOCOL="none", GIT_NAMESPACE="x", LC_ALL="de_DE.UTF-8",
                             GIT_DEFAULT_HASH="sha256", GIT_CONFIG_COUNT="1", GIT_SHALLOW_FILE="/x",
                             GIT_CONFIG_KEY_0="core.worktree", GIT_CONFIG_VALUE_0="/nowhere")
    check_equal(world.make(repo=daemon.url("repo")).get("commit"), commit, "commit")
    check(not trace.exists(), "a trace")


def links(commit, address, name="sub"):
    """The files of a commit with a submodule."""
    return {name: ("160000", commit), ".gitmodules":
            f'[submodule "{name}"]\n\tpath = {name}\n\turl = "{address}"\n'}


def takes_submodules_only_from_where_it_may(world):
    inner = world.repository("inner")
    link = inner.commit({"deep": "x"})
    daemon = world.serve(GitDaemon(world.repos))
    mark = world.folder / "executed"
    addresses = (f"file://{inner.path}", str(inner.path), f"ext::sh -c touch% {mark}",
                 f"--upload-pack=touch {mark}", f"ssh://-oProxyCommand=touch%20{mark}/x")
    for number, address in enumerate(addresses):
        outer = world.repository(f"outer{number}")
        outer.commit(links(link, address))
        made = world.make(repo=daemon.url(f"outer{number}"), submodules="yes")
        # The job's fault: another agent would not do better.
        made.check_failed("EINPUT")
    # What may be built is a question for theirs too, and for theirs in turn.
    middle = world.repository("middle").commit(links(link, daemon.url("inner")))
    world.repository("outer").commit(links(middle, daemon.url("middle")))
    for only in "*/outer", "*/middle":
        world.make(repo=daemon.url("outer"), submodules="yes", only=only).check_failed(
            "EINPUT", "submodules", "is not wanted")
    made = world.make(repo=daemon.url("outer"), submodules="yes", only="git://*/[mi]*")
    check_equal(made.content("sub/sub/deep"), "x", "file")
    made.end()
    check(not mark.exists(), "something was executed")
    check_equal(world.trees(), [], "trees")


def says_what_is_wrong_with_submodules(world):
    link = world.repository("inner").commit({"deep": "x"})
    daemon = world.serve(GitDaemon(world.repos))
    good = links(link, daemon.url("inner"))
    for number, (files, code, part) in enumerate((
            (good | {"other": ("160000", link)}, "EINPUT", "'other'"),
            (good | {".gitmodules": '[submodule "sub"]\n\tpath = sub\n'}, "EINPUT", "No url"),
            (good | {".gitmodules": "[nonsense"}, "EINPUT", "bad config line"),
            (links("1" * 40, daemon.url("inner")), "ENOTFOUND", ""),
            (links(link, daemon.url("absent")), "ENOTFOUND", ""),
            # git itself does not take it.
            (links(link, "../inner", "../sub"), "E", ""))):
        world.repository(f"outer{number}").commit(files)
        made = world.make(repo=daemon.url(f"outer{number}"), branch="main", submodules="yes")
        said = made.get("failed") or ""
        check(said.startswith(code) and part in said, f"{files}: {made.text!r}")
        made.end()


def refuses_objects_that_git_would_not_make(world):
    repository = world.repository()
    blob = git(repository.path, "hash-object", "-w", "--stdin", data=b"x")
    tree = git(repository.path, "hash-object", "-w", "-t", "tree", "--literally", "--stdin",
               data=b"100644 .git\0" + bytes.fromhex(blob))
    commit = git(repository.path, "commit-tree", "-m", "x", tree)
    git(repository.path, "update-ref", "refs/heads/main", commit)
    daemon = world.serve(GitDaemon(world.repos))
    world.make(repo=daemon.url("repo"), branch="main").check_failed("EINPUT", "fsck")
    check_equal(world.trees(), [], "trees")


def limits_what_is_fetched(world):
    repository = world.repository()
    repository.commit({"small": "x", "big": os.urandom(200000).hex()})
    daemon = world.serve(GitDaemon(world.repos))
    world.make(repo=daemon.url("repo"), size=100000).check_failed("EINPUT", "too large")
    parts = [path for path in world.mirrors()[0].rglob("tmp_*")]
    world.make(repo=daemon.url("repo"), size=1000000).end()
    check_equal([path for path in parts if path.exists()], [], "what was left of it")
    # What is small until it is unpacked.
    repository.commit({"big": "x" * 200000})
    world.make(repo=daemon.url("repo"), size=100000).check_failed("EINPUT", "big")
    check_equal(world.trees(), [], "trees")


def says_that_there_is_no_space(world):
    repository = world.repository()
    repository.commit({f"file{i}": os.urandom(50000).hex() for i in range(30)})
    daemon = world.serve(GitDaemon(world.repos))
    world.work.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", world.work], check=True)
    try:
        world.make(repo=daemon.url("repo")).check_failed("ESYSTEM", "No space left")
        check_equal(world.trees(), [], "trees")
        subprocess.run(["mount", "-o", "remount,size=4m", world.work], check=True)
        # Enough for the mirror, not for the tree. That is no reason to make it anew.
        before = world.mirror_id()
        world.make(repo=daemon.url("repo")).check_failed("ESYSTEM")
        repository.commit({"file": os.urandom(4000000).hex()})
        world.make(repo=daemon.url("repo")).check_failed("ESYSTEM", "No space left")
        check_equal(world.mirror_id(), before, "mirror")
        subprocess.run(["mount", "-o", "remount,size=64m", world.work], check=True)
        world.make(repo=daemon.url("repo")).folder  # pylint: disable=expression-not-assigned
    finally:
        subprocess.run(["umount", "-l", world.work], check=True)


def says_what_cannot_be_reached(world):
    daemon = GitDaemon(world.repos)
    daemon.stop()
    world.make(repo=daemon.url("repo")).check_failed("EUNAVAIL")
    world.make(repo=f"http://127.0.0.1:{daemon.port}/x").check_failed("EUNAVAIL")
    world.make(repo="https://nowhere.invalid/x", timeout=60000)
    world.environment["PATH"] = str(world.folder)
    world.make(repo="git://127.0.0.1:1/x").check_failed("ESYSTEM", "not installed")
    world.make(work="/proc/nowhere", repo="git://127.0.0.1:1/x").check_failed("ESYSTEM")


def await_end_of_git(world):
    wait_until(lambda: not world.processes(), SECONDS, "the end of all processes")


def gives_up_a_server_that_hangs(world):
    world.repository().commit({"file": "x"})
    daemon = world.serve(GitDaemon(world.repos))
    daemon.hangs = True
    # Over HTTP it is a child of git's that waits.
    for protocol in "git", "http":
        url = daemon.url("repo").replace("git", protocol, 1)
        for keys in {"branch": "main"}, {}:
            world.make(repo=url, timeout=500, **keys).check_failed("ETIMEDOUT")
            check_equal(world.processes(), [], "processes")
    check_equal(world.trees(), [], "trees")
    daemon.hangs = False
    world.make(repo=daemon.url("repo"), timeout=60000).folder  # pylint: disable=expression-not-assigned


def stops_on_request(world):
    world.repository().commit({"file": "x"})
    daemon = world.serve(GitDaemon(world.repos))
    daemon.hangs = True
    made = world.start(repo=daemon.url("repo"), cancel="yes")
    check(daemon.arrived.wait(SECONDS), "no connection")
    # Others wait for the mirror, and stop as well.
    waiting = world.start(repo=daemon.url("repo"), cancel="yes")
    for each in waiting, made:
        each.process.stdin.write(b"x")
        each.read().check_failed("ECANCELED")
    check_equal(world.trees(), [], "trees")
    check_equal(world.processes(), [], "processes")


def survives_a_sudden_end(world):
    repository = world.repository()
    repository.history(100)
    daemon = world.serve(GitDaemon(world.repos))
    daemon.hangs = True
    for protocol in "git", "http":
        daemon.arrived.clear()
        made = world.start(repo=daemon.url("repo").replace("git", protocol, 1), branch="main")
        check(daemon.arrived.wait(SECONDS), "no connection")
        made.kill()
        # Nobody waits for git any more, and it would wait for ever.
        await_end_of_git(world)
    check_equal(len(world.trees()), 2, "trees")
    daemon.hangs = False
    check_equal(world.make(repo=daemon.url("repo"), branch="main").content(), "file 99\n", "file")
    check_equal(world.sweep(), 2, "swept")
    check_equal(len(world.trees()), 1, "trees")


def survives_sudden_ends_at_any_time(world):
    repository = world.repository()
    repository.commit({f"file{i}": os.urandom(2000).hex() for i in range(100)})
    daemon = world.serve(GitDaemon(world.repos))
    for number in range(25):
        repository.commit({f"file{i}": os.urandom(2000).hex() for i in range(100)})
        made = world.start(repo=daemon.url("repo"), branch="main")
        # Somewhere on the way: where, is chance.
        select.select([made.process.stdout], [], [], 0.002 * number)
        os.kill(made.process.pid, signal.SIGKILL)
        made.process.wait()
        if number % 5 == 4:
            made = world.make(repo=daemon.url("repo"), branch="main")
            check_equal(made.get("commit"), git(repository.path, "rev-parse", "main"), "commit")
            made.end()
    await_end_of_git(world)
    world.sweep()
    check_equal(world.trees(), [], "trees")


def use_again(world, url, what):
    """A checkout after something was done to the mirror is as ever."""
    made = world.make(repo=url, branch="main")
    check(made.get("made"), f"{what}: {made.text!r}")
    check_equal(git(made.folder, "status", "--porcelain"), "", f"{what}: git status")
    git(made.folder, "fsck", "--strict")
    made.end()


def mends_a_mirror(world):
    repository = world.repository()
    repository.history(5)
    daemon = world.serve(GitDaemon(world.repos))
    url = daemon.url("repo")
    use_again(world, url, "at first")
    mirror = world.mirrors()[0]

    def pack(suffix="pack"):
        found = next((mirror / "objects/pack").glob(f"*.{suffix}"))
        found.chmod(0o644)
        return found

    def leave(name, text="x"):
        (mirror / name).write_text(text, encoding="utf-8")

    def flip():
        data = bytearray(pack().read_bytes())
        data[len(data) // 2] ^= 0xff
        pack().write_bytes(data)

    ref = next((mirror / "refs/buildr").iterdir()).name
    # What a git that was killed leaves is no damage.
    before = world.mirror_id()
    for name in "shallow.lock", f"refs/buildr/{ref}.lock", "objects/pack/tmp_pack_x":
        repository.commit({"file": name})
        leave(name)
        use_again(world, url, name)
        check(not (mirror / name).exists(), f"{name} is still there")
    check_equal(world.mirror_id(), before, "mirror")
    def kept(suffix="pack"):
        found = next((mirror / "ready").glob(f"*/*.{suffix}"))
        found.chmod(0o644)
        return found

    for what, damage in (
            ("a cut pack for the next job", lambda: os.truncate(kept(), 40)),
            ("a pack for the next job that is empty", lambda: os.truncate(kept(), 0)),
            ("no index of the pack for the next job", lambda: kept("idx").unlink()),
            ("half of a pack for the next job", lambda: kept().parent.rename(mirror / "ready/partial"))):
        damage()
        use_again(world, url, what)
    for what, damage in (
            ("a cut pack", lambda: os.truncate(pack(), 40)),
            ("an empty pack", lambda: os.truncate(pack(), 0)),
            ("a flipped byte", flip),
            ("no pack", lambda: pack().unlink()),
            ("no index", lambda: pack("idx").unlink()),
            ("a cut index", lambda: os.truncate(pack("idx"), 100)),
            ("a reference that is none", lambda: leave(f"refs/buildr/{ref}", "none")),
            ("a reference to nothing", lambda: leave(f"refs/buildr/{ref}", "1" * 40 + "\n")),
            ("nonsense in shallow", lambda: leave("shallow")),
            ("no shallow", lambda: (mirror / "shallow").unlink()),
            ("no HEAD", lambda: (mirror / "HEAD").unlink()),
            ("an empty HEAD", lambda: os.truncate(mirror / "HEAD", 0)),
            ("nonsense in config", lambda: leave("config", "[")),
            ("no objects", lambda: shutil.rmtree(mirror / "objects")),
            ("a file in its place", lambda: (shutil.rmtree(mirror), mirror.write_text("x"))),
            ("nothing in it", lambda: (mirror.unlink() if mirror.is_file() else shutil.rmtree(mirror),
                                       mirror.mkdir()))):
        shutil.rmtree(mirror / "ready", ignore_errors=True)
        damage()
        use_again(world, url, what)
    for keys in {}, {"commit": git(repository.path, "rev-parse", "main~3")}:
        shutil.rmtree(mirror / "ready")
        os.truncate(pack(), 50)
        check(world.make(repo=url, **keys).get("made"), f"not mended for {keys}")


def packs_what_many_fetches_brought(world):
    repository = world.repository()
    daemon = world.serve(GitDaemon(world.repos))
    for number in range(3):
        repository.commit({"file": str(number)})
        world.make(repo=daemon.url("repo"), branch="main").end()
    mirror = world.mirrors()[0]
    packs = mirror / "objects/pack"
    # As if they had been more.
    for pack in list(packs.glob("*.pack")):
        for number in range(20):
            for suffix in ".pack", ".idx":
                shutil.copy(pack.with_suffix(suffix), packs / f"{pack.stem[:-2]}{number:02}{suffix}")
    old = next((mirror / "refs/buildr").iterdir())
    os.utime(old, (0, 0))
    repository.commit({"file": "last"})
    repository.commit({"file": "other"}, branch="other")
    check_equal(world.make(repo=daemon.url("repo"), branch="other").content(), "other", "file")
    check_equal(len(list(packs.glob("*.pack"))), 1, "packs")
    check(not old.exists(), "the old branch is still there")
    check_equal(world.make(repo=daemon.url("repo"), branch="main").content(), "last", "file")


def removes_mirrors_that_nobody_uses(world):
    daemon = world.serve(GitDaemon(world.repos))
    day = 24 * 3600
    mirrors = []
    for number in range(4):
        world.repository(f"repo{number}").commit({"file": "x" * 100000 * (number == 2)})
        before = set(world.mirrors()) if mirrors else set()
        world.make(repo=daemon.url(f"repo{number}"), branch="main").end()
        mirrors += set(world.mirrors()) - before

    def lock(number):
        return Path(f"{mirrors[number]}.lock")

    def used(number, days):
        when = time.time() - days * day
        os.utime(lock(number), (when, when))

    def check_left(*numbers):
        check_equal(world.mirrors(), sorted(mirrors[number] for number in numbers), "mirrors")

    for number, days in enumerate((9, 5, 3, 1)):
        used(number, days)
    check_equal(world.prune(10 * day * 1000, 10 ** 9, 1), 0, "nothing is old or large")
    # One that somebody has is not touched, and is the next time.
    with open(lock(0), "rb") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        check_equal(world.prune(4 * day * 1000, 0, 0), 1, "removed by age")
        check_left(0, 2, 3)
    check_equal(world.prune(4 * day * 1000, 0, 0), 1, "removed by age, later")
    # A job uses it: it is the newest, and made anew where it is gone.
    for number in 1, 2:
        check(world.make(repo=daemon.url(f"repo{number}"), branch="main").get("made"), "not made")
    used(3, 1)
    sizes = {number: sum(path.lstat().st_blocks * 512 for path in mirrors[number].rglob("*"))
             for number in (1, 2, 3)}
    check_equal(world.prune(0, sum(sizes.values()), 0), 0, "all have room")
    check_equal(world.prune(0, sum(sizes.values()) - 1, 0), 1, "removed by size")
    check_left(1, 2)
    check_equal(world.prune(0, 0, 10 ** 17), 2, "removed for space")
    check_left()
    # Half of one, as a sudden end leaves it.
    world.make(repo=daemon.url("repo0")).end()
    (mirrors[0] / "HEAD").unlink()
    shutil.rmtree(mirrors[0] / "refs")
    use_again(world, daemon.url("repo0"), "half removed")


def many_processes_share_a_mirror(world):
    repository = world.repository()
    commits = repository.history(60)
    repository.commit({"file": "other"}, branch="other")
    daemon = world.serve(GitDaemon(world.repos))
    wanted = [{"branch": "main"}, {"branch": "other"}, {}, {"branch": "main", "commit": commits[55]}] * 4
    made = [world.start(repo=daemon.url("repo"), **keys) for keys in wanted]
    for each, keys in zip(made, wanted):
        each.read()
        content = {"other": "other"}.get(keys.get("branch"),
                                         "file 4\n" if "commit" in keys else "file 59\n")
        check_equal(each.content(), content, f"file of {keys}")
    check_equal(len(world.trees()), len(made), "trees")
    check_equal(world.sweep(), 0, "swept")
    # Changing one changes no other, and not the mirror.
    for path in made[0].folder.rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_text("mine", encoding="utf-8")
    check_equal(made[4].content(), "file 59\n", "another's file")
    use_again(world, daemon.url("repo"), "after a tree was spoilt")
    for each in made:
        check_equal(each.end(), 0, "exit status")
    check_equal(world.trees(), [], "trees")


def sweeps_trees_of_the_dead(world):
    world.repository().commit({"file": "x"})
    daemon = world.serve(GitDaemon(world.repos))
    made = [world.make(repo=daemon.url("repo")) for _ in range(4)]
    made[0].kill()
    made[1].kill()
    # One whose process died before it had a lock.
    (world.work / "trees" / str(uuid.uuid4())).mkdir()
    check_equal(world.sweep(), 3, "swept")
    check_equal(world.sweep(), 0, "swept again")
    check_equal(world.trees(), sorted(each.folder.parent.name for each in made[2:]), "trees")
    check_equal(made[2].content(), "x", "file")


def takes_over_the_tree_of_a_dead_build(world):
    repository = world.repository()
    repository.commit({"file": "x"})
    daemon = world.serve(GitDaemon(world.repos))
    build = str(uuid.uuid4())
    made = world.make(repo=daemon.url("repo"), build=build)
    world.make(repo=daemon.url("repo"), build=build).check_failed("ESYSTEM", "in use")
    check_equal(made.content(), "x", "file")
    made.kill()
    check_equal(world.make(repo=daemon.url("repo"), build=build).content(), "x", "file")
    check_equal(world.trees(), [build], "trees")


def nest(folder, levels):
    """Make folders in folders that no path is long enough for."""
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(levels):
        os.mkdir(".deep-1", dir_fd=at)
        os.chown(".deep-1", NOBODY, NOBODY, dir_fd=at)
        inner = os.open(".deep-1", os.O_RDONLY | os.O_DIRECTORY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)


def removes_whatever_a_build_leaves(world):
    """As another user than root, whom permissions hold up."""
    world.repository().commit({"file": "x"})
    daemon = world.serve(GitDaemon(world.repos))
    world.work.mkdir()
    os.chown(world.work, NOBODY, NOBODY)
    prefix = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    program = shutil.copy(world.program, world.folder / "make_checkout")
    world.program = program
    made = world.make(prefix=prefix, repo=daemon.url("repo"))
    script = """
        mkdir -p a/b/c d 'with blank'; echo x >a/b/c/f; chmod 000 a/b/c/f a/b/c; chmod 500 a/b; chmod 111 a
        ln -s / root; ln -s . loop; ln -s /nowhere gone; mkfifo fifo; chmod 000 d; chmod 000 .git/objects
    """
    subprocess.run([*prefix, "sh", "-c", script], cwd=made.folder, check=True, timeout=SECONDS)
    nest(made.folder, 3000)
    made.folder.chmod(0o555)
    # A file of root's in a folder of ours, as of a container without user namespaces.
    (made.folder / "of-root").write_text("x", encoding="utf-8")
    check_equal(made.end(), 0, "exit status")
    check_equal(world.trees(), [], "trees")
    check(os.path.exists("/etc/passwd"), "too much was removed")


def leaves_what_belongs_to_others(world):
    """A folder of root's with something in it stays, and does no harm."""
    world.repository().commit({"file": "x"})
    daemon = world.serve(GitDaemon(world.repos))
    world.work.mkdir()
    os.chown(world.work, NOBODY, NOBODY)
    prefix = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    world.program = shutil.copy(world.program, world.folder / "make_checkout")
    made = world.make(prefix=prefix, repo=daemon.url("repo"))
    (made.folder / "of-root").mkdir()
    (made.folder / "of-root/file").write_text("x", encoding="utf-8")
    check_equal(made.end(), 0, "exit status")
    check_equal(len(world.trees()), 1, "trees")
    check_equal(world.make(prefix=prefix, repo=daemon.url("repo")).content(), "x", "file")
    # Root's sweep removes it.
    check_equal(world.sweep(), 1, "swept")




TESTS = [refuses_addresses_that_are_none, refuses_branches_that_are_none, takes_a_plus_for_a_letter,
         shows_addresses_without_passwords, never_shows_a_password, asks_nobody_for_a_password,
         follows_no_redirect_to_a_file, runs_no_hook_and_no_filter,
         is_not_led_astray_by_the_environment, takes_submodules_only_from_where_it_may,
         says_what_is_wrong_with_submodules, refuses_objects_that_git_would_not_make, limits_what_is_fetched,
         says_that_there_is_no_space, says_what_cannot_be_reached, gives_up_a_server_that_hangs,
         stops_on_request, survives_a_sudden_end, survives_sudden_ends_at_any_time, mends_a_mirror,
         packs_what_many_fetches_brought, removes_mirrors_that_nobody_uses, many_processes_share_a_mirror, sweeps_trees_of_the_dead,
         takes_over_the_tree_of_a_dead_build, removes_whatever_a_build_leaves,
         leaves_what_belongs_to_others]


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[1], TESTS, sys.argv[2:]))
