/* SPDX-License-Identifier: MIT */
/*
 * decode.h - frames from buildr-init, from any cut of the bytes.
 *
 * A parser only. Output is handed on in the pieces in which it comes, so that a
 * frame of it costs no memory; every other frame is small and comes whole.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "init/protocol.h"

/* Starts out all zero. Private, except that callers allocate it. */
struct br_decode {
	uint8_t header[BR_FRAME_HEADER_BYTES];
	size_t header_len;
	/* The frame whose payload comes now, and what is left of it. */
	struct br_frame frame;
	uint32_t payload_left;
	/* The payload of a small frame so far. */
	struct br_buf payload;
};

/*
 * Takes a piece of output, whose len is never 0, or a whole frame of any other
 * type. `data` is borrowed for the call. Returning false makes br_decode_feed()
 * return false with the same `err`.
 */
typedef bool br_decode_fn(void *ctx, const struct br_frame *frame,
	const uint8_t *data, size_t len, struct br_err *err);

/*
 * Take the next `len` bytes and call `fn` for what is in them.
 *
 * Fails with BR_EPROTO for what is no frame of the protocol, and with whatever
 * `fn` set. After a failure it must not be fed again.
 */
bool br_decode_feed(struct br_decode *decode, const uint8_t *data, size_t len,
	br_decode_fn *fn, void *ctx, struct br_err *err) BR_MUST_CHECK;

/* Free what there is of a frame. */
void br_decode_done(struct br_decode *decode);
