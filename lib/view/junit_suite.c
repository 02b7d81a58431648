/* SPDX-License-Identifier: MIT */
#include "view/junit_suite.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "view/words.h"
#include "view/xml.h"

void br_junit_suite_clear(struct br_junit_suite *suite)
{
	char *stage = suite->stage;

	for (size_t i = 0; i < suite->begun; i++)
		free(suite->steps[i].name);
	free(suite->steps);
	br_tail_done(&suite->tail);
	free(suite->cause);
	free(suite->output);
	*suite = (struct br_junit_suite){ .stage = stage };
}

/* How a case came out. */
enum outcome { OUTCOME_PASS, OUTCOME_FAILURE, OUTCOME_ERROR, OUTCOME_SKIPPED };

static enum outcome outcome_of(
	const struct br_junit_suite *suite, bool is_allowed)
{
	if (!suite->has_ended)
		return OUTCOME_ERROR;
	switch (suite->result) {
	case BR_RESULT_PASS:
	case BR_RESULT_CACHED:
		return OUTCOME_PASS;
	case BR_RESULT_FAIL:
		return is_allowed ? OUTCOME_SKIPPED : OUTCOME_FAILURE;
	case BR_RESULT_ERROR:
		return OUTCOME_ERROR;
	case BR_RESULT_CANCELLED:
	case BR_RESULT_SKIPPED:
		return OUTCOME_SKIPPED;
	}
	return OUTCOME_ERROR;
}

/* Where the cases go, and what is counted. */
struct report {
	const struct br_junit_suite *suite;
	const char *manifest;
	struct br_junit_sums *sums;
	struct br_buf *xml;
};

static void add_seconds(struct br_buf *xml, double seconds)
{
	br_buf_addf(xml, " time=\"%.3f\"", seconds);
}

/* One case; `message` and `output` say more of one that did not pass. */
struct one {
	const char *name;
	/* 0: not known. */
	int64_t line;
	double seconds;
	enum outcome outcome;
	const char *message;
	const char *output;
};

static void add_outcome(const struct report *report, const struct one *one)
{
	static const char *const tags[] = {
		[OUTCOME_FAILURE] = "failure",
		[OUTCOME_ERROR] = "error",
		[OUTCOME_SKIPPED] = "skipped",
	};
	const char *tag = tags[one->outcome];

	br_buf_addf(report->xml, ">\n      <%s", tag);
	br_xml_add_attribute(report->xml, "message", one->message);
	if (one->outcome != OUTCOME_SKIPPED)
		br_xml_add_attribute(report->xml, "type",
			br_reason_name(report->suite->reason));
	if (one->output && one->output[0] != '\0') {
		br_buf_add_char(report->xml, '>');
		br_xml_add_text(report->xml, br_str(one->output));
		br_buf_addf(report->xml, "</%s>", tag);
	} else {
		br_buf_add_text(report->xml, "/>");
	}
	br_buf_add_text(report->xml, "\n    </testcase>\n");
}

static void add_case(const struct report *report, const struct one *one)
{
	struct br_junit_sums *sums = report->sums;

	br_buf_add_text(report->xml, "    <testcase");
	br_xml_add_attribute(report->xml, "name", one->name);
	br_xml_add_attribute(report->xml, "classname", report->suite->stage);
	add_seconds(report->xml, one->seconds);
	if (one->line > 0 && report->manifest) {
		br_xml_add_attribute(report->xml, "file", report->manifest);
		br_buf_addf(report->xml, " line=\"%" PRId64 "\"", one->line);
	}
	sums->tests++;
	sums->failures += one->outcome == OUTCOME_FAILURE;
	sums->errors += one->outcome == OUTCOME_ERROR;
	sums->skipped += one->outcome == OUTCOME_SKIPPED;
	if (one->outcome == OUTCOME_PASS)
		br_buf_add_text(report->xml, "/>\n");
	else
		add_outcome(report, one);
}

static const char *message_of(const struct br_junit_suite *suite)
{
	if (suite->result == BR_RESULT_SKIPPED)
		return br_words_of_skip(suite->reason);
	return suite->cause ? suite->cause : "it did not come to its end";
}

/* Whether the last step that began is the one that did not pass. */
static bool is_step_to_blame(const struct br_junit_suite *suite)
{
	return suite->begun > 0 &&
		(suite->failed_step == (int64_t)suite->begun ||
			suite->steps[suite->begun - 1].seconds < 0);
}

static void add_steps(const struct report *report, enum outcome outcome)
{
	const struct br_junit_suite *suite = report->suite;
	bool has_blame = outcome != OUTCOME_PASS && is_step_to_blame(suite);

	for (size_t i = 0; i < suite->begun; i++) {
		bool is_last = i + 1 == suite->begun;

		add_case(report,
			&(const struct one){
				.name = suite->steps[i].name,
				.line = suite->steps[i].line,
				.seconds = suite->steps[i].seconds > 0
					? suite->steps[i].seconds
					: 0,
				.outcome = is_last && has_blame ? outcome
								: OUTCOME_PASS,
				.message = message_of(suite),
				.output = suite->output,
			});
	}
}

/* Those that the stage did not come to. */
static void add_rest(const struct report *report)
{
	for (int64_t step = (int64_t)report->suite->begun + 1;
		step <= report->suite->step_count; step++) {
		br_autofree char *name = br_format("%" PRId64, step);

		add_case(report,
			&(const struct one){
				.name = name,
				.outcome = OUTCOME_SKIPPED,
				.message = "a step before it did not pass",
			});
	}
}

static void add_cases(const struct report *report, enum outcome outcome)
{
	const struct br_junit_suite *suite = report->suite;
	bool is_whole = suite->begun == 0 ||
		(outcome != OUTCOME_PASS && !is_step_to_blame(suite));

	add_steps(report, outcome);
	/* What no step is to blame for, or that had none: the stage itself. */
	if (is_whole)
		add_case(report,
			&(const struct one){
				.name = suite->stage,
				.seconds =
					suite->begun == 0 ? suite->seconds : 0,
				.outcome = outcome,
				.message = message_of(suite),
				.output = suite->output,
			});
	if (outcome != OUTCOME_PASS)
		add_rest(report);
}

static void add_timestamp(struct br_buf *xml, int64_t wall_us)
{
	enum { TO_SECONDS = 19 };
	char text[BR_CLOCK_TEXT_BYTES];

	br_clock_format(wall_us, text);
	br_buf_addf(xml, " timestamp=\"%.*s\"", TO_SECONDS, text);
}

void br_junit_suite_format(const struct br_junit_suite *suite,
	const char *manifest, bool is_allowed, struct br_junit_sums *sums,
	struct br_buf *xml)
{
	br_autobuf struct br_buf cases = { 0 };
	struct br_junit_sums own = { 0 };
	const struct report report = { suite, manifest, &own, &cases };

	add_cases(&report, outcome_of(suite, is_allowed));
	br_buf_add_text(xml, "  <testsuite");
	br_xml_add_attribute(xml, "name", suite->stage);
	br_buf_addf(xml,
		" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"",
		own.tests, own.failures, own.errors, own.skipped);
	add_seconds(xml, suite->seconds);
	if (suite->started_us > 0)
		add_timestamp(xml, suite->started_us);
	br_buf_add_text(xml, ">\n");
	br_buf_add(xml, cases.data, cases.len);
	br_buf_add_text(xml, "  </testsuite>\n");
	sums->tests += own.tests;
	sums->failures += own.failures;
	sums->errors += own.errors;
	sums->skipped += own.skipped;
}
