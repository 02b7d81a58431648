/* SPDX-License-Identifier: MIT */
/* there.h - which outputs of a result a project has already. */
#pragma once

#include <stdbool.h>

struct br_index;
struct br_listing;

/*
 * Set `are_there`, one for each of `outputs`, where the project `root_fd` has the same
 * file or link; an empty folder is never the same. Files of the right size
 * that the index does not know are hashed. Where only the mode differs it is set.
 *
 * Gives true where all are there.
 */
bool br_there_find(struct br_index *index, int root_fd,
	const struct br_listing *outputs, bool *are_there);
