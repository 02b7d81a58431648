/* SPDX-License-Identifier: MIT */
/*
 * agent_private.h - what the files of the agent's loop share.
 *
 * agent.c is the loop, its signals and its clock; agent_broker.c has the connection and
 * what comes over it; agent_consume.c the queues that jobs come from; agent_orders.c the
 * jobs in its hands.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/agent.h"
#include "agent/diary.h"
#include "agent/listener.h"
#include "agent/operations.h"
#include "agent/order.h"
#include "broker/broker.h"

enum {
	CHANNEL_JOBS = 1,
	/* For what may be refused: a queue that is not there, or otherwise. */
	CHANNEL_LOOK = 2,
	/* For what was reported before the connection was lost. */
	CHANNEL_LEDGER = 3,
	/* For what is said to all agents. */
	CHANNEL_CONTROL = 4,
	/* The first of the orders' own. */
	CHANNEL_ORDERS = 5,
	/* Between two attempts, at first. */
	RETRY_FIRST_MS = 500,
};

struct agent {
	const struct agent_options *options;
	struct br_broker *broker;
	struct listener listener;
	struct order_options order_options;
	/* In no order; `capacity` also bounds the channels. */
	struct order **orders;
	size_t order_count;
	size_t order_capacity;
	struct order_channels channels;
	struct ledger ledger;
	/* Queues that are consumed, by the number of their consumer. */
	char **queues;
	size_t queue_count;
	int signal_fd;
	/* When to connect again, or to begin to take jobs; -1: not. */
	int64_t connect_ms;
	int64_t rest_ms;
	/* When to listen to the control exchange again. */
	int64_t listen_ms;
	int64_t retry_ms;
	bool is_consuming;
	/*
	 * Which queue is looked at before it is consumed, whether the broker has been
	 * asked about it, and whether that is not to be heeded: all begins anew.
	 */
	struct {
		size_t index;
		bool is_asking;
		bool is_anew;
	} walk;
	/* How often it has begun to take jobs: what is answered late is known by it. */
	unsigned consume_count;
	struct operations operations;
	const struct agent_reload *reload;
	/* 0: goes on; 1: takes no more; 2: leaves. */
	unsigned stop_count;
};

/* agent_broker.c */

/*
 * Connect, and claim what is still ours. Where nobody answers it is tried again later.
 * Gives false where that is of no use: the address is none.
 */
bool agent_connect(struct agent *agent);

/* agent_consume.c */

/* Make the names of the queues to take from. Ownership: agent_free_queues(). */
void agent_name_queues(struct agent *agent);

/* Free the names. May be called twice. */
void agent_free_queues(struct agent *agent);

/* Whether jobs may be taken, and are not. */
bool agent_may_consume(const struct agent *agent);

/* Take jobs from every queue; one that is not there is made. */
void agent_start_consuming(struct agent *agent);

/* Take no more. What has come and was not begun is not given back by this. */
void agent_stop_consuming(struct agent *agent);

/* agent_orders.c */

/* Whether one more order gets a channel of its own. */
bool agent_has_room(const struct agent *agent);

/* Find a channel that no order has. */
unsigned agent_free_channel(const struct agent *agent);

/* Take an order, and begin it where it may. */
void agent_add_order(struct agent *agent, struct order *order);

/* Begin what waits, as far as jobs are free. */
void agent_begin_waiting(struct agent *agent);

/* Begin anew what failed here and what nobody else will do. */
void agent_begin_again(struct agent *agent);

/* Forget orders that are done and that nothing asks for any more. */
void agent_drop_done(struct agent *agent);

/* What was never begun goes back at once. */
void agent_give_jobs_back(struct agent *agent);

/* End all builds, before their jobs go back: then nobody works on them here. */
void agent_stop_builds(struct agent *agent);

/* For struct order_options; `ctx` is the agent. */
void agent_order_ended(void *ctx, struct order *order, enum order_end end);
