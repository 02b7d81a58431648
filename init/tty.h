/* SPDX-License-Identifier: MIT */
/*
 * tty.h - a terminal for the processes of a stage.
 *
 * What they write to it comes out at this end as a terminal has it: both streams
 * in one, `\r\n` for a line's end. As a rule nobody sits at it, and a build must not
 * wait for somebody: whoever reads from it finds the end of the input, every time. For
 * that the key for it is typed whenever the last one has been read. What is typed at
 * one that is attended comes from input.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/poller.h"
#include "init/wire.h"

/* What a terminal has until it is told otherwise. */
enum { TTY_COLUMNS = 80, TTY_ROWS = 24 };

/* Starts out by tty_init(). */
struct tty {
	/* Our end; what comes out here is output. */
	int master;
	/*
	 * Theirs, handed to each process. It is held open as long as there are
	 * steps, for the terminal is over when nobody has it open.
	 */
	int slave;
	/* Somebody sits at it: no end of the input is typed. */
	bool is_attended;
	int slot;
	/* After a short read it rests a moment, so that small writes gather. */
	int64_t rests_until_us;
	/* What may still be there of a step that is over. */
	size_t drain_left;
};

void tty_init(struct tty *tty);

/*
 * Make one that belongs to `owner`, who may open it anew. Gives false, with errno,
 * where that is not possible.
 */
bool tty_open(struct tty *tty, bool is_attended, uid_t owner);

/* Say how large it is. */
bool tty_resize(struct tty *tty, unsigned short columns, unsigned short rows);

/* Type the end of the input, unless one is there to be read, or somebody to type. */
void tty_type_end(struct tty *tty);

/* Wait for output, or for the end of the rest. */
void tty_poll(struct tty *tty, struct poller *poller);

/* Send what is there as output of `stage`, if the wire takes it now. */
void tty_pump(struct tty *tty, const struct poller *poller, struct wire *wire,
	uint16_t stage);

/* What is in it now is the last of its step. */
void tty_begin_drain(struct tty *tty);

/* Send the last of a step; true when all of it is on its way. */
bool tty_drain(struct tty *tty, struct wire *wire, uint16_t stage);

/* May be called twice. */
void tty_close(struct tty *tty);
