/* SPDX-License-Identifier: MIT */
#include "run/caching.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "cache/place.h"
#include "cache/prune.h"
#include "cache/remote.h"
#include "cache/store.h"

enum {
	/* For how many moments the folder of a child that was stopped may stay. */
	TIDY_TRIES = 50,
	TIDY_MOMENT_NS = 10 * 1000 * 1000,
};

enum { SLOT_WORKER, SLOT_REMOTE, OWN_SLOTS };

static void foresee(struct br_caching *caching);
static void hold_forecast(struct br_caching *caching);
static void look_if_known(struct br_caching *caching);

static bool has_outputs(const struct br_plan_stage *stage)
{
	return stage->outputs[0] && stage->skip == BR_SKIP_NOT &&
		stage->step_count > 0;
}

bool br_caching_is_for(const struct br_plan *plan)
{
	for (size_t i = 0; i < plan->stage_count; i++)
		if (br_outlook_is_cached(&plan->stages[i]) ||
			has_outputs(&plan->stages[i]))
			return true;
	return false;
}

static const struct br_plan *plan_of(const struct br_caching *caching)
{
	return caching->options.plan;
}

static void warn(const struct br_caching *caching, const char *text)
{
	br_emit_notice(caching->options.emitter, BR_LEVEL_WARNING,
		"no stage cache in this build: %s", text);
}

/* Without a cache all is as if it had never been heard of. */
static void open_store(struct br_caching *caching)
{
	const struct br_cache_options *cache = caching->options.run->cache;
	br_auto(br_store) struct br_store *store = NULL;
	uint8_t secret_key[BR_HASH_BYTES];
	struct br_err err = { 0 };

	if (!cache || !cache->folder)
		return;
	/* The child needs the key; what is wrong with it, nobody but us can tell. */
	if (br_store_open(cache->folder, &store, &err) &&
		br_store_secret_key(store, secret_key, &err))
		caching->store = br_take_ptr(&store);
	else
		warn(caching, err.text);
}

static void open_remote(struct br_caching *caching)
{
	const struct br_cache_options *cache = caching->options.run->cache;
	struct br_err err = { 0 };

	if (!caching->store || !cache->remote)
		return;

	const struct br_remote_options options = {
		.url = cache->remote,
		.token = cache->remote_token,
		.ca_file = cache->remote_ca_file,
		.is_read_only = cache->is_remote_read_only,
		.store_folder = cache->folder,
	};
	if (!br_remote_open(&options, &caching->remote, &err))
		br_emit_notice(caching->options.emitter, BR_LEVEL_WARNING,
			"no remote cache in this build: %s", err.text);
}

static void open_worker(struct br_caching *caching, bool has_store)
{
	const struct br_run_options *run = caching->options.run;
	const struct br_cache_worker_options options = {
		.plan = plan_of(caching),
		.store_folder = has_store ? run->cache->folder : NULL,
		.project = has_store && run->cache->project
			? run->cache->project
			: plan_of(caching)->project_dir,
		.engine = br_engine_address(run->engine),
		.is_verifying = has_store && run->cache->is_verifying,
	};
	struct br_err err = { 0 };

	if (!br_cache_queue_open(&caching->queue, &options, &err))
		warn(caching, err.text);
}

/*
 * A child that was stopped while it put outputs back leaves a folder of its own in the
 * project; those that it had started may still hold that for a moment.
 */
static void tidy(const struct br_caching *caching)
{
	static const struct timespec moment = { .tv_nsec = TIDY_MOMENT_NS };
	br_autoclose int root_fd = open(plan_of(caching)->project_dir,
		O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0;
		i < TIDY_TRIES && root_fd >= 0 && !br_place_sweep(root_fd); i++)
		(void)nanosleep(&moment, NULL);
}

static void close_worker(struct br_caching *caching)
{
	bool was_busy = br_cache_queue_is_busy(&caching->queue);

	br_cache_queue_close(&caching->queue);
	if (was_busy)
		tidy(caching);
}

