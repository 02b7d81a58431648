/* SPDX-License-Identifier: MIT */
#include "run/reuse.h"

#include "run/stages.h"

static void emit_found(const struct br_stage_run *run, enum br_event_type type,
	const uint8_t identity[BR_HASH_BYTES], const char *why)
{
	char key[BR_HASH_TEXT_BYTES];
	struct br_event event = {
		.type = type,
		.cache = {
			.stage = run->stage->name,
			.key = key,
			.why = why,
		},
	};

	br_hash_format(identity, key);
	br_emit(run->owner->options.emitter, &event);
}

static void emit_cache(const struct br_stage_run *run, enum br_event_type type,
	const struct br_cache_word *word)
{
	emit_found(run, type, word->identity, word->text);
}

static void tell_uncached(const struct br_stage_run *run, const char *why)
{
	br_emit_notice(run->owner->options.emitter, BR_LEVEL_INFO,
		"stage '%s' runs without the stage cache: %s", run->stage->name,
		why);
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
		tell_uncached(run, word->text);
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

/* What its container was made from; NULL where nothing is kept of it. */
static const struct br_prepared *find_prepared(const struct br_stage_run *run)
{
	if (!run->stage->is_prepare || run->stage->is_shell || !run->host ||
		!run->host->container.prepared.is_wanted)
		return NULL;
	return &run->host->container.prepared;
}

bool br_reuse_prepared(struct br_stage_run *run)
{
	const struct br_prepared *prepared = find_prepared(run);

	if (!prepared)
		return false;
	if (prepared->snapshot[0] != '\0') {
		emit_found(run, BR_EVENT_CACHE_HIT, prepared->identity, "");
		br_attempt_replay(run);
		return true;
	}
	/* Said before its first attempt. */
	if (run->attempt > 0)
		return false;
	if (prepared->is_known)
		emit_found(run, BR_EVENT_CACHE_MISS, prepared->identity,
			prepared->why);
	else
		tell_uncached(run, prepared->why);
	return false;
}

static void tell_unkept(const struct br_stage_run *run, const char *why)
{
	br_emit_notice(run->owner->options.emitter, BR_LEVEL_WARNING,
		"what '%s' has left is not kept: %s", run->stage->name, why);
}

static bool keep_prepared(struct br_stage_run *run)
{
	const struct br_prepared *prepared = find_prepared(run);
	struct br_err err = { 0 };

	if (!prepared || !prepared->is_known)
		return false;
	if (br_container_save(&run->host->container, &err))
		return true;
	tell_unkept(run, err.text);
	return false;
}

void br_reuse_saved(struct br_stages *stages, struct br_host *host)
{
	const struct br_container *container = &host->container;
	struct br_stage_run *run = &stages->runs[0];

	/* It may have been stopped meanwhile. */
	if (run->host != host || run->phase != BR_STAGE_KEPT)
		return;
	if (container->save_err.code == BR_OK)
		emit_found(run, BR_EVENT_CACHE_STORED,
			container->prepared.identity, "");
	else
		tell_unkept(run, container->save_err.text);
	br_attempt_end_keeping(run, false);
}

/* Begin to look at what a stage has left. */
static bool keep(struct br_stage_run *run)
{
	if (run->stage->is_prepare)
		return keep_prepared(run);
	return br_caching_keep(run->owner->options.caching, run->index,
		&run->tape, run->is_storable);
}

bool br_reuse_keep(struct br_stage_run *run)
{
	if (!keep(run))
		return false;
	run->phase = BR_STAGE_KEPT;
	run->deadline_ms = -1;
	return true;
}
