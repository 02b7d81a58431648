/* SPDX-License-Identifier: MIT */
/* headings.h - what `plain` says itself while a build runs, event by event. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "event/event.h"
#include "view/view.h"

/*
 * Add the lines that stand for `event`, or nothing. `is_alone`: no other stage
 * runs, so that a command needs no name of its stage.
 *
 * Images and the end of the build are told elsewhere (pulls.h, summary.h).
 */
void br_headings_format(const struct br_event *event,
	const struct br_view_options *options, bool is_alone,
	struct br_buf *text);

/* Add a notice: `warning: …`. */
void br_headings_add_notice(
	const struct br_event *event, bool has_color, struct br_buf *text);
