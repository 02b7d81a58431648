/* SPDX-License-Identifier: MIT */
#include "manifest/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"

/* An entry that may become the mapping's, unless its key is there before. */
struct candidate {
	const struct br_entry *entry;
	bool is_own;
	bool is_dropped;
};

struct candidates {
	struct candidate *items;
	size_t count;
	size_t capacity;
};

static bool is_merge(const struct br_entry *entry)
{
	return entry->key->is_plain && !strcmp(entry->key->text, "<<");
}

static void add_candidates(struct candidates *list,
	const struct br_entry *entries, size_t count, bool is_own)
{
	for (size_t i = 0; i < count; i++) {
		list->items = br_grow(list->items, list->count, &list->capacity,
			sizeof(*list->items));
		list->items[list->count++] = (struct candidate){
			.entry = &entries[i],
			.is_own = is_own,
		};
	}
}

/* Add what one value of `<<` names; false: it is no mapping. */
static bool add_merged(struct candidates *list, const struct br_node *value)
{
	if (value->kind == BR_NODE_MAPPING)
		add_candidates(list, value->entries, value->entry_count, false);
	return value->kind == BR_NODE_MAPPING || value->kind == BR_NODE_BROKEN;
}

static void add_merge(struct candidates *list, const struct br_entry *merge,
	struct br_diags *diags)
{
	const struct br_node *value = merge->value;
	bool is_list = value->kind == BR_NODE_LIST;
	bool is_good = is_list || add_merged(list, value);

	for (size_t i = 0; is_list && i < value->entry_count; i++)
		is_good = add_merged(list, value->entries[i].value) && is_good;
	if (!is_good)
		br_diags_add(diags, BR_SEVERITY_ERROR, merge->place,
			"as in '<<: *name' or '<<: [*one, *other]'",
			"'<<' takes a mapping or a list of mappings");
}

/* By key; of the same key, the one that comes first goes first. */
static int compare(const void *a, const void *b)
{
	const struct candidate *left = *(const struct candidate *const *)a;
	const struct candidate *right = *(const struct candidate *const *)b;
	int order = strcmp(left->entry->key->text, right->entry->key->text);

	if (order != 0)
		return order;
	return left < right ? -1 : left > right;
}

static void drop(struct candidate *later, const struct candidate *first,
	struct br_diags *diags)
{
	const struct br_node *key = later->entry->key;

	later->is_dropped = true;
	if (later->is_own)
		br_diags_add(diags, BR_SEVERITY_ERROR, key->place, NULL,
			"the key '%s' stands here again; the first is in line "
			"%u",
			key->text, first->entry->key->place.line);
}

/* Sorting finds the same keys side by side, however many there are. */
static void drop_repeated(struct candidates *list, struct br_diags *diags)
{
	br_autofree struct candidate **sorted =
		br_alloc_array(list->count, sizeof(struct candidate *));
	size_t first = 0;

	for (size_t i = 0; i < list->count; i++)
		sorted[i] = &list->items[i];
	qsort(sorted, list->count, sizeof(struct candidate *), compare);
	for (size_t i = 1; i < list->count; i++) {
		const char *key = sorted[i]->entry->key->text;

		if (strcmp(key, sorted[first]->entry->key->text) != 0)
			first = i;
		else
			drop(sorted[i], sorted[first], diags);
	}
}

void br_merge_entries(struct br_node *mapping, const struct br_entry *own,
	size_t own_count, struct br_arena *arena, struct br_diags *diags)
{
	struct candidates list = { 0 };

	add_candidates(&list, own, own_count, true);
	for (size_t i = 0; i < own_count; i++)
		if (is_merge(&own[i]))
			add_merge(&list, &own[i], diags);
	drop_repeated(&list, diags);

	struct br_entry *kept =
		br_arena_array(arena, list.count, sizeof(*kept));
	mapping->entries = kept;
	for (size_t i = 0; i < list.count; i++)
		if (!list.items[i].is_dropped && !is_merge(list.items[i].entry))
			kept[mapping->entry_count++] = *list.items[i].entry;
	free(list.items);
}
