/* SPDX-License-Identifier: MIT */
/*
 * buildr's end of the wire. The first byte picks where the rest is cut in two:
 * whatever the bytes are, the cut must not change what comes out, nor whether it
 * fails.
 */
#include <stdlib.h>
#include <string.h>

#include "session/decode.h"

struct digest {
	uint64_t hash;
	size_t calls;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hash_byte(struct digest *digest, uint8_t byte)
{
	digest->hash ^= byte;
	digest->hash *= UINT64_C(0x100000001b3);
}

/* Fields are read to their end, as a session does. */
static void hash_fields(struct digest *digest, const uint8_t *data, size_t len)
{
	const uint8_t *at = data;
	struct br_field field;
	uint64_t number;
	bool is_bad;

	while (br_field_next(&at, data + len, &field, &is_bad)) {
		hash_byte(digest, field.tag);
		if (br_field_number(&field, &number))
			hash_byte(digest, (uint8_t)number);
		for (uint32_t i = 0; i < field.len; i++)
			hash_byte(digest, field.value[i]);
	}
	hash_byte(digest, is_bad);
}

static bool hash_frame(void *ctx, const struct br_frame *frame,
	const uint8_t *data, size_t len, struct br_err *err)
{
	struct digest *digest = ctx;

	(void)err;
	/* Output may come in any pieces: only its bytes count. */
	if (frame->type == BR_FRAME_OUTPUT) {
		for (size_t i = 0; i < len; i++) {
			hash_byte(digest, frame->stream);
			hash_byte(digest, data[i]);
		}
		return true;
	}
	digest->calls++;
	hash_byte(digest, (uint8_t)frame->type);
	hash_byte(digest, (uint8_t)frame->stage);
	if (len != frame->len)
		abort();
	hash_fields(digest, data, len);
	return true;
}

static struct digest run(const uint8_t *data, size_t size, size_t cut, bool *ok)
{
	struct br_decode decode = { 0 };
	struct br_err err = { 0 };
	struct digest digest = { .hash = UINT64_C(0xcbf29ce484222325) };

	*ok = br_decode_feed(&decode, data, cut, hash_frame, &digest, &err) &&
		br_decode_feed(&decode, data + cut, size - cut, hash_frame,
			&digest, &err);
	br_decode_done(&decode);
	return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;

	bool is_whole_good;
	bool is_cut_good;
	size_t rest = size - 1;
	struct digest whole = run(data + 1, rest, 0, &is_whole_good);
	struct digest cut =
		run(data + 1, rest, data[0] % (rest + 1), &is_cut_good);

	if (is_whole_good != is_cut_good || whole.hash != cut.hash ||
		whole.calls != cut.calls)
		abort();
	return 0;
}
