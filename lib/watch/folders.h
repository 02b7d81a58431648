/* SPDX-License-Identifier: MIT */
/* folders.h - lists of paths, and which folder a watch of inotify(7) is of. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Starts out all zero. The items are owned. */
struct br_paths {
	char **items;
	size_t count;
	size_t capacity;
};

/* Add a copy of `path`. */
void br_paths_add(struct br_paths *paths, const char *path);

/* Remove those for which `is_dropped`, of as many, says so. */
void br_paths_drop(struct br_paths *paths, const bool *is_dropped);

/* Free all. The list may be used again. */
void br_paths_done(struct br_paths *paths);

struct br_folder {
	int watch;
	/* "" or `path/` below the top; absolute: not in the tree. Owned. */
	char *path;
};

/*
 * Starts out all zero. Sorted by watch: the kernel counts them up, so that a new one
 * mostly comes to the end.
 */
struct br_folders {
	struct br_folder *items;
	size_t count;
	size_t capacity;
};

/* Say that `watch` is of a folder, whose path is copied. */
void br_folders_set(struct br_folders *folders, int watch, const char *path);

/*
 * Find the folder of a watch, or NULL.
 *
 * Ownership: borrowed until the next change of the list.
 */
const struct br_folder *br_folders_find(
	const struct br_folders *folders, int watch);

/* Say whether the folder is in the list. */
bool br_folders_has(const struct br_folders *folders, const char *path);

/* Forget a watch, if it is there. */
void br_folders_remove(struct br_folders *folders, int watch);

/* Free all. The list may be used again. */
void br_folders_done(struct br_folders *folders);
