/* SPDX-License-Identifier: MIT */
#include "init/leftovers.h"

#include <errno.h>
#include <unistd.h>

#include "init/mem.h"

void leftovers_add(struct leftovers *leftovers, int fd)
{
	if (fd < 0)
		return;
	leftovers->items = mem_grow(leftovers->items, leftovers->count,
		&leftovers->capacity, sizeof(*leftovers->items));
	leftovers->items[leftovers->count++] =
		(struct leftover){ .fd = fd, .slot = POLLER_NO_SLOT };
}

void leftovers_poll(struct leftovers *leftovers, struct poller *poller)
{
	for (size_t i = 0; i < leftovers->count; i++)
		leftovers->items[i].slot =
			poller_add(poller, leftovers->items[i].fd, POLLIN);
}

/* Empty the pipe once; false: all who could write to it are gone. */
static bool drop(int fd)
{
	static char rubbish[64 * 1024];
	ssize_t n = read(fd, rubbish, sizeof(rubbish));

	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

void leftovers_work(struct leftovers *leftovers, const struct poller *poller)
{
	size_t kept = 0;

	for (size_t i = 0; i < leftovers->count; i++) {
		struct leftover *item = &leftovers->items[i];

		if (poller_is_ready(poller, item->slot) && !drop(item->fd))
			(void)close(item->fd);
		else
			leftovers->items[kept++] = *item;
	}
	leftovers->count = kept;
}
