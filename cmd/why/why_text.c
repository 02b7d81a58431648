/* SPDX-License-Identifier: MIT */
#include "cmd/why/why_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "cache/difference.h"
#include "cmd/why/why_walk.h"
#include "view/words.h"

enum { INDENT = 2 };

/* What is being written of one stage. */
struct page {
	const struct br_why_stage *stage;
	/* Safe for a terminal. */
	const char *name;
	int64_t now_ns;
	struct br_buf *text;
};

/* Add `5 minutes ago`. */
static void add_ago(const struct page *page, int64_t then_ns)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = {
		{ "day", 86400 },
		{ "hour", 3600 },
		{ "minute", 60 },
		{ "second", 1 },
	};
	int64_t seconds = (page->now_ns - then_ns) / 1000000000;
	size_t i = 0;

	if (seconds < 1) {
		br_buf_add_text(page->text, "just now");
		return;
	}
	while (seconds < units[i].seconds)
		i++;
	seconds /= units[i].seconds;
	br_buf_addf(page->text, "%" PRId64 " %s%s ago", seconds, units[i].name,
		seconds == 1 ? "" : "s");
}

static void add_safe(struct br_buf *text, const struct br_buf *foreign)
{
	br_words_add_safe(text, br_buf_str(foreign));
}

/* Lines below a heading. */
struct lines {
	struct why_walk walk;
	struct br_buf *text;
};

static void add_lines(struct lines *lines);

static void start_line(const struct lines *lines, size_t depth)
{
	br_buf_addf(lines->text, "%*s", (int)(INDENT * (depth + 1)), "");
}

static void add_difference(void *ctx, const struct br_difference *difference)
{
	const struct lines *lines = ctx;
	struct lines inner = { .text = lines->text };
	br_autobuf struct br_buf words = { 0 };

	br_difference_format(difference, &words);
	start_line(lines, lines->walk.depth);
	add_safe(lines->text, &words);
	if (!why_walk_into(&lines->walk, difference, &inner.walk)) {
		br_buf_add_char(lines->text, '\n');
		return;
	}
	br_buf_add_text(lines->text, ":\n");
	add_lines(&inner);
}

/* Of a run without differences: why it was all the same. */
static void add_cause(const struct lines *lines)
{
	const struct br_last_run *last_run = &lines->walk.stage->last_run;

	start_line(lines, lines->walk.depth);
	if (last_run->since_ns == 0)
		br_buf_add_text(lines->text, "it was the first time here");
	else if (last_run->cause)
		br_words_add_safe(lines->text, br_str(last_run->cause));
	else
		br_buf_add_text(lines->text, "nobody has written down why");
	br_buf_add_char(lines->text, '\n');
}

static void add_lines(struct lines *lines)
{
	struct br_err err = { 0 };

	if (lines->walk.is_past &&
		lines->walk.stage->last_run.differences.len == 0) {
		add_cause(lines);
	} else if (!why_walk_each(&lines->walk, add_difference, lines, &err)) {
		start_line(lines, lines->walk.depth);
		br_buf_addf(lines->text, "%s\n", err.text);
	}
}

/* Below the stage itself, with nothing told yet. */
static void add_all(
	const struct page *page, const struct br_why *why, bool is_past)
{
	br_autofree bool *told =
		br_alloc_array(why->plan->stage_count, sizeof(*told));
	struct lines lines = {
		.walk = { .why = why,
			.stage = page->stage,
			.is_past = is_past,
			.told = told },
		.text = page->text,
	};

	add_lines(&lines);
}

/* Whether the last build that looked at it ran it, and did not find its result. */
static bool has_run_last(const struct br_why_stage *stage)
{
	return stage->has_last_run &&
		stage->last_run.written_ns >= stage->before.written_ns;
}

