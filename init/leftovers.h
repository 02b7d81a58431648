/* SPDX-License-Identifier: MIT */
/*
 * leftovers.h - output that nobody waits for any more.
 *
 * A process that a stage left running lives until the build ends. What it writes
 * is read and dropped, so that it neither blocks nor gets SIGPIPE.
 */
#pragma once

#include <stddef.h>

#include "init/poller.h"

struct leftover {
	int fd;
	int slot;
};

/* Starts out all zero. */
struct leftovers {
	/* Owned, with the descriptors. */
	struct leftover *items;
	size_t count;
	size_t capacity;
};

/* Drop from now on what comes through the pipe `fd`, and close it at its end. */
void leftovers_add(struct leftovers *leftovers, int fd);

void leftovers_poll(struct leftovers *leftovers, struct poller *poller);

void leftovers_work(struct leftovers *leftovers, const struct poller *poller);
