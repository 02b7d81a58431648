/* SPDX-License-Identifier: MIT */
#include "init/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init/fds.h"

void control_init(struct control *control)
{
	*control = (struct control){ .fd = -1, .slot = POLLER_NO_SLOT };
}

bool control_open(struct control *control, int *shell_end)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return false;
	/* One that blocks would hold up all stages. */
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
		fds_close(&ends[0]);
		fds_close(&ends[1]);
		return false;
	}
	control->fd = ends[0];
	*shell_end = ends[1];
	return true;
}

bool control_answer(const struct control *control)
{
	ssize_t n;

	do
		n = write(control->fd, "\n", 1);
	while (n < 0 && errno == EINTR);
	/* One that is gone needs none; any other would wait for ever. */
	return n > 0 || errno == EPIPE;
}

static void take_byte(
	struct control *control, char byte, control_fn *fn, void *ctx)
{
	if (byte != '\n') {
		if (control->line_len + 1 < sizeof(control->line))
			control->line[control->line_len++] = byte;
		return;
	}
	control->line[control->line_len] = '\0';
	control->line_len = 0;
	fn(ctx, strtoul(control->line, NULL, 10));
}

void control_read(struct control *control, control_fn *fn, void *ctx)
{
	char data[256];

	while (control->fd >= 0) {
		ssize_t n = read(control->fd, data, sizeof(data));

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n && control->fd >= 0; i++)
			take_byte(control, data[i], fn, ctx);
	}
}

void control_close(struct control *control)
{
	fds_close(&control->fd);
}
