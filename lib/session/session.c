/* SPDX-License-Identifier: MIT */
#include "session/session.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "session/decode.h"
#include "session/numbers.h"
#include "session/script.h"
#include "session/wire.h"

enum {
	/* Reads of one pump, so that its caller gets to its other work. */
	PUMP_READS = 8,
};

/* A stage that runs; what init may say of it. */
struct running {
	unsigned stage;
	size_t step_count;
	/* The last step that has started; 0: none yet. */
	size_t step;
	bool is_in_step;
	/* It reads what is sent, of which there is room for so much. */
	bool has_input;
	size_t input_room;
};

struct br_session {
	struct br_wire wire;
	struct br_decode decode;
	struct br_session_handlers handlers;
	/* Owned. */
	struct running *running;
	size_t running_count;
	size_t running_capacity;
	bool has_hello;
	bool is_set_up;
	/* Init has said that it is done. */
	bool has_ended;
	/* A stage that could not even be sent. */
	struct br_err unsent;
};

static void send_setup(struct br_session *session,
	const struct br_session_setup *setup, bool has_ping)
{
	br_autobuf struct br_buf payload = { 0 };

	br_wire_add_number(&payload, BR_TAG_VERSION, BR_PROTOCOL_VERSION);
	if (has_ping)
		br_wire_add_number(
			&payload, BR_TAG_SILENCE_MS, BR_PING_SILENCE_MS);
	if (setup->give_back_path) {
		br_wire_add_text(&payload, BR_TAG_PATH, setup->give_back_path);
		br_wire_add_number(&payload, BR_TAG_UID, setup->uid);
		br_wire_add_number(&payload, BR_TAG_GID, setup->gid);
	}
	br_wire_send(&session->wire, BR_FRAME_SETUP, 0, &payload);
}

bool br_session_open(int fd, struct br_attach *attach,
	const struct br_session_setup *setup,
	const struct br_session_handlers *handlers, struct br_session **session,
	struct br_err *err)
{
	br_auto(br_session) struct br_session *made = br_alloc(sizeof(*made));
	bool has_ping = false;

	made->handlers = *handlers;
	made->is_set_up = !setup->give_back_path;
	if (!br_wire_open(&made->wire, fd, attach, &has_ping, err))
		return false;
	send_setup(made, setup, has_ping);
	*session = br_take_ptr(&made);
	return true;
}

void br_session_free(struct br_session *session)
{
	if (!session)
		return;
	br_wire_close(&session->wire);
	br_decode_done(&session->decode);
	free(session->running);
	free(session);
}

bool br_session_is_set_up(const struct br_session *session)
{
	return session->is_set_up;
}

int br_session_fd(const struct br_session *session)
{
	return br_wire_fd(&session->wire);
}

short br_session_poll_events(const struct br_session *session)
{
	return session->wire.queue.len > 0 ? POLLIN | POLLOUT : POLLIN;
}

static struct running *find_running(
	const struct br_session *session, unsigned stage)
{
	for (size_t i = 0; i < session->running_count; i++)
		if (session->running[i].stage == stage)
			return &session->running[i];
	return NULL;
}

static void add_running(struct br_session *session, unsigned stage,
	const struct br_session_stage *what)
{
	session->running = br_grow(session->running, session->running_count,
		&session->running_capacity, sizeof(*session->running));
	session->running[session->running_count++] = (struct running){
		.stage = stage,
		.step_count = what->step_count,
		.has_input = what->has_input,
		.input_room = what->has_input ? BR_INPUT_WINDOW_BYTES : 0,
	};
}

static void drop_running(struct br_session *session, struct running *running)
{
	*running = session->running[--session->running_count];
}

static bool has_shell_step(const struct br_session_stage *what)
{
	for (size_t i = 0; i < what->step_count; i++)
		if (what->steps[i].text)
			return true;
	return false;
}

