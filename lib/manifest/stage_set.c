/* SPDX-License-Identifier: MIT */
#include "manifest/stage_set.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "manifest/needs.h"
#include "manifest/stage.h"

static const char prepare_name[] = "prepare";

static bool check_count(
	struct br_reader *reader, struct br_place place, size_t count)
{
	if (count <= BR_LIMIT_STAGES)
		return true;
	br_diags_add(reader->diags, BR_SEVERITY_ERROR, place, NULL,
		"more than %d stages", BR_LIMIT_STAGES);
	return false;
}

static void report_no_list(
	struct br_reader *reader, const struct br_entry *entry)
{
	const struct br_node *node = entry->value;
	br_autofree char *help = node->kind == BR_NODE_SCALAR
		? br_format("as a list: stages: [%s]", node->text)
		: br_strdup("the stages themselves are keys of the manifest");

	br_read_wrong(reader, entry, "'stages'", "a list of names", help);
}

/* Read one name of the list; false: it has a mistake. */
static bool read_name(struct br_reader *reader, const struct br_entry *item,
	struct br_names *listed)
{
	const char *name = br_read_text(
		reader, item, "an item of 'stages'", "the name of a stage");

	if (!name || !br_stage_check_name(reader, item->place, name))
		return false;
	br_names_add(
		listed, (struct br_name){ .text = name, .place = item->place });
	return true;
}

void br_stage_set_read_list(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	const struct br_node *list = entry->value;
	struct br_stage_set *stages = into;

	if (list->kind != BR_NODE_LIST) {
		stages->is_list_broken = true;
		report_no_list(reader, entry);
		return;
	}
	for (size_t i = 0; i < list->entry_count; i++) {
		const struct br_entry *item = &list->entries[i];

		if (!check_count(reader, item->place, i + 1)) {
			stages->is_list_broken = true;
			return;
		}
		if (!read_name(reader, item, &stages->listed))
			stages->is_list_broken = true;
	}
}

/* Of the defaults it takes those that do not ask whether or how often it runs. */
static struct br_stage prepare_defaults(const struct br_stage *defaults)
{
	return (struct br_stage){
		.environment = defaults->environment,
		.timeout_ms = defaults->timeout_ms,
		.retry = defaults->retry,
		.workdir = defaults->workdir,
		.user = defaults->user,
		.shell = defaults->shell,
	};
}

static void read_prepare(struct br_reader *reader, struct br_stage_set *stages)
{
	struct br_manifest *manifest = reader->manifest;
	struct br_stage *prepare =
		br_arena_alloc(&manifest->arena, sizeof(*prepare));

	*prepare = prepare_defaults(&stages->defaults);
	prepare->name = prepare_name;
	prepare->place = stages->prepare->key->place;
	if (br_stage_read(
		    reader, stages->prepare, BR_STAGE_KIND_PREPARE, prepare))
		manifest->prepare = prepare;
}

void br_stage_set_start(
	struct br_reader *reader, struct br_stage_set *stages, size_t count)
{
	struct br_manifest *manifest = reader->manifest;
	size_t capacity = count < BR_LIMIT_STAGES ? count : BR_LIMIT_STAGES;

	br_names_sort(&stages->listed);
	manifest->defaults = stages->defaults;
	manifest->stages = br_arena_array(
		&manifest->arena, capacity, sizeof(*manifest->stages));
	if (stages->prepare)
		read_prepare(reader, stages);
}

/* Remember a definition that cannot be used, so that it is not missed too. */
static void add_broken(struct br_stage_set *stages, const struct br_node *key)
{
	br_names_add(&stages->defined,
		(struct br_name){
			.text = key->text,
			.place = key->place,
			.index = BR_NAME_BROKEN,
		});
}

static void define(struct br_reader *reader, const struct br_entry *entry,
	struct br_stage_set *stages)
{
	struct br_manifest *manifest = reader->manifest;
	const struct br_node *key = entry->key;

	if (!br_stage_check_name(reader, key->place, key->text) ||
		!check_count(reader, key->place, manifest->stage_count + 1)) {
		add_broken(stages, key);
		return;
	}

	struct br_stage *stage = &manifest->stages[manifest->stage_count];
	*stage = stages->defaults;
	stage->name = br_arena_strdup(&manifest->arena, key->text);
	stage->place = key->place;
	br_names_add(&stages->defined,
		(struct br_name){
			.text = stage->name,
			.place = key->place,
			.index = manifest->stage_count++,
		});
	(void)br_stage_read(reader, entry, BR_STAGE_KIND_STAGE, stage);
}

