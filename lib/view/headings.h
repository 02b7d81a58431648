/* SPDX-License-Identifier: MIT */
/* headings.h - what `plain` says itself while a build runs, event by event. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "event/event.h"
#include "view/view.h"

/* What an event's lines depend on beside the event. */
struct br_headings_place {
	/* No other stage runs: a command needs no name of its stage. */
	bool is_alone;
	/* The event before was cache.hit: the stage that starts does not run. */
	bool is_after_hit;
};

/*
 * Add the lines that stand for `event`, or nothing.
 *
 * Images and the end of the build are told elsewhere (pulls.h, summary.h).
 */
void br_headings_format(const struct br_event *event,
	const struct br_view_options *options, struct br_headings_place place,
	struct br_buf *text);

/* Add a notice: `warning: …`. */
void br_headings_add_notice(
	const struct br_event *event, bool has_color, struct br_buf *text);
