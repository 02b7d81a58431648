#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Work trees of what real servers have.

usage: test_servers.py MAKE_CHECKOUT [TEST…]
"""

import hashlib
import os
import shutil
import subprocess
import sys

from servers import GitDaemon, Sshd, Web
from world import check, check_equal, git, run_tests


def check_stands_alone(world, made, branch):
    """The tree is whole without the mirror, and says nothing but what it is of."""
    folder = world.folder / "elsewhere"
    shutil.copytree(made.folder, folder, symlinks=True)
    shutil.rmtree(world.work / "mirrors")
    git(folder, "fsck", "--full", "--strict")
    check_equal(git(folder, "status", "--porcelain"), "", "git status")
    check_equal(git(folder, "rev-parse", "HEAD"), made.get("commit"), "HEAD")
    check_equal(git(folder, "rev-list", "--count", "HEAD"), "1", "commits")
    if branch:
        check_equal(git(folder, "symbolic-ref", "--short", "HEAD"), branch, "branch")
    check(not (folder / ".git/objects/info/alternates").exists(), "it borrows objects")
    shutil.rmtree(folder)


def checks_out_a_branch(world):
    repository = world.repository()
    repository.commit({"file": "old"})
    commit = repository.commit({"file": "new", "naïve name": "x"})
    daemon = world.serve(GitDaemon(world.repos))
    made = world.make(repo=daemon.url("repo"), branch="main")
    check_equal(made.get("commit"), commit, "commit")
    check_equal(made.get("branch"), "main", "branch")
    check_equal(made.content(), "new", "file")
    check_equal(made.content("naïve name"), "x", "file")
    check_equal(git(made.folder, "remote", "get-url", "origin"), daemon.url("repo"), "origin")
    check_equal(made.folder.parent.parent, world.work / "trees", "where it is")
    check_stands_alone(world, made, "main")
    check_equal(made.end(), 0, "exit status")
    check_equal(world.trees(), [], "trees")


def checks_out_what_is_new_from_the_mirror(world):
    repository = world.repository()
    repository.commit({"file": "1"})
    daemon = world.serve(GitDaemon(world.repos))
    world.make(repo=daemon.url("repo")).end()
    before = world.mirror_id()
    for content in "2", "3", "3":
        commit = repository.commit({"file": content})
        for keys in {}, {"branch": "main"}:
            made = world.make(repo=daemon.url("repo"), **keys)
            check_equal((made.content(), made.get("commit")), (content, commit), "file, commit")
            made.end()
    # Rewritten, not advanced.
    commit = repository.commit({"file": "other"}, parent=False)
    made = world.make(repo=daemon.url("repo"), branch="main")
    check_equal(made.get("commit"), commit, "commit")
    check_equal(len(world.mirrors()), 1, "mirrors")
    check_equal(world.mirror_id(), before, "mirror")


def finds_tags_behind_branches(world):
    repository = world.repository()
    first = repository.commit({"file": "first"})
    second = repository.commit({"file": "second"})
    git(repository.path, "tag", "light", first)
    git(repository.path, "tag", "-a", "-m", "x", "noted", first)
    git(repository.path, "tag", "both", first)
    git(repository.path, "branch", "both", second)
    git(repository.path, "tag", "blob", f"{first}:file")
    daemon = world.serve(GitDaemon(world.repos))
    for name, commit, shown in (("light", first, "light"), ("noted", first, "noted"),
                                ("both", second, "both"), ("refs/tags/both", first, "both"),
                                ("refs/heads/both", second, "both")):
        made = world.make(repo=daemon.url("repo"), branch=name)
        check_equal((made.get("commit"), made.get("branch")), (commit, shown), name)
        if name == "noted":
            check_equal(git(made.folder, "describe"), "noted", "git describe")
            git(made.folder, "fsck", "--strict")
    world.make(repo=daemon.url("repo"), branch="refs/heads/light").check_failed("ENOTFOUND")
    world.make(repo=daemon.url("repo"), branch="blob").check_failed("ENOTFOUND", "no commit")


def takes_the_branch_that_head_names(world):
    repository = world.repository()
    commit = repository.commit({"file": "x"}, branch="trunk")
    other = repository.commit({"file": "y"}, branch="other")
    daemon = world.serve(GitDaemon(world.repos))
    git(repository.path, "symbolic-ref", "HEAD", "refs/heads/trunk")
    for keys in {}, {"branch": ""}:
        made = world.make(repo=daemon.url("repo"), **keys)
        check_equal((made.get("branch"), made.get("commit")), ("trunk", commit), "branch, commit")
    # HEAD at a commit alone, as in a clone of a tag.
    git(repository.path, "update-ref", "--no-deref", "HEAD", other)
    made = world.make(repo=daemon.url("repo"))
    check_equal((made.get("branch"), made.get("commit")), ("", other), "branch, commit")
    check_stands_alone(world, made, None)
    git(repository.path, "symbolic-ref", "HEAD", "refs/heads/nowhere")
    world.make(repo=daemon.url("repo")).check_failed("ENOTFOUND", "HEAD")


def says_that_a_repository_is_empty(world):
    world.repository()
    daemon = world.serve(GitDaemon(world.repos))
    world.make(repo=daemon.url("repo")).check_failed("ENOTFOUND", "empty")
    world.make(repo=daemon.url("repo"), branch="main").check_failed("ENOTFOUND", "'main'")


def finds_a_commit_in_the_history_of_its_branch(world):
    repository = world.repository()
    commits = repository.history(1200)
    git(repository.path, "tag", "-a", "-m", "x", "noted", commits[3])
    tag = git(repository.path, "rev-parse", "noted")
    git(repository.path, "branch", "stray", commits[2])
    stray = repository.commit({"file": "stray"}, branch="stray")
    daemon = world.serve(GitDaemon(world.repos))
    url = daemon.url("repo")
    for number in 0, 5, 70, 1199:
        commit = commits[number]
        for spelling in commit, commit[:20].upper():
            made = world.make(repo=url, branch="main", commit=spelling)
            check_equal((made.get("commit"), made.get("branch")), (commit, "main"), "commit")
        check_equal(made.content(), f"file {1199 - number}\n", "file")
        every = git(made.folder, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)")
        check_equal(every.split().count("commit"), 1, "commits")
        made.end()
    made = world.make(repo=url, commit=commits[9])
    check_stands_alone(world, made, "main")
    made.end()
    # One that is there, but elsewhere; even where the mirror has it; a tag is none.
    world.make(repo=url, branch="stray", commit=commits[9]).end()
    world.make(repo=url, branch="noted").end()
    for commit in stray, "0" * 40, tag, "0" * 64:
        world.make(repo=url, branch="main", commit=commit).check_failed("ENOTFOUND", commit)
    for commit in "main", "HEAD", "abc", "--all", commits[0] + "^", "":
        world.make(repo=url, branch="main", commit=commit).check_failed("EINPUT", "hexadecimal")


def notices_that_a_branch_is_gone(world):
    repository = world.repository()
    repository.commit({"file": "x"}, branch="topic")
    daemon = world.serve(GitDaemon(world.repos))
    world.make(repo=daemon.url("repo"), branch="topic").end()
    git(repository.path, "branch", "-D", "topic")
    world.make(repo=daemon.url("repo"), branch="topic").check_failed("ENOTFOUND", "'topic'")
    # A folder of branches may take its place.
    repository.commit({"file": "y"}, branch="topic/one")
    before = world.mirror_id()
    made = world.make(repo=daemon.url("repo"), branch="topic/one")
    check_equal(made.content(), "y", "file")
    check_equal(world.mirror_id(), before, "mirror")
    world.make(repo=daemon.url("missing")).check_failed("ENOTFOUND", "git://")
    shutil.rmtree(repository.path)
    world.make(repo=daemon.url("repo"), branch="topic/one").check_failed("ENOTFOUND")


def takes_names_of_all_kinds(world):
    repository = world.repository("ein wunderschönes repo.git")
    long = "/".join(["n" * 200] * 4)
    names = ["größer/日本", "a'b\"c$d`e;f&g|h", "100%", "@foo", "x#y!z", long]
    for name in names:
        repository.commit({"file": name}, branch=name)
    daemon = world.serve(GitDaemon(world.repos))
    for name in names:
        made = world.make(repo=daemon.url("ein wunderschönes repo.git"), branch=name)
        check_equal((made.get("branch"), made.content()), (name, name), "branch, file")
        check_equal(git(made.folder, "symbolic-ref", "--short", "HEAD"), name, "git's branch")
        made.end()


def takes_a_local_repository_only_where_it_is_allowed(world):
    repository = world.repository("with blank")
    repository.commit({"file": "x"})
    for address in f"file://{repository.path}", str(repository.path):
        world.make(repo=address).check_failed("EINPUT", "'file' is not allowed")
        made = world.make(repo=address, allow="file")
        check_equal(made.content(), "x", "file")
    world.make(repo="../with blank", allow="file").check_failed("EINPUT", "absolute")
    world.make(repo=str(world.folder), allow="file").check_failed("ENOTFOUND")


def takes_repositories_of_sha256(world):
    repository = world.repository("repo", "--object-format=sha256")
    commit = repository.commit({"file": "x"})
    daemon = world.serve(GitDaemon(world.repos))
    for keys in {}, {"branch": "main"}, {"commit": commit}:
        made = world.make(repo=daemon.url("repo"), **keys)
        check_equal(made.get("commit"), commit, "commit")
    check_stands_alone(world, made, "main")


def takes_a_shallow_repository(world):
    source = world.repository()
    source.history(10)
    git("/", "clone", "-q", "--bare", "--depth=3", f"file://{source.path}", world.repos / "shallow")
    daemon = world.serve(GitDaemon(world.repos))
    made = world.make(repo=daemon.url("shallow"), branch="main")
    check_equal(made.content(), "file 9\n", "file")
    commits = git(world.repos / "shallow", "rev-list", "main").split()
    made = world.make(repo=daemon.url("shallow"), branch="main", commit=commits[-1])
    check_equal(made.get("commit"), commits[-1], "commit")


def uses_ssh_keys_as_git_finds_them(world):
    repository = world.repository()
    commit = repository.commit({"file": "x"})
    (world.folder / "ssh").mkdir()
    sshd = world.serve(Sshd(world.folder / "ssh"))
    url = f"ssh://root@127.0.0.1:{sshd.port}{repository.path}"
    # By the environment, and by the configuration.
    world.environment["GIT_SSH_COMMAND"] = sshd.command()
    check_equal(world.make(repo=url).get("commit"), commit, "commit")
    del world.environment["GIT_SSH_COMMAND"]
    world.configure(f"[core]\n\tsshCommand = {sshd.command()}\n")
    check_equal(world.make(repo=url, branch="main").get("commit"), commit, "commit")
    world.make(repo=f"{url}-not", branch="main").check_failed("ENOTFOUND", "git repository")
    # A key that the server does not know: it would take a password.
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                    world.folder / "ssh/stranger"], check=True)
    world.configure(f"[core]\n\tsshCommand = {sshd.command('stranger')}\n")
    world.make(repo=url).check_failed("ENOTFOUND", "Permission denied")


def has_ssh_ask_nobody(world):
    """Without a program of the user's, the first `ssh` on PATH gets BatchMode."""
    (world.folder / "bin").mkdir()
    ssh = world.folder / "bin/ssh"
    ssh.write_text(f'#!/bin/sh\nprintf "%s " "$@" >{world.folder}/said\nexit 255\n',
                   encoding="utf-8")
    ssh.chmod(0o755)
    world.environment["PATH"] = f"{world.folder}/bin:{os.environ['PATH']}"
    world.make(repo="user@host:path").check_failed("EUNAVAIL")
    said = (world.folder / "said").read_text(encoding="utf-8")
    check("-oBatchMode=yes" in said and "user@host" in said, said)


