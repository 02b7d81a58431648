/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "agent/names.h"
#include "agent/order_private.h"
#include "base/clean.h"

static char *name_target(const struct order *order)
{
	const struct job_texts none = { 0 };

	/* A bad job stays where jobs without labels are. */
	return names_job_queue(order->options->queue,
		order->mistake.code == BR_OK ? &order->job->labels : &none);
}

/* What cannot be read goes back as it is, with the id beside it. */
static void make_copy(
	const struct order *order, const char *id, struct br_buf *body)
{
	if (order->mistake.code == BR_OK)
		job_format(order->job, id, body);
	else
		br_buf_add(body, order->body.data, order->body.len);
}

static void publish_copy(struct order *order, const char *target)
{
	br_autobuf struct br_buf body = { 0 };
	struct br_err err = { 0 };
	char id[BR_UUID_TEXT_BYTES];

	(void)snprintf(id, sizeof(id), "%s", order->id);
	if (id[0] == '\0' && !br_uuid_make(id, &err)) {
		order_hand_back(order);
		return;
	}
	make_copy(order, id, &body);

	const struct br_message message = {
		.exchange = "",
		.routing_key = target,
		.body = br_buf_str(&body),
		.is_persistent = true,
		.is_mandatory = true,
		.reply_to = order->reply_to,
		.correlation_id = order->correlation_id,
		.message_id = id,
	};
	order_send(order, &message, -1);
}

static void on_confirming(void *ctx, const struct br_reply *reply);

static void on_target(void *ctx, const struct br_reply *reply)
{
	enum { PRECONDITION_FAILED = 406 };
	struct order *order = ctx;

	if (!order_take(order, ORDER_MOVING))
		return;
	/* It is there in another form: the channel is closed, and we go on then. */
	order->has_target = true;
	if (reply->code == PRECONDITION_FAILED || order_refuse(order, reply))
		return;
	/* Also where it was closed for the queue of the dead. */
	order_confirm_channel(order, on_confirming);
}

static void on_confirming(void *ctx, const struct br_reply *reply)
{
	struct order *order = ctx;

	if (!order_take(order, ORDER_MOVING) || order_refuse(order, reply))
		return;

	br_autofree char *target = name_target(order);
	if (order->has_target || strcmp(order->queue, target) == 0) {
		publish_copy(order, target);
		return;
	}
	order_await(order);
	names_declare_job_queue(order->options->broker, order->channel,
		order->options->queue, target, on_target, order);
}

void order_move(struct order *order)
{
	order->state = ORDER_MOVING;
	order_open_channel(order);
	order_confirm_channel(order, on_confirming);
}

void order_moved(struct order *order)
{
	if (order->is_returned) {
		/* The queue is gone again: the job is not. */
		order->has_target = false;
		order_leave(order);
		return;
	}
	order_acknowledge(order);
	order_finish(order, ORDER_END_MOVED);
}
