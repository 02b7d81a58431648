#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Builds that take more than a folder to describe.

    test_cases.py PROGRAM [CASE…]
"""

import hashlib
import json
import os
import stat
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from support import (SOCKET, WIRES, all_with_label, check, check_equal, engine, finish,
                     is_podman, main_of_cases, next_event, output_of, place_of, says, wait_until)

HELLO = """
image: buildr-test:latest
stages: [hello]
hello:
  script: [pwd, cat file, echo made > made]
"""


def check_passed(result):
    check(result.status == 0, f"exit status {result.status}: "
          f"{result.stderr[-2000:]!r} {result.stdout[-2000:]!r}")


def odd_project_paths(program, wire):
    for name in ("with spaces", "a:colon", "a,comma,ro", "line\nbreak", "quo\"te'd",
                 "ünïcödé", os.fsdecode(b"not-utf-8-\xff\xfe"), "-dash", "x" * 200):
        with place_of(program, HELLO, name) as place:
            (place.project / "file").write_text("content\n")
            result = place.run("run", "--output", "json", wire=wire)
            check_passed(result)
            check_equal(result.output(), b"/app\ncontent\n", f"output in {name!r}")
            check_equal((place.project / "made").read_text(), "made\n", "the file made")


def a_manifest_found_from_below(program, wire):
    with place_of(program, HELLO) as place:
        (place.project / "file").write_text("content\n")
        below = place.project / "a" / "b"
        below.mkdir(parents=True)
        check_passed(place.run("run", "--output", "json", wire=wire, cwd=below))
        check((place.project / "made").exists(), "nothing was made")


# Bytes.


def every_byte_comes_out(program, wire):
    """64 MB of anything, through JSON, and the streams are not mixed."""
    size = 64 * 1024 * 1024
    manifest = """
image: buildr-test:latest
stages: [much]
much:
  script: [cat data, cat data >&2]
"""
    with place_of(program, manifest) as place:
        block = hashlib.sha512(b"seed").digest() * 1024
        wanted = hashlib.sha256()
        with open(place.project / "data", "wb") as file:
            for number in range(size // len(block)):
                piece = number.to_bytes(8, "big") + block[8:]
                file.write(piece)
                wanted.update(piece)
        process = place.start("run", "--output", "json", wire=wire)
        seen = {"stdout": hashlib.sha256(), "stderr": hashlib.sha256()}
        status = None
        for line in process.stdout:
            event = json.loads(line)
            if event["type"] == "output":
                seen[event["stream"]].update(output_of([event]))
        status = finish(process).status
        check_equal(status, 0, "exit status")
        for stream, digest in seen.items():
            check_equal(digest.hexdigest(), wanted.hexdigest(), f"SHA-256 of {stream}")


def a_line_of_ten_megabytes(program, wire):
    manifest = """
image: buildr-test:latest
stages: [long]
long:
  script: [head -c 10000000 /dev/zero | tr '\\\\0' x]
""".replace("\\\\", "\\")
    with place_of(program, manifest) as place:
        result = place.run("run", "--output", "json", wire=wire)
        check_passed(result)
        check_equal(len(result.output()), 10000000, "bytes")
        plain = place.run("run", "--output", "plain", wire=wire)
        check_passed(plain)
        check(plain.stdout.count(b"x") >= 10000000, "the plain view has cut the line")


def bytes_that_are_no_text(program, wire):
    manifest = r"""
image: buildr-test:latest
stages: [bytes]
bytes:
  script:
    - printf 'a\0b'
    - printf '\377\376'
    - printf '\303'; printf '\251'
    - printf 'end \342\202'
