/* SPDX-License-Identifier: MIT */
/*
 * prune.h - how much a store takes, and making it less: what was used longest ago goes
 * first.
 *
 * Safe beside running builds: a result goes before its contents, contents of the last hour stay
 * (a build may be about to name them), and a build that finds something gone runs its
 * stage.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct br_store;

struct br_usage {
	size_t result_count;
	/* Contents, each once, whatever names it. */
	size_t blob_count;
	/* Of results and contents, as their sizes say. */
	int64_t size_bytes;
};

/* Count what the store has. */
void br_store_measure(struct br_store *store, struct br_usage *usage);

/* What may stay. */
struct br_prune_limits {
	/* Of results and what they name; -1: any. */
	int64_t max_bytes;
	/* Since a result was last used; -1: any. */
	int64_t max_age_ns;
	/* That the file system of the store is to have free; -1: any. */
	int64_t min_free_bytes;
};

/*
 * Remove results until the limits hold, the least recently used first; and contents
 * that no result names, and what a crash left. Gives what went.
 *
 * Fails with BR_ESYSTEM where the store cannot be listed; what went is gone then.
 */
bool br_store_prune(struct br_store *store,
	const struct br_prune_limits *limits, struct br_usage *removed,
	struct br_err *err) BR_MUST_CHECK;
