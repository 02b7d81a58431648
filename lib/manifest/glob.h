/* SPDX-License-Identifier: MIT */
/* glob.h - globs in a manifest: one, or a list of which one must match. */
#pragma once

#include "manifest/read.h"

/*
 * Read a glob or a list of globs; `check` judges each. An empty list is a
 * mistake, since nothing could match it, and so are control characters.
 */
void br_glob_read(struct br_reader *reader, const struct br_entry *entry,
	br_check_fn *check, struct br_texts *globs);

/* Check the glob of a name: not empty, without `!`, no `[` that stays open. */
bool br_glob_check(struct br_reader *reader, const struct br_entry *entry,
	const char *glob);

/* Check the glob of a variable's value, which may be empty. */
bool br_glob_check_value(struct br_reader *reader, const struct br_entry *entry,
	const char *glob);

/*
 * Check the glob of files, as .gitignore has them: `!` in front takes away, `/`
 * in front is the project directory. It cannot leave that.
 */
bool br_glob_check_path(struct br_reader *reader, const struct br_entry *entry,
	const char *glob);

/*
 * Check a glob of `inputs` or of `outputs`: as br_glob_check_path(), and it does not
 * begin with the folder that the project is in inside of containers.
 */
bool br_glob_check_input(struct br_reader *reader, const struct br_entry *entry,
	const char *glob);
bool br_glob_check_output(struct br_reader *reader,
	const struct br_entry *entry, const char *glob);

/* Say whether there are globs and each only takes away from others. */
bool br_glob_are_all_negated(const struct br_texts *globs);
