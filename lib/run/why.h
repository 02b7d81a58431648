/* SPDX-License-Identifier: MIT */
/*
 * why.h - what would make a stage run again, and what made it run the last time.
 *
 * Each stage of the plan that is not skipped is looked at as a build's forecast does: by the
 * digests of images that are remembered, and after those that it needs. But nothing runs,
 * nothing is put back, no engine is asked, and nothing is remembered of it but the hashes of
 * files. What it was is in the store: the last look (cache/history.h) and the last run
 * (cache/last_run.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/err.h"
#include "base/str.h"
#include "cache/hash.h"
#include "cache/history.h"
#include "cache/last_run.h"
#include "cache/record.h"
#include "plan/plan.h"

enum br_why_state {
	/* Its conditions do not hold. */
	BR_WHY_SKIPPED,
	/* It has no results: it runs each time. */
	BR_WHY_UNCACHED,
	/* What it is cannot be said. */
	BR_WHY_UNKNOWN,
	/* Nothing is known of an earlier build of it. */
	BR_WHY_NEW,
	BR_WHY_CHANGED,
	BR_WHY_UNCHANGED,
};

/* Give its name, for JSON: `changed`. Static. */
const char *br_why_state_name(enum br_why_state state) BR_NONNULL_RESULT;

struct br_why_stage {
	enum br_why_state state;
	/* Of SKIPPED, UNCACHED and UNKNOWN why; of others why no result is there, or "". */
	char text[sizeof(((struct br_err *)NULL)->text)];
	/* Of NEW, CHANGED and UNCHANGED; false: there is no store yet. */
	bool has_identity;
	uint8_t identity[BR_HASH_BYTES];
	struct br_buf record;
	/* A whole result of that is stored. */
	bool has_result;
	/* What it was when a build last looked at it. */
	bool has_before;
	struct br_history before;
	/* Why it ran the last time. */
	bool has_last_run;
	struct br_last_run last_run;
};

/* Private but for `stages`, which are as the plan's. Starts out by br_why_find(). */
struct br_why {
	const struct br_plan *plan;
	struct br_why_stage *stages;
};

/* Borrowed for the call, but for the plan. */
struct br_why_options {
	const struct br_plan *plan;
	/* NULL: there is no store yet. */
	const char *store_folder;
	/* What the project is called in the store's history. */
	const char *project;
	/* The address of the engine whose images are meant. */
	const char *engine;
};

/*
 * Look at every stage of the plan.
 *
 * Ownership: the caller ends with br_why_done(). Fails with BR_ESYSTEM where the store or
 * the project cannot be opened.
 */
bool br_why_find(const struct br_why_options *options, struct br_why *why,
	struct br_err *err) BR_MUST_CHECK;

/* Free what it has. */
void br_why_done(struct br_why *why);

static inline void br_clean_why(struct br_why *why)
{
	br_why_done(why);
}

#define br_autowhy __attribute__((cleanup(br_clean_why)))

/*
 * Tell `fn` what differs now from when a build last looked at a stage that is CHANGED.
 *
 * Fails as br_record_compare().
 */
bool br_why_compare(const struct br_why_stage *stage, br_difference_fn *fn,
	void *ctx, struct br_err *err) BR_MUST_CHECK;

/*
 * Find the stage that a difference names as needed. Borrowed; NULL: it is no such difference,
 * or there is no such stage any more.
 */
const struct br_why_stage *br_why_find_need(
	const struct br_why *why, const struct br_difference *difference);