"""
    with place_of(program, manifest) as place:
        result = place.run("run", "--output", "json", wire=wire)
        check_passed(result)
        check_equal(result.output(), b"a\0b\xff\xfe\xc3\xa9end \xe2\x82", "output")
        pieces = result.of_type("output")
        check(all(("text" in piece) != ("base64" in piece) for piece in pieces), pieces)
        whole = [piece for piece in pieces if piece["step"] == 3]
        check_equal([piece.get("text") for piece in whole], ["é"], "a character in two writes")


def a_full_stdout(program, wire):
    with place_of(program, HELLO) as place, open("/dev/full", "wb") as full:
        (place.project / "file").write_text("content\n")
        process = place.start("run", "--output", "json", wire=wire, stdout=full)
        check_equal(finish(process).status, 3, "exit status")


def a_reader_of_one_line(program, wire):
    with place_of(program, HELLO.replace("cat file", "yes")) as place:
        result = place.shell("{ buildr run --output json; echo $? >status; } | head -n 1", wire)
        check_equal(len(result.events), 1, "lines")
        check_equal((place.project / "status").read_text(), "3\n", "exit status")


def a_timeout_of_the_build(program, wire):
    manifest = """
image: buildr-test:latest
stages: [slow, after]
slow:
  script: [sleep 1000]
after:
  script: [echo never]
"""
    with place_of(program, manifest) as place:
        result = place.run("run", "--output", "json", "--timeout", "4s", wire=wire)
        check_equal(result.status, 1, "exit status")
        check_equal(result.events[-1]["result"], "fail", "the build's result")
        check_equal(result.events[-1]["stages"]["after"], "skipped", "the stage after it")
        # On a machine so slow that the container is not there in time there is none.
        for event in result.of_type("stage.finished"):
            check_equal((event["result"], event["reason"]), ("fail", "timeout"), "the stage")


def limits_hold_or_are_refused(program, wire):
    """An engine without root and without cgroups of its own takes limits and forgets them."""
    manifest = """
image: buildr-test:latest
limits: {pids: 100}
stages: [hello]
hello:
  script: [echo hello]
"""
    info = engine("GET", "/info")
    is_rootless = info.get("Rootless") or "name=rootless" in info["SecurityOptions"]
    with place_of(program, manifest) as place:
        result = place.run("run", "--output", "json", wire=wire)
        if is_rootless and info["CgroupVersion"] == "1":
            check_equal(result.status, 3, "exit status")
            check(b"limits have no effect" in result.stdout, f"it says {result.stdout!r}")
        else:
            check_passed(result)


# Secrets, and what the engine is told.


def the_engine_learns_no_secret(program, wire):
    manifest = """
image: buildr-test:latest
environment:
  vars: [TOKEN, PLAIN=visible-only-inside]
  secrets: [TOKEN]
stages: [slow]
slow:
  script: ['echo "$TOKEN"; echo ready; sleep 1000']
"""
    with place_of(program, manifest) as place:
        process = place.start("run", "--output", "json", wire=wire,
                              env={"TOKEN": "correct-horse-battery"})
        try:
            event = next_event(process, says("ready"))
            (_, container), = all_with_label(f"io.buildr.build={event['build']}")
            # The step may speak before the engine has said that the container runs.
            wait_until(lambda: engine("GET", f"/containers/{container}/json")["State"]["Running"],
                       60, "the engine to say that the container runs")
            inspected = json.dumps(engine("GET", f"/containers/{container}/json"))
            check("correct-horse" not in inspected, "the container shows the secret")
            check("visible-only-inside" not in inspected, "the container shows a variable")
            host = json.loads(inspected)["HostConfig"]
            check_equal((host["AutoRemove"], host["LogConfig"]["Type"]), (True, "none"),
                        "automatic removal and log driver")
            labels = json.loads(inspected)["Config"]["Labels"]
            check_equal(labels["io.buildr.project"], str(place.project), "project label")
            check_equal(len(labels["io.buildr.owner"].split("/")), 4, "parts of the owner")
            for pid in engine("GET", f"/containers/{container}/top")["Processes"]:
                check("correct-horse" not in " ".join(pid), f"a command line shows it: {pid}")
        finally:
            process.terminate()
            result = finish(process)
        check(b"correct-horse" not in result.stdout + result.stderr, "the output shows it")


# Owners.


def tree_of(folder):
    """Owner and mode of everything under a folder."""
    return {str(path.relative_to(folder)): (path.lstat().st_uid, path.lstat().st_gid,
                                            stat.filemode(path.lstat().st_mode))
            for path in folder.rglob("*")}


def files_are_given_back(program, wire):
    """A caller that is not root owns what the build made, and nothing else changes."""
    uid, gid = 4321, 4322
    manifest = """
