/* SPDX-License-Identifier: MIT */
#include "run/needed.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clean.h"

/* Groups that are still to be looked at. */
struct search {
	const struct br_plan *plan;
	struct br_needed *needed;
	bool *is_wanted;
	size_t wanted_count;
};

static void want_needs(struct search *search, size_t group)
{
	const struct br_plan_indexes *needs =
		&search->plan->groups[group].needs;

	for (size_t i = 0; i < needs->count; i++) {
		search->wanted_count += !search->is_wanted[needs->items[i]];
		search->is_wanted[needs->items[i]] = true;
	}
}

static void add_left_out(struct br_needed *needed, size_t stage)
{
	needed->left_out = br_grow(needed->left_out, needed->left_out_count,
		&needed->left_out_capacity, sizeof(*needed->left_out));
	needed->left_out[needed->left_out_count++] = stage;
}

static void add(struct br_needed *needed, size_t stage)
{
	needed->items = br_grow(needed->items, needed->count, &needed->capacity,
		sizeof(*needed->items));
	needed->items[needed->count++] = stage;
}

static void look_at(struct search *search, size_t index)
{
	const struct br_plan_group *group = &search->plan->groups[index];
	bool has_skipped = false;

	for (size_t i = group->first; i < group->first + group->count; i++) {
		const struct br_plan_stage *stage = &search->plan->stages[i];

		if (stage->is_prepare)
			continue;
		if (stage->skip == BR_SKIP_NOT)
			add(search->needed, i);
		else
			has_skipped = true;
		if (stage->skip == BR_SKIP_SELECTION)
			add_left_out(search->needed, i);
	}
	if (has_skipped)
		want_needs(search, index);
}

/* In a plan each group comes after those that it needs, hence backwards. */
void br_needed_find(const struct br_plan *plan,
	const struct br_plan_stage *stage, struct br_needed *needed)
{
	br_autofree bool *is_wanted =
		br_alloc_array(plan->group_count, sizeof(*is_wanted));
	struct search search = {
		.plan = plan,
		.needed = needed,
		.is_wanted = is_wanted,
	};

	want_needs(&search, stage->group);
	for (size_t i = stage->group; search.wanted_count > 0 && i-- > 0;) {
		if (!is_wanted[i])
			continue;
		search.wanted_count--;
		look_at(&search, i);
	}
}

void br_needed_done(struct br_needed *needed)
{
	free(needed->items);
	free(needed->left_out);
	*needed = (struct br_needed){ 0 };
}
