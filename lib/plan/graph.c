/* SPDX-License-Identifier: MIT */
#include "plan/graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/limits.h"
#include "manifest/matrix.h"

/* No node has it yet. */
static const size_t unplaced = SIZE_MAX;

struct building {
	const struct br_manifest *manifest;
	struct br_arena *arena;
	struct br_diags *diags;
	struct br_graph *graph;
	/* For each stage of the manifest its node, or `unplaced`. */
	size_t *node_of;
	/* For each, how many of those that it needs were looked at. */
	size_t *looked_at;
	/* Stages that wait until those that they need have a place. */
	size_t *waiting;
	size_t waiting_count;
};

static const char *name_combination(struct br_arena *arena,
	const struct br_stage *stage, const struct br_vars *combination)
{
	br_autobuf struct br_buf name = { 0 };

	br_buf_add_text(&name, stage->name);
	for (size_t i = 0; i < combination->count; i++)
		br_buf_addf(&name, "%s%s=%s", i == 0 ? " (" : ", ",
			combination->items[i].name,
			combination->items[i].value);
	br_buf_add_char(&name, ')');
	return br_arena_strdup(arena, br_buf_text(&name));
}

/* One name that is too long is enough to say so. */
static void check_lengths(
	struct building *building, const struct br_graph_node *node)
{
	for (size_t i = 0; i < node->name_count; i++) {
		if (strlen(node->names[i].text) <= BR_LIMIT_FULL_NAME_BYTES)
			continue;
		br_diags_add(building->diags, BR_SEVERITY_ERROR,
			node->stage->matrix.place,
			"the values of the matrix are part of the name",
			"a name of stage '%s', with the values of its matrix, "
			"is longer than %d bytes",
			node->stage->name, BR_LIMIT_FULL_NAME_BYTES);
		return;
	}
}

static bool has_comma(const struct br_vars *combination)
{
	for (size_t i = 0; i < combination->count; i++)
		if (strstr(combination->items[i].value, ", "))
			return true;
	return false;
}

static int compare_names(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

/*
 * Only a value that looks like several can make two names the same, which nobody
 * could tell apart then.
 */
static void check_unique(
	struct building *building, const struct br_graph_node *node)
{
	br_autofree const char **names =
		br_alloc_array(node->name_count, sizeof(*names));
	bool is_clear = true;

	for (size_t i = 0; i < node->name_count; i++) {
		names[i] = node->names[i].text;
		is_clear = is_clear && !has_comma(node->names[i].combination);
	}
	if (is_clear)
		return;
	qsort(names, node->name_count, sizeof(*names), compare_names);
	for (size_t i = 1; i < node->name_count; i++)
		if (strcmp(names[i], names[i - 1]) == 0)
			br_diags_add(building->diags, BR_SEVERITY_ERROR,
				node->stage->matrix.place, NULL,
				"two combinations of the matrix of stage '%s' "
				"have the name '%s'",
				node->stage->name, names[i]);
}

/* Give a node its names: the stage's own, or one for each combination. */
static void name_node(struct building *building, struct br_graph_node *node)
{
	const struct br_stage *stage = node->stage;
	struct br_vars *combinations = NULL;
	size_t count = br_matrix_expand(
		&stage->matrix, building->arena, &combinations);

	node->name_count = count > 0 ? count : 1;
	node->names = br_arena_array(
		building->arena, node->name_count, sizeof(*node->names));
	node->names[0].text = stage->name;
	for (size_t i = 0; i < count; i++)
		node->names[i] = (struct br_node_name){
			.text = name_combination(
				building->arena, stage, &combinations[i]),
			.combination = &combinations[i],
		};
	if (count == 0)
		return;
	check_lengths(building, node);
	check_unique(building, node);
}

static void place(struct building *building, size_t index)
{
	const struct br_stage *stage = &building->manifest->stages[index];
	struct br_graph *graph = building->graph;
	struct br_graph_node *node = &graph->nodes[graph->count];
	size_t *needs = br_arena_array(
		building->arena, stage->need_count, sizeof(*needs));

	for (size_t i = 0; i < stage->need_count; i++)
		needs[i] = building->node_of[stage->need_indexes[i]];
	node->stage = stage;
	node->needs = needs;
	node->need_count = stage->need_count;
	building->node_of[index] = graph->count++;
	name_node(building, node);
}

/* The next stage that `index` needs and that has no place, or `unplaced`. */
static size_t next_unplaced_need(struct building *building, size_t index)
{
	const struct br_stage *stage = &building->manifest->stages[index];
	size_t *at = &building->looked_at[index];

	while (*at < stage->need_count) {
		size_t need = stage->need_indexes[(*at)++];

		if (building->node_of[need] == unplaced)
			return need;
	}
	return unplaced;
}

/* Place a stage, and before it all that it needs. There are no cycles. */
static void place_with_needs(struct building *building, size_t index)
{
	if (building->node_of[index] == unplaced)
		building->waiting[building->waiting_count++] = index;
	while (building->waiting_count > 0) {
		size_t top = building->waiting[building->waiting_count - 1];
		size_t need = next_unplaced_need(building, top);

		if (need != unplaced) {
			building->waiting[building->waiting_count++] = need;
		} else {
			place(building, top);
			building->waiting_count--;
		}
	}
}

void br_graph_build(const struct br_manifest *manifest, struct br_arena *arena,
	struct br_diags *diags, struct br_graph *graph)
{
	size_t count = manifest->stage_count;
	br_autofree size_t *node_of = br_alloc_array(count, sizeof(*node_of));
	br_autofree size_t *looked_at =
		br_alloc_array(count, sizeof(*looked_at));
	/* Each is in it at most once: there are no cycles. */
	br_autofree size_t *waiting = br_alloc_array(count, sizeof(*waiting));
	struct building building = {
		.manifest = manifest,
		.arena = arena,
		.diags = diags,
		.graph = graph,
		.node_of = node_of,
		.looked_at = looked_at,
		.waiting = waiting,
	};

	*graph = (struct br_graph){
		.nodes = br_arena_array(arena, count, sizeof(*graph->nodes)),
	};
	for (size_t i = 0; i < count; i++)
		node_of[i] = unplaced;
	for (size_t i = 0; i < manifest->order_count; i++)
		place_with_needs(&building, manifest->order[i]);
	for (size_t i = 0; i < manifest->order_count; i++)
		graph->nodes[node_of[manifest->order[i]]].is_listed = true;
	for (size_t i = 0; i < count; i++)
		place_with_needs(&building, i);
}
