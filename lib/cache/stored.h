/* SPDX-License-Identifier: MIT */
/*
 * stored.h - what a stage left, as it is stored: one form here and on servers.
 *
 * As bytes it is an ActionResult of the Bazel remote execution API, version 2
 * (action_result.proto). It names every file by the hash of its content; the contents are
 * blobs of their own. The log of the stage stands as the digest of its stdout. A
 * folder that was empty is a blob too, since that form has them so (br_stored_encode_tree()).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "cache/hash.h"
#include "cache/listing.h"

/* Starts out all zero. */
struct br_stored {
	/*
	 * Sorted. Of a file the path, mode, digest, `facts.size_bytes` and sum, of a link the
	 * path and target, of a folder the path, and digest and size of its tree.
	 */
	struct br_listing outputs;
	bool has_log;
	uint8_t log_digest[BR_HASH_BYTES];
	int64_t log_bytes;
};

/*
 * Add the bytes of a result to `bytes`.
 *
 * Fails with BR_EINPUT, naming it, where a name is not UTF-8: the form has no others.
 */
bool br_stored_encode(const struct br_stored *result, struct br_buf *bytes,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Read a result, whoever has written it; unknown fields are passed over.
 *
 * Limits: BR_LIMIT_RESULT_BYTES, BR_LIMIT_LISTED_FILES. Fails with BR_EPROTO where it is
 * none, has a path that is not safe to write (br_beneath_is_safe()), the same path
 * twice, or something below a path that is no folder. Setuid, setgid and sticky bits are dropped.
 *
 * Ownership: the caller frees *result with br_stored_done().
 */
bool br_stored_decode(const void *bytes, size_t len, struct br_stored *result,
	struct br_err *err) BR_MUST_CHECK;

/* Add the bytes of the tree of an empty folder with `mode`. */
void br_stored_encode_tree(uint32_t mode, struct br_buf *bytes);

/*
 * Read such a tree. Fails with BR_EPROTO where it is none, or something is in it.
 */
bool br_stored_decode_tree(const void *bytes, size_t len, uint32_t *mode,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Forget the sums of its files: for a result on its way between here and a server, since
 * either vouches for its own only.
 */
void br_stored_forget_sums(struct br_stored *result);

/* Free what it has. It may be used again. */
void br_stored_done(struct br_stored *result);

static inline void br_clean_stored(struct br_stored *result)
{
	br_stored_done(result);
}

#define br_autostored __attribute__((cleanup(br_clean_stored)))
