/* SPDX-License-Identifier: MIT */
/* The orders in the agent's hands: what may begin, what has ended, what goes back. */
#include <stdlib.h>
#include <string.h>

#include "agent/agent_private.h"
#include "base/alloc.h"
#include "base/clock.h"

enum {
	/* After a failure of its own, so that others get the job. */
	REST_MS = 2000,
	/* For builds to clean up; less than the broker waits for a heartbeat. */
	STOP_MS = 10 * 1000,
	/* Begun anew: more often than it has tries, where the broker refuses them. */
	AGAIN_MAX = 4,
};

static size_t count_working(const struct agent *agent)
{
	size_t count = 0;

	for (size_t i = 0; i < agent->order_count; i++)
		count += agent->orders[i]->state != ORDER_WAITING &&
			agent->orders[i]->state != ORDER_DONE &&
			agent->orders[i]->state != ORDER_CLAIMED_ELSEWHERE;
	return count;
}

/*
 * Whether another order is at the same job: a job that is queued twice is reported
 * once, and the claim is the connection's, not an order's.
 */
static bool is_in_hands(const struct agent *agent, const struct order *order)
{
	for (size_t i = 0; i < agent->order_count; i++) {
		const struct order *other = agent->orders[i];
		bool is_gone =
			other->state == ORDER_DONE && other->pending_count == 0;

		if (other != order && !is_gone &&
			other->state != ORDER_WAITING &&
			other->state != ORDER_CLAIMED_ELSEWHERE &&
			order->id[0] != '\0' &&
			strcmp(other->id, order->id) == 0)
			return true;
	}
	return false;
}

/* What nobody else will do is still done by an agent that takes no more jobs. */
static bool may_begin(const struct agent *agent, const struct order *order)
{
	return order->state == ORDER_WAITING &&
		(agent->stop_count == 0 ||
			(order->is_own && agent->stop_count == 1));
}

/* Begin what waits, as far as jobs are free. */
void agent_begin_waiting(struct agent *agent)
{
	for (size_t i = 0; agent->broker && i < agent->order_count; i++)
		if (may_begin(agent, agent->orders[i]) &&
			!is_in_hands(agent, agent->orders[i]) &&
			(agent->orders[i]->is_own ||
				health_may_begin(&agent->operations.health)) &&
			count_working(agent) < agent->options->jobs)
			order_begin(agent->orders[i]);
}

void agent_order_ended(void *ctx, struct order *order, enum order_end end)
{
	struct agent *agent = ctx;

	diary(agent->options->log, "job", "build", order->id, "end",
		end == ORDER_END_REPORTED            ? "reported"
			: end == ORDER_END_ELSEWHERE ? "elsewhere"
			: end == ORDER_END_MOVED     ? "moved"
						     : "given back",
		NULL);
	operations_count(&agent->operations, order, end);
	if (end != ORDER_END_AGAIN)
		return;
	order->is_again = order->is_own && order->again_count < AGAIN_MAX;
	agent_stop_consuming(agent);
	agent->rest_ms = br_clock_now_ms() + REST_MS;
}

static bool is_channel_taken(const struct agent *agent, unsigned channel)
{
	for (size_t i = 0; i < agent->order_count; i++)
		if (agent->orders[i]->channel == channel)
			return true;
	return false;
}

unsigned agent_free_channel(const struct agent *agent)
{
	unsigned channel = CHANNEL_ORDERS;

	while (is_channel_taken(agent, channel))
		channel++;
	return channel;
}

/* Each order has a channel. */
bool agent_has_room(const struct agent *agent)
{
	return agent->order_count + CHANNEL_ORDERS < ORDER_CHANNELS;
}

void agent_add_order(struct agent *agent, struct order *order)
{
	agent->orders = br_grow(agent->orders, agent->order_count,
		&agent->order_capacity, sizeof(struct order *));
	agent->orders[agent->order_count++] = order;
	agent_begin_waiting(agent);
}

/* Not before nothing is asked for any more: the claim is gone for certain then. */
void agent_begin_again(struct agent *agent)
{
	for (size_t i = 0; i < agent->order_count; i++) {
		struct order *order = agent->orders[i];

		if (!order->is_again || order->state != ORDER_DONE ||
			order->pending_count > 0)
			continue;
		agent->orders[i] = listener_again(order);
		order_free(order);
	}
}

/* Forget orders that are done and that nothing asks for any more. */
void agent_drop_done(struct agent *agent)
{
	size_t kept = 0;

	for (size_t i = 0; i < agent->order_count; i++) {
		struct order *order = agent->orders[i];

		if (order->state == ORDER_DONE && order->pending_count == 0)
			order_free(order);
		else
			agent->orders[kept++] = order;
	}
	agent->order_count = kept;
}

/* What was never begun goes back at once. */
void agent_give_jobs_back(struct agent *agent)
{
	for (size_t i = 0; i < agent->order_count; i++) {
		struct order *order = agent->orders[i];
		bool is_begun = order->state != ORDER_WAITING &&
			order->state != ORDER_CLAIMED_ELSEWHERE;

		if (!is_begun && !order->is_own && agent->broker) {
			br_delivery_reject(agent->broker,
				order->delivery_channel, order->delivery_tag,
				true);
			order->state = ORDER_DONE;
			order->due_ms = -1;
		}
	}
}

/* Before their jobs go back: nobody else works on them until nothing is left here. */
void agent_stop_builds(struct agent *agent)
{
	int64_t deadline_ms = br_clock_now_ms() + STOP_MS;

	for (size_t i = 0; i < agent->order_count; i++)
		worker_abort(&agent->orders[i]->worker);
	for (size_t i = 0; i < agent->order_count; i++)
		worker_await(&agent->orders[i]->worker, deadline_ms);
}
