/* SPDX-License-Identifier: MIT */
/*
 * checkout.h - a work tree of a repository, through git(1).
 *
 * Each repository has a mirror under the work directory that all jobs share; a job
 * gets a work tree of its own made from it, so that a second build of a repository
 * fetches only what is new. A mirror is locked while it is changed, and made anew
 * where it is damaged.
 *
 * What a job names is data from anybody: it never becomes an option of git, a
 * protocol that is not allowed, or a path outside of the work directory. git asks
 * nobody for anything: a repository that wants a password which no key and no
 * credential helper has fails at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/* Borrowed for the call. */
struct br_checkout_options {
	/* What `git clone` takes. */
	const char *repo;
	/* A branch or a tag; NULL: the branch that the repository's HEAD names. */
	const char *branch;
	/* A commit, in hexadecimal, that must be on `branch`; NULL: its newest. */
	const char *commit;
	/* Holds `mirrors/` and `trees/`, which are made when they are needed. */
	const char *work_dir;
	/* Names the work tree: a UUID. */
	const char *build;
	/* Beside https, http, ssh and git; NULL-terminated; NULL: none. */
	const char *const *allowed_protocols;
	/*
	 * Of each file that git writes, and so of what it fetches at once; 0: any size.
	 */
	int64_t max_file_bytes;
	/* With all submodules; with the files of Git LFS, theirs too. */
	bool has_submodules;
	bool has_lfs;
	/*
	 * Asked about each address that the repository itself names: of a submodule, of
	 * a server for LFS. Where it fails the checkout does. NULL: all are taken.
	 */
	bool (*check_repo)(void *ctx, const char *repo, struct br_err *err);
	void *check_ctx;
	/* For all of it; 0: none. */
	int64_t timeout_ms;
	/* Readable: give up. -1: never. */
	int cancel_fd;
};

struct br_tree;

/* A work tree. Starts out all zero. */
struct br_checkout {
	/* Absolute. */
	char *folder;
	/* The branch or tag as it was found; NULL: `commit` alone. */
	char *branch;
	char *commit;
	/* Private. */
	struct br_tree *tree;
};

/*
 * Make the work tree.
 *
 * Ownership: br_checkout_remove(). Leaves nothing behind on failure. Fails with
 * BR_EINPUT for a repository or branch that cannot be one or is not allowed or too
 * large, BR_ENOTFOUND where there is no such repository, branch or commit or access is
 * refused (the job's fault in all of these), BR_ETIMEDOUT and BR_EUNAVAIL where the
 * server does not answer, BR_ECANCELED, and BR_ESYSTEM. No text has a password.
 * The calling process may have no other threads, and its children are its own: one
 * is made for the time of the call.
 */
bool br_checkout_make(const struct br_checkout_options *options,
	struct br_checkout *made, struct br_err *err) BR_MUST_CHECK;

/*
 * Remove the work tree, whoever owns its files as far as this process may, and free
 * what `made` holds.
 */
void br_checkout_remove(struct br_checkout *made);

/*
 * Remove work trees of builds that are gone: all under `work_dir` but those whose
 * process still holds its lock. Gives their number.
 */
size_t br_checkout_sweep(const char *work_dir);

/* What of the mirrors br_checkout_prune() keeps; 0: no limit. */
struct br_checkout_limits {
	/* Since a job used a mirror last. */
	int64_t max_age_ms;
	/* On the disk, of all mirrors together. */
	int64_t max_bytes;
	/* Of the file system that they are in. */
	int64_t min_free_bytes;
};

/*
 * Remove mirrors under `work_dir` that nobody has used for long, and of the others those
 * that were used longest ago until there is room. One that is in use stays, and who wants
 * one meanwhile waits. Gives their number. It may be killed at any time.
 */
size_t br_checkout_prune(
	const char *work_dir, const struct br_checkout_limits *limits);

/*
 * Copy a repository's address without user and password, for people to read.
 *
 * Ownership: the caller frees the copy with free().
 */
char *br_checkout_show(const char *repo) BR_NONNULL_RESULT;
