/* SPDX-License-Identifier: MIT */
/*
 * broker.h - a connection to RabbitMQ (AMQP 0-9-1) that does not block.
 *
 * Opening one connects and logs in, within a time; from then on the owner polls
 * br_broker_fd() for br_broker_poll_events(), calls br_broker_work() when it is ready
 * or br_broker_deadline_ms() has come, and everything that the broker says arrives in
 * callbacks. A request is sent at once, and its answer is a callback too: requests on
 * one channel are answered in order. The broker answers a request that it refuses by
 * closing its channel; then every request that waits there is answered with the
 * broker's words, and the channel is opened again by itself, without consumers, confirms
 * and claims of acknowledgements. So what may be refused has a channel of its own.
 *
 * Facts of RabbitMQ and of librabbitmq 0.11 that shape this are: the capabilities have
 * to be announced at login (consumer_cancel_notify, connection.blocked, basic.nack,
 * publisher_confirms); a closed channel wants its close-ok; a message that cannot be
 * routed is returned before it is confirmed; what is published while the broker is
 * blocked is not read, so that a socket may fill up: br_broker_can_publish() says
 * when one more message fits without waiting.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clean.h"
#include "base/err.h"
#include "base/str.h"

struct br_broker;

/* Borrowed for the call of br_broker_open(). */
struct br_broker_options {
	/* amqp[s]://user:password@host:port/vhost; parts may be left out. */
	const char *url;
	/*
	 * For amqps: PEM files; NULL: the system's authorities, no certificate. The
	 * host is one of the certificate's DNS names; an address of digits is none.
	 */
	const char *ca_file;
	const char *cert_file;
	const char *key_file;
	/* Shown by the broker's management as the connection's name. */
	const char *name;
	/* 5 to 20 is usual; a dead peer is found after some 2.5 of it. */
	unsigned heartbeat_seconds;
	/* For connecting and logging in; looking up a name has limits of its own. */
	int64_t timeout_ms;
};

/* A message as it comes. Borrowed for the callback. */
struct br_delivery {
	unsigned channel;
	uint64_t tag;
	bool is_redelivered;
	/* Longer than BR_LIMIT_MESSAGE_BYTES: `body` is empty. */
	bool is_too_large;
	struct br_str body;
	const char *exchange;
	const char *routing_key;
	/* "" where the message has none. */
	const char *reply_to;
	const char *correlation_id;
	const char *message_id;
};

/* The answer to a request. Borrowed for the callback. */
struct br_reply {
	/* BR_OK; BR_ENOTFOUND (404); BR_EINPUT: refused; BR_EUNAVAIL: lost. */
	struct br_err err;
	/* The broker's reply code where it refused: 403, 404, 405, 406; else 0. */
	unsigned code;
	/* Of a declared queue. */
	const char *queue;
	uint64_t message_count;
	uint64_t consumer_count;
};

/*
 * Called once for each request; also, with BR_EUNAVAIL, when the connection is lost.
 * What is requested from then on does nothing, and is not answered.
 */
typedef void br_reply_fn(void *ctx, const struct br_reply *reply);

/*
 * All may be NULL but `closed`. Called by br_broker_work() only, as answers are. They
 * may request and publish, but not free the connection.
 */
struct br_broker_handlers {
	void *ctx;
	/* The connection is lost; nothing comes after it. */
	void (*closed)(void *ctx, const struct br_err *why);
	void (*delivered)(void *ctx, const struct br_delivery *delivery);
	/* Publishes up to and with `tag` (or it alone) are the broker's. */
	void (*confirmed)(void *ctx, unsigned channel, uint64_t tag,
		bool is_multiple, bool is_accepted);
	/* A mandatory message that no queue took; its confirm comes after this. */
	void (*returned)(void *ctx, unsigned channel, const char *routing_key);
	/* The broker has ended the consumer of a channel: its queue is gone. */
	void (*cancelled)(void *ctx, unsigned channel);
	/* The broker has closed a channel; it is open again, and empty. */
	void (*channel_closed)(
		void *ctx, unsigned channel, const struct br_reply *why);
	/* It takes nothing that is published (or does again). */
	void (*blocked)(void *ctx, bool is_blocked, const char *why);
};

/*
 * Connect and log in.
 *
 * Ownership: br_broker_free(). Fails with BR_EINPUT for an address that is none,
 * BR_ENOTFOUND where user, password or virtual host are refused (trying again soon is
 * of no use), BR_EUNAVAIL or BR_ETIMEDOUT where nobody answers, BR_EPROTO for a broker
 * that is too old or none. No text has the password.
 */
