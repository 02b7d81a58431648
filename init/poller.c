/* SPDX-License-Identifier: MIT */
#include "init/poller.h"

#include <time.h>

#include "init/clock.h"
#include "init/mem.h"

void poller_clear(struct poller *poller)
{
	poller->count = 0;
	poller->wake_us = 0;
}

int poller_add(struct poller *poller, int fd, short events)
{
	if (fd < 0)
		return POLLER_NO_SLOT;
	poller->fds = mem_grow(poller->fds, poller->count, &poller->capacity,
		sizeof(*poller->fds));
	poller->fds[poller->count] =
		(struct pollfd){ .fd = fd, .events = events };
	return (int)poller->count++;
}

void poller_wake_at(struct poller *poller, int64_t at_us)
{
	if (poller->wake_us == 0 || at_us < poller->wake_us)
		poller->wake_us = at_us;
}

void poller_wait(struct poller *poller)
{
	enum { SECOND_US = 1000000, US_NS = 1000 };
	struct timespec left = { 0 };
	int64_t left_us = poller->wake_us - clock_now_us();

	if (poller->wake_us > 0 && left_us > 0) {
		left.tv_sec = left_us / SECOND_US;
		left.tv_nsec = left_us % SECOND_US * US_NS;
	}
	int n = ppoll(poller->fds, poller->count,
		poller->wake_us > 0 ? &left : NULL, NULL);
	/* What was not written must not be read. */
	for (size_t i = 0; n < 0 && i < poller->count; i++)
		poller->fds[i].revents = 0;
}

bool poller_is_ready(const struct poller *poller, int slot)
{
	return slot != POLLER_NO_SLOT && poller->fds[slot].revents != 0;
}
