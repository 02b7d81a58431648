/* SPDX-License-Identifier: MIT */
/*
 * syncer.h - the child that brings a log to the disk while it is written.
 *
 * What was written is safe from the end of buildr, but the kernel keeps it in memory
 * for half a minute. To have it on the disk takes time that the build must not wait
 * for, so a child does it: every half second where there is something new, and once
 * more when buildr has ended, in whatever way. Then it removes the logs that are beyond the
 * limits, since its own has grown. It holds the files, a socket, and nothing
 * else of buildr's, and ends by itself.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "log/folder.h"

/* Borrowed. */
struct br_syncer_options {
	int events_fd;
	int output_fd;
	/* Where the two are, and of which build. */
	const char *folder;
	const char *build;
	struct br_log_limits limits;
};

/*
 * Start the child.
 *
 * Ownership: the caller closes *fd when nothing more is written. Fails with
 * BR_ESYSTEM.
 */
bool br_syncer_start(const struct br_syncer_options *options, int *fd,
	struct br_err *err) BR_MUST_CHECK;
