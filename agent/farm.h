/* SPDX-License-Identifier: MIT */
/*
 * farm.h - the connection of a command (submit, cancel, watch) to the broker.
 *
 * A command does one thing after the other, so what it asks of the broker is waited for
 * here, in farm_turn(), which is the only place that sleeps. Meanwhile messages are
 * kept in the order in which they came, and a signal is noted; whoever waits is told of
 * it as BR_ECANCELED, and decides.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "broker/broker.h"
#include "cmd/options/options.h"

enum {
	/* Confirms what is published. */
	FARM_MAIN = 1,
	/* For what may be refused. */
	FARM_LOOK = 2,
	FARM_EVENTS = 3,
	FARM_REPLIES = 4,
};

enum { FARM_QUEUE_BYTES = 256 };

/* The contract's exit codes. */
enum {
	FARM_EXIT_PASS = 0,
	FARM_EXIT_USAGE = 2,
	FARM_EXIT_ENVIRONMENT = 3,
	FARM_EXIT_SIGNAL = 128,
};

/* A message that came and was not taken yet. */
struct farm_message {
	struct farm_message *next;
	uint64_t tag;
	char *routing_key;
	/* Bytes. */
	char *body;
	size_t body_len;
};

/* What the broker answered. Starts out all zero. */
struct farm_answer {
	bool is_there;
	struct br_err err;
	unsigned code;
	uint64_t message_count;
	uint64_t consumer_count;
	char queue[FARM_QUEUE_BYTES];
};

/* Messages of a channel, the oldest first. */
struct farm_inbox {
	struct farm_message *first;
	struct farm_message **last;
};

/* Private, but for `broker` and `signal`. */
struct farm {
	struct br_broker *broker;
	/* The last signal that nobody took note of; 0: none. */
	int signal;

	/* By channel. */
	struct farm_inbox inboxes[FARM_REPLIES + 1];
	int signal_fd;
	/* Of the queue that events come into; "": there is none. */
	char events[FARM_QUEUE_BYTES];
	struct br_err lost;
	/* Of what is being published on FARM_MAIN. */
	uint64_t tag;
	bool is_confirmed;
	bool is_accepted;
	bool is_returned;
};

/*
 * Connect as the options say, and have SIGINT, SIGTERM and SIGHUP noted.
 *
 * Ownership: farm_close(), also after a failure. Fails as br_broker_open().
 */
bool farm_open(const struct options *options, struct farm *farm,
	struct br_err *err) BR_MUST_CHECK;

/* Close the connection and forget the messages. */
void farm_close(struct farm *farm);

/*
 * Wait for the broker, a signal, input on `fd` (-1: none) or the time (monotonic ms;
 * -1: none), and take note of what came. *is_ready, which may be NULL, says whether
 * `fd` can be read.
 *
 * Fails with BR_EUNAVAIL where the connection is lost.
 */
bool farm_turn(struct farm *farm, int64_t until_ms, int fd, bool *is_ready,
	struct br_err *err) BR_MUST_CHECK;

/* Take an answer: for requests, with a struct farm_answer as their context. */
void farm_take_answer(void *ctx, const struct br_reply *reply);

/*
 * Wait until `answer` is there; what it says is the caller's to look at.
 *
 * Limits: after 30 s it fails with BR_ETIMEDOUT. Fails with BR_ECANCELED at a signal,
 * and as farm_turn(). After a failure nothing more may be asked: the answer may come.
 */
bool farm_await(struct farm *farm, struct farm_answer *answer,
	struct br_err *err) BR_MUST_CHECK;

/*
 * farm_await() for what the broker must not refuse: fails with its words then.
 */
bool farm_expect(struct farm *farm, struct farm_answer *answer,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Publish a message and wait until the broker has it. With *is_returned false it is in
 * a queue, if the message is mandatory.
 *
 * Fails with BR_EUNAVAIL where the broker does not take it, and as farm_await().
 */
bool farm_publish(struct farm *farm, const struct br_message *message,
	bool *is_returned, struct br_err *err) BR_MUST_CHECK;

/*
 * Have events come whose routing key fits `key`, on FARM_EVENTS.
 *
 * Fails as farm_expect().
 */
bool farm_subscribe(
	struct farm *farm, const char *key, struct br_err *err) BR_MUST_CHECK;

/*
 * Have messages come into a queue of our own, on `channel`. Gives its name.
 *
 * Fails as farm_expect().
 */
bool farm_listen(struct farm *farm, unsigned channel,
	char queue[FARM_QUEUE_BYTES], struct br_err *err) BR_MUST_CHECK;

/* Find the first message on `channel`; NULL: none. Borrowed until farm_drop(). */
const struct farm_message *farm_first(
	const struct farm *farm, unsigned channel);

/* The first message on `channel` is done with. */
void farm_drop(struct farm *farm, unsigned channel);

/* Print "buildr: <text>" on stderr, and give the exit status. */
int farm_complain(const struct farm *farm, const struct br_err *err);