static void add_script(
	const struct br_session_stage *what, struct br_buf *payload)
{
	br_autobuf struct br_buf script = { 0 };
	br_autobuf struct br_buf file = { 0 };
	const char *argument;

	br_script_build(what->steps, what->step_count, what->shell[0], &script);
	argument = br_buf_text(&script);
	if (script.len > BR_SCRIPT_ARG_MAX_BYTES) {
		argument = br_script_build_file(&file);
		br_buf_add(&file, script.data, script.len);
		br_wire_add_field(payload, BR_TAG_SCRIPT, file.data, file.len);
	}
	for (size_t i = 0; what->shell[i]; i++)
		br_wire_add_text(payload, BR_TAG_SHELL_ARG, what->shell[i]);
	br_wire_add_text(payload, BR_TAG_SHELL_ARG, "-c");
	br_wire_add_text(payload, BR_TAG_SHELL_ARG, argument);
	br_wire_add_text(payload, BR_TAG_SHELL_ARG, "sh");
}

static void add_step(const struct br_session_step *step, struct br_buf *payload)
{
	br_wire_add_text(payload, BR_TAG_STEP, "");
	for (size_t i = 0; step->argv && step->argv[i]; i++)
		br_wire_add_text(payload, BR_TAG_EXEC_ARG, step->argv[i]);
	if (step->port != 0)
		br_wire_add_number(payload, BR_TAG_PORT, step->port);
	if (step->port_is_local)
		br_wire_add_number(payload, BR_TAG_PORT_IS_LOCAL, 1);
}

static void add_size(unsigned columns, unsigned rows, struct br_buf *payload)
{
	br_wire_add_number(payload, BR_TAG_COLUMNS, columns);
	br_wire_add_number(payload, BR_TAG_ROWS, rows);
}

static void add_terminal(
	const struct br_session_stage *what, struct br_buf *payload)
{
	if (what->has_tty)
		br_wire_add_number(payload, BR_TAG_TTY, 1);
	if (what->has_tty && what->columns > 0 && what->rows > 0)
		add_size(what->columns, what->rows, payload);
	if (what->has_input)
		br_wire_add_number(payload, BR_TAG_INPUT, 1);
}

void br_session_start(struct br_session *session, unsigned stage,
	const struct br_session_stage *what)
{
	br_autobuf struct br_buf payload = { 0 };

	for (size_t i = 0; what->environment && what->environment[i]; i++)
		br_wire_add_text(&payload, BR_TAG_ENV, what->environment[i]);
	if (what->workdir)
		br_wire_add_text(&payload, BR_TAG_WORKDIR, what->workdir);
	if (what->user)
		br_wire_add_text(&payload,
			what->is_host_user ? BR_TAG_HOST_USER : BR_TAG_USER,
			what->user);
	add_terminal(what, &payload);
	if (has_shell_step(what))
		add_script(what, &payload);
	for (size_t i = 0; i < what->step_count; i++)
		add_step(&what->steps[i], &payload);
	if (payload.len > BR_FRAME_MAX_BYTES) {
		(void)br_fail(&session->unsent, BR_EINPUT,
			"steps and environment of a stage take %zu bytes, "
			"more than %d",
			payload.len, BR_FRAME_MAX_BYTES);
		return;
	}
	add_running(session, stage, what);
	br_wire_send(&session->wire, BR_FRAME_STAGE, stage, &payload);
}

size_t br_session_input_room(const struct br_session *session, unsigned stage)
{
	const struct running *running = find_running(session, stage);

	return running ? running->input_room : 0;
}

void br_session_input(struct br_session *session, unsigned stage,
	const void *data, size_t len)
{
	struct running *running = find_running(session, stage);
	br_autobuf struct br_buf payload = { 0 };

	if (!running)
		return;
	assert(len <= running->input_room);
	running->input_room -= len;
	if (len > 0)
		br_buf_add(&payload, data, len);
	br_wire_send(&session->wire, BR_FRAME_INPUT, stage, &payload);
}

void br_session_resize(struct br_session *session, unsigned stage,
	unsigned columns, unsigned rows)
{
	br_autobuf struct br_buf payload = { 0 };

	add_size(columns, rows, &payload);
	br_wire_send(&session->wire, BR_FRAME_RESIZE, stage, &payload);
}

