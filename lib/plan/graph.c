/* SPDX-License-Identifier: MIT */
#include "plan/graph.h"

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
	/* Counted with the combinations of matrices. */
	size_t stage_count;
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

static void check_name(struct building *building, const struct br_stage *stage,
	const char *name)
{
	if (strlen(name) > BR_LIMIT_FULL_NAME_BYTES)
		br_diags_add(building->diags, BR_SEVERITY_ERROR,
			stage->matrix.place,
			"the values of the matrix are part of the name",
			"the name of stage '%.*s...' is longer than %d bytes",
			BR_LIMIT_STAGE_NAME_BYTES, name,
			BR_LIMIT_FULL_NAME_BYTES);
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
	for (size_t i = 0; i < count; i++) {
		node->names[i] = (struct br_node_name){
			.text = name_combination(
				building->arena, stage, &combinations[i]),
			.combination = &combinations[i],
		};
		check_name(building, stage, node->names[i].text);
	}
}

static void count_stages(struct building *building, struct br_graph_node *node)
{
	size_t before = building->stage_count;

	building->stage_count += node->name_count;
	if (before <= BR_LIMIT_STAGES &&
		building->stage_count > BR_LIMIT_STAGES)
		br_diags_add(building->diags, BR_SEVERITY_ERROR,
			node->stage->place, NULL,
			"with the combinations of matrices there are more "
			"than %d stages",
			BR_LIMIT_STAGES);
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
	count_stages(building, node);
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
