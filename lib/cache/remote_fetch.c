/* SPDX-License-Identifier: MIT */
/* remote_fetch.c - having a result of a remote cache in the store. */
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/limits.h"
#include "cache/blobs.h"
#include "cache/exchange.h"
#include "cache/remote_blobs.h"
#include "cache/remote_work.h"
#include "cache/store_private.h"

/* Getting the contents. */
struct getting {
	struct br_store *store;
	const struct br_remote_blobs *blobs;
	/* One for each: the file that it comes into. */
	char (*temporaries)[BR_BLOB_TEMPORARY_BYTES];
	/* The server has not all. */
	bool is_missing;
};

static bool begin_blob(void *ctx, size_t number, struct br_exchange *exchange,
	bool *is_needed, struct br_err *err)
{
	struct getting *getting = ctx;
	const struct br_remote_blob *blob = &getting->blobs->items[number];

	*is_needed = !getting->is_missing &&
		!br_blob_is_there(
			getting->store->fd, blob->digest, blob->size_bytes);
	if (!*is_needed)
		return true;
	br_exchange_path("cas", blob->digest, exchange->path);
	exchange->size_bytes = blob->size_bytes;
	exchange->fd = br_blob_make_temporary(
		getting->store->fd, getting->temporaries[number]);
	return exchange->fd >= 0 ||
		br_fail_errno(err, "make a file in the cache");
}

/* Look at what has come, not at what was said of it. */
static bool check(const struct br_exchange *exchange,
	const struct br_remote_blob *blob, struct br_err *err)
{
	bool is_right = false;

	if (!br_remote_blob_look(blob, exchange->fd, &is_right, err))
		return false;
	return is_right ||
		br_fail(err, BR_EPROTO,
			"the remote cache sends other bytes than those of %s",
			exchange->path);
}

static bool end_blob(void *ctx, size_t number, struct br_exchange *exchange,
	const struct br_err *why, struct br_err *err)
{
	struct getting *getting = ctx;
	const struct br_remote_blob *blob = &getting->blobs->items[number];
	const char *temporary = getting->temporaries[number];
	char path[BR_BLOB_PATH_BYTES];
	bool is_good = true;

	br_blob_path("cas", blob->digest, path);
	if (!why && !exchange->is_there)
		getting->is_missing = true;
	if (why || !exchange->is_there)
		(void)unlinkat(getting->store->fd, temporary, 0);
	else if (check(exchange, blob, err))
		is_good = br_blob_publish(
			getting->store->fd, temporary, path, err);
	else {
		is_good = false;
		(void)unlinkat(getting->store->fd, temporary, 0);
	}
	return is_good;
}

/* What no server has to be asked for, and some do not have: nothing. */
static bool put_empty(struct br_store *store, struct br_err *err)
{
	uint8_t digest[BR_HASH_BYTES];

	return br_blob_put(store->fd, br_str(""), digest, err);
}

static bool get_blobs(struct br_client *client, struct br_store *store,
	const struct br_remote_blobs *blobs, bool *is_there, struct br_err *err)
{
	br_autofree char(*temporaries)[BR_BLOB_TEMPORARY_BYTES] =
		br_alloc_array(blobs->count, sizeof(*temporaries));
	struct getting getting = {
		.store = store,
		.blobs = blobs,
		.temporaries = temporaries,
	};
	const struct br_exchange_work work = {
		.ctx = &getting,
		.count = blobs->count,
		.begin = begin_blob,
		.end = end_blob,
	};

	if (!put_empty(store, err) || !br_client_run(client, &work, err))
		return false;
	*is_there = !getting.is_missing;
	return true;
}

/* What is small and has a form is looked at now, so that it is the server's fault. */
static bool check_forms(struct br_store *store, const struct br_stored *result,
	struct br_err *err)
{
	for (size_t i = 0; i < result->outputs.count; i++) {
		const struct br_listed *output = &result->outputs.items[i];
		br_autobuf struct br_buf tree = { 0 };
		uint32_t mode = 0;

		if (output->kind == BR_LISTED_FOLDER &&
			(!br_blob_load(store->fd, output->digest,
				 output->facts.size_bytes,
				 BR_LIMIT_STORED_TREE_BYTES, &tree, err) ||
				!br_stored_decode_tree(
					tree.data, tree.len, &mode, err)))
			return false;
	}
	return true;
}

static bool fetch_contents(struct br_client *client, struct br_store *store,
	const struct br_stored *result, bool *is_there, struct br_err *err)
{
	br_autoremoteblobs struct br_remote_blobs blobs = { 0 };

	if (result->log_bytes > BR_LIMIT_STORED_LOG_BYTES)
		return br_fail(err, BR_EPROTO,
			"the log of a result in the remote cache is larger "
			"than %d bytes",
			BR_LIMIT_STORED_LOG_BYTES);
	return br_remote_blobs_list(result, &blobs, err) &&
		get_blobs(client, store, &blobs, is_there, err) &&
		(!*is_there || check_forms(store, result, err));
}

bool br_remote_work_fetch(struct br_client *client, struct br_store *store,
	const uint8_t identity[BR_HASH_BYTES], bool *is_there,
	struct br_err *err)
{
	struct br_exchange asked = {
		.kind = BR_EXCHANGE_GET,
		.fd = -1,
		.size_bytes = BR_LIMIT_RESULT_BYTES,
	};
	br_autostored struct br_stored result = { 0 };
	bool is_whole = false;

	br_exchange_path("ac", identity, asked.path);
	bool is_good = br_client_do(client, &asked, err);
	if (is_good && asked.is_there) {
		is_good = br_stored_decode(asked.bytes.data, asked.bytes.len,
				  &result, err) ||
			br_wrap(err, "the remote cache");
		br_stored_forget_sums(&result);
		is_good = is_good &&
			fetch_contents(
				client, store, &result, &is_whole, err) &&
			(!is_whole ||
				br_store_save(store, identity, &result, err));
	}
	br_buf_done(&asked.bytes);
	if (is_good)
		*is_there = is_whole;
	return is_good;
}
