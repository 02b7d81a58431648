/* SPDX-License-Identifier: MIT */
#include "manifest/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/suggest.h"

void br_names_done(struct br_names *names)
{
	free(names->items);
	free(names->sorted);
	*names = (struct br_names){ 0 };
}

void br_names_add(struct br_names *names, struct br_name name)
{
	names->items = br_grow(names->items, names->count, &names->capacity,
		sizeof(*names->items));
	names->items[names->count++] = name;
}

static int compare(const void *a, const void *b)
{
	const struct br_name *left = *(const struct br_name *const *)a;
	const struct br_name *right = *(const struct br_name *const *)b;

	return strcmp(left->text, right->text);
}

void br_names_sort(struct br_names *names)
{
	names->sorted = br_alloc_array(names->count, sizeof(struct br_name *));
	for (size_t i = 0; i < names->count; i++)
		names->sorted[i] = &names->items[i];
	qsort(names->sorted, names->count, sizeof(struct br_name *), compare);
}

struct br_name *br_names_find(const struct br_names *names, const char *text)
{
	struct br_name wanted = { .text = text };
	struct br_name *key = &wanted;
	struct br_name **found = bsearch(&key, names->sorted, names->count,
		sizeof(struct br_name *), compare);

	return found ? *found : NULL;
}

const char *br_names_suggest(const struct br_names *names,
	const char *const *more, const char *typed)
{
	enum { CANDIDATES_MAX = 300 };
	const char *candidates[CANDIDATES_MAX];
	size_t count = 0;

	for (size_t i = 0; more[i] && count < CANDIDATES_MAX; i++)
		candidates[count++] = more[i];
	for (size_t i = 0; i < names->count && count < CANDIDATES_MAX; i++)
		candidates[count++] = names->items[i].text;
	return br_suggest_find(typed, candidates, count);
}