static bool is_pulling(const struct br_caching *caching)
{
	return caching->options.run->pull == BR_PULL_ALWAYS;
}

/* Where something runs anyway, images are not waited for before. */
static bool has_forecast(const struct br_caching *caching)
{
	return caching->store && br_cache_queue_is_open(&caching->queue) &&
		!caching->options.run->cache->is_verifying &&
		(!is_pulling(caching) ||
			br_outlook_is_all_cached(plan_of(caching)));
}

static void take_look(void *ctx, const char *image, const char *digest)
{
	struct br_caching *caching = ctx;

	/* Whoever wants it pulled does not want what it was. */
	if (digest || is_pulling(caching))
		br_caching_take_image(caching, image, digest ? digest : "");
}

void br_caching_init(
	struct br_caching *caching, const struct br_caching_options *options)
{
	const struct br_looks_options looks = {
		.plan = options->plan,
		.run = options->run,
		.emitter = options->emitter,
		.ctx = caching,
		.seen = take_look,
	};

	*caching = (struct br_caching){
		.options = *options,
		.queue = BR_CACHE_QUEUE_CLOSED,
		.stages = br_alloc_array(
			options->plan->stage_count, sizeof(*caching->stages)),
	};
	br_outlook_init(&caching->outlook, options->plan);
	br_looks_init(&caching->looks, &looks);
	if (!br_caching_is_for(options->plan))
		return;
	open_store(caching);
	open_worker(caching, caching->store != NULL);
	open_remote(caching);
	caching->is_forecasting = has_forecast(caching);
	if (caching->is_forecasting && is_pulling(caching))
		hold_forecast(caching);
	else
		foresee(caching);
}

void br_caching_done(struct br_caching *caching)
{
	const struct br_cache_options *cache =
		caching->options.run ? caching->options.run->cache : NULL;

	if (cache && caching->has_stored) {
		const struct br_prune_limits limits = {
			.max_bytes = cache->max_bytes,
			.max_age_ms = cache->max_age_ms,
			.min_free_bytes = -1,
		};

		br_prune_start(cache->folder, &limits);
	}
	close_worker(caching);
	br_looks_done(&caching->looks);
	br_remote_free(caching->remote);
	br_store_free(caching->store);
	for (size_t i = 0; caching->stages && i < plan_of(caching)->stage_count;
		i++)
		free(caching->stages[i].why);
	br_outlook_done(&caching->outlook);
	free(caching->stages);
	free(caching->ready);
	*caching = (struct br_caching){ .queue = BR_CACHE_QUEUE_CLOSED };
}

static void add_ready(struct br_caching *caching, size_t stage)
{
	caching->ready = br_grow(caching->ready, caching->ready_count,
		&caching->ready_capacity, sizeof(*caching->ready));
	caching->ready[caching->ready_count++] = stage;
}

static void tell(const struct br_caching *caching,
	void (*handler)(void *ctx, const struct br_cache_word *word),
	size_t stage, enum br_cache_finding finding)
{
	const struct br_caching_stage *item = &caching->stages[stage];
	const struct br_cache_word word = {
		.stage = stage,
		.finding = finding,
		.identity = item->identity,
		.text = item->why ? item->why : "",
	};

	handler(caching->options.handlers.ctx, &word);
}

/* The forecast. */

static void foresee(struct br_caching *caching)
{
	size_t stage = 0;

	if (!caching->is_forecasting)
		return;
	if (br_outlook_find(&caching->outlook, &stage))
		br_cache_queue_ask(&caching->queue, BR_CACHE_LOOK, stage, -1);
	else
		caching->is_forecasting = false;
}

static void look_at_images(
	struct br_caching *caching, const struct br_plan_stage *stage)
{
	const struct br_plan *plan = plan_of(caching);

	br_looks_open(&caching->looks, stage->image);
	for (size_t i = 0; i < stage->services.count; i++)
		br_looks_open(&caching->looks,
			plan->services[stage->services.items[i]].image);
}

