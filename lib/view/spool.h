/* SPDX-License-Identifier: MIT */
/*
 * spool.h - bytes that are put aside and read once, in their order.
 *
 * The first megabyte is kept in memory; what is over goes into a file in $TMPDIR or
 * /tmp that has no name, so that nothing is left of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/* What is kept in memory at most, but for the last piece. */
enum { BR_SPOOL_BYTES = 1024 * 1024 };

/* Starts out by br_spool_init(). Private, except that callers allocate it. */
struct br_spool {
	/* Behind what is in the file. */
	struct br_buf kept;
	/* -1: none yet. */
	int fd;
	off_t file_len;
	/* What has been read of the file, and then of what is kept. */
	off_t file_read;
	size_t kept_read;
};

/* Begin, empty. */
void br_spool_init(struct br_spool *spool);

/* Free it. */
void br_spool_done(struct br_spool *spool);

/* Put bytes aside. */
void br_spool_add(struct br_spool *spool, const void *data, size_t len);

/*
 * Move what is in memory to the file, if it is more than BR_SPOOL_BYTES.
 *
 * Fails with BR_ESYSTEM where the file takes no more. Nothing is lost then, and all
 * can be read.
 */
bool br_spool_spill(struct br_spool *spool, struct br_err *err) BR_MUST_CHECK;

/*
 * Read the next `len` bytes, which must be there. Nothing can be added after that.
 *
 * Fails with BR_ESYSTEM where they cannot be read back.
 */
bool br_spool_read(struct br_spool *spool, void *data, size_t len,
	struct br_err *err) BR_MUST_CHECK;

/* Say whether all has been read. */
bool br_spool_is_read(const struct br_spool *spool);
