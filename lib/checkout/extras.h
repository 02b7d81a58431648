/* SPDX-License-Identifier: MIT */
/* extras.h - what a work tree only has when it is asked for. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "checkout/git.h"
#include "checkout/tree.h"

/*
 * Add the submodules, and theirs, each with one commit of its history.
 *
 * Fails as br_git_run() does.
 */
bool br_extras_submodules(const struct br_tree *tree,
	const struct br_gits *gits, struct br_err *err) BR_MUST_CHECK;

/*
 * Add the files of Git LFS. They are kept in `<mirror>/lfs` for the next time.
 * `extra_protocols` as for br_repo_parse(): a repository may name a server for them.
 *
 * Fails as br_git_run() does, with BR_EINPUT where that server is not allowed, and
 * with BR_ESYSTEM where git-lfs is not installed.
 */
bool br_extras_lfs(const struct br_tree *tree, const struct br_gits *gits,
	const char *mirror, const char *const *extra_protocols,
	struct br_err *err) BR_MUST_CHECK;
