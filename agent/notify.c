/* SPDX-License-Identifier: MIT */
#include "agent/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/clock.h"
#include "base/parse.h"

/* Connect to `path`; an @ at its front stands for the NUL of an abstract name. */
static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(path);

	if ((path[0] != '/' && path[0] != '@') ||
		len >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';

	br_autoclose int fd =
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t size =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, size) < 0)
		return -1;
	return br_take_fd(&fd);
}

/* Half of the time after which systemd takes us for dead; 0: it does not look. */
static int64_t find_watchdog(void)
{
	const char *time_us = getenv("WATCHDOG_USEC");
	const char *whose = getenv("WATCHDOG_PID");
	struct br_err ignored = { 0 };
	int64_t pid = getpid();
	int64_t value_us = 0;

	if (!time_us ||
		!br_parse_int(time_us, 1, INT64_MAX, &value_us, &ignored))
		return 0;
	if (whose && !br_parse_int(whose, 1, INT32_MAX, &pid, &ignored))
		return 0;
	if (pid != getpid())
		return 0;
	return value_us < 4000 ? 1 : value_us / 2000;
}

void notify_open(struct notify *notify)
{
	const char *path = getenv("NOTIFY_SOCKET");

	*notify = (struct notify){ .fd = -1, .alive_ms = -1 };
	if (path)
		notify->fd = connect_to(path);
	notify->alive_every_ms = find_watchdog();
	if (notify->fd >= 0 && notify->alive_every_ms > 0)
		notify->alive_ms = br_clock_now_ms();
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

void notify_close(struct notify *notify)
{
	if (notify->fd >= 0)
		(void)close(br_take_fd(&notify->fd));
	notify->alive_ms = -1;
}

void notify_send(const struct notify *notify, const char *text)
{
	/* Where nobody reads it the agent goes on. */
	if (notify->fd >= 0)
		(void)!send(notify->fd, text, strlen(text), MSG_NOSIGNAL);
}

void notify_reloading(const struct notify *notify)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
		(long long)br_clock_now_us());
	notify_send(notify, text);
}

void notify_ready(const struct notify *notify)
{
	notify_send(notify, "READY=1");
}

void notify_work(struct notify *notify)
{
	int64_t now_ms = br_clock_now_ms();

	if (notify->alive_ms < 0 || notify->alive_ms > now_ms)
		return;
	notify_send(notify, "WATCHDOG=1");
	notify->alive_ms = now_ms + notify->alive_every_ms;
}