void br_session_stop(
	struct br_session *session, unsigned stage, int64_t grace_ms)
{
	br_autobuf struct br_buf payload = { 0 };

	br_wire_add_number(&payload, BR_TAG_GRACE_MS,
		grace_ms > 0 ? (uint64_t)grace_ms : 0);
	br_wire_send(&session->wire, BR_FRAME_STOP, stage, &payload);
}

static bool fail_frame(const struct br_frame *frame, struct br_err *err)
{
	return br_fail(err, BR_EPROTO,
		"buildr-init said what does not fit (frame %u, stage %u)",
		(unsigned)frame->type, (unsigned)frame->stage);
}

static bool take_hello(struct br_session *session,
	const struct br_numbers *numbers, struct br_err *err)
{
	if (numbers->version != BR_PROTOCOL_VERSION)
		return br_fail(err, BR_EPROTO,
			"buildr-init speaks version %llu of the protocol, "
			"not %d: it is not the one that came with this buildr",
			(unsigned long long)numbers->version,
			BR_PROTOCOL_VERSION);
	session->has_hello = true;
	return true;
}

static bool take_step_started(struct br_session *session,
	const struct br_frame *frame, const struct br_numbers *numbers,
	struct br_err *err)
{
	struct running *running = find_running(session, frame->stage);

	if (!running || running->is_in_step || numbers->step <= running->step ||
		numbers->step > running->step_count)
		return fail_frame(frame, err);
	running->step = numbers->step;
	running->is_in_step = true;
	return session->handlers.step_started(session->handlers.ctx,
		frame->stage, (unsigned)numbers->step, err);
}

static bool take_output(struct br_session *session,
	const struct br_frame *frame, const uint8_t *data, size_t len,
	struct br_err *err)
{
	const struct running *running = find_running(session, frame->stage);

	if (!running || !running->is_in_step ||
		frame->stream > BR_OUTPUT_STDERR)
		return fail_frame(frame, err);
	return session->handlers.output(session->handlers.ctx, frame->stage,
		(enum br_output_stream)frame->stream, (const char *)data, len,
		err);
}

static bool take_step_finished(struct br_session *session,
	const struct br_frame *frame, const struct br_numbers *numbers,
	struct br_err *err)
{
	struct running *running = find_running(session, frame->stage);
	const struct br_step_report report = {
		.step = (unsigned)numbers->step,
		.status = (int)numbers->status,
		.wall_us = (int64_t)numbers->wall_us,
		.cpu_us = (int64_t)numbers->cpu_us,
		.max_rss_bytes = (int64_t)numbers->max_rss,
		.is_oom = numbers->is_oom != 0,
		.is_signal = numbers->is_signal != 0,
	};

	if (!running || !running->is_in_step || numbers->step != running->step)
		return fail_frame(frame, err);
	running->is_in_step = false;
	return session->handlers.step_finished(
		session->handlers.ctx, frame->stage, &report, err);
}

static bool take_stage_finished(struct br_session *session,
	const struct br_frame *frame, const struct br_numbers *numbers,
	struct br_err *err)
{
	struct running *running = find_running(session, frame->stage);
	br_autofree char *failure = NULL;

	if (!running || running->is_in_step)
		return fail_frame(frame, err);
	drop_running(session, running);
	if (numbers->failure.data)
		failure =
			br_memdup(numbers->failure.data, numbers->failure.len);

	const struct br_stage_report report = {
		.status = (int)numbers->status,
		.failure = failure,
		.failure_kind = (enum br_failure_kind)numbers->failure_kind,
	};
	return session->handlers.stage_finished(
		session->handlers.ctx, frame->stage, &report, err);
}

static bool take_input_taken(struct br_session *session,
	const struct br_frame *frame, const struct br_numbers *numbers,
	struct br_err *err)
{
	struct running *running = find_running(session, frame->stage);

	if (!running || !running->has_input ||
		numbers->count > BR_INPUT_WINDOW_BYTES - running->input_room)
		return fail_frame(frame, err);
	running->input_room += numbers->count;
	return true;
}

