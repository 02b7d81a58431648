/* SPDX-License-Identifier: MIT */
/*
 * rerun_files.h - which files count for --watch.
 *
 * All of the project but what git ignores, what git and buildr keep for themselves, what
 * editors leave beside a file, and what stages have as `outputs`. The manifest and the files that it names count
 * always, wherever they are: git mostly ignores `.env`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "cmd/options/options.h"
#include "watch/folders.h"

/* Starts out all zero. */
struct rerun_files {
	/* The project directory. Owned. */
	char *top;
	/* The manifest and the files that it names; absolute. */
	struct br_paths named;
	/* What buildr itself writes: the logs, --junit; NULL: nothing. Owned. */
	char *logs;
	char *report;
	/* The globs of `outputs`, of each stage that has some. Owned. */
	struct br_paths *outputs;
	size_t output_count;
};

/*
 * Find the project.
 *
 * Ownership: the caller frees what it holds with rerun_files_done(). Fails with
 * BR_ENOTFOUND or BR_EINPUT where there is no manifest to be found.
 */
bool rerun_files_find(const struct options *options, struct rerun_files *files,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Read which files the manifest names now, also as outputs; nothing changes where it has mistakes.
 *
 * Fails as br_manifest_open().
 */
bool rerun_files_load(const struct options *options, struct rerun_files *files,
	struct br_err *err) BR_MUST_CHECK;

/* Say whether a path below the project, or an absolute one, is such a file. */
bool rerun_files_is_named(const struct rerun_files *files, const char *path);

/* Set is_ignored[i] for paths, those of folders with a slash at the end. */
void rerun_files_ignore(const struct rerun_files *files,
	const char *const *paths, size_t count, bool *is_ignored);

/* Say whether git cannot tell what it ignores, though this is its work tree. */
bool rerun_files_is_git_silent(const struct rerun_files *files);

/* Free what `files` holds. */
void rerun_files_done(struct rerun_files *files);
