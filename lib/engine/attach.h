/* SPDX-License-Identifier: MIT */
/*
 * attach.h - a container's stdin and stdout over the engine's connection.
 *
 * Reads and writes never block. The engine's frames are taken apart here
 * (demux.h): what br_attach_read() hands on is what the process wrote to stdout.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct br_attach;
struct br_http;

/*
 * Attach to the container `id`; what br_engine_attach() does with Docker.
 *
 * Ownership: the caller closes *attach with br_attach_close().
 */
bool br_attach_open(struct br_http *http, const char *id,
	struct br_attach **attach, struct br_err *err) BR_MUST_CHECK;

/*
 * Takes bytes of stdout, borrowed for the call. Returning false makes
 * br_attach_read() return false with the same `err`.
 */
typedef bool br_attach_fn(
	void *ctx, const uint8_t *data, size_t len, struct br_err *err);

/* Give the descriptor to poll. Borrowed until br_attach_close(). */
int br_attach_fd(const struct br_attach *attach);

/*
 * Give the descriptor that another process may write stdin bytes to, or -1
 * where there is none (TLS). Borrowed until br_attach_close().
 */
int br_attach_plain_fd(const struct br_attach *attach);

/*
 * Say whether the container has a monitor, as with Podman, which closes its stdin
 * also when the engine dies; with Docker stdin then stays open.
 *
 * A monitor that cannot get rid of the container's output does not pass its input
 * on either: silence on stdin means nothing there.
 */
bool br_attach_has_monitor(const struct br_attach *attach);

/*
 * Read what is there, at most about `max_bytes`, and hand the stdout part to
 * `fn`. `*is_over` says that the stream has ended.
 *
 * Fails with BR_EPROTO for a frame that is none, a cut one, and an error text
 * of the engine, and with BR_EUNAVAIL where the connection broke.
 */
bool br_attach_read(struct br_attach *attach, size_t max_bytes,
	br_attach_fn *fn, void *ctx, bool *is_over,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Write to stdin as much as goes without blocking, and say how much that was.
 *
 * Fails with BR_EUNAVAIL where the connection broke.
 */
bool br_attach_write(struct br_attach *attach, const void *data, size_t len,
	size_t *written_len, struct br_err *err) BR_MUST_CHECK;

/* Close the connection and free `attach`, which may be NULL. */
void br_attach_close(struct br_attach *attach);
