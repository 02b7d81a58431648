/* SPDX-License-Identifier: MIT */
/*
 * needed.h - the stages that one needs, seen through those that are skipped.
 *
 * A skipped stage passes on what it needs itself: what needs it runs as if it had passed,
 * after what it would have waited for. One that is left out of the build (--only, --from,
 * --skip) may have been there another time, and what it has left then is read all the same.
 */
#pragma once

#include <stddef.h>

#include "plan/plan.h"

/* Indexes of stages. Starts out all zero, then br_needed_find(). */
struct br_needed {
	/* Those that are not skipped. */
	size_t *items;
	size_t count;
	size_t capacity;
	/* Those that are left out. */
	size_t *left_out;
	size_t left_out_count;
	size_t left_out_capacity;
};

/*
 * Find what a stage needs, but for `prepare`. Ownership: br_needed_done().
 */
void br_needed_find(const struct br_plan *plan,
	const struct br_plan_stage *stage, struct br_needed *needed);

/* Free what it has. */
void br_needed_done(struct br_needed *needed);

static inline void br_clean_needed(struct br_needed *needed)
{
	br_needed_done(needed);
}

/* `br_autoneeded struct br_needed needed = { 0 };` is freed with its scope. */
#define br_autoneeded __attribute__((cleanup(br_clean_needed)))
