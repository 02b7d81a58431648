/* SPDX-License-Identifier: MIT */
#include "run/groups.h"

#include <stdlib.h>

#include "base/alloc.h"

static void enqueue(struct br_groups *groups, size_t index)
{
	if (groups->items[index].is_queued)
		return;
	groups->items[index].is_queued = true;
	groups->queue[(groups->queue_first + groups->queue_count++) %
		groups->plan->group_count] = index;
}

/* Whether a group waits for `prepare` beside what the plan says that it needs. */
static bool waits_for_prepare(const struct br_plan *plan, size_t index)
{
	const struct br_plan_indexes *needs = &plan->groups[index].needs;

	return index > 0 && plan->stages[0].is_prepare &&
		(needs->count != 1 || needs->items[0] != 0);
}

void br_groups_init(struct br_groups *groups, const struct br_plan *plan)
{
	size_t count = plan->group_count;

	*groups = (struct br_groups){
		.plan = plan,
		.items = br_alloc_array(count, sizeof(*groups->items)),
		.queue = br_alloc_array(count, sizeof(*groups->queue)),
	};
	for (size_t i = 0; i < count; i++) {
		groups->items[i].pending_stages = plan->groups[i].count;
		groups->items[i].pending_needs = plan->groups[i].needs.count +
			(waits_for_prepare(plan, i) ? 1 : 0);
		enqueue(groups, i);
	}
}

void br_groups_done(struct br_groups *groups)
{
	free(groups->items);
	free(groups->queue);
	*groups = (struct br_groups){ 0 };
}

bool br_groups_next(struct br_groups *groups, size_t *index)
{
	if (groups->queue_count == 0)
		return false;
	*index = groups->queue[groups->queue_first];
	groups->queue_first =
		(groups->queue_first + 1) % groups->plan->group_count;
	groups->queue_count--;
	groups->items[*index].is_queued = false;
	return true;
}

void br_groups_wake(struct br_groups *groups)
{
	for (size_t i = 0; i < groups->plan->group_count; i++)
		enqueue(groups, i);
}

void br_groups_end_stage(
	struct br_groups *groups, size_t index, bool is_failure, bool is_flawed)
{
	struct br_group_run *group = &groups->items[index];

	group->pending_stages--;
	group->has_failed = group->has_failed || is_failure;
	group->is_flawed = group->is_flawed || is_flawed;
	enqueue(groups, index);
}

/* What has become of a group. */
struct word {
	bool has_failed;
	bool has_ended;
	bool is_flawed;
};

/* Tell one that waits for a group. */
static void tell_dependent(
	struct br_groups *groups, size_t dependent, struct word word)
{
	struct br_group_run *group = &groups->items[dependent];

	group->has_failed_before = group->has_failed_before || word.has_failed;
	group->is_flawed = group->is_flawed || word.is_flawed;
	if (word.has_ended)
		group->pending_needs--;
	enqueue(groups, dependent);
}

static void tell_dependents(
	struct br_groups *groups, size_t index, struct word word)
{
	const struct br_plan *plan = groups->plan;
	const struct br_plan_indexes *dependents =
		&plan->groups[index].dependents;

	for (size_t i = 0; i < dependents->count; i++)
		tell_dependent(groups, dependents->items[i], word);
	if (index > 0 || !plan->stages[0].is_prepare)
		return;
	for (size_t i = 1; i < plan->group_count; i++)
		if (waits_for_prepare(plan, i))
			tell_dependent(groups, i, word);
}

void br_groups_pass_on(struct br_groups *groups, size_t index)
{
	struct br_group_run *group = &groups->items[index];
	bool has_failed = group->has_failed || group->has_failed_before;
	bool has_ended = group->pending_stages == 0 &&
		group->pending_needs == 0 && !group->is_end_told;

	if (!has_ended && (!has_failed || group->is_failure_told))
		return;
	group->is_failure_told = has_failed;
	group->is_end_told = group->is_end_told || has_ended;
	tell_dependents(groups, index,
		(struct word){ has_failed, has_ended, group->is_flawed });
}