/* Why the result of what has not changed is not there. */
static void add_missing(const struct page *page)
{
	const struct br_why_stage *stage = page->stage;
	bool has_run = has_run_last(stage);

	if (has_run && stage->last_run.result == BR_LAST_RUN_NO_RESULT) {
		br_buf_add_text(page->text,
			"that run has left no result: it failed or was "
			"stopped");
	} else if (has_run && stage->last_run.result == BR_LAST_RUN_REFUSED) {
		br_buf_add_text(page->text, "its result was not stored: ");
		br_words_add_safe(page->text,
			br_str(stage->last_run.refusal ? stage->last_run.refusal
						       : "nobody knows why"));
	} else if (strcmp(stage->text, "no result is stored") == 0) {
		br_buf_add_text(
			page->text, "its result is not stored any more");
	} else {
		br_words_add_safe(page->text, br_str(stage->text));
	}
}

static void add_unchanged(const struct page *page)
{
	const struct br_why_stage *stage = page->stage;
	bool has_run = has_run_last(stage);

	if (stage->has_result)
		br_buf_addf(page->text, "nothing of %s has changed since ",
			page->name);
	else
		br_buf_addf(page->text,
			"%s would run again: nothing has changed since ",
			page->name);
	br_buf_add_text(page->text,
		has_run ? "its last run (" : "it was last looked at (");
	add_ago(page, stage->before.written_ns);
	br_buf_add_char(page->text, ')');
	if (!stage->has_result) {
		br_buf_add_text(page->text, ", but ");
		add_missing(page);
	} else if (!has_run) {
		br_buf_add_text(page->text, ", when its result was there");
	}
	br_buf_add_char(page->text, '\n');
}

static void add_changed(const struct page *page, const struct br_why *why)
{
	br_buf_addf(page->text, "%s ", page->name);
	if (page->stage->has_result) {
		br_buf_add_text(page->text,
			"has changed since it was last looked at (");
		add_ago(page, page->stage->before.written_ns);
		br_buf_add_text(page->text,
			"), but its result is stored, and "
			"it would not run:\n");
	} else {
		br_buf_add_text(page->text, "would run again:\n");
	}
	add_all(page, why, false);
}

/* A line that says it all. */
static void add_statement(
	const struct page *page, const char *before, const char *after)
{
	br_buf_addf(page->text, "%s%s%s: ", before, page->name, after);
	br_words_add_safe(page->text, br_str(page->stage->text));
	br_buf_add_char(page->text, '\n');
}

static void add_state(const struct page *page, const struct br_why *why)
{
	switch (page->stage->state) {
	case BR_WHY_SKIPPED:
		add_statement(page, "", " would be skipped");
		return;
	case BR_WHY_UNCACHED:
		add_statement(page, "", " is not cached");
		return;
	case BR_WHY_UNKNOWN:
		add_statement(
			page, "whether ", " would run again cannot be said");
		return;
	case BR_WHY_NEW:
		br_buf_addf(page->text, "%s would %s\n", page->name,
			page->stage->has_result
				? "not run: it never has here, but its result "
				  "is stored"
				: "run: nothing is known of an earlier run "
				  "here");
		return;
	case BR_WHY_CHANGED:
		add_changed(page, why);
		return;
	case BR_WHY_UNCHANGED:
		add_unchanged(page);
		return;
	}
}

static void add_last_run(const struct page *page, const struct br_why *why)
{
	const struct br_why_stage *stage = page->stage;

	if (!stage->has_last_run)
		return;
	if (stage->state == BR_WHY_UNCHANGED && has_run_last(stage)) {
		br_buf_add_text(page->text, "it ran the last time because:\n");
	} else {
		br_buf_add_text(page->text, "it ran the last time (");
		add_ago(page, stage->last_run.written_ns);
		br_buf_add_text(page->text, ") because:\n");
	}
	add_all(page, why, true);
}

void why_text_format(const struct br_why *why, size_t stage, int64_t now_ns,
	struct br_buf *text)
{
	br_autobuf struct br_buf name = { 0 };
	struct page page = {
		.stage = &why->stages[stage],
		.now_ns = now_ns,
		.text = text,
	};

	br_words_add_safe(&name, br_str(why->plan->stages[stage].name));
	page.name = br_buf_text(&name);
	add_state(&page, why);
	add_last_run(&page, why);
}
