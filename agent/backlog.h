/* SPDX-License-Identifier: MIT */
/*
 * backlog.h - the events of a build on their way to the broker.
 *
 * A build writes its events as lines, as fast as it likes; the broker takes them when
 * it likes, or is away. What lies between is a file without a name in the work
 * directory, so that the agent does not grow with it and nothing of it is left. A line
 * is kept until the broker has confirmed it: after a lost connection everything that
 * was not is handed out again, in order.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Starts out by backlog_open(). Private, but for is_full. */
struct backlog {
	int fd;
	/* Offsets: of the end, of what is to be handed out next, of the confirmed. */
	int64_t end;
	/* And of the end of the last whole line. */
	int64_t lines_end;
	int64_t next;
	int64_t confirmed;
	/* What was read ahead, from `window_start` on. */
	struct br_buf window;
	int64_t window_start;
};

/* What a build may be ahead of the broker; then it has to wait. */
#define BACKLOG_MAX_BYTES (INT64_C(1) << 30)

/*
 * Begin, empty, with the file in `folder`. Ownership: backlog_close(). Fails with
 * BR_ESYSTEM.
 */
bool backlog_open(const char *folder, struct backlog *backlog,
	struct br_err *err) BR_MUST_CHECK;

/* Free it. May be called twice, and for one that is all zero with fd -1. */
void backlog_close(struct backlog *backlog);

/* Whether it takes no more for now. */
bool backlog_is_full(const struct backlog *backlog);

/*
 * Add bytes: whole lines or parts of them.
 *
 * Fails with BR_ESYSTEM where the disk takes no more.
 */
bool backlog_add(struct backlog *backlog, const void *data, size_t len,
	struct br_err *err) BR_MUST_CHECK;

/* Forget the part of a line at the end: who wrote it was killed. */
void backlog_cut(struct backlog *backlog);

/*
 * Give the next line without its end, and the offset behind it; false: there is no
 * whole line (yet), or it cannot be read back, which `err` tells then. The line is
 * valid until the next call.
 */
bool backlog_peek(struct backlog *backlog, struct br_str *line, int64_t *end,
	struct br_err *err);

/* The line that ends at `end` was handed out. */
void backlog_take(struct backlog *backlog, int64_t end);

/* Everything before `end` is the broker's: its place on the disk is freed. */
void backlog_confirm(struct backlog *backlog, int64_t end);

/* Hand out again what is not confirmed. */
void backlog_rewind(struct backlog *backlog);

/* Whether every byte that was added is confirmed. */
bool backlog_is_done(const struct backlog *backlog);
