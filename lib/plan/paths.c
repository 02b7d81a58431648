/* SPDX-License-Identifier: MIT */
#include "plan/paths.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"

/* Any will do where all are equal. */
enum { UNKNOWN_MS = 1000 };

static int compare_names(const void *a, const void *b)
{
	const struct br_duration *left = a;
	const struct br_duration *right = b;

	return strcmp(left->stage, right->stage);
}

static int compare_ms(const void *a, const void *b)
{
	const struct br_duration *left = a;
	const struct br_duration *right = b;

	return (left->ms > right->ms) - (left->ms < right->ms);
}

static struct br_duration *copy(const struct br_durations *durations,
	int (*compare)(const void *, const void *))
{
	struct br_duration *sorted =
		br_alloc_array(durations->count, sizeof(*sorted));

	for (size_t i = 0; i < durations->count; i++)
		sorted[i] = durations->items[i];
	qsort(sorted, durations->count, sizeof(*sorted), compare);
	return sorted;
}

static int64_t median(const struct br_durations *durations)
{
	if (durations->count == 0)
		return UNKNOWN_MS;

	br_autofree struct br_duration *sorted = copy(durations, compare_ms);
	return sorted[durations->count / 2].ms;
}

static int64_t estimate(const struct br_plan_stage *stage,
	const struct br_durations *by_name, int64_t unknown_ms)
{
	const struct br_duration wanted = { .stage = stage->name };

	if (stage->skip != BR_SKIP_NOT)
		return 0;

	const struct br_duration *found = by_name->count == 0
		? NULL
		: bsearch(&wanted, by_name->items, by_name->count,
			  sizeof(wanted), compare_names);
	return found ? found->ms : unknown_ms;
}

/* The longest way on from the end of a group. */
static int64_t path_after(
	const int64_t *paths, const struct br_plan_group *group)
{
	int64_t longest_ms = 0;

	for (size_t i = 0; i < group->dependents.count; i++)
		if (paths[group->dependents.items[i]] > longest_ms)
			longest_ms = paths[group->dependents.items[i]];
	return longest_ms;
}

void br_paths_build(struct br_plan *plan, const struct br_durations *durations)
{
	static const struct br_durations none = { 0 };
	const struct br_durations *known = durations ? durations : &none;
	br_autofree struct br_duration *sorted = copy(known, compare_names);
	const struct br_durations by_name = {
		.items = sorted,
		.count = known->count,
	};
	br_autofree int64_t *paths =
		br_alloc_array(plan->group_count, sizeof(*paths));
	int64_t unknown_ms = median(known);

	/* What needs a group comes after it. */
	for (size_t i = plan->group_count; i-- > 0;) {
		const struct br_plan_group *group = &plan->groups[i];
		int64_t after_ms = path_after(paths, group);

		for (size_t k = 0; k < group->count; k++) {
			struct br_plan_stage *stage =
				&plan->stages[group->first + k];

			stage->path_ms = after_ms +
				estimate(stage, &by_name, unknown_ms);
			if (stage->path_ms > paths[i])
				paths[i] = stage->path_ms;
		}
	}
}
