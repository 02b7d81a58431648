/* SPDX-License-Identifier: MIT */
/*
 * caching.h - the stage cache in a build: what need not run, and what is kept.
 *
 * First there is a forecast: stage by stage, with the digests of images that are
 * remembered, it is found out whether there is a result for it, and its outputs are put in
 * place. If there is one for each, no container is needed and the engine is not asked
 * for anything; but where nothing is remembered of an image, or all are to be pulled, the images
 * are looked at before, if it depends on the cache alone whether anything runs. Else the images of cached stages are looked at. What the forecast
 * has found holds for a stage if its images are what they were and `prepare` does not run;
 * otherwise the stage is looked up again when it is its turn.
 *
 * A stage that has passed is only told as finished when its outputs have been found and
 * stored. All of this is done by a child (cache_worker.h) and told by br_caching_work() and
 * br_caching_deliver(); a cache that does not work is left out, with one warning.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "cache/hash.h"
#include "plan/plan.h"
#include "run/cache_queue.h"
#include "run/emit.h"
#include "run/looks.h"
#include "run/outlook.h"
#include "run/run.h"
#include "run/tape.h"

struct br_remote;
struct br_store;

/* What has been found out of a stage. Borrowed for the call. */
struct br_cache_word {
	size_t stage;
	enum br_cache_finding finding;
	const uint8_t *identity;
	/* Why, or what is wrong; "" where there is nothing to say. */
	const char *text;
};

/* Who hears of it. */
struct br_caching_handlers {
	void *ctx;
	/* br_caching_look() is answered: HIT, MISS or UNKNOWN. */
	void (*looked)(void *ctx, const struct br_cache_word *word);
	/* br_caching_keep() is: one of those that KEEP and CHECK have. */
	void (*kept)(void *ctx, const struct br_cache_word *word);
	/* It is known whether `prepare` runs. */
	void (*prepare_known)(void *ctx);
};

/* Borrowed. */
struct br_caching_options {
	const struct br_plan *plan;
	const struct br_run_options *run;
	struct br_emitter *emitter;
	struct br_caching_handlers handlers;
};

struct br_caching_stage {
	/* What the last look has found. */
	uint8_t identity[BR_HASH_BYTES];
	char *why;
	/* Its look waits until images are known. */
	bool is_held;
	/* The remote cache is asked. */
	bool is_fetching;
	/* It has nothing of this identity, and is not asked again in this build. */
	bool is_remote_missing;
};

/* Starts out all zero, then br_caching_init(). Private. */
struct br_caching {
	struct br_caching_options options;
	/* What was foreseen; its owner's to read. */
	struct br_outlook outlook;
	struct br_looks looks;
	struct br_cache_queue queue;
	/* NULL: nothing is looked up or stored. */
	struct br_store *store;
	struct br_remote *remote;
	struct br_caching_stage *stages;
	/* Stages whose forecast is the answer to a look, to be delivered. */
	size_t *ready;
	size_t ready_count;
	size_t ready_capacity;
	bool is_forecasting;
	/* It waits for looks at images, of which there were none before. */
	bool is_forecast_held;
	bool has_looked_at_images;
	/* br_caching_begin(). */
	bool has_begun;
	/* All images that matter have been looked at. */
	bool are_images_known;
	bool is_prepare_known;
	bool is_prepare_needed;
	bool has_stored;
	bool has_lost_worker;
};

/* Say whether a build of the plan has anything to do with the stage cache. */
bool br_caching_is_for(const struct br_plan *plan);

/*
 * Begin, with the forecast where there is one. For a plan with which it has nothing to do,
 * nothing is started.
 *
 * Ownership: br_caching_done().
 */
void br_caching_init(
	struct br_caching *caching, const struct br_caching_options *options);

/* End what goes on, and free. */
void br_caching_done(struct br_caching *caching);

/* Say whether the forecast goes on. */
bool br_caching_is_forecasting(const struct br_caching *caching);

/*
 * Go on after the forecast; `has_engine`: containers are needed, and images are looked at.
 */
void br_caching_begin(struct br_caching *caching, bool has_engine);

/* Say whether br_caching_look() is for this stage. */
bool br_caching_has(const struct br_caching *caching, size_t stage);

/* Look for the result of a stage whose turn it is. */
void br_caching_look(struct br_caching *caching, size_t stage);

/* Say whether it is known that `prepare` runs, or does not. */
bool br_caching_knows_prepare(const struct br_caching *caching);

/* Say whether `prepare` runs; only when that is known. */
bool br_caching_needs_prepare(const struct br_caching *caching);

/*
 * A stage has passed: check its outputs, and store them with what it said, unless
 * `may_store` is false. `tape` is borrowed until it is answered. Gives false where
 * there is nothing to do, and no answer comes.
 */
bool br_caching_keep(struct br_caching *caching, size_t stage,
	struct br_tape *tape, bool may_store);

/* Start to record what a stage says. Ownership: br_tape_close(). */
void br_caching_record(struct br_caching *caching, struct br_tape *tape);

/* Emit what a stage said when its result was stored. Only after a hit. */
void br_caching_play(struct br_caching *caching, size_t stage);

/* What a container is made of is known. */
void br_caching_take_image(
	struct br_caching *caching, const char *image, const char *digest);

/* Tell what has been found out without asking. Gives true where there was something. */
bool br_caching_deliver(struct br_caching *caching);

/* Give how many slots br_caching_poll() fills. */
size_t br_caching_poll_count(const struct br_caching *caching);

/* Fill in what to poll. */
void br_caching_poll(const struct br_caching *caching, struct pollfd *waits);

/* Do what can be done after poll(). */
void br_caching_work(struct br_caching *caching);

/* Say whether results are on their way to the remote cache, or something is to be noted. */
bool br_caching_is_sending(const struct br_caching *caching);
