/* SPDX-License-Identifier: MIT */
#include "run/outlook.h"

#include <stdlib.h>

#include "base/alloc.h"

bool br_outlook_is_cached(const struct br_plan_stage *stage)
{
	return stage->is_cached && stage->skip == BR_SKIP_NOT &&
		stage->step_count > 0;
}

/* Whether there is anything in it to be done, sooner or later. */
static bool has_work(const struct br_plan_stage *stage)
{
	return stage->skip == BR_SKIP_NOT &&
		(stage->step_count > 0 || stage->is_shell);
}

void br_outlook_init(struct br_outlook *outlook, const struct br_plan *plan)
{
	*outlook = (struct br_outlook){
		.plan = plan,
		.stages = br_alloc_array(
			plan->stage_count, sizeof(*outlook->stages)),
		.follows_run = br_alloc_array(
			plan->stage_count, sizeof(*outlook->follows_run)),
	};
}

void br_outlook_done(struct br_outlook *outlook)
{
	free(outlook->stages);
	free(outlook->follows_run);
	*outlook = (struct br_outlook){ 0 };
}

/* One that does not run, and leaves nothing either, passes on what it waits for. */
static bool is_run_passed_on(const struct br_outlook *outlook, size_t stage)
{
	return outlook->stages[stage] == BR_PROSPECT_RUNS ||
		(outlook->stages[stage] == BR_PROSPECT_NOTHING &&
			outlook->follows_run[stage]);
}

static bool needs_what_runs(const struct br_outlook *outlook, size_t stage)
{
	const struct br_plan *plan = outlook->plan;
	const struct br_plan_indexes *needs =
		&plan->groups[plan->stages[stage].group].needs;

	for (size_t i = 0; i < needs->count; i++) {
		const struct br_plan_group *need =
			&plan->groups[needs->items[i]];

		for (size_t j = 0; j < need->count; j++)
			if (is_run_passed_on(outlook, need->first + j))
				return true;
	}
	return false;
}

/* Whether it depends on what is found of others that `prepare` runs. */
static bool is_prepare_optional(const struct br_plan *plan)
{
	for (size_t i = 0; i < plan->stage_count; i++)
		if (!plan->stages[i].has_own_image &&
			br_outlook_is_cached(&plan->stages[i]))
			return true;
	return false;
}

/* What can be said without a look; OPEN: there has to be one. */
static enum br_prospect guess(const struct br_outlook *outlook, size_t index)
{
	const struct br_plan_stage *stage = &outlook->plan->stages[index];

	if (!has_work(stage) || stage->status == BR_WHEN_FAILURE ||
		(stage->is_prepare && is_prepare_optional(outlook->plan)))
		return BR_PROSPECT_NOTHING;
	if (!br_outlook_is_cached(stage) || outlook->follows_run[index])
		return BR_PROSPECT_RUNS;
	return BR_PROSPECT_OPEN;
}

bool br_outlook_find(struct br_outlook *outlook, size_t *stage)
{
	for (; outlook->at < outlook->plan->stage_count; outlook->at++) {
		outlook->follows_run[outlook->at] =
			needs_what_runs(outlook, outlook->at);
		outlook->stages[outlook->at] = guess(outlook, outlook->at);
		if (outlook->stages[outlook->at] == BR_PROSPECT_OPEN) {
			*stage = outlook->at;
			return true;
		}
	}
	return false;
}

void br_outlook_take(struct br_outlook *outlook, bool is_hit)
{
	outlook->stages[outlook->at++] =
		is_hit ? BR_PROSPECT_HIT : BR_PROSPECT_RUNS;
}

void br_outlook_restart(struct br_outlook *outlook)
{
	outlook->at = 0;
}

bool br_outlook_is_all_cached(const struct br_plan *plan)
{
	for (size_t i = 0; i < plan->stage_count; i++)
		if (has_work(&plan->stages[i]) && !plan->stages[i].is_prepare &&
			plan->stages[i].status != BR_WHEN_FAILURE &&
			!br_outlook_is_cached(&plan->stages[i]))
			return false;
	return is_prepare_optional(plan) || plan->stage_count == 0 ||
		!plan->stages[0].is_prepare;
}

void br_outlook_forget(struct br_outlook *outlook)
{
	for (size_t i = 0; i < outlook->plan->stage_count; i++)
		if (outlook->stages[i] == BR_PROSPECT_HIT)
			outlook->stages[i] = BR_PROSPECT_OPEN;
}

enum br_prospect br_outlook_of(const struct br_outlook *outlook, size_t stage)
{
	return outlook->stages[stage];
}

/* One that nothing is known of has to be reckoned with, as has one after what may fail. */
static bool may_run(const struct br_outlook *outlook, size_t stage)
{
	const struct br_plan_stage *planned = &outlook->plan->stages[stage];

	return has_work(planned) &&
		(outlook->stages[stage] == BR_PROSPECT_RUNS ||
			outlook->stages[stage] == BR_PROSPECT_OPEN ||
			(planned->status == BR_WHEN_FAILURE &&
				outlook->follows_run[stage]));
}

bool br_outlook_needs_containers(const struct br_outlook *outlook)
{
	for (size_t i = 0; i < outlook->plan->stage_count; i++)
		if (may_run(outlook, i))
			return true;
	return false;
}

bool br_outlook_shares_container(const struct br_outlook *outlook)
{
	for (size_t i = 0; i < outlook->plan->stage_count; i++)
		if (!outlook->plan->stages[i].has_own_image &&
			may_run(outlook, i))
			return true;
	return false;
}

bool br_outlook_needs_prepare(const struct br_outlook *outlook)
{
	return br_outlook_shares_container(outlook) ||
		!is_prepare_optional(outlook->plan);
}