def uses_credential_helpers_as_git_finds_them(world):
    repository = world.repository()
    commit = repository.commit({"file": "x"})
    web = world.serve(Web(world.repos, login="me:pass word"))
    stored = world.home / "stored"
    stored.write_text(f"http://me:pass%20word@{web.host}\n", encoding="utf-8")
    world.configure(f"[credential]\n\thelper = store --file={stored}\n")
    for login in "", "me":
        made = world.make(repo=web.url("repo", login))
        check_equal(made.get("commit"), commit, "commit")
        check_equal(git(made.folder, "remote", "get-url", "origin"), web.url("repo"), "origin")


def checks_out_over_http(world):
    repository = world.repository("grün")
    commit = repository.commit({"file": "x"})
    web = world.serve(Web(world.repos))
    made = world.make(repo=web.url("gr%C3%BCn"))
    check_equal(made.get("commit"), commit, "commit")
    world.make(repo=web.url("missing")).check_failed("ENOTFOUND", "not found")
    # A server may send us on, as git follows it.
    other = world.serve(Web(world.repos, target=web.url("")[:-1]))
    made = world.make(repo=other.url("redirect/gr%C3%BCn"))
    check_equal(made.get("commit"), commit, "commit")


def takes_servers_that_know_no_shallow_clones(world):
    repository = world.repository()
    commits = repository.history(5)
    git(repository.path, "update-server-info")
    web = world.serve(Web(world.repos))
    web.has_only_files = True
    for keys in {"branch": "main"}, {}, {"commit": commits[3]}:
        made = world.make(repo=web.url("repo"), **keys)
        check_equal(made.get("commit"), keys.get("commit", commits[0]), "commit")
    check_stands_alone(world, made, "main")


