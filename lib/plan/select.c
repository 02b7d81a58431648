/* SPDX-License-Identifier: MIT */
#include "plan/select.h"

#include <fnmatch.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/suggest.h"

static const char prepare_name[] = "prepare";

/* Which option names a stage. */
enum mark {
	MARK_NAMED = 1,
	MARK_ONLY = 2,
	MARK_FROM = 4,
	MARK_SKIP = 8,
};

/* What is found out about a node of the graph. */
struct look {
	/* Bits of enum mark for each of its names. */
	uint8_t *marks;
	/* All of it runs since this stage needs it or is needed by it. */
	const char *needed_by;
	const char *after;
	bool is_included;
	size_t group;
};

struct selection {
	const struct br_manifest *manifest;
	const struct br_graph *graph;
	struct br_arena *arena;
	struct look *looks;
	uint8_t prepare_marks;
	/* No option says what is to run: all that is listed. */
	bool is_everything;
	struct br_choices *choices;
};

static bool fail_unknown(
	const struct selection *selection, const char *name, struct br_err *err)
{
	const struct br_graph *graph = selection->graph;
	const char *file = selection->manifest->file;
	size_t count = graph->count;
	br_autofree const char **known =
		br_alloc_array(count + 1, sizeof(*known));

	if (strpbrk(name, "*?["))
		return br_fail(err, BR_EINPUT, "no stage in %s matches '%s'",
			file, name);
	for (size_t i = 0; i < count; i++)
		known[i] = graph->nodes[i].stage->name;
	if (selection->manifest->prepare)
		known[count++] = prepare_name;

	const char *meant = br_suggest_find(name, known, count);
	if (meant)
		return br_fail(err, BR_EINPUT,
			"no stage '%s' in %s; did you mean '%s'?", name, file,
			meant);
	return br_fail(err, BR_EINPUT, "no stage '%s' in %s", name, file);
}

typedef bool match_fn(const char *pattern, const char *name);

static bool is_same(const char *pattern, const char *name)
{
	return strcmp(pattern, name) == 0;
}

static bool is_match(const char *pattern, const char *name)
{
	return fnmatch(pattern, name, 0) == 0;
}

/* Mark every stage that a pattern means; false: it means none. */
static bool mark_matches(struct selection *selection, const char *pattern,
	enum mark mark, match_fn *matches)
{
	bool is_found =
		selection->manifest->prepare && matches(pattern, prepare_name);

	if (is_found)
		selection->prepare_marks |= (uint8_t)mark;
	for (size_t i = 0; i < selection->graph->count; i++) {
		const struct br_graph_node *node = &selection->graph->nodes[i];
		bool is_all = matches(pattern, node->stage->name);

		for (size_t k = 0; k < node->name_count; k++) {
			if (!is_all && !matches(pattern, node->names[k].text))
				continue;
			selection->looks[i].marks[k] |= (uint8_t)mark;
			is_found = true;
		}
	}
	return is_found;
}

/* A name that is one is no glob: `[` may stand in it. */
static bool mark_names(struct selection *selection,
	const struct br_plan_names *names, enum mark mark, struct br_err *err)
{
	for (size_t i = 0; i < names->count; i++)
		if (!mark_matches(selection, names->items[i], mark, is_same) &&
			!mark_matches(
				selection, names->items[i], mark, is_match))
			return fail_unknown(selection, names->items[i], err);
	return true;
}

static bool mark_all(struct selection *selection,
	const struct br_plan_options *options, struct br_err *err)
{
	return mark_names(selection, &options->selection, MARK_NAMED, err) &&
		mark_names(selection, &options->only, MARK_ONLY, err) &&
		mark_names(selection, &options->from, MARK_FROM, err) &&
		mark_names(selection, &options->skip, MARK_SKIP, err);
}

/* Whether a name of the node has any of `marks`, and is not skipped. */
static bool has_mark(
	const struct selection *selection, size_t index, unsigned marks)
{
	const struct look *look = &selection->looks[index];
	size_t count = selection->graph->nodes[index].name_count;

	for (size_t i = 0; i < count; i++)
		if ((look->marks[i] & marks) && !(look->marks[i] & MARK_SKIP))
			return true;
	return false;
}

static bool is_all_skipped(const struct selection *selection, size_t index)
{
	const struct look *look = &selection->looks[index];
	size_t count = selection->graph->nodes[index].name_count;

	for (size_t i = 0; i < count; i++)
		if (!(look->marks[i] & MARK_SKIP))
			return false;
	return true;
}

/* From --from on: whatever is listed and needs what comes after it. */
static void follow_dependents(struct selection *selection)
{
	for (size_t i = 0; i < selection->graph->count; i++) {
		const struct br_graph_node *node = &selection->graph->nodes[i];
		struct look *look = &selection->looks[i];

		for (size_t k = 0; k < node->need_count; k++) {
			size_t need = node->needs[k];

			if (node->is_listed && !look->after &&
				(selection->looks[need].after ||
					has_mark(selection, need, MARK_FROM)))
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
	return look->needed_by || has_mark(selection, index, MARK_NAMED) ||
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

/* What is listed is in the plan with all that it needs, whether it runs or not. */
static void include(struct selection *selection)
{
	for (size_t i = selection->graph->count; i-- > 0;) {
		const struct br_graph_node *node = &selection->graph->nodes[i];
		struct look *look = &selection->looks[i];

		look->is_included = look->is_included || node->is_listed ||
			look->needed_by || look->after ||
			has_mark(selection, i, ~0U);
		for (size_t k = 0; look->is_included && k < node->need_count;
			k++)
			selection->looks[node->needs[k]].is_included = true;
	}
}

/* Say why one stage runs or not. */
static void choose(struct selection *selection, const struct look *look,
	unsigned marks, bool is_listed, struct br_choice *choice)
{
	struct br_arena *arena = selection->arena;

	if (marks & MARK_SKIP) {
		choice->skip = BR_SKIP_SELECTION;
		choice->why = "left out with --skip";
	} else if (marks & MARK_NAMED) {
		choice->why = "named on the command line";
	} else if (marks & MARK_ONLY) {
		choice->why = "named with --only";
	} else if (marks & MARK_FROM) {
		choice->why = "named with --from";
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

	if (selection->prepare_marks & MARK_SKIP) {
		prepare->skip = BR_SKIP_SELECTION;
		prepare->why = "left out with --skip";
	} else if (selection->prepare_marks) {
		prepare->why = "named on the command line";
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
		choose(selection, look, look->marks[i], node->is_listed,
			choice);
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
	for (size_t i = 0; i < graph->count; i++)
		selection->looks[i].marks = br_arena_array(
			selection->arena, graph->nodes[i].name_count, 1);
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
	if (!mark_all(&selection, options, err))
		return false;
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
