/* SPDX-License-Identifier: MIT */
#include "plan/named.h"

#include <fnmatch.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/suggest.h"

static const char prepare_name[] = "prepare";

struct search {
	const struct br_manifest *manifest;
	const struct br_graph *graph;
	struct br_named *named;
};

static bool fail_unknown(
	const struct search *search, const char *name, struct br_err *err)
{
	const struct br_graph *graph = search->graph;
	const char *file = search->manifest->file;
	size_t count = graph->count;
	br_autofree const char **known =
		br_alloc_array(count + 1, sizeof(*known));

	if (strpbrk(name, "*?["))
		return br_fail(err, BR_EINPUT, "no stage in %s matches '%s'",
			file, name);
	for (size_t i = 0; i < count; i++)
		known[i] = graph->nodes[i].stage->name;
	if (search->manifest->prepare)
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

/* Note every stage that a pattern means; false: it means none. */
static bool note_matches(struct search *search, const char *pattern,
	enum br_named_by by, match_fn *matches)
{
	bool is_found =
		search->manifest->prepare && matches(pattern, prepare_name);

	if (is_found)
		search->named->prepare |= (uint8_t)by;
	for (size_t i = 0; i < search->graph->count; i++) {
		const struct br_graph_node *node = &search->graph->nodes[i];
		bool is_all = matches(pattern, node->stage->name);

		for (size_t k = 0; k < node->name_count; k++) {
			if (!is_all && !matches(pattern, node->names[k].text))
				continue;
			search->named->nodes[i][k] |= (uint8_t)by;
			is_found = true;
		}
	}
	return is_found;
}

static bool note_names(struct search *search, const struct br_plan_names *names,
	enum br_named_by by, struct br_err *err)
{
	for (size_t i = 0; i < names->count; i++)
		if (!note_matches(search, names->items[i], by, is_same) &&
			!note_matches(search, names->items[i], by, is_match))
			return fail_unknown(search, names->items[i], err);
	return true;
}

bool br_named_find(const struct br_manifest *manifest,
	const struct br_graph *graph, const struct br_plan_options *options,
	struct br_arena *arena, struct br_named *named, struct br_err *err)
{
	struct br_named found = {
		.nodes = br_arena_array(
			arena, graph->count, sizeof(*found.nodes)),
	};
	struct search search = {
		.manifest = manifest,
		.graph = graph,
		.named = &found,
	};

	for (size_t i = 0; i < graph->count; i++)
		found.nodes[i] =
			br_arena_alloc(arena, graph->nodes[i].name_count);
	if (!note_names(
		    &search, &options->selection, BR_NAMED_BY_ARGUMENT, err) ||
		!note_names(&search, &options->only, BR_NAMED_BY_ONLY, err) ||
		!note_names(&search, &options->from, BR_NAMED_BY_FROM, err) ||
		!note_names(&search, &options->skip, BR_NAMED_BY_SKIP, err))
		return false;
	*named = found;
	return true;
}