static bool take_ended(struct br_session *session,
	const struct br_numbers *numbers, struct br_err *err)
{
	session->has_ended = true;
	if (!numbers->failure.data)
		return true;
	return br_fail(err, BR_ESYSTEM,
		"give the files of the build to their owner: %.*s",
		(int)(numbers->failure.len < 200 ? numbers->failure.len : 200),
		numbers->failure.data);
}

/* A frame with fields, from a peer that has said HELLO unless this is it. */
static bool take_fields(struct br_session *session,
	const struct br_frame *frame, const struct br_numbers *numbers,
	struct br_err *err)
{
	switch (frame->type) {
	case BR_FRAME_HELLO:
		return session->has_hello ? fail_frame(frame, err)
					  : take_hello(session, numbers, err);
	case BR_FRAME_STEP_STARTED:
		return take_step_started(session, frame, numbers, err);
	case BR_FRAME_STEP_FINISHED:
		return take_step_finished(session, frame, numbers, err);
	case BR_FRAME_STAGE_FINISHED:
		return take_stage_finished(session, frame, numbers, err);
	case BR_FRAME_ENDED:
		return take_ended(session, numbers, err);
	case BR_FRAME_INPUT_TAKEN:
		return take_input_taken(session, frame, numbers, err);
	case BR_FRAME_SET_UP:
		if (session->is_set_up)
			break;
		session->is_set_up = true;
		return true;
	case BR_FRAME_OUTPUT:
	case BR_FRAME_SETUP:
	case BR_FRAME_STAGE:
	case BR_FRAME_STOP:
	case BR_FRAME_PING:
	case BR_FRAME_END:
	case BR_FRAME_LEAVE:
	case BR_FRAME_INPUT:
	case BR_FRAME_RESIZE:
	case BR_FRAME_KEEP:
		break;
	}
	return fail_frame(frame, err);
}

static bool take_frame(void *ctx, const struct br_frame *frame,
	const uint8_t *data, size_t len, struct br_err *err)
{
	struct br_session *session = ctx;
	struct br_numbers numbers = { 0 };

	if (!session->has_hello && frame->type != BR_FRAME_HELLO)
		return br_fail(err, BR_EPROTO,
			"what answers in the container is no buildr-init");
	if (frame->type == BR_FRAME_OUTPUT)
		return take_output(session, frame, data, len, err);
	if (!br_numbers_decode(data, len, &numbers))
		return fail_frame(frame, err);
	return take_fields(session, frame, &numbers, err);
}

static bool take_bytes(
	void *ctx, const uint8_t *data, size_t len, struct br_err *err)
{
	struct br_session *session = ctx;

	return br_decode_feed(
		&session->decode, data, len, take_frame, session, err);
}

bool br_session_pump(struct br_session *session, struct br_err *err)
{
	bool is_over = false;
	bool is_more = true;

	if (session->has_ended)
		return true;
	if (session->unsent.code != BR_OK) {
		*err = session->unsent;
		return false;
	}
	/* What init still said before it went counts more than that it went. */
	struct br_err unwritten = { 0 };
	bool is_written = br_wire_flush(&session->wire, &unwritten);

	for (int i = 0;
		i < PUMP_READS && is_more && !is_over && !session->has_ended;
		i++)
		if (!br_wire_read(&session->wire, take_bytes, session, &is_over,
			    &is_more, err))
			return false;
	if (session->has_ended)
		return true;
	if (is_over)
		return br_fail(err, BR_EUNAVAIL,
			"the connection to the container ended");
	if (!is_written && !is_more)
		*err = unwritten;
	return is_written || is_more;
}

void br_session_end(struct br_session *session)
{
	br_wire_send(&session->wire, BR_FRAME_END, 0, NULL);
}

void br_session_leave(struct br_session *session)
{
	br_wire_send(&session->wire, BR_FRAME_LEAVE, 0, NULL);
}

void br_session_keep(struct br_session *session)
{
	br_wire_send(&session->wire, BR_FRAME_KEEP, 0, NULL);
}

bool br_session_has_ended(const struct br_session *session)
{
	return session->has_ended;
}
