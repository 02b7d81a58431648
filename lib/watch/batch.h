/* SPDX-License-Identifier: MIT */
/*
 * batch.h - changes that come close together are one.
 *
 * An editor that saves makes a new file, renames and removes; `git checkout` touches
 * hundreds. What comes is gathered until it has been quiet for a moment.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watch/index.h"
#include "watch/watch.h"

enum {
	/* Longer than an editor takes for a save, shorter than a person notices. */
	BR_BATCH_QUIET_MS = 150,
	/* Where it is never quiet. */
	BR_BATCH_MOST_MS = 2000,
};

/* Starts out all zero: nothing. */
struct br_batch {
	struct br_path_index index;
	/* Of each path: the first that was heard of it is that it was made. */
	bool *is_made;
	size_t made_capacity;
	/* More has changed than the paths. */
	bool is_lost;
	/* When something came first and last. */
	int64_t first_ms;
	int64_t last_ms;
};

/*
 * Add what was told of `path`, which is copied, at the time `now_ms`.
 *
 * Limits: of more than BR_LIMIT_WATCH_PATHS the rest is lost.
 */
void br_batch_add(struct br_batch *batch, enum br_watch_news news,
	const char *path, int64_t now_ms);

/* Say whether nothing has come. */
bool br_batch_is_empty(const struct br_batch *batch);

/* Give how long to wait until it is whole: 0: it is, -1: it is empty. */
int64_t br_batch_wait_ms(const struct br_batch *batch, int64_t now_ms);

/* Remove the paths for which `is_dropped`, of as many, says so. */
void br_batch_drop(struct br_batch *batch, const bool *is_dropped);

/* Free all. The batch is empty. */
void br_batch_done(struct br_batch *batch);
