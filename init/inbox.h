/* SPDX-License-Identifier: MIT */
/*
 * inbox.h - frames from buildr, put together from any cut of the bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "init/protocol.h"

/* Starts out all zero. Private, except that callers allocate it. */
struct inbox {
	uint8_t header[BR_FRAME_HEADER_BYTES];
	size_t header_len;
	struct br_frame frame;
	/* Owned; has `frame.len` bytes once the header is whole. */
	uint8_t *payload;
	size_t payload_len;
};

/*
 * Takes a whole frame. `*payload` is borrowed for the call, unless it is taken
 * by leaving NULL there. Returning false makes inbox_feed() return false.
 */
typedef bool inbox_fn(
	void *ctx, const struct br_frame *frame, uint8_t **payload);

/*
 * Take the next `len` bytes, and call `fn` for each frame that they complete.
 * Gives false for a frame that is none, and where `fn` did.
 */
bool inbox_feed(struct inbox *inbox, const uint8_t *data, size_t len,
	inbox_fn *fn, void *ctx);

/* Free a frame that was not completed. */
void inbox_done(struct inbox *inbox);
