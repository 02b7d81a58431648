/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "manifest/diag.h"
#include "manifest/diag_json.h"

static void add(struct br_diags *diags, unsigned line, unsigned column,
	const char *help, const char *text)
{
	struct br_place place = { .line = line, .column = column };

	br_diags_add(diags, BR_SEVERITY_ERROR, place, help, "%s", text);
}

/* Compare what is shown of the diagnostics, and free them. */
static void assert_shown(struct br_diags *diags, const char *expected)
{
	br_autobuf struct br_buf text = { 0 };

	br_diags_format(diags, &text);
	assert_string_equal(br_buf_text(&text), expected);
	br_diags_done(diags);
}

static void shows_place_line_caret_and_help(void **state)
{
	struct br_diags diags = { 0 };

	(void)state;
	br_diags_init(&diags, ".buildr.yml", br_str("a:\n  scirpt: x\n"));
	add(&diags, 2, 3, "did you mean 'script'?", "unknown key 'scirpt'");
	assert_int_equal(diags.error_count, 1);
	assert_shown(&diags,
		".buildr.yml:2:3: error: unknown key 'scirpt'\n"
		"    2 |   scirpt: x\n"
		"      |   ^\n"
		"help: did you mean 'script'?\n");
}

static void sorts_by_place_and_keeps_the_order_of_the_same_place(void **state)
{
	struct br_diags diags = { 0 };
	struct br_place place = { .line = 1, .column = 2 };

	(void)state;
	br_diags_init(&diags, "f", br_str(""));
	add(&diags, 2, 1, NULL, "fourth");
	add(&diags, 1, 2, NULL, "second");
	br_diags_add(&diags, BR_SEVERITY_WARNING, place, NULL, "third");
	add(&diags, 0, 0, NULL, "first");
	br_diags_sort(&diags);
	assert_int_equal(diags.error_count, 3);
	assert_shown(&diags,
		"f: error: first\n"
		"f:1:2: error: second\n"
		"f:1:2: warning: third\n"
		"f:2:1: error: fourth\n");
}

static void counts_characters_not_bytes(void **state)
{
	struct br_diags diags = { 0 };

	(void)state;
	br_diags_init(&diags, "f", br_str("\xef\xbb\xbfgrün: größe\r\n"));
	add(&diags, 1, 7, NULL, "wrong");
	assert_shown(&diags,
		"f:1:7: error: wrong\n"
		"    1 | grün: größe\n"
		"      |       ^\n");
}

static void shows_nothing_that_a_terminal_would_obey(void **state)
{
	struct br_diags diags = { 0 };

	(void)state;
	br_diags_init(&diags, "f",
		br_str("\t\x1b[31m\xc2\x9b\u202e\xff\x80\xe2\x82 end\n"));
	add(&diags, 1, 12, "see\n'\x1b[0m'", "got '\r\x07'");
	assert_shown(&diags,
		"f:1:12: error: got '?\?'\n"
		"    1 |  ?[31m???? end\n"
		"      |            ^\n"
		"help: see?'?[0m'\n");
}

/* Show column `column` of a line of 200 digits: is it cut as `expected`? */
static void assert_cut(unsigned column, const char *expected)
{
	char line[201] = { 0 };
	struct br_diags diags = { 0 };

	for (size_t i = 0; i < 200; i++)
		line[i] = (char)('0' + i % 10);
	br_diags_init(&diags, "f", br_str(line));
	add(&diags, 1, column, NULL, "x");
	assert_string_equal(diags.items[0].source_line, expected);
	/* The caret stands under the digit of its column. */
	assert_int_equal(expected[diags.items[0].caret],
		column > 200 ? '\0' : '0' + (column - 1) % 10);
	br_diags_done(&diags);
}

static void cuts_a_long_line_around_the_place(void **state)
{
	(void)state;
	assert_cut(1,
		"012345678901234567890123456789012345"
		"678901234567890123456789012345678901...");
	assert_cut(100,
		"...901234567890123456789012345678901234"
		"567890123456789012345678901234567890...");
	assert_cut(200,
		"...890123456789012345678901234567890123"
		"456789012345678901234567890123456789");
	assert_cut(201,
		"...890123456789012345678901234567890123"
		"456789012345678901234567890123456789");
}

static void keeps_a_hundred_and_counts_the_others(void **state)
{
	struct br_diags diags = { 0 };
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	br_diags_init(&diags, "f", br_str(""));
	for (unsigned i = 0; i < BR_LIMIT_DIAGS + 5; i++)
		add(&diags, i + 1, 1, NULL, "x");
	assert_int_equal(diags.count, BR_LIMIT_DIAGS);
	assert_int_equal(diags.dropped_count, 5);
	assert_int_equal(diags.error_count, BR_LIMIT_DIAGS + 5);
	br_diags_format(&diags, &text);
	assert_non_null(strstr(br_buf_text(&text), "f: and 5 more\n"));
	br_diags_done(&diags);
}

static void cuts_a_text_between_characters(void **state)
{
	char text[2000];
	struct br_diags diags = { 0 };

	(void)state;
	text[0] = 'x';
	for (size_t i = 1; i + 3 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 3);
	br_diags_init(&diags, "f", br_str(""));
	add(&diags, 1, 1, text, text);
	assert_string_equal(diags.items[0].help, diags.items[0].text);

	size_t len = strlen(diags.items[0].text);
	assert_in_range(len, 400, 520);
	assert_string_equal(diags.items[0].text + len - 5, "\xc3\xa4...");
	br_diags_done(&diags);
}

static void gives_the_same_as_json(void **state)
{
	br_autobuf struct br_buf text = { 0 };
	struct br_diags diags = { 0 };
	struct br_place place = { .line = 2, .column = 3 };

	(void)state;
	br_diags_init(&diags, "a \"b\".yml", br_str("a:\n  b\n"));
	add(&diags, 2, 3, "write \"x\"", "bad\n\x1b");
	br_diags_add(&diags, BR_SEVERITY_WARNING, place, NULL, "hm");
	add(&diags, 0, 0, NULL, "nowhere");
	br_diags_format_json(&diags, &text);
	assert_string_equal(br_buf_text(&text),
		"{\"v\":1,\"file\":\"a \\\"b\\\".yml\",\"errors\":2,"
		"\"diagnostics\":["
		"{\"severity\":\"error\",\"line\":2,\"column\":3,"
		"\"text\":\"bad??\",\"help\":\"write \\\"x\\\"\"},"
		"{\"severity\":\"warning\",\"line\":2,\"column\":3,"
		"\"text\":\"hm\"},"
		"{\"severity\":\"error\",\"text\":\"nowhere\"}]}\n");
	br_diags_done(&diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_place_line_caret_and_help),
		cmocka_unit_test(
			sorts_by_place_and_keeps_the_order_of_the_same_place),
		cmocka_unit_test(counts_characters_not_bytes),
		cmocka_unit_test(shows_nothing_that_a_terminal_would_obey),
		cmocka_unit_test(cuts_a_long_line_around_the_place),
		cmocka_unit_test(keeps_a_hundred_and_counts_the_others),
		cmocka_unit_test(cuts_a_text_between_characters),
		cmocka_unit_test(gives_the_same_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
