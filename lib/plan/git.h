/* SPDX-License-Identifier: MIT */
/*
 * git.h - which commit the project is at.
 *
 * The files of the repository are read directly: a build that says nothing of
 * git must not wait for it to start. Only where a tag's own file cannot tell what
 * it stands for (an annotated tag that is not packed yet), or where the
 * references are in tables, git is asked.
 */
#pragma once

#include "base/arena.h"

struct br_git {
	/* Hexadecimal; NULL: no work tree, or no commit yet. */
	const char *commit;
	/* Without `refs/heads/`; NULL where HEAD is at no branch. */
	const char *branch;
	/* A tag that stands for `commit`: of several the highest version. */
	const char *tag;
};

/*
 * Find the work tree that `folder` is in, by itself or a parent, and what is
 * checked out there. All members are NULL where there is none or where it cannot
 * be read: this is nice to know and never a reason to fail.
 *
 * Ownership: the strings live in `arena`. Limits: BR_LIMIT_GIT_*.
 */
void br_git_find(
	const char *folder, struct br_arena *arena, struct br_git *git);
