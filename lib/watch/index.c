/* SPDX-License-Identifier: MIT */
#include "watch/index.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

enum { SLOTS_AT_FIRST = 64 };

/* Give the slot of `path`, or the empty one where it would be. */
static size_t *slot_of(const struct br_path_index *index, const char *path)
{
	size_t at = br_text_hash(path) % index->slot_count;

	while (index->slots[at] != 0 &&
		strcmp(index->paths.items[index->slots[at] - 1], path) != 0)
		at = (at + 1) % index->slot_count;
	return &index->slots[at];
}

/* Half of the slots stay empty, so that a path is found soon. */
static void make_room(struct br_path_index *index)
{
	if (2 * (index->paths.count + 1) <= index->slot_count)
		return;
	free(index->slots);
	index->slot_count =
		index->slot_count > 0 ? 2 * index->slot_count : SLOTS_AT_FIRST;
	index->slots = br_alloc_array(index->slot_count, sizeof(*index->slots));
	for (size_t i = 0; i < index->paths.count; i++)
		*slot_of(index, index->paths.items[i]) = i + 1;
}

size_t br_path_index_put(struct br_path_index *index, const char *path)
{
	make_room(index);

	size_t *slot = slot_of(index, path);
	if (*slot == 0) {
		br_paths_add(&index->paths, path);
		*slot = index->paths.count;
	}
	return *slot - 1;
}

bool br_path_index_find(
	const struct br_path_index *index, const char *path, size_t *number)
{
	if (index->slot_count == 0)
		return false;

	size_t place = *slot_of(index, path);
	if (place == 0)
		return false;
	*number = place - 1;
	return true;
}

void br_path_index_done(struct br_path_index *index)
{
	br_paths_done(&index->paths);
	free(index->slots);
	*index = (struct br_path_index){ 0 };
}
