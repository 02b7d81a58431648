/* SPDX-License-Identifier: MIT */
/* The conversation, with a scripted peer in the place of buildr-init. */
#include <poll.h>
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

enum {
	STAGE_MAX = 65535,
	PIECE_BYTES = 64 * 1024,
};

/* A session, the other end of its socket, and what the handlers were told. */
struct talk {
	struct br_session *session;
	int peer;
	struct br_buf log;
	/* The next call of a handler fails. */
	bool is_refusing;
};

static bool refuse(const struct talk *talk, struct br_err *err)
{
	return !talk->is_refusing || br_fail(err, BR_EINPUT, "refused");
}

static bool step_started(
	void *ctx, unsigned stage, unsigned step, struct br_err *err)
{
	struct talk *talk = ctx;

	br_buf_addf(&talk->log, "<%u.%u ", stage, step);
	return refuse(talk, err);
}

static bool output(void *ctx, unsigned stage, enum br_output_stream stream,
	const char *data, size_t len, struct br_err *err)
{
	struct talk *talk = ctx;

	/* Byte by byte, so that the cut does not show. */
	for (size_t i = 0; i < len; i++)
		br_buf_addf(&talk->log, "%u%c%c ", stage, stream ? '!' : ':',
			data[i]);
	return refuse(talk, err);
}

static bool step_finished(void *ctx, unsigned stage,
	const struct br_step_report *report, struct br_err *err)
{
	struct talk *talk = ctx;

	br_buf_addf(&talk->log, ">%u.%u=%d %d %d %d %d %d ", stage,
		report->step, report->status, (int)report->wall_us,
		(int)report->cpu_us, (int)report->max_rss_bytes, report->is_oom,
		report->is_signal);
	return refuse(talk, err);
}

static bool stage_finished(void *ctx, unsigned stage,
	const struct br_stage_report *report, struct br_err *err)
{
	struct talk *talk = ctx;

	br_buf_addf(&talk->log, "#%u=%d %s %d ", stage, report->status,
		report->failure ? report->failure : "-",
		(int)report->failure_kind);
	return refuse(talk, err);
}

