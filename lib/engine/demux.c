/* SPDX-License-Identifier: MIT */
#include "engine/demux.h"

#include <string.h>

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static uint32_t read_be32(const uint8_t bytes[4])
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
		(uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
}

static bool parse_header(struct br_demux *demux, struct br_err *err)
{
	const uint8_t *header = demux->header;

	if (header[0] > BR_CHANNEL_DAEMON)
		return br_fail(
			err, BR_EPROTO, "unknown output channel %u", header[0]);
	if (header[1] || header[2] || header[3])
		return br_fail(err, BR_EPROTO, "garbled output frame header");

	demux->channel = (enum br_channel)header[0];
	demux->payload_left = read_be32(header + 4);
	demux->header_len = 0;
	return true;
}

/* Take header bytes, and parse the header once it is whole. */
static bool feed_header(struct br_demux *demux, const uint8_t *data, size_t len,
	struct br_err *err)
{
	memcpy(demux->header + demux->header_len, data, len);
	demux->header_len += len;
	return demux->header_len < sizeof(demux->header) ||
		parse_header(demux, err);
}

bool br_demux_feed(struct br_demux *demux, const uint8_t *data, size_t len,
	br_demux_fn *fn, void *ctx, struct br_err *err)
{
	while (len > 0) {
		size_t n;

		if (demux->payload_left > 0) {
			n = min_size(len, demux->payload_left);
			demux->payload_left -= (uint32_t)n;
			if (!fn(ctx, demux->channel, data, n, err))
				return false;
		} else {
			n = min_size(
				len, sizeof(demux->header) - demux->header_len);
			if (!feed_header(demux, data, n, err))
				return false;
		}
		data += n;
		len -= n;
	}
	return true;
}

bool br_demux_end(const struct br_demux *demux, struct br_err *err)
{
	if (demux->payload_left > 0)
		return br_fail(err, BR_EPROTO, "output ended %u bytes early",
			demux->payload_left);
	if (demux->header_len > 0)
		return br_fail(
			err, BR_EPROTO, "output ended inside a frame header");
	return true;
}
