/* SPDX-License-Identifier: MIT */
#include "engine/attach.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "engine/demux.h"
#include "engine/http.h"
#include "engine/stream.h"

enum {
	/*
	 * One read. Large, as this may be all of a build's output; and at least
	 * a TLS record, so that none stays where poll() does not see it.
	 */
	READ_BYTES = 128 * 1024,
};

struct br_attach {
	struct br_stream *stream;
	bool has_monitor;
	struct br_demux demux;
	uint8_t buffer[READ_BYTES];
};

bool br_attach_open(struct br_http *http, const char *id,
	struct br_attach **attach, struct br_err *err)
{
	struct br_stream *stream = NULL;
	br_autofree char *path = br_format(
		"/containers/%s/attach?stream=1&stdin=1&stdout=1&stderr=1", id);

	if (!br_stream_open(http, path, &stream, err))
		return br_wrap(err, "attach to the container");
	*attach = br_alloc(sizeof(**attach));
	(*attach)->stream = stream;
	(*attach)->has_monitor = br_http_is_podman(http);
	return true;
}

void br_attach_close(struct br_attach *attach)
{
	if (!attach)
		return;
	br_stream_close(attach->stream);
	free(attach);
}

int br_attach_fd(const struct br_attach *attach)
{
	return br_stream_fd(attach->stream);
}

int br_attach_plain_fd(const struct br_attach *attach)
{
	return br_stream_is_plain(attach->stream) ? br_stream_fd(attach->stream)
						  : -1;
}

bool br_attach_has_monitor(const struct br_attach *attach)
{
	return attach->has_monitor;
}

/* Who gets what the demultiplexer finds. */
struct reader {
	br_attach_fn *fn;
	void *ctx;
};

/* Init writes nothing to stderr: what is there is the runtime's, and the end. */
static bool take_payload(void *ctx, enum br_channel channel,
	const uint8_t *data, size_t len, struct br_err *err)
{
	const struct reader *reader = ctx;

	if (channel == BR_CHANNEL_STDIN || channel == BR_CHANNEL_STDOUT)
		return reader->fn(reader->ctx, data, len, err);

	br_autofree char *text =
		br_http_message((struct br_str){ (const char *)data, len });
	return br_fail(err, BR_EPROTO, "%s: %s",
		channel == BR_CHANNEL_DAEMON ? "the engine says"
					     : "the container says",
		text);
}

bool br_attach_read(struct br_attach *attach, size_t max_bytes,
	br_attach_fn *fn, void *ctx, bool *is_over, struct br_err *err)
{
	struct reader reader = { .fn = fn, .ctx = ctx };
	size_t total = 0;
	bool has_ended = false;

	while (total < max_bytes && !has_ended) {
		size_t n = 0;

		if (!br_stream_read(attach->stream, attach->buffer,
			    sizeof(attach->buffer), &n, &has_ended, err))
			return false;
		if (has_ended && !br_demux_end(&attach->demux, err))
			return false;
		if (n == 0)
			break;
		if (!br_demux_feed(&attach->demux, attach->buffer, n,
			    take_payload, &reader, err))
			return false;
		total += n;
	}
	*is_over = has_ended;
	return true;
}

bool br_attach_write(struct br_attach *attach, const void *data, size_t len,
	size_t *written_len, struct br_err *err)
{
	return br_stream_write(attach->stream, data, len, written_len, err);
}
