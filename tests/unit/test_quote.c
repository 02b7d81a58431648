/* SPDX-License-Identifier: MIT */
/*
 * Planted bugs that these tests were seen to catch: `$` taken for plain; a single
 * quote that is not escaped; an empty word that disappears.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/process.h"
#include "base/quote.h"

static void assert_quoted(const char *word, const char *wanted)
{
	br_autobuf struct br_buf text = { 0 };

	br_quote_word(word, &text);
	assert_string_equal(br_buf_text(&text), wanted);
}

static void leaves_plain_words_as_they_are(void **state)
{
	(void)state;
	assert_quoted("./mvnw", "./mvnw");
	assert_quoted("--label=a:b,c@d", "--label=a:b,c@d");
}

static void quotes_what_a_shell_would_change(void **state)
{
	(void)state;
	assert_quoted("", "''");
	assert_quoted("a b", "'a b'");
	assert_quoted("$HOME", "'$HOME'");
	assert_quoted("it's", "'it'\\''s'");
	assert_quoted("~root", "'~root'");
	assert_quoted("#", "'#'");
	assert_quoted("gr\xc3\xbc\xc3\x9f", "'gr\xc3\xbc\xc3\x9f'");
}

static void keeps_a_program_from_being_an_assignment(void **state)
{
	const char *const argv[] = { "A=b", "A=b", "c d", NULL };
	br_autobuf struct br_buf text = { 0 };

	(void)state;
	br_quote_argv(argv, &text);
	assert_string_equal(br_buf_text(&text), "'A=b' A=b 'c d'");
}

static void gives_what_a_shell_takes_back(void **state)
{
	br_autobuf struct br_buf script = { 0 };
	br_autobuf struct br_buf wanted = { 0 };
	br_autobuf struct br_buf output = { 0 };
	struct br_process_result result = { 0 };
	struct br_err err = { 0 };

	(void)state;
	br_buf_add_text(&script, "printf '[%s]'");
	/* Every byte but NUL, before and behind another one. */
	for (int c = 1; c < 256; c++) {
		const char word[] = { (char)c, 'x', (char)c, '\0' };

		br_buf_add_char(&script, ' ');
		br_quote_word(word, &script);
		br_buf_addf(&wanted, "[%s]", word);
	}

	const char *const argv[] = { "sh", "-c", script.data, NULL };
	assert_true(
		br_process_run(argv, "", 60000, 65536, &output, &result, &err));
	assert_int_equal(result.status, 0);
	assert_string_equal(br_buf_text(&output), wanted.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_plain_words_as_they_are),
		cmocka_unit_test(quotes_what_a_shell_would_change),
		cmocka_unit_test(keeps_a_program_from_being_an_assignment),
		cmocka_unit_test(gives_what_a_shell_takes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
