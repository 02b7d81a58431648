/* SPDX-License-Identifier: MIT */
/*
 * control.h - what is said to all agents at once, over the exchange `buildr.control`.
 *
 * The routing key says what it is:
 *
 *	cancel  {"build": "<id>"}: whoever has this build stops it.
 *	job     a job, for every agent that has its labels: each builds it under an id
 *	        of its own, and answers {"agent": "<name>", "build": "<id>"} to
 *	        `reply_to`.
 *
 * Each agent hears it through a queue of its own, which is gone with its connection:
 * an agent that is not there misses it.
 */
#pragma once

#include <stdbool.h>

#include "agent/order.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/uuid.h"
#include "broker/broker.h"

#define CONTROL_CANCEL "cancel"
#define CONTROL_JOB "job"

/* Where an agent listens; must stay until the connection is gone. */
struct control {
	struct br_broker *broker;
	/* Open, and nothing else's. */
	unsigned channel;
	/* What its messages are consumed as. */
	unsigned consumer;
};

/* Begin to listen: what is said comes as deliveries on its channel. */
void control_listen(struct control *control);

/* Add the body of a `cancel`. */
void control_format_cancel(const char *build, struct br_buf *body);

/*
 * Read the body of a `cancel`: the build, in lower case.
 *
 * Fails with BR_EINPUT.
 */
bool control_parse_cancel(struct br_str body, char build[BR_UUID_TEXT_BYTES],
	struct br_err *err) BR_MUST_CHECK;

/*
 * Make an order of a `job`, under a new id.
 *
 * Gives NULL where the job has labels that this agent has not. Ownership:
 * order_free().
 */
struct order *control_make_order(const struct order_options *options,
	const struct br_delivery *delivery, unsigned channel);

/*
 * Make the order anew that has ended in our own failure, on its channel. Ownership:
 * order_free().
 */
struct order *control_again(const struct order *order) BR_NONNULL_RESULT;

/* Answer to a `job` that this agent builds it. */
void control_answer(const struct control *control, const struct order *order,
	const struct br_delivery *delivery);

/*
 * Read such an answer.
 *
 * Ownership: *agent lives in `arena`. Fails with BR_EINPUT.
 */
bool control_parse_answer(struct br_str body, struct br_arena *arena,
	const char **agent, char build[BR_UUID_TEXT_BYTES],
	struct br_err *err) BR_MUST_CHECK;
