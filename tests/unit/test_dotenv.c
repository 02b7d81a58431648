/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "manifest/dotenv.h"

/*
 * Parse `text`; compare the variables, as `NAME=VALUE|` one after the other, and
 * the mistakes, as `line:column text|`.
 */
static void assert_parsed(
	struct br_str text, const char *expected, const char *mistakes)
{
	struct br_arena arena = { 0 };
	struct br_vars vars = { 0 };
	struct br_diags diags = { 0 };
	br_autobuf struct br_buf got = { 0 };
	br_autobuf struct br_buf wrong = { 0 };

	br_diags_init(&diags, ".env", text);
	br_dotenv_parse(text, &arena, &vars, &diags);
	for (size_t i = 0; i < vars.count; i++)
		br_buf_addf(&got, "%s=%s|", vars.items[i].name,
			vars.items[i].value);
	for (size_t i = 0; i < diags.count; i++)
		br_buf_addf(&wrong, "%u:%u %s|", diags.items[i].place.line,
			diags.items[i].place.column, diags.items[i].text);
	assert_string_equal(br_buf_text(&got), expected);
	assert_string_equal(br_buf_text(&wrong), mistakes);
	br_diags_done(&diags);
	br_arena_done(&arena);
}

static void assert_vars(const char *text, const char *expected)
{
	assert_parsed(br_str(text), expected, "");
}

static void assert_mistakes(const char *text, const char *mistakes)
{
	assert_parsed(br_str(text), "", mistakes);
}

static void takes_lines_of_names_and_values(void **state)
{
	(void)state;
	assert_vars("", "");
	assert_vars("A=1\nB=two words\n\n  _c.d-e=3=4\nA=2",
		"A=1|B=two words|_c.d-e=3=4|A=2|");
}

static void takes_comments_export_and_blanks(void **state)
{
	(void)state;
	assert_vars("# comment\n  # comment\n\nexport A=1\n"
		    "\texport\t B= 2 \nexport=3\nexported=4\n",
		"A=1|B=2|export=3|exported=4|");
}

static void takes_a_value_without_quotes_to_the_end_of_the_line(void **state)
{
	(void)state;
	assert_vars("A= a 'b' # \\n $HOME = \t\nB=\nC=x", /* no end of line */
		"A=a 'b' # \\n $HOME =|B=|C=x|");
}

static void takes_single_quotes_literally(void **state)
{
	(void)state;
	assert_vars("A='a\\n \"b\" $C # d'\nB='' # none\nC='one\ntwo'\nD=4\n",
		"A=a\\n \"b\" $C # d|B=|C=one\ntwo|D=4|");
}

static void knows_three_escapes_in_double_quotes(void **state)
{
	(void)state;
	assert_vars("A=\"a\\nb \\\"c\\\" \\\\ \\t \\$D 'e'\"\n"
		    "B=\"one\ntwo\"\t# comment\n",
		"A=a\nb \"c\" \\ \\t \\$D 'e'|B=one\ntwo|");
}

static void takes_windows_line_ends_and_a_byte_order_mark(void **state)
{
	(void)state;
	assert_vars("\xef\xbb\xbf"
		    "A=1\r\nB='2'\r\n\r\n# c\r\nC=\r\n",
		"A=1|B=2|C=|");
}

static void tells_every_mistake_with_its_place(void **state)
{
	(void)state;
	assert_parsed(br_str("A=1\n  B\n1C=2\nD =3\nE='4' 5\nF=\"6\"#\n=7\n"
			     "G=8\n"),
		"A=1|G=8|",
		"2:3 this line is not NAME=VALUE|"
		"3:1 '1C' cannot be the name of a variable|"
		"4:1 there must be no blank before the '='|"
		"5:7 text after the closing quote|"
		"6:6 text after the closing quote|"
		"7:1 '' cannot be the name of a variable|");
}

static void counts_lines_over_quotes_that_span_them(void **state)
{
	(void)state;
	assert_parsed(br_str("A='1\n2\n3'\nB\nC=\"x\ny\" z\nD\n"), "A=1\n2\n3|",
		"4:1 this line is not NAME=VALUE|"
		"6:4 text after the closing quote|"
		"7:1 this line is not NAME=VALUE|");
}

static void tells_where_an_open_quote_began(void **state)
{
	(void)state;
	assert_mistakes("A='1\nB=2\n", "1:3 no closing ' for this quote|");
	assert_mistakes("\nA=\"1\\\"", "2:3 no closing \" for this quote|");
	assert_mistakes("A=\"1\\", "1:3 no closing \" for this quote|");
}

static void refuses_nul_bytes_and_values_that_no_program_takes(void **state)
{
	static const char nul[] = "A=a\0b\nB=\"a\0b\"\nC\0=c\n";
	struct br_str text = { .data = nul, .len = sizeof(nul) - 1 };
	br_autobuf struct br_buf large = { 0 };

	(void)state;
	assert_parsed(text, "",
		"1:1 a value cannot have a NUL byte|"
		"2:1 a value cannot have a NUL byte|"
		"3:1 'C' cannot be the name of a variable|");
	br_buf_add_text(&large, "A=");
	while (large.len < BR_LIMIT_ENV_ENTRY_BYTES)
		br_buf_add_char(&large, 'x');
	br_autofree char *longest = br_format("%s|", br_buf_text(&large));
	assert_vars(br_buf_text(&large), longest);
	br_buf_add_char(&large, 'x');
	assert_mistakes(br_buf_text(&large),
		"1:1 a variable of more than 131071 bytes|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_lines_of_names_and_values),
		cmocka_unit_test(takes_comments_export_and_blanks),
		cmocka_unit_test(
			takes_a_value_without_quotes_to_the_end_of_the_line),
		cmocka_unit_test(takes_single_quotes_literally),
		cmocka_unit_test(knows_three_escapes_in_double_quotes),
		cmocka_unit_test(takes_windows_line_ends_and_a_byte_order_mark),
		cmocka_unit_test(tells_every_mistake_with_its_place),
		cmocka_unit_test(counts_lines_over_quotes_that_span_them),
		cmocka_unit_test(tells_where_an_open_quote_began),
		cmocka_unit_test(
			refuses_nul_bytes_and_values_that_no_program_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
