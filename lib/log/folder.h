/* SPDX-License-Identifier: MIT */
/*
 * folder.h - where the logs of a project are.
 *
 * `$XDG_STATE_HOME/buildr/NAME-HASH/BUILD.jsonl`, and where the variable is not
 * set `~/.local/state/buildr/…`. NAME is the last part of the project's directory
 * and for people; HASH is of the whole path and tells projects apart.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/uuid.h"

#define BR_LOG_SUFFIX ".jsonl"

/* One log. */
struct br_log_file {
	char name[BR_UUID_TEXT_BYTES + sizeof(BR_LOG_SUFFIX)];
	/* When it was last written to, in ns since 1970. */
	int64_t written_ns;
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

/* List the logs in `folder`; none where it cannot be read. */
void br_log_files_load(const char *folder, struct br_log_files *files);

/* Free the list. It may be used again. */
void br_log_files_done(struct br_log_files *files);

/*
 * Remove all logs in `folder` but the newest `kept`. Other builds of the project
 * may do the same at once; one that still writes to its log goes on doing so.
 */
void br_log_folder_prune(const char *folder, size_t kept);
