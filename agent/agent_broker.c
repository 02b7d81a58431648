/* SPDX-License-Identifier: MIT */
/* The connection to the broker, and what comes over it. */
#include <stdlib.h>
#include <string.h>

#include "agent/agent_private.h"
#include "agent/control.h"
#include "agent/names.h"
#include "base/clock.h"

enum {
	HEARTBEAT_SECONDS = 10,
	CONNECT_TIMEOUT_MS = 5000,
	/* Between two attempts to connect; doubled until this. */
	RETRY_LAST_MS = 30 * 1000,
	/* After the broker has refused to let it listen. */
	LISTEN_RETRY_MS = 5000,
	/* Jobs for all agents that one may have: nothing else bounds them. */
	OWN_MAX = 256,
};

static void ignore(void *ctx, const struct br_reply *reply)
{
	(void)ctx;
	(void)reply;
}

static size_t count_own(const struct agent *agent)
{
	size_t count = 0;

	for (size_t i = 0; i < agent->order_count; i++)
		count += agent->orders[i]->is_own;
	return count;
}

/* A job for every agent. */
static void take_own(struct agent *agent, const struct br_delivery *delivery)
{
	struct order *order = NULL;

	if (agent->stop_count > 0 || count_own(agent) >= OWN_MAX ||
		!agent_has_room(agent))
		return;
	order = listener_make_order(
		&agent->order_options, delivery, agent_free_channel(agent));
	if (!order)
		return;
	diary(agent->options->log, "job for all", "build", order->id, NULL);
	listener_answer(&agent->listener, order, delivery);
	agent_add_order(agent, order);
}

static void take_cancel(struct agent *agent, const struct br_delivery *delivery)
{
	char build[BR_UUID_TEXT_BYTES];
	struct br_err err = { 0 };

	if (!control_parse_cancel(delivery->body, build, &err)) {
		diary(agent->options->log, "bad cancel", "why", err.text, NULL);
		return;
	}
	for (size_t i = 0; i < agent->order_count; i++)
		if (strcmp(agent->orders[i]->id, build) == 0)
			order_cancel(agent->orders[i]);
}

static void take_control(
	struct agent *agent, const struct br_delivery *delivery)
{
	if (strcmp(delivery->routing_key, CONTROL_CANCEL) == 0)
		take_cancel(agent, delivery);
	else if (strcmp(delivery->routing_key, CONTROL_JOB) == 0)
		take_own(agent, delivery);
	br_delivery_ack(agent->broker, delivery->channel, delivery->tag);
}

/* The routing key of a job is its queue's name: it came by the default exchange. */
static void take_delivery(void *ctx, const struct br_delivery *delivery)
{
	struct agent *agent = ctx;
	struct order *made = NULL;

	if (delivery->channel == CHANNEL_CONTROL) {
		take_control(agent, delivery);
		return;
	}
	/* Six labels make 64 queues, each with as many as may run. */
	if (!agent_has_room(agent)) {
		br_delivery_reject(
			agent->broker, delivery->channel, delivery->tag, true);
		return;
	}
	made = order_new(&agent->order_options, delivery, delivery->routing_key,
		agent_free_channel(agent));
	for (size_t i = 0; i < agent->order_count; i++) {
		struct order *order = agent->orders[i];

		if (made->id[0] != '\0' && order->state != ORDER_DONE &&
			order->delivery_tag == 0 &&
			strcmp(order->id, made->id) == 0) {
			order_adopt(order, delivery);
			order_free(made);
			return;
		}
	}
	agent_add_order(agent, made);
}

static void take_confirm(void *ctx, unsigned channel, uint64_t tag,
	bool is_multiple, bool is_accepted)
{
	struct agent *agent = ctx;

	for (size_t i = 0; i < agent->order_count; i++)
		if (agent->orders[i]->channel == channel)
			order_confirmed(agent->orders[i], tag, is_multiple,
				is_accepted);
}

static void take_return(void *ctx, unsigned channel, const char *routing_key)
{
	struct agent *agent = ctx;

	(void)routing_key;
	for (size_t i = 0; i < agent->order_count; i++)
		if (agent->orders[i]->channel == channel)
			order_returned(agent->orders[i]);
}

