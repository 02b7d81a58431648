/* SPDX-License-Identifier: MIT */
#include "watch/folders.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void br_paths_add(struct br_paths *paths, const char *path)
{
	paths->items = br_grow(paths->items, paths->count, &paths->capacity,
		sizeof(*paths->items));
	paths->items[paths->count++] = br_strdup(path);
}

void br_paths_drop(struct br_paths *paths, const bool *is_dropped)
{
	size_t kept = 0;

	for (size_t i = 0; i < paths->count; i++) {
		if (is_dropped[i])
			free(paths->items[i]);
		else
			paths->items[kept++] = paths->items[i];
	}
	paths->count = kept;
}

void br_paths_done(struct br_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->items[i]);
	free(paths->items);
	*paths = (struct br_paths){ 0 };
}

/* Give where the watch is, or would be. */
static size_t place_of(const struct br_folders *folders, int watch)
{
	size_t low = 0;
	size_t high = folders->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (folders->items[middle].watch < watch)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct br_folders *folders, size_t place, int watch)
{
	return place < folders->count && folders->items[place].watch == watch;
}

void br_folders_set(struct br_folders *folders, int watch, const char *path)
{
	size_t place = place_of(folders, watch);
	char *copy = br_strdup(path);

	if (is_at(folders, place, watch)) {
		free(folders->items[place].path);
		folders->items[place].path = copy;
		return;
	}
	folders->items = br_grow(folders->items, folders->count,
		&folders->capacity, sizeof(*folders->items));
	memmove(folders->items + place + 1, folders->items + place,
		(folders->count - place) * sizeof(*folders->items));
	folders->items[place] = (struct br_folder){ watch, copy };
	folders->count++;
}

const struct br_folder *br_folders_find(
	const struct br_folders *folders, int watch)
{
	size_t place = place_of(folders, watch);

	return is_at(folders, place, watch) ? &folders->items[place] : NULL;
}

bool br_folders_has(const struct br_folders *folders, const char *path)
{
	for (size_t i = 0; i < folders->count; i++)
		if (!strcmp(folders->items[i].path, path))
			return true;
	return false;
}

void br_folders_remove(struct br_folders *folders, int watch)
{
	size_t place = place_of(folders, watch);

	if (!is_at(folders, place, watch))
		return;
	free(folders->items[place].path);
	folders->count--;
	memmove(folders->items + place, folders->items + place + 1,
		(folders->count - place) * sizeof(*folders->items));
}

void br_folders_done(struct br_folders *folders)
{
	for (size_t i = 0; i < folders->count; i++)
		free(folders->items[i].path);
	free(folders->items);
	*folders = (struct br_folders){ 0 };
}
