/* SPDX-License-Identifier: MIT */
/*
 * identity_files.h - the files that the result of a stage depends on.
 *
 * Those that its `inputs` choose, and of a stage that it needs but which is left out of the build
 * its `outputs`, as another build has left them: nobody knows of which identity they are.
 * What its own `outputs` choose is none of either.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "cache/key.h"
#include "plan/plan.h"
#include "run/needed.h"

struct br_store;

/*
 * Hash the files as they lie in `root_fd`, and add them to `key`. Fails as
 * br_listing_find() and br_hash_listing() do.
 */
bool br_identity_add_files(const struct br_plan *plan,
	const struct br_plan_stage *stage, const struct br_needed *needed,
	int root_fd, struct br_store *store, struct br_cache_key *key,
	struct br_err *err) BR_MUST_CHECK;
