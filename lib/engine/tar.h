/* SPDX-License-Identifier: MIT */
/* tar.h - an archive of one file and its folders, as the engine takes it. */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * Add to `archive` a whole POSIX tar archive with the folders of `path` and the
 * file there: root's, mode 0755.
 *
 * Limits: a `path` without its first slash takes less than 100 bytes, as tar has
 * room for. Fails with BR_EINPUT where it is longer, not absolute, or ends in a
 * slash.
 */
bool br_tar_build(const char *path, const void *data, size_t len,
	struct br_buf *archive, struct br_err *err) BR_MUST_CHECK;
