/* SPDX-License-Identifier: MIT */
/*
 * demux.h - splits Docker's multiplexed attach/exec stream into its channels.
 *
 * The daemon sends frames: one byte channel, three zero bytes, the payload
 * length as 32-bit big-endian, the payload. Bytes may arrive cut anywhere.
 *
 * This is a parser only. It does no I/O and allocates nothing, so the payload
 * of one frame may reach the sink in several pieces and a hostile length costs
 * no memory.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum br_channel {
	/* Echoed input; Docker's own client prints it as stdout. */
	BR_CHANNEL_STDIN,
	BR_CHANNEL_STDOUT,
	BR_CHANNEL_STDERR,
	/* An error text from the daemon itself. */
	BR_CHANNEL_DAEMON,
};

enum { BR_DEMUX_HEADER_BYTES = 8 };

/* Starts out all zero. Private, except that callers allocate it. */
struct br_demux {
	uint8_t header[BR_DEMUX_HEADER_BYTES];
	/* How many bytes of `header` have arrived. */
	size_t header_len;
	/* The frame whose payload is passed on now, and what is left. */
	enum br_channel channel;
	uint32_t payload_left;
};

/*
 * Takes one piece of payload. `data` is borrowed for the call; `len` is never
 * 0. Returning false makes br_demux_feed() return false with the same `err`.
 */
typedef bool br_demux_fn(void *ctx, enum br_channel channel,
	const uint8_t *data, size_t len, struct br_err *err);

/*
 * Parse the next `len` bytes and pass every piece of payload to `fn`, in order.
 *
 * Fails with BR_EPROTO for an unknown channel or non-zero padding, and with
 * whatever `fn` set. After a failure `demux` must not be fed again.
 */
bool br_demux_feed(struct br_demux *demux, const uint8_t *data, size_t len,
	br_demux_fn *fn, void *ctx, struct br_err *err) BR_MUST_CHECK;

/*
 * Say that the stream is over.
 *
 * Fails with BR_EPROTO when it ended inside a frame, that is, when output was
 * lost.
 */
bool br_demux_end(
	const struct br_demux *demux, struct br_err *err) BR_MUST_CHECK;