image: buildr-test:latest
stages: [as-root, as-builder, as-host]
as-root:
  script:
    - mkdir -p made/deep; echo x > made/deep/file; ln -s /etc/passwd made/link
    - echo more >> theirs
    - ln rooted made/hard-link; touch rooted
    - mkdir existing/new; chmod 640 mine
    - chmod 777 . existing
as-builder:
  user: builder
  script: [touch by-builder, mkdir -p made-by-builder/sub]
as-host:
  user: host
  script: [id -u; id -g; touch by-host]
"""
    with place_of(program, manifest) as place:
        project = place.project
        (project / "mine").write_text("mine\n")
        (project / "theirs").write_text("theirs\n")
        (project / "rooted").write_text("root's\n")
        (project / "existing").mkdir()
        for path in (project, project / "mine", project / "existing", place.tmp,
                     project / ".buildr.yml"):
            os.chown(path, uid, gid)
        os.chown(project / "theirs", 777, 778)
        place.top.chmod(0o755)
        result = finish(place.start_as(uid, gid, "run", "--output", "json", wire=wire))
        check_passed(result)
        check_equal(result.output("as-host"), f"{uid}\n{gid}\n".encode(), "user: host")
        after = tree_of(project)
        kept = {"theirs": (777, 778), "rooted": (0, 0), "made/hard-link": (0, 0)}
        for name, (owner, group, _) in after.items():
            check_equal((owner, group), kept.get(name, (uid, gid)), f"owner of {name}")
        check_equal(after["mine"][2], "-rw-r-----", "mode of mine")
        check_equal((project / "made/link").readlink(), Path("/etc/passwd"), "the link")


def the_caller_owns_what_was_made(program, wire):
    manifest = """
image: buildr-test:latest
stages: [as-root, as-host]
as-root:
  script: [mkdir by-root; touch by-root/file; chmod 777 .]
as-host:
  user: host
  script: [touch by-host; echo more >> mine]
"""
    with place_of(program, manifest) as place:
        (place.project / "mine").write_text("mine\n")
        check_passed(place.run("run", "--output", "json", wire=wire))
        for name, (owner, group, _) in tree_of(place.project).items():
            check_equal((owner, group), (os.geteuid(), os.getegid()), f"owner of {name}")


def a_socket_without_permission(program, wire):
    with place_of(program, HELLO) as place:
        place.project.chmod(0o755)
        command = ["setpriv", "--reuid=4321", "--regid=4322", "--clear-groups", "--",
                   str(place.public_copy()), "run", "--output", "plain"]
        result = finish(place.start_command(command, wire))
        check_equal(result.status, 3, "exit status")
        check(b"add the user to the group" in result.stderr, f"it says {result.stderr!r}")


def doctor_tries_the_wire(program, wire):
    """It starts a container, of which nothing stays, and pulls nothing."""
    with place_of(program, HELLO) as place:
        result = place.run("doctor", "-o", "json", wire=wire)
        lines = {line["name"]: line for line in json.loads(result.stdout)["lines"]}
        for name in ("engine", "api", "root", "wire", "init"):
            check(lines[name]["ok"], f"the line {lines[name]}")
        check("tried in a container of" in lines["wire"]["text"], f"{lines['wire']}")
        check("is spoken, of" in lines["api"]["text"], f"{lines['api']}")


def doctor_finds_the_wire_where_the_engine_sees_no_files(program, wire):
    """Its folder for temporary files is on a file system that only it has mounted."""
    script = 'mount -t tmpfs none "$TMPDIR" && exec buildr doctor -o json "$@"'
    with place_of(program, HELLO) as place:
        alone = ["unshare", "--mount", "sh", "-c", script, "sh"]
        result = finish(place.start_command(alone, wire))
        told, = (line for line in json.loads(result.stdout)["lines"] if line["name"] == "wire")
        check(told["ok"] and "the engine's streams" in told["text"], f"the line {told}")
        if is_podman():
            # It makes a folder that it does not see.
            return
        script = script.replace("&&", '&& mkdir "$TMPDIR/p" && cp .buildr.yml "$TMPDIR/p" &&')
        alone = ["unshare", "--mount", "sh", "-c", script, "sh", "-C", str(place.tmp / "p")]
        result = finish(place.start_command(alone, wire))
        check_equal(result.status, 3, "exit status where it does not see the project")
        told, = (line for line in json.loads(result.stdout)["lines"] if line["name"] == "wire")
        check(not told["ok"] and "does not see" in told["text"], f"the line {told}")


REPORTED = """
image: buildr-test:latest
stages: [good, bad]
good:
  script: ['true', 'true']
