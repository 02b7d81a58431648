/* SPDX-License-Identifier: MIT */
#include "run/reuse.h"

#include "run/stages.h"

static void emit_cache(const struct br_stage_run *run, enum br_event_type type,
	const struct br_cache_word *word)
{
	char key[BR_HASH_TEXT_BYTES];
	struct br_event event = {
		.type = type,
		.cache = {
			.stage = run->stage->name,
			.key = key,
			.why = word->text,
		},
	};

	br_hash_format(word->identity, key);
	br_emit(run->owner->options.emitter, &event);
}

static void looked(void *ctx, const struct br_cache_word *word)
{
	struct br_stages *stages = ctx;
	struct br_stage_run *run = &stages->runs[word->stage];

	/* It may have been skipped meanwhile. */
	if (run->phase != BR_STAGE_LOOKED_UP)
		return;
	if (word->finding == BR_CACHE_HIT) {
		emit_cache(run, BR_EVENT_CACHE_HIT, word);
		br_stages_replay(run);
		return;
	}
	run->is_storable = word->finding == BR_CACHE_MISS;
	if (run->is_storable)
		emit_cache(run, BR_EVENT_CACHE_MISS, word);
	else if (word->text[0] != '\0')
		br_emit_notice(stages->options.emitter, BR_LEVEL_INFO,
			"stage '%s' runs without the stage cache: %s",
			run->stage->name, word->text);
	br_stages_make_due(run);
}

static void kept(void *ctx, const struct br_cache_word *word)
{
	struct br_stages *stages = ctx;
	struct br_stage_run *run = &stages->runs[word->stage];
	struct br_emitter *emitter = stages->options.emitter;
	const char *name = run->stage->name;
	bool is_failure = word->finding == BR_CACHE_NO_OUTPUT ||
		word->finding == BR_CACHE_OTHER_OUTPUT;

	/* It may have been stopped meanwhile. */
	if (run->phase != BR_STAGE_KEPT)
		return;
	run->is_refuted = word->finding == BR_CACHE_OTHER_OUTPUT;
	if (is_failure)
		br_emit_notice(emitter, BR_LEVEL_ERROR, "stage '%s': %s", name,
			word->text);
	else if (word->finding == BR_CACHE_STORED)
		emit_cache(run, BR_EVENT_CACHE_STORED, word);
	else if (word->finding == BR_CACHE_NOT_STORED)
		br_emit_notice(emitter, BR_LEVEL_WARNING,
			"the result of stage '%s' is not stored: %s", name,
			word->text);
	br_attempt_end_keeping(run, is_failure);
}

static void prepare_known(void *ctx)
{
	struct br_stages *stages = ctx;

	br_groups_wake(&stages->groups);
}

struct br_caching_handlers br_reuse_handlers(struct br_stages *stages)
{
	return (struct br_caching_handlers){
		.ctx = stages,
		.looked = looked,
		.kept = kept,
		.prepare_known = prepare_known,
	};
}

bool br_reuse_keep(struct br_stage_run *run)
{
	if (!br_caching_keep(run->owner->options.caching, run->index,
		    &run->tape, run->is_storable))
		return false;
	run->phase = BR_STAGE_KEPT;
	run->deadline_ms = -1;
	return true;
}
