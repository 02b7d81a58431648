/* SPDX-License-Identifier: MIT */
/* What a session makes of what buildr-init says. */
#include "talk.h"

enum { STAGE_MAX = 65535 };

static void tells_the_same_however_the_bytes_are_cut(void **state)
{
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };

	(void)state;
	talk_add_hello(&bytes);
	talk_add_stage(&bytes);
	for (size_t cut = 0; cut <= bytes.len; cut++) {
		struct talk talk;

		talk_open(&talk, &(struct br_session_setup){ 0 });
		talk_start(&talk, 1);
		talk_say(&talk, bytes.data, cut);
		assert_true(br_session_pump(talk.session, &err));
		talk_say(&talk, bytes.data + cut, bytes.len - cut);
		assert_true(br_session_pump(talk.session, &err));
		assert_string_equal(br_buf_text(&talk.log),
			"<1.1 1:h 1:i 1!! >1.1=137 11 12 13 1 1 #1=137 - 0 ");
		talk_close(&talk);
	}
}

static void hands_on_why_a_stage_could_not_run(void **state)
{
	br_autobuf struct br_buf bytes = { 0 };
	br_autobuf struct br_buf payload = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	talk_add_hello(&bytes);
	br_wire_add_number(&payload, BR_TAG_STATUS, 127);
	br_wire_add_text(&payload, BR_TAG_FAILURE, "no sh");
	br_wire_add_number(&payload, BR_TAG_FAILURE_KIND, BR_FAILURE_NO_SHELL);
	talk_add_frame(&bytes, BR_FRAME_STAGE_FINISHED, 1, 0, &payload);
	talk_open(&talk, &(struct br_session_setup){ 0 });
	talk_start(&talk, 1);
	talk_say(&talk, bytes.data, bytes.len);
	assert_true(br_session_pump(talk.session, &err));
	assert_string_equal(br_buf_text(&talk.log), "#1=127 no sh 1 ");
	talk_close(&talk);
}

/* Say HELLO and these bytes, and expect a pump to fail. */
static void expect_failure(const struct br_buf *bytes, enum br_code code)
{
	br_autobuf struct br_buf hello = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	talk_add_hello(&hello);
	talk_open(&talk, &(struct br_session_setup){ 0 });
	talk_start(&talk, 1);
	talk_say(&talk, hello.data, hello.len);
	assert_true(br_session_pump(talk.session, &err));
	talk_say(&talk, bytes->data, bytes->len);
	assert_false(br_session_pump(talk.session, &err));
	assert_int_equal(err.code, code);
	talk_close(&talk);
}

static void refuses_what_does_not_fit(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++) {
		br_autobuf struct br_buf bytes = { 0 };

		if (i == 0) /* a step of a stage that does not run */
			talk_add_step(&bytes, 2, 1);
		else if (i == 1) /* a step that the stage does not have */
			talk_add_step(&bytes, 1, 3);
		else if (i == 2) /* output outside of a step */
			talk_add_output(&bytes, 1, 0, "x");
		else if (i == 3) /* a stage that ends in a step */
			talk_add_step(&bytes, 1, 1);
		else if (i == 4) /* a second hello */
			talk_add_hello(&bytes);
		else if (i == 5) /* what buildr itself says */
			talk_add_numbers(&bytes, BR_FRAME_STOP, 1, NUMBERS(0));
		else if (i == 6) /* a status that is none */
			talk_add_numbers(&bytes, BR_FRAME_STAGE_FINISHED, 1,
				NUMBERS(BR_TAG_STATUS, 256));
		else if (i == 7) /* not a frame at all */
			br_buf_add_text(&bytes, "HTTP/1.1 400 Bad Request");
		else /* the end of another step than the one that runs */
			talk_add_step(&bytes, 1, 2);
		if (i == 3)
			talk_add_numbers(&bytes, BR_FRAME_STAGE_FINISHED, 1,
				NUMBERS(BR_TAG_STATUS, 0));
		if (i == 8)
			talk_add_numbers(&bytes, BR_FRAME_STEP_FINISHED, 1,
				NUMBERS(BR_TAG_STEP_NUMBER, 1));
		expect_failure(&bytes, BR_EPROTO);
	}
}

/* What a pump makes of these first bytes; `is_closed`: and of the end behind. */
static enum br_code greet(const struct br_buf *bytes, bool is_closed)
{
	struct br_err err = { 0 };
	struct talk talk;

	talk_open(&talk, &(struct br_session_setup){ 0 });
	talk_say(&talk, br_buf_text(bytes), bytes->len);
	if (is_closed) {
		(void)close(talk.peer);
		talk.peer = -1;
	}
	bool is_good = br_session_pump(talk.session, &err);
	talk_close(&talk);
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
	talk_add_hello(&hello);
	talk_add_numbers(&other, BR_FRAME_HELLO, 0,
		NUMBERS(BR_TAG_VERSION, BR_PROTOCOL_VERSION + 1));
	talk_add_numbers(&none, BR_FRAME_ENDED, 0, NUMBERS(0));
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
	talk_add_hello(&bytes);
	talk_add_stage(&bytes);
	talk_open(&talk, &(struct br_session_setup){ 0 });
	talk_start(&talk, 1);
	talk.is_refusing = true;
	talk_say(&talk, bytes.data, bytes.len);
	assert_false(br_session_pump(talk.session, &err));
	assert_int_equal(err.code, BR_EINPUT);
	assert_string_equal(br_buf_text(&talk.log), "<1.1 ");
	talk_close(&talk);
}

