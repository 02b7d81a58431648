#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A shell where a stage runs, by a real terminal, and what --keep keeps.

    test_shell.py PROGRAM [CASE…]
"""

import signal
import subprocess

from builds import IMAGE
from support import (LABEL_PROJECT, WAIT_SECONDS, WIRES, check, check_equal, engine, finish,
                     main_of_cases, next_event, place_of, wait_until, with_label)
from console import terminal

MANIFEST = IMAGE + """
environment: {vars: [GREETING=hello, TOKEN], secrets: [TOKEN]}
stages: [build, test, deploy]
prepare: {script: ['echo made > /prepared']}
build: {script: [echo building >> built]}
test:
  workdir: sub
  user: builder
  shell: [bash-debian, -eu]
  when: {branch: none}
  timeout: 1s
  environment: [OWN=mine]
  services:
    - {image: 'buildr-test:server', alias: web, ready: {port: 8080}}
  script: [false]
deploy:
  image: buildr-test:bare
  needs: []
  script: [[/echo, hi]]
"""
TOKEN = {"TOKEN": "s3cret-t0ken"}


def containers_of(place):
    return with_label("containers", f"{LABEL_PROJECT}={place.project}")


def project(program):
    return place_of(program, MANIFEST)


def a_shell_has_what_its_stage_has(program, wire):
    with project(program) as place, terminal() as at:
        (place.project / "sub").mkdir()
        at.start(place, "shell", "test", wire=wire, env=TOKEN)
        at.expect_shell()
        at.ask("cat /prepared", "made")
        at.ask("echo $GREETING $OWN $BUILDR_STAGE $TOKEN $TERM $PWD $(id -un) .",
               "hello mine test s3cret-t0ken dumb /app/sub builder .")
        at.ask("wget -q -O - http://web:8080/passwd | head -n 1", "root:x:0:0")
        at.ask("stty size </dev/tty", "30 90\r\n")
        at.resize(72, 21)
        # SIGWINCH reaches buildr in its time, and then the shell.
        at.ask("until [ \"$(stty size)\" = '21 72' ]; do :; done; echo is $(stty size)",
               "is 21 72")
        check(not (place.project / "built").exists(), "what it needs has run")
        # A mistake does not end it, in spite of `-eu`.
        at.ask("false; echo $nothing; echo still", "still")
        at.ask("exit", "")
        check_equal(at.finish(), 0, "exit status")
        check(at.is_as_before(), "the terminal is not as it was")


def jobs_are_controlled_by_keys(program, wire):
    with project(program) as place, terminal() as at:
        at.start(place, "shell", wire=wire, env=TOKEN)
        at.expect_shell()
        at.ask("sleep 1000 &\necho bg$((1))", "bg1")
        at.ask("cat", "")
        at.ask("ping", "ping")
        at.type("\032")
        at.expect("Stopped")
        at.expect("$ ")
        at.ask("jobs; echo has$((1))", "sleep 1000")
        at.expect("has1")
        at.ask("fg %2", "cat")
        at.ask("pong", "pong")
        at.type("\003")
        at.expect("$ ")
        at.ask("echo status $?", "status 130")
        at.ask("kill %1; wait; echo gone$((1))", "gone1")
        # Behind this prompt, since ^D means nothing to who reads a line already typed.
        at.expect("$ ")
        # The end of the input is the shell's, too.
        at.ask("(exit 7)", "$ ")
        at.type("\004")
        check_equal(at.finish(), 1, "exit status")
        check(at.is_as_before(), "the terminal is not as it was")


def commands_come_from_stdin_where_it_is_no_terminal(program, wire):
    with project(program) as place:
        ran = place.run("shell", "--needs", "build", wire=wire, env=TOKEN,
                        stdin=write("echo $BUILDR_STAGE $(cat /prepared); echo oh >&2\n"
                                    "test -t 0 || exit 9\n"))
        check_equal((ran.status, ran.stdout), (1, b"build made\n"), "the shell")
        check(b"oh\n" in ran.stderr, f"stderr: {ran.stderr!r}")
        big = "x" * 300000
        ran = place.run("shell", "-q", wire=wire, env=TOKEN,
                        stdin=write(f"wc -c <<END\n{big}\nEND\n"))
        check_equal((ran.status, ran.stdout, ran.stderr), (0, b"300001\n", b""), "the shell")


def write(text):
    """Give the end of a pipe from which the text comes."""
    return subprocess.Popen(["printf", "%s", text] if len(text) < 1000 else
                            ["sh", "-c", "printf 'wc -c <<END\\n'; "
                             "head -c 300000 /dev/zero | tr '\\0' x; printf '\\nEND\\n'"],
                            stdout=subprocess.PIPE).stdout


def what_the_stage_needs_runs_on_request(program, wire):
    with project(program) as place:
        (place.project / "sub").mkdir()
        ran = place.run("shell", "--needs", "test", wire=wire, env=TOKEN,
                        stdin=write("cat ../built"))
        check_equal((ran.status, ran.stdout), (0, b"building\n"), "the shell")


def nothing_is_opened_for_what_makes_no_sense(program, wire):
    with project(program) as place:
        for arguments, text in ((["tset"], "did you mean 'test'"), (["*"], "one stage"),
                                (["a", "b"], "no argument like 'b'")):
            ran = place.run("shell", *arguments, wire=wire, env=TOKEN)
            check_equal((ran.status, ran.stdout), (2, b""), f"shell {arguments}")
            check(text in ran.stderr.decode(), f"{arguments}: {ran.stderr!r}")
        ran = place.run("shell", "deploy", wire=wire, env=TOKEN)
        check_equal(ran.status, 1, "in an image without a shell")
        check(b"stage 'deploy': shell 'sh': No such file" in ran.stderr, f"{ran.stderr!r}")
        place.manifest(MANIFEST.replace("echo made > /prepared", "exit 5"))
        ran = place.run("shell", wire=wire, env=TOKEN)
        check_equal((ran.status, ran.stdout), (3, b""), "after a prepare that fails")


def kill_9_in_a_shell_leaves_nothing_and_a_good_terminal(program, wire):
    with project(program) as place, terminal() as at:
        at.start(place, "shell", wire=wire, env=TOKEN)
        at.expect_shell()
        at.ask("trap '' HUP; echo on$((1)); sleep 1000", "on1")
        at.process.kill()
        at.process.wait()
        place.check_clean()
        wait_until(at.is_as_before, WAIT_SECONDS, "the terminal to be as it was")


def sigterm_in_a_shell_ends_it(program, wire):
    with project(program) as place, terminal() as at:
        at.start(place, "shell", wire=wire, env=TOKEN)
        at.expect_shell()
        at.ask("trap '' HUP TERM; echo on$((1)); cat", "on1")
        at.process.send_signal(signal.SIGTERM)
        check_equal(at.finish(), 143, "exit status")
        check(at.is_as_before(), "the terminal is not as it was")


def what_goes_away_under_a_shell_is_told(program, wire):
    with project(program) as place, terminal() as at:
        (place.project / "sub").mkdir()
        at.start(place, "shell", "test", wire=wire, env=TOKEN)
        at.expect_shell()
        server = engine("GET", "/images/buildr-test:server/json")["Id"]
        own, = (each["Id"] for each in containers_of(place) if each["ImageID"] != server)
        web, = (each["Id"] for each in containers_of(place) if each["ImageID"] == server)
        engine("DELETE", f"/containers/{web}?force=1")
        check("\r\n" in at.expect("service 'web': ")[-30:], "it stands in the shell's line")
        check(at.expect("\n").endswith("\r"), "the next line begins below its end")
        at.ask("echo still", "still")
        engine("DELETE", f"/containers/{own}?force=1")
        check_equal(at.finish(), 3, "exit status")
        # Which of the two it is depends on what the engine knows by then.
        check(b"error: the container was ended" in at.shown or
              b"error: the connection to the container" in at.shown, f"{at.shown[-1000:]!r}")
        check(at.is_as_before(), "the terminal is not as it was")


FAILING = IMAGE + """
stages: [one, two, tidy, never]
one:
  script: [echo first > /left; mkdir -p here; cd here; exit 3]
  environment: [WHICH=one]
  services:
    - {image: 'buildr-test:server', alias: web, ready: {port: 8080}}
