/* SPDX-License-Identifier: MIT */
#include "engine/pull.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/limits.h"
#include "engine/http.h"
#include "engine/json.h"

enum { TELL_EVERY_MS = 100 };

void br_pull_done(struct br_pull_stream *stream)
{
	br_buf_done(&stream->line);
	free(stream->layers);
	*stream = (struct br_pull_stream){ 0 };
}

void br_pull_sum(
	const struct br_pull_stream *stream, int64_t *done, int64_t *total)
{
	bool is_known = stream->layer_count > 0;

	*done = 0;
	*total = 0;
	for (size_t i = 0; i < stream->layer_count; i++) {
		const struct br_pull_layer *layer = &stream->layers[i];

		*done += layer->done_bytes;
		*total += layer->total_bytes;
		is_known = is_known && layer->total_bytes >= 0;
	}
	if (!is_known)
		*total = -1;
}

static void tell(struct br_pull_stream *stream)
{
	int64_t now_ms = br_clock_now_ms();
	int64_t done = 0;
	int64_t total = 0;

	if (!stream->progress ||
		(stream->told_ms > 0 &&
			now_ms - stream->told_ms < TELL_EVERY_MS))
		return;
	stream->told_ms = now_ms;
	br_pull_sum(stream, &done, &total);
	stream->progress(stream->ctx, done, total);
}

static struct br_pull_layer *find_layer(
	struct br_pull_stream *stream, const char *id)
{
	for (size_t i = 0; i < stream->layer_count; i++)
		if (!strcmp(stream->layers[i].id, id))
			return &stream->layers[i];
	return NULL;
}

static struct br_pull_layer *add_layer(
	struct br_pull_stream *stream, const char *id)
{
	if (stream->layer_count >= BR_LIMIT_IMAGE_LAYERS ||
		strlen(id) >= sizeof(stream->layers->id))
		return NULL;
	stream->layers = br_grow(stream->layers, stream->layer_count,
		&stream->layer_capacity, sizeof(*stream->layers));

	struct br_pull_layer *layer = &stream->layers[stream->layer_count++];
	*layer = (struct br_pull_layer){ .total_bytes = -1 };
	(void)snprintf(layer->id, sizeof(layer->id), "%s", id);
	return layer;
}

/* A size that no image has is taken for none, so that no sum overflows. */
static int64_t size_of(const struct cJSON *value)
{
	static const int64_t max_bytes = INT64_C(1) << 50;
	int64_t size_bytes = br_json_int(value, -1);

	return size_bytes > max_bytes ? -1 : size_bytes;
}

/*
 * Only downloading counts: unpacking starts over with sizes of its own. Layers are
 * announced before any of them starts, so that the sum is known early.
 */
static void take_layer(struct br_pull_stream *stream, const struct cJSON *entry)
{
	const char *id = br_json_find_text(entry, "id");
	const char *status = br_json_find_text(entry, "status");
	struct br_pull_layer *layer = find_layer(stream, id);

	if (!strcmp(status, "Pulling fs layer") && !layer) {
		(void)add_layer(stream, id);
	} else if (!strcmp(status, "Downloading")) {
		const struct cJSON *detail =
			br_json_find(entry, "progressDetail");
		int64_t done = size_of(br_json_find(detail, "current"));

		if (!layer)
			layer = add_layer(stream, id);
		if (!layer)
			return;
		layer->total_bytes = size_of(br_json_find(detail, "total"));
		layer->done_bytes = done > 0 ? done : 0;
	} else if (layer &&
		(!strcmp(status, "Download complete") ||
			!strcmp(status, "Verifying Checksum"))) {
		/* One that was never seen downloading is small. */
		if (layer->total_bytes < 0)
			layer->total_bytes = layer->done_bytes;
		layer->done_bytes = layer->total_bytes;
	}
}

bool br_pull_fail(const char *text, struct br_err *err)
{
	static const char *const missing[] = { "not found", "manifest unknown",
		"does not exist", "no such image", "name unknown",
		"no matching manifest" };
	br_autofree char *message = br_http_message(br_str(text));

	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
		if (strcasestr(message, missing[i]))
			return br_fail(err, BR_ENOTFOUND, "%s", message);
	return br_fail(err, BR_EUNAVAIL, "%s", message);
}

static bool take_entry(struct br_pull_stream *stream, const struct cJSON *entry,
	struct br_err *err)
{
	/* `error` is the older form of the same; new engines leave it out. */
	const char *error = br_json_find_text(
		br_json_find(entry, "errorDetail"), "message");

	if (error[0] == '\0')
		error = br_json_find_text(entry, "error");
	if (error[0] != '\0')
		return br_pull_fail(error, err);
	take_layer(stream, entry);
	tell(stream);
	return true;
}

static bool is_blank(struct br_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!strchr(" \t\r\n", text.data[i]) || text.data[i] == '\0')
			return false;
	return true;
}

static bool take_line(
	struct br_pull_stream *stream, struct br_str line, struct br_err *err)
{
	br_autojson struct cJSON *entry = NULL;
	struct br_err why = { 0 };

	if (is_blank(line))
		return true;
	if (!br_json_parse(line, &entry, &why) || !br_json_is_object(entry)) {
		br_autofree char *text = br_http_message(line);

		return br_fail(err, BR_EPROTO,
			"the engine's report of the pull is no JSON: %s", text);
	}
	return take_entry(stream, entry, err);
}

static bool add_to_line(struct br_pull_stream *stream, const char *data,
	size_t len, struct br_err *err)
{
	if (stream->line.len + len > BR_LIMIT_ENGINE_LINE_BYTES)
		return br_fail(err, BR_EPROTO,
			"a line of the engine's report of the pull is longer than %d bytes",
			BR_LIMIT_ENGINE_LINE_BYTES);
	br_buf_add(&stream->line, data, len);
	return true;
}

bool br_pull_feed(struct br_pull_stream *stream, const char *data, size_t len,
	struct br_err *err)
{
	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) : len;

		if (!add_to_line(stream, data, n, err))
			return false;
		if (!end)
			return true;

		bool is_good =
			take_line(stream, br_buf_str(&stream->line), err);
		br_buf_clear(&stream->line);
		if (!is_good)
			return false;
		data += n + 1;
		len -= n + 1;
	}
	return true;
}

bool br_pull_end(struct br_pull_stream *stream, struct br_err *err)
{
	bool is_good = take_line(stream, br_buf_str(&stream->line), err);

	br_buf_clear(&stream->line);
	return is_good;
}
