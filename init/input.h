/* SPDX-License-Identifier: MIT */
/*
 * input.h - what a stage reads: bytes from the wire, for its terminal or a pipe.
 *
 * Whoever reads may take its time, so what does not go out at once waits here. That
 * is never more than BR_INPUT_WINDOW_BYTES: buildr sends no more before it hears that
 * some were taken.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/poller.h"
#include "init/wire.h"

/* Starts out by input_init(). */
struct input {
	/* Where it goes: our end of a pipe, or a terminal's; -1: nowhere. */
	int fd;
	/* A pipe's, which is ours to close; and the other end, to hand on. */
	bool is_pipe;
	int read_fd;
	/* What waits. Owned; NULL: the stage reads nothing. */
	uint8_t *data;
	size_t len;
	/* Nothing comes any more: a pipe is closed behind what waits. */
	bool has_ended;
	int slot;
};

void input_init(struct input *input);

/* Feed a terminal, `master`, which is borrowed. */
void input_open_terminal(struct input *input, int master);

/* Make a pipe, which `owner` may open anew. Gives false, with errno. */
bool input_open_pipe(struct input *input, uid_t owner);

/* Give what becomes stdin; -1: none. Borrowed. */
int input_hand_on(const struct input *input);

/* The process has it: it alone reads from now on. */
void input_forget(struct input *input);

/*
 * Take bytes; none are the end of them. Gives false for more than were to be sent.
 */
bool input_feed(struct input *input, const uint8_t *data, size_t len);

/* Wait for room, where something waits. */
void input_poll(struct input *input, struct poller *poller);

/* Write what goes, and say on the wire how much was taken. */
void input_work(struct input *input, const struct poller *poller,
	struct wire *wire, uint16_t stage);

/* May be called twice. */
void input_close(struct input *input);
