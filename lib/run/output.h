/* SPDX-License-Identifier: MIT */
/*
 * output.h - a stage's output as pieces for events.
 *
 * Bytes of the two streams go in as they come, and pieces come out: masked, cut
 * at line ends where it can be, at most BR_LIMIT_OUTPUT_BYTES long, never cut in
 * the middle of a UTF-8 character, and in order within a stream. Put together,
 * the pieces are what went in, but for the secrets.
 *
 * Whole lines are passed on at once, as slices of the input. The beginning of a
 * line waits for its rest, for BR_OUTPUT_WAIT_MS at most (the owner's loop calls
 * br_output_tick()), so that a prompt is seen too.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/mask.h"
#include "base/str.h"
#include "event/event.h"

enum {
	BR_OUTPUT_STREAMS = BR_STREAM_STDERR + 1,
	/* Longer than programs need to write a line in parts, not seen as late. */
	BR_OUTPUT_WAIT_MS = 50,
};

/* Takes a piece, borrowed for the call and never empty. */
typedef void br_output_fn(
	void *ctx, enum br_stream stream, struct br_str piece);

/* Starts out all zero, then br_output_init(). Private. */
struct br_output {
	br_output_fn *fn;
	void *ctx;
	struct br_output_lane {
		struct br_mask_stream mask;
		/* The beginning of a line, masked: less than the limit. */
		struct br_buf line;
		/* When `line` is to be passed on as it is; -1: it need not. */
		int64_t deadline_ms;
	} streams[BR_OUTPUT_STREAMS];
};

/*
 * Start with no bytes. `mask` may be NULL.
 *
 * Ownership: `mask` and `ctx` are borrowed until br_output_done().
 */
void br_output_init(struct br_output *output, const struct br_mask *mask,
	br_output_fn *fn, void *ctx);

/* Free what is held. Bytes that were not flushed are lost. */
void br_output_done(struct br_output *output);

/* Take the next bytes of `stream`. `now_ms` is br_clock_now_ms()'s time. */
void br_output_feed(struct br_output *output, enum br_stream stream,
	struct br_str data, int64_t now_ms);

/* Give the time of the next br_output_tick() that does something; -1: none. */
int64_t br_output_deadline_ms(const struct br_output *output);

/*
 * Pass on the beginnings of lines that have waited long enough. What may still
 * become a secret or a character goes on waiting.
 */
void br_output_tick(struct br_output *output, int64_t now_ms);

/* Pass on everything: a step has ended. More may follow. */
void br_output_flush(struct br_output *output);
