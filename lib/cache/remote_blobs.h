/* SPDX-License-Identifier: MIT */
/* remote_blobs.h - the contents that a result names, as a list without repetitions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "cache/hash.h"
#include "cache/stored.h"

struct br_remote_blob {
	uint8_t digest[BR_HASH_BYTES];
	int64_t size_bytes;
};

struct br_remote_blobs {
	struct br_remote_blob *items;
	size_t count;
};

/*
 * List them.
 *
 * Ownership: the caller frees what *blobs has with br_remote_blobs_done(). Fails with
 * BR_EPROTO where one has two sizes or all are larger than BR_LIMIT_REMOTE_MIB.
 */
bool br_remote_blobs_list(const struct br_stored *result,
	struct br_remote_blobs *blobs, struct br_err *err) BR_MUST_CHECK;

/*
 * Say whether what is open as `fd` is `blob`, byte for byte.
 *
 * Fails with BR_ESYSTEM where it cannot be read.
 */
bool br_remote_blob_look(const struct br_remote_blob *blob, int fd,
	bool *is_right, struct br_err *err) BR_MUST_CHECK;

/* Free what it has. */
void br_remote_blobs_done(struct br_remote_blobs *blobs);

static inline void br_clean_remote_blobs(struct br_remote_blobs *blobs)
{
	br_remote_blobs_done(blobs);
}

#define br_autoremoteblobs __attribute__((cleanup(br_clean_remote_blobs)))
