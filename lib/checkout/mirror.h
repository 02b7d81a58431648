/* SPDX-License-Identifier: MIT */
/*
 * mirror.h - what was fetched of a repository, kept for the next job.
 *
 * `<work_dir>/mirrors/<key>` is a bare, shallow repository that is written by hand
 * but for its objects, with one reference for each branch or tag that a job was of:
 * `refs/buildr/<hash of its name>`, so that no two names are in each other's way.
 * `<key>.lock` beside it is locked while it is used, and was last changed when it was
 * used last; it stays where its mirror is removed, since who waits for it has it open.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "checkout/git.h"

/* What an object's name takes in hexadecimal, with its NUL. */
enum { BR_OBJECT_TEXT_BYTES = 65 };

/* Starts out by br_mirror_open(). */
struct br_mirror {
	/* Owned. */
	char *folder;
	/* Of the lock file; -1: none. */
	int lock_fd;
};

/*
 * Open the lock file of a mirror in the folder `mirrors`; nothing is locked yet.
 *
 * Ownership: br_mirror_close(). Fails with BR_ESYSTEM.
 */
bool br_mirror_open(const char *mirrors, const char *key,
	struct br_mirror *mirror, struct br_err *err) BR_MUST_CHECK;

/* Unlock the mirror and free what `mirror` holds. */
void br_mirror_close(struct br_mirror *mirror);

/*
 * Lock the mirror for us alone, take away what somebody who was killed has left in it,
 * and make it if it is not there, or, with `is_anew`, in any case.
 *
 * Fails as br_lock_take() does, and with BR_ESYSTEM.
 */
bool br_mirror_lock(struct br_mirror *mirror, const struct br_gits *gits,
	bool is_anew, struct br_err *err) BR_MUST_CHECK;

/*
 * Make an empty mirror in the place of what is there. `has_sha256`: objects are named
 * by SHA-256, as few servers have it. Fails with BR_ESYSTEM.
 */
bool br_mirror_make(struct br_mirror *mirror, bool has_sha256,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Say when the mirror was used last, in seconds since 1970.
 */
int64_t br_mirror_used(const struct br_mirror *mirror);

/*
 * Remove the mirror, which must be locked for us alone. One that is half removed is made
 * anew by the next br_mirror_lock(). Gives true where nothing is left.
 */
bool br_mirror_remove(const struct br_mirror *mirror);

/* Let others read the mirror too, but not change it. Fails as br_lock_take(). */
bool br_mirror_share(struct br_mirror *mirror, const struct br_gits *gits,
	struct br_err *err) BR_MUST_CHECK;

/* Unlock the mirror. */
void br_mirror_unlock(struct br_mirror *mirror);

/*
 * Fetch `remote_ref` (`refs/heads/main`) with so many commits of its history, 0: all of
 * it, and give the object that it names.
 *
 * Fails as br_git_run() does.
 */
bool br_mirror_fetch(struct br_mirror *mirror, const struct br_gits *gits,
	const char *remote_ref, int depth, char object[BR_OBJECT_TEXT_BYTES],
	struct br_err *err) BR_MUST_CHECK;

/*
 * Read the object that `remote_ref` named when it was last fetched. Gives false where
 * it never was.
 */
bool br_mirror_find(const struct br_mirror *mirror, const char *remote_ref,
	char object[BR_OBJECT_TEXT_BYTES]);

/* Pack what many fetches have brought, now and then. The lock must be ours alone. */
void br_mirror_tidy(struct br_mirror *mirror, const struct br_gits *gits);
