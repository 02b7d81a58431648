/* SPDX-License-Identifier: MIT */
/*
 * folder.h - where the logs of a project are.
 *
 * `$XDG_STATE_HOME/buildr/NAME-HASH/BUILD.jsonl`, and where the variable is not
 * set `~/.local/state/buildr/…`. NAME is the last part of the project's directory
 * and for people; HASH is of the whole path and tells projects apart. What the
 * steps of the build wrote is beside it, in `BUILD.output.jsonl`.
 *
 * A log whose build runs is locked by it (br_log_lock()), and is not removed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/uuid.h"

/* A log is found by the first; the second may be missing. */
#define BR_LOG_SUFFIX ".jsonl"
#define BR_LOG_OUTPUT_SUFFIX ".output.jsonl"

/* One log. */
struct br_log_file {
	char build[BR_UUID_TEXT_BYTES];
	/*
	 * When the build began, in ms since 1970, as its id says; where that says
	 * nothing, when the log was last written to.
	 */
	int64_t begun_ms;
	/* Of both files. */
	int64_t size_bytes;
};

/* Those of a folder, the newest first. */
struct br_log_files {
	struct br_log_file *items;
	size_t count;
	size_t capacity;
};

/*
 * Find the folder of a project's logs, which need not exist.
 *
 * Ownership: the caller frees *path with free(). Fails with BR_EUNAVAIL where
 * neither XDG_STATE_HOME nor HOME is set.
 */
bool br_log_folder_find(
	const char *project_dir, char **path, struct br_err *err) BR_MUST_CHECK;

/*
 * Make the folder and those above it, for the user alone.
 *
 * Fails with BR_ESYSTEM.
 */
bool br_log_folder_make(const char *path, struct br_err *err) BR_MUST_CHECK;

/*
 * Give the path of a log in `folder`: of BR_LOG_SUFFIX or BR_LOG_OUTPUT_SUFFIX.
 *
 * Ownership: the caller frees it with free().
 */
char *br_log_path(const char *folder, const char *build,
	const char *suffix) BR_NONNULL_RESULT;

/*
 * List the logs in `folder`. What is no regular file of a build's name is left
 * alone. Gives false, and none, where the folder cannot be read; errno says why.
 */
bool br_log_files_load(const char *folder, struct br_log_files *files);

/* Free the list. It may be used again. */
void br_log_files_done(struct br_log_files *files);

/* Say of an open log that its build runs, for as long as this process has it open. */
void br_log_lock(int fd);

/* Say whether the build of an open log runs, in another process than this one. */
bool br_log_is_locked(int fd);

/* What is kept of a project's logs. */
struct br_log_limits {
	size_t builds;
	/* Of all logs together. */
	int64_t size_bytes;
};

/*
 * Remove the logs in `folder` that are beyond the limits, the oldest ones. That of
 * the build `own` stays, which is of this process, and so do those of builds that
 * run. Others may do the same at once.
 */
void br_log_folder_prune(const char *folder, const struct br_log_limits *limits,
	const char *own);
