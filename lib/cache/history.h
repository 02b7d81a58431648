/* SPDX-License-Identifier: MIT */
/*
 * history.h - what each stage of each project was the last time: for `why`, and to find a
 * stage's result by its name.
 *
 * Below the store's folder `stages/PROJECT/STAGE`, where both are the SHA-256 of the
 * project's directory and of the stage's name. A file is, line by line, `buildr-stage 1`, the
 * identity in hex, the project's directory and the stage's name with the escapes of a
 * record, and then the record itself (key.h). Its mtime is when the stage was last looked
 * at. Why it ran is beside it (last_run.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "cache/hash.h"

struct br_store;

/* Starts out all zero; br_history_done() frees it. */
struct br_history {
	uint8_t identity[BR_HASH_BYTES];
	/* With the escapes of a record. */
	char *project;
	char *stage;
	struct br_buf record;
	/* When the stage was looked at, in ns since 1970. */
	int64_t written_ns;
};

/*
 * Remember a stage, in place of what it was before, and note that it has had the result of
 * that identity (users.h), or will have. Fails with BR_ESYSTEM.
 */
bool br_history_save(struct br_store *store, const char *project_dir,
	const char *stage, const uint8_t identity[BR_HASH_BYTES],
	struct br_str record, struct br_err *err) BR_MUST_CHECK;

/* Note that a stage, which is what it was, was looked at now. */
void br_history_touch(
	struct br_store *store, const char *project_dir, const char *stage);

/*
 * Find what a stage was the last time.
 *
 * Ownership: the caller ends with br_history_done(). Fails with BR_ENOTFOUND where
 * nothing is known, or it cannot be read.
 */
bool br_history_load(struct br_store *store, const char *project_dir,
	const char *stage, struct br_history *history,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Forget stages that were not looked at since `before_ns`, and all of projects whose
 * directory is gone. A project that is called otherwise than by a path is not looked for.
 */
void br_history_prune(struct br_store *store, int64_t before_ns);

/* Free what it has. It may be used again. */
void br_history_done(struct br_history *history);

static inline void br_clean_history(struct br_history *history)
{
	br_history_done(history);
}

#define br_autohistory __attribute__((cleanup(br_clean_history)))
