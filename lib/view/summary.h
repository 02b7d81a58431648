/* SPDX-License-Identifier: MIT */
/* summary.h - how a build and its stages ended, and how long they took. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "event/event.h"

/* Starts out all zero. Private, except that callers allocate it. */
struct br_summary {
	/* Those that have ended, all attempts together, or were not asked for. */
	struct br_summary_stage *stages;
	size_t count;
	size_t capacity;
};

/* Free it; it may be used again. */
void br_summary_done(struct br_summary *summary);

/* Take note of an event: durations, and which stages were not asked for. */
void br_summary_note(struct br_summary *summary, const struct br_event *event);

/*
 * Add a table of the stages of a build.finished, without those that were not
 * asked for; nothing where it has none.
 */
void br_summary_add_table(const struct br_summary *summary,
	const struct br_event *event, bool has_color, struct br_buf *text);

/*
 * Add the last line: `passed in 12.3 s`. With the error that ended the build, where it
 * is not NULL: it may stand far above, and is what a person needs.
 */
void br_summary_add_verdict(const struct br_event *event, const char *error,
	bool has_color, struct br_buf *text);
