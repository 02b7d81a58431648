/* SPDX-License-Identifier: MIT */
#include "run/why.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cache/key.h"
#include "cache/store.h"
#include "run/identity.h"
#include "run/outlook.h"

const char *br_why_state_name(enum br_why_state state)
{
	switch (state) {
	case BR_WHY_SKIPPED:
		return "skipped";
	case BR_WHY_UNCACHED:
		return "uncached";
	case BR_WHY_UNKNOWN:
		return "unknown";
	case BR_WHY_NEW:
		return "new";
	case BR_WHY_CHANGED:
		return "changed";
	case BR_WHY_UNCHANGED:
		return "unchanged";
	}
	return "";
}

/* What it takes to look at stages. */
struct search {
	const struct br_why_options *options;
	struct br_store *store;
	int root_fd;
	struct br_identities identities;
	struct br_why *why;
};

static void say(struct br_why_stage *stage, const char *text)
{
	(void)snprintf(stage->text, sizeof(stage->text), "%s", text);
}

static const char *tell_why_uncached(const struct br_plan_stage *planned)
{
	if (planned->is_prepare)
		return planned->kept_ms > 0
			? "it runs for stages in the build's container, where "
			  "its state is not kept"
			: "it runs whenever a stage in the build's container "
			  "does";
	if (planned->step_count == 0)
		return "it has no steps";
	return planned->inputs[0] ? "it has 'cache: false', and runs each time"
				  : "it has no 'inputs', and runs each time";
}

static void load(const struct search *search, const char *name,
	struct br_why_stage *stage)
{
	struct br_err ignored = { 0 };

	stage->has_before = br_history_load(search->store,
		search->options->project, name, &stage->before, &ignored);
	stage->has_last_run = br_last_run_load(search->store,
		search->options->project, name, &stage->last_run);
}

static bool identify(
	struct search *search, size_t index, struct br_why_stage *stage)
{
	br_autokey struct br_cache_key key = { 0 };
	struct br_err err = { 0 };

	if (!br_identities_find(&search->identities, index, search->root_fd,
		    search->store, &key, &err)) {
		say(stage, err.text);
		return false;
	}
	memcpy(stage->identity, search->identities.stages[index].bytes,
		BR_HASH_BYTES);
	br_cache_key_record(&key, &stage->record);
	return true;
}

static enum br_why_state judge(
	struct search *search, size_t index, struct br_why_stage *stage)
{
	struct br_err missing = { 0 };

	stage->has_identity = identify(search, index, stage);
	if (!stage->has_identity)
		return BR_WHY_UNKNOWN;
	stage->has_result =
		br_store_look(search->store, stage->identity, &missing);
	say(stage, missing.text);
	if (!stage->has_before)
		return BR_WHY_NEW;
	return memcmp(stage->before.identity, stage->identity, BR_HASH_BYTES)
		? BR_WHY_CHANGED
		: BR_WHY_UNCHANGED;
}

static void look_at(struct search *search, size_t index)
{
	const struct br_plan_stage *planned =
		&search->options->plan->stages[index];
	struct br_why_stage *stage = &search->why->stages[index];

	if (search->store)
		load(search, planned->name, stage);
	if (planned->skip != BR_SKIP_NOT) {
		stage->state = BR_WHY_SKIPPED;
		say(stage, planned->why);
	} else if (!br_outlook_is_cached(planned)) {
		stage->state = BR_WHY_UNCACHED;
		say(stage, tell_why_uncached(planned));
	} else if (!search->store) {
		stage->state = BR_WHY_NEW;
		say(stage, "no result is stored");
	} else {
		stage->state = judge(search, index, stage);
	}
}

static bool open_all(struct search *search, struct br_err *err)
{
	const struct br_why_options *options = search->options;
	uint8_t secret_key[BR_HASH_BYTES] = { 0 };

	search->root_fd = open(
		options->plan->project_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (search->root_fd < 0)
		return br_fail_errno(
			err, "open '%s'", options->plan->project_dir);
	if (options->store_folder &&
		!(br_store_open(options->store_folder, &search->store, err) &&
			br_store_secret_key(search->store, secret_key, err)))
		return false;
	br_identities_init(&search->identities, options->plan, secret_key);
	if (search->store)
		br_identities_remember(
			&search->identities, search->store, options->engine);
	return true;
}

bool br_why_find(const struct br_why_options *options, struct br_why *why,
	struct br_err *err)
{
	br_autowhy struct br_why found = {
		.plan = options->plan,
		.stages = br_alloc_array(
			options->plan->stage_count, sizeof(*found.stages)),
	};
	struct search search = {
		.options = options,
		.root_fd = -1,
		.why = &found,
	};
	bool is_open = open_all(&search, err);

	for (size_t i = 0; is_open && i < options->plan->stage_count; i++)
		look_at(&search, i);
	br_identities_done(&search.identities);
	br_store_free(search.store);
	if (search.root_fd >= 0)
		(void)close(search.root_fd);
	if (!is_open)
		return false;
	*why = found;
	found = (struct br_why){ 0 };
	return true;
}

void br_why_done(struct br_why *why)
{
	for (size_t i = 0; why->stages && i < why->plan->stage_count; i++) {
		br_buf_done(&why->stages[i].record);
		br_history_done(&why->stages[i].before);
		br_last_run_done(&why->stages[i].last_run);
	}
	free(why->stages);
	*why = (struct br_why){ 0 };
}

bool br_why_compare(const struct br_why_stage *stage, br_difference_fn *fn,
	void *ctx, struct br_err *err)
{
	return br_record_compare(br_buf_str(&stage->before.record),
		br_buf_str(&stage->record), fn, ctx, err);
}

const struct br_why_stage *br_why_find_need(
	const struct br_why *why, const struct br_difference *difference)
{
	if (!br_str_is(difference->ingredient,
		    br_ingredient_name(BR_INGREDIENT_NEED)))
		return NULL;
	for (size_t i = 0; i < why->plan->stage_count; i++) {
		br_autobuf struct br_buf name = { 0 };

		br_record_escape(why->plan->stages[i].name, &name);
		if (br_str_equal(br_buf_str(&name), difference->name))
			return &why->stages[i];
	}
	return NULL;
}
