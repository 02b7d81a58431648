/* SPDX-License-Identifier: MIT */
/*
 * wire.h - the connection to buildr, as init sees it.
 *
 * What goes out are frames: small ones wait in a queue, and the payload of a
 * large piece of output goes from the pipe to the wire without being copied
 * (splice). A frame that has begun is finished before anything else goes out;
 * nothing ever blocks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/protocol.h"

/* Made by wire_open(). Read the members; change them through functions. */
struct wire {
	int in;
	int out;
	/* Bytes that wait, from `start` on. Owned. */
	uint8_t *queue;
	size_t start;
	size_t len;
	size_t capacity;
	/*
	 * A payload in progress: `payload_left` bytes from a pipe, which go out
	 * after the first `before_payload` bytes of the queue.
	 */
	int payload_fd;
	size_t payload_left;
	size_t before_payload;
	/* splice() does not work here. */
	bool is_copying;
	/* It took no more bytes: wait for POLLOUT. */
	bool is_full;
	/* It is over: the other end is gone. */
	bool is_closed;
};

/* Take over two descriptors, which may be the same. */
void wire_open(struct wire *wire, int in, int out);

/* Say whether a piece of output would go out at once. */
bool wire_is_ready(const struct wire *wire);

/* Say whether something waits to go out. */
bool wire_is_waiting(const struct wire *wire);

/* Queue a frame with a payload of fields. */
void wire_send(struct wire *wire, enum br_frame_type type, uint16_t stage,
	const uint8_t *payload, size_t len);

/*
 * Send `len` bytes that are in the pipe `fd` as one OUTPUT frame. Only where
 * wire_is_ready(); the pipe must stay open until the payload has gone out.
 */
void wire_send_output(
	struct wire *wire, uint16_t stage, uint8_t stream, int fd, size_t len);

/* Send as much as goes without blocking. */
void wire_flush(struct wire *wire);

/* Read what is there; -1: nothing now, 0: the end. */
ssize_t wire_read(struct wire *wire, uint8_t *data, size_t size);

/* A payload of fields in the making; larger than any that init sends. */
struct fields {
	uint8_t data[1024];
	size_t len;
};

void fields_add_number(struct fields *fields, uint8_t tag, uint64_t number);

/* Text that does not fit is cut. */
void fields_add_text(struct fields *fields, uint8_t tag, const char *text);
