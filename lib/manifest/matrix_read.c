/* SPDX-License-Identifier: MIT */
#include "manifest/matrix_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "manifest/vars.h"

/* Control characters, of ASCII and others, and what ends lines elsewhere. */
static bool has_control(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++)
		if (*at < 0x20 || *at == 0x7f ||
			(at[0] == 0xc2 && at[1] < 0xa0) ||
			(at[0] == 0xe2 && at[1] == 0x80 &&
				(at[2] == 0xa8 || at[2] == 0xa9)))
			return true;
	return false;
}

/* Read a value, which becomes part of the name of a stage. */
static const char *read_value(struct br_reader *reader,
	const struct br_entry *entry, const char *name)
{
	const char *text = br_read_text(reader, entry, name, "text");
	const char *why = NULL;

	if (!text)
		return NULL;
	if (strlen(text) > BR_LIMIT_MATRIX_VALUE_BYTES)
		why = "is longer than 100 bytes";
	else if (has_control(text))
		why = "must have no control characters";
	if (!why)
		return text;
	br_diags_add(reader->diags, BR_SEVERITY_ERROR, entry->place,
		"it becomes part of the name of a stage", "%s %s", name, why);
	return NULL;
}

/* By text; of the same text, the one that comes first goes first. */
static int compare(const void *a, const void *b)
{
	const struct br_text *left = *(const struct br_text *const *)a;
	const struct br_text *right = *(const struct br_text *const *)b;
	int order = strcmp(left->text, right->text);

	if (order != 0)
		return order;
	return left < right ? -1 : left > right;
}

static void check_repeated(struct br_reader *reader, const char *name,
	const struct br_texts *values)
{
	br_autofree const struct br_text **sorted =
		br_alloc_array(values->count, sizeof(struct br_text *));

	for (size_t i = 0; i < values->count; i++)
		sorted[i] = &values->items[i];
	qsort(sorted, values->count, sizeof(struct br_text *), compare);
	for (size_t i = 1; i < values->count; i++)
		if (!strcmp(sorted[i]->text, sorted[i - 1]->text))
			br_diags_add(reader->diags, BR_SEVERITY_ERROR,
				sorted[i]->place, NULL,
				"the value '%s' of '%s' stands here again; it "
				"is in line %u too",
				sorted[i]->text, name,
				sorted[i - 1]->place.line);
}

static void report_no_list(
	struct br_reader *reader, const struct br_entry *entry)
{
	const struct br_node *node = entry->value;
	br_autofree char *name = br_format("'%s'", entry->key->text);
	br_autofree char *help = node->kind == BR_NODE_SCALAR
		? br_format("as a list: %s: [%s]", entry->key->text, node->text)
		: NULL;

	br_read_wrong(reader, entry, name, "a list of values", help);
}

static void read_axis(struct br_reader *reader, const struct br_entry *entry,
	struct br_matrix *matrix)
{
	const struct br_node *list = entry->value;
	struct br_arena *arena = &reader->manifest->arena;
	struct br_axis *axis = &matrix->axes[matrix->axis_count];
	br_autofree char *name = br_format("a value of '%s'", entry->key->text);

	if (!br_vars_check_name(
		    reader, entry->key->place, br_str(entry->key->text)))
		return;
	if (list->kind != BR_NODE_LIST) {
		report_no_list(reader, entry);
		return;
	}
	if (list->entry_count == 0)
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, entry->place,
			NULL, "'%s' must not be an empty list",
			entry->key->text);
	*axis = (struct br_axis){
		.name = br_arena_strdup(arena, entry->key->text),
		.place = entry->key->place,
		.values.items = br_arena_array(
			arena, list->entry_count, sizeof(*axis->values.items)),
	};
	for (size_t i = 0; i < list->entry_count; i++) {
		const struct br_entry *item = &list->entries[i];
		const char *text = read_value(reader, item, name);

		if (text)
			axis->values.items[axis->values.count++] =
				(struct br_text){ text, item->place };
	}
	check_repeated(reader, axis->name, &axis->values);
	matrix->axis_count++;
}

