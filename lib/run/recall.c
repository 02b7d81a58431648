/* SPDX-License-Identifier: MIT */
#include "run/recall.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "cache/difference.h"

void br_recall_init(struct br_recall *recall, const struct br_plan *plan,
	struct br_store *store, const char *project)
{
	*recall = (struct br_recall){
		.plan = plan,
		.store = store,
		.project = project,
		.stages = br_alloc_array(
			plan->stage_count, sizeof(*recall->stages)),
	};
}

static const char *name_of(const struct br_recall *recall, size_t stage)
{
	return recall->plan->stages[stage].name;
}

/* The stage, with what it was before this build. */
static struct br_recalled *find(struct br_recall *recall, size_t stage)
{
	struct br_recalled *found = &recall->stages[stage];
	struct br_err ignored = { 0 };

	if (found->is_known)
		return found;
	found->is_known = true;
	found->is_there = br_history_load(recall->store, recall->project,
		name_of(recall, stage), &found->before, &ignored);
	return found;
}

void br_recall_take(struct br_recall *recall, size_t stage,
	const uint8_t identity[BR_HASH_BYTES], struct br_buf *record)
{
	struct br_recalled *found = find(recall, stage);

	memcpy(found->identity, identity, BR_HASH_BYTES);
	br_buf_done(&found->record);
	found->record = *record;
	*record = (struct br_buf){ 0 };
}

/* What a difference is told to. */
struct differing {
	struct br_last_run *last_run;
	struct br_buf *text;
	size_t count;
};

static void take_difference(void *ctx, const struct br_difference *difference)
{
	struct differing *differing = ctx;

	if (differing->count++ == 0)
		br_difference_format(difference, differing->text);
	br_last_run_add(differing->last_run, difference);
}

static void set_cause(
	struct br_last_run *last_run, const char *cause, struct br_buf *text)
{
	last_run->cause = br_strdup(cause);
	br_buf_add_text(text, cause);
}

static void compare(struct br_recalled *stage, struct br_buf *text)
{
	struct differing differing = { &stage->last_run, text, 0 };
	struct br_err err = { 0 };

	if (!br_record_compare(br_buf_str(&stage->before.record),
		    br_buf_str(&stage->record), take_difference, &differing,
		    &err) &&
		differing.count == 0)
		set_cause(&stage->last_run, err.text, text);
	if (differing.count > 1)
		br_buf_addf(text, " (and %zu more)", differing.count - 1);
}

void br_recall_explain(struct br_recall *recall, size_t stage,
	const char *cause, struct br_buf *text)
{
	struct br_recalled *found = find(recall, stage);

	br_last_run_done(&found->last_run);
	found->last_run.since_ns = found->before.written_ns;
	if (!found->is_there) {
		set_cause(&found->last_run,
			"nothing is known of an earlier run", text);
	} else if (memcmp(found->before.identity, found->identity,
			   BR_HASH_BYTES) == 0) {
		br_autofree char *all =
			br_format("nothing changed, but %s", cause);

		set_cause(&found->last_run, all, text);
	} else {
		compare(found, text);
	}
}

/* What cannot be remembered is not known. */
static void remember(struct br_recall *recall, size_t stage)
{
	struct br_recalled *found = &recall->stages[stage];
	struct br_err ignored = { 0 };

	if (found->is_there && !found->is_replaced &&
		br_str_equal(br_buf_str(&found->before.record),
			br_buf_str(&found->record))) {
		br_history_touch(
			recall->store, recall->project, name_of(recall, stage));
		return;
	}
	found->is_replaced = true;
	(void)!br_history_save(recall->store, recall->project,
		name_of(recall, stage), found->identity,
		br_buf_str(&found->record), &ignored);
}

static void save_run(const struct br_recall *recall, size_t stage)
{
	struct br_err ignored = { 0 };

	(void)!br_last_run_save(recall->store, recall->project,
		name_of(recall, stage), &recall->stages[stage].last_run,
		&ignored);
}

void br_recall_hit(struct br_recall *recall, size_t stage)
{
	remember(recall, stage);
}

void br_recall_run(struct br_recall *recall, size_t stage)
{
	remember(recall, stage);
	save_run(recall, stage);
}

void br_recall_end(struct br_recall *recall, size_t stage, const char *refusal)
{
	struct br_last_run *last_run = &recall->stages[stage].last_run;

	last_run->result = refusal ? BR_LAST_RUN_REFUSED : BR_LAST_RUN_STORED;
	if (refusal)
		last_run->refusal = br_strdup(refusal);
	save_run(recall, stage);
}

struct br_str br_recall_record(const struct br_recall *recall, size_t stage)
{
	return br_buf_str(&recall->stages[stage].record);
}