def adds_submodules_when_asked(world):
    inner = world.repository("inner")
    old = inner.commit({"deep": "deep file"})
    inner.commit({"deep": "newer"})
    middle = world.repository("middle")
    link = middle.commit({"file": "middle", "in": ("160000", old),
                          ".gitmodules": '[submodule "in"]\n\tpath = in\n\turl = ../inner\n'})
    outer = world.repository("outer")
    outer.commit({"file": "outer", "sub": ("160000", link),
                  ".gitmodules": '[submodule "sub"]\n\tpath = sub\n\turl = ../middle\n'})
    web = world.serve(Web(world.repos, login="me:secret"))
    url = web.url("outer", "me:secret")
    made = world.make(repo=url)
    check_equal(list((made.folder / "sub").iterdir()), [], "submodule that nobody asked for")
    made = world.make(repo=url, submodules="yes")
    check_equal(made.content("sub/file"), "middle", "file")
    check_equal(made.content("sub/in/deep"), "deep file", "file")
    check_equal(git(made.folder, "status", "--porcelain"), "", "git status")
    for path in made.folder.rglob("*"):
        check(not path.is_file() or b"secret" not in path.read_bytes(), f"a password in {path}")
    made.end()
    check_equal(made.folder.exists(), False, "left behind")


def make_large(world):
    """Make a repository with a large file, and give it and the content."""
    large = world.repos / "large"
    content = os.urandom(100000)
    git("/", "init", "-q", "-b", "main", large)
    git(large, "lfs", "install", "--local")
    git(large, "lfs", "track", "*.bin")
    (large / "big.bin").write_bytes(content)
    git(large, "add", "-A")
    git(large, "commit", "-qm", "x")
    return large, content


