/* SPDX-License-Identifier: MIT */
#include "log/follow.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clean.h"
#include "log/folder.h"

enum { LOOK_MS = 200 };

static void watch(
	int fd, const char *folder, const char *build, const char *suffix)
{
	br_autofree char *path = br_log_path(folder, build, suffix);

	/* Where it cannot be, the next look will do. */
	(void)inotify_add_watch(fd, path, IN_MODIFY | IN_CLOSE_WRITE);
}

void br_log_follow_open(
	struct br_log_follow *follow, const char *folder, const char *build)
{
	follow->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (follow->fd < 0)
		return;
	watch(follow->fd, folder, build, BR_LOG_SUFFIX);
	watch(follow->fd, folder, build, BR_LOG_OUTPUT_SUFFIX);
}

void br_log_follow_close(struct br_log_follow *follow)
{
	if (follow->fd >= 0)
		(void)close(br_take_fd(&follow->fd));
}

/* Which files they are about does not matter. */
static void forget_events(int fd)
{
	_Alignas(struct inotify_event) char events[4096];

	while (read(fd, events, sizeof(events)) > 0)
		continue;
}

void br_log_follow_wait(const struct br_log_follow *follow)
{
	struct pollfd wait = { .fd = follow->fd, .events = POLLIN };

	if (poll(&wait, 1, LOOK_MS) > 0)
		forget_events(follow->fd);
}
