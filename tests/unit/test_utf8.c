/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

struct sample {
	const char *text;
	/* Bytes at the start that are whole characters. */
	size_t valid_len;
	/* Bytes at the end that may still become a character. */
	size_t partial_len;
};

static const struct sample samples[] = {
	{ "", 0, 0 },
	{ "plain ASCII, long enough for whole words", 40, 0 },
	{ "gr\xc3\xbcn", 5, 0 },
	{ "\xe2\x82\xac", 3, 0 },
	{ "\xf0\x9f\x98\x80", 4, 0 },
	{ "\xf4\x8f\xbf\xbf", 4, 0 },
	{ "\xed\x9f\xbf\xee\x80\x80", 6, 0 },
	/* Cut off, and may go on. */
	{ "a\xc3", 1, 1 },
	{ "a\xe2\x82", 1, 2 },
	{ "a\xf0\x9f\x98", 1, 3 },
	{ "12345678\xf0", 8, 1 },
	/* Cannot become a character any more. */
	{ "\xff", 0, 0 },
	{ "a\x80", 1, 0 },
	{ "a\xc0\xaf", 1, 0 },
	{ "\xe0\x80\x80", 0, 0 },
	{ "\xe0\x80", 0, 0 },
	{ "\xed\xa0\x80", 0, 0 },
	{ "\xed\xa0", 0, 0 },
	{ "\xf4\x90\x80\x80", 0, 0 },
	{ "\xf5\x80\x80\x80", 0, 0 },
	{ "\xc3\xc3", 0, 1 },
	{ "\xe2\x82x", 0, 0 },
	{ "12345678901\xff"
	  "456789",
		11, 0 },
	{ "\x80\x80\x80\x80", 0, 0 },
};

enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

static void counts_what_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++)
		assert_int_equal(br_utf8_valid_len(samples[i].text,
					 strlen(samples[i].text)),
			samples[i].valid_len);
}

static void counts_what_may_still_come(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++)
		assert_int_equal(br_utf8_partial_len(samples[i].text,
					 strlen(samples[i].text)),
			samples[i].partial_len);
}

/* Wherever good text is cut, only whole characters and a partial one remain. */
static void loses_nothing_at_any_cut(void **state)
{
	static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++)
		assert_int_equal(br_utf8_valid_len(text, len) +
				br_utf8_partial_len(text, len),
			len);
}

static void takes_a_nul_as_a_character(void **state)
{
	(void)state;
	assert_true(br_utf8_is_valid("a\0b", 3));
	assert_false(br_utf8_is_valid("a\0\xff", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_what_is_whole),
		cmocka_unit_test(counts_what_may_still_come),
		cmocka_unit_test(loses_nothing_at_any_cut),
		cmocka_unit_test(takes_a_nul_as_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
