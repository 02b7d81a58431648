/* SPDX-License-Identifier: MIT */
/*
 * beneath.h - opening what lies in a folder, and never what lies outside.
 *
 * A path is resolved so that no part of it is a link and none leads out, whoever changes
 * the folder at the same time: by openat2(2), and where that is not there part by part.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"

/*
 * Open `path` in `root_fd`, with the flags of open(2), closed on exec; "" is `root_fd`
 * itself. Gives the descriptor, which the caller closes, or -1 with errno: ELOOP where
 * a part is a link.
 */
int br_beneath_open(int root_fd, const char *path, int flags);

/*
 * Say whether `path` may be written to in a project by what a cache has: it is
 * relative, has no empty part, no `.`, no `..`, and no `.git`.
 */
bool br_beneath_is_safe(const char *path);
