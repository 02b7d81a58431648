# SPDX-License-Identifier: MIT
"""System calls, and how they can fail: for tests that have strace spoil one.

What calls a program makes is not written down anywhere: strace counts them first.
"""

import re
import subprocess

from faults import check

# The errors that a call can give of which the program must take notice. What is not named
# here gets ENOMEM, which nearly every call can give.
ERRORS = {
    "EMFILE ENOMEM": "open openat socket socketpair pipe pipe2 dup dup2 dup3 memfd_create "
                     "fcntl signalfd4 epoll_create1 timerfd_create accept4 eventfd2",
    "EINTR EIO EAGAIN": "read recvfrom recvmsg splice pread64",
    "EINTR EIO EAGAIN EPIPE": "write writev sendto sendmsg",
    "EIO ENOSPC": "fsync ftruncate mkdir symlink link rename",
    "EINTR ENOMEM": "poll ppoll epoll_wait epoll_pwait",
    "EINTR ECONNREFUSED ENOENT": "connect",
    "EINTR": "wait4",
    "EAGAIN ENOMEM": "fork vfork clone clone3",
    "EIO": "unlink unlinkat rmdir getdents64 fstat newfstatat stat lstat readlink access statfs",
    "EPERM": "setsid setgroups setgid setuid prctl fchownat fchown chmod fchmod close_range",
    "ENOSYS": "getrandom ioctl",
    # What the kernel cannot refuse (a libc may not even look), or what changes nothing; and
    # close(), which strace would not do at all, where the kernel does it and then complains;
    # and brk(), which does not give an error but the old end.
    "": "close brk rt_sigprocmask rt_sigaction futex getpid getppid getuid geteuid getgid getegid exit_group arch_prctl set_tid_address "
        "rt_sigreturn restart_syscall set_robust_list rseq uname munmap madvise",
}
ERRORS_OF = {call: errors.split() for errors, calls in ERRORS.items()
             for call in calls.split()}


def errors_of(call):
    return ERRORS_OF.get(call, ["ENOMEM"])


def strace(*options, log="/dev/null"):
    return ["/usr/bin/strace", "-qq", "-o", str(log), *options]


def spoiling(call, error, number, *options):
    """The start of a command in which the `number`-th such call fails."""
    return strace(*options, "-e", f"trace={call}",
                  "-e", f"inject={call}:error={error}:when={number}")


def count_calls(log):
    """Give {call: how often} of what `strace -c` has written."""
    counts = {}
    for line in log.read_text().splitlines():
        found = re.fullmatch(r" *[0-9.]+ +[0-9.]+ +[0-9]+ +([0-9]+) +(?:[0-9]+ +)?(\w+)", line)
        if found and found[2] != "total":
            counts[found[2]] = int(found[1])
    check(counts, f"strace has counted nothing: {log.read_text()[:300]!r}")
    return counts


def is_strace_usable():
    """Whether this machine lets a process trace another one."""
    return subprocess.run([*strace(), "/bin/true"], check=False).returncode == 0
