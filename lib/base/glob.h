/* SPDX-License-Identifier: MIT */
/*
 * glob.h - does a path match a glob, as in .gitignore (gitignore(5))?
 *
 * `*`, `?` and `[...]` stop at a slash, `**` between slashes does not. A glob
 * without a slash, or with one only at its end, matches in every folder; any other
 * is relative to the top. What matches a folder matches everything in it.
 */
#pragma once

#include <stdbool.h>

/*
 * Say whether `path`, relative to the top and without a slash at its end, or one
 * of the folders that it is in, matches `glob`. A `!` in front has no meaning here.
 */
bool br_glob_matches(const char *glob, const char *path);
