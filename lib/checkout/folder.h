/* SPDX-License-Identifier: MIT */
/* folder.h - folders made, and removed whatever is in them. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/*
 * Make the folder if it is not there; its parent must be.
 *
 * Fails with BR_ESYSTEM.
 */
bool br_folder_make(
	const char *path, unsigned mode, struct br_err *err) BR_MUST_CHECK;

/*
 * Remove `path` and all that is in it, following no link. Folders of our own are made
 * writable first; depth and number do not matter. Gives true where nothing is left.
 */
bool br_folder_remove(const char *path);

/* As br_folder_remove(), but the folder itself stays. */
bool br_folder_empty(const char *path);

/* Takes one name in a folder whose descriptor is `at`. */
typedef void br_folder_fn(void *ctx, int at, const char *name);

/* Call `fn` for each name in the folder but `.` and `..`. */
void br_folder_each(const char *path, br_folder_fn *fn, void *ctx);
