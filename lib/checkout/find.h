/* SPDX-License-Identifier: MIT */
/* find.h - which commit a job means, and that the mirror has it. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "checkout/git.h"
#include "checkout/mirror.h"
#include "checkout/ref.h"

/* Starts out all zero. */
struct br_found {
	/* A branch, a tag, or, where HEAD is at a commit alone, HEAD. */
	enum br_ref_kind kind;
	/* Owned. NULL for HEAD. */
	char *name;
	/* The commit, and what the reference names: for most tags another object. */
	char commit[BR_OBJECT_TEXT_BYTES];
	char object[BR_OBJECT_TEXT_BYTES];
};

/*
 * Find what `ref` names at the server, and `commit` (NULL: the newest) in its history,
 * and fetch it into the locked mirror.
 *
 * Ownership: br_found_done(). Fails as br_git_run() does.
 */
bool br_found_load(struct br_mirror *mirror, const struct br_gits *gits,
	const struct br_ref *ref, const char *commit, struct br_found *found,
	struct br_err *err) BR_MUST_CHECK;

/* Free what `found` holds. */
void br_found_done(struct br_found *found);
