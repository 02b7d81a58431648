/* SPDX-License-Identifier: MIT */
/*
 * pull.h - reads what the engine tells while it pulls an image.
 *
 * The stream is JSON objects, one a line: the state of a layer, by its id, and at
 * most one error. The status of the answer says nothing: it was sent before the
 * first byte was pulled.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "engine/engine.h"

struct br_pull_layer {
	char id[72];
	int64_t done_bytes;
	/* -1: not known yet. */
	int64_t total_bytes;
};

/* Starts out all zero, but for the progress function. */
struct br_pull_stream {
	br_pull_fn *progress;
	void *ctx;
	/* When it was called last; 0: never. */
	int64_t told_ms;
	/* A line that is not whole yet. */
	struct br_buf line;
	struct br_pull_layer *layers;
	size_t layer_count;
	size_t layer_capacity;
};

/* Free what `stream` holds. */
void br_pull_done(struct br_pull_stream *stream);

/*
 * Take the next bytes, cut anywhere. Progress is told at most ten times a second.
 *
 * Limits: a line is at most BR_LIMIT_ENGINE_LINE_BYTES; layers beyond
 * BR_LIMIT_IMAGE_LAYERS do not count in the progress. Fails with BR_ENOTFOUND or
 * BR_EUNAVAIL where the engine tells an error, and with BR_EPROTO for what is no
 * JSON object.
 */
bool br_pull_feed(struct br_pull_stream *stream, const char *data, size_t len,
	struct br_err *err) BR_MUST_CHECK;

/* Say that the stream is over. Fails as br_pull_feed() for a last line. */
bool br_pull_end(
	struct br_pull_stream *stream, struct br_err *err) BR_MUST_CHECK;

/* Sum up the layers: bytes so far, and in all or -1. */
void br_pull_sum(
	const struct br_pull_stream *stream, int64_t *done, int64_t *total);

/*
 * Make a failure of the text of a pull that failed: BR_ENOTFOUND where it says that
 * there is no such image, else BR_EUNAVAIL. Returns false.
 */
bool br_pull_fail(const char *text, struct br_err *err);
