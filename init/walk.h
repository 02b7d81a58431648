/* SPDX-License-Identifier: MIT */
/*
 * walk.h - everything under a folder, links not followed.
 *
 * Takes any depth and any number of entries with one open folder at a time, and
 * never opens anything but folders, so that no FIFO holds it up.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "init/facts.h"

/*
 * Sees an entry: `name` in the open `folder`, or "" for the top itself. False
 * ends the walk.
 */
typedef bool walk_fn(void *ctx, int folder, const char *name,
	const struct file_facts *facts);

/*
 * Walk `path` and what is in it. What is not there any more, or not to be read, is left
 * out; gives false where something was for want of memory or the like.
 */
bool walk_tree(const char *path, walk_fn *fn, void *ctx);
