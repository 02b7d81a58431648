/* SPDX-License-Identifier: MIT */
/*
 * groups.h - the plan's groups as they end: who may go on, and after what.
 *
 * A stage that ends tells its group, and a group those that need it: each counts
 * down what it waits for, so that an end costs as much as it has dependents, also
 * with 10,000 stages. Groups of which something may have become possible stand in
 * a queue, so that a chain of 10,000 skipped stages is a loop and no recursion.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "plan/plan.h"

struct br_group_run {
	/* Needed groups, and `prepare`, that have not ended. */
	size_t pending_needs;
	size_t pending_stages;
	/* One of its stages has failed. */
	bool has_failed;
	/* One that it needs has, directly or through others. */
	bool has_failed_before;
	/*
	 * One of its stages, or of those that it needs, has not passed, and was
	 * allowed not to or not: what comes after it is not stored.
	 */
	bool is_flawed;
	/* Those that need it have heard so, and that it has ended. */
	bool is_failure_told;
	bool is_end_told;
	bool is_queued;
};

/* Starts out by br_groups_init(). Private, but for what `items` say. */
struct br_groups {
	/* Borrowed. */
	const struct br_plan *plan;
	/* As the plan's. */
	struct br_group_run *items;
	/* A ring of indexes. */
	size_t *queue;
	size_t queue_first;
	size_t queue_count;
};

/* Begin, with every group in the queue. Ownership: br_groups_done(). */
void br_groups_init(struct br_groups *groups, const struct br_plan *plan);

/* Free what is held. */
void br_groups_done(struct br_groups *groups);

/* Take the next group to be looked at; *index is set where there is one. */
bool br_groups_next(struct br_groups *groups, size_t *index);

/* Have every group looked at again. */
void br_groups_wake(struct br_groups *groups);

/* A stage of a group has ended for good; `is_flawed`: it ran and has not passed. */
void br_groups_end_stage(struct br_groups *groups, size_t index,
	bool is_failure, bool is_flawed);

/*
 * Tell those that wait for a group what has become of it, each thing once: after its
 * stages were looked at. One that was skipped has ended only when those that it
 * needs have: what comes after it keeps its order, and hears of their failures.
 */
void br_groups_pass_on(struct br_groups *groups, size_t index);
