/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static void writes_times_as_the_contract_says(void **state)
{
	char text[BR_CLOCK_TEXT_BYTES];

	(void)state;
	br_clock_format(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000000Z");
	br_clock_format(INT64_C(1795228200123456), text);
	assert_string_equal(text, "2026-11-21T02:30:00.123456Z");
	br_clock_format(INT64_C(253402300799999999), text);
	assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
}

static void reads_what_it_writes(void **state)
{
	static const int64_t times[] = { 0, 1, 999999,
		INT64_C(951782400000000) /* a 29th of February */,
		INT64_C(1795228200123456), INT64_C(253402300799999999) };

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		char text[BR_CLOCK_TEXT_BYTES];
		struct br_err err = { 0 };
		int64_t back = -1;

		br_clock_format(times[i], text);
		assert_true(br_clock_parse(text, &back, &err));
		assert_true(back == times[i]);
	}
}

static void reads_no_other_form(void **state)
{
	static const char *const bad[] = { "", "2026-11-21", "now",
		"2026-11-21T02:30:00Z", "2026-11-21T02:30:00.123Z",
		"2026-11-21T02:30:00.123456", "2026-11-21T02:30:00.123456Zx",
		"2026-11-21 02:30:00.123456Z", "2026-11-21T02:30:00.1234567Z",
		"2026-02-30T02:30:00.123456Z", "2026-11-21T24:30:00.123456Z",
		"2026-11-21T02:30:00. 23456Z", "2026-11-21T02:30:00.-23456Z",
		"2026-11-21T02:30: 0.123456Z", " 2026-11-21T02:30:00.123456Z",
		"2026-1-21T02:30:00.123456Z",
		"2026-11-21T02:30:00.123456+00:00" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct br_err err = { 0 };
		int64_t time_us = -7;

		if (br_clock_parse(bad[i], &time_us, &err))
			fail_msg("takes '%s'", bad[i]);
		assert_int_equal(err.code, BR_EINPUT);
		assert_true(time_us == -7);
	}
}

static void never_goes_back(void **state)
{
	int64_t last = br_clock_now_us();

	(void)state;
	for (size_t i = 0; i < 10000; i++) {
		int64_t now = br_clock_now_us();

		assert_true(now >= last);
		last = now;
	}
	assert_true(br_clock_now_ms() >= last / 1000);
}

static void says_how_long_a_time_can_be_waited_for(void **state)
{
	int64_t now_ms = br_clock_now_ms();

	(void)state;
	assert_int_equal(br_clock_left_ms(-1), -1);
	assert_int_equal(br_clock_left_ms(now_ms - 1), 0);
	assert_int_equal(br_clock_left_ms(0), 0);
	assert_int_equal(br_clock_left_ms(INT64_MAX), INT_MAX);
	assert_in_range(br_clock_left_ms(now_ms + 1000000), 1, 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_times_as_the_contract_says),
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(reads_no_other_form),
		cmocka_unit_test(never_goes_back),
		cmocka_unit_test(says_how_long_a_time_can_be_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
