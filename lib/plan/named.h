/* SPDX-License-Identifier: MIT */
/*
 * named.h - which stages the options of a selection name.
 *
 * A name is a stage's, which means all of its matrix, that of one combination, or
 * a glob over both. One that is a stage's is no glob: `[` may stand in it.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "manifest/manifest.h"
#include "plan/graph.h"
#include "plan/plan.h"

/* By which option a stage is named: bits. */
enum br_named_by {
	BR_NAMED_BY_ARGUMENT = 1,
	BR_NAMED_BY_ONLY = 2,
	BR_NAMED_BY_FROM = 4,
	BR_NAMED_BY_SKIP = 8,
};

struct br_named {
	/* Bits for each name of each node of the graph. */
	uint8_t **nodes;
	uint8_t prepare;
};

/*
 * Find what the options name.
 *
 * Ownership: in `arena`. Fails with BR_EINPUT for a name that no stage has, with a
 * suggestion, and for a glob that none matches.
 */
bool br_named_find(const struct br_manifest *manifest,
	const struct br_graph *graph, const struct br_plan_options *options,
	struct br_arena *arena, struct br_named *named,
	struct br_err *err) BR_MUST_CHECK;
