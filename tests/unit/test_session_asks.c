/* SPDX-License-Identifier: MIT */
/* What a session says to buildr-init. */
#include <poll.h>

#include "talk.h"

enum { PIECE_BYTES = 64 * 1024 };

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
	talk_open(&talk,
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

	assert_int_equal(talk_hear(&talk, &payload).type, BR_FRAME_SETUP);
	describe(&payload, &text);
	assert_string_equal(br_buf_text(&text), "1#3 2=/app 3#5 4#6 ");
	br_buf_clear(&text);
	struct br_frame stage = talk_hear(&talk, &payload);
	assert_int_equal(stage.type, BR_FRAME_STAGE);
	assert_int_equal(stage.stage, 7);
	describe(&payload, &text);
	assert_string_equal(br_buf_text(&text),
		"16=A=1 16=B= 18=/w 19=u 17=bash 17=-x 17=-c 17=sh "
		"20= 21=ls 21=-l 20= ");
	br_buf_clear(&text);
	assert_int_equal(talk_hear(&talk, &payload).type, BR_FRAME_STOP);
	describe(&payload, &text);
	assert_string_equal(br_buf_text(&text), "32#300 ");
	talk_close(&talk);
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
	talk_open(&talk, &(struct br_session_setup){ 0 });
	br_session_start(talk.session, 1,
		&(struct br_session_stage){
			.steps = steps, .step_count = 3, .has_tty = true });
	assert_true(br_session_pump(talk.session, &err));
	(void)talk_hear(&talk, &payload);
	assert_int_equal(talk_hear(&talk, &payload).type, BR_FRAME_STAGE);
	describe(&payload, &text);
	assert_string_equal(br_buf_text(&text),
		"24#1 20= 21=server 20= 25#80 20= 25#8080 26#1 ");
	talk_close(&talk);
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

	talk_open(&talk, &(struct br_session_setup){ 0 });
	assert_true(br_session_pump(talk.session, &err));
	(void)talk_hear(&talk, &payload);
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
	talk_close(&talk);
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

	talk_open(&talk, &(struct br_session_setup){ 0 });
	br_session_start(talk.session, 1,
		&(struct br_session_stage){ .steps = &step,
			.step_count = 1,
			.workdir = "/",
			.shell = shell });
	assert_false(br_session_pump(talk.session, &err));
	assert_int_equal(err.code, BR_EINPUT);
	talk_close(&talk);
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
	talk_add_hello(&bytes);
	talk_open(&talk, &(struct br_session_setup){ 0 });
	assert_int_equal(br_session_input_room(talk.session, 1), 0);
	start_with_input(&talk);
	assert_int_equal(br_session_input_room(talk.session, 1), sizeof(data));
	br_session_input(talk.session, 1, data, sizeof(data));
	assert_int_equal(br_session_input_room(talk.session, 1), 0);
	talk_add_numbers(
		&bytes, BR_FRAME_INPUT_TAKEN, 1, NUMBERS(BR_TAG_COUNT, 5));
	talk_say(&talk, bytes.data, bytes.len);
	assert_true(br_session_pump(talk.session, &err));
	assert_int_equal(br_session_input_room(talk.session, 1), 5);
	/* More than ever was on its way. */
	br_buf_clear(&bytes);
	talk_add_numbers(&bytes, BR_FRAME_INPUT_TAKEN, 1,
		NUMBERS(BR_TAG_COUNT, sizeof(data) - 4));
	talk_say(&talk, bytes.data, bytes.len);
	assert_false(br_session_pump(talk.session, &err));
	assert_int_equal(err.code, BR_EPROTO);
	talk_close(&talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_is_to_be_done),
		cmocka_unit_test(asks_for_no_shell_where_no_step_is_for_one),
		cmocka_unit_test(sends_a_stage_that_does_not_fit_the_socket),
		cmocka_unit_test(refuses_a_stage_over_the_limit),
		cmocka_unit_test(sends_no_more_input_than_was_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
