/* SPDX-License-Identifier: MIT */
/* file.h - whole files in, whole buffers out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * Read the regular file `path` to the end of `content`.
 *
 * Limits: at most `max_bytes`; a larger file fails with BR_EINPUT, as does one
 * that is not a regular file. Fails with BR_ENOTFOUND where there is none, and
 * with BR_ESYSTEM where it cannot be read.
 */
bool br_file_load(const char *path, size_t max_bytes, struct br_buf *content,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Write all of `data` to `fd`, waiting where a non-blocking descriptor is full.
 *
 * Fails with BR_ESYSTEM; errno is that of write(2).
 */
bool br_file_write(
	int fd, const void *data, size_t len, struct br_err *err) BR_MUST_CHECK;

/*
 * Make `path` with `mode` and fill it with `data`; it must not exist yet.
 *
 * Fails with BR_ESYSTEM, and leaves nothing then.
 */
bool br_file_save_new(const char *path, unsigned mode, const void *data,
	size_t len, struct br_err *err) BR_MUST_CHECK;

/*
 * Join a folder and a name with one slash; an absolute `name` stays as it is.
 *
 * Ownership: the caller frees the path with free().
 */
char *br_path_join(const char *folder, const char *name) BR_NONNULL_RESULT;
