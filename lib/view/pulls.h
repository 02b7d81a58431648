/* SPDX-License-Identifier: MIT */
/* pulls.h - what is said of images that are pulled, and how often. */
#pragma once

#include "base/buf.h"
#include "event/event.h"

/* Starts out all zero. Private, except that callers allocate it. */
struct br_pulls {
	struct br_pull *pulls;
};

/* Free it; it may be used again. */
void br_pulls_done(struct br_pulls *pulls);

/*
 * Add what is to be said of an image.pulling or image.ready: a line for the
 * start, a line for the end, and between them one at most every 10 s. Of an image
 * that was there already, a line only if `is_verbose`.
 */
void br_pulls_format(struct br_pulls *pulls, const struct br_event *event,
	bool is_verbose, struct br_buf *text);