static void open_talk(struct talk *talk, const struct br_session_setup *setup)
{
	const struct br_session_handlers handlers = {
		.ctx = talk,
		.step_started = step_started,
		.output = output,
		.step_finished = step_finished,
		.stage_finished = stage_finished,
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

static void close_talk(struct talk *talk)
{
	br_session_free(talk->session);
	if (talk->peer >= 0)
		(void)close(talk->peer);
	br_buf_done(&talk->log);
}

/* Start stage 1 with two shell steps, or any other. */
static void start(struct talk *talk, unsigned stage)
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

static void add_frame(struct br_buf *bytes, enum br_frame_type type,
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
static void add_numbers(struct br_buf *bytes, enum br_frame_type type,
	unsigned stage, const uint64_t *numbers)
{
	br_autobuf struct br_buf payload = { 0 };

	for (; numbers[0] != 0; numbers += 2)
		br_wire_add_number(&payload, (uint8_t)numbers[0], numbers[1]);
	add_frame(bytes, type, stage, 0, &payload);
}

#define NUMBERS(...) ((const uint64_t[]){ __VA_ARGS__, 0 })

static void add_output(
	struct br_buf *bytes, unsigned stage, uint8_t stream, const char *text)
{
	br_autobuf struct br_buf payload = { 0 };

	br_buf_add_text(&payload, text);
	add_frame(bytes, BR_FRAME_OUTPUT, stage, stream, &payload);
}

static void add_hello(struct br_buf *bytes)
{
	add_numbers(bytes, BR_FRAME_HELLO, 0,
		NUMBERS(BR_TAG_VERSION, BR_PROTOCOL_VERSION));
}

static void add_step(struct br_buf *bytes, unsigned stage, unsigned step)
{
	add_numbers(bytes, BR_FRAME_STEP_STARTED, stage,
		NUMBERS(BR_TAG_STEP_NUMBER, step));
}

static void add_whole_stage(struct br_buf *bytes)
{
	add_step(bytes, 1, 1);
	add_output(bytes, 1, 0, "hi");
	add_output(bytes, 1, 1, "!");
	add_output(bytes, 1, 0, "");
	add_numbers(bytes, BR_FRAME_STEP_FINISHED, 1,
		NUMBERS(BR_TAG_STEP_NUMBER, 1, BR_TAG_STATUS, 137,
			BR_TAG_WALL_US, 11, BR_TAG_CPU_US, 12, BR_TAG_MAX_RSS,
			13, BR_TAG_IS_OOM, 1, BR_TAG_IS_SIGNAL, 1,
			/* One of a later version. */
			250, 1));
	add_numbers(
		bytes, BR_FRAME_STAGE_FINISHED, 1, NUMBERS(BR_TAG_STATUS, 137));
}

static void say(const struct talk *talk, const char *data, size_t len)
{
	if (len > 0)
		assert_int_equal(
			send(talk->peer, data, len, MSG_NOSIGNAL), len);
}

static void tells_the_same_however_the_bytes_are_cut(void **state)
{
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };

	(void)state;
	add_hello(&bytes);
	add_whole_stage(&bytes);
	for (size_t cut = 0; cut <= bytes.len; cut++) {
		struct talk talk;

		open_talk(&talk, &(struct br_session_setup){ 0 });
		start(&talk, 1);
		say(&talk, bytes.data, cut);
		assert_true(br_session_pump(talk.session, &err));
		say(&talk, bytes.data + cut, bytes.len - cut);
		assert_true(br_session_pump(talk.session, &err));
		assert_string_equal(br_buf_text(&talk.log),
			"<1.1 1:h 1:i 1!! >1.1=137 11 12 13 1 1 #1=137 - 0 ");
		close_talk(&talk);
	}
}

static void hands_on_why_a_stage_could_not_run(void **state)
{
	br_autobuf struct br_buf bytes = { 0 };
	br_autobuf struct br_buf payload = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	add_hello(&bytes);
	br_wire_add_number(&payload, BR_TAG_STATUS, 127);
	br_wire_add_text(&payload, BR_TAG_FAILURE, "no sh");
	br_wire_add_number(&payload, BR_TAG_FAILURE_KIND, BR_FAILURE_NO_SHELL);
	add_frame(&bytes, BR_FRAME_STAGE_FINISHED, 1, 0, &payload);
	open_talk(&talk, &(struct br_session_setup){ 0 });
	start(&talk, 1);
	say(&talk, bytes.data, bytes.len);
	assert_true(br_session_pump(talk.session, &err));
	assert_string_equal(br_buf_text(&talk.log), "#1=127 no sh 1 ");
	close_talk(&talk);
}

/* Say HELLO and these bytes, and expect a pump to fail. */
static void expect_failure(const struct br_buf *bytes, enum br_code code)
{
	br_autobuf struct br_buf hello = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	add_hello(&hello);
	open_talk(&talk, &(struct br_session_setup){ 0 });
	start(&talk, 1);
	say(&talk, hello.data, hello.len);
	assert_true(br_session_pump(talk.session, &err));
	say(&talk, bytes->data, bytes->len);
	assert_false(br_session_pump(talk.session, &err));
	assert_int_equal(err.code, code);
	close_talk(&talk);
}

static void refuses_what_does_not_fit(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++) {
		br_autobuf struct br_buf bytes = { 0 };

		if (i == 0) /* a step of a stage that does not run */
			add_step(&bytes, 2, 1);
		else if (i == 1) /* a step that the stage does not have */
			add_step(&bytes, 1, 3);
		else if (i == 2) /* output outside of a step */
			add_output(&bytes, 1, 0, "x");
		else if (i == 3) /* a stage that ends in a step */
			add_step(&bytes, 1, 1);
		else if (i == 4) /* a second hello */
			add_hello(&bytes);
		else if (i == 5) /* what buildr itself says */
			add_numbers(&bytes, BR_FRAME_STOP, 1, NUMBERS(0));
		else if (i == 6) /* a status that is none */
			add_numbers(&bytes, BR_FRAME_STAGE_FINISHED, 1,
				NUMBERS(BR_TAG_STATUS, 256));
		else if (i == 7) /* not a frame at all */
			br_buf_add_text(&bytes, "HTTP/1.1 400 Bad Request");
		else /* the end of another step than the one that runs */
			add_step(&bytes, 1, 2);
		if (i == 3)
			add_numbers(&bytes, BR_FRAME_STAGE_FINISHED, 1,
				NUMBERS(BR_TAG_STATUS, 0));
		if (i == 8)
			add_numbers(&bytes, BR_FRAME_STEP_FINISHED, 1,
				NUMBERS(BR_TAG_STEP_NUMBER, 1));
		expect_failure(&bytes, BR_EPROTO);
	}
}

/* What a pump makes of these first bytes; `is_closed`: and of the end behind. */
static enum br_code greet(const struct br_buf *bytes, bool is_closed)
{
	struct br_err err = { 0 };
	struct talk talk;

	open_talk(&talk, &(struct br_session_setup){ 0 });
	say(&talk, br_buf_text(bytes), bytes->len);
	if (is_closed) {
		(void)close(talk.peer);
		talk.peer = -1;
	}
	bool is_good = br_session_pump(talk.session, &err);
	close_talk(&talk);
	assert_int_equal(is_good, err.code == BR_OK);
	return err.code;
}

static void greets_only_an_init_of_the_same_version(void **state)
{
	br_autobuf struct br_buf hello = { 0 };
	br_autobuf struct br_buf other = { 0 };
	br_autobuf struct br_buf none = { 0 };
	br_autobuf struct br_buf silence = { 0 };

	(void)state;
	add_hello(&hello);
	add_numbers(&other, BR_FRAME_HELLO, 0,
		NUMBERS(BR_TAG_VERSION, BR_PROTOCOL_VERSION + 1));
	add_numbers(&none, BR_FRAME_ENDED, 0, NUMBERS(0));
	assert_int_equal(greet(&hello, false), BR_OK);
	assert_int_equal(greet(&other, false), BR_EPROTO);
	assert_int_equal(greet(&none, false), BR_EPROTO);
	assert_int_equal(greet(&silence, false), BR_OK);
	assert_int_equal(greet(&silence, true), BR_EUNAVAIL);
}

static void hands_on_what_a_handler_says(void **state)
{
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	add_hello(&bytes);
	add_whole_stage(&bytes);
	open_talk(&talk, &(struct br_session_setup){ 0 });
	start(&talk, 1);
	talk.is_refusing = true;
	say(&talk, bytes.data, bytes.len);
	assert_false(br_session_pump(talk.session, &err));
	assert_int_equal(err.code, BR_EINPUT);
	assert_string_equal(br_buf_text(&talk.log), "<1.1 ");
	close_talk(&talk);
}

/* Read one frame from the session's other end. */
static struct br_frame hear(const struct talk *talk, struct br_buf *payload)
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

static bool is_number(uint8_t tag)
{
	return tag == BR_TAG_VERSION || tag == BR_TAG_UID ||
		tag == BR_TAG_GID || tag == BR_TAG_GRACE_MS ||
		tag == BR_TAG_PORT || tag == BR_TAG_PORT_IS_LOCAL ||
		tag == BR_TAG_TTY;
}

/* The fields of a payload, as `tag=text` or `tag#number`; no script. */
static void describe(const struct br_buf *payload, struct br_buf *text)
{
	const uint8_t *at = (const uint8_t *)br_buf_text(payload);
	const uint8_t *end = at + payload->len;
	struct br_field field;
	uint64_t number;
	bool is_bad;

	while (br_field_next(&at, end, &field, &is_bad)) {
		if (is_number(field.tag)) {
			assert_true(br_field_number(&field, &number));
			br_buf_addf(text, "%d#%d ", field.tag, (int)number);
		} else if (field.len < 100) {
			br_buf_addf(text, "%d=%.*s ", field.tag, (int)field.len,
				(const char *)field.value);
		}
	}
	assert_false(is_bad);
}

static void says_what_is_to_be_done(void **state)
{
	static const char *const argv[] = { "ls", "-l", NULL };
	static const char *const shell[] = { "bash", "-x", NULL };
	static const char *const environment[] = { "A=1", "B=", NULL };
	const struct br_session_step steps[] = { { .argv = argv },
		{ .text = "true" } };
	br_autobuf struct br_buf payload = { 0 };
	br_autobuf struct br_buf text = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	open_talk(&talk,
		&(struct br_session_setup){
			.give_back_path = "/app", .uid = 5, .gid = 6 });
	br_session_start(talk.session, 7,
		&(struct br_session_stage){ .steps = steps,
			.step_count = 2,
			.environment = environment,
			.workdir = "/w",
			.user = "u",
			.shell = shell });
	br_session_stop(talk.session, 7, 300);
	assert_int_equal(
		br_session_poll_events(talk.session) & POLLOUT, POLLOUT);
	assert_true(br_session_pump(talk.session, &err));
	assert_int_equal(br_session_poll_events(talk.session) & POLLOUT, 0);

	assert_int_equal(hear(&talk, &payload).type, BR_FRAME_SETUP);
	describe(&payload, &text);
	assert_string_equal(br_buf_text(&text), "1#3 2=/app 3#5 4#6 ");
	br_buf_clear(&text);
	struct br_frame stage = hear(&talk, &payload);
	assert_int_equal(stage.type, BR_FRAME_STAGE);
	assert_int_equal(stage.stage, 7);
	describe(&payload, &text);
	assert_string_equal(br_buf_text(&text),
		"16=A=1 16=B= 18=/w 19=u 17=bash 17=-x 17=-c 17=sh "
		"20= 21=ls 21=-l 20= ");
	br_buf_clear(&text);
	assert_int_equal(hear(&talk, &payload).type, BR_FRAME_STOP);
	describe(&payload, &text);
	assert_string_equal(br_buf_text(&text), "32#300 ");
	close_talk(&talk);
}

/* A service's: no shell, for there may be none, and all as the image has it. */
static void asks_for_no_shell_where_no_step_is_for_one(void **state)
{
	static const char *const argv[] = { "server", NULL };
	const struct br_session_step steps[] = { { .argv = argv },
		{ .port = 80 }, { .port = 8080, .port_is_local = true } };
	br_autobuf struct br_buf payload = { 0 };
	br_autobuf struct br_buf text = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	open_talk(&talk, &(struct br_session_setup){ 0 });
	br_session_start(talk.session, 1,
		&(struct br_session_stage){
			.steps = steps, .step_count = 3, .has_tty = true });
	assert_true(br_session_pump(talk.session, &err));
	(void)hear(&talk, &payload);
	assert_int_equal(hear(&talk, &payload).type, BR_FRAME_STAGE);
	describe(&payload, &text);
	assert_string_equal(br_buf_text(&text),
		"24#1 20= 21=server 20= 25#80 20= 25#8080 26#1 ");
	close_talk(&talk);
}

static void sends_a_stage_that_does_not_fit_the_socket(void **state)
{
	enum { LONG_BYTES = 3 * 1024 * 1024 };
	br_autobuf struct br_buf text = { 0 };
	struct br_err err = { 0 };
	struct br_frame frame = { 0 };
	size_t heard_bytes = 0;
	struct talk talk;

	(void)state;
	while (text.len < LONG_BYTES)
		br_buf_add_char(&text, 'x');
	const struct br_session_step step = { .text = br_buf_text(&text) };
	static const char *const shell[] = { "sh", NULL };
	br_autobuf struct br_buf payload = { 0 };

	open_talk(&talk, &(struct br_session_setup){ 0 });
	assert_true(br_session_pump(talk.session, &err));
	(void)hear(&talk, &payload);
	br_session_start(talk.session, 1,
		&(struct br_session_stage){ .steps = &step,
			.step_count = 1,
			.workdir = "/",
			.shell = shell });
	assert_true(br_session_pump(talk.session, &err));
	uint8_t header[BR_FRAME_HEADER_BYTES];
	assert_int_equal(recv(talk.peer, header, sizeof(header), MSG_WAITALL),
		sizeof(header));
	assert_true(br_frame_decode(header, &frame));
	assert_true(frame.len > LONG_BYTES);
	while (heard_bytes < frame.len) {
		char piece[PIECE_BYTES];
		ssize_t n = recv(talk.peer, piece, sizeof(piece), 0);

		assert_true(n > 0);
		heard_bytes += (size_t)n;
		assert_true(br_session_pump(talk.session, &err));
	}
	assert_int_equal(br_session_poll_events(talk.session) & POLLOUT, 0);
	close_talk(&talk);
}

static void refuses_a_stage_over_the_limit(void **state)
{
	br_autobuf struct br_buf text = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	while (text.len <= BR_FRAME_MAX_BYTES)
		br_buf_add_text(&text, "0123456789abcdef");
	const struct br_session_step step = { .text = br_buf_text(&text) };
	static const char *const shell[] = { "sh", NULL };

	open_talk(&talk, &(struct br_session_setup){ 0 });
	br_session_start(talk.session, 1,
		&(struct br_session_stage){ .steps = &step,
			.step_count = 1,
			.workdir = "/",
			.shell = shell });
	assert_false(br_session_pump(talk.session, &err));
	assert_int_equal(err.code, BR_EINPUT);
	close_talk(&talk);
}

static void is_set_up_when_init_says_so(void **state)
{
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	add_hello(&bytes);
	open_talk(
		&talk, &(struct br_session_setup){ .give_back_path = "/app" });
	say(&talk, bytes.data, bytes.len);
	assert_true(br_session_pump(talk.session, &err));
	assert_false(br_session_is_set_up(talk.session));
	br_buf_clear(&bytes);
	add_numbers(&bytes, BR_FRAME_SET_UP, 0, NUMBERS(0));
	say(&talk, bytes.data, bytes.len);
	assert_true(br_session_pump(talk.session, &err));
	assert_true(br_session_is_set_up(talk.session));
	/* Not twice. */
	say(&talk, bytes.data, bytes.len);
	assert_false(br_session_pump(talk.session, &err));
	assert_int_equal(err.code, BR_EPROTO);
	close_talk(&talk);

	/* There is nothing to wait for. */
	open_talk(&talk, &(struct br_session_setup){ 0 });
	assert_true(br_session_is_set_up(talk.session));
	close_talk(&talk);
}

static void ends_when_init_says_so(void **state)
{
	br_autobuf struct br_buf bytes = { 0 };
	br_autobuf struct br_buf heard = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	open_talk(&talk, &(struct br_session_setup){ 0 });
	br_session_end(talk.session);
	assert_true(br_session_pump(talk.session, &err));
	assert_false(br_session_has_ended(talk.session));
	assert_int_equal(hear(&talk, &heard).type, BR_FRAME_SETUP);
	assert_int_equal(hear(&talk, &heard).type, BR_FRAME_END);

	add_hello(&bytes);
	add_numbers(&bytes, BR_FRAME_ENDED, 0, NUMBERS(0));
	say(&talk, bytes.data, bytes.len);
	assert_true(br_session_pump(talk.session, &err));
	assert_true(br_session_has_ended(talk.session));
	/* That it goes now is no surprise any more. */
	(void)close(talk.peer);
	talk.peer = -1;
	assert_true(br_session_pump(talk.session, &err));
	close_talk(&talk);
}

static void fails_where_init_goes_without_an_answer_to_the_end(void **state)
{
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	add_hello(&bytes);
	open_talk(&talk, &(struct br_session_setup){ 0 });
	br_session_end(talk.session);
	say(&talk, bytes.data, bytes.len);
	assert_true(br_session_pump(talk.session, &err));
	(void)close(talk.peer);
	talk.peer = -1;
	assert_false(br_session_pump(talk.session, &err));
	assert_int_equal(err.code, BR_EUNAVAIL);
	assert_false(br_session_has_ended(talk.session));
	close_talk(&talk);
}

static void says_that_files_could_not_be_given_back(void **state)
{
	br_autobuf struct br_buf bytes = { 0 };
	br_autobuf struct br_buf payload = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	add_hello(&bytes);
	br_wire_add_text(&payload, BR_TAG_FAILURE, "no luck");
	add_frame(&bytes, BR_FRAME_ENDED, 0, 0, &payload);
	open_talk(&talk, &(struct br_session_setup){ 0 });
	br_session_end(talk.session);
	say(&talk, bytes.data, bytes.len);
	assert_false(br_session_pump(talk.session, &err));
	assert_int_equal(err.code, BR_ESYSTEM);
	assert_non_null(strstr(err.text, "no luck"));
	assert_true(br_session_has_ended(talk.session));
	assert_true(br_session_pump(talk.session, &err));
	close_talk(&talk);
}

static void takes_the_number_of_a_stage_that_is_over_again(void **state)
{
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	add_hello(&bytes);
	open_talk(&talk, &(struct br_session_setup){ 0 });
	for (int i = 0; i < 3; i++) {
		start(&talk, STAGE_MAX);
		add_step(&bytes, STAGE_MAX, 1);
		add_numbers(&bytes, BR_FRAME_STEP_FINISHED, STAGE_MAX,
			NUMBERS(BR_TAG_STEP_NUMBER, 1, BR_TAG_STATUS, 1));
		add_numbers(&bytes, BR_FRAME_STAGE_FINISHED, STAGE_MAX,
			NUMBERS(BR_TAG_STATUS, 1));
		say(&talk, bytes.data, bytes.len);
		br_buf_clear(&bytes);
		br_buf_clear(&talk.log);
		assert_true(br_session_pump(talk.session, &err));
		assert_string_equal(br_buf_text(&talk.log),
			"<65535.1 >65535.1=1 0 0 0 0 0 #65535=1 - 0 ");
	}
	close_talk(&talk);
}

static void start_with_input(struct talk *talk)
{
	static const char *const argv[] = { "sh", NULL };
	const struct br_session_step step = { .argv = argv };

	br_session_start(talk->session, 1,
		&(struct br_session_stage){ .steps = &step,
			.step_count = 1,
			.has_tty = true,
			.has_input = true,
			.columns = 80,
			.rows = 25 });
}

static void sends_no_more_input_than_was_taken(void **state)
{
	static const char data[BR_INPUT_WINDOW_BYTES] = { 0 };
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	add_hello(&bytes);
	open_talk(&talk, &(struct br_session_setup){ 0 });
	assert_int_equal(br_session_input_room(talk.session, 1), 0);
	start_with_input(&talk);
	assert_int_equal(br_session_input_room(talk.session, 1), sizeof(data));
	br_session_input(talk.session, 1, data, sizeof(data));
	assert_int_equal(br_session_input_room(talk.session, 1), 0);
	add_numbers(&bytes, BR_FRAME_INPUT_TAKEN, 1, NUMBERS(BR_TAG_COUNT, 5));
	say(&talk, bytes.data, bytes.len);
	assert_true(br_session_pump(talk.session, &err));
	assert_int_equal(br_session_input_room(talk.session, 1), 5);
	/* More than ever was on its way. */
	br_buf_clear(&bytes);
	add_numbers(&bytes, BR_FRAME_INPUT_TAKEN, 1,
		NUMBERS(BR_TAG_COUNT, sizeof(data) - 4));
	say(&talk, bytes.data, bytes.len);
	assert_false(br_session_pump(talk.session, &err));
	assert_int_equal(err.code, BR_EPROTO);
	close_talk(&talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_same_however_the_bytes_are_cut),
		cmocka_unit_test(hands_on_why_a_stage_could_not_run),
		cmocka_unit_test(refuses_what_does_not_fit),
		cmocka_unit_test(greets_only_an_init_of_the_same_version),
		cmocka_unit_test(hands_on_what_a_handler_says),
		cmocka_unit_test(says_what_is_to_be_done),
		cmocka_unit_test(asks_for_no_shell_where_no_step_is_for_one),
		cmocka_unit_test(sends_a_stage_that_does_not_fit_the_socket),
		cmocka_unit_test(refuses_a_stage_over_the_limit),
		cmocka_unit_test(is_set_up_when_init_says_so),
		cmocka_unit_test(ends_when_init_says_so),
		cmocka_unit_test(
			fails_where_init_goes_without_an_answer_to_the_end),
		cmocka_unit_test(says_that_files_could_not_be_given_back),
		cmocka_unit_test(
			takes_the_number_of_a_stage_that_is_over_again),
		cmocka_unit_test(sends_no_more_input_than_was_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