/* Read one value that an item of `include` or `exclude` names. */
static void read_pair(struct br_reader *reader, const struct br_entry *pair,
	struct br_vars *vars)
{
	br_autofree char *name = br_format("'%s'", pair->key->text);
	const char *value = NULL;

	if (!br_vars_check_name(
		    reader, pair->key->place, br_str(pair->key->text)) ||
		br_node_is_null(pair->value))
		return;
	value = read_value(reader, pair, name);
	if (value)
		vars->items[vars->count++] = (struct br_var){
			.name = br_arena_strdup(
				&reader->manifest->arena, pair->key->text),
			.value = value,
			.place = pair->key->place,
		};
}

static void read_combination(struct br_reader *reader,
	const struct br_entry *item, const char *name, struct br_vars *vars)
{
	const struct br_node *node = item->value;
	size_t errors = reader->diags->error_count;

	if (node->kind != BR_NODE_MAPPING) {
		br_read_wrong(reader, item, name,
			"a mapping of variables to values", NULL);
		return;
	}
	vars->items = br_arena_array(&reader->manifest->arena,
		node->entry_count, sizeof(*vars->items));
	for (size_t i = 0; i < node->entry_count; i++)
		read_pair(reader, &node->entries[i], vars);
	if (vars->count == 0 && reader->diags->error_count == errors)
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, item->place,
			NULL, "%s must not be empty", name);
}

/* Read `include` or `exclude`. */
static void read_combinations(struct br_reader *reader,
	const struct br_entry *entry, struct br_vars **items, size_t *count)
{
	const struct br_node *list = entry->value;
	br_autofree char *name = br_format("'%s'", entry->key->text);
	br_autofree char *item_name = br_format("an item of %s", name);

	if (list->kind != BR_NODE_LIST) {
		br_read_wrong(reader, entry, name, "a list of mappings",
			list->kind == BR_NODE_MAPPING
				? "each combination begins with '- '"
				: NULL);
		return;
	}
	if (list->entry_count > BR_LIMIT_MATRIX_COMBINATIONS) {
		br_diags_add(reader->diags, BR_SEVERITY_ERROR, entry->place,
			NULL, "%s has %zu items; at most %d", name,
			list->entry_count, BR_LIMIT_MATRIX_COMBINATIONS);
		return;
	}
	*items = br_arena_array(
		&reader->manifest->arena, list->entry_count, sizeof(**items));
	*count = list->entry_count;
	for (size_t i = 0; i < list->entry_count; i++)
		read_combination(
			reader, &list->entries[i], item_name, &(*items)[i]);
}

static void read_entry(struct br_reader *reader, const struct br_entry *entry,
	struct br_matrix *matrix)
{
	if (br_node_is_null(entry->value))
		return;
	if (!strcmp(entry->key->text, "include"))
		read_combinations(reader, entry, &matrix->include,
			&matrix->include_count);
	else if (!strcmp(entry->key->text, "exclude"))
		read_combinations(reader, entry, &matrix->exclude,
			&matrix->exclude_count);
	else
		read_axis(reader, entry, matrix);
}

void br_matrix_read(
	struct br_reader *reader, const struct br_entry *entry, void *into)
{
	const struct br_node *node = entry->value;
	struct br_stage *stage = into;
	struct br_matrix matrix = { .place = entry->key->place };
	size_t errors = reader->diags->error_count;

	if (node->kind != BR_NODE_MAPPING) {
		br_read_wrong(reader, entry, "'matrix'",
			"a mapping of variables to lists",
			"as in matrix: {PYTHON: ['3.11', '3.12']}");
		return;
	}
	matrix.axes = br_arena_array(&reader->manifest->arena,
		node->entry_count, sizeof(*matrix.axes));
	for (size_t i = 0; i < node->entry_count; i++)
		read_entry(reader, &node->entries[i], &matrix);
	if (reader->diags->error_count == errors)
		br_matrix_check(reader, &matrix);
	stage->matrix = matrix;
}
