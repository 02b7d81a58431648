/* SPDX-License-Identifier: MIT */
/*
 * store.h - the stage cache on this machine: results of stages, by their identity.
 *
 * Below its folder:
 *
 *	ac/AB/IDENTITY   a result (stored.h), and behind it the field 1000, which others pass
 *	                 over: the SHA-256 of the identity and of all bytes before the field
 *	cas/AB/HASH      contents (blobs.h)
 *	who/AB/IDENTITY  which stages have had that result (users.h)
 *	stages/          what stages were, and why they ran (history.h, last_run.h)
 *	images/          what images were (images.h)
 *	pruned           its mtime is when the store was made smaller last (prune.h)
 *	tmp/             what is being written; what lies there for a day is of a crash
 *	index.db         the hashes of a project's files (index.h)
 *	secret.key       32 random bytes, of this user alone (br_store_secret_key())
 *
 * A result appears in one rename, when all that it names is there, so readers and writers need
 * no lock; two builds that store the same at once both do, and either is right. Whatever
 * is read is checked, and dropped where it is not what it should be: that is a miss. Files
 * are checked by the sum that the sealed result has of them, which takes less time than to
 * copy them (sum.h), and by their hash where it has none.
 * The mtime of a result is when it was last used.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/err.h"
#include "base/str.h"
#include "cache/hash.h"
#include "cache/stored.h"

struct br_index;
struct br_store;

/*
 * Find the folder of the user's store, which need not exist: `$XDG_CACHE_HOME/buildr`, and
 * where that is not set `~/.cache/buildr`.
 *
 * Ownership: the caller frees *path with free(). Fails with BR_EUNAVAIL where HOME is not
 * set either.
 */
bool br_store_find_folder(char **path, struct br_err *err) BR_MUST_CHECK;

/*
 * Open the store in `folder`, and make it where there is none.
 *
 * Ownership: the caller frees *store with br_store_free(). Fails with BR_ESYSTEM.
 */
bool br_store_open(const char *folder, struct br_store **store,
	struct br_err *err) BR_MUST_CHECK;

/* Close it; `store` may be NULL. */
void br_store_free(struct br_store *store);

BR_DEFINE_AUTO(br_store)

/* Give its index, which is opened the first time. Ownership: the store's. */
struct br_index *br_store_index(struct br_store *store) BR_NONNULL_RESULT;

/*
 * Read the key for secrets (br_cache_key_add_keyed()), and make it the first time.
 * Fails with BR_ESYSTEM.
 */
bool br_store_secret_key(struct br_store *store, uint8_t key[BR_HASH_BYTES],
	struct br_err *err) BR_MUST_CHECK;

/*
 * Store what a stage left: `outputs` (br_listing_find() with `has_folders`) in `root_fd`,
 * and its log. The outputs get their digests.
 *
 * Nothing is stored where it fails: with BR_EINPUT for a name that is not UTF-8, with
 * BR_EUNAVAIL where an output changes or vanishes meanwhile, and with BR_ESYSTEM, as
 * for a disk that is full.
 */
bool br_store_put(struct br_store *store, const uint8_t identity[BR_HASH_BYTES],
	int root_fd, struct br_listing *outputs, struct br_str log,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Find the result of an identity, which counts as used now.
 *
 * Ownership: the caller frees *result with br_stored_done(). Fails with BR_ENOTFOUND
 * where there is none, or one that is damaged, which is removed.
 */
bool br_store_find(struct br_store *store,
	const uint8_t identity[BR_HASH_BYTES], struct br_stored *result,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Look whether the result of an identity is there with all that it names, without using it:
 * sizes are looked at and contents are not. Fails with BR_ENOTFOUND, saying what is missing.
 */
bool br_store_look(struct br_store *store,
	const uint8_t identity[BR_HASH_BYTES],
	struct br_err *err) BR_MUST_CHECK;

/*
 * Add the log of a result to `log`; nothing where it has none.
 *
 * Fails with BR_ENOTFOUND where it is not there or damaged, and BR_EPROTO where it is
 * larger than BR_LIMIT_STORED_LOG_BYTES.
 */
bool br_store_log(struct br_store *store, const struct br_stored *result,
	struct br_buf *log, struct br_err *err) BR_MUST_CHECK;

/*
 * Put the outputs of a result back into the project `root_fd`, with their modes. What
 * is there already, and the same, is left alone; other files in the same folders stay.
 *
 * Each file is the old or the new one at every moment, and nothing is changed before
 * every content is there and has been checked. Nothing outside of the project is
 * written, whatever links it has. Fails with BR_ENOTFOUND where a content or the log is not
 * there or damaged, and is removed then; as br_store_log() where that is too large; with BR_ESYSTEM, naming it, where an output cannot
 * be written: a folder is never replaced by a file, and no link is followed.
 */
bool br_store_restore(struct br_store *store, const struct br_stored *result,
	int root_fd, struct br_err *err) BR_MUST_CHECK;

/* Remove a result that is not what the stage leaves. Contents stay, for the pruning. */
void br_store_drop(
	struct br_store *store, const uint8_t identity[BR_HASH_BYTES]);
