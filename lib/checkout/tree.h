/* SPDX-License-Identifier: MIT */
/*
 * tree.h - a job's own work tree.
 *
 * `<work_dir>/trees/<build>` holds `lock`, which the process that made it has locked
 * as long as it lives, and `tree`. The `.git` in that stands alone: it has the objects
 * of one commit, copied out of the mirror, so that a build sees no other repository,
 * needs nothing from outside of its folder, and can harm nobody.
 *
 * Whoever makes a folder in `trees` or judges one has `trees` itself locked, so that
 * nobody takes one that is being made for one that is dead. What is dead is renamed
 * to `dead-…` before it is removed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "checkout/find.h"
#include "checkout/git.h"

/* Starts out by br_tree_new(). */
struct br_tree {
	/* All owned. */
	char *folder;
	char *work;
	char *git_dir;
	int lock_fd;
};

/*
 * Make the folder of a build, without files, in `<work_dir>/trees`. One that is there
 * already and dead is removed.
 *
 * Ownership: the caller frees *tree with br_tree_free(). Fails with BR_ESYSTEM, also
 * where a process that lives has that build.
 */
bool br_tree_new(const char *work_dir, const char *build, struct br_tree **tree,
	struct br_err *err) BR_MUST_CHECK;

/* Remove the tree's files and folder, and free `tree`, which may be NULL. */
void br_tree_free(struct br_tree *tree);

/* Remove the files, so that the tree can be filled again. Fails with BR_ESYSTEM. */
bool br_tree_empty(struct br_tree *tree, struct br_err *err) BR_MUST_CHECK;

/*
 * Make `.git` with the objects of what was found in the mirror `mirror`.
 *
 * Fails as br_git_run() does.
 */
bool br_tree_pack(struct br_tree *tree, const struct br_gits *gits,
	const char *mirror, const struct br_found *found,
	struct br_err *err) BR_MUST_CHECK;

/* Write the files. Fails as br_git_run() does. */
bool br_tree_fill(struct br_tree *tree, const struct br_gits *gits,
	const struct br_found *found, struct br_err *err) BR_MUST_CHECK;

/* Remove the trees under `work_dir` whose process is gone. Gives their number. */
size_t br_tree_sweep(const char *work_dir);
