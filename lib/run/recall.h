/* SPDX-License-Identifier: MIT */
/*
 * recall.h - what stages were in earlier builds, and why they run in this one.
 *
 * Whatever is found of a stage is compared with what it was before this build, however often
 * it is looked at in it; and only what really comes of that is remembered: that its
 * result was there, or that it ran. So a build that never got that far does not hide what
 * makes the next one run the stage.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "cache/hash.h"
#include "cache/history.h"
#include "cache/last_run.h"
#include "plan/plan.h"

struct br_store;

/* A stage, as it was before and as it is. */
struct br_recalled {
	bool is_known;
	/* `before` was found. */
	bool is_there;
	/* In its place stands what this build has saved. */
	bool is_replaced;
	struct br_history before;
	/* Of the last look. */
	uint8_t identity[BR_HASH_BYTES];
	struct br_buf record;
	struct br_last_run last_run;
};

/* Starts out by br_recall_init(). */
struct br_recall {
	/* Borrowed. */
	const struct br_plan *plan;
	struct br_store *store;
	const char *project;
	/* As the plan's stages. */
	struct br_recalled *stages;
};

/* Begin. `project` is its name in the store. Ownership: the process ends with it. */
void br_recall_init(struct br_recall *recall, const struct br_plan *plan,
	struct br_store *store, const char *project);

/* Take what a stage was found to be. Ownership: takes the bytes of `record`. */
void br_recall_take(struct br_recall *recall, size_t stage,
	const uint8_t identity[BR_HASH_BYTES], struct br_buf *record);

/*
 * Find why a stage has to run, and add that to `text`: the first thing that differs, or
 * where nothing does `cause`, which is what the store says.
 */
void br_recall_explain(struct br_recall *recall, size_t stage,
	const char *cause, struct br_buf *text);

/* Remember that the result of a stage was there. */
void br_recall_hit(struct br_recall *recall, size_t stage);

/* Remember that a stage runs, and why. */
void br_recall_run(struct br_recall *recall, size_t stage);

/* Remember what became of its result: `refusal` is why it was not stored; NULL: it was. */
void br_recall_end(struct br_recall *recall, size_t stage, const char *refusal);

/* Give the record of the last look at a stage. Borrowed until the next one. */
struct br_str br_recall_record(const struct br_recall *recall, size_t stage);
