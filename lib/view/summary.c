/* SPDX-License-Identifier: MIT */
#include "view/summary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "view/color.h"
#include "view/words.h"

enum {
	/* Few are longer than `cancelled`, and no duration than `59 min 59 s`. */
	RESULT_COLUMNS = 9,
	SECONDS_COLUMNS = 11,
	/* Longer names push their row out of the table. */
	NAME_COLUMNS = 60,
};

struct br_summary_stage {
	char *name;
	double seconds;
	/* NONE unless it was skipped; not asked for: no row of the table. */
	enum br_reason skipped;
	/* How often it was tried. */
	int64_t attempts;
};

void br_summary_done(struct br_summary *summary)
{
	for (size_t i = 0; i < summary->count; i++)
		free(summary->stages[i].name);
	free(summary->stages);
	*summary = (struct br_summary){ 0 };
}

/*
 * Find a stage, looking from `*from` on: names are asked for in about the order in
 * which they ended, so that 10,000 of them take no 50 million comparisons.
 */
static struct br_summary_stage *find(
	const struct br_summary *summary, const char *name, size_t *from)
{
	for (size_t i = 0; i < summary->count; i++) {
		size_t at = (*from + i) % summary->count;

		if (strcmp(summary->stages[at].name, name) == 0) {
			*from = at + 1;
			return &summary->stages[at];
		}
	}
	return NULL;
}

/* Only a second attempt can have ended before. */
static struct br_summary_stage *get(
	struct br_summary *summary, const char *name, int64_t attempt)
{
	size_t from = 0;
	struct br_summary_stage *stage =
		attempt > 1 ? find(summary, name, &from) : NULL;

	if (stage)
		return stage;
	summary->stages = br_grow(summary->stages, summary->count,
		&summary->capacity, sizeof(*summary->stages));
	stage = &summary->stages[summary->count++];
	*stage = (struct br_summary_stage){ .name = br_strdup(name) };
	return stage;
}

void br_summary_note(struct br_summary *summary, const struct br_event *event)
{
	struct br_summary_stage *stage;

	if (event->type == BR_EVENT_STAGE_FINISHED) {
		stage = get(summary, event->stage_finished.stage,
			event->stage_finished.attempt);
		stage->seconds += event->stage_finished.seconds;
		stage->attempts = event->stage_finished.attempt;
	} else if (event->type == BR_EVENT_STAGE_SKIPPED) {
		stage = get(summary, event->stage_skipped.stage, 1);
		stage->skipped = event->stage_skipped.reason;
	}
}

static void add_spaces(struct br_buf *text, size_t used, size_t columns)
{
	for (; used < columns; used++)
		br_buf_add_char(text, ' ');
}

static void add_seconds(
	struct br_buf *text, const struct br_summary_stage *stage)
{
	br_autobuf struct br_buf duration = { 0 };

	if (stage && stage->skipped == BR_REASON_NONE)
		br_words_add_duration(&duration, stage->seconds);
	else
		br_buf_add_char(&duration, '-');
	add_spaces(text, duration.len, SECONDS_COLUMNS);
	br_buf_add(text, duration.data, duration.len);
}

/* A failure that did not fail the build was allowed. */
static const char *words_of(enum br_result stage, enum br_result build)
{
	return stage == BR_RESULT_FAIL && build == BR_RESULT_PASS
		? "failed (allowed)"
		: br_words_of_result(stage);
}

static size_t longest_result(const struct br_event *event)
{
	const struct br_stage_results *results = &event->build_finished.stages;
	size_t longest = RESULT_COLUMNS;

	for (size_t i = 0; i < results->count; i++) {
		size_t columns = strlen(words_of(results->items[i].result,
			event->build_finished.result));

		longest = columns > longest ? columns : longest;
	}
	return longest;
}

static void add_result(struct br_buf *text, enum br_result stage,
	enum br_result build, size_t columns, bool has_color)
{
	const char *words = words_of(stage, build);
	bool is_allowed = stage == BR_RESULT_FAIL && build == BR_RESULT_PASS;

	br_color_start(text, has_color,
		is_allowed ? BR_COLOR_YELLOW : br_color_of_result(stage));
	br_buf_add_text(text, words);
	br_color_end(text, has_color);
	add_spaces(text, strlen(words), columns);
}

/* Why it did not run, or that it took more than one attempt. */
static void add_remark(
	struct br_buf *text, const struct br_summary_stage *stage)
{
	if (!stage)
		return;
	if (stage->skipped != BR_REASON_NONE)
		br_buf_addf(text, "  %s", br_words_of_skip(stage->skipped));
	else if (stage->attempts > 1)
		br_buf_addf(text, "  %" PRId64 " attempts", stage->attempts);
}

static size_t longest_name(const struct br_stage_results *results)
{
	size_t longest = strlen("stage");

	for (size_t i = 0; i < results->count; i++) {
		size_t columns = br_words_columns(results->items[i].stage);

		if (columns > longest && columns <= NAME_COLUMNS)
			longest = columns;
	}
	return longest;
}

void br_summary_add_table(const struct br_summary *summary,
	const struct br_event *event, bool has_color, struct br_buf *text)
{
	const struct br_stage_results *results = &event->build_finished.stages;
	size_t columns = longest_name(results);
	size_t result_columns = longest_result(event);
	size_t from = 0;

	for (size_t i = 0; i < results->count; i++) {
		const struct br_stage_result *row = &results->items[i];
		const struct br_summary_stage *stage =
			find(summary, row->stage, &from);

		if (stage && stage->skipped == BR_REASON_SELECTION)
			continue;
		br_words_add_safe(text, br_str(row->stage));
		add_spaces(text, br_words_columns(row->stage), columns);
		br_buf_add_text(text, "  ");
		add_result(text, row->result, event->build_finished.result,
			result_columns, has_color);
		add_seconds(text, stage);
		add_remark(text, stage);
		br_buf_add_char(text, '\n');
	}
}

void br_summary_add_verdict(const struct br_event *event, const char *error,
	bool has_color, struct br_buf *text)
{
	enum br_result result = event->build_finished.result;

	br_color_start(text, has_color, br_color_of_result(result));
	switch (result) {
	case BR_RESULT_PASS:
	case BR_RESULT_FAIL:
	case BR_RESULT_CANCELLED:
	case BR_RESULT_CACHED:
	case BR_RESULT_SKIPPED:
		br_buf_add_text(text, br_words_of_result(result));
		br_buf_add_text(text,
			result == BR_RESULT_CANCELLED ? " after " : " in ");
		break;
	case BR_RESULT_ERROR:
		br_buf_add_text(text, "ended by an error after ");
		break;
	}
	br_words_add_duration(text, event->build_finished.seconds);
	br_color_end(text, has_color);
	if (error) {
		br_buf_add_text(text, ": ");
		br_words_add_first_line(text, error);
	}
	br_buf_add_char(text, '\n');
}