bool br_broker_open(const struct br_broker_options *options,
	const struct br_broker_handlers *handlers, struct br_broker **broker,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Close the connection, politely where that takes no more than a quarter of a second.
 * Nothing is called any more. May be NULL.
 */
void br_broker_free(struct br_broker *broker);

BR_DEFINE_AUTO(br_broker)

/* Give the address without user and password. Borrowed. */
const char *br_broker_show(const struct br_broker *broker);

/* Version of the server, as it says: `3.10.8`. Borrowed. */
const char *br_broker_version(const struct br_broker *broker);

/* The descriptor to poll. */
int br_broker_fd(const struct br_broker *broker);

/* What to poll it for; ask each time. */
short br_broker_poll_events(const struct br_broker *broker);

/*
 * When to call br_broker_work() at the latest, in monotonic ms: for heartbeats, and at
 * once (0) where something is there that the descriptor does not show.
 */
int64_t br_broker_deadline_ms(const struct br_broker *broker);

/*
 * Read what has come, answer heartbeats, and call the handlers.
 *
 * Fails where the connection is lost, after `closed` was called.
 */
bool br_broker_work(struct br_broker *broker, struct br_err *err) BR_MUST_CHECK;

/*
 * Say whether a message of `len` bytes can be published without waiting. Where it is
 * for want of room that it cannot, br_broker_poll_events() has POLLOUT until the next
 * br_broker_work(): ask again then. Of one that the socket cannot take as a whole the
 * rest is kept, and sent by br_broker_work().
 */
bool br_broker_can_publish(struct br_broker *broker, size_t len);

/*
 * Open a channel, from 1. Requests may follow at once. One that was closed must not
 * be opened again on this connection: the broker may miss it.
 *
 * Names in all requests are of at most 255 bytes; a longer one is answered BR_EINPUT.
 */
void br_channel_open(
	struct br_broker *broker, unsigned channel, br_reply_fn *fn, void *ctx);

/* Close a channel; what waits on it is answered first. Nothing comes after that. */
void br_channel_close(struct br_broker *broker, unsigned channel);

/* Have publishes of a channel confirmed; the first one's tag is 1. */
void br_channel_confirm(
	struct br_broker *broker, unsigned channel, br_reply_fn *fn, void *ctx);

/* Take at most `count` messages before the first is acknowledged. */
void br_channel_prefetch(struct br_broker *broker, unsigned channel,
	uint16_t count, br_reply_fn *fn, void *ctx);

/* What is declared. Strings are borrowed for the call. */
struct br_queue_spec {
	/* "" lets the broker choose one, which the reply has. */
	const char *name;
	/* Only ask whether it is there, whatever the rest says. */
	bool is_passive;
	bool is_durable;
	/* Of this connection, and gone with it. */
	bool is_exclusive;
	bool is_auto_deleted;
	bool is_quorum;
	/* Gone after so many ms without use; 0: never. */
	int64_t expires_ms;
	/* Where messages go that are rejected; NULL: nowhere. */
	const char *dead_letter_exchange;
	const char *dead_letter_routing_key;
	/* At most so many messages, the oldest dropped; 0: no limit. */
	int64_t max_length;
};

/* Declare a queue; the reply has its name and counts. */
void br_queue_declare(struct br_broker *broker, unsigned channel,
	const struct br_queue_spec *spec, br_reply_fn *fn, void *ctx);

/* Have a queue take what comes to an exchange with a routing key. */
void br_queue_bind(struct br_broker *broker, unsigned channel,
	const char *queue, const char *exchange, const char *routing_key,
	br_reply_fn *fn, void *ctx);

/* Delete a queue and what is in it; there being none is no error. */
void br_queue_delete(struct br_broker *broker, unsigned channel,
	const char *queue, br_reply_fn *fn, void *ctx);

/* Declare a durable exchange of `type`: topic, fanout, direct. */
void br_exchange_declare(struct br_broker *broker, unsigned channel,
	const char *name, const char *type, br_reply_fn *fn, void *ctx);

/* Take the messages of a queue, to be acknowledged each. `consumer` names it. */
void br_queue_consume(struct br_broker *broker, unsigned channel,
	const char *queue, const char *consumer, br_reply_fn *fn, void *ctx);

/* End a consumer; what it has not acknowledged stays its channel's. */
void br_queue_cancel(struct br_broker *broker, unsigned channel,
	const char *consumer, br_reply_fn *fn, void *ctx);

/* Acknowledge one message. */
void br_delivery_ack(struct br_broker *broker, unsigned channel, uint64_t tag);

/* Give it back to its queue, or, without `is_requeued`, to its dead letters. */
void br_delivery_reject(struct br_broker *broker, unsigned channel,
	uint64_t tag, bool is_requeued);

/* One of a message's headers. */
struct br_header {
	/* Of at most 255 bytes. */
	const char *name;
	/* Text. */
	const char *value;
};

enum { BR_HEADERS_MAX = 8 };

/* A message to publish. Borrowed for the call. */
struct br_message {
	/* "" is the default one: the routing key is a queue. */
	const char *exchange;
	const char *routing_key;
	struct br_str body;
	/* Survives a restart of the broker, in a durable queue. */
	bool is_persistent;
	/* Returned where no queue takes it. */
	bool is_mandatory;
	/* NULL: none. */
	const char *reply_to;
	const char *correlation_id;
	const char *message_id;
	/* At most BR_HEADERS_MAX. */
	const struct br_header *headers;
	size_t header_count;
};

/*
 * Publish. Gives the tag of its confirm, or 0 on a channel without them. Where
 * br_broker_can_publish() says no it may wait for the socket. Strings are of at most
 * 255 bytes each.
 */
uint64_t br_message_publish(struct br_broker *broker, unsigned channel,
	const struct br_message *message);
