/* SPDX-License-Identifier: MIT */
/*
 * Publishing without waiting. librabbitmq waits where the socket takes no more, and a
 * broker that is blocked or frozen reads nothing; so what the kernel still takes is
 * asked first. It counts the memory that its packets take, not bytes, and says how much
 * (SO_MEMINFO): small packets take many times their length.
 */
#include <assert.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/sock_diag.h>

#include "broker/private.h"

enum {
	/* For answers, acknowledgements and heartbeats; also a message's head. */
	RESERVE_BYTES = 64 * 1024,
	SEND_BUFFER_BYTES = 1024 * 1024,
	/* Of a message that does not fit, at most this goes at once. */
	PIECE_BYTES = 64 * 1024,
	/* Around what a frame holds. */
	FRAME_EXTRA_BYTES = 8,
};

/* What the kernel takes for a socket's packets, in all and now. */
struct room {
	size_t total;
	size_t left;
};

void br_room_make(struct br_broker *broker)
{
	int fd = br_broker_fd(broker);
	int size = SEND_BUFFER_BYTES;

	/* Root may have more than net.core.wmem_max says. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(
			fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static struct room look(const struct br_broker *broker)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t size = sizeof(info);
	struct room room = { 0 };

	if (getsockopt(br_broker_fd(broker), SOL_SOCKET, SO_MEMINFO, info,
		    &size) < 0)
		return room;
	room.total = info[SK_MEMINFO_SNDBUF];
	if (room.total > info[SK_MEMINFO_WMEM_QUEUED])
		room.left = room.total - info[SK_MEMINFO_WMEM_QUEUED];
	return room;
}

/* What the kernel needs for `len` bytes: they are cut into packets. */
static size_t needed(size_t len)
{
	return len + len / 8 + 4096;
}

bool br_broker_can_publish(struct br_broker *broker, size_t len)
{
	if (broker->is_broken || broker->is_blocked ||
		broker->unsent.channel > 0)
		return false;

	struct room room = look(broker);
	size_t wanted = needed(len) + RESERVE_BYTES;
	/* The kernel says POLLOUT where a third is free: want no more. */
	if (wanted > room.total / 4)
		wanted = room.total / 4;
	broker->wants_room = room.left < wanted;
	return !broker->wants_room;
}

/* The longest piece that is sent at once, whatever room there is. */
static size_t piece_limit(const struct br_broker *broker, struct room room)
{
	size_t frame = (size_t)amqp_get_frame_max(broker->connection) -
		FRAME_EXTRA_BYTES;
	size_t limit = frame < PIECE_BYTES ? frame : PIECE_BYTES;

	/* As long as POLLOUT is said, it fits. */
	if (room.total > 0 && limit > room.total / 8)
		limit = room.total / 8;
	return limit;
}

static void send_piece(
	struct br_broker *broker, unsigned channel, struct br_str piece)
{
	const amqp_frame_t frame = {
		.frame_type = AMQP_FRAME_BODY,
		.channel = (amqp_channel_t)channel,
		.payload.body_fragment = br_wire_bytes(piece),
	};

	br_send_frame(broker, &frame);
}

/* Send pieces of a body as long as they fit, or all of it. Gives how much went. */
static size_t send_pieces(struct br_broker *broker, unsigned channel,
	struct br_str body, bool is_all)
{
	size_t sent = 0;

	while (sent < body.len && !broker->is_broken) {
		struct room room = look(broker);
		size_t limit = piece_limit(broker, room);
		size_t len = body.len - sent;

		if (len > limit)
			len = limit;
		if (!is_all && needed(len) > room.left)
			break;
		send_piece(broker, channel,
			(struct br_str){ body.data + sent, len });
		sent += len;
	}
	return sent;
}

void br_unsent_send(struct br_broker *broker, bool is_all)
{
	struct br_unsent *unsent = &broker->unsent;

	if (unsent->channel == 0)
		return;
	const struct br_str left = {
		unsent->body.data + unsent->sent,
		unsent->body.len - unsent->sent,
	};
	unsent->sent += send_pieces(broker, unsent->channel, left, is_all);
	if (unsent->sent < unsent->body.len)
		return;
	br_buf_done(&unsent->body);
	*unsent = (struct br_unsent){ 0 };
}

static amqp_bytes_t set_property(amqp_basic_properties_t *properties,
	amqp_flags_t flag, const char *value)
{
	if (value) {
		assert(strlen(value) < BR_NAME_BYTES);
		properties->_flags |= flag;
	}
	return br_wire_text(value);
}

/* Put the headers into `entries`, of which there are BR_HEADERS_MAX. */
static amqp_table_t make_headers(
	const struct br_message *message, amqp_table_entry_t *entries)
{
	const amqp_table_t made = {
		.num_entries = (int)message->header_count,
		.entries = entries,
	};

	assert(message->header_count <= BR_HEADERS_MAX);
	for (size_t i = 0; i < message->header_count; i++) {
		const struct br_header *header = &message->headers[i];

		assert(strlen(header->name) < BR_NAME_BYTES);
		entries[i].key = br_wire_text(header->name);
		entries[i].value.kind = AMQP_FIELD_KIND_UTF8;
		entries[i].value.value.bytes = br_wire_text(header->value);
	}
	return made;
}

static amqp_basic_properties_t make_properties(
	const struct br_message *message, amqp_table_entry_t *entries)
{
	amqp_basic_properties_t made = { 0 };

	made.reply_to = set_property(
		&made, AMQP_BASIC_REPLY_TO_FLAG, message->reply_to);
	made.correlation_id = set_property(
		&made, AMQP_BASIC_CORRELATION_ID_FLAG, message->correlation_id);
	made.message_id = set_property(
		&made, AMQP_BASIC_MESSAGE_ID_FLAG, message->message_id);
	if (message->header_count > 0) {
		made._flags |= AMQP_BASIC_HEADERS_FLAG;
		made.headers = make_headers(message, entries);
	}
	made._flags |= AMQP_BASIC_DELIVERY_MODE_FLAG;
	made.delivery_mode = message->is_persistent ? 2 : 1;
	return made;
}

static void send_head(struct br_broker *broker, unsigned channel,
	const struct br_message *message)
{
	amqp_table_entry_t entries[BR_HEADERS_MAX] = { 0 };
	amqp_basic_properties_t properties = make_properties(message, entries);
	amqp_basic_publish_t method = {
		.exchange = br_wire_text(message->exchange),
		.routing_key = br_wire_text(message->routing_key),
		.mandatory = message->is_mandatory,
	};
	const amqp_frame_t header = {
		.frame_type = AMQP_FRAME_HEADER,
		.channel = (amqp_channel_t)channel,
		.payload.properties = {
			.class_id = AMQP_BASIC_CLASS,
			.body_size = message->body.len,
			.decoded = &properties,
		},
	};

	br_send(broker, channel, AMQP_BASIC_PUBLISH_METHOD, &method);
	br_send_frame(broker, &header);
}

uint64_t br_message_publish(struct br_broker *broker, unsigned channel,
	const struct br_message *message)
{
	assert(strlen(message->exchange) < BR_NAME_BYTES);
	assert(strlen(message->routing_key) < BR_NAME_BYTES);
	if (broker->is_lost)
		return 0;
	struct br_channel *to = br_channel_get(broker, channel);
	br_unsent_send(broker, true);
	send_head(broker, channel, message);

	const struct br_str body = message->body;
	size_t sent = send_pieces(broker, channel, body, false);
	if (sent < body.len && !broker->is_broken) {
		br_buf_add(&broker->unsent.body, body.data + sent,
			body.len - sent);
		broker->unsent.channel = channel;
	}
	return to->next_tag > 0 ? to->next_tag++ : 0;
}
