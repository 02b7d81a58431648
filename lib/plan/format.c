/* SPDX-License-Identifier: MIT */
#include "plan/format.h"

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

/* Add one line of what may be any bytes. */
static void add_line(struct br_buf *text, const char *key, const char *value)
{
	size_t len = strlen(value);

	br_buf_addf(text, "%-9s", key);
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
	br_buf_add_char(text, '\n');
}

static void add_stage(const struct br_plan_stage *stage, size_t name_width,
	struct br_buf *text)
{
	bool is_skipped = stage->skip != BR_SKIP_NOT;

	br_buf_add_text(text, stage->name);
	pad(text, width(stage->name), name_width + 2);
	br_buf_addf(text, "%5zu  %s%s\n", stage->step_count,
		is_skipped ? "skipped: " : "", stage->why);
}

void br_format_text(const struct br_plan *plan, struct br_buf *text)
{
	static const char head[] = "STAGE";
	size_t name_width = strlen(head);

	add_line(text, "project", plan->project_dir);
	add_line(text, "manifest", plan->manifest);
	add_line(text, "image", plan->image);
	for (size_t i = 0; plan->warnings[i]; i++)
		add_line(text, "note", plan->warnings[i]);
	if (plan->stage_count == 0)
		return;

	for (size_t i = 0; i < plan->stage_count; i++)
		if (width(plan->stages[i].name) > name_width)
			name_width = width(plan->stages[i].name);
	br_buf_addf(text, "\n%s", head);
	pad(text, strlen(head), name_width + 2);
	br_buf_add_text(text, "STEPS  WHY\n");
	for (size_t i = 0; i < plan->stage_count; i++)
		add_stage(&plan->stages[i], name_width, text);
}

/* Add a quoted Graphviz identifier; a line end within it is kept as `\n`. */
static void add_quoted(struct br_buf *text, const char *name)
{
	br_buf_add_char(text, '"');
	for (; *name != '\0'; name++) {
		if (*name == '"' || *name == '\\')
			br_buf_add_char(text, '\\');
		if (*name == '\n')
			br_buf_add_text(text, "\\n");
		else
			br_buf_add_char(text, *name);
	}
	br_buf_add_char(text, '"');
}

void br_format_dot(const struct br_plan *plan, struct br_buf *text)
{
	br_buf_add_text(text, "digraph ");
	add_quoted(text, plan->manifest);
	br_buf_add_text(text, " {\n\tnode [shape=box]\n");
	for (size_t i = 0; i < plan->stage_count; i++) {
		const struct br_plan_stage *stage = &plan->stages[i];

		br_buf_add_char(text, '\t');
		add_quoted(text, stage->name);
		if (stage->skip != BR_SKIP_NOT)
			br_buf_add_text(text, " [style=dashed]");
		br_buf_add_char(text, '\n');
		for (size_t k = 0; stage->needs[k]; k++) {
			br_buf_add_char(text, '\t');
			add_quoted(text, stage->needs[k]);
			br_buf_add_text(text, " -> ");
			add_quoted(text, stage->name);
			br_buf_add_char(text, '\n');
		}
	}
	br_buf_add_text(text, "}\n");
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
	}
}
