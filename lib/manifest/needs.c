/* SPDX-License-Identifier: MIT */
#include "manifest/needs.h"

#include <string.h>

#include "base/alloc.h"
#include "manifest/cycles.h"

/* What is known while names become indexes. */
struct resolver {
	struct br_reader *reader;
	const struct br_stage_set *stages;
	struct br_cycle_graph graph;
	/*
	 * For each stage the one, counted from 1, that was last seen to need
	 * it, and where: a name that stands twice is found without a search.
	 */
	size_t *needed_by;
	struct br_place *needed_at;
};

void br_needs_read(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	struct br_stage *stage = into;
	size_t errors = reader->diags->error_count;

	stage->has_needs = true;
	br_read_texts(reader, entry, "a list of stages", NULL, &stage->needs);
	if (reader->diags->error_count > errors)
		reader->are_needs_broken = true;
}

/* `test (py=3.12)` where there is a stage `test` with a matrix: its name. */
static const char *find_whole(const struct resolver *resolver, const char *name)
{
	const char *paren = strstr(name, " (");
	br_autofree char *start = NULL;
	const struct br_name *whole = NULL;

	if (!paren)
		return NULL;
	start = br_memdup(name, (size_t)(paren - name));
	whole = br_names_find(&resolver->stages->defined, start);
	return whole ? whole->text : NULL;
}

static void report_undefined(const struct resolver *resolver,
	const struct br_stage *stage, const struct br_text *need)
{
	static const char *const no_more[] = { NULL };
	const char *whole = find_whole(resolver, need->text);
	const char *near = br_read_may_suggest(resolver->reader)
		? br_names_suggest(
			  &resolver->stages->defined, no_more, need->text)
		: NULL;
	br_autobuf struct br_buf help = { 0 };

	resolver->reader->are_needs_broken = true;
	/* A list that is not all known may have named it. */
	if (resolver->stages->is_list_broken)
		return;
	if (whole)
		br_buf_addf(&help, "'%s' stands for all of its combinations",
			whole);
	else if (near && strcmp(near, stage->name) != 0)
		br_buf_addf(&help, "did you mean '%s'?", near);
	else
		br_buf_addf(&help,
			"a key '%s:' with 'script:' under it defines it",
			need->text);
	br_diags_add(resolver->reader->diags, BR_SEVERITY_ERROR, need->place,
		br_buf_text(&help),
		"no such stage: '%s' needs '%s', which is not defined",
		stage->name, need->text);
}

static void report_twice(const struct resolver *resolver,
	const struct br_text *need, struct br_place first)
{
	br_diags_add(resolver->reader->diags, BR_SEVERITY_ERROR, need->place,
		NULL, "'%s' is needed again; the first is in line %u",
		need->text, first.line);
}

/* Every stage waits for `prepare`: it is no edge. */
static void check_prepare(struct resolver *resolver,
	const struct br_stage *stage, const struct br_text *need,
	struct br_place *first)
{
	if (!resolver->stages->prepare)
		report_undefined(resolver, stage, need);
	else if (first->line > 0)
		report_twice(resolver, need, *first);
	*first = need->place;
}

static void add_edge(struct resolver *resolver, struct br_stage *stage,
	size_t index, struct br_place place)
{
	struct br_cycle_graph *graph = &resolver->graph;

	graph->places[graph->count] = place;
	graph->indexes[graph->count++] = index;
	stage->need_count++;
}

static void resolve_name(struct resolver *resolver, size_t stage_index,
	const struct br_text *need)
{
	struct br_stage *stage =
		&resolver->reader->manifest->stages[stage_index];
	const struct br_name *name =
		br_names_find(&resolver->stages->defined, need->text);

	if (!name) {
		report_undefined(resolver, stage, need);
		return;
	}
	if (name->index == BR_NAME_BROKEN) {
		resolver->reader->are_needs_broken = true;
		return;
	}
	if (resolver->needed_by[name->index] == stage_index + 1) {
		report_twice(resolver, need, resolver->needed_at[name->index]);
		return;
	}
	resolver->needed_by[name->index] = stage_index + 1;
	resolver->needed_at[name->index] = need->place;
	add_edge(resolver, stage, name->index, need->place);
}

static void resolve_names(struct resolver *resolver, size_t stage_index)
{
	const struct br_stage *stage =
		&resolver->reader->manifest->stages[stage_index];
	struct br_place prepare = { 0 };

	for (size_t i = 0; i < stage->needs.count; i++) {
		const struct br_text *need = &stage->needs.items[i];

		if (!strcmp(need->text, "prepare"))
			check_prepare(resolver, stage, need, &prepare);
		else
			resolve_name(resolver, stage_index, need);
	}
}

/* For each stage the one before it in the order, counted from 1; 0: none. */
static size_t *find_previous(struct br_manifest *manifest)
{
	size_t *previous =
		br_alloc_array(manifest->stage_count, sizeof(*previous));

	for (size_t i = 1; i < manifest->order_count; i++)
		previous[manifest->order[i]] = manifest->order[i - 1] + 1;
	return previous;
}

static void resolve_all(struct resolver *resolver)
{
	struct br_manifest *manifest = resolver->reader->manifest;
	br_autofree size_t *previous = find_previous(manifest);
	struct br_cycle_graph *graph = &resolver->graph;

	for (size_t i = 0; i < manifest->stage_count; i++) {
		struct br_stage *stage = &manifest->stages[i];

		stage->need_indexes = graph->indexes + graph->count;
		if (stage->has_needs)
			resolve_names(resolver, i);
		else if (previous[i] > 0)
			add_edge(resolver, stage, previous[i] - 1,
				(struct br_place){ 0 });
	}
}

/* How many edges there can be. */
static size_t count_needs(const struct br_manifest *manifest)
{
	size_t count = manifest->stage_count;

	for (size_t i = 0; i < manifest->stage_count; i++)
		count += manifest->stages[i].needs.count;
	return count;
}

void br_needs_resolve(
	struct br_reader *reader, const struct br_stage_set *stages)
{
	struct br_manifest *manifest = reader->manifest;
	size_t edge_count = count_needs(manifest);
	br_autofree struct br_place *places =
		br_alloc_array(edge_count, sizeof(*places));
	br_autofree size_t *needed_by =
		br_alloc_array(manifest->stage_count, sizeof(*needed_by));
	br_autofree struct br_place *needed_at =
		br_alloc_array(manifest->stage_count, sizeof(*needed_at));
	struct resolver resolver = {
		.reader = reader,
		.stages = stages,
		.graph = {
			.indexes = br_arena_array(&manifest->arena, edge_count,
				sizeof(*resolver.graph.indexes)),
			.places = places,
		},
		.needed_by = needed_by,
		.needed_at = needed_at,
	};

	resolve_all(&resolver);
	/* `prepare` can fail, and every stage waits for it. */
	br_cycles_check(reader, &resolver.graph,
		!stages->prepare && !stages->is_list_broken &&
			!reader->are_needs_broken);
}