two:
  needs: []
  image: buildr-test:configured
  environment: [WHICH=two]
  script: [echo second >> /tmp/left; exit 4]
tidy:
  needs: [one]
  when: {status: failure}
  script: [echo tidied $WHICH]
never: {needs: [one], script: [echo never]}
"""


def a_shell_is_opened_where_a_stage_has_failed(program, wire):
    with place_of(program, FAILING) as place, terminal() as at:
        # One at a time, so that another is ready when the first has failed.
        at.start(place, "run", "--shell-on-fail", "-j", "1", wire=wire,
                 env={"TERM": "xterm" if wire == "socket" else "dumb"})
        for number in range(2):
            which = "one" if "'one'" in at.expect(" has failed: a shell")[-10:] else "two"
            start = at.seen
            if number == 0:
                check(at.shown.count(b"==> stage") == 2, "another one has begun")
            at.expect_shell()
            at.ask("echo $WHICH $(cat /left /tmp/left) . $PWD",
                   {"one": "one first . /app", "two": "two second . /app"}[which])
            if which == "one":
                at.expect("$ ")
                at.ask("wget -q -O - http://web:8080/passwd | head -n 1", "root:x:0:0")
            # Of the keys that come at once with ^C a terminal forgets some.
            at.expect("$ ")
            # It is the shell's, and not what stops the build.
            at.type("\003")
            at.expect("$ ")
            at.ask("exit 9", "the shell has ended, and the build goes on")
            # In the live view, too, which shows what waits and what runs.
            meanwhile = at.shown[start:at.seen]
            check(b"==> stage" not in meanwhile and b"waiting" not in meanwhile,
                  f"something runs, or is shown, meanwhile: {meanwhile!r}")
        check(at.finish() == 1 and b"| tidied" in at.shown, f"{at.shown[-2000:]!r}")
        check_equal(at.finish(), 1, "exit status")
        check(at.is_as_before(), "the terminal is not as it was")


def a_build_that_is_stopped_in_a_shell_ends(program, wire):
    manifest = FAILING.replace("WHICH=two]", "WHICH=two]\n  retry: 1")
    with place_of(program, manifest) as place, terminal() as at:
        at.start(place, "run", "--shell-on-fail", "--only", "two", wire=wire)
        # Not before it has failed for good.
        check("attempt 2 failed" in at.expect(" has failed: a shell"), "no other attempt")
        at.expect_shell()
        at.process.send_signal(signal.SIGINT)
        check_equal(at.finish(), 130, "exit status")
        check_equal(at.shown.count(b" has failed: a shell"), 1, "shells")
        check(at.is_as_before(), "the terminal is not as it was")


def without_a_terminal_no_shell_is_opened(program, wire):
    with place_of(program, FAILING) as place:
        ran = place.run("run", "--shell-on-fail", "--only", "one", wire=wire)
        check_equal(ran.status, 1, "exit status")
        check(b"needs a terminal" in ran.stderr and b"a shell in" not in ran.stderr,
              f"{ran.stderr!r}")


# What --keep keeps.

KEPT = IMAGE + """
environment: {vars: [TOKEN, "OWN=a b"], secrets: [TOKEN]}
stages: [pass, one, two]
pass:
  image: buildr-test:server
  script: ["true"]