static void is_set_up_when_init_says_so(void **state)
{
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	talk_add_hello(&bytes);
	talk_open(
		&talk, &(struct br_session_setup){ .give_back_path = "/app" });
	talk_say(&talk, bytes.data, bytes.len);
	assert_true(br_session_pump(talk.session, &err));
	assert_false(br_session_is_set_up(talk.session));
	br_buf_clear(&bytes);
	talk_add_numbers(&bytes, BR_FRAME_SET_UP, 0, NUMBERS(0));
	talk_say(&talk, bytes.data, bytes.len);
	assert_true(br_session_pump(talk.session, &err));
	assert_true(br_session_is_set_up(talk.session));
	/* Not twice. */
	talk_say(&talk, bytes.data, bytes.len);
	assert_false(br_session_pump(talk.session, &err));
	assert_int_equal(err.code, BR_EPROTO);
	talk_close(&talk);

	/* There is nothing to wait for. */
	talk_open(&talk, &(struct br_session_setup){ 0 });
	assert_true(br_session_is_set_up(talk.session));
	talk_close(&talk);
}

static void ends_when_init_says_so(void **state)
{
	br_autobuf struct br_buf bytes = { 0 };
	br_autobuf struct br_buf heard = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	talk_open(&talk, &(struct br_session_setup){ 0 });
	br_session_end(talk.session);
	assert_true(br_session_pump(talk.session, &err));
	assert_false(br_session_has_ended(talk.session));
	assert_int_equal(talk_hear(&talk, &heard).type, BR_FRAME_SETUP);
	assert_int_equal(talk_hear(&talk, &heard).type, BR_FRAME_END);

	talk_add_hello(&bytes);
	talk_add_numbers(&bytes, BR_FRAME_ENDED, 0, NUMBERS(0));
	talk_say(&talk, bytes.data, bytes.len);
	assert_true(br_session_pump(talk.session, &err));
	assert_true(br_session_has_ended(talk.session));
	/* That it goes now is no surprise any more. */
	(void)close(talk.peer);
	talk.peer = -1;
	assert_true(br_session_pump(talk.session, &err));
	talk_close(&talk);
}

static void fails_where_init_goes_without_an_answer_to_the_end(void **state)
{
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	talk_add_hello(&bytes);
	talk_open(&talk, &(struct br_session_setup){ 0 });
	br_session_end(talk.session);
	talk_say(&talk, bytes.data, bytes.len);
	assert_true(br_session_pump(talk.session, &err));
	(void)close(talk.peer);
	talk.peer = -1;
	assert_false(br_session_pump(talk.session, &err));
	assert_int_equal(err.code, BR_EUNAVAIL);
	assert_false(br_session_has_ended(talk.session));
	talk_close(&talk);
}

static void says_that_files_could_not_be_given_back(void **state)
{
	br_autobuf struct br_buf bytes = { 0 };
	br_autobuf struct br_buf payload = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	talk_add_hello(&bytes);
	br_wire_add_text(&payload, BR_TAG_FAILURE, "no luck");
	talk_add_frame(&bytes, BR_FRAME_ENDED, 0, 0, &payload);
	talk_open(&talk, &(struct br_session_setup){ 0 });
	br_session_end(talk.session);
	talk_say(&talk, bytes.data, bytes.len);
	assert_false(br_session_pump(talk.session, &err));
	assert_int_equal(err.code, BR_ESYSTEM);
	assert_non_null(strstr(err.text, "no luck"));
	assert_true(br_session_has_ended(talk.session));
	assert_true(br_session_pump(talk.session, &err));
	talk_close(&talk);
}

static void takes_the_number_of_a_stage_that_is_over_again(void **state)
{
	br_autobuf struct br_buf bytes = { 0 };
	struct br_err err = { 0 };
	struct talk talk;

	(void)state;
	talk_add_hello(&bytes);
	talk_open(&talk, &(struct br_session_setup){ 0 });
	for (int i = 0; i < 3; i++) {
		talk_start(&talk, STAGE_MAX);
		talk_add_step(&bytes, STAGE_MAX, 1);
		talk_add_numbers(&bytes, BR_FRAME_STEP_FINISHED, STAGE_MAX,
			NUMBERS(BR_TAG_STEP_NUMBER, 1, BR_TAG_STATUS, 1));
		talk_add_numbers(&bytes, BR_FRAME_STAGE_FINISHED, STAGE_MAX,
			NUMBERS(BR_TAG_STATUS, 1));
		talk_say(&talk, bytes.data, bytes.len);
		br_buf_clear(&bytes);
		br_buf_clear(&talk.log);
		assert_true(br_session_pump(talk.session, &err));
		assert_string_equal(br_buf_text(&talk.log),
			"<65535.1 >65535.1=1 0 0 0 0 0 #65535=1 - 0 ");
	}
	talk_close(&talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_same_however_the_bytes_are_cut),
		cmocka_unit_test(hands_on_why_a_stage_could_not_run),
		cmocka_unit_test(refuses_what_does_not_fit),
		cmocka_unit_test(greets_only_an_init_of_the_same_version),
		cmocka_unit_test(hands_on_what_a_handler_says),
		cmocka_unit_test(is_set_up_when_init_says_so),
		cmocka_unit_test(ends_when_init_says_so),
		cmocka_unit_test(
			fails_where_init_goes_without_an_answer_to_the_end),
		cmocka_unit_test(says_that_files_could_not_be_given_back),
		cmocka_unit_test(
			takes_the_number_of_a_stage_that_is_over_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
