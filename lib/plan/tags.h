/* SPDX-License-Identifier: MIT */
/* tags.h - which tag stands for a commit, and other looks at references. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

/* Where a repository keeps its things. All borrowed. */
struct br_repository {
	/* Of this work tree: its HEAD. */
	const char *folder;
	/* Of all work trees: the references. */
	const char *common;
	/* The references are in tables, which only git reads. */
	bool has_tables;
	/* The text of `packed-refs`. */
	struct br_str packed;
};

/* Say whether `text` is the name of an object: 40 or 64 hexadecimal digits. */
bool br_tags_is_object(const char *text);

/*
 * Read `packed-refs` into `text`, and let `repository->packed` be its view,
 * empty where there is no such file. Borrowed until `text` changes.
 */
void br_tags_load_packed(struct br_repository *repository, struct br_buf *text);

/* Find what the packed reference `name` stands for; false: there is none. */
bool br_tags_find_packed(const struct br_repository *repository,
	const char *name, struct br_buf *object);

/*
 * Run `git COMMAND OPTION ARGUMENT` on the repository and give its answer.
 * Gives false where there is no git, or it says no, or takes seconds.
 */
bool br_tags_ask_git(const struct br_repository *repository,
	const char *command, const char *option, const char *argument,
	struct br_buf *answer);

/*
 * Find a tag that stands for `commit`, lightweight or annotated: of several the
 * highest version. Gives NULL where there is none. Ownership: in `arena`.
 */
const char *br_tags_find(const struct br_repository *repository,
	const char *commit, struct br_arena *arena);
