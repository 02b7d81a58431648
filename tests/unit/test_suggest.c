/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/suggest.h"

static const char *const keys[] = { "script", "image", "environment", NULL,
	"needs", "timeout", "user" };

static void assert_suggested(const char *typed, const char *expected)
{
	const char *got =
		br_suggest_find(typed, keys, sizeof(keys) / sizeof(keys[0]));

	if (expected) {
		assert_non_null(got);
		assert_string_equal(got, expected);
	} else {
		assert_null(got);
	}
}

static void finds_a_name_with_a_few_edits(void **state)
{
	(void)state;
	assert_suggested("scirpt", "script");
	assert_suggested("scrip", "script");
	assert_suggested("scripts", "script");
	assert_suggested("skript", "script");
	assert_suggested("enviroment", "environment");
	assert_suggested("usr", "user");
}

static void takes_case_lightly(void **state)
{
	(void)state;
	assert_suggested("SCRipt", "script");
	assert_suggested("Image", "image");
}

static void suggests_nothing_that_is_far(void **state)
{
	(void)state;
	assert_suggested("", NULL);
	assert_suggested("x", NULL);
	assert_suggested("services", NULL);
	assert_suggested("language", NULL);
	assert_null(br_suggest_find("script", NULL, 0));
}

static void prefers_the_nearest(void **state)
{
	static const char *const names[] = { "tests", "test", "text" };

	(void)state;
	assert_string_equal(br_suggest_find("tset", names, 3), "test");
	assert_string_equal(br_suggest_find("testss", names, 3), "tests");
}

static void compares_long_names_by_their_start(void **state)
{
	char typed[500];
	char known[500];
	const char *names[] = { known };

	(void)state;
	memset(typed, 'a', sizeof(typed));
	memset(known, 'a', sizeof(known));
	typed[sizeof(typed) - 1] = '\0';
	known[sizeof(known) - 1] = '\0';
	typed[3] = 'b';
	assert_ptr_equal(br_suggest_find(typed, names, 1), known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_a_name_with_a_few_edits),
		cmocka_unit_test(takes_case_lightly),
		cmocka_unit_test(suggests_nothing_that_is_far),
		cmocka_unit_test(prefers_the_nearest),
		cmocka_unit_test(compares_long_names_by_their_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
