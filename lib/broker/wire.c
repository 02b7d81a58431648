/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "broker/private.h"

amqp_bytes_t br_wire_bytes(struct br_str bytes)
{
	amqp_bytes_t view = { .len = bytes.len };

	/* The library's type has no const; this is a cast without a warning. */
	memcpy(&view.bytes, &bytes.data, sizeof(view.bytes));
	return view;
}

amqp_bytes_t br_wire_text(const char *text)
{
	return br_wire_bytes(br_str(text ? text : ""));
}

void br_wire_copy(amqp_bytes_t from, char *text, size_t size)
{
	size_t len = from.len < size ? from.len : size - 1;

	if (len > 0)
		memcpy(text, from.bytes, len);
	text[len] = '\0';
}

void br_wire_words(amqp_bytes_t from, char *text, size_t size)
{
	br_wire_copy(from, text, size);
	for (char *at = text; *at; at++)
		if (iscntrl((uint8_t)*at))
			*at = ' ';
}

void br_close_text(uint16_t code, amqp_bytes_t text, char words[256])
{
	char said[200];

	br_wire_words(text, said, sizeof(said));
	(void)snprintf(words, 256, "%u %s", code, said);
}

/* What the caller can do about a status: try again, or not. */
static enum br_code status_code(int status)
{
	switch (status) {
	case AMQP_STATUS_TIMEOUT:
	case AMQP_STATUS_HEARTBEAT_TIMEOUT:
		return BR_ETIMEDOUT;
	case AMQP_STATUS_BAD_AMQP_DATA:
	case AMQP_STATUS_UNKNOWN_CLASS:
	case AMQP_STATUS_UNKNOWN_METHOD:
	case AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION:
	case AMQP_STATUS_WRONG_METHOD:
	case AMQP_STATUS_UNEXPECTED_STATE:
	case AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD:
	case AMQP_STATUS_TABLE_TOO_BIG:
		return BR_EPROTO;
	default:
		return BR_EUNAVAIL;
	}
}

static const char *status_text(int status)
{
	switch (status) {
	case AMQP_STATUS_TIMEOUT:
		return "no answer in time";
	case AMQP_STATUS_HEARTBEAT_TIMEOUT:
		return "no heartbeat in time";
	case AMQP_STATUS_CONNECTION_CLOSED:
	case AMQP_STATUS_SOCKET_CLOSED:
		return "the connection was closed";
	case AMQP_STATUS_SOCKET_ERROR:
		return "the connection was refused or broken";
	case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED:
		return "there is no host of that name";
	case AMQP_STATUS_SSL_CONNECTION_FAILED:
		return "no TLS on the other side, or it refuses our certificate";
	case AMQP_STATUS_SSL_PEER_VERIFY_FAILED:
		return "its certificate has expired, or no authority that we "
		       "know vouches for it";
	case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED:
		return "its certificate is for another host";
	case AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD:
		return "the broker takes no passwords";
	default:
		return amqp_error_string2(status);
	}
}

bool br_wire_fail(struct br_err *err, int status)
{
	if (status == AMQP_STATUS_NO_MEMORY)
		br_out_of_memory();
	return br_fail(err, status_code(status), "%s", status_text(status));
}

void br_broker_break(struct br_broker *broker, const struct br_err *why)
{
	if (broker->is_broken)
		return;
	broker->is_broken = true;
	broker->why = *why;
	(void)br_wrap(&broker->why, "%s", broker->address.shown);
}

void br_broker_breakf(
	struct br_broker *broker, enum br_code code, const char *fmt, ...)
{
	struct br_err why;
	char text[sizeof(why.text)];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)br_fail(&why, code, "%s", text);
	br_broker_break(broker, &why);
}

static void note_sent(struct br_broker *broker, int status)
{
	struct br_err why;

	broker->sent_ms = br_clock_now_ms();
	if (status == AMQP_STATUS_OK)
		return;
	(void)br_wire_fail(&why, status);
	br_broker_break(broker, &why);
}

void br_send_frame(struct br_broker *broker, const amqp_frame_t *frame)
{
	if (!broker->is_broken)
		note_sent(broker, amqp_send_frame(broker->connection, frame));
}

void br_send(struct br_broker *broker, unsigned channel,
	amqp_method_number_t id, void *method)
{
	const amqp_frame_t frame = {
		.frame_type = AMQP_FRAME_METHOD,
		.channel = (amqp_channel_t)channel,
		.payload.method = { .id = id, .decoded = method },
	};

	/* Nothing may stand between the frames of a message. */
	if (channel > 0 && channel == broker->unsent.channel)
		br_unsent_send(broker, true);
	br_send_frame(broker, &frame);
}

void br_send_heartbeat(struct br_broker *broker)
{
	const amqp_frame_t frame = { .frame_type = AMQP_FRAME_HEARTBEAT };

	br_send_frame(broker, &frame);
}
