/* SPDX-License-Identifier: MIT */
#include "cache/remote_blobs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"

static const int64_t max_bytes = (int64_t)BR_LIMIT_REMOTE_MIB * 1024 * 1024;

static void add(struct br_remote_blobs *blobs,
	const uint8_t digest[BR_HASH_BYTES], int64_t size_bytes)
{
	struct br_remote_blob *blob = &blobs->items[blobs->count++];

	memcpy(blob->digest, digest, BR_HASH_BYTES);
	blob->size_bytes = size_bytes;
}

static int compare(const void *a, const void *b)
{
	const struct br_remote_blob *left = a;
	const struct br_remote_blob *right = b;

	return memcmp(left->digest, right->digest, BR_HASH_BYTES);
}

/* Have each once. */
static bool settle(struct br_remote_blobs *blobs, struct br_err *err)
{
	int64_t left_bytes = max_bytes;
	size_t kept = 0;

	if (blobs->count > 0)
		qsort(blobs->items, blobs->count, sizeof(*blobs->items),
			compare);
	for (size_t i = 0; i < blobs->count; i++) {
		const struct br_remote_blob *blob = &blobs->items[i];
		bool is_again =
			kept > 0 && compare(&blobs->items[kept - 1], blob) == 0;

		if (is_again &&
			blobs->items[kept - 1].size_bytes != blob->size_bytes)
			return br_fail(err, BR_EPROTO,
				"a result gives the same content two sizes");
		if (is_again)
			continue;
		if (blob->size_bytes < 0 || blob->size_bytes > left_bytes)
			return br_fail(err, BR_EPROTO,
				"the contents of a result have more than %d "
				"MiB",
				BR_LIMIT_REMOTE_MIB);
		left_bytes -= blob->size_bytes;
		blobs->items[kept++] = *blob;
	}
	blobs->count = kept;
	return true;
}

bool br_remote_blobs_list(const struct br_stored *result,
	struct br_remote_blobs *blobs, struct br_err *err)
{
	struct br_remote_blobs listed = {
		.items = br_alloc_array(
			result->outputs.count + 1, sizeof(*listed.items)),
	};

	for (size_t i = 0; i < result->outputs.count; i++) {
		const struct br_listed *output = &result->outputs.items[i];

		if (output->kind != BR_LISTED_LINK)
			add(&listed, output->digest, output->facts.size_bytes);
	}
	if (result->has_log)
		add(&listed, result->log_digest, result->log_bytes);
	if (!settle(&listed, err)) {
		br_remote_blobs_done(&listed);
		return false;
	}
	*blobs = listed;
	return true;
}

bool br_remote_blob_look(const struct br_remote_blob *blob, int fd,
	bool *is_right, struct br_err *err)
{
	uint8_t digest[BR_HASH_BYTES];
	int64_t size_bytes = 0;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return br_fail_errno(err, "read a content");
	if (!br_hash_fd(fd, -1, digest, &size_bytes, err))
		return false;
	*is_right = size_bytes == blob->size_bytes &&
		memcmp(digest, blob->digest, BR_HASH_BYTES) == 0;
	return true;
}

void br_remote_blobs_done(struct br_remote_blobs *blobs)
{
	free(blobs->items);
	*blobs = (struct br_remote_blobs){ 0 };
}
