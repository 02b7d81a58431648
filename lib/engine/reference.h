/* SPDX-License-Identifier: MIT */
/*
 * reference.h - the name of an image, taken apart.
 *
 * `[registry[:port]/]path[:tag][@digest]`. The first part is a registry only where
 * it has a dot or a port, or is `localhost`; a colon after the last slash starts a
 * tag. A name without tag and digest means `:latest`: the engine itself would take
 * it for all tags.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/* Starts out all zero. */
struct br_reference {
	/* As written, without tag and digest. */
	char *name;
	/* The tag; with a digest the digest. Never empty. */
	char *tag;
	/* What to ask the engine for: `name:tag`, `name@digest`, or an id. */
	char *text;
	/* Where it comes from: `docker.io`, `localhost:5000`. */
	char *registry;
	/* In full: `docker.io/library/alpine`. */
	char *full_name;
	bool has_digest;
	/* `sha256:...` alone: an image by its id, which cannot be pulled. */
	bool is_id;
};

/*
 * Take `text` apart.
 *
 * Ownership: the caller frees the contents with br_reference_done(). Fails with
 * BR_EINPUT where it is no image name, and says why.
 */
bool br_reference_parse(const char *text, struct br_reference *reference,
	struct br_err *err) BR_MUST_CHECK;

/* Free what `reference` holds. */
void br_reference_done(struct br_reference *reference);

static inline void br_clean_reference(struct br_reference *reference)
{
	br_reference_done(reference);
}

#define br_autoreference __attribute__((cleanup(br_clean_reference)))
