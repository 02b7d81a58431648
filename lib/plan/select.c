/* SPDX-License-Identifier: MIT */
#include "plan/select.h"

#include <stdint.h>

#include "plan/named.h"

static const char prepare_name[] = "prepare";

/* What is found out about a node of the graph. */
struct look {
	/* All of it runs since this stage needs it or is needed by it. */
	const char *needed_by;
	const char *after;
	/* It runs where no option says what does. */
	bool is_usual;
	bool is_included;
	size_t group;
};

struct selection {
	const struct br_manifest *manifest;
	const struct br_graph *graph;
	struct br_arena *arena;
	struct look *looks;
	struct br_named named;
	/* No option says what is to run: all that is listed. */
	bool is_everything;
	struct br_choices *choices;
};

/* Whether a name of the node has any of the marks `wanted`, and is not skipped. */
static bool has_mark(
	const struct selection *selection, size_t index, unsigned wanted)
{
	const uint8_t *marks = selection->named.nodes[index];
	size_t count = selection->graph->nodes[index].name_count;

	for (size_t i = 0; i < count; i++)
		if ((marks[i] & wanted) && !(marks[i] & BR_NAMED_BY_SKIP))
			return true;
	return false;
}

static bool is_all_skipped(const struct selection *selection, size_t index)
{
	const uint8_t *marks = selection->named.nodes[index];
	size_t count = selection->graph->nodes[index].name_count;

	for (size_t i = 0; i < count; i++)
		if (!(marks[i] & BR_NAMED_BY_SKIP))
			return false;
	return true;
}

/* What is listed, and what it needs, which comes before it: hence backwards. */
static void find_usual(struct selection *selection)
{
	for (size_t i = selection->graph->count; i-- > 0;) {
		const struct br_graph_node *node = &selection->graph->nodes[i];
		struct look *look = &selection->looks[i];

		look->is_usual = look->is_usual || node->is_listed;
		for (size_t k = 0; look->is_usual && k < node->need_count; k++)
			selection->looks[node->needs[k]].is_usual = true;
	}
}

/* Whether --from names some of the node. If that is skipped, it starts behind. */
static bool is_start(const struct selection *selection, size_t index)
{
	const uint8_t *marks = selection->named.nodes[index];
	size_t count = selection->graph->nodes[index].name_count;

	for (size_t i = 0; i < count; i++)
		if (marks[i] & BR_NAMED_BY_FROM)
			return true;
	return false;
}

/* From --from on: what needs it, or needs what comes after it. */
static void follow_dependents(struct selection *selection)
{
	for (size_t i = 0; i < selection->graph->count; i++) {
		const struct br_graph_node *node = &selection->graph->nodes[i];
		struct look *look = &selection->looks[i];

		if (!look->is_usual)
			continue;
		/* All wait for it. */
		if (selection->named.prepare & BR_NAMED_BY_FROM)
			look->after = prepare_name;
		for (size_t k = 0; k < node->need_count; k++) {
			size_t need = node->needs[k];

			if (selection->looks[need].after ||
				is_start(selection, need))
				look->after = selection->graph->nodes[need]
						      .stage->name;
		}
	}
}

/* Whether the node brings what it needs into the build. */
static bool wants_needs(const struct selection *selection, size_t index)
{
	const struct look *look = &selection->looks[index];

	if (is_all_skipped(selection, index))
		return false;
	return look->needed_by ||
		has_mark(selection, index, BR_NAMED_BY_ARGUMENT) ||
		(selection->is_everything &&
			selection->graph->nodes[index].is_listed);
}

/* What is needed comes before what needs it, hence backwards. */
static void follow_needs(struct selection *selection)
{
	for (size_t i = selection->graph->count; i-- > 0;) {
		const struct br_graph_node *node = &selection->graph->nodes[i];

		for (size_t k = 0;
			wants_needs(selection, i) && k < node->need_count; k++)
			selection->looks[node->needs[k]].needed_by =
				node->stage->name;
	}
}

