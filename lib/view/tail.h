/* SPDX-License-Identifier: MIT */
/* tail.h - the last lines of what a step wrote. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

enum {
	BR_TAIL_BYTES = 8 * 1024,
	BR_TAIL_LINES = 20,
};

/* Starts out all zero. Private, except that callers allocate it. */
struct br_tail {
	/* The last BR_TAIL_BYTES are kept, and as many again at times. */
	struct br_buf kept;
	bool is_cut;
};

/* Free it; it may be used again. */
void br_tail_done(struct br_tail *tail);

/* Forget the bytes but keep the memory. */
void br_tail_clear(struct br_tail *tail);

/* Take the next bytes. */
void br_tail_add(struct br_tail *tail, struct br_str data);

/*
 * View the last `lines` lines at most, of which the very last may have no end yet.
 * Borrowed until the tail changes.
 */
struct br_str br_tail_last(const struct br_tail *tail, size_t lines);

/*
 * Add the last lines to `text`, each behind `prefix` and ended by a newline. A
 * line whose beginning is lost is left out, or starts with `…` if it is the only one.
 */
void br_tail_format(
	const struct br_tail *tail, const char *prefix, struct br_buf *text);
