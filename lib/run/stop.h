/* SPDX-License-Identifier: MIT */
/*
 * stop.h - every reason to stop a build from outside: signals and its timeout.
 *
 * All of them make one descriptor readable, which calls that wait for something
 * else poll beside it. br_stop_look() then takes the requests, after which the
 * descriptor is quiet again: so the cleaning up that follows can be interrupted by
 * the next request, but not by the same one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct br_stop {
	/* Readable while there is something for br_stop_look(). */
	int fd;
	/* Of the first request; 0: none. */
	int signal;
	/* How many requests came. */
	unsigned request_count;
	bool is_timed_out;

	/* Private. */
	int cancel_fd;
	int timer_fd;
	/* While it is paused: what is left of the time, in ns. */
	bool is_paused;
	int64_t left_ns;
};

/*
 * Watch `cancel_fd` (borrowed; -1: nothing) and the clock (0: no limit).
 *
 * Ownership: br_stop_close(). Fails with BR_ESYSTEM.
 */
bool br_stop_open(int cancel_fd, int64_t timeout_ms, struct br_stop *stop,
	struct br_err *err) BR_MUST_CHECK;

/* Take what has come, without waiting. Gives true where there was anything. */
bool br_stop_look(struct br_stop *stop);

/* Hold the clock still, or let it go on; nothing where it is so already. */
void br_stop_pause(struct br_stop *stop, bool is_paused);

/* Say whether the build is to stop, for whichever reason. */
bool br_stop_is_asked(const struct br_stop *stop);

/* Close what br_stop_open() opened. */
void br_stop_close(struct br_stop *stop);
