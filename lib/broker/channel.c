/* SPDX-License-Identifier: MIT */
/* Channels: requests and their answers, in order, and what happens when one is closed. */
#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "broker/private.h"

struct br_channel *br_channel_find(
	const struct br_broker *broker, unsigned number)
{
	return number < broker->channel_count ? broker->channels[number] : NULL;
}

struct br_channel *br_channel_get(
	const struct br_broker *broker, unsigned number)
{
	struct br_channel *channel = br_channel_find(broker, number);

	assert(channel && channel->state == BR_CHANNEL_OPEN);
	return channel;
}

struct br_channel *br_channel_make(struct br_broker *broker, unsigned number)
{
	assert(number >= 1 && number <= UINT16_MAX);
	if (number >= broker->channel_count) {
		broker->channels = br_realloc_array(broker->channels,
			number + 1, sizeof(struct br_channel *));
		while (broker->channel_count <= number)
			broker->channels[broker->channel_count++] = NULL;
	}
	if (!broker->channels[number]) {
		struct br_channel *made = br_alloc(sizeof(*made));

		made->number = number;
		made->last = &made->first;
		broker->channels[number] = made;
	}
	return broker->channels[number];
}

/* Take the first request off. Ownership: the caller frees it. */
static struct br_pending *take_first(struct br_channel *channel)
{
	struct br_pending *first = channel->first;

	if (!first)
		return NULL;
	channel->first = first->next;
	if (!channel->first)
		channel->last = &channel->first;
	return first;
}

void br_channels_free(struct br_broker *broker)
{
	for (size_t i = 0; i < broker->channel_count; i++) {
		struct br_channel *channel = broker->channels[i];

		if (!channel)
			continue;
		while (channel->first)
			free(take_first(channel));
		br_buf_done(&channel->content.body);
		free(channel);
	}
	free(broker->channels);
	broker->channels = NULL;
	broker->channel_count = 0;
}

struct br_pending *br_channel_expect(struct br_channel *channel,
	amqp_method_number_t expected, br_reply_fn *fn, void *ctx)
{
	struct br_pending *pending = br_alloc(sizeof(*pending));

	pending->expected = expected;
	pending->fn = fn;
	pending->ctx = ctx;
	*channel->last = pending;
	channel->last = &pending->next;
	return pending;
}

static void answer(
	const struct br_pending *pending, const struct br_reply *reply)
{
	if (pending->fn)
		pending->fn(pending->ctx, reply);
}

void br_channel_settle(struct br_broker *broker, struct br_channel *channel)
{
	struct br_reply reply = { .queue = "" };

	(void)br_fail(&reply.err, BR_EINPUT,
		"%s: a name is longer than 255 bytes", broker->address.shown);
	while (channel->first && channel->first->is_unsent) {
		br_autofree struct br_pending *pending = take_first(channel);

		answer(pending, &reply);
	}
}

/*
 * Answer those who wait, up to the one that was the last when this began: who is told
 * may ask for something new.
 */
static void answer_all(struct br_channel *channel, const struct br_reply *reply)
{
	struct br_pending *waiting = channel->first;

	channel->first = NULL;
	channel->last = &channel->first;
	while (waiting) {
		br_autofree struct br_pending *pending = waiting;

		waiting = pending->next;
		answer(pending, reply);
	}
}

static void take_answer(struct br_broker *broker, struct br_channel *channel,
	amqp_method_number_t id, const struct br_reply *reply)
{
	if (!channel->first || channel->first->expected != id) {
		br_broker_breakf(broker, BR_EPROTO,
			"an answer that nobody asked for: %s",
			amqp_method_name(id) ? amqp_method_name(id) : "?");
		return;
	}
	br_autofree struct br_pending *pending = take_first(channel);
	if (id == AMQP_CHANNEL_CLOSE_OK_METHOD)
		channel->state = BR_CHANNEL_CLOSED;
	answer(pending, reply);
	br_channel_settle(broker, channel);
}

static enum br_code refusal_code(uint16_t code)
{
	return code == AMQP_NOT_FOUND ? BR_ENOTFOUND : BR_EINPUT;
}

/*
 * Answer the broker's close, and open the channel again unless we closed it too. A message
 * of which the rest has not been sent is sent first: the broker counts its bytes also on a
 * channel that it has closed.
 */
static void reopen(struct br_broker *broker, struct br_channel *channel)
{
	amqp_channel_close_ok_t close_ok = { 0 };
	amqp_channel_open_t open = { 0 };

	br_content_reset(&channel->content);
	channel->next_tag = 0;
	br_send(broker, channel->number, AMQP_CHANNEL_CLOSE_OK_METHOD,
		&close_ok);
	if (channel->state == BR_CHANNEL_CLOSING) {
		channel->state = BR_CHANNEL_CLOSED;
		return;
	}
	br_send(broker, channel->number, AMQP_CHANNEL_OPEN_METHOD, &open);
}