/* In the plan are the usual ones and all that others need, run they or not. */
static void include(struct selection *selection)
{
	for (size_t i = selection->graph->count; i-- > 0;) {
		const struct br_graph_node *node = &selection->graph->nodes[i];
		struct look *look = &selection->looks[i];

		look->is_included = look->is_included || look->is_usual ||
			look->needed_by || has_mark(selection, i, ~0U);
		for (size_t k = 0; look->is_included && k < node->need_count;
			k++)
			selection->looks[node->needs[k]].is_included = true;
	}
}

/* Which option names it, in words; NULL: none. */
static const char *show_marks(unsigned marks)
{
	if (marks & BR_NAMED_BY_SKIP)
		return "left out with --skip";
	if (marks & BR_NAMED_BY_ARGUMENT)
		return "named on the command line";
	if (marks & BR_NAMED_BY_ONLY)
		return "named with --only";
	if (marks & BR_NAMED_BY_FROM)
		return "named with --from";
	return NULL;
}

/* Say why one stage runs or not. */
static void choose(struct selection *selection, const struct look *look,
	unsigned marks, bool is_listed, struct br_choice *choice)
{
	struct br_arena *arena = selection->arena;

	choice->why = show_marks(marks);
	choice->is_named = marks & (BR_NAMED_BY_ARGUMENT | BR_NAMED_BY_ONLY);
	if (marks & BR_NAMED_BY_SKIP) {
		choice->skip = BR_SKIP_SELECTION;
	} else if (choice->why) {
		return;
	} else if (selection->is_everything && is_listed) {
		choice->why = "listed in 'stages'";
	} else if (look->needed_by) {
		choice->why = br_arena_format(
			arena, "needed by '%s'", look->needed_by);
	} else if (look->after) {
		choice->why = br_arena_format(arena, "after '%s'", look->after);
	} else {
		choice->skip = BR_SKIP_SELECTION;
		choice->why = "neither named nor needed";
	}
}

static struct br_plan_group *add_group(
	struct selection *selection, const char *name)
{
	struct br_choices *choices = selection->choices;
	struct br_plan_group *group = &choices->groups[choices->group_count++];

	*group = (struct br_plan_group){
		.name = name,
		.first = choices->count,
	};
	return group;
}

/* Whether anything that runs needs the build's container. */
static bool has_shared_stage(const struct br_choices *choices)
{
	for (size_t i = 0; i < choices->count; i++)
		if (choices->items[i].skip == BR_SKIP_NOT &&
			!choices->items[i].is_prepare &&
			!choices->items[i].stage->image)
			return true;
	return false;
}

/* It is decided after the others, but comes first. */
static void choose_prepare(struct selection *selection)
{
	struct br_choices *choices = selection->choices;
	struct br_choice *prepare = &choices->items[0];

	prepare->why = show_marks(selection->named.prepare);
	prepare->is_named = selection->named.prepare &
		(BR_NAMED_BY_ARGUMENT | BR_NAMED_BY_ONLY);
	if (selection->named.prepare & BR_NAMED_BY_SKIP) {
		prepare->skip = BR_SKIP_SELECTION;
	} else if (prepare->why) {
		return;
	} else if (selection->is_everything || has_shared_stage(choices)) {
		prepare->why = "runs before all others";
	} else {
		prepare->skip = BR_SKIP_SELECTION;
		prepare->why = "no stage runs in the build's container";
	}
}

static void add_prepare(struct selection *selection)
{
	struct br_choices *choices = selection->choices;

	add_group(selection, prepare_name)->count = 1;
	choices->items[choices->count++] = (struct br_choice){
		.stage = selection->manifest->prepare,
		.name = prepare_name,
		.is_prepare = true,
	};
}

