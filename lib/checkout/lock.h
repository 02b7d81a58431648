/* SPDX-License-Identifier: MIT */
/* lock.h - locks on files, which end with the process that has them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/*
 * Lock the open file `fd` for us alone, or, for those who only read, together.
 *
 * Fails with BR_ETIMEDOUT at `deadline_ms` of the monotonic clock, with BR_ECANCELED
 * when `cancel_fd` is readable (-1: never), and with BR_ESYSTEM.
 */
bool br_lock_take(int fd, bool is_shared, int64_t deadline_ms, int cancel_fd,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Lock without waiting. Gives false where another process has the lock.
 */
bool br_lock_try(int fd);
