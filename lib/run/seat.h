/* SPDX-License-Identifier: MIT */
/*
 * seat.h - somebody who can be given a shell.
 *
 * The run knows no terminal. Who starts it, and has one, fills this in: where what is
 * typed comes from, where what the shell writes goes to, and what to do before and
 * after. Between `begin` and `end` nothing else must write to that terminal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "event/event.h"

struct br_seat {
	void *ctx;
	/* Read while a shell is open, when something is there or at its end. */
	int input_fd;
	/*
	 * The shell gets a terminal. Else it reads commands up to the end of the
	 * input, and what it writes comes in two streams.
	 */
	bool is_terminal;
	/* Readable when `size` may give something else; -1: never. */
	int resize_fd;
	/* Value of TERM; NULL: none is known. Borrowed. */
	const char *term;
	/* A shell is about to be opened; it has ended. In turns. */
	void (*begin)(void *ctx);
	void (*end)(void *ctx);
	/* Give the terminal's size, 1 at least, and empty `resize_fd`. */
	void (*size)(void *ctx, unsigned *columns, unsigned *rows);
	/* Take what the shell writes; `data` is borrowed. A failure ends it. */
	bool (*output)(void *ctx, enum br_stream stream, struct br_str data,
		struct br_err *err);
};
