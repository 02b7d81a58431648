/* SPDX-License-Identifier: MIT */
/*
 * mask.h - secret values out of a stream of bytes.
 *
 * Every byte that belongs to an occurrence of a secret, in any form that
 * disguise.h knows, is taken out, and each unbroken row of such bytes becomes one
 * `***`; occurrences may overlap. Where the input is cut makes no difference: a
 * stream holds back the bytes at its end that may still become a secret, and no
 * others.
 *
 * All forms are found by one automaton (Aho and Corasick), so the time is linear
 * in the text whatever stands in it; text in which no form begins is skipped
 * several bytes at a time. Without secrets bytes are passed on as they come.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/str.h"

#define BR_MASK_TEXT "***"

struct br_mask;

/*
 * Prepare to mask `count` values. Empty ones are ignored.
 *
 * Ownership: the caller frees the result with br_mask_free(); the values are
 * copied. Limits: takes some 600 bytes of memory for each byte of a value.
 */
struct br_mask *br_mask_new(
	const struct br_str *secrets, size_t count) BR_NONNULL_RESULT;

/* Free `mask`, which may be NULL. */
void br_mask_free(struct br_mask *mask);

BR_DEFINE_AUTO(br_mask)

/* From one byte of the stream up to another, counted from its start. */
struct br_mask_span {
	uint64_t start;
	uint64_t end;
};

/* Starts out all zero, then br_mask_stream_init(). Private. */
struct br_mask_stream {
	const struct br_mask *mask;
	/* The automaton's state: the beginning of a form that was seen last. */
	uint32_t node;
	/* The last byte that was decided belongs to a secret. */
	bool is_masking;
	/* How many bytes came, and of how many the fate is decided. */
	uint64_t fed;
	uint64_t decided;
	/* What is to be masked behind `decided`: in order, apart. */
	struct br_mask_span *spans;
	size_t span_count;
	size_t span_capacity;
};

/*
 * Start a stream. Ownership: `mask` is borrowed until br_mask_stream_done(); NULL
 * masks nothing.
 */
void br_mask_stream_init(
	struct br_mask_stream *stream, const struct br_mask *mask);

/* Free what the stream holds. Bytes that it held back are lost. */
void br_mask_stream_done(struct br_mask_stream *stream);

/* Takes a piece of masked text, borrowed for the call and never empty. */
typedef void br_mask_fn(void *ctx, struct br_str piece);

/* Take the next bytes and pass on what is decided, in order. */
void br_mask_feed(struct br_mask_stream *stream, struct br_str data,
	br_mask_fn *fn, void *ctx);

/*
 * Say that nothing comes after this, and pass on what was held back. The stream
 * starts anew then.
 */
void br_mask_end(struct br_mask_stream *stream, br_mask_fn *fn, void *ctx);

/* Add `text`, masked, to `masked`. */
void br_mask_text(
	const struct br_mask *mask, struct br_str text, struct br_buf *masked);
