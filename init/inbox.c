/* SPDX-License-Identifier: MIT */
#include "init/inbox.h"

#include <stdlib.h>
#include <string.h>

#include "init/mem.h"

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Take bytes of the header, and make room for the payload once it is whole. */
static bool feed_header(struct inbox *inbox, const uint8_t *data, size_t len)
{
	memcpy(inbox->header + inbox->header_len, data, len);
	inbox->header_len += len;
	if (inbox->header_len < sizeof(inbox->header))
		return true;
	if (!br_frame_decode(inbox->header, &inbox->frame))
		return false;
	inbox->payload = mem_new(inbox->frame.len);
	inbox->payload_len = 0;
	return true;
}

static bool finish_frame(struct inbox *inbox, inbox_fn *fn, void *ctx)
{
	bool is_good = fn(ctx, &inbox->frame, &inbox->payload);

	inbox_done(inbox);
	return is_good;
}

bool inbox_feed(struct inbox *inbox, const uint8_t *data, size_t len,
	inbox_fn *fn, void *ctx)
{
	while (len > 0) {
		size_t n;

		if (!inbox->payload) {
			n = min_size(
				len, sizeof(inbox->header) - inbox->header_len);
			if (!feed_header(inbox, data, n))
				return false;
		} else {
			n = min_size(
				len, inbox->frame.len - inbox->payload_len);
			memcpy(inbox->payload + inbox->payload_len, data, n);
			inbox->payload_len += n;
		}
		data += n;
		len -= n;
		if (inbox->payload && inbox->payload_len == inbox->frame.len &&
			!finish_frame(inbox, fn, ctx))
			return false;
	}
	return true;
}

void inbox_done(struct inbox *inbox)
{
	free(inbox->payload);
	*inbox = (struct inbox){ 0 };
}