static void look_at_all_images(struct br_caching *caching)
{
	caching->has_looked_at_images = true;
	for (size_t i = 0; i < plan_of(caching)->stage_count; i++)
		if (br_caching_has(caching, i))
			look_at_images(caching, &plan_of(caching)->stages[i]);
}

/* Without them nothing can be foreseen. */
static void hold_forecast(struct br_caching *caching)
{
	caching->is_forecast_held = true;
	look_at_all_images(caching);
	look_if_known(caching);
}

bool br_caching_is_forecasting(const struct br_caching *caching)
{
	return caching->is_forecasting;
}

static void settle_prepare(struct br_caching *caching, bool is_needed)
{
	if (caching->is_prepare_known)
		return;
	caching->is_prepare_known = true;
	caching->is_prepare_needed = is_needed;
	/* It may make anything in the project. */
	if (is_needed && plan_of(caching)->stage_count > 0 &&
		plan_of(caching)->stages[0].is_prepare)
		br_outlook_forget(&caching->outlook);
	caching->options.handlers.prepare_known(caching->options.handlers.ctx);
}

/* All images have been looked at: what waited for that goes on. */
static void release_held(struct br_caching *caching)
{
	caching->are_images_known = true;
	settle_prepare(caching, br_outlook_shares_container(&caching->outlook));
	for (size_t i = 0; i < plan_of(caching)->stage_count; i++) {
		if (!caching->stages[i].is_held)
			continue;
		caching->stages[i].is_held = false;
		br_caching_look(caching, i);
	}
}

static void look_if_known(struct br_caching *caching)
{
	if (br_cache_queue_is_busy(&caching->queue) ||
		br_looks_are_open(&caching->looks, NULL))
		return;
	if (caching->is_forecasting && caching->is_forecast_held) {
		caching->is_forecast_held = false;
		br_outlook_restart(&caching->outlook);
		foresee(caching);
	} else if (caching->has_begun && !caching->are_images_known) {
		release_held(caching);
	}
}

void br_caching_begin(struct br_caching *caching, bool has_engine)
{
	caching->is_forecasting = false;
	caching->has_begun = true;
	if (!has_engine) {
		caching->are_images_known = true;
		settle_prepare(
			caching, br_outlook_needs_prepare(&caching->outlook));
		return;
	}
	if (br_outlook_needs_prepare(&caching->outlook))
		settle_prepare(caching, true);
	look_at_all_images(caching);
	look_if_known(caching);
}

/* Looks. */

bool br_caching_has(const struct br_caching *caching, size_t stage)
{
	return caching->store &&
		br_outlook_is_cached(&plan_of(caching)->stages[stage]);
}

/* Its result is in place. */
static bool is_foreseen(const struct br_caching *caching, size_t stage)
{
	return br_outlook_of(&caching->outlook, stage) == BR_PROSPECT_HIT;
}

void br_caching_look(struct br_caching *caching, size_t stage)
{
	struct br_caching_stage *item = &caching->stages[stage];

	if (!caching->are_images_known)
		item->is_held = true;
	else if (is_foreseen(caching, stage) ||
		!br_cache_queue_is_open(&caching->queue))
		add_ready(caching, stage);
	else
		br_cache_queue_ask(&caching->queue, BR_CACHE_LOOK, stage, -1);
}

static void end_look(
	struct br_caching *caching, size_t stage, enum br_cache_finding finding)
{
	if (!caching->is_forecasting) {
		if (finding == BR_CACHE_MISS &&
			br_cache_queue_is_open(&caching->queue))
			br_cache_queue_ask(
				&caching->queue, BR_CACHE_RUN, stage, -1);
		tell(caching, caching->options.handlers.looked, stage, finding);
		return;
	}
	if (finding == BR_CACHE_UNKNOWN && !caching->has_looked_at_images &&
		br_outlook_is_all_cached(plan_of(caching))) {
		hold_forecast(caching);
		return;
	}
	br_outlook_take(&caching->outlook, finding == BR_CACHE_HIT);
	foresee(caching);
}

