/* SPDX-License-Identifier: MIT */
/*
 * outpipe.h - one of a stage's two output streams, on its way to the wire.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/poller.h"
#include "init/wire.h"

/* Starts out by outpipe_init(). */
struct outpipe {
	int read_fd;
	/* Handed to each process of the stage. */
	int write_fd;
	int slot;
	/* After a short read it rests a moment, so that small writes gather. */
	int64_t rests_until_us;
	/* What is still to be sent of a step that is over. */
	size_t drain_left;
};

void outpipe_init(struct outpipe *pipe);

/*
 * Make the pipe, which belongs to `owner`, who may open it anew. Gives false, with
 * errno, where that is not possible.
 */
bool outpipe_open(struct outpipe *pipe, uid_t owner);

/* Wait for output, or for the end of the rest. */
void outpipe_poll(struct outpipe *pipe, struct poller *poller);

/* Send what is there as a frame, if the wire takes one now. */
void outpipe_pump(struct outpipe *pipe, const struct poller *poller,
	struct wire *wire, uint16_t stage, uint8_t stream);

/*
 * What is in the pipe now is the last of its step. Bytes that a frame in progress
 * on the wire has promised already are not counted again.
 */
void outpipe_begin_drain(struct outpipe *pipe, struct wire *wire);

/* Send the last of a step; true when all of it has left the pipe. */
bool outpipe_drain(struct outpipe *pipe, struct wire *wire, uint16_t stage,
	uint8_t stream);

void outpipe_close(struct outpipe *pipe);
