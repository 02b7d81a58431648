/* SPDX-License-Identifier: MIT */
/*
 * tails.h - the end of what each step wrote, where its log takes no more.
 *
 * Why a step has failed stands in its last lines, so of output beyond a log's limit
 * they are kept in memory until the step ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "event/event.h"

enum {
	/* Of one step: so many bytes, and as much more as its first piece is long. */
	BR_LOG_TAIL_BYTES = 16 * 1024,
	/* Stages whose tails are kept at once. */
	BR_LOG_TAILS = 256,
};

/* An output event, with its own copy of the bytes; `stage` is the tail's. */
struct br_log_piece {
	struct br_event event;
	char *data;
	struct br_log_piece *next;
};

/* Of the step at which a stage is. */
struct br_log_tail {
	char *stage;
	/* The oldest first. */
	struct br_log_piece *first;
	struct br_log_piece **last;
	size_t kept_bytes;
	/* What was dropped: how much, and the last event of it, without its bytes. */
	int64_t dropped_bytes;
	struct br_event dropped;
	struct br_log_tail *next;
};

/* Starts out all zero. Private, except that callers allocate it. */
struct br_log_tails {
	struct br_log_tail *tails;
	size_t count;
};

/*
 * Take an output event, and copy it. Says whether output had to be dropped for it, or it
 * was itself, and gives the last event of what was, without its bytes.
 */
bool br_log_tails_add(struct br_log_tails *tails, const struct br_event *output,
	struct br_event *dropped);

/*
 * Take the tail of `stage` out; NULL: any one. Gives NULL where there is none.
 *
 * Ownership: the caller frees it with br_log_tail_free().
 */
struct br_log_tail *br_log_tails_take(
	struct br_log_tails *tails, const char *stage);

/* Free a tail, which may be NULL. */
void br_log_tail_free(struct br_log_tail *tail);
