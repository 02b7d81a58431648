/* SPDX-License-Identifier: MIT */
/*
 * blobs.h - contents by their hash, below the folder of a store.
 *
 * A blob is a file `cas/AB/HASH` that appears in one rename and is never changed. It need
 * not be on the disk when that happens: whoever reads it checks its hash, so that one
 * that a crash has spoilt is as good as none.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "cache/hash.h"

enum {
	/* `cas/AB/HASH` or `ac/AB/HASH`, with the NUL. */
	BR_BLOB_PATH_BYTES = 8 + BR_HASH_TEXT_BYTES,
	/* `tmp/RANDOM`, with the NUL. */
	BR_BLOB_TEMPORARY_BYTES = 24,
};

/* Write where the blob, or with `kind` "ac" the result, is. */
void br_blob_path(const char *kind, const uint8_t digest[BR_HASH_BYTES],
	char path[BR_BLOB_PATH_BYTES]);

/*
 * Make a file to be filled, and write its path. Gives its descriptor, which the caller
 * closes; -1: errno says why.
 */
int br_blob_make_temporary(int store_fd, char path[BR_BLOB_TEMPORARY_BYTES]);

/*
 * Let a filled file be what `path` (br_blob_path()) names from now on. Where that fails,
 * the file is gone, and it is BR_ESYSTEM; errno says why.
 */
bool br_blob_publish(int store_fd, const char *temporary, const char *path,
	struct br_err *err) BR_MUST_CHECK;

/* Store `bytes`, and write their digest. Fails with BR_ESYSTEM and errno. */
bool br_blob_put(int store_fd, struct br_str bytes,
	uint8_t digest[BR_HASH_BYTES], struct br_err *err) BR_MUST_CHECK;

/*
 * Store what `fd` has from its start, and write its digest, sum and size. On file systems
 * that can, blocks are shared with the file, and no byte is copied. Fails with
 * BR_ESYSTEM and errno.
 */
bool br_blob_put_file(int store_fd, int fd, uint8_t digest[BR_HASH_BYTES],
	uint64_t *sum, int64_t *size_bytes, struct br_err *err) BR_MUST_CHECK;

/*
 * Say whether there is a blob of that size, which counts as new then; its content is not
 * looked at.
 */
bool br_blob_is_there(
	int store_fd, const uint8_t digest[BR_HASH_BYTES], int64_t size_bytes);

/* Open a blob for reading: a descriptor that the caller closes, or -1 with errno. */
int br_blob_open(int store_fd, const uint8_t digest[BR_HASH_BYTES]);

/*
 * Read a whole blob of `size_bytes` to the end of `bytes`, and check it.
 *
 * Fails with BR_ENOTFOUND where it is not there, and where it is not what it should be,
 * in which case it is removed; and with BR_EPROTO where it is larger than `max_bytes`.
 */
bool br_blob_load(int store_fd, const uint8_t digest[BR_HASH_BYTES],
	int64_t size_bytes, size_t max_bytes, struct br_buf *bytes,
	struct br_err *err) BR_MUST_CHECK;

/* Remove a blob that is not what it should be. */
void br_blob_drop(int store_fd, const uint8_t digest[BR_HASH_BYTES]);
