/* SPDX-License-Identifier: MIT */
/* format_graph.c - the plan as a graph, for programs that draw one. */
#include <stdint.h>

#include "plan/format.h"

/*
 * Add a quoted Graphviz identifier, which is what is shown too: a line end within
 * it is kept as `\n`, and entities of HTML mean characters.
 */
static void add_quoted(struct br_buf *text, const char *name)
{
	br_buf_add_char(text, '"');
	for (; *name != '\0'; name++) {
		if (*name == '"' || *name == '\\')
			br_buf_add_char(text, '\\');
		if (*name == '\n')
			br_buf_add_text(text, "\\n");
		else if (*name == '&')
			br_buf_add_text(text, "&amp;");
		else
			br_buf_add_char(text, *name);
	}
	br_buf_add_char(text, '"');
}

/* What an edge from a group begins at: its stage, or the point of a matrix. */
static const char *end_of(
	const struct br_plan *plan, const struct br_plan_group *group)
{
	return group->count == 1 ? plan->stages[group->first].name
				 : group->name;
}

static void add_dot_edge(struct br_buf *text, const char *from, const char *to)
{
	br_buf_add_char(text, '\t');
	add_quoted(text, from);
	br_buf_add_text(text, " -> ");
	add_quoted(text, to);
	br_buf_add_char(text, '\n');
}

static void add_dot_stage(const struct br_plan *plan,
	const struct br_plan_group *group, const struct br_plan_stage *stage,
	struct br_buf *text)
{
	br_buf_add_char(text, '\t');
	add_quoted(text, stage->name);
	if (stage->skip != BR_SKIP_NOT)
		br_buf_add_text(text, " [style=dashed]");
	br_buf_add_char(text, '\n');
	for (size_t i = 0; i < group->needs.count; i++)
		add_dot_edge(text,
			end_of(plan, &plan->groups[group->needs.items[i]]),
			stage->name);
	if (group->count > 1)
		add_dot_edge(text, stage->name, group->name);
}

void br_format_dot(const struct br_plan *plan, struct br_buf *text)
{
	br_buf_add_text(text, "digraph ");
	add_quoted(text, plan->manifest);
	br_buf_add_text(text, " {\n\tnode [shape=box]\n");
	for (size_t i = 0; i < plan->group_count; i++) {
		const struct br_plan_group *group = &plan->groups[i];

		for (size_t k = 0; k < group->count; k++)
			add_dot_stage(plan, group,
				&plan->stages[group->first + k], text);
		if (group->count > 1) {
			br_buf_add_char(text, '\t');
			add_quoted(text, group->name);
			br_buf_add_text(text, " [shape=point]\n");
		}
	}
	br_buf_add_text(text, "}\n");
}

/* Add a label in quotes; Mermaid takes characters by their number. */
static void add_label(struct br_buf *text, const char *name)
{
	br_buf_add_text(text, "[\"");
	for (; *name != '\0'; name++) {
		uint8_t byte = (uint8_t)*name;

		if (byte < 0x20 || *name == '"' || *name == '#' ||
			*name == '<' || *name == '>' || *name == '&' ||
			*name == '`' || *name == '\\')
			br_buf_addf(text, "#%u;", byte);
		else
			br_buf_add_char(text, *name);
	}
	br_buf_add_text(text, "\"]");
}

/* `s3` for a stage, `g2` for the point of a matrix. */
static void add_mermaid_edge_to(const struct br_plan *plan, size_t need,
	size_t stage, struct br_buf *text)
{
	const struct br_plan_group *group = &plan->groups[need];

	if (group->count == 1)
		br_buf_addf(text, "\ts%zu --> s%zu\n", group->first, stage);
	else
		br_buf_addf(text, "\tg%zu --> s%zu\n", need, stage);
}

static void add_mermaid_group(
	const struct br_plan *plan, size_t index, struct br_buf *text)
{
	const struct br_plan_group *group = &plan->groups[index];

	if (group->count > 1)
		br_buf_addf(text, "\tg%zu(( ))\n", index);
	for (size_t i = group->first; i < group->first + group->count; i++) {
		const struct br_plan_stage *stage = &plan->stages[i];

		br_buf_addf(text, "\ts%zu", i);
		add_label(text, stage->name);
		if (stage->skip != BR_SKIP_NOT)
			br_buf_add_text(text, ":::skipped");
		br_buf_add_char(text, '\n');
		for (size_t k = 0; k < group->needs.count; k++)
			add_mermaid_edge_to(
				plan, group->needs.items[k], i, text);
		if (group->count > 1)
			br_buf_addf(text, "\ts%zu --> g%zu\n", i, index);
	}
}

void br_format_mermaid(const struct br_plan *plan, struct br_buf *text)
{
	br_buf_add_text(text,
		"flowchart LR\n"
		"\tclassDef skipped stroke-dasharray: 4 4\n");
	for (size_t i = 0; i < plan->group_count; i++)
		add_mermaid_group(plan, i, text);
}
