/* SPDX-License-Identifier: MIT */
/*
 * paths.h - how long is the way from each stage to the end of the build?
 *
 * Where more stages are ready than may run, the one with the longest way goes
 * first: the build cannot be shorter than its longest path.
 */
#pragma once

#include "plan/durations.h"
#include "plan/plan.h"

/*
 * Set path_ms of every stage of `plan`, whose groups and stages are complete. A
 * stage of which `durations` (may be NULL) knows nothing is taken for as long as
 * the median of the others, and each for equally long where nothing is known. A
 * skipped stage takes no time.
 */
void br_paths_build(struct br_plan *plan, const struct br_durations *durations);