def adds_large_files_when_asked(world):
    large, content = make_large(world)
    web = world.serve(Web(world.repos, login="me:secret"))
    web.large[hashlib.sha256(content).hexdigest()] = content
    url = web.url("large/.git", "me:secret")
    # Even where the user's git would fetch them with every checkout.
    world.configure('[filter "lfs"]\n\tsmudge = git-lfs smudge -- %f\n'
                    "\tprocess = git-lfs filter-process\n\trequired = true\n")
    made = world.make(repo=url)
    check(made.content("big.bin").startswith("version https://git-lfs"), "not a pointer")
    for _ in range(2):
        made = world.make(repo=url, lfs="yes")
        check((made.folder / "big.bin").read_bytes() == content, "not the content")
        check_equal(git(made.folder, "-c", "filter.lfs.process=git-lfs filter-process", "status",
                        "--porcelain"), "", "git status")
        check_equal((made.folder / "big.bin").stat().st_nlink, 1, "links")
        # The second is from the mirror.
        web.large.clear()
    made = world.make(repo=f"file://{large}", allow="file", lfs="yes")
    check((made.folder / "big.bin").read_bytes() == content, "not the content")


def takes_large_files_only_from_where_it_may(world):
    large, _ = make_large(world)
    git(large, "config", "--file", ".lfsconfig", "lfs.url", f"file://{large}")
    git(large, "add", "-A")
    git(large, "commit", "-qm", "x")
    daemon = world.serve(GitDaemon(world.repos))
    world.make(repo=daemon.url("large"), lfs="yes").check_failed("EINPUT", ".lfsconfig", "'file'")
    world.make(repo=daemon.url("large")).end()


TESTS = [checks_out_a_branch, checks_out_what_is_new_from_the_mirror, finds_tags_behind_branches,
         takes_the_branch_that_head_names, says_that_a_repository_is_empty,
         finds_a_commit_in_the_history_of_its_branch, notices_that_a_branch_is_gone,
         takes_names_of_all_kinds, takes_a_local_repository_only_where_it_is_allowed,
         takes_repositories_of_sha256, takes_a_shallow_repository, uses_ssh_keys_as_git_finds_them,
         has_ssh_ask_nobody, uses_credential_helpers_as_git_finds_them, checks_out_over_http,
         takes_servers_that_know_no_shallow_clones, adds_submodules_when_asked,
         adds_large_files_when_asked, takes_large_files_only_from_where_it_may]


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[1], TESTS, sys.argv[2:]))
