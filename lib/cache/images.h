/* SPDX-License-Identifier: MIT */
/*
 * images.h - the digests that names of images had, the last time that an engine was asked.
 *
 * A stage's identity has the digest of its image, and a build in which nothing changed is
 * not to ask the engine: so it goes by what is remembered here. Below the store's
 * folder, `images/HASH` has the digest, where HASH is the SHA-256 of the engine's address, a
 * line feed and the image's name. What was not used for long is forgotten (prune.h).
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

struct br_store;

/*
 * Remember what an image is on an engine. Fails with BR_ESYSTEM.
 */
bool br_images_save(struct br_store *store, const char *engine,
	const char *image, const char *digest,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Find the digest of an image on an engine, which counts as used now.
 *
 * Ownership: the caller frees *digest with free(). Gives false where none is known.
 */
bool br_images_find(struct br_store *store, const char *engine,
	const char *image, char **digest);
