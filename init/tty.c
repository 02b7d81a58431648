/* SPDX-License-Identifier: MIT */
#include "init/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "init/clock.h"
#include "init/fds.h"

enum {
	/* A read gives 4 KiB at most. */
	PIECE_BYTES = 16 * 1024,
	SHORT_READ_BYTES = 4 * 1024,
	REST_US = 100,
	/* More than the kernel keeps of what was written: some 12 KiB. */
	HELD_MAX_BYTES = 64 * 1024,
	/* Control-D: the end of the input, where the terminal has no other. */
	DEFAULT_END = 4,
};

void tty_init(struct tty *tty)
{
	*tty = (struct tty){
		.master = -1, .slave = -1, .slot = POLLER_NO_SLOT
	};
}

static int open_master(void)
{
	static const char *const paths[] = { "/dev/ptmx", "/dev/pts/ptmx" };
	int fd = -1;

	for (size_t i = 0; fd < 0 && i < sizeof(paths) / sizeof(paths[0]); i++)
		fd = open(paths[i], O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	return fd;
}

/* By the master, whatever is at /dev/pts; older kernels want a path. */
static int open_slave(int master)
{
	char path[64];
	int fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0 || ptsname_r(master, path, sizeof(path)) != 0)
		return fd;
	return open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

bool tty_open(struct tty *tty, bool is_attended, uid_t owner)
{
	tty->is_attended = is_attended;
	tty->master = open_master();
	if (tty->master < 0 || unlockpt(tty->master) < 0)
		return false;
	tty->slave = open_slave(tty->master);
	if (tty->slave < 0 || !tty_resize(tty, TTY_COLUMNS, TTY_ROWS))
		return false;
	/* They could not open /dev/stdout else; what only writes can do without. */
	if (owner != 0)
		(void)fchown(tty->slave, owner, (gid_t)-1);
	tty_type_end(tty);
	return true;
}

bool tty_resize(struct tty *tty, unsigned short columns, unsigned short rows)
{
	const struct winsize size = { .ws_col = columns, .ws_row = rows };

	return ioctl(tty->master, TIOCSWINSZ, &size) == 0;
}

void tty_type_end(struct tty *tty)
{
	/* Also an end of the input that nobody has read yet makes it readable. */
	struct pollfd typed = { .fd = tty->slave, .events = POLLIN };
	struct termios settings;
	char end = DEFAULT_END;

	if (tty->slave < 0 || tty->is_attended || poll(&typed, 1, 0) != 0)
		return;
	if (tcgetattr(tty->slave, &settings) == 0 &&
		settings.c_cc[VEOF] != _POSIX_VDISABLE)
		end = (char)settings.c_cc[VEOF];
	(void)!write(tty->master, &end, sizeof(end));
}

void tty_poll(struct tty *tty, struct poller *poller)
{
	tty->slot = POLLER_NO_SLOT;
	if (clock_now_us() < tty->rests_until_us)
		poller_wake_at(poller, tty->rests_until_us);
	else
		tty->slot = poller_add(poller, tty->master, POLLIN);
}

/*
 * Send a piece and give its length; 0: there is nothing. That is certain: before a
 * read says so, the kernel has moved here what is written already. Where it cannot
 * be read, that is the end: output must not be lost without a word.
 */
static size_t send_piece(struct tty *tty, struct wire *wire, uint16_t stage)
{
	uint8_t data[PIECE_BYTES];
	size_t len = 0;

	while (len < sizeof(data)) {
		ssize_t n = read(tty->master, data + len, sizeof(data) - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 && errno != EAGAIN)
			wire->is_closed = true;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (len > 0)
		wire_send(wire, BR_FRAME_OUTPUT, stage, data, len);
	return len;
}

void tty_pump(struct tty *tty, const struct poller *poller, struct wire *wire,
	uint16_t stage)
{
	if (!poller_is_ready(poller, tty->slot) || !wire_is_ready(wire))
		return;
	if (send_piece(tty, wire, stage) < SHORT_READ_BYTES)
		tty->rests_until_us = clock_now_us() + REST_US;
}

void tty_begin_drain(struct tty *tty)
{
	tty->drain_left = tty->master < 0 ? 0 : HELD_MAX_BYTES;
}

bool tty_drain(struct tty *tty, struct wire *wire, uint16_t stage)
{
	while (tty->drain_left > 0 && wire_is_ready(wire)) {
		size_t len = send_piece(tty, wire, stage);

		wire_flush(wire);
		/* One that writes on and on is not waited for. */
		tty->drain_left = len == 0 || len > tty->drain_left
			? 0
			: tty->drain_left - len;
	}
	return tty->drain_left == 0;
}

void tty_close(struct tty *tty)
{
	fds_close(&tty->slave);
	fds_close(&tty->master);
}
