/* SPDX-License-Identifier: MIT */
/*
 * The first byte picks where the text is cut, the second how long the secret is
 * (up to 15 bytes) that follows; the rest is the text. The cut must not change
 * what comes out, and what comes out must not have the secret in it unless it is
 * so short that it can stand where `***` meets its neighbours.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void collect(void *ctx, struct br_str piece)
{
	if (piece.len == 0)
		abort();
	br_buf_add(ctx, piece.data, piece.len);
}

static void mask_cut(const struct br_mask *mask, struct br_str text, size_t cut,
	struct br_buf *masked)
{
	struct br_mask_stream stream = { 0 };

	br_mask_stream_init(&stream, mask);
	br_mask_feed(
		&stream, (struct br_str){ text.data, cut }, collect, masked);
	br_mask_feed(&stream,
		(struct br_str){ text.data + cut, text.len - cut }, collect,
		masked);
	br_mask_end(&stream, collect, masked);
	br_mask_stream_done(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;

	size_t secret_len = data[1] & 15;
	if (size - 2 < secret_len)
		return 0;

	struct br_str secret = { (const char *)data + 2, secret_len };
	struct br_str text = { secret.data + secret_len,
		size - 2 - secret_len };
	br_auto(br_mask) struct br_mask *mask = br_mask_new(&secret, 1);
	br_autobuf struct br_buf whole = { 0 };
	br_autobuf struct br_buf cut = { 0 };

	mask_cut(mask, text, 0, &whole);
	mask_cut(mask, text, text.len ? data[0] % (text.len + 1) : 0, &cut);
	if (!br_str_equal(br_buf_str(&whole), br_buf_str(&cut)))
		abort();
	if (secret_len > 0 && !memchr(secret.data, '*', secret_len) &&
		whole.len > 0 &&
		memmem(whole.data, whole.len, secret.data, secret_len))
		abort();
	return 0;
}
