/* SPDX-License-Identifier: MIT */
/*
 * failure.h - what people are told of stages that did not pass.
 *
 * Looks at every event, because only in the end is it known which step's
 * command, place and last lines matter.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "event/event.h"
#include "view/view.h"

/* Of more failed stages than this only the number is told. */
enum { BR_FAILURES_SHOWN = 10 };

/* Starts out all zero. Private, except that callers allocate it. */
struct br_failures {
	char *manifest;
	/* The first notice of an error. */
	char *error;
	/* Stages that run or have failed, in the order of their start. */
	struct br_failure *stages;
	/* Those of them that have failed. */
	size_t kept_count;
};

/* Free it; it may be used again. */
void br_failures_done(struct br_failures *failures);

/* Take note of an event. */
void br_failures_note(
	struct br_failures *failures, const struct br_event *event);

/* Add in words how the stage of a stage.finished ended, if it did not pass. */
void br_failures_add_cause(struct br_buf *text, const struct br_event *event);

/*
 * Add a block for each stage that has failed in the build of `finished`, a
 * build.finished: step, place, cause, command, last lines, and how to run it again.
 * Nothing where none has. In a build that passed each failure was allowed.
 */
void br_failures_format(const struct br_failures *failures,
	const struct br_event *finished, const struct br_view_options *options,
	struct br_buf *text);

/*
 * Find the error that ended the build of `finished`; NULL: none did. Borrowed until
 * the next event.
 */
const char *br_failures_find_error(
	const struct br_failures *failures, const struct br_event *finished);
