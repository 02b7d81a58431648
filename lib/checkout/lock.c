/* SPDX-License-Identifier: MIT */
#include "checkout/lock.h"

#include <errno.h>
#include <poll.h>
#include <sys/file.h>

#include "base/clock.h"

enum { LOOK_FIRST_MS = 1, LOOK_LAST_MS = 50 };

bool br_lock_try(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

bool br_lock_take(int fd, bool is_shared, int64_t deadline_ms, int cancel_fd,
	struct br_err *err)
{
	struct pollfd cancel = { .fd = cancel_fd, .events = POLLIN };
	int look_ms = LOOK_FIRST_MS;

	/* flock() that waits cannot be stopped but by a signal: look again. */
	while (flock(fd, (is_shared ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return br_fail_errno(err, "lock");
		if (poll(&cancel, 1, look_ms) > 0)
			return br_fail(err, BR_ECANCELED, "stopped on request");
		if (br_clock_now_ms() >= deadline_ms)
			return br_fail(err, BR_ETIMEDOUT,
				"others did not end in time");
		look_ms =
			look_ms * 2 < LOOK_LAST_MS ? look_ms * 2 : LOOK_LAST_MS;
	}
	return true;
}
