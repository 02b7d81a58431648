/* SPDX-License-Identifier: MIT */
#include "cmd/why/why_walk.h"

/* Nobody reads further, and a plan may be a chain of thousands. */
enum { DEPTH_MAX = 16 };

bool why_walk_each(const struct why_walk *walk, br_difference_fn *fn, void *ctx,
	struct br_err *err)
{
	if (!walk->is_past)
		return br_why_compare(walk->stage, fn, ctx, err);
	br_last_run_each(&walk->stage->last_run, fn, ctx);
	return true;
}

/* Whether it ran after `since_ns`, and not later than what needs it. */
static bool has_run(
	const struct br_why_stage *stage, int64_t since_ns, int64_t until_ns)
{
	return stage->has_last_run && stage->last_run.written_ns > since_ns &&
		stage->last_run.written_ns <= until_ns;
}

/* What is known of `need`, seen from what needs it. */
static bool find_time(const struct why_walk *walk,
	const struct br_why_stage *need, bool *is_past)
{
	const struct br_why_stage *stage = walk->stage;

	*is_past = walk->is_past || need->state != BR_WHY_CHANGED;
	if (!*is_past)
		return true;
	/* It may have run again by itself meanwhile, and be what it was then. */
	return walk->is_past
		? has_run(need, stage->last_run.since_ns,
			  stage->last_run.written_ns)
		: has_run(need, stage->before.written_ns, INT64_MAX);
}

bool why_walk_into(const struct why_walk *walk,
	const struct br_difference *difference, struct why_walk *inner)
{
	const struct br_why_stage *need =
		br_why_find_need(walk->why, difference);
	bool is_past = false;

	if (!need || difference->kind != BR_DIFFERENCE_CHANGED ||
		walk->depth == DEPTH_MAX ||
		walk->told[need - walk->why->stages] ||
		!find_time(walk, need, &is_past))
		return false;
	walk->told[need - walk->why->stages] = true;
	*inner = *walk;
	inner->stage = need;
	inner->is_past = is_past;
	inner->depth++;
	return true;
}
