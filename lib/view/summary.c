/* SPDX-License-Identifier: MIT */
#include "view/summary.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "view/color.h"
#include "view/words.h"

enum {
	/* The longest result is `cancelled`, a duration `59 min 59 s`. */
	RESULT_COLUMNS = 9,
	SECONDS_COLUMNS = 11,
	/* Longer names push their row out of the table. */
	NAME_COLUMNS = 40,
};

struct br_summary_stage {
	char *name;
	double seconds;
	/* Not asked for: no row of the table. */
	bool is_hidden;
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
	if (event->type == BR_EVENT_STAGE_FINISHED)
		get(summary, event->stage_finished.stage,
			event->stage_finished.attempt)
			->seconds += event->stage_finished.seconds;
	else if (event->type == BR_EVENT_STAGE_SKIPPED &&
		event->stage_skipped.reason == BR_REASON_SELECTION)
		get(summary, event->stage_skipped.stage, 1)->is_hidden = true;
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

	if (stage)
		br_words_add_duration(&duration, stage->seconds);
	else
		br_buf_add_char(&duration, '-');
	add_spaces(text, duration.len, SECONDS_COLUMNS);
	br_buf_add(text, duration.data, duration.len);
}

static void add_result(
	struct br_buf *text, enum br_result result, bool has_color)
{
	const char *words = br_words_of_result(result);

	br_color_start(text, has_color, br_color_of_result(result));
	br_buf_add_text(text, words);
	br_color_end(text, has_color);
	add_spaces(text, strlen(words), RESULT_COLUMNS);
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
	size_t from = 0;

	for (size_t i = 0; i < results->count; i++) {
		const struct br_stage_result *row = &results->items[i];
		const struct br_summary_stage *stage =
			find(summary, row->stage, &from);

		if (stage && stage->is_hidden)
			continue;
		br_words_add_safe(text, br_str(row->stage));
		add_spaces(text, br_words_columns(row->stage), columns);
		br_buf_add_text(text, "  ");
		add_result(text, row->result, has_color);
		add_seconds(text, stage);
		br_buf_add_char(text, '\n');
	}
}

void br_summary_add_verdict(
	const struct br_event *event, bool has_color, struct br_buf *text)
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
	br_buf_add_char(text, '\n');
}