static void handle_close(struct br_broker *broker, struct br_channel *channel,
	const amqp_channel_close_t *method)
{
	struct br_reply reply = { .code = method->reply_code, .queue = "" };
	char words[256];

	br_close_text(method->reply_code, method->reply_text, words);
	(void)br_fail(&reply.err, refusal_code(method->reply_code), "%s: %s",
		broker->address.shown, words);

	struct br_pending *waiting = channel->first;
	struct br_channel old = { .first = waiting };
	channel->first = NULL;
	channel->last = &channel->first;
	reopen(broker, channel);
	if (channel->state == BR_CHANNEL_OPEN)
		(void)br_channel_expect(
			channel, AMQP_CHANNEL_OPEN_OK_METHOD, NULL, NULL);
	answer_all(&old, &reply);
	if (channel->state == BR_CHANNEL_OPEN &&
		broker->handlers.channel_closed)
		broker->handlers.channel_closed(
			broker->handlers.ctx, channel->number, &reply);
}

static void handle_declared(struct br_broker *broker,
	struct br_channel *channel, const amqp_queue_declare_ok_t *method)
{
	char queue[BR_NAME_BYTES];
	const struct br_reply reply = {
		.queue = queue,
		.message_count = method->message_count,
		.consumer_count = method->consumer_count,
	};

	br_wire_copy(method->queue, queue, sizeof(queue));
	take_answer(broker, channel, AMQP_QUEUE_DECLARE_OK_METHOD, &reply);
}

static void handle_deleted(struct br_broker *broker, struct br_channel *channel,
	const amqp_queue_delete_ok_t *method)
{
	const struct br_reply reply = {
		.queue = "",
		.message_count = method->message_count,
	};

	take_answer(broker, channel, AMQP_QUEUE_DELETE_OK_METHOD, &reply);
}

static void handle_confirm(const struct br_broker *broker,
	const struct br_channel *channel, uint64_t tag, bool is_multiple,
	bool is_accepted)
{
	if (broker->handlers.confirmed)
		broker->handlers.confirmed(broker->handlers.ctx,
			channel->number, tag, is_multiple, is_accepted);
}

static void handle_cancel(
	struct br_broker *broker, const struct br_channel *channel)
{
	if (broker->handlers.cancelled)
		broker->handlers.cancelled(
			broker->handlers.ctx, channel->number);
}

/* What the broker sends unasked; false where it is an answer. */
static bool handle_unasked(struct br_broker *broker, struct br_channel *channel,
	const amqp_method_t *method)
{
	const amqp_basic_ack_t *ack = method->decoded;
	const amqp_basic_nack_t *nack = method->decoded;

	switch (method->id) {
	case AMQP_BASIC_DELIVER_METHOD:
		br_content_deliver(channel, method->decoded);
		return true;
	case AMQP_BASIC_RETURN_METHOD:
		br_content_return(channel, method->decoded);
		return true;
	case AMQP_BASIC_ACK_METHOD:
		handle_confirm(broker, channel, ack->delivery_tag,
			ack->multiple, true);
		return true;
	case AMQP_BASIC_NACK_METHOD:
		handle_confirm(broker, channel, nack->delivery_tag,
			nack->multiple, false);
		return true;
	case AMQP_BASIC_CANCEL_METHOD:
		handle_cancel(broker, channel);
		return true;
	case AMQP_CHANNEL_CLOSE_METHOD:
		handle_close(broker, channel, method->decoded);
		return true;
	default:
		return false;
	}
}

void br_channel_handle(struct br_broker *broker, struct br_channel *channel,
	const amqp_method_t *method)
{
	static const struct br_reply plain = { .queue = "" };

	/* Such as the answer to our close where both closed. */
	if (channel->state == BR_CHANNEL_CLOSED)
		return;
	if (channel->content.state != BR_CONTENT_NONE &&
		method->id != AMQP_CHANNEL_CLOSE_METHOD) {
		br_broker_breakf(broker, BR_EPROTO, "half of a message");
		return;
	}
	if (handle_unasked(broker, channel, method))
		return;
	if (method->id == AMQP_QUEUE_DECLARE_OK_METHOD)
		handle_declared(broker, channel, method->decoded);
	else if (method->id == AMQP_QUEUE_DELETE_OK_METHOD)
		handle_deleted(broker, channel, method->decoded);
	else
		take_answer(broker, channel, method->id, &plain);
}

void br_channels_lose(struct br_broker *broker)
{
	struct br_reply reply = { .err = broker->why, .queue = "" };

	reply.err.code = BR_EUNAVAIL;
	for (size_t i = 0; i < broker->channel_count; i++)
		if (broker->channels[i])
			answer_all(broker->channels[i], &reply);
}
