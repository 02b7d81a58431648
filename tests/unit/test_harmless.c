/* SPDX-License-Identifier: MIT */
/*
 * Planted bugs that these tests were seen to catch: a colour that does not end with its
 * line; a string without an end that swallows nothing; a CR at the end that empties
 * the line; wide characters of one column.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "view/columns.h"
#include "view/harmless.h"

#define CSI "\x1b["

static void assert_shown(const char *line, const char *wanted)
{
	br_autobuf struct br_buf text = { 0 };

	br_harmless_add_line(&text, br_str(line), true);
	assert_string_equal(br_buf_text(&text), wanted);
}

static void leaves_text_as_it_is(void **state)
{
	(void)state;
	assert_shown("", "");
	assert_shown("seven..", "seven..");
	assert_shown("more than eight bytes ~", "more than eight bytes ~");
	assert_shown("a\ttab, \xc3\xa9, \xe4\xb8\xad",
		"a\ttab, \xc3\xa9, \xe4\xb8\xad");
}

static void keeps_colours_that_end_with_the_line(void **state)
{
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	assert_shown(CSI "1;31mred", CSI "1;31mred" CSI "0m");
	assert_shown(CSI "38:5:1mred", CSI "38:5:1mred" CSI "0m");
	br_harmless_add_line(&text, br_str(CSI "31mred"), false);
	assert_string_equal(br_buf_text(&text), "red");
}

static void leaves_out_what_else_a_terminal_heeds(void **state)
{
	(void)state;
	assert_shown("a" CSI "2J" CSI "1;1Hb", "ab");
	assert_shown("a" CSI "?1049hb" CSI "6nc", "abc");
	assert_shown("a\x1b]0;title\ab", "ab");
	assert_shown("a\x1b]52;c;aGk=\x1b\\b", "ab");
	assert_shown("a\x1bPq#0\x1b\\b\x1b_x\x1b\\c", "abc");
	assert_shown("a\x1b(0b\x1b"
		     "7c\x1b"
		     "cd",
		"abcd");
	assert_shown("a\x1b]0;no end", "a");
	assert_shown("a\x1b", "a");
	assert_shown("a\ab\bc", "abc");
	assert_shown("a\x0e\x7f\xc2\x9b"
		     "31m\xff",
		"a^N^??31m?");
	/* Half a sequence does not hide what comes after it. */
	assert_shown("a" CSI "31\xc3\xa9", "a\xc3\xa9");
}

static void shows_of_progress_what_stood_there_last(void **state)
{
	(void)state;
	assert_shown("text\r", "text");
	assert_shown("10%\r20%\r30%", "30%");
	assert_shown("10%\r20%\r", "20%");
	assert_shown("long text" CSI "2K" CSI "1Gshort", "short");
	assert_shown("10%\r" CSI "32m20%", CSI "32m20%" CSI "0m");
}

static void assert_fits(
	const char *text, size_t room, const char *wanted, size_t columns)
{
	struct br_columns unicode;
	br_autobuf struct br_buf line = { 0 };

	br_columns_init(&unicode, true);
	assert_int_equal(
		br_columns_add(&unicode, &line, br_str(text), room), columns);
	assert_string_equal(br_buf_text(&line), wanted);
	br_columns_done(&unicode);
}

static void cuts_text_to_the_columns_that_it_takes(void **state)
{
	(void)state;
	assert_fits("four", 4, "four", 4);
	assert_fits("fives", 4, "fiv…", 4);
	assert_fits("中文字", 6, "中文字", 6);
	assert_fits("中文字", 5, "中文…", 5);
	assert_fits("中文字", 4, "中…", 3);
	/* An e and an accent of its own. */
	assert_fits("ee\xcc\x81"
		    "e",
		3,
		"ee\xcc\x81"
		"e",
		3);
	assert_fits("any", 0, "", 0);
	assert_fits("中", 1, "…", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_text_as_it_is),
		cmocka_unit_test(keeps_colours_that_end_with_the_line),
		cmocka_unit_test(leaves_out_what_else_a_terminal_heeds),
		cmocka_unit_test(shows_of_progress_what_stood_there_last),
		cmocka_unit_test(cuts_text_to_the_columns_that_it_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
