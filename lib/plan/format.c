/* SPDX-License-Identifier: MIT */
#include "plan/format.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

/* A mark for what cannot be shown. */
static const char unknown[] = "?";

/* Count the characters of `text`. */
static size_t width(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += ((uint8_t)*text & 0xc0) != 0x80;
	return count;
}

static void pad(struct br_buf *text, size_t from, size_t to)
{
	for (; from < to; from++)
		br_buf_add_char(text, ' ');
}

/* Add what may be any bytes, so that it stays on its line. */
static void add_clean(struct br_buf *text, const char *value)
{
	size_t len = strlen(value);

	for (size_t i = 0; i < len;) {
		size_t whole = br_utf8_valid_len(value + i, len - i);

		for (size_t end = i + whole; i < end; i++) {
			uint8_t byte = (uint8_t)value[i];

			if (byte < 0x20 || byte == 0x7f)
				br_buf_add_text(text, unknown);
			else
				br_buf_add_char(text, value[i]);
		}
		if (i < len) {
			br_buf_add_text(text, unknown);
			i++;
		}
	}
}

static void add_line(struct br_buf *text, const char *key, const char *value)
{
	br_buf_addf(text, "%-9s", key);
	add_clean(text, value);
	br_buf_add_char(text, '\n');
}

/* As many needs as a line holds: `a, b and 3 more`. */
static const char *show_needs(const struct br_plan *plan,
	const struct br_plan_stage *stage, struct br_buf *text)
{
	enum { SHOWN = 3 };
	const struct br_plan_indexes *needs = &plan->groups[stage->group].needs;
	size_t shown = needs->count > SHOWN + 1 ? SHOWN : needs->count;

	br_buf_clear(text);
	for (size_t i = 0; i < shown; i++)
		br_buf_addf(text, "%s%s", i > 0 ? ", " : "",
			plan->groups[needs->items[i]].name);
	if (shown < needs->count)
		br_buf_addf(text, " and %zu more", needs->count - shown);
	return needs->count > 0 ? br_buf_text(text) : "-";
}

static const char *show_status(enum br_when_status status)
{
	switch (status) {
	case BR_WHEN_SUCCESS:
		return "";
	case BR_WHEN_FAILURE:
		return ", if one of those before failed";
	case BR_WHEN_ALWAYS:
		return ", however those before end";
	}
	return "";
}

struct widths {
	size_t name;
	size_t needs;
};

static void add_stage(const struct br_plan *plan,
	const struct br_plan_stage *stage, const struct widths *widths,
	struct br_buf *text)
{
	br_autobuf struct br_buf shown = { 0 };
	const char *needs = show_needs(plan, stage, &shown);
	bool is_skipped = stage->skip != BR_SKIP_NOT;

	br_buf_add_text(text, stage->name);
	pad(text, width(stage->name), widths->name + 2);
	br_buf_addf(text, "%5zu  %s", stage->step_count, needs);
	pad(text, width(needs), widths->needs + 2);
	if (is_skipped)
		br_buf_add_text(text, "skipped: ");
	/* An option or a branch may be quoted in it. */
	add_clean(text, stage->why);
	if (!is_skipped)
		br_buf_add_text(text, show_status(stage->status));
	br_buf_add_char(text, '\n');
}

static void widen(size_t *column, const char *text)
{
	size_t needed = width(text);

	if (needed > *column)
		*column = needed;
}

static const char stage_head[] = "STAGE";
static const char needs_head[] = "WAITS FOR";
static const char cache_head[] = "CACHE";
static const char inputs_head[] = "INPUTS";

static struct widths measure(const struct br_plan *plan)
{
	struct widths widths = {
		.name = strlen(stage_head),
		.needs = strlen(needs_head),
	};
	br_autobuf struct br_buf shown = { 0 };

	for (size_t i = 0; i < plan->stage_count; i++) {
		widen(&widths.name, plan->stages[i].name);
		widen(&widths.needs,
			show_needs(plan, &plan->stages[i], &shown));
	}
	return widths;
}

/* What the stage cache goes by: a table of its own, of the stages that say something of it. */

/* As many globs as a cell holds: `a, b, c and 3 more`. */
static const char *show_globs(const char *const *globs, struct br_buf *text)
{
	enum { SHOWN = 3 };
	size_t count = 0;

	while (globs[count])
		count++;
	br_buf_clear(text);
	for (size_t i = 0; i < count && (i < SHOWN || count == SHOWN + 1);
		i++) {
		br_buf_add_text(text, i > 0 ? ", " : "");
		add_clean(text, globs[i]);
	}
	if (count > SHOWN + 1)
		br_buf_addf(text, " and %zu more", count - SHOWN);
	return count > 0 ? br_buf_text(text) : "-";
}

