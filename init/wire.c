/* SPDX-License-Identifier: MIT */
#include "init/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init/mem.h"

enum {
	/* Below this a copy is cheaper than two more system calls. */
	COPY_MAX_BYTES = 8 * 1024,
	/* More than this in the queue, and output stays in its pipe. */
	QUEUE_FULL_BYTES = 32 * 1024,
	WANTED_BUFFER_BYTES = 1024 * 1024,
};

/* A larger buffer means fewer wake-ups; what is refused is refused. */
static void enlarge(int fd)
{
	int size = WANTED_BUFFER_BYTES;

	if (fcntl(fd, F_SETPIPE_SZ, size) < 0)
		(void)setsockopt(
			fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static void set_nonblocking(int fd)
{
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void wire_open(struct wire *wire, int in, int out)
{
	*wire = (struct wire){ .in = in, .out = out, .payload_fd = -1 };
	set_nonblocking(in);
	set_nonblocking(out);
	enlarge(out);
}

bool wire_is_ready(const struct wire *wire)
{
	return !wire->is_closed && !wire->is_full && wire->payload_left == 0 &&
		wire->len < QUEUE_FULL_BYTES;
}

bool wire_is_waiting(const struct wire *wire)
{
	return wire->len > 0 || wire->payload_left > 0;
}

/* Make room at the end of the queue and give the place. */
static uint8_t *queue_room(struct wire *wire, size_t len)
{
	if (wire->start > 0) {
		memmove(wire->queue, wire->queue + wire->start, wire->len);
		wire->start = 0;
	}
	while (wire->capacity < wire->len + len)
		wire->queue = mem_grow(
			wire->queue, wire->capacity, &wire->capacity, 1);
	return wire->queue + wire->len;
}

static void queue_add(struct wire *wire, const void *data, size_t len)
{
	if (len == 0)
		return;
	memcpy(queue_room(wire, len), data, len);
	wire->len += len;
}

static void queue_header(struct wire *wire, const struct br_frame *frame)
{
	uint8_t header[BR_FRAME_HEADER_BYTES];

	br_frame_encode(frame, header);
	queue_add(wire, header, sizeof(header));
}

void wire_send(struct wire *wire, enum br_frame_type type, uint16_t stage,
	const uint8_t *payload, size_t len)
{
	queue_header(wire,
		&(struct br_frame){
			.type = type, .stage = stage, .len = (uint32_t)len });
	queue_add(wire, payload, len);
}

/*
 * Read exactly `len` bytes that the pipe holds. A step can open its own output
 * for reading and take some away; zeros stand for those. Where the pipe cannot be
 * read, that is the end: output must not be lost without a word.
 */
static void read_exactly(struct wire *wire, int fd, uint8_t *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, data + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			wire->is_closed = true;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	memset(data + done, 0, len - done);
}

void wire_send_output(
	struct wire *wire, uint16_t stage, uint8_t stream, int fd, size_t len)
{
	queue_header(wire,
		&(struct br_frame){ .type = BR_FRAME_OUTPUT,
			.stream = stream,
			.stage = stage,
			.len = (uint32_t)len });
	if (len <= COPY_MAX_BYTES) {
		read_exactly(wire, fd, queue_room(wire, len), len);
		wire->len += len;
		return;
	}
	wire->payload_fd = fd;
	wire->payload_left = len;
	wire->before_payload = wire->len;
}

/* What an attempt to write means for the wire; gives the bytes written. */
static size_t note_written(struct wire *wire, ssize_t n)
{
	if (n > 0)
		return (size_t)n;
	if (n < 0 && errno == EINTR)
		return 0;
	if (n < 0 && errno == EAGAIN)
		wire->is_full = true;
	else
		wire->is_closed = true;
	return 0;
}

static void flush_queue(struct wire *wire, size_t len)
{
	size_t n = note_written(
		wire, write(wire->out, wire->queue + wire->start, len));

	wire->start += n;
	wire->len -= n;
	if (wire->payload_left > 0)
		wire->before_payload -= n;
	if (wire->len == 0)
		wire->start = 0;
}

/* The bytes that the pipe holds right now. */
static size_t pipe_fill(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) < 0 || n < 0 ? 0 : (size_t)n;
}

/* Send the next bytes of a payload from memory: a piece at a time. */
static void copy_payload(struct wire *wire)
{
	size_t len = wire->payload_left < COPY_MAX_BYTES ? wire->payload_left
							 : COPY_MAX_BYTES;

	/* The queue behind the payload waits; the piece goes in front of it. */
	uint8_t *end = queue_room(wire, len);
	memmove(wire->queue + len, wire->queue, (size_t)(end - wire->queue));
	read_exactly(wire, wire->payload_fd, wire->queue, len);
	wire->len += len;
	wire->before_payload = len;
	wire->payload_left -= len;
	flush_queue(wire, len);
}

static void flush_payload(struct wire *wire)
{
	if (wire->is_copying || pipe_fill(wire->payload_fd) == 0) {
		copy_payload(wire);
		return;
	}

	ssize_t n = splice(wire->payload_fd, NULL, wire->out, NULL,
		wire->payload_left, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n < 0 && (errno == EINVAL || errno == ENOSYS))
		wire->is_copying = true;
	else
		wire->payload_left -= note_written(wire, n);
}

void wire_flush(struct wire *wire)
{
	while (wire_is_waiting(wire) && !wire->is_full && !wire->is_closed) {
		if (wire->payload_left == 0)
			flush_queue(wire, wire->len);
		else if (wire->before_payload > 0)
			flush_queue(wire, wire->before_payload);
		else
			flush_payload(wire);
	}
}

ssize_t wire_read(struct wire *wire, uint8_t *data, size_t size)
{
	ssize_t n;

	do
		n = read(wire->in, data, size);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN)
		return 0;
	return n;
}

static void add_field(
	struct fields *fields, uint8_t tag, const void *value, size_t len)
{
	size_t room = sizeof(fields->data) - fields->len;

	if (room < BR_FIELD_HEADER_BYTES)
		return;
	if (len > room - BR_FIELD_HEADER_BYTES)
		len = room - BR_FIELD_HEADER_BYTES;
	br_field_encode(tag, (uint32_t)len, fields->data + fields->len);
	memcpy(fields->data + fields->len + BR_FIELD_HEADER_BYTES, value, len);
	fields->len += BR_FIELD_HEADER_BYTES + len;
}

void fields_add_number(struct fields *fields, uint8_t tag, uint64_t number)
{
	uint8_t value[8];

	br_number_encode(number, value);
	add_field(fields, tag, value, sizeof(value));
}

void fields_add_text(struct fields *fields, uint8_t tag, const char *text)
{
	add_field(fields, tag, text, strlen(text));
}