bad:
  script: ['echo "<&>"; false', 'true']
"""


def a_junit_report(program, wire):
    """It takes the place of the one before; where there can be none, nothing runs."""
    with place_of(program, REPORTED) as place:
        report = place.project / "report.xml"
        report.write_text("old")
        result = place.run("run", "-q", "--junit", "report.xml", wire=wire)
        check_equal(result.status, 1, "exit status")
        cases = [(case.get("classname"), case.get("name"), [each.tag for each in case])
                 for case in ElementTree.parse(report).iter("testcase")]
        check_equal(cases, [("good", "1: true", []), ("good", "2: true", []),
                            ("bad", '1: echo "<&>"; false', ["failure"]),
                            ("bad", "2", ["skipped"])], "the report")
        again = place.top / "again.xml"
        check_equal(place.run("log", "-q", "--junit", str(again)).status, 0, "exit status")
        check_equal(again.read_bytes(), report.read_bytes(), "the report from the log")
        place.run("log", "@1", "good", "--junit", str(again))
        check_equal([case.get("classname") for case in ElementTree.parse(again).iter("testcase")],
                    ["good", "good"], "the report of one stage")
        check_equal([path.name for path in place.project.glob("report*")], ["report.xml"],
                    "what is there")
        for path, status in (("none/report.xml", 2), (".", 2), ("/proc/self/status/x", 2)):
            result = place.run("run", "-o", "json", "--junit", path, wire=wire)
            check_equal((result.status, result.stdout), (status, b""), path)
            check(b"make the report" in result.stderr, f"it says {result.stderr!r}")
        result = place.run("run", "-q", "--only", "good", "--junit", "/dev/full", wire=wire)
        check_equal(result.status, 3, "exit status where it cannot be written")


BOTH = WIRES
ONE = WIRES[:1]
CASES = [
    (function.__name__, function, wires) for function, wires in (
        (odd_project_paths, BOTH),
        (a_manifest_found_from_below, ONE),
        (every_byte_comes_out, BOTH),
        (a_line_of_ten_megabytes, BOTH),
        (bytes_that_are_no_text, BOTH),
        (a_full_stdout, BOTH),
        (a_reader_of_one_line, BOTH),
        (a_timeout_of_the_build, BOTH),
        (limits_hold_or_are_refused, ONE),
        (the_engine_learns_no_secret, BOTH),
        (files_are_given_back, BOTH),
        (the_caller_owns_what_was_made, BOTH),
        (a_socket_without_permission, ONE),
        (doctor_tries_the_wire, ONE),
        (doctor_finds_the_wire_where_the_engine_sees_no_files, ONE),
        (a_junit_report, ONE),
    )
]

if __name__ == "__main__":
    main_of_cases(CASES)
