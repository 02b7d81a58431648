/* SPDX-License-Identifier: MIT */
/*
 * outlook.h - which stages of a plan will run, as far as the stage cache can tell
 * beforehand.
 *
 * Stages are gone through in the plan's order, in which each comes after those that it
 * needs. One whose result is there need not run; one that needs a stage that runs is
 * taken to run too, since what that one leaves is not there yet.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "plan/plan.h"

enum br_prospect {
	/* It cannot be said before its turn. */
	BR_PROSPECT_OPEN,
	/* It is skipped, or nothing is to be done for it. */
	BR_PROSPECT_NOTHING,
	BR_PROSPECT_HIT,
	BR_PROSPECT_RUNS,
};

/* Starts out all zero, then br_outlook_init(). Private. */
struct br_outlook {
	/* Borrowed. */
	const struct br_plan *plan;
	/* As the plan's stages. */
	enum br_prospect *stages;
	/* Something runs that it waits for, directly or through others that do not run. */
	bool *follows_run;
	/* The stage that it is at. */
	size_t at;
};

/* Say whether the stage cache can have a result for a stage. */
bool br_outlook_is_cached(const struct br_plan_stage *stage);

/* Begin, with nothing known. Ownership: br_outlook_done(). */
void br_outlook_init(struct br_outlook *outlook, const struct br_plan *plan);

/* Free what it has. */
void br_outlook_done(struct br_outlook *outlook);

/*
 * Go on to the first stage that has to be looked up, which *stage is then, and be asked again
 * after br_outlook_take(). Gives false at the end.
 */
bool br_outlook_find(struct br_outlook *outlook, size_t *stage);

/* Take what was found of that stage. */
void br_outlook_take(struct br_outlook *outlook, bool is_hit);

/* Begin again: what was found was without knowing all. */
void br_outlook_restart(struct br_outlook *outlook);

/*
 * Say whether every stage that there is something to do for is a cached one: then it is worth
 * waiting for what has to be known before one can say what runs.
 */
bool br_outlook_is_all_cached(const struct br_plan *plan);

/* What was found does not hold any more. */
void br_outlook_forget(struct br_outlook *outlook);

/* Say what is known of a stage. */
enum br_prospect br_outlook_of(const struct br_outlook *outlook, size_t stage);

/* Say whether any stage may need a container. */
bool br_outlook_needs_containers(const struct br_outlook *outlook);

/* Say whether any stage may run in the build's container. */
bool br_outlook_shares_container(const struct br_outlook *outlook);

/*
 * Say whether `prepare` runs: for those in the build's container. It need not where the
 * results of all of them are there.
 */
bool br_outlook_needs_prepare(const struct br_outlook *outlook);
