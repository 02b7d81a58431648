/* SPDX-License-Identifier: MIT */
/*
 * stream.h - a connection to the engine that a request has turned into a stream of
 * bytes in both directions.
 *
 * libcurl connects (and speaks TLS), the request is written by hand. The connection
 * is its own: it outlives the client that opened it only as long as that is there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

struct br_http;
struct br_stream;

/*
 * Open a stream by POSTing to `path` (without the version).
 *
 * Ownership: the caller frees *stream with br_stream_close(), before `http`. Fails
 * as br_http_call() and br_http_refuse().
 */
bool br_stream_open(struct br_http *http, const char *path,
	struct br_stream **stream, struct br_err *err) BR_MUST_CHECK;

/* Give the descriptor to poll. Borrowed until br_stream_close(). */
int br_stream_fd(const struct br_stream *stream);

/* Say whether the bytes on that descriptor are the stream's own (no TLS). */
bool br_stream_is_plain(const struct br_stream *stream);

/*
 * Read at most `size_bytes` without waiting. Nothing there: *len is 0; the end:
 * *is_over.
 *
 * Fails with BR_EUNAVAIL where the connection broke.
 */
bool br_stream_read(struct br_stream *stream, void *data, size_t size_bytes,
	size_t *len, bool *is_over, struct br_err *err) BR_MUST_CHECK;

/*
 * Write what goes without waiting, and say how much that was.
 *
 * Fails with BR_EUNAVAIL where the connection broke.
 */
bool br_stream_write(struct br_stream *stream, const void *data, size_t len,
	size_t *written_len, struct br_err *err) BR_MUST_CHECK;

/* Close the connection and free `stream`, which may be NULL. */
void br_stream_close(struct br_stream *stream);
