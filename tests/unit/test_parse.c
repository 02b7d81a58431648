/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/parse.h"
#include "base/str.h"

typedef bool parse_fn(const char *text, int64_t *value, struct br_err *err);

static void assert_value(parse_fn *parse, const char *text, int64_t expected)
{
	struct br_err err = { 0 };
	int64_t value = -1;

	if (!parse(text, &value, &err))
		fail_msg("%s", err.text);
	assert_int_equal(value, expected);
}

/* Each of `texts`, which ends with NULL, is refused and gives no value. */
static void assert_refused(parse_fn *parse, const char *const *texts)
{
	for (; *texts; texts++) {
		struct br_err err = { 0 };
		int64_t value = -7;

		if (parse(*texts, &value, &err))
			fail_msg("takes '%s'", *texts);
		assert_int_equal(err.code, BR_EINPUT);
		assert_int_equal(value, -7);
	}
}

static bool parse_small(const char *text, int64_t *value, struct br_err *err)
{
	return br_parse_int(text, -10, 10, value, err);
}

static void takes_integers_within_their_bounds(void **state)
{
	static const char *const bad[] = { "", "-", "+1", " 1", "1 ", "1.0",
		"0x1", "11", "-11", "99999999999999999999", "ten", NULL };
	struct br_err err = { 0 };
	int64_t value = 0;

	(void)state;
	assert_value(parse_small, "10", 10);
	assert_value(parse_small, "-10", -10);
	assert_value(parse_small, "007", 7);
	assert_refused(parse_small, bad);
	assert_true(br_parse_int(
		"-9223372036854775808", INT64_MIN, INT64_MAX, &value, &err));
	assert_true(value == INT64_MIN);
	assert_false(br_parse_int(
		"9223372036854775808", INT64_MIN, INT64_MAX, &value, &err));
}

static void takes_durations_with_units(void **state)
{
	static const char *const bad[] = { "", "90", "s", "0s", "0h0m", "1.5h",
		"-1s", "1 s", " 1s", "1s ", "5x", "1hour", "1h30", "10000d1ms",
		"99999999999999999999s", NULL };

	(void)state;
	assert_value(br_parse_duration, "500ms", 500);
	assert_value(br_parse_duration, "90s", 90000);
	assert_value(br_parse_duration, "20m", 1200000);
	assert_value(br_parse_duration, "2H", 7200000);
	assert_value(br_parse_duration, "1h30m", 5400000);
	assert_value(br_parse_duration, "0h1s", 1000);
	assert_value(br_parse_duration, "10000d", INT64_C(864000000000));
	assert_refused(br_parse_duration, bad);
}

static void takes_sizes_with_units(void **state)
{
	static const char *const bad[] = { "", "0", "0g", "-1", "1.g", ".5g",
		"g", "1x", "1 g", "1gg", "1ibb", "0.5", "0.1b",
		"1152921504606846977", "1048577t", "99999999999t",
		"99999999999999999999", NULL };

	(void)state;
	assert_value(br_parse_size, "1", 1);
	assert_value(br_parse_size, "1b", 1);
	assert_value(br_parse_size, "2k", 2048);
	assert_value(br_parse_size, "2KB", 2048);
	assert_value(br_parse_size, "512m", INT64_C(512) << 20);
	assert_value(br_parse_size, "1.5g", INT64_C(3) << 29);
	assert_value(br_parse_size, "2GiB", INT64_C(2) << 30);
	assert_value(br_parse_size, "1048576t", INT64_C(1) << 60);
	assert_value(br_parse_size, "1152921504606846976", INT64_C(1) << 60);
	assert_refused(br_parse_size, bad);
}

static void takes_billionths(void **state)
{
	static const char *const bad[] = { "", "0", "0.0", "-1", "1.", ".5",
		"1e3", "1 ", "1000000.5", "1000001", "99999999999999999999",
		"0.0000000001", NULL };

	(void)state;
	assert_value(br_parse_nano, "1.5", 1500000000);
	assert_value(br_parse_nano, "2", 2000000000);
	assert_value(br_parse_nano, "0.000000001", 1);
	assert_value(br_parse_nano, "1000000", INT64_C(1000000000000000));
	assert_refused(br_parse_nano, bad);
}

static void takes_a_text_apart_into_lines(void **state)
{
	struct br_str text = br_str("one\n\nthree");
	struct br_str line = { 0 };

	(void)state;
	assert_true(br_str_next_line(&text, &line));
	assert_true(br_str_is(line, "one"));
	assert_true(br_str_next_line(&text, &line));
	assert_true(br_str_is(line, ""));
	assert_true(br_str_next_line(&text, &line));
	assert_true(br_str_is(line, "three"));
	assert_false(br_str_next_line(&text, &line));
	text = br_str("end\n");
	assert_true(br_str_next_line(&text, &line));
	assert_true(br_str_is(line, "end"));
	assert_false(br_str_next_line(&text, &line));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_integers_within_their_bounds),
		cmocka_unit_test(takes_durations_with_units),
		cmocka_unit_test(takes_sizes_with_units),
		cmocka_unit_test(takes_billionths),
		cmocka_unit_test(takes_a_text_apart_into_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
