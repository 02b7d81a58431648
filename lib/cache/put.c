/* SPDX-License-Identifier: MIT */
/* put.c - storing what a stage left. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/limits.h"
#include "cache/beneath.h"
#include "cache/blobs.h"
#include "cache/index.h"
#include "cache/store.h"
#include "cache/store_private.h"
#include "cache/workers.h"

enum {
	/* Below both, a second process is not worth its start. */
	ALONE_BYTES = 1024 * 1024,
	ALONE_FILES = 64,
};

enum outcome {
	OUTCOME_NONE,
	OUTCOME_KEPT,
	/* It was not the same file before and after. */
	OUTCOME_RESTLESS,
	OUTCOME_FAILED,
};

/* What became of one output; in shared memory. */
struct kept {
	enum outcome outcome;
	int error;
	bool is_indexed;
	int64_t looked_ns;
	uint32_t mode;
	struct br_file_facts facts;
	uint8_t digest[BR_HASH_BYTES];
	uint64_t sum;
};

struct putting {
	int store_fd;
	int root_fd;
	const struct br_listing *outputs;
	struct kept *kept;
};

static enum outcome fail(struct kept *kept)
{
	kept->error = errno;
	return OUTCOME_FAILED;
}

static enum outcome keep_file(
	const struct putting *putting, const char *path, struct kept *kept)
{
	struct stat before;
	struct stat after;
	struct br_file_facts facts;
	int64_t size_bytes = 0;
	struct br_err err = { 0 };
	br_autoclose int fd = br_beneath_open(
		putting->root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	kept->looked_ns = br_file_facts_now_ns();
	if (fd < 0 || fstat(fd, &before) < 0)
		return fail(kept);
	if (!S_ISREG(before.st_mode))
		return OUTCOME_RESTLESS;
	if (!br_blob_put_file(putting->store_fd, fd, kept->digest, &kept->sum,
		    &size_bytes, &err) ||
		fstat(fd, &after) < 0)
		return fail(kept);
	kept->mode = after.st_mode & 07777;
	kept->facts = br_file_facts_of(&after);
	facts = br_file_facts_of(&before);
	return br_file_facts_are_equal(&facts, &kept->facts) &&
			size_bytes == kept->facts.size_bytes
		? OUTCOME_KEPT
		: OUTCOME_RESTLESS;
}

static enum outcome keep_folder(const struct putting *putting,
	const struct br_listed *listed, struct kept *kept)
{
	br_autobuf struct br_buf tree = { 0 };
	struct br_err err = { 0 };

	br_stored_encode_tree(listed->mode, &tree);
	kept->mode = listed->mode;
	kept->facts.size_bytes = (int64_t)tree.len;
	return br_blob_put(
		       putting->store_fd, br_buf_str(&tree), kept->digest, &err)
		? OUTCOME_KEPT
		: fail(kept);
}

static void keep_one(void *ctx, size_t item)
{
	const struct putting *putting = ctx;
	const struct br_listed *listed = &putting->outputs->items[item];
	struct kept *kept = &putting->kept[item];

	if (kept->outcome == OUTCOME_KEPT)
		return;
	switch (listed->kind) {
	case BR_LISTED_FILE:
		kept->outcome = keep_file(putting, listed->path, kept);
		return;
	case BR_LISTED_FOLDER:
		kept->outcome = keep_folder(putting, listed, kept);
		return;
	case BR_LISTED_LINK:
		kept->outcome = OUTCOME_KEPT;
		return;
	}
}

/* What the index knows and the store has need not be read. */
static void look_up(struct br_store *store, const struct putting *putting,
	size_t *missing, int64_t *size_bytes)
{
	for (size_t i = 0; i < putting->outputs->count; i++) {
		const struct br_listed *listed = &putting->outputs->items[i];
		struct kept *kept = &putting->kept[i];

		if (listed->kind != BR_LISTED_FILE)
			continue;
		kept->mode = listed->mode;
		kept->facts = listed->facts;
		kept->is_indexed = br_index_find(
			br_store_index(store), &listed->facts, kept->digest);
		if (kept->is_indexed &&
			br_blob_is_there(store->fd, kept->digest,
				listed->facts.size_bytes)) {
			kept->outcome = OUTCOME_KEPT;
			continue;
		}
		*missing += 1;
		*size_bytes += listed->facts.size_bytes;
	}
}

static bool take(struct br_store *store, const struct kept *kept,
	struct br_listed *listed, struct br_err *err)
{
	errno = kept->error;
	if (kept->outcome == OUTCOME_RESTLESS)
		return br_fail(err, BR_EUNAVAIL,
			"output '%s' changes while it is stored", listed->path);
	if (kept->outcome != OUTCOME_KEPT)
		return br_fail_errno(err, "store output '%s'", listed->path);
	if (listed->kind == BR_LISTED_LINK)
		return true;
	listed->mode = kept->mode;
	listed->facts = kept->facts;
	memcpy(listed->digest, kept->digest, BR_HASH_BYTES);
	listed->sum = kept->sum;
	if (listed->kind == BR_LISTED_FILE && !kept->is_indexed)
		br_index_add(br_store_index(store), &kept->facts,
			kept->looked_ns, kept->digest);
	return true;
}

static bool keep_outputs(struct br_store *store, int root_fd,
	struct br_listing *outputs, struct br_err *err)
{
	bool is_good = true;
	size_t missing = 0;
	int64_t size_bytes = 0;
	size_t shared_bytes = outputs->count * sizeof(struct kept);
	struct putting putting = {
		.store_fd = store->fd,
		.root_fd = root_fd,
		.outputs = outputs,
		.kept = br_workers_share(shared_bytes),
	};

	look_up(store, &putting, &missing, &size_bytes);

	bool is_little = size_bytes < ALONE_BYTES && missing < ALONE_FILES;
	br_workers_run(outputs->count, is_little ? 1 : br_workers_processors(),
		keep_one, &putting);
	for (size_t i = 0; i < outputs->count && is_good; i++)
		is_good =
			take(store, &putting.kept[i], &outputs->items[i], err);
	br_workers_unshare(putting.kept, shared_bytes);
	if (missing > 0)
		br_index_save(br_store_index(store));
	return is_good;
}

bool br_store_put(struct br_store *store, const uint8_t identity[BR_HASH_BYTES],
	int root_fd, struct br_listing *outputs, struct br_str log,
	struct br_err *err)
{
	struct br_stored result = { .has_log = true };

	if (log.len > BR_LIMIT_STORED_LOG_BYTES)
		return br_fail(err, BR_EINPUT,
			"the log has more than %d bytes, which is not stored",
			BR_LIMIT_STORED_LOG_BYTES);
	if (!keep_outputs(store, root_fd, outputs, err) ||
		!br_blob_put(store->fd, log, result.log_digest, err))
		return false;
	result.log_bytes = (int64_t)log.len;
	/* Lent for the call. */
	result.outputs = *outputs;
	return br_store_save(store, identity, &result, err);
}