static void add_node(struct selection *selection, size_t index)
{
	const struct br_graph_node *node = &selection->graph->nodes[index];
	struct br_choices *choices = selection->choices;
	struct look *look = &selection->looks[index];

	look->group = choices->group_count;
	add_group(selection, node->stage->name)->count = node->name_count;
	for (size_t i = 0; i < node->name_count; i++) {
		struct br_choice *choice = &choices->items[choices->count++];

		*choice = (struct br_choice){
			.stage = node->stage,
			.combination = node->names[i].combination,
			.name = node->names[i].text,
			.group = look->group,
		};
		choose(selection, look, selection->named.nodes[index][i],
			node->is_listed, choice);
	}
}

/* Those that need nothing wait for `prepare` all the same. */
static void link_needs(struct selection *selection, size_t index)
{
	const struct br_graph_node *node = &selection->graph->nodes[index];
	const struct look *look = &selection->looks[index];
	struct br_plan_group *group = &selection->choices->groups[look->group];
	bool has_prepare = selection->manifest->prepare != NULL;
	size_t count = node->need_count;

	group->needs = (struct br_plan_indexes){
		.items = br_arena_array(
			selection->arena, count + 1, sizeof(size_t)),
		.count = count,
	};
	for (size_t i = 0; i < count; i++)
		group->needs.items[i] = selection->looks[node->needs[i]].group;
	/* Group 0 is `prepare`. */
	if (count == 0 && has_prepare)
		group->needs.count = 1;
}

/* The needs, the other way round. */
static void link_dependents(struct br_choices *choices, struct br_arena *arena)
{
	struct br_plan_group *groups = choices->groups;

	for (size_t i = 0; i < choices->group_count; i++)
		for (size_t k = 0; k < groups[i].needs.count; k++)
			groups[groups[i].needs.items[k]].dependents.count++;
	for (size_t i = 0; i < choices->group_count; i++) {
		struct br_plan_indexes *dependents = &groups[i].dependents;

		dependents->items = br_arena_array(
			arena, dependents->count, sizeof(size_t));
		dependents->count = 0;
	}
	for (size_t i = 0; i < choices->group_count; i++)
		for (size_t k = 0; k < groups[i].needs.count; k++) {
			struct br_plan_indexes *dependents =
				&groups[groups[i].needs.items[k]].dependents;

			dependents->items[dependents->count++] = i;
		}
}

static size_t count_names(const struct br_graph *graph)
{
	size_t count = 0;

	for (size_t i = 0; i < graph->count; i++)
		count += graph->nodes[i].name_count;
	return count;
}

static void start(struct selection *selection)
{
	const struct br_graph *graph = selection->graph;
	struct br_choices *choices = selection->choices;

	selection->looks = br_arena_array(
		selection->arena, graph->count, sizeof(*selection->looks));
	*choices = (struct br_choices){
		.items = br_arena_array(selection->arena,
			count_names(graph) + 1, sizeof(*choices->items)),
		.groups = br_arena_array(selection->arena, graph->count + 1,
			sizeof(*choices->groups)),
	};
}

bool br_select(const struct br_manifest *manifest, const struct br_graph *graph,
	const struct br_plan_options *options, struct br_arena *arena,
	struct br_choices *choices, struct br_err *err)
{
	struct selection selection = {
		.manifest = manifest,
		.graph = graph,
		.arena = arena,
		.is_everything = options->selection.count == 0 &&
			options->only.count == 0 && options->from.count == 0,
		.choices = choices,
	};

	start(&selection);
	if (!br_named_find(
		    manifest, graph, options, arena, &selection.named, err))
		return false;
	find_usual(&selection);
	follow_dependents(&selection);
	follow_needs(&selection);
	include(&selection);
	if (manifest->prepare)
		add_prepare(&selection);
	for (size_t i = 0; i < graph->count; i++)
		if (selection.looks[i].is_included) {
			add_node(&selection, i);
			link_needs(&selection, i);
		}
	if (manifest->prepare)
		choose_prepare(&selection);
	link_dependents(choices, arena);
	return true;
}
