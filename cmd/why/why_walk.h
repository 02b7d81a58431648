/* SPDX-License-Identifier: MIT */
/*
 * why_walk.h - from a stage that differs to those that it needs, for what differs in them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "run/why.h"

/* What differs in a stage: now, or what did when it ran the last time. */
struct why_walk {
	const struct br_why *why;
	const struct br_why_stage *stage;
	bool is_past;
	/* How many stages lie between it and the one that was asked for. */
	size_t depth;
	/* As the plan's stages: those that were told already. Owned by the first walk. */
	bool *told;
};

/* Tell `fn` each difference. Gives false where they cannot be told; *err says why. */
bool why_walk_each(const struct why_walk *walk, br_difference_fn *fn, void *ctx,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Go on to the stage that a difference of `walk` names as needed. Gives false where no more
 * is known of it, where it was told already, and far down.
 */
bool why_walk_into(const struct why_walk *walk,
	const struct br_difference *difference, struct why_walk *inner);
