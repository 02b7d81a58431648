/* SPDX-License-Identifier: MIT */
/*
 * private.h - what the files of a broker's connection share, and the only place that
 * knows librabbitmq's header.
 *
 * open.c connects; frames.c reads frames and hands each to channel.c (answers to
 * requests, closed channels) or content.c (messages); requests.c and publish.c send.
 * Whatever finds that the connection is gone says so with br_broker_break(), and
 * br_broker_work() tells the owner.
 */
#pragma once

/* Moved there in version 0.12. */
#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#endif

#include "base/buf.h"
#include "broker/address.h"
#include "broker/broker.h"

/* A name on the wire with its NUL here. */
enum { BR_NAME_BYTES = 256 };

/* A request that waits for its answer. */
struct br_pending {
	struct br_pending *next;
	/* The method that answers it. */
	amqp_method_number_t expected;
	/* NULL: one of our own. */
	br_reply_fn *fn;
	void *ctx;
	/* Was never sent, since a name in it is too long. */
	bool is_unsent;
};

enum br_content_state {
	BR_CONTENT_NONE,
	BR_CONTENT_HEADER,
	BR_CONTENT_BODY,
};

/* A message of which frames have come. */
struct br_content {
	enum br_content_state state;
	/* Given back by the broker; its body is of no interest. */
	bool is_return;
	bool is_redelivered;
	uint64_t tag;
	/* Bytes of body, in all and so far. */
	uint64_t size;
	uint64_t got;
	struct br_buf body;
	char exchange[BR_NAME_BYTES];
	char routing_key[BR_NAME_BYTES];
	char reply_to[BR_NAME_BYTES];
	char correlation_id[BR_NAME_BYTES];
	char message_id[BR_NAME_BYTES];
};

enum br_channel_state {
	BR_CHANNEL_NEW,
	BR_CHANNEL_OPEN,
	/* Our close has been sent. */
	BR_CHANNEL_CLOSING,
	BR_CHANNEL_CLOSED,
};

struct br_channel {
	unsigned number;
	enum br_channel_state state;
	struct br_pending *first;
	struct br_pending **last;
	/* The tag of the next message, where they are confirmed; else 0. */
	uint64_t next_tag;
	struct br_content content;
};

/* The rest of a message that the socket could not take as a whole. */
struct br_unsent {
	/* 0: there is none. */
	unsigned channel;
	struct br_buf body;
	size_t sent;
};

struct br_broker {
	struct br_broker_handlers handlers;
	struct br_broker_address address;
	amqp_connection_state_t connection;
	char *version;
	int64_t heartbeat_ms;
	/* When something was sent last. */
	int64_t sent_ms;
	/* By number; NULL where a number was never used. */
	struct br_channel **channels;
	size_t channel_count;
	struct br_unsent unsent;
	bool is_blocked;
	/* Somebody waits for room in the socket. */
	bool wants_room;
	/* br_broker_work() has something to do, whatever the socket says. */
	bool has_more;
	/* It is gone, for this reason; the owner does not know yet. */
	bool is_broken;
	struct br_err why;
	/* The owner knows, or is being told. */
	bool is_lost;
};

/* View a string for the library. Borrowed from `text`; NULL is "". */
amqp_bytes_t br_wire_text(const char *text);

/* View bytes for the library, which does not write to them. Borrowed. */
amqp_bytes_t br_wire_bytes(struct br_str bytes);

/* Copy bytes of the broker's as a string, as much as there is room. */
void br_wire_copy(amqp_bytes_t from, char *text, size_t size);

/* As br_wire_copy(), with control characters as blanks: to be shown. */
void br_wire_words(amqp_bytes_t from, char *text, size_t size);

/* Turn one of the library's statuses into an error. Returns false. */
bool br_wire_fail(struct br_err *err, int status);

/* Note that the connection is gone. The first reason counts. */
void br_broker_break(struct br_broker *broker, const struct br_err *why);

/* br_broker_break() with a new error. */
void br_broker_breakf(struct br_broker *broker, enum br_code code,
	const char *fmt, ...) BR_PRINTF(3, 4);

/* What the broker's close of a channel or connection says, in words. */
void br_close_text(uint16_t code, amqp_bytes_t text, char words[256]);

/* Find a channel by number; NULL: never used. Borrowed. */
struct br_channel *br_channel_find(
	const struct br_broker *broker, unsigned number);

/*
 * Find a channel that is open. Borrowed from `broker`. Using one that was never
 * opened is a mistake in the program.
 */
struct br_channel *br_channel_get(
	const struct br_broker *broker, unsigned number);

/* Make a channel of that number, if there is none. Borrowed from `broker`. */
struct br_channel *br_channel_make(struct br_broker *broker, unsigned number);

/* Free all channels without a word to anybody. */
void br_channels_free(struct br_broker *broker);

/* Note a request that was sent on `channel`. Borrowed until it is answered. */
struct br_pending *br_channel_expect(struct br_channel *channel,
	amqp_method_number_t expected, br_reply_fn *fn, void *ctx);

/* Answer the requests at the front that were never sent. */
void br_channel_settle(struct br_broker *broker, struct br_channel *channel);

/* Handle a method that came on a channel. */
void br_channel_handle(struct br_broker *broker, struct br_channel *channel,
	const amqp_method_t *method);

/* Answer whatever waits on any channel: the connection is lost. */
void br_channels_lose(struct br_broker *broker);

/* Start a message: its method has come. */
void br_content_deliver(
	struct br_channel *channel, const amqp_basic_deliver_t *method);
/* The same for one that comes back. */
void br_content_return(
	struct br_channel *channel, const amqp_basic_return_t *method);

/* Forget a message that has not come to its end. */
void br_content_reset(struct br_content *content);

/* Take the header of a message. */
void br_content_header(struct br_broker *broker, struct br_channel *channel,
	const amqp_frame_t *frame);

/* Take a piece of its body. */
void br_content_body(struct br_broker *broker, struct br_channel *channel,
	amqp_bytes_t piece);

/* Send a method on a channel (0: the connection), whatever waits to be sent. */
void br_send(struct br_broker *broker, unsigned channel,
	amqp_method_number_t id, void *method);

/* Send a frame. */
void br_send_frame(struct br_broker *broker, const amqp_frame_t *frame);

/* Send a heartbeat. */
void br_send_heartbeat(struct br_broker *broker);

/* Send of the kept rest of a message what the socket takes, or (`is_all`) wait. */
void br_unsent_send(struct br_broker *broker, bool is_all);

/* Have the kernel take enough for publishing without waiting. */
void br_room_make(struct br_broker *broker);
