/* SPDX-License-Identifier: MIT */
/*
 * giveback.h - gives files that a build made to the caller.
 *
 * Before anything runs, the files that are not the caller's are remembered, which
 * are few as a rule. At the end, what is neither the caller's nor remembered is
 * the build's doing, and changes its owner. No other file is touched.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct remembered {
	uint64_t device;
	uint64_t inode;
	int64_t birth_ns;
};

/* Starts out all zero, which gives nothing back. */
struct giveback {
	/* Owned. */
	char *path;
	/* As this container numbers them. */
	uid_t uid;
	gid_t gid;
	/* Sorted. Owned. */
	struct remembered *foreign;
	size_t count;
	size_t capacity;
	/* By the monotonic clock; 0: takes what it takes. */
	int64_t deadline_us;
	/* Not all of `foreign` is known, so that nothing can be given. */
	bool is_blind;
};

/*
 * Remember the files under `path` that do not belong to `uid`. uid and gid are as
 * the host numbers them (id_map.h).
 */
void giveback_init(struct giveback *giveback, const char *path, uint64_t uid,
	uint64_t gid);

/*
 * Give back, at most for `limit_us`; 0: without a limit. Gives false where something
 * could not be given back for want of memory or the like.
 */
bool giveback_run(struct giveback *giveback, int64_t limit_us);

void giveback_done(struct giveback *giveback);