static void take_text(struct br_caching_stage *stage, const char *text)
{
	free(stage->why);
	stage->why = br_strdup(text);
}

static void take_looked(
	struct br_caching *caching, const struct br_cache_answer *answer)
{
	struct br_caching_stage *stage = &caching->stages[answer->stage];

	if (memcmp(stage->identity, answer->identity, BR_HASH_BYTES) != 0)
		stage->is_remote_missing = false;
	memcpy(stage->identity, answer->identity, BR_HASH_BYTES);
	take_text(stage, answer->text);
	stage->is_fetching = answer->finding == BR_CACHE_MISS &&
		caching->remote && !stage->is_remote_missing &&
		!caching->options.run->cache->is_verifying &&
		br_remote_fetch(caching->remote, stage->identity);
	if (!stage->is_fetching)
		end_look(caching, answer->stage, answer->finding);
}

/* The remote cache has been asked; the reason for a miss is still the first one. */
static void take_fetched(
	void *ctx, const uint8_t identity[BR_HASH_BYTES], bool is_there)
{
	struct br_caching *caching = ctx;

	for (size_t i = 0; i < plan_of(caching)->stage_count; i++) {
		struct br_caching_stage *stage = &caching->stages[i];

		if (!stage->is_fetching ||
			memcmp(stage->identity, identity, BR_HASH_BYTES) != 0)
			continue;
		stage->is_fetching = false;
		stage->is_remote_missing = !is_there;
		if (is_there)
			br_cache_queue_ask(
				&caching->queue, BR_CACHE_LOOK_AGAIN, i, -1);
		else
			end_look(caching, i, BR_CACHE_MISS);
	}
}

static void take_left_out(void *ctx, const char *text)
{
	struct br_caching *caching = ctx;

	br_emit_notice(caching->options.emitter, BR_LEVEL_WARNING,
		"no remote cache in the rest of this build: %s", text);
}

/* `prepare`. */

bool br_caching_knows_prepare(const struct br_caching *caching)
{
	return caching->is_prepare_known;
}

bool br_caching_needs_prepare(const struct br_caching *caching)
{
	return caching->is_prepare_needed;
}

/* Images. */

void br_caching_take_image(
	struct br_caching *caching, const char *image, const char *digest)
{
	if (caching->store && br_cache_queue_is_open(&caching->queue))
		br_cache_queue_tell(&caching->queue, image, digest);
}

/* Results. */

void br_caching_record(struct br_caching *caching, struct br_tape *tape)
{
	/* Without one nothing is stored. */
	br_tape_close(tape);
	br_tape_open(caching->options.run->cache->folder, tape);
}

bool br_caching_keep(struct br_caching *caching, size_t stage,
	struct br_tape *tape, bool may_store)
{
	const struct br_plan_stage *planned = &plan_of(caching)->stages[stage];
	struct br_err err = { 0 };

	if (!br_cache_queue_is_open(&caching->queue))
		return false;
	if (may_store && br_tape_flush(tape, &err)) {
		br_cache_queue_ask(
			&caching->queue, BR_CACHE_KEEP, stage, tape->fd);
		return true;
	}
	if (may_store)
		br_emit_notice(caching->options.emitter, BR_LEVEL_WARNING,
			"the result of stage '%s' is not stored: %s",
			planned->name, err.text);
	if (!has_outputs(planned))
		return false;
	br_cache_queue_ask(&caching->queue, BR_CACHE_CHECK, stage, -1);
	return true;
}

static void take_kept(
	struct br_caching *caching, const struct br_cache_answer *answer)
{
	struct br_caching_stage *stage = &caching->stages[answer->stage];

