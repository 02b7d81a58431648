/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/demux.h"

struct seen {
	char text[4096];
	size_t len;
};

/* Record "<channel><byte>" per byte, so that piece boundaries do not matter. */
static bool record(void *ctx, enum br_channel channel, const uint8_t *data,
	size_t len, struct br_err *err)
{
	struct seen *seen = ctx;

	(void)err;
	for (size_t i = 0; i < len && seen->len + 2 <= sizeof(seen->text);
		i++) {
		seen->text[seen->len++] = (char)('0' + (int)channel);
		seen->text[seen->len++] = (char)data[i];
	}
	return true;
}

static const uint8_t two_frames[] = {
	1, 0, 0, 0, 0, 0, 0, 2, 'h', 'i', /* stdout "hi" */
	1, 0, 0, 0, 0, 0, 0, 0,           /* empty frames are legal */
	2, 0, 0, 0, 0, 0, 0, 1, '!',      /* stderr "!" */
};

static void gives_the_same_bytes_however_the_input_is_cut(void **state)
{
	(void)state;
	for (size_t cut = 0; cut <= sizeof(two_frames); cut++) {
		struct br_demux demux = { 0 };
		struct br_err err = { 0 };
		struct seen seen = { 0 };

		assert_true(br_demux_feed(
			&demux, two_frames, cut, record, &seen, &err));
		assert_true(br_demux_feed(&demux, two_frames + cut,
			sizeof(two_frames) - cut, record, &seen, &err));
		assert_true(br_demux_end(&demux, &err));
		assert_int_equal(seen.len, 6);
		assert_memory_equal(seen.text, "1h1i2!", 6);
		assert_int_equal(err.code, BR_OK);
	}
}

static void reports_output_that_was_lost(void **state)
{
	struct br_demux demux = { 0 };
	struct br_err err = { 0 };
	struct seen seen = { 0 };

	(void)state;
	assert_true(br_demux_feed(&demux, two_frames, 9, record, &seen, &err));
	assert_false(br_demux_end(&demux, &err));
	assert_int_equal(err.code, BR_EPROTO);
	assert_string_equal(err.text, "output ended 1 bytes early");
}

static void rejects_an_unknown_channel(void **state)
{
	static const uint8_t bad[8] = { 9 };
	struct br_demux demux = { 0 };
	struct br_err err = { 0 };
	struct seen seen = { 0 };

	(void)state;
	assert_false(
		br_demux_feed(&demux, bad, sizeof(bad), record, &seen, &err));
	assert_int_equal(err.code, BR_EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_same_bytes_however_the_input_is_cut),
		cmocka_unit_test(reports_output_that_was_lost),
		cmocka_unit_test(rejects_an_unknown_channel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
