/* SPDX-License-Identifier: MIT */
/* junit_suite.h - a stage of a build as a suite of a JUnit report. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "event/event.h"
#include "view/tail.h"

struct br_junit_step {
	/* Its number and its first line. */
	char *name;
	int64_t line;
	/* Negative: it did not come to its end. */
	double seconds;
};

/* A stage: of several attempts the last one. */
struct br_junit_suite {
	char *stage;
	/* Wall time of its start. */
	int64_t started_us;
	/* Of the stage; fewer may have begun. */
	int64_t step_count;
	struct br_junit_step *steps;
	size_t begun;
	size_t capacity;
	/* Of the step that runs. */
	struct br_tail tail;
	/* SKIPPED with the reason, or how it ended. */
	bool has_ended;
	enum br_result result;
	enum br_reason reason;
	double seconds;
	/* The step that failed; 0: none is to blame. */
	int64_t failed_step;
	/* Why it did not pass, and what it wrote last; NULL: it passed. */
	char *cause;
	char *output;
};

/* Sums of what was added. */
struct br_junit_sums {
	size_t tests;
	size_t failures;
	size_t errors;
	size_t skipped;
};

/* Forget all but the name, for another attempt or in the end. */
void br_junit_suite_clear(struct br_junit_suite *suite);

/* Add the suite as XML, and what is in it to `sums`. A failure counts as skipped where it
 * `is_allowed`. `manifest` is the file that the steps are in; NULL: not known. */
void br_junit_suite_format(const struct br_junit_suite *suite,
	const char *manifest, bool is_allowed, struct br_junit_sums *sums,
	struct br_buf *xml);
