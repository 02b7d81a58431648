/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/uuid.h"

static void makes_valid_ones_of_version_seven(void **state)
{
	(void)state;
	for (size_t i = 0; i < 100; i++) {
		char text[BR_UUID_TEXT_BYTES];
		struct br_err err = { 0 };

		assert_true(br_uuid_make(text, &err));
		assert_true(br_uuid_is_valid(text));
		assert_int_equal(text[14], '7');
		assert_non_null(strchr("89ab", text[19]));
	}
}

static void begins_with_the_time_in_milliseconds(void **state)
{
	char text[BR_UUID_TEXT_BYTES];
	char digits[13] = { 0 };
	struct br_err err = { 0 };
	int64_t before_ms = br_clock_wall_us() / 1000;

	(void)state;
	assert_true(br_uuid_make(text, &err));
	int64_t after_ms = br_clock_wall_us() / 1000;
	memcpy(digits, text, 8);
	memcpy(digits + 8, text + 9, 4);
	int64_t made_ms = strtoll(digits, NULL, 16);

	/* Only a jump of the wall clock could make this wrong. */
	if (before_ms <= after_ms) {
		assert_true(made_ms >= before_ms);
		assert_true(made_ms <= after_ms);
	}
}

static void makes_each_only_once(void **state)
{
	char first[BR_UUID_TEXT_BYTES];
	char second[BR_UUID_TEXT_BYTES];
	struct br_err err = { 0 };

	(void)state;
	assert_true(br_uuid_make(first, &err));
	assert_true(br_uuid_make(second, &err));
	assert_string_not_equal(first, second);
}

static void knows_the_text_form_of_any_version(void **state)
{
	static const char *const bad[] = { "",
		"019aa2f0-0000-7000-8000-00000000000",
		"019aa2f0-0000-7000-8000-0000000000000",
		"019aa2f000000-7000-8000-000000000000",
		"019aa2f0-0000-7000-8000-00000000000g",
		"{19aa2f0-0000-7000-8000-00000000000}",
		"019aa2f0-0000-7000-8000 000000000000" };

	(void)state;
	assert_true(br_uuid_is_valid("019aa2f0-0000-7000-8000-000000000000"));
	assert_true(br_uuid_is_valid("C56A4180-65AA-42EC-A945-5FD21DEC0538"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(br_uuid_is_valid(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_valid_ones_of_version_seven),
		cmocka_unit_test(begins_with_the_time_in_milliseconds),
		cmocka_unit_test(makes_each_only_once),
		cmocka_unit_test(knows_the_text_form_of_any_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
