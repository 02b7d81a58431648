/* SPDX-License-Identifier: MIT */
#include "checkout/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"

enum {
	/* Where the child has its two descriptors. */
	PIPE_FD = STDERR_FILENO + 1,
	LOCK_FD,
	/* What was killed is gone by then, or hangs in the kernel. */
	END_LOOKS = 100,
	LOOK_MS = 10,
};

static void ignore_signals(void)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
		SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU };
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Have nothing of our parent's open but the two. */
static bool keep_only(int pipe_fd, int lock_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* Out of the way first: each may be where the other has to go. */
	int high_pipe = fcntl(pipe_fd, F_DUPFD_CLOEXEC, LOCK_FD + 1);
	int high_lock = fcntl(lock_fd, F_DUPFD_CLOEXEC, LOCK_FD + 1);

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			return false;
	return high_pipe >= 0 && high_lock >= 0 &&
		dup2(high_pipe, PIPE_FD) >= 0 &&
		dup2(high_lock, LOCK_FD) >= 0 &&
		close_range(LOCK_FD + 1, ~0U, 0) == 0;
}

/* Read which program runs until the pipe closes, and give the last of them. */
static pid_t follow(void)
{
	pid_t running = 0;
	pid_t told = 0;

	for (;;) {
		ssize_t n = read(PIPE_FD, &told, sizeof(told));

		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(told))
			return running;
		running = told;
	}
}

BR_NORETURN static void guard_main(int pipe_fd, int lock_fd)
{
	(void)setsid();
	ignore_signals();
	if (!keep_only(pipe_fd, lock_fd) || chdir("/") < 0)
		_exit(EXIT_FAILURE);

	pid_t running = follow();
	for (int i = 0; running > 0 && i < END_LOOKS; i++) {
		if (kill(-running, SIGKILL) < 0)
			break;
		(void)poll(NULL, 0, LOOK_MS);
	}
	_exit(EXIT_SUCCESS);
}

bool br_guard_start(int lock_fd, struct br_guard *guard, struct br_err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return br_fail_errno(err, "make a pipe");
	br_autoclose int theirs = ends[0];
	br_autoclose int ours = ends[1];

	pid_t pid = fork();
	if (pid < 0)
		return br_fail_errno(err, "fork");
	if (pid == 0)
		guard_main(theirs, lock_fd);
	*guard = (struct br_guard){ .pid = pid, .fd = br_take_fd(&ours) };
	return true;
}

void br_guard_clear(const struct br_guard *guard)
{
	static const pid_t nobody = 0;

	(void)!write(guard->fd, &nobody, sizeof(nobody));
}

void br_guard_stop(struct br_guard *guard)
{
	if (guard->pid <= 0)
		return;
	(void)close(guard->fd);
	while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	*guard = (struct br_guard){ .fd = -1 };
}
