/* SPDX-License-Identifier: MIT */
#include "plan/entries.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void br_entries_done(struct br_environ_entries *entries)
{
	free(entries->items);
	*entries = (struct br_environ_entries){ 0 };
}

void br_entries_add(struct br_environ_entries *entries, const char *name,
	const char *text, struct br_place place)
{
	entries->items = br_grow(entries->items, entries->count,
		&entries->capacity, sizeof(*entries->items));
	entries->items[entries->count] = (struct br_environ_entry){
		.name = name,
		.text = text,
		.place = place,
		.rank = entries->count,
	};
	entries->count++;
}

void br_entries_append(struct br_environ_entries *entries,
	const struct br_environ_entries *more)
{
	for (size_t i = 0; i < more->count; i++)
		br_entries_add(entries, more->items[i].name,
			more->items[i].text, more->items[i].place);
}

static int compare(const void *a, const void *b)
{
	const struct br_environ_entry *left = a;
	const struct br_environ_entry *right = b;
	int order = strcmp(left->name, right->name);

	if (order != 0)
		return order;
	return left->rank < right->rank ? -1 : 1;
}

void br_entries_sort(struct br_environ_entries *entries)
{
	if (entries->count > 0)
		qsort(entries->items, entries->count, sizeof(*entries->items),
			compare);
}

void br_entries_merge(const struct br_environ_entries *below,
	const struct br_environ_entries *above,
	struct br_environ_entries *merged)
{
	size_t count = below->count + above->count;
	size_t low = 0;
	size_t high = 0;

	merged->items = br_alloc_array(count, sizeof(*merged->items));
	merged->count = count;
	merged->capacity = count;
	for (size_t i = 0; i < count; i++) {
		bool is_low = high == above->count ||
			(low < below->count &&
				strcmp(below->items[low].name,
					above->items[high].name) <= 0);

		merged->items[i] =
			is_low ? below->items[low++] : above->items[high++];
	}
}

const char *br_entries_find(
	const struct br_environ_entries *entries, const char *name)
{
	for (size_t i = entries->count; i-- > 0;)
		if (entries->items[i].text &&
			strcmp(entries->items[i].name, name) == 0)
			return entries->items[i].text + strlen(name) + 1;
	return NULL;
}
