/* SPDX-License-Identifier: MIT */
/*
 * extras.h - what a work tree only has when it is asked for.
 *
 * Where it comes from is written in the repository, so by anybody: each address is held
 * to the same rules as the repository's own before git gets to see it.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "checkout/checkout.h"
#include "checkout/git.h"
#include "checkout/tree.h"

/* Starts out by br_extras_init(). Private but for that. */
struct br_extras {
	/* Borrowed. */
	const struct br_checkout_options *options;
	const struct br_gits *gits;
	/* The work tree, and those of its submodules as they are found. */
	char **folders;
	size_t count;
	size_t capacity;
};

/*
 * Prepare for `tree`, which is filled.
 *
 * Ownership: br_extras_done(). The arguments are borrowed until then.
 */
void br_extras_init(struct br_extras *extras,
	const struct br_checkout_options *options, const struct br_tree *tree,
	const struct br_gits *gits);

/* Free what `extras` holds. */
void br_extras_done(struct br_extras *extras);

/*
 * Add the submodules, and theirs, each with one commit of its history.
 *
 * Fails as br_git_run() does, and with BR_EINPUT where one comes from where it may not.
 * Limits: BR_LIMIT_SUBMODULES in all.
 */
bool br_extras_submodules(
	struct br_extras *extras, struct br_err *err) BR_MUST_CHECK;

/*
 * Add the files of Git LFS, also of the submodules that were added. They are kept in
 * `<mirror>/lfs` for the next time.
 *
 * Fails as br_git_run() does, with BR_EINPUT where their server is not allowed, and
 * with BR_EUNAVAIL where git-lfs is not installed, which it may be elsewhere.
 */
bool br_extras_lfs(const struct br_extras *extras, const char *mirror,
	struct br_err *err) BR_MUST_CHECK;
