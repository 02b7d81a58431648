/* SPDX-License-Identifier: MIT */
/* index.h - paths, each once and each with a number, by which more is kept of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "watch/folders.h"

/* Starts out all zero. Read `paths`; change it through functions. */
struct br_path_index {
	/* In the order in which they came. */
	struct br_paths paths;
	/* Private: where each path is, plus one, found by its hash. */
	size_t *slots;
	size_t slot_count;
};

/* Give the number of `path`, which is copied and gets the next one if it is new. */
size_t br_path_index_put(struct br_path_index *index, const char *path);

/* Find the number of `path`; gives false where it has none. */
bool br_path_index_find(
	const struct br_path_index *index, const char *path, size_t *number);

/* Free all. The index may be used again. */
void br_path_index_done(struct br_path_index *index);
