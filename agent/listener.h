/* SPDX-License-Identifier: MIT */
/*
 * listener.h - an agent's ear at the control exchange, and what it makes of a job there.
 */
#pragma once

#include "agent/diary.h"
#include "agent/order.h"
#include "base/attr.h"
#include "broker/broker.h"

/* Where an agent listens; must stay until the connection is gone. */
struct listener {
	struct br_broker *broker;
	/* Open, and nothing else's. */
	unsigned channel;
	/* How the agent writes its diary. */
	enum diary_form log;
	/* What its messages are consumed as. */
	unsigned consumer;
	/* Its queue; "": not known yet. */
	char queue[256];
};

/* Begin to listen: what is said comes as deliveries on its channel. */
void listener_start(struct listener *listener);

/*
 * Make an order of a `job`, under a new id.
 *
 * Gives NULL where the job has labels that this agent has not. Ownership:
 * order_free().
 */
struct order *listener_make_order(const struct order_options *options,
	const struct br_delivery *delivery, unsigned channel);

/*
 * Make the order anew that has ended in our own failure, on its channel. Ownership:
 * order_free().
 */
struct order *listener_again(const struct order *order) BR_NONNULL_RESULT;

/* Answer to a `job` that this agent builds it. */
void listener_answer(const struct listener *listener, const struct order *order,
	const struct br_delivery *delivery);
