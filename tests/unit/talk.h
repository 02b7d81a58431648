/* SPDX-License-Identifier: MIT */
/* talk.h - a session, with a scripted peer in the place of buildr-init. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clean.h"
#include "session/session.h"
#include "session/wire.h"

/* A session, the other end of its socket, and what the handlers were told. */
struct talk {
	struct br_session *session;
	int peer;
	struct br_buf log;
	/* The next call of a handler fails. */
	bool is_refusing;
};

static inline bool talk_refuse(const struct talk *talk, struct br_err *err)
{
	return !talk->is_refusing || br_fail(err, BR_EINPUT, "refused");
}

static inline bool talk_step_started(
	void *ctx, unsigned stage, unsigned step, struct br_err *err)
{
	struct talk *talk = ctx;

	br_buf_addf(&talk->log, "<%u.%u ", stage, step);
	return talk_refuse(talk, err);
}

static inline bool talk_output(void *ctx, unsigned stage,
	enum br_output_stream stream, const char *data, size_t len,
	struct br_err *err)
{
	struct talk *talk = ctx;

	/* Byte by byte, so that the cut does not show. */
	for (size_t i = 0; i < len; i++)
		br_buf_addf(&talk->log, "%u%c%c ", stage, stream ? '!' : ':',
			data[i]);
	return talk_refuse(talk, err);
}

static inline bool talk_step_finished(void *ctx, unsigned stage,
	const struct br_step_report *report, struct br_err *err)
{
	struct talk *talk = ctx;

	br_buf_addf(&talk->log, ">%u.%u=%d %d %d %d %d %d ", stage,
		report->step, report->status, (int)report->wall_us,
		(int)report->cpu_us, (int)report->max_rss_bytes, report->is_oom,
		report->is_signal);
	return talk_refuse(talk, err);
}

static inline bool talk_stage_finished(void *ctx, unsigned stage,
	const struct br_stage_report *report, struct br_err *err)
{
	struct talk *talk = ctx;

	br_buf_addf(&talk->log, "#%u=%d %s %d ", stage, report->status,
		report->failure ? report->failure : "-",
		(int)report->failure_kind);
	return talk_refuse(talk, err);
}

static inline void talk_open(
	struct talk *talk, const struct br_session_setup *setup)
{
	const struct br_session_handlers handlers = {
		.ctx = talk,
		.step_started = talk_step_started,
		.output = talk_output,
		.step_finished = talk_step_finished,
		.stage_finished = talk_stage_finished,
	};
	struct br_err err = { 0 };
	int ends[2];

	*talk = (struct talk){ .peer = -1 };
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	talk->peer = ends[1];
	if (!br_session_open(
		    ends[0], NULL, setup, &handlers, &talk->session, &err))
		fail_msg("%s", err.text);
}

static inline void talk_close(struct talk *talk)
{
	br_session_free(talk->session);
	if (talk->peer >= 0)
		(void)close(talk->peer);
	br_buf_done(&talk->log);
}

/* Start stage 1 with two shell steps, or any other. */
static inline void talk_start(struct talk *talk, unsigned stage)
{
	static const struct br_session_step steps[] = { { .text = "a" },
		{ .text = "b" } };
	static const char *const shell[] = { "sh", NULL };

	br_session_start(talk->session, stage,
		&(struct br_session_stage){ .steps = steps,
			.step_count = 2,
			.workdir = "/",
			.shell = shell });
}

static inline void talk_add_frame(struct br_buf *bytes, enum br_frame_type type,
	unsigned stage, uint8_t stream, const struct br_buf *payload)
{
	uint8_t header[BR_FRAME_HEADER_BYTES];

	br_frame_encode(&(struct br_frame){ .type = type,
				.stream = stream,
				.stage = (uint16_t)stage,
				.len = (uint32_t)payload->len },
		header);
	br_buf_add(bytes, header, sizeof(header));
	br_buf_add(bytes, br_buf_text(payload), payload->len);
}

/* A frame with numbers: tag, value, …, 0. */
static inline void talk_add_numbers(struct br_buf *bytes,
	enum br_frame_type type, unsigned stage, const uint64_t *numbers)
{
	br_autobuf struct br_buf payload = { 0 };

	for (; numbers[0] != 0; numbers += 2)
		br_wire_add_number(&payload, (uint8_t)numbers[0], numbers[1]);
	talk_add_frame(bytes, type, stage, 0, &payload);
}

#define NUMBERS(...) ((const uint64_t[]){ __VA_ARGS__, 0 })

static inline void talk_add_output(
	struct br_buf *bytes, unsigned stage, uint8_t stream, const char *text)
{
	br_autobuf struct br_buf payload = { 0 };

	br_buf_add_text(&payload, text);
	talk_add_frame(bytes, BR_FRAME_OUTPUT, stage, stream, &payload);
}

static inline void talk_add_hello(struct br_buf *bytes)
{
	talk_add_numbers(bytes, BR_FRAME_HELLO, 0,
		NUMBERS(BR_TAG_VERSION, BR_PROTOCOL_VERSION));
}

static inline void talk_add_step(
	struct br_buf *bytes, unsigned stage, unsigned step)
{
	talk_add_numbers(bytes, BR_FRAME_STEP_STARTED, stage,
		NUMBERS(BR_TAG_STEP_NUMBER, step));
}

static inline void talk_add_stage(struct br_buf *bytes)
{
	talk_add_step(bytes, 1, 1);
	talk_add_output(bytes, 1, 0, "hi");
	talk_add_output(bytes, 1, 1, "!");
	talk_add_output(bytes, 1, 0, "");
	talk_add_numbers(bytes, BR_FRAME_STEP_FINISHED, 1,
		NUMBERS(BR_TAG_STEP_NUMBER, 1, BR_TAG_STATUS, 137,
			BR_TAG_WALL_US, 11, BR_TAG_CPU_US, 12, BR_TAG_MAX_RSS,
			13, BR_TAG_IS_OOM, 1, BR_TAG_IS_SIGNAL, 1,
			/* One of a later version. */
			250, 1));
	talk_add_numbers(
		bytes, BR_FRAME_STAGE_FINISHED, 1, NUMBERS(BR_TAG_STATUS, 137));
}

static inline void talk_say(
	const struct talk *talk, const char *data, size_t len)
{
	if (len > 0)
		assert_int_equal(
			send(talk->peer, data, len, MSG_NOSIGNAL), len);
}

/* Read one frame from the session's other end. */
static inline struct br_frame talk_hear(
	const struct talk *talk, struct br_buf *payload)
{
	uint8_t header[BR_FRAME_HEADER_BYTES];
	struct br_frame frame = { 0 };

	assert_int_equal(recv(talk->peer, header, sizeof(header), MSG_WAITALL),
		sizeof(header));
	assert_true(br_frame_decode(header, &frame));
	br_buf_clear(payload);
	if (frame.len > 0) {
		assert_int_equal(
			recv(talk->peer, br_buf_room(payload, frame.len),
				frame.len, MSG_WAITALL),
			frame.len);
		br_buf_grew(payload, frame.len);
	}
	return frame;
}
