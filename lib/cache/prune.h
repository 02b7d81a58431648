/* SPDX-License-Identifier: MIT */
/*
 * prune.h - making a store smaller: the results that were not used for longest go first.
 *
 * There is no lock, so that no build ever waits. A result that is used meanwhile is kept. A
 * build that is just putting one back may find that a content is gone: to it that is
 * as if there had been no result, and the stage runs. A content that no result names
 * stays for a day, since it is stored before its result is. What is remembered of stages and
 * images is forgotten when nobody has asked for it for long, or the project is gone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "cache/inventory.h"

struct br_store;

/* -1: no limit. */
struct br_prune_limits {
	/* Of all results and contents. */
	int64_t max_bytes;
	/* Since a result was last used. */
	int64_t max_age_ms;
	/* On the file system of the store. */
	int64_t min_free_bytes;
};

/*
 * What a build keeps unless told otherwise: br_prune_start(). For as long it is always
 * remembered what stages and images were (history.h, images.h).
 */
#define BR_PRUNE_BYTES ((int64_t)10 * 1024 * 1024 * 1024)
#define BR_PRUNE_AGE_MS ((int64_t)30 * 24 * 60 * 60 * 1000)

struct br_pruned {
	size_t result_count;
	int64_t size_bytes;
};

/*
 * Drop what is over the limits, and what is damaged, from the account. Nothing is removed.
 * Fails with BR_ESYSTEM where the file system does not say how much is free.
 */
bool br_prune_choose(struct br_store *store,
	const struct br_prune_limits *limits, struct br_inventory *inventory,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Remove what was dropped, and what is left over of builds that crashed more than a day
 * ago, and forget stages and images; with `is_dry` only say how much that would be. What cannot be removed
 * stays and does not count.
 */
void br_prune_remove(struct br_store *store, struct br_inventory *inventory,
	bool is_dry, struct br_pruned *pruned);

/*
 * Let a process of its own, which nobody waits for, make the store in `folder` smaller,
 * unless that was done less than an hour ago. For the end of a build that has stored
 * something.
 */
void br_prune_start(const char *folder, const struct br_prune_limits *limits);
