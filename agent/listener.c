/* SPDX-License-Identifier: MIT */
#include "agent/listener.h"

#include <stdio.h>
#include <string.h>

#include "agent/control.h"
#include "agent/diary.h"
#include "agent/names.h"
#include "base/clean.h"

static void ignore(void *ctx, const struct br_reply *reply)
{
	(void)ctx;
	(void)reply;
}

static void on_consuming(void *ctx, const struct br_reply *reply)
{
	const struct listener *listener = ctx;

	if (reply->err.code != BR_OK && reply->err.code != BR_EUNAVAIL)
		diary(listener->log, "no control", "why", reply->err.text,
			NULL);
}

static void on_queue(void *ctx, const struct br_reply *reply)
{
	struct listener *listener = ctx;
	char name[24];

	if (reply->err.code != BR_OK) {
		on_consuming(ctx, reply);
		return;
	}
	(void)snprintf(
		listener->queue, sizeof(listener->queue), "%s", reply->queue);
	(void)snprintf(name, sizeof(name), "control-%u", ++listener->consumer);
	br_queue_bind(listener->broker, listener->channel, reply->queue,
		NAMES_CONTROL, "", ignore, NULL);
	br_queue_consume(listener->broker, listener->channel, reply->queue,
		name, on_consuming, listener);
}

void listener_start(struct listener *listener)
{
	const struct br_queue_spec spec = {
		.name = "",
		.is_exclusive = true,
		.is_auto_deleted = true,
	};

	br_exchange_declare(listener->broker, listener->channel, NAMES_CONTROL,
		"fanout", ignore, NULL);
	br_queue_declare(
		listener->broker, listener->channel, &spec, on_queue, listener);
}

static bool has_label(const struct job_texts *labels, const char *label)
{
	for (size_t i = 0; i < labels->count; i++)
		if (strcmp(labels->items[i], label) == 0)
			return true;
	return false;
}

static bool has_labels(
	const struct job_texts *labels, const struct job_texts *wanted)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (!has_label(labels, wanted->items[i]))
			return false;
	return true;
}

/* As if it had been delivered from where it belongs. */
static struct order *make_own(const struct order_options *options,
	struct br_str body, const char *id, const char *queue, unsigned channel)
{
	const struct br_delivery delivery = {
		.body = body,
		.exchange = "",
		.routing_key = queue,
		.reply_to = "",
		.correlation_id = "",
		.message_id = id,
	};
	struct order *order = order_new(options, &delivery, queue, channel);

	order->is_own = true;
	return order;
}

struct order *listener_make_order(const struct order_options *options,
	const struct br_delivery *delivery, unsigned channel)
{
	br_autobuf struct br_buf body = { 0 };
	struct order *order = NULL;
	struct job *job = NULL;
	char id[BR_UUID_TEXT_BYTES];
	struct br_err err = { 0 };
	/* What is wrong with it is the order's to report. */
	bool is_job = job_parse(delivery->body, &job, &err);
	br_autofree char *queue = names_job_queue(options->queue, &job->labels);

	if (is_job && !has_labels(options->labels, &job->labels)) {
		job_free(job);
		return NULL;
	}
	if (br_uuid_make(id, &err)) {
		if (job->tree)
			job_format(job, id, &body);
		else
			br_buf_add(
				&body, delivery->body.data, delivery->body.len);
		order = make_own(
			options, br_buf_str(&body), id, queue, channel);
	}
	job_free(job);
	return order;
}

struct order *listener_again(const struct order *order)
{
	struct order *again = make_own(order->options, br_buf_str(&order->body),
		order->id, order->queue, order->channel);

	again->again_count = order->again_count + 1;
	return again;
}

void listener_answer(const struct listener *listener, const struct order *order,
	const struct br_delivery *delivery)
{
	br_autobuf struct br_buf body = { 0 };
	struct control_answer answer = {
		.agent = order->options->name,
		.queue = listener->queue,
	};

	if (delivery->reply_to[0] == '\0')
		return;
	memcpy(answer.build, order->id, sizeof(answer.build));
	control_format_answer(&answer, &body);
	const struct br_message message = {
		.exchange = "",
		.routing_key = delivery->reply_to,
		.body = br_buf_str(&body),
		.correlation_id = delivery->correlation_id,
	};
	(void)br_message_publish(listener->broker, listener->channel, &message);
}
