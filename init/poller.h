/* SPDX-License-Identifier: MIT */
/*
 * poller.h - what to wait for next, gathered anew for each wait.
 *
 * Whoever adds a descriptor keeps the slot that it gets and asks by it afterwards.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Starts out all zero. */
struct poller {
	/* Owned. */
	struct pollfd *fds;
	size_t count;
	size_t capacity;
	/* When to wake up at the latest, by the monotonic clock; 0: never. */
	int64_t wake_us;
};

/* What a descriptor has that is not waited for. */
enum { POLLER_NO_SLOT = -1 };

/* Forget everything. */
void poller_clear(struct poller *poller);

/* Wait for `events` of `fd`; gives the slot, none for a descriptor below 0. */
int poller_add(struct poller *poller, int fd, short events);

/* Wake up at `at_us` if nothing happens before. */
void poller_wake_at(struct poller *poller, int64_t at_us);

void poller_wait(struct poller *poller);

/* Say whether something happened there. */
bool poller_is_ready(const struct poller *poller, int slot);
