# SPDX-License-Identifier: MIT
"""Other runners of tasks that keep what tasks made, on the project of bench's cached builds.

turbo and nx come from the npm registry, into the folder of the bench; task is used where it is
installed. Each has its fastest fair settings: no telemetry, no view, the native program where
there is one, a daemon, and git, which turbo asks for hashes.
"""
import json
import os
import shutil
import subprocess

NAMES = [f"p{i}" for i in range(10)]
BUILD = "mkdir -p out && cat src/0/* >out/all"
QUIET = ("TURBO_TELEMETRY_DISABLED=1", "DO_NOT_TRACK=1", "NX_NO_CLOUD=true", "NX_TUI=false",
         "NX_DAEMON=true")
# Far more than any of them takes.
LIMIT_SECONDS = "300"


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def make_sources(folder, count):
    """Write `count` small files, a tenth of them for each task."""
    for name in NAMES:
        for i in range(count // len(NAMES)):
            write(folder, f"{name}/src/{i // 100}/{i}.txt", f"{name} {i}\n" * 20)


def manifest():
    """The ten tasks as stages."""
    stages = "".join(
        f"{name}:\n  needs: []\n  workdir: {name}\n  inputs: ['{name}/src/**']\n"
        f"  outputs: ['{name}/out/']\n  script: ['{BUILD}']\n" for name in NAMES)
    return f"stages: [{', '.join(NAMES)}]\n{stages}"


def describe(folder):
    """Write the same tasks as turbo, nx and task want them."""
    for name in NAMES:
        write(folder, f"{name}/package.json", json.dumps(
            {"name": name, "version": "1.0.0", "scripts": {"build": BUILD}}))
    write(folder, "package.json", json.dumps(
        {"name": "bench", "version": "1.0.0", "private": True, "packageManager": "npm@10.0.0",
         "workspaces": NAMES}))
    write(folder, "turbo.json", json.dumps(
        {"tasks": {"build": {"inputs": ["src/**"], "outputs": ["out/**"]}}}))
    write(folder, "nx.json", json.dumps({"analytics": False, "targetDefaults": {"build": {
        "cache": True, "inputs": ["{projectRoot}/src/**/*"],
        "outputs": ["{projectRoot}/out"]}}}))
    tasks = {name: {"dir": name, "sources": ["src/**/*"], "generates": ["out/all"],
                    "cmds": [BUILD]} for name in NAMES}
    write(folder, "Taskfile.yml", json.dumps(
        {"version": "3", "tasks": {"build": {"deps": NAMES}, **tasks}}))
    write(folder, ".gitignore", "node_modules\nout\n.turbo\n.nx\n.task\n")


def install(folder):
    """Have npm install turbo and nx in `folder`; give its node_modules, or None."""
    npm = shutil.which("npm")
    if not npm:
        print("turbo and nx | left out: there is no npm")
        return None
    os.makedirs(folder, exist_ok=True)
    done = subprocess.run([npm, "install", "--no-audit", "--no-fund", "--prefix", folder, "turbo",
                           "nx"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        print("turbo and nx | left out: npm install:", done.stderr.strip().splitlines()[-1:])
        return None
    return os.path.join(folder, "node_modules")


def link(folder, modules):
    """Have the project use what is installed, as if it were its own."""
    os.symlink(modules, os.path.join(folder, "node_modules"))
    subprocess.run(["npm", "install", "--package-lock-only", "--no-audit", "--no-fund",
                    "--offline"], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                   check=False)


def native_turbo(modules):
    """The program that turbo's own script looks for and starts."""
    platforms = os.path.join(modules, "@turbo")
    for platform in os.listdir(platforms) if os.path.isdir(platforms) else ():
        program = os.path.join(platforms, platform, "bin", "turbo")
        if os.access(program, os.X_OK):
            return program
    return os.path.join(modules, ".bin", "turbo")


def commands(folder, modules):
    """Give (name, argv) of each peer, ready to run in `folder`."""
    begin = ["env", "-C", folder, *QUIET, "timeout", LIMIT_SECONDS]
    found = []
    if modules:
        turbo, nx = native_turbo(modules), os.path.join(modules, ".bin", "nx")
        found += [("turbo", [*begin, turbo, "run", "build"]),
                  ("turbo --daemon", [*begin, turbo, "run", "build", "--daemon"]),
                  ("nx", [*begin, nx, "run-many", "-t", "build"])]
    if shutil.which("task"):
        found.append(("task", [*begin, "task", "build"]))
    else:
        print("task | left out: it is not installed")
    return found


def stop(folder, modules):
    """End the daemons that served `folder`."""
    if not modules:
        return
    for argv in ([native_turbo(modules), "daemon", "stop"],
                 [os.path.join(modules, ".bin", "nx"), "daemon", "--stop"]):
        subprocess.run(["env", "-C", folder, *QUIET, *argv], stdin=subprocess.DEVNULL,
                       capture_output=True, check=False)


def versions(modules):
    """Say which ones they are."""
    if not modules:
        return ""
    told = []
    for name in ("turbo", "nx"):
        with open(os.path.join(modules, name, "package.json"), encoding="utf-8") as file:
            told.append(f"{name} {json.load(file)['version']}")
    return ", ".join(told)
