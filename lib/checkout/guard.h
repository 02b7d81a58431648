/* SPDX-License-Identifier: MIT */
/*
 * guard.h - the git that runs ends when this process does, whatever ends it.
 *
 * A child holds a socket from us, gets told which process group runs, and ends it when the
 * socket closes without a farewell. It also holds the lock of the mirror, so
 * that nobody else is at the mirror before that git is gone.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

/* Starts out by br_guard_start(). */
struct br_guard {
	pid_t pid;
	/* Takes the pid of a program as it starts, and 0 when it has ended. */
	int fd;
};

/*
 * Start the child. It keeps `lock_fd` open and nothing else.
 *
 * Fails with BR_ESYSTEM.
 */
bool br_guard_start(
	int lock_fd, struct br_guard *guard, struct br_err *err) BR_MUST_CHECK;

/* Say that no program runs any more. */
void br_guard_clear(const struct br_guard *guard);

/* Let the child go, and wait for its end. */
void br_guard_stop(struct br_guard *guard);