/* In the largest unit that gives a whole number: `7d`, `90m`. */
static void add_duration(int64_t duration_ms, struct br_buf *text)
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = {
		{ INT64_C(24) * 60 * 60 * 1000, "d" },
		{ INT64_C(60) * 60 * 1000, "h" },
		{ INT64_C(60) * 1000, "m" },
		{ 1000, "s" },
		{ 1, "ms" },
	};
	size_t i = 0;

	while (duration_ms % units[i].ms != 0)
		i++;
	br_buf_addf(text, "%" PRId64 "%s", duration_ms / units[i].ms,
		units[i].unit);
}

static const char *show_cached(
	const struct br_plan_stage *stage, struct br_buf *text)
{
	br_buf_clear(text);
	if (stage->kept_ms > 0)
		add_duration(stage->kept_ms, text);
	else
		br_buf_add_text(text, stage->is_cached ? "yes" : "no");
	return br_buf_text(text);
}

/* Those of a matrix have the same; NULL: this group says nothing. */
static const struct br_plan_stage *cached_of(
	const struct br_plan *plan, const struct br_plan_group *group)
{
	const struct br_plan_stage *stage = &plan->stages[group->first];
	bool is_said = stage->is_cached || stage->inputs[0] ||
		stage->outputs[0] || stage->kept_ms > 0;

	return is_said ? stage : NULL;
}

struct cache_widths {
	size_t name;
	size_t cached;
	size_t inputs;
};

static struct cache_widths measure_cache(const struct br_plan *plan)
{
	struct cache_widths widths = { strlen(stage_head), strlen(cache_head),
		strlen(inputs_head) };
	br_autobuf struct br_buf shown = { 0 };

	for (size_t i = 0; i < plan->group_count; i++) {
		const struct br_plan_stage *stage =
			cached_of(plan, &plan->groups[i]);

		if (!stage)
			continue;
		widen(&widths.name, plan->groups[i].name);
		widen(&widths.cached, show_cached(stage, &shown));
		widen(&widths.inputs, show_globs(stage->inputs, &shown));
	}
	return widths;
}

static void add_cell(struct br_buf *text, const char *value, size_t column)
{
	br_buf_add_text(text, value);
	pad(text, width(value), column + 2);
}

static void add_cache_line(const struct cache_widths *widths, const char *name,
	const struct br_plan_stage *stage, struct br_buf *text)
{
	br_autobuf struct br_buf shown = { 0 };

	add_cell(text, name, widths->name);
	add_cell(text, show_cached(stage, &shown), widths->cached);
	add_cell(text, show_globs(stage->inputs, &shown), widths->inputs);
	br_buf_addf(text, "%s\n", show_globs(stage->outputs, &shown));
}

static void add_cache(const struct br_plan *plan, struct br_buf *text)
{
	const struct cache_widths widths = measure_cache(plan);
	bool has_head = false;

	for (size_t i = 0; i < plan->group_count; i++) {
		const struct br_plan_group *group = &plan->groups[i];
		const struct br_plan_stage *stage = cached_of(plan, group);

		if (!stage)
			continue;
		if (!has_head) {
			br_buf_add_char(text, '\n');
			add_cell(text, stage_head, widths.name);
			add_cell(text, cache_head, widths.cached);
			add_cell(text, inputs_head, widths.inputs);
			br_buf_add_text(text, "OUTPUTS\n");
			has_head = true;
		}
		add_cache_line(&widths, group->name, stage, text);
	}
}

void br_format_text(const struct br_plan *plan, struct br_buf *text)
{
	const struct widths widths = measure(plan);

	add_line(text, "project", plan->project_dir);
	add_line(text, "manifest", plan->manifest);
	add_line(text, "image", plan->image);
	for (size_t i = 0; plan->warnings[i]; i++)
		add_line(text, "note", plan->warnings[i]);
	if (plan->stage_count == 0)
		return;

	br_buf_addf(text, "\n%s", stage_head);
	pad(text, strlen(stage_head), widths.name + 2);
	br_buf_addf(text, "STEPS  %s", needs_head);
	pad(text, strlen(needs_head), widths.needs + 2);
	br_buf_add_text(text, "WHY\n");
	for (size_t i = 0; i < plan->stage_count; i++)
		add_stage(plan, &plan->stages[i], &widths, text);
	add_cache(plan, text);
}

void br_plan_format(const struct br_plan *plan, enum br_plan_format format,
	struct br_buf *text)
{
	switch (format) {
	case BR_PLAN_FORMAT_TEXT:
		br_format_text(plan, text);
		return;
	case BR_PLAN_FORMAT_JSON:
		br_format_json(plan, text);
		return;
	case BR_PLAN_FORMAT_DOT:
		br_format_dot(plan, text);
		return;
	case BR_PLAN_FORMAT_MERMAID:
		br_format_mermaid(plan, text);
		return;
	}
}
