/* SPDX-License-Identifier: MIT */
/* remote_push.c - sending a result of the store to a remote cache. */
#include "base/alloc.h"
#include "base/clean.h"
#include "cache/blobs.h"
#include "cache/exchange.h"
#include "cache/remote_blobs.h"
#include "cache/remote_work.h"
#include "cache/store_private.h"

struct sending {
	struct br_store *store;
	const struct br_remote_blobs *blobs;
	/* One for each: the server need not get it. */
	bool *are_there;
};

static bool begin_look(void *ctx, size_t number, struct br_exchange *exchange,
	bool *is_needed, struct br_err *err)
{
	const struct sending *sending = ctx;
	const struct br_remote_blob *blob = &sending->blobs->items[number];

	(void)err;
	/* Nothing is everywhere. */
	sending->are_there[number] = blob->size_bytes == 0;
	*is_needed = blob->size_bytes > 0;
	exchange->kind = BR_EXCHANGE_HEAD;
	br_exchange_path("cas", blob->digest, exchange->path);
	return true;
}

static bool end_look(void *ctx, size_t number, struct br_exchange *exchange,
	const struct br_err *why, struct br_err *err)
{
	const struct sending *sending = ctx;

	(void)err;
	sending->are_there[number] = !why && exchange->is_there;
	return true;
}

/* A server that does not look would hand the damage on. */
static bool is_right(const struct sending *sending,
	const struct br_remote_blob *blob, int fd)
{
	struct br_err ignored = { 0 };
	bool is_right = false;

	if (br_remote_blob_look(blob, fd, &is_right, &ignored) && is_right)
		return true;
	br_blob_drop(sending->store->fd, blob->digest);
	return false;
}

static bool begin_send(void *ctx, size_t number, struct br_exchange *exchange,
	bool *is_needed, struct br_err *err)
{
	const struct sending *sending = ctx;
	const struct br_remote_blob *blob = &sending->blobs->items[number];

	*is_needed = !sending->are_there[number];
	if (!*is_needed)
		return true;
	exchange->kind = BR_EXCHANGE_PUT;
	br_exchange_path("cas", blob->digest, exchange->path);
	exchange->size_bytes = blob->size_bytes;

	br_autoclose int fd = br_blob_open(sending->store->fd, blob->digest);
	if (fd < 0 || !is_right(sending, blob, fd))
		return br_fail(err, BR_ENOTFOUND, "a content is not stored");
	exchange->fd = br_take_fd(&fd);
	return true;
}

static bool send_contents(struct br_client *client, struct br_store *store,
	const struct br_remote_blobs *blobs, struct br_err *err)
{
	br_autofree bool *are_there =
		br_alloc_array(blobs->count, sizeof(*are_there));
	struct sending sending = {
		.store = store,
		.blobs = blobs,
		.are_there = are_there,
	};
	const struct br_exchange_work look = {
		.ctx = &sending,
		.count = blobs->count,
		.begin = begin_look,
		.end = end_look,
	};
	const struct br_exchange_work put = {
		.ctx = &sending,
		.count = blobs->count,
		.begin = begin_send,
	};

	return br_client_run(client, &look, err) &&
		br_client_run(client, &put, err);
}

static bool send_result(struct br_client *client,
	const uint8_t identity[BR_HASH_BYTES], const struct br_buf *bytes,
	struct br_err *err)
{
	struct br_exchange told = {
		.kind = BR_EXCHANGE_PUT,
		.fd = -1,
		.bytes = *bytes,
		.size_bytes = (int64_t)bytes->len,
	};

	br_exchange_path("ac", identity, told.path);
	return br_client_do(client, &told, err);
}

bool br_remote_work_push(struct br_client *client, struct br_store *store,
	const uint8_t identity[BR_HASH_BYTES], struct br_err *err)
{
	br_autostored struct br_stored result = { 0 };
	br_autoremoteblobs struct br_remote_blobs blobs = { 0 };
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err cause = { 0 };

	/* What cannot be read here is nobody's business elsewhere. */
	if (!br_store_peek(store, identity, &result))
		return true;
	br_stored_forget_sums(&result);
	if (!br_stored_encode(&result, &bytes, &cause) ||
		!br_remote_blobs_list(&result, &blobs, &cause))
		return true;
	if (send_contents(client, store, &blobs, &cause) &&
		send_result(client, identity, &bytes, &cause))
		return true;
	if (cause.code == BR_ENOTFOUND)
		return true;
	*err = cause;
	return false;
}
