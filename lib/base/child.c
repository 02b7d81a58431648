/* SPDX-License-Identifier: MIT */
#include "base/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"

BR_NORETURN static void child_main(
	br_child_fn *fn, const void *ctx, int fd, pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It may have gone before it was said. */
	if (getppid() != parent)
		_exit(EXIT_SUCCESS);
	(void)setsid();
	fn(ctx, fd);
	_exit(EXIT_SUCCESS);
}

bool br_child_start(br_child_fn *fn, const void *ctx, struct br_child *child,
	struct br_err *err)
{
	int ends[2];
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return br_fail_errno(err, "make a socket");
	br_autoclose int ours = ends[0];
	br_autoclose int theirs = ends[1];

	pid_t pid = fork();
	if (pid < 0)
		return br_fail_errno(err, "start a process");
	if (pid == 0) {
		(void)close(br_take_fd(&ours));
		child_main(fn, ctx, theirs, parent);
	}
	*child = (struct br_child){ pid, br_take_fd(&ours) };
	return true;
}

void br_child_end(struct br_child *child)
{
	if (child->fd >= 0)
		(void)close(br_take_fd(&child->fd));
	if (child->pid <= 0)
		return;
	/* It may not be the first of its group yet. */
	(void)kill(-child->pid, SIGKILL);
	(void)kill(child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	child->pid = 0;
}
