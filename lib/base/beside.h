/* SPDX-License-Identifier: MIT */
/*
 * beside.h - what lies beside this program, so that an installation can be moved.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

/*
 * Find the first of `count` paths, seen from the folder of this program, that can be
 * read.
 *
 * Ownership: the caller frees *path with free(). Gives false where none is there, or
 * where /proc does not say where the program is.
 */
bool br_beside_find(const char *const *places, size_t count, char **path);
