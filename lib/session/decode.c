/* SPDX-License-Identifier: MIT */
#include "session/decode.h"

#include <string.h>

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* A frame that is whole; one without payload is so with its header. */
static bool finish_frame(struct br_decode *decode, br_decode_fn *fn, void *ctx,
	struct br_err *err)
{
	decode->header_len = 0;
	if (decode->frame.type == BR_FRAME_OUTPUT)
		return true;

	bool is_good = fn(ctx, &decode->frame,
		(const uint8_t *)br_buf_text(&decode->payload),
		decode->payload.len, err);
	br_buf_clear(&decode->payload);
	return is_good;
}

static bool feed_header(struct br_decode *decode, const uint8_t *data,
	size_t len, br_decode_fn *fn, void *ctx, struct br_err *err)
{
	memcpy(decode->header + decode->header_len, data, len);
	decode->header_len += len;
	if (decode->header_len < sizeof(decode->header))
		return true;
	if (!br_frame_decode(decode->header, &decode->frame))
		return br_fail(err, BR_EPROTO,
			"the container's end sent what is no frame");
	decode->payload_left = decode->frame.len;
	return decode->payload_left > 0 || finish_frame(decode, fn, ctx, err);
}

static bool feed_payload(struct br_decode *decode, const uint8_t *data,
	size_t len, br_decode_fn *fn, void *ctx, struct br_err *err)
{
	decode->payload_left -= (uint32_t)len;
	if (decode->frame.type != BR_FRAME_OUTPUT)
		br_buf_add(&decode->payload, data, len);
	else if (!fn(ctx, &decode->frame, data, len, err))
		return false;
	return decode->payload_left > 0 || finish_frame(decode, fn, ctx, err);
}

bool br_decode_feed(struct br_decode *decode, const uint8_t *data, size_t len,
	br_decode_fn *fn, void *ctx, struct br_err *err)
{
	while (len > 0) {
		size_t n;
		bool is_good;

		if (decode->payload_left > 0) {
			n = min_size(len, decode->payload_left);
			is_good = feed_payload(decode, data, n, fn, ctx, err);
		} else {
			n = min_size(len,
				sizeof(decode->header) - decode->header_len);
			is_good = feed_header(decode, data, n, fn, ctx, err);
		}
		if (!is_good)
			return false;
		data += n;
		len -= n;
	}
	return true;
}

void br_decode_done(struct br_decode *decode)
{
	br_buf_done(&decode->payload);
	*decode = (struct br_decode){ 0 };
}
