/* SPDX-License-Identifier: MIT */
/*
 * Messages that come: a method (deliver or return), a header with the body's length, and
 * the body in any number of frames, with nothing between them on their channel.
 */
#include "base/limits.h"
#include "broker/private.h"

/* A buffer that was needed for more than this is given back at once. */
enum { BODY_KEPT_BYTES = 256 * 1024 };

void br_content_deliver(
	struct br_channel *channel, const amqp_basic_deliver_t *method)
{
	struct br_content *content = &channel->content;

	content->state = BR_CONTENT_HEADER;
	content->is_return = false;
	content->tag = method->delivery_tag;
	content->is_redelivered = method->redelivered;
	br_wire_copy(method->exchange, content->exchange, BR_NAME_BYTES);
	br_wire_copy(method->routing_key, content->routing_key, BR_NAME_BYTES);
}

void br_content_return(
	struct br_channel *channel, const amqp_basic_return_t *method)
{
	struct br_content *content = &channel->content;

	content->state = BR_CONTENT_HEADER;
	content->is_return = true;
	br_wire_copy(method->routing_key, content->routing_key, BR_NAME_BYTES);
}

void br_content_reset(struct br_content *content)
{
	content->state = BR_CONTENT_NONE;
	if (content->body.capacity > BODY_KEPT_BYTES)
		br_buf_done(&content->body);
	else
		br_buf_clear(&content->body);
}

static bool is_too_large(const struct br_content *content)
{
	return content->size > BR_LIMIT_MESSAGE_BYTES;
}

/* Hand a message on that is complete. */
static void finish(struct br_broker *broker, struct br_channel *channel,
	struct br_str body)
{
	const struct br_broker_handlers *handlers = &broker->handlers;
	struct br_content *content = &channel->content;
	const struct br_delivery delivery = {
		.channel = channel->number,
		.tag = content->tag,
		.is_redelivered = content->is_redelivered,
		.is_too_large = is_too_large(content),
		.body = body,
		.exchange = content->exchange,
		.routing_key = content->routing_key,
		.reply_to = content->reply_to,
		.correlation_id = content->correlation_id,
		.message_id = content->message_id,
	};

	content->state = BR_CONTENT_NONE;
	if (!content->is_return && handlers->delivered)
		handlers->delivered(handlers->ctx, &delivery);
	else if (content->is_return && handlers->returned)
		handlers->returned(
			handlers->ctx, channel->number, content->routing_key);
	br_content_reset(content);
}

/* Copy a property, "" where the message has it not. */
static void copy_property(const amqp_basic_properties_t *properties,
	amqp_flags_t flag, amqp_bytes_t value, char text[BR_NAME_BYTES])
{
	br_wire_copy(properties->_flags & flag ? value : amqp_empty_bytes, text,
		BR_NAME_BYTES);
}

void br_content_header(struct br_broker *broker, struct br_channel *channel,
	const amqp_frame_t *frame)
{
	const amqp_basic_properties_t *properties =
		frame->payload.properties.decoded;
	struct br_content *content = &channel->content;

	if (content->state != BR_CONTENT_HEADER ||
		frame->payload.properties.class_id != AMQP_BASIC_CLASS) {
		br_broker_breakf(broker, BR_EPROTO,
			"the header of a message, where none is due");
		return;
	}
	copy_property(properties, AMQP_BASIC_REPLY_TO_FLAG,
		properties->reply_to, content->reply_to);
	copy_property(properties, AMQP_BASIC_CORRELATION_ID_FLAG,
		properties->correlation_id, content->correlation_id);
	copy_property(properties, AMQP_BASIC_MESSAGE_ID_FLAG,
		properties->message_id, content->message_id);
	content->state = BR_CONTENT_BODY;
	content->size = frame->payload.properties.body_size;
	content->got = 0;
	if (content->size == 0)
		finish(broker, channel, br_str(""));
}

void br_content_body(struct br_broker *broker, struct br_channel *channel,
	amqp_bytes_t piece)
{
	struct br_content *content = &channel->content;
	bool is_kept = !content->is_return && !is_too_large(content);

	if (content->state != BR_CONTENT_BODY ||
		piece.len > content->size - content->got) {
		br_broker_breakf(broker, BR_EPROTO,
			"a piece of a message, where none is due");
		return;
	}
	if (piece.len == content->size) {
		/* Most are in one frame, and need no copy. */
		finish(broker, channel,
			is_kept ? (struct br_str){ piece.bytes, piece.len }
				: br_str(""));
		return;
	}
	if (is_kept && content->got == 0)
		(void)br_buf_room(&content->body, content->size);
	if (is_kept)
		br_buf_add(&content->body, piece.bytes, piece.len);
	content->got += piece.len;
	if (content->got == content->size)
		finish(broker, channel, br_buf_str(&content->body));
}