	take_text(stage, answer->text);
	if (answer->finding == BR_CACHE_STORED) {
		caching->has_stored = true;
		if (caching->remote)
			br_remote_push(caching->remote, stage->identity);
	}
	tell(caching, caching->options.handlers.kept, answer->stage,
		answer->finding);
}

void br_caching_play(struct br_caching *caching, size_t stage)
{
	const struct br_caching_stage *item = &caching->stages[stage];
	br_autostored struct br_stored result = { 0 };
	br_autobuf struct br_buf tape = { 0 };
	struct br_err err = { 0 };

	if (br_store_find(caching->store, item->identity, &result, &err) &&
		br_store_log(caching->store, &result, &tape, &err))
		br_tape_play(br_buf_str(&tape),
			&plan_of(caching)->stages[stage],
			caching->options.emitter);
	else
		br_emit_notice(caching->options.emitter, BR_LEVEL_INFO,
			"what stage '%s' said is not there any more: %s",
			plan_of(caching)->stages[stage].name, err.text);
}

/* The loop. */

static void take_answer(struct br_caching *caching,
	enum br_cache_question question, const struct br_cache_answer *answer)
{
	switch (question) {
	case BR_CACHE_LOOK:
		take_looked(caching, answer);
		return;
	case BR_CACHE_LOOK_AGAIN:
		end_look(caching, answer->stage, answer->finding);
		return;
	case BR_CACHE_RUN:
		return;
	case BR_CACHE_KEEP:
	case BR_CACHE_CHECK:
		take_kept(caching, answer);
		return;
	case BR_CACHE_DIGEST:
		if (answer->finding == BR_CACHE_NEW_DIGEST)
			br_outlook_forget(&caching->outlook);
		return;
	}
}

static void take_answers(struct br_caching *caching)
{
	enum br_cache_question question = BR_CACHE_LOOK;
	struct br_cache_answer answer;
	struct br_err err = { 0 };

	while (br_cache_queue_take(&caching->queue, &question, &answer, &err))
		take_answer(caching, question, &answer);
	if (err.code == BR_OK)
		return;
	warn(caching, err.text);
	tidy(caching);
	/* Outputs are to be there all the same; once more, not for ever. */
	if (!caching->has_lost_worker) {
		caching->has_lost_worker = true;
		open_worker(caching, false);
	}
}

bool br_caching_deliver(struct br_caching *caching)
{
	bool has_any = caching->ready_count > 0;

	while (caching->ready_count > 0) {
		size_t stage = caching->ready[--caching->ready_count];

		tell(caching, caching->options.handlers.looked, stage,
			is_foreseen(caching, stage) ? BR_CACHE_HIT
						    : BR_CACHE_UNKNOWN);
	}
	return has_any;
}

size_t br_caching_poll_count(const struct br_caching *caching)
{
	return OWN_SLOTS + br_looks_poll_count(&caching->looks);
}

void br_caching_poll(const struct br_caching *caching, struct pollfd *waits)
{
	waits[SLOT_WORKER] =
		(struct pollfd){ .fd = caching->queue.worker.child.fd,
			.events = POLLIN };
	waits[SLOT_REMOTE] = (struct pollfd){
		.fd = caching->remote ? br_remote_fd(caching->remote) : -1,
		.events = POLLIN,
	};
	br_looks_poll(&caching->looks, waits + OWN_SLOTS);
}

void br_caching_work(struct br_caching *caching)
{
	const struct br_remote_handlers handlers = {
		.ctx = caching,
		.fetched = take_fetched,
		.left_out = take_left_out,
	};

	if (caching->remote)
		br_remote_work(caching->remote, &handlers);
	br_looks_work(&caching->looks);
	/* Last: where the child has gone, nothing wakes us for what was asked meanwhile. */
	take_answers(caching);
	look_if_known(caching);
}

bool br_caching_is_sending(const struct br_caching *caching)
{
	return br_cache_queue_is_noting(&caching->queue) ||
		(caching->remote && br_remote_is_sending(caching->remote));
}
