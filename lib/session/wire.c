/* SPDX-License-Identifier: MIT */
#include "session/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/attach.h"

enum {
	/* Few calls for much output; small enough to stay in the cache. */
	READ_BYTES = 256 * 1024,
	/* How long a frame to an attached container may stay half sent. */
	HALF_SENT_MS = 1000,
};

bool br_wire_open(struct br_wire *wire, int fd, struct br_attach *attach,
	bool *has_ping, struct br_err *err)
{
	*wire = (struct br_wire){ .fd = fd, .attach = attach };
	br_ping_init(&wire->ping);
	wire->input = br_alloc(READ_BYTES);
	*has_ping = false;
	if (!attach)
		return true;
	if (br_attach_plain_fd(attach) < 0 || br_attach_has_monitor(attach))
		return true;
	if (!br_ping_open(&wire->ping, br_attach_plain_fd(attach), err)) {
		br_wire_close(wire);
		return false;
	}
	*has_ping = true;
	return true;
}

int br_wire_fd(const struct br_wire *wire)
{
	return wire->attach ? br_attach_fd(wire->attach) : wire->fd;
}

void br_wire_send(struct br_wire *wire, enum br_frame_type type, unsigned stage,
	const struct br_buf *payload)
{
	uint8_t header[BR_FRAME_HEADER_BYTES];
	size_t len = payload ? payload->len : 0;

	br_frame_encode(&(struct br_frame){ .type = type,
				.stage = (uint16_t)stage,
				.len = (uint32_t)len },
		header);
	br_buf_add(&wire->queue, header, sizeof(header));
	if (len > 0)
		br_buf_add(&wire->queue, payload->data, len);
}

/* Write once; 0 bytes where the connection is full. */
static bool write_some(
	struct br_wire *wire, size_t *written_len, struct br_err *err)
{
	if (wire->attach)
		return br_attach_write(wire->attach, wire->queue.data,
			wire->queue.len, written_len, err);

	ssize_t n = send(wire->fd, wire->queue.data, wire->queue.len,
		MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return br_fail(err, BR_EUNAVAIL,
			"the connection to the container broke: %s",
			strerror(errno));
	*written_len = n > 0 ? (size_t)n : 0;
	return true;
}

/* Wait until more can be sent, for as long as that is bearable. */
static bool may_go_on(const struct br_wire *wire)
{
	struct pollfd wait = { .fd = br_wire_fd(wire), .events = POLLOUT };

	return wire->attach && poll(&wait, 1, HALF_SENT_MS) > 0;
}

bool br_wire_flush(struct br_wire *wire, struct br_err *err)
{
	if (wire->queue.len == 0 || !br_ping_take(&wire->ping))
		return true;
	while (wire->queue.len > 0) {
		size_t n = 0;

		if (!write_some(wire, &n, err))
			return false;
		br_buf_drop(&wire->queue, n);
		if (n == 0 && !may_go_on(wire))
			return true;
	}
	br_ping_give(&wire->ping);
	return true;
}

static bool read_socket(struct br_wire *wire, br_wire_fn *fn, void *ctx,
	bool *is_over, bool *is_more, struct br_err *err)
{
	ssize_t n = recv(wire->fd, wire->input, READ_BYTES, MSG_DONTWAIT);

	if (n > 0) {
		*is_more = true;
		return fn(ctx, wire->input, (size_t)n, err);
	}
	if (n == 0 || errno == ECONNRESET)
		*is_over = true;
	else if (errno != EAGAIN && errno != EINTR)
		return br_fail(err, BR_EUNAVAIL,
			"the connection to the container broke: %s",
			strerror(errno));
	return true;
}

bool br_wire_read(struct br_wire *wire, br_wire_fn *fn, void *ctx,
	bool *is_over, bool *is_more, struct br_err *err)
{
	*is_over = false;
	*is_more = false;
	if (wire->attach)
		return br_attach_read(
			wire->attach, READ_BYTES, fn, ctx, is_over, err);
	return read_socket(wire, fn, ctx, is_over, is_more, err);
}

void br_wire_close(struct br_wire *wire)
{
	br_ping_close(&wire->ping);
	br_attach_close(wire->attach);
	if (wire->fd >= 0)
		(void)close(wire->fd);
	br_buf_done(&wire->queue);
	free(wire->input);
	*wire = (struct br_wire){ .fd = -1 };
	br_ping_init(&wire->ping);
}

void br_wire_add_field(
	struct br_buf *payload, uint8_t tag, const void *value, size_t len)
{
	uint8_t header[BR_FIELD_HEADER_BYTES];

	br_field_encode(tag, (uint32_t)len, header);
	br_buf_add(payload, header, sizeof(header));
	br_buf_add(payload, value, len);
}

void br_wire_add_number(struct br_buf *payload, uint8_t tag, uint64_t number)
{
	uint8_t value[8];

	br_number_encode(number, value);
	br_wire_add_field(payload, tag, value, sizeof(value));
}

void br_wire_add_text(struct br_buf *payload, uint8_t tag, const char *text)
{
	br_wire_add_field(payload, tag, text, strlen(text));
}
