/* SPDX-License-Identifier: MIT */
/* stamp.h - is a file what it was? */
#pragma once

#include <stdbool.h>

#include "base/sha256.h"

/* The same for the same file: of its kind, mode and content. */
struct br_stamp {
	bool is_there;
	uint8_t digest[BR_SHA256_BYTES];
};

/*
 * Look at `path`; a link is not followed. What cannot be read is judged by its size
 * and times.
 *
 * Limits: and so is what has more than BR_LIMIT_WATCH_HASH_BYTES.
 */
void br_stamp_take(const char *path, struct br_stamp *stamp);

/* Say whether both are of the same content, or of nothing. */
bool br_stamp_equal(const struct br_stamp *a, const struct br_stamp *b);
