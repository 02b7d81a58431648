/* SPDX-License-Identifier: MIT */
/*
 * identity.h - what the result of a stage of the plan depends on, as a key (cache/key.h).
 *
 * That is the digest of its image, how its steps run, the steps, its environment, its
 * services, what it needs and leaves, and the files that `inputs` choose and `outputs` do
 * not. Of what buildr adds to the environment itself only the commit, branch and tag count,
 * and those only where a step names them. Not in it are names, of the stage, the image, the
 * project or a needed stage, and whatever decides only when and how often a stage runs.
 *
 * A stage without `inputs` has an identity too, of all but files: those that need it
 * depend on that. Whoever shares the build's container needs `prepare`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "cache/hash.h"
#include "cache/key.h"
#include "plan/plan.h"

struct br_store;

/* Of one stage. */
struct br_identity {
	bool is_known;
	uint8_t bytes[BR_HASH_BYTES];
};

/* The digest that the name of an image stands for. */
struct br_image_digest {
	const char *image;
	const char *digest;
};

/* Starts out by br_identities_init(). */
struct br_identities {
	/* Borrowed. */
	const struct br_plan *plan;
	uint8_t secret_key[BR_HASH_BYTES];
	/* As the plan's stages. */
	struct br_identity *stages;
	struct br_image_digest *digests;
	size_t digest_count;
	size_t digest_capacity;
	/* Of names and digests. */
	struct br_arena arena;
};

/*
 * Begin for a plan, with no digest known. `secret_key` is the store's.
 *
 * Ownership: br_identities_done().
 */
void br_identities_init(struct br_identities *identities,
	const struct br_plan *plan, const uint8_t secret_key[BR_HASH_BYTES]);

/* Free what it has. */
void br_identities_done(struct br_identities *identities);

/*
 * Take the digests of the plan's images that are remembered for an engine, by its address
 * (cache/images.h).
 */
void br_identities_remember(struct br_identities *identities,
	struct br_store *store, const char *engine);

/*
 * Learn what an image is, or with "" that it is not known. Where it was another one before, all
 * identities are forgotten.
 */
void br_identities_set_digest(struct br_identities *identities,
	const char *image, const char *digest);

/* Find the digest of an image; NULL: it is not known. Borrowed until the next change. */
const char *br_identities_find_digest(
	const struct br_identities *identities, const char *image);

/*
 * Find the identity of a stage, with its inputs as they lie in `root_fd`, and keep it for
 * those that need the stage. `key` has its ingredients then, for a record.
 *
 * Those that it needs, where they have `inputs` too, have been found before. Fails with
 * BR_EUNAVAIL where an image or a needed stage is not known, or as br_listing_find()
 * and br_hash_listing() do.
 */
bool br_identities_find(struct br_identities *identities, size_t stage,
	int root_fd, struct br_store *store, struct br_cache_key *key,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Find the identity of a stage without `inputs`, and keep it. Fails with BR_EUNAVAIL where
 * an image or a needed stage is not known.
 */
bool br_identities_define(struct br_identities *identities, size_t stage,
	struct br_err *err) BR_MUST_CHECK;

/* Forget what a stage was: that is to be found anew. */
void br_identities_forget(struct br_identities *identities, size_t stage);
