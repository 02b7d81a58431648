/* SPDX-License-Identifier: MIT */
/*
 * changes.h - which files of the project changed, for `when: {changes: ...}`.
 *
 * Compared is the work tree, with what is not committed or not even added, to a
 * base commit: --base, or else where the branch left its upstream, or else where it
 * left the remote's default branch. Where nothing came after that and the work tree
 * is clean, as in a build of what was pushed, it is compared to the commit before.
 * Who knows what changed by other means says so with br_changes_set().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "plan/notes.h"

/* Set the first four, then br_changes_find(). */
struct br_changes {
	const char *project_dir;
	/* A commit as git names it; NULL: found. */
	const char *wanted_base;
	struct br_arena *arena;
	struct br_notes *notes;

	/* Relative to the project directory. */
	const char *const *paths;
	size_t count;
	/* What it is compared to, as people name it. */
	const char *base;
	/* Private. */
	bool is_looked_for;
	bool is_known;
};

/* Say what changed, since `base`. The paths are borrowed. */
void br_changes_set(struct br_changes *changes, const char *const *paths,
	size_t count, const char *base);

/*
 * Ask git, once. Gives false where it cannot be told what changed, which is noted:
 * everything may have.
 */
bool br_changes_find(struct br_changes *changes);
