/* SPDX-License-Identifier: MIT */
#include "run/identity_files.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/clean.h"
#include "base/glob.h"
#include "cache/globs.h"
#include "cache/hash.h"
#include "cache/listing.h"
#include "cache/store.h"

/* Where files are looked for, and what for. */
struct place {
	const struct br_plan_stage *stage;
	int root_fd;
	struct br_store *store;
	struct br_cache_key *key;
};

static size_t count_texts(const char *const *texts)
{
	size_t count = 0;

	while (texts[count])
		count++;
	return count;
}

/* Of globs the last one that matches decides. */
static bool is_output(const struct br_plan_stage *stage, const char *path)
{
	for (size_t i = count_texts(stage->outputs); i > 0; i--) {
		const char *glob = stage->outputs[i - 1];
		bool takes_away = glob[0] == '!';

		if (br_glob_matches(glob + takes_away, path))
			return !takes_away;
	}
	return false;
}

static void drop_outputs(
	const struct br_plan_stage *stage, struct br_listing *inputs)
{
	size_t kept = 0;

	if (!stage->outputs[0])
		return;
	for (size_t i = 0; i < inputs->count; i++)
		if (!is_output(stage, inputs->items[i].path))
			inputs->items[kept++] = inputs->items[i];
	inputs->count = kept;
}

/* Where no output is excepted, folders full of outputs need not be read. */
static bool may_leave_out(const struct br_plan_stage *stage)
{
	for (size_t i = 0; stage->outputs[i]; i++)
		if (stage->outputs[i][0] == '!')
			return false;
	return true;
}

/* Those of `inputs`, without those of `outputs` where that is known before. */
static bool make_globs(const struct br_plan_stage *stage,
	struct br_globs **globs, struct br_err *err)
{
	size_t count = count_texts(stage->inputs);
	size_t output_count =
		may_leave_out(stage) ? count_texts(stage->outputs) : 0;
	br_autofree const char **texts =
		br_alloc_array(count + output_count, sizeof(*texts));
	struct br_arena arena = { 0 };

	for (size_t i = 0; i < count; i++)
		texts[i] = stage->inputs[i];
	for (size_t i = 0; i < output_count; i++)
		texts[count++] =
			br_arena_format(&arena, "!%s", stage->outputs[i]);

	bool is_made = br_globs_new(texts, count, globs, err);
	br_arena_done(&arena);
	return is_made;
}

/* What globs choose, but for what is the stage's own output. */
static bool add_chosen(
	const struct place *place, struct br_globs *globs, struct br_err *err)
{
	br_autolisting struct br_listing chosen = { 0 };

	if (!br_listing_find(place->root_fd, globs, false, &chosen, err))
		return false;
	drop_outputs(place->stage, &chosen);
	if (!br_hash_listing(
		    br_store_index(place->store), place->root_fd, &chosen, err))
		return false;
	br_cache_key_add_listing(place->key, &chosen);
	return true;
}

static bool add_inputs(const struct place *place, struct br_err *err)
{
	br_auto(br_globs) struct br_globs *globs = NULL;

	return make_globs(place->stage, &globs, err) &&
		add_chosen(place, globs, err);
}

static bool add_outputs_of(const struct place *place,
	const struct br_plan_stage *need, struct br_err *err)
{
	br_auto(br_globs) struct br_globs *globs = NULL;

	return br_globs_new(need->outputs, count_texts(need->outputs), &globs,
		       err) &&
		add_chosen(place, globs, err);
}

bool br_identity_add_files(const struct br_plan *plan,
	const struct br_plan_stage *stage, const struct br_needed *needed,
	int root_fd, struct br_store *store, struct br_cache_key *key,
	struct br_err *err)
{
	const struct place place = { stage, root_fd, store, key };

	if (!add_inputs(&place, err))
		return false;
	for (size_t i = 0; i < needed->left_out_count; i++)
		if (!add_outputs_of(
			    &place, &plan->stages[needed->left_out[i]], err))
			return false;
	return true;
}