one:
  needs: []
  user: builder
  services:
    - {image: 'buildr-test:server', alias: web, ready: {port: 8080}}
  script: [echo first > /tmp/left; sleep 1000 & exit 3]
two:
  needs: [pass]
  image: buildr-test:configured
  workdir: sub
  script: [echo second > /tmp/left; exit 4]
"""


def notice(said, start):
    """Give what stands behind the start of a notice, once for each."""
    return [line.split(start, 1)[1] for line in said.splitlines() if start in line]


def enter(command, text):
    """Run what was printed, with commands instead of a terminal; give what it says."""
    return subprocess.run(command.replace("exec -it", "exec -i"), shell=True, text=True,
                          input=text, capture_output=True, check=True, timeout=60).stdout


def what_has_failed_is_kept(program, wire):
    with place_of(program, KEPT) as place:
        (place.project / "sub").mkdir()
        ran = place.run("run", "--keep", wire=wire, env=TOKEN)
        said = ran.stderr.decode()
        check(ran.status == 1 and TOKEN["TOKEN"] not in said, f"{ran.status} {said}")
        one, two = sorted(notice(said, "to enter it: "), key=lambda line: "STAGE=two" in line)
        removal, = notice(said, "to remove what is kept: ")
        # One of the two is the anchor; the third is the service.
        wait_until(lambda: len(containers_of(place)) <= 3 and not place.left_processes(),
                   WAIT_SECONDS, "what is not kept to go")
        check_equal(len(containers_of(place)), 3, "containers that are kept")
        # Its status is about what other tests have left as well.
        place.run("gc", wire=wire)
        check_equal(len(containers_of(place)), 3, "containers that are kept")
        seen = enter(one, "cat /tmp/left; id -un; echo $OWN; pidof sleep >/dev/null && echo sleeps\n"
                          "wget -q -O - http://web:8080/passwd | head -n 1\n")
        check_equal(seen, "first\nbuilder\na b\nsleeps\nroot:x:0:0:root:/root:/bin/sh\n", "one")
        check_equal(enter(two, "pwd; cat /tmp/left"), "/app/sub\nsecond\n", "two")
        place.run("gc", "--kept", "another", wire=wire)
        check_equal(len(containers_of(place)), 3, "containers that are kept")
        place.shell(removal, wire)


def nothing_is_kept_of_what_passed_or_was_stopped(program, wire):
    manifest = KEPT + 'slow: {needs: [], script: [echo ready; sleep 1000]}\n'
    with place_of(program, manifest) as place:
        check_equal(place.run("run", "--keep", "pass", wire=wire, env=TOKEN).status, 0, "pass")
        stopped = [(place.start("run", "--keep", "-o", "json", "one", "slow", wire=wire,
                                env=TOKEN), number, status)
                   for number, status in ((signal.SIGTERM, 143), (signal.SIGKILL, -9))]
        for process, number, status in stopped:
            wanted = {"one", "ready"}
            while wanted:
                event = next_event(process, lambda event: event["type"] in (
                    "stage.finished", "output"))
                wanted -= {event["stage"] if event["type"] == "stage.finished" else "ready"}
            process.send_signal(number)
        for process, number, status in stopped:
            check_equal(finish(process).status, status, "exit status")


# The longest first, so that none of them is alone at the end.
CASES = [(function.__name__, function, wires) for function, wires in (
    (what_has_failed_is_kept, WIRES),
    (nothing_is_kept_of_what_passed_or_was_stopped, WIRES[1:]),
    (what_goes_away_under_a_shell_is_told, WIRES[:1]),
    (a_shell_is_opened_where_a_stage_has_failed, WIRES),
    (a_shell_has_what_its_stage_has, WIRES),
    (what_the_stage_needs_runs_on_request, WIRES[:1]),
    (without_a_terminal_no_shell_is_opened, WIRES[:1]),
    (kill_9_in_a_shell_leaves_nothing_and_a_good_terminal, WIRES),
    (commands_come_from_stdin_where_it_is_no_terminal, WIRES[1:]),
    (sigterm_in_a_shell_ends_it, WIRES[1:]),
    (nothing_is_opened_for_what_makes_no_sense, WIRES[:1]),
    (jobs_are_controlled_by_keys, WIRES[1:]),
    (a_build_that_is_stopped_in_a_shell_ends, WIRES[:1]),
)]

if __name__ == "__main__":
    main_of_cases(CASES, jobs=8)
