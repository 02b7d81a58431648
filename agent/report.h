/* SPDX-License-Identifier: MIT */
/*
 * report.h - events of a build that no worker tells: of jobs that are none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/backlog.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "event/event.h"
#include "event/sink.h"

/* Borrowed for the call. */
struct report {
	const char *build;
	uint32_t attempt;
	/* The agent's. */
	const char *name;
	/* What is wrong. */
	const char *text;
	/* The job was tried too often. */
	bool is_tries;
	/* It was cancelled before it began: no error. */
	bool is_cancelled;
};

/*
 * Hand build.started, a notice and build.finished with the result `error` or
 * `cancelled` to `sink`. Fails as the sink does.
 */
bool report_emit(const struct report *report, struct br_sink *sink,
	struct br_err *err) BR_MUST_CHECK;

/* Add these events to `backlog`. Fails as backlog_add(). */
bool report_error(const struct report *report, struct backlog *backlog,
	struct br_err *err) BR_MUST_CHECK;

/* Whether the event `line` has `type`, given as `"type":"build.finished"`. */
bool report_has_type(struct br_str line, const char *type);

/* Read what a build.finished says. */
void report_read_end(
	struct br_str line, enum br_result *result, double *seconds);

/*
 * Give `<build>.<type>` for an event. Ownership: the caller frees it with free().
 */
char *report_routing_key(
	const char *build, struct br_str line) BR_NONNULL_RESULT;
