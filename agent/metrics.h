/* SPDX-License-Identifier: MIT */
/*
 * metrics.h - what an agent counts, in the text format of Prometheus.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "event/event.h"

/* What was, since the start. Starts out all zero. */
struct metrics {
	/* Reports, by their result. */
	uint64_t jobs[BR_RESULT_CANCELLED + 1];
	/* How long those builds took in all. */
	double build_seconds;
	/* Jobs that were given back after a failure of the agent's own. */
	uint64_t given_back;
	/* Of builds that have ended. */
	uint64_t events;
};

/* What is now. */
struct metrics_now {
	const char *name;
	const char *version;
	size_t running;
	size_t waiting;
	size_t jobs_max;
	/* Of builds that go on: events published, and bytes that the broker lacks. */
	uint64_t events;
	int64_t backlog_bytes;
	unsigned failures_in_row;
	bool is_connected;
	bool is_resting;
};

/* Count the report of a build. */
void metrics_add_report(
	struct metrics *metrics, enum br_result result, double seconds);

/* Add all of it as text. */
void metrics_format(const struct metrics *metrics,
	const struct metrics_now *now, struct br_buf *text);