/* A listed stage that is no mapping. */
static void report_no_mapping(struct br_reader *reader,
	const struct br_entry *entry, struct br_stage_set *stages)
{
	br_autofree char *name = br_format("stage '%s'", entry->key->text);

	br_read_wrong(reader, entry, name, "a mapping",
		"write its steps under 'script', or {} for a stage without");
	add_broken(stages, entry->key);
}

bool br_stage_set_read_stage(struct br_reader *reader,
	const struct br_entry *entry, struct br_stage_set *stages)
{
	const struct br_node *value = entry->value;
	bool is_mapping = value->kind == BR_NODE_MAPPING;
	bool is_listed =
		br_names_find(&stages->listed, entry->key->text) != NULL;

	if (is_mapping && (is_listed || br_node_find(value, "script"))) {
		define(reader, entry, stages);
		return true;
	}
	if (is_listed) {
		report_no_mapping(reader, entry, stages);
		return true;
	}
	return false;
}

static void report_undefined(struct br_reader *reader,
	const struct br_name *name, const struct br_stage_set *stages)
{
	static const char *const no_more[] = { NULL };
	const char *near = br_read_may_suggest(reader)
		? br_names_suggest(&stages->defined, no_more, name->text)
		: NULL;
	br_autofree char *help = near
		? br_format("did you mean '%s'?", near)
		: br_format("a key '%s:' with 'script:' under it defines it",
			  name->text);

	br_diags_add(reader->diags, BR_SEVERITY_ERROR, name->place, help,
		"no such stage: '%s' is listed but not defined", name->text);
}

/* Take one listed name over into the order. */
static void order_stage(struct br_reader *reader, const struct br_name *name,
	struct br_stage_set *stages)
{
	struct br_manifest *manifest = reader->manifest;
	struct br_name *defined = br_names_find(&stages->defined, name->text);

	if (!defined) {
		report_undefined(reader, name, stages);
		return;
	}
	if (defined->listed.line > 0) {
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, name->place,
			"only 'prepare' may be listed more than once",
			"stage '%s' is listed again; the first is in line %u",
			name->text, defined->listed.line);
		return;
	}
	defined->listed = name->place;
	if (defined->index != BR_NAME_BROKEN)
		manifest->order[manifest->order_count++] = defined->index;
}

/* Each combination of a matrix is a stage. */
static void check_combinations(struct br_reader *reader)
{
	const struct br_manifest *manifest = reader->manifest;
	size_t count = 0;

	for (size_t i = 0; i < manifest->stage_count; i++) {
		const struct br_stage *stage = &manifest->stages[i];
		size_t combinations = stage->matrix.combination_count;

		count += combinations > 0 ? combinations : 1;
		if (count <= BR_LIMIT_STAGES)
			continue;
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, stage->place,
			NULL,
			"more than %d stages with each combination of "
			"'matrix'",
			BR_LIMIT_STAGES);
		return;
	}
}

static bool is_same_place(struct br_place a, struct br_place b)
{
	return a.line == b.line && a.column == b.column;
}

static void report_no_network(
	struct br_reader *reader, const struct br_services *services)
{
	br_read_fail(reader, services->place,
		"with 'network: bridge' they can be reached",
		"services need a network, and 'network' is none");
}

/* Services cannot be reached without a network. */
static void check_network(
	struct br_reader *reader, const struct br_stage_set *stages)
{
	const struct br_manifest *manifest = reader->manifest;
	const struct br_services *shared = &stages->defaults.services;

	if (!manifest->network || strcmp(manifest->network, "none") != 0)
		return;
	if (shared->count > 0)
		report_no_network(reader, shared);
	for (size_t i = 0; i < manifest->stage_count; i++) {
		const struct br_services *own = &manifest->stages[i].services;

		if (own->count > 0 && !is_same_place(own->place, shared->place))
			report_no_network(reader, own);
	}
}

void br_stage_set_end(struct br_reader *reader, struct br_stage_set *stages)
{
	struct br_manifest *manifest = reader->manifest;

	br_names_sort(&stages->defined);
	manifest->order = br_arena_array(&manifest->arena, stages->listed.count,
		sizeof(*manifest->order));
	for (size_t i = 0; i < stages->listed.count; i++) {
		const struct br_name *name = &stages->listed.items[i];

		if (strcmp(name->text, prepare_name) != 0)
			order_stage(reader, name, stages);
		else if (!stages->prepare)
			report_undefined(reader, name, stages);
	}
	br_needs_resolve(reader, stages);
	check_combinations(reader);
	check_network(reader, stages);
	br_names_done(&stages->listed);
	br_names_done(&stages->defined);
}
