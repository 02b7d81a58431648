/* SPDX-License-Identifier: MIT */
/*
 * Requests: each is one method, sent at once, and a note of the method that answers it.
 * librabbitmq's own functions for them wait for the answer.
 */
#include <assert.h>
#include <string.h>

#include "broker/private.h"

enum { ARGUMENTS_MAX = 5 };

/* A request in the making. */
struct request {
	struct br_broker *broker;
	unsigned channel;
	br_reply_fn *fn;
	void *ctx;
	/* A name in it is longer than the wire takes. */
	bool is_too_long;
};

static amqp_bytes_t take_name(struct request *request, const char *name)
{
	if (name && strlen(name) >= BR_NAME_BYTES)
		request->is_too_long = true;
	return br_wire_text(name);
}

static void send_request(const struct request *request, amqp_method_number_t id,
	void *method, amqp_method_number_t expected)
{
	struct br_broker *broker = request->broker;

	if (broker->is_lost)
		return;
	struct br_channel *channel = br_channel_get(broker, request->channel);
	struct br_pending *pending =
		br_channel_expect(channel, expected, request->fn, request->ctx);
	pending->is_unsent = request->is_too_long;
	broker->has_more = broker->has_more || pending->is_unsent;
	if (!pending->is_unsent)
		br_send(broker, request->channel, id, method);
}

void br_channel_open(
	struct br_broker *broker, unsigned channel, br_reply_fn *fn, void *ctx)
{
	const struct request request = { broker, channel, fn, ctx, false };
	amqp_channel_open_t method = { 0 };

	if (broker->is_lost)
		return;
	struct br_channel *made = br_channel_make(broker, channel);
	assert(made->state == BR_CHANNEL_NEW);
	made->state = BR_CHANNEL_OPEN;
	send_request(&request, AMQP_CHANNEL_OPEN_METHOD, &method,
		AMQP_CHANNEL_OPEN_OK_METHOD);
}

void br_channel_close(struct br_broker *broker, unsigned channel)
{
	const struct request request = { broker, channel, NULL, NULL, false };
	amqp_channel_close_t method = { .reply_code = AMQP_REPLY_SUCCESS };

	send_request(&request, AMQP_CHANNEL_CLOSE_METHOD, &method,
		AMQP_CHANNEL_CLOSE_OK_METHOD);
	if (!broker->is_lost)
		br_channel_get(broker, channel)->state = BR_CHANNEL_CLOSING;
}

void br_channel_confirm(
	struct br_broker *broker, unsigned channel, br_reply_fn *fn, void *ctx)
{
	const struct request request = { broker, channel, fn, ctx, false };
	amqp_confirm_select_t method = { 0 };

	send_request(&request, AMQP_CONFIRM_SELECT_METHOD, &method,
		AMQP_CONFIRM_SELECT_OK_METHOD);
	/* The broker counts from here, whenever it says so. */
	if (!broker->is_lost)
		br_channel_get(broker, channel)->next_tag = 1;
}

void br_channel_prefetch(struct br_broker *broker, unsigned channel,
	uint16_t count, br_reply_fn *fn, void *ctx)
{
	const struct request request = { broker, channel, fn, ctx, false };
	amqp_basic_qos_t method = { .prefetch_count = count };

	send_request(&request, AMQP_BASIC_QOS_METHOD, &method,
		AMQP_BASIC_QOS_OK_METHOD);
}

static amqp_table_entry_t *add_argument(amqp_table_t *table, const char *key)
{
	assert(table->num_entries < ARGUMENTS_MAX);
	amqp_table_entry_t *entry = &table->entries[table->num_entries++];

	entry->key = br_wire_text(key);
	return entry;
}

static void add_text(amqp_table_t *table, const char *key, amqp_bytes_t value)
{
	amqp_table_entry_t *entry = add_argument(table, key);

	entry->value.kind = AMQP_FIELD_KIND_UTF8;
	entry->value.value.bytes = value;
}

static void add_number(amqp_table_t *table, const char *key, int64_t value)
{
	amqp_table_entry_t *entry = add_argument(table, key);

	entry->value.kind = AMQP_FIELD_KIND_I64;
	entry->value.value.i64 = value;
}

static void add_arguments(struct request *request, amqp_table_t *table,
	const struct br_queue_spec *spec)
{
	const char *exchange = spec->dead_letter_exchange;
	const char *routing_key = spec->dead_letter_routing_key;

	if (spec->is_quorum)
		add_text(table, "x-queue-type", br_wire_text("quorum"));
	if (spec->expires_ms > 0)
		add_number(table, "x-expires", spec->expires_ms);
	if (exchange)
		add_text(table, "x-dead-letter-exchange",
			take_name(request, exchange));
	if (routing_key)
		add_text(table, "x-dead-letter-routing-key",
			take_name(request, routing_key));
	if (spec->max_length > 0)
		add_number(table, "x-max-length", spec->max_length);
}