static void lose_broker(void *ctx, const struct br_err *why)
{
	struct agent *agent = ctx;

	diary(agent->options->log, "broker lost", "why", why->text, NULL);
	agent->channels = (struct order_channels){ 0 };
	for (size_t i = 0; i < agent->order_count; i++)
		order_cast_off(agent->orders[i]);
	agent->is_consuming = false;
	agent->rest_ms = -1;
	agent->listen_ms = -1;
	agent->connect_ms = br_clock_now_ms() + RETRY_FIRST_MS;
	agent->retry_ms = RETRY_FIRST_MS;
}

static void consume_again(void *ctx, unsigned channel)
{
	struct agent *agent = ctx;

	if (channel == CHANNEL_CONTROL) {
		agent->listen_ms = br_clock_now_ms() + LISTEN_RETRY_MS;
		return;
	}
	/* The queue was deleted: it is made anew with the next look at all. */
	agent_stop_consuming(agent);
	agent->rest_ms = br_clock_now_ms() + RETRY_FIRST_MS;
}

static void channel_closed(
	void *ctx, unsigned channel, const struct br_reply *why)
{
	struct agent *agent = ctx;

	if (channel >= CHANNEL_ORDERS && channel < ORDER_CHANNELS)
		agent->channels.is_confirming[channel] = false;
	for (size_t i = 0; i < agent->order_count; i++)
		if (agent->orders[i]->channel == channel)
			order_channel_closed(agent->orders[i]);
	if (channel != CHANNEL_JOBS && channel != CHANNEL_CONTROL)
		return;
	diary(agent->options->log, "channel closed", "why", why->err.text,
		NULL);
	if (channel == CHANNEL_CONTROL) {
		consume_again(agent, channel);
		return;
	}
	for (size_t i = 0; i < agent->order_count; i++)
		order_delivery_lost(agent->orders[i]);
	agent->is_consuming = false;
	consume_again(agent, channel);
}

/* Half of it and more, so that not all agents come at once. */
static int64_t jitter(int64_t ms)
{
	return ms / 2 + (int64_t)(random() % (long)(ms / 2 + 1));
}

static int64_t next_retry_ms(const struct agent *agent)
{
	int64_t last_ms = ledger_is_fresh(&agent->ledger) ? LEDGER_RETRY_MS
							  : RETRY_LAST_MS;

	return agent->retry_ms * 2 > last_ms ? last_ms : agent->retry_ms * 2;
}

bool agent_connect(struct agent *agent)
{
	const struct agent_options *options = agent->options;
	const struct br_broker_options where = {
		.url = options->broker,
		.ca_file = options->ca_file,
		.cert_file = options->cert_file,
		.key_file = options->key_file,
		.name = options->name,
		.heartbeat_seconds = HEARTBEAT_SECONDS,
		.timeout_ms = CONNECT_TIMEOUT_MS,
	};
	const struct br_broker_handlers handlers = {
		.ctx = agent,
		.closed = lose_broker,
		.delivered = take_delivery,
		.confirmed = take_confirm,
		.returned = take_return,
		.cancelled = consume_again,
		.channel_closed = channel_closed,
	};
	struct br_err err = { 0 };

	agent->connect_ms = -1;
	if (!br_broker_open(&where, &handlers, &agent->broker, &err)) {
		diary(agent->options->log, "no broker", "why", err.text, NULL);
		agent->connect_ms = br_clock_now_ms() + jitter(agent->retry_ms);
		agent->retry_ms = next_retry_ms(agent);
		return err.code != BR_EINPUT;
	}
	diary(agent->options->log, "connected", "broker",
		br_broker_show(agent->broker), "version",
		br_broker_version(agent->broker), NULL);
	agent->order_options.broker = agent->broker;
	br_channel_open(agent->broker, CHANNEL_JOBS, ignore, NULL);
	br_channel_open(agent->broker, CHANNEL_LOOK, ignore, NULL);
	br_channel_open(agent->broker, CHANNEL_LEDGER, ignore, NULL);
	ledger_repeat(&agent->ledger, agent->broker, CHANNEL_LEDGER);
	br_exchange_declare(agent->broker, CHANNEL_JOBS, NAMES_EVENTS, "topic",
		ignore, NULL);
	agent->listener.broker = agent->broker;
	br_channel_open(agent->broker, CHANNEL_CONTROL, ignore, NULL);
	listener_start(&agent->listener);
	/* What is still ours is claimed before anything new is taken. */
	for (size_t i = 0; i < agent->order_count; i++)
		if (agent->orders[i]->state == ORDER_ADRIFT)
			order_return(agent->orders[i]);
	if (agent->rest_ms < 0)
		agent->rest_ms = 0;
	return true;
}
