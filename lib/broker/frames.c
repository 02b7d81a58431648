/* SPDX-License-Identifier: MIT */
/*
 * What comes, and when. librabbitmq reads without waiting where the time that it is
 * given is none; it looks after heartbeats only while it reads, so they are sent from
 * here, twice in the time that was agreed, as RabbitMQ does itself. That it had none
 * for two of these times is found by the library.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/time.h>

#include "base/clock.h"
#include "broker/private.h"

/* One call handles no more, so that other descriptors have their turn. */
enum { FRAMES_MAX = 1000 };

static void handle_blocked(
	struct br_broker *broker, bool is_blocked, amqp_bytes_t reason)
{
	char words[BR_NAME_BYTES];

	br_wire_words(reason, words, sizeof(words));
	broker->is_blocked = is_blocked;
	if (broker->handlers.blocked)
		broker->handlers.blocked(
			broker->handlers.ctx, is_blocked, words);
}

static void handle_close(
	struct br_broker *broker, const amqp_connection_close_t *method)
{
	amqp_connection_close_ok_t close_ok = { 0 };
	char words[256];

	br_close_text(method->reply_code, method->reply_text, words);
	br_send(broker, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &close_ok);
	br_broker_breakf(
		broker, BR_EUNAVAIL, "the broker closed it: %s", words);
}

/* Handle a method of the connection. What is not known is left alone. */
static void handle_connection(
	struct br_broker *broker, const amqp_method_t *method)
{
	const amqp_connection_blocked_t *blocked = method->decoded;

	if (method->id == AMQP_CONNECTION_CLOSE_METHOD)
		handle_close(broker, method->decoded);
	else if (method->id == AMQP_CONNECTION_BLOCKED_METHOD)
		handle_blocked(broker, true, blocked->reason);
	else if (method->id == AMQP_CONNECTION_UNBLOCKED_METHOD)
		handle_blocked(broker, false, amqp_empty_bytes);
}

static void handle_frame(struct br_broker *broker, const amqp_frame_t *frame)
{
	struct br_channel *channel = br_channel_find(broker, frame->channel);

	if (frame->frame_type == AMQP_FRAME_HEARTBEAT)
		return;
	if (frame->channel == 0 && frame->frame_type == AMQP_FRAME_METHOD)
		handle_connection(broker, &frame->payload.method);
	else if (!channel)
		br_broker_breakf(broker, BR_EPROTO,
			"a frame on channel %u, which is not open",
			frame->channel);
	else if (frame->frame_type == AMQP_FRAME_METHOD)
		br_channel_handle(broker, channel, &frame->payload.method);
	else if (frame->frame_type == AMQP_FRAME_HEADER)
		br_content_header(broker, channel, frame);
	else if (frame->frame_type == AMQP_FRAME_BODY)
		br_content_body(broker, channel, frame->payload.body_fragment);
}

/* Read a frame if one is there. */
static bool read_frame(struct br_broker *broker, amqp_frame_t *frame)
{
	const struct timeval none = { 0 };
	int status = amqp_simple_wait_frame_noblock(
		broker->connection, frame, &none);
	struct br_err why;

	if (status == AMQP_STATUS_OK)
		return true;
	if (status == AMQP_STATUS_TIMEOUT)
		return false;
	(void)br_wire_fail(&why, status);
	br_broker_break(broker, &why);
	return false;
}

static void read_frames(struct br_broker *broker)
{
	size_t count = 0;
	amqp_frame_t frame;

	while (!broker->is_broken && count < FRAMES_MAX &&
		read_frame(broker, &frame)) {
		handle_frame(broker, &frame);
		amqp_maybe_release_buffers_on_channel(
			broker->connection, frame.channel);
		count++;
	}
	broker->has_more = broker->has_more || count == FRAMES_MAX;
}

static int64_t heartbeat_due_ms(const struct br_broker *broker)
{
	return broker->heartbeat_ms > 0
		? broker->sent_ms + broker->heartbeat_ms / 2
		: INT64_MAX;
}

/* Say to everybody, once, that the connection is lost. */
static void lose(struct br_broker *broker)
{
	if (broker->is_lost)
		return;
	broker->is_lost = true;
	br_channels_lose(broker);
	broker->handlers.closed(broker->handlers.ctx, &broker->why);
}

bool br_broker_work(struct br_broker *broker, struct br_err *err)
{
	broker->has_more = false;
	broker->wants_room = false;
	for (size_t i = 0; i < broker->channel_count; i++)
		if (broker->channels[i])
			br_channel_settle(broker, broker->channels[i]);
	read_frames(broker);
	br_unsent_send(broker, false);
	if (br_clock_now_ms() >= heartbeat_due_ms(broker))
		br_send_heartbeat(broker);
	if (!broker->is_broken)
		return true;
	lose(broker);
	*err = broker->why;
	return false;
}

int br_broker_fd(const struct br_broker *broker)
{
	return amqp_get_sockfd(broker->connection);
}

short br_broker_poll_events(const struct br_broker *broker)
{
	bool wants_room = broker->wants_room || broker->unsent.channel > 0;

	return (short)(wants_room ? POLLIN | POLLOUT : POLLIN);
}

int64_t br_broker_deadline_ms(const struct br_broker *broker)
{
	if (broker->has_more || broker->is_broken ||
		amqp_frames_enqueued(broker->connection) ||
		amqp_data_in_buffer(broker->connection))
		return 0;
	return heartbeat_due_ms(broker);
}