void br_queue_declare(struct br_broker *broker, unsigned channel,
	const struct br_queue_spec *spec, br_reply_fn *fn, void *ctx)
{
	struct request request = { broker, channel, fn, ctx, false };
	amqp_table_entry_t entries[ARGUMENTS_MAX] = { 0 };
	amqp_queue_declare_t method = {
		.queue = take_name(&request, spec->name),
		.passive = spec->is_passive,
		.durable = spec->is_durable,
		.exclusive = spec->is_exclusive,
		.auto_delete = spec->is_auto_deleted,
		.arguments = { .entries = entries },
	};

	add_arguments(&request, &method.arguments, spec);
	send_request(&request, AMQP_QUEUE_DECLARE_METHOD, &method,
		AMQP_QUEUE_DECLARE_OK_METHOD);
}

void br_queue_bind(struct br_broker *broker, unsigned channel,
	const char *queue, const char *exchange, const char *routing_key,
	br_reply_fn *fn, void *ctx)
{
	struct request request = { broker, channel, fn, ctx, false };
	amqp_queue_bind_t method = {
		.queue = take_name(&request, queue),
		.exchange = take_name(&request, exchange),
		.routing_key = take_name(&request, routing_key),
	};

	send_request(&request, AMQP_QUEUE_BIND_METHOD, &method,
		AMQP_QUEUE_BIND_OK_METHOD);
}

void br_queue_delete(struct br_broker *broker, unsigned channel,
	const char *queue, br_reply_fn *fn, void *ctx)
{
	struct request request = { broker, channel, fn, ctx, false };
	amqp_queue_delete_t method = { .queue = take_name(&request, queue) };

	send_request(&request, AMQP_QUEUE_DELETE_METHOD, &method,
		AMQP_QUEUE_DELETE_OK_METHOD);
}

void br_exchange_declare(struct br_broker *broker, unsigned channel,
	const char *name, const char *type, br_reply_fn *fn, void *ctx)
{
	struct request request = { broker, channel, fn, ctx, false };
	amqp_exchange_declare_t method = {
		.exchange = take_name(&request, name),
		.type = take_name(&request, type),
		.durable = 1,
	};

	send_request(&request, AMQP_EXCHANGE_DECLARE_METHOD, &method,
		AMQP_EXCHANGE_DECLARE_OK_METHOD);
}

void br_queue_consume(struct br_broker *broker, unsigned channel,
	const char *queue, const char *consumer, br_reply_fn *fn, void *ctx)
{
	struct request request = { broker, channel, fn, ctx, false };
	amqp_basic_consume_t method = {
		.queue = take_name(&request, queue),
		.consumer_tag = take_name(&request, consumer),
	};

	send_request(&request, AMQP_BASIC_CONSUME_METHOD, &method,
		AMQP_BASIC_CONSUME_OK_METHOD);
}

void br_queue_cancel(struct br_broker *broker, unsigned channel,
	const char *consumer, br_reply_fn *fn, void *ctx)
{
	struct request request = { broker, channel, fn, ctx, false };
	amqp_basic_cancel_t method = {
		.consumer_tag = take_name(&request, consumer),
	};

	send_request(&request, AMQP_BASIC_CANCEL_METHOD, &method,
		AMQP_BASIC_CANCEL_OK_METHOD);
}

/* Whether something can be sent on it that is not answered. */
static bool is_open(const struct br_broker *broker, unsigned number)
{
	const struct br_channel *channel = br_channel_find(broker, number);

	return channel && channel->state == BR_CHANNEL_OPEN;
}

void br_delivery_ack(struct br_broker *broker, unsigned channel, uint64_t tag)
{
	amqp_basic_ack_t method = { .delivery_tag = tag };

	if (is_open(broker, channel))
		br_send(broker, channel, AMQP_BASIC_ACK_METHOD, &method);
}

void br_delivery_reject(struct br_broker *broker, unsigned channel,
	uint64_t tag, bool is_requeued)
{
	amqp_basic_reject_t method = {
		.delivery_tag = tag,
		.requeue = is_requeued,
	};

	if (is_open(broker, channel))
		br_send(broker, channel, AMQP_BASIC_REJECT_METHOD, &method);
}
