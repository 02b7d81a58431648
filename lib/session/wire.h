/* SPDX-License-Identifier: MIT */
/*
 * wire.h - the bytes between buildr and buildr-init: a socket, or stdin and
 * stdout attached through the engine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "init/protocol.h"
#include "session/ping.h"

struct br_attach;

/* Made by br_wire_open(); private. */
struct br_wire {
	/* Exactly one of the two. Owned. */
	int fd;
	struct br_attach *attach;
	/* Only with `attach`. */
	struct br_ping ping;
	/* What is to be sent. */
	struct br_buf queue;
	/* Where a read goes. Owned. */
	uint8_t *input;
};

/* Takes bytes, borrowed for the call; a false ends br_wire_read() with `err`. */
typedef bool br_wire_fn(
	void *ctx, const uint8_t *data, size_t len, struct br_err *err);

/*
 * Take over a connection, a socket or an attached one; the other is -1 or NULL.
 * `*has_ping` says whether pings are sent.
 *
 * Ownership: takes the connection, also on failure; the caller frees the wire with
 * br_wire_close(). Fails with BR_ESYSTEM.
 */
bool br_wire_open(struct br_wire *wire, int fd, struct br_attach *attach,
	bool *has_ping, struct br_err *err) BR_MUST_CHECK;

/* The descriptor to poll. Borrowed until br_wire_close(). */
int br_wire_fd(const struct br_wire *wire);

/* Queue a frame with a payload of fields. */
void br_wire_send(struct br_wire *wire, enum br_frame_type type, unsigned stage,
	const struct br_buf *payload);

/*
 * Send as much as goes. A frame is not left half sent for long, because no ping
 * goes out in the middle of one.
 *
 * Fails with BR_EUNAVAIL where the connection broke.
 */
bool br_wire_flush(struct br_wire *wire, struct br_err *err) BR_MUST_CHECK;

/*
 * Read once, without waiting, and hand what came to `fn`. `*is_over`: there is no
 * more, `*is_more`: there may be more right now.
 *
 * Fails with BR_EUNAVAIL where the connection broke, and with whatever `fn` set.
 */
bool br_wire_read(struct br_wire *wire, br_wire_fn *fn, void *ctx,
	bool *is_over, bool *is_more, struct br_err *err) BR_MUST_CHECK;

/* Close the connection and free what the wire has. */
void br_wire_close(struct br_wire *wire);

/* Add a field to a payload. */
void br_wire_add_field(
	struct br_buf *payload, uint8_t tag, const void *value, size_t len);

/* Add a field that is a number. */
void br_wire_add_number(struct br_buf *payload, uint8_t tag, uint64_t number);

/* Add a field that is text. */
void br_wire_add_text(struct br_buf *payload, uint8_t tag, const char *text);
