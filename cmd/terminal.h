/* SPDX-License-Identifier: MIT */
/*
 * terminal.h - the caller's terminal as the seat of a shell (run/seat.h).
 *
 * While a shell is open the terminal is raw: every key is the shell's, ^C too. Afterwards
 * it is as it was. So it is where buildr is killed meanwhile: a child, the guard,
 * outlives it for that moment.
 */
#pragma once

#include <stdbool.h>
#include <termios.h>

#include "base/survivor.h"
#include "event/sink.h"
#include "run/seat.h"

/* Made by terminal_open(). */
struct terminal {
	/* To be handed to the run. */
	struct br_seat seat;
	/* Where a shell with a terminal writes to. */
	int out_fd;
	/* Out of the way while one is open. Borrowed; may be NULL. */
	struct br_sink *view;
	/* SIGWINCH as something to read; -1: there is no terminal. */
	int resize_fd;
	/* As it was before a shell. */
	bool is_raw;
	struct termios saved;
	struct br_survivor guard;
};

/*
 * Take stdin, and `out_fd`, as a seat: with a terminal where both are one, else commands
 * come from stdin, and what the shell writes goes to stdout and stderr. What `view`
 * (may be NULL) shows on the terminal is hidden meanwhile.
 *
 * Ownership: terminal_close(). `terminal` must stay where it is until then.
 */
void terminal_open(struct terminal *terminal, int out_fd, struct br_sink *view);

/* Leave the terminal as it was. */
void terminal_close(struct terminal *terminal);
