/* SPDX-License-Identifier: MIT */
/*
 * prepared.h - what `prepare` leaves in its container, kept as an image of the engine.
 *
 * With a duration as its `cache`, the state of the build's container after `prepare` is made
 * an image (br_engine_save_snapshot()), and the container of a later build is made from that
 * instead, as long as `prepare` has the same identity (identity.h): the image's digest, the
 * steps and their environment. Files of the project are no part of either.
 *
 * Both is done by children (starter.h), so that these calls block.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "cache/hash.h"
#include "engine/engine.h"
#include "plan/plan.h"

/* What was found. It is sent from process to process, and points nowhere. */
struct br_prepared {
	/* It was looked for; else all is as if nobody had heard of it. */
	bool is_wanted;
	/* The state has an identity, under which it can be kept. */
	bool is_known;
	uint8_t identity[BR_HASH_BYTES];
	/* The image to make the container from; "": `prepare` has to run. */
	char snapshot[128];
	/* Id of the image that it is made from otherwise. */
	char image[128];
	/* Why there is no snapshot, or why the state has no identity. */
	char why[256];
};

/* Borrowed. */
struct br_prepared_options {
	struct br_engine *engine;
	/* Its first stage is `prepare`. */
	const struct br_plan *plan;
	/* Of the stage cache, which has the key for secrets. */
	const char *store_folder;
	/* The label of the build's containers. */
	const char *project_label;
	/*
	 * Where the project was cloned from; NULL: from nowhere. What `prepare` may read in
	 * the project counts for nothing, so that no repository gets what another one's
	 * has left.
	 */
	const char *repo;
	/* What the stage's image is. */
	const struct br_image *image;
};

/*
 * Look for what is kept, and remove what is over. Where anything of it goes wrong, `prepare`
 * runs, and nothing is kept; `why` has the reason.
 */
void br_prepared_find(const struct br_prepared_options *options,
	struct br_prepared *prepared);

/* The snapshot is not there any more: `prepare` runs after all. */
void br_prepared_lose(struct br_prepared *prepared);

/* What is to be kept. Borrowed. */
struct br_prepared_save {
	/* As it was found for this container. */
	const struct br_prepared *prepared;
	/* Ids of the container and of the build. */
	const char *container;
	const char *build;
	int64_t kept_ms;
};

/*
 * Keep the state of a container, and remove what that makes useless. Fails as
 * br_engine_save_snapshot().
 */
bool br_prepared_keep(struct br_engine *engine,
	const struct br_prepared_save *save, struct br_err *err) BR_MUST_CHECK;
