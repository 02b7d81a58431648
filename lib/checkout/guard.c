/* SPDX-License-Identifier: MIT */
#include "checkout/guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/survivor.h"

enum {
	/* What was killed is gone by then, or hangs in the kernel. */
	END_LOOKS = 100,
	LOOK_MS = 10,
};

/* Read which program runs until the socket closes, and give the last of them. */
static pid_t follow(void)
{
	pid_t running = 0;
	pid_t told = 0;

	for (;;) {
		ssize_t n = read(BR_SURVIVOR_FD, &told, sizeof(told));

		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(told))
			return running;
		running = told;
	}
}

/* It holds the lock until what was killed is gone, too. */
static void guard_main(const void *ctx)
{
	pid_t running = follow();

	(void)ctx;
	for (int i = 0; running > 0 && i < END_LOOKS; i++) {
		if (kill(-running, SIGKILL) < 0)
			break;
		(void)poll(NULL, 0, LOOK_MS);
	}
}

bool br_guard_start(int lock_fd, struct br_guard *guard, struct br_err *err)
{
	const struct br_survivor_options options = {
		.main = guard_main,
		.given = &lock_fd,
		.given_count = 1,
		.is_ours = true,
	};
	struct br_survivor survivor = { .fd = -1 };

	if (!br_survivor_start(&options, &survivor, err))
		return false;
	*guard = (struct br_guard){ .pid = survivor.pid, .fd = survivor.fd };
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
