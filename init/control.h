/* SPDX-License-Identifier: MIT */
/*
 * control.h - the socket on which a stage's shell says where it is in its script.
 *
 * It has the other end as descriptor 9, writes the number of a step to it, and
 * waits for a line of answer. Closing this end tells it to leave.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "init/poller.h"

/* Starts out by control_init(). */
struct control {
	/* -1: there is no shell, or it is not spoken to any more. */
	int fd;
	int slot;
	/* What came of a line so far; no number is longer. */
	char line[16];
	size_t line_len;
};

void control_init(struct control *control);

/*
 * Make the socket; the caller closes `*shell_end` when the shell has it. Gives
 * false, with errno, where that is not possible.
 */
bool control_open(struct control *control, int *shell_end);

/* Answer the shell. Gives false where one that is there cannot be answered. */
bool control_answer(const struct control *control);

/* Takes a number that the shell has written; may close the control. */
typedef void control_fn(void *ctx, unsigned long number);

/* Read what the shell has written by now. */
void control_read(struct control *control, control_fn *fn, void *ctx);

/* May be called twice. */
void control_close(struct control *control);
