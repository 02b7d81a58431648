/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/completion/complete.h"
#include "log/folder.h"
#include "tests/support/folder.h"

static const char manifest[] =
	"image: i\nstages: [build, 'te:st=1', \"it's\"]\n"
	"build: {}\n'te:st=1': {matrix: {PY: [3, 4]}}\n"
	"\"it's\": {}\nbeside: {script: [a]}\n";

static int set_up(void **state)
{
	*state = folder_make();
	folder_write(*state, ".buildr.yml", 0600, manifest);
	(void)setenv("BUILDR_PATH", *state, 1);
	(void)unsetenv("BUILDR_FILE");
	return 0;
}

static int tear_down(void **state)
{
	folder_remove(*state);
	return 0;
}

/* What is said of `words`, NULL-terminated, without what it means. */
static char *complete(const char *const *words)
{
	br_autobuf struct br_buf whole = { 0 };
	br_autobuf struct br_buf plain = { 0 };
	char *copies[16] = { NULL };
	bool is_meaning = false;

	for (size_t i = 0; words[i]; i++)
		copies[i] = br_strdup(words[i]);
	complete_answer(copies, &whole);
	for (size_t i = 0; copies[i]; i++)
		free(copies[i]);
	for (const char *at = br_buf_text(&whole); *at != '\0'; at++) {
		if (*at == '\t' || *at == '\n')
			is_meaning = *at == '\t';
		if (!is_meaning)
			br_buf_add_char(&plain, *at);
	}
	return br_buf_take(&plain);
}

#define assert_completed(wanted, ...) \
	do { \
		const char *const words_[] = { __VA_ARGS__, NULL }; \
		br_autofree char *answer_ = complete(words_); \
		assert_string_equal(answer_, wanted); \
	} while (0)

static void the_first_word_is_a_command_or_a_stage(void **state)
{
	(void)state;
	assert_completed("words\nbuild\nbeside\n", "b");
	assert_completed("words\nplan\n", "pl");
	assert_completed("words\nit's\n", "-q", "build", "it");
	assert_completed("words\nbuild\nbeside\n", "--", "b");
	assert_completed("words\nplan\n", "help", "pl");
	assert_completed("words\n", "check", "b");
	assert_completed("words\nwhy\n", "wh");
	assert_completed("words\nbuild\nbeside\n", "why", "b");
}

static void options_are_those_of_the_command(void **state)
{
	(void)state;
	assert_completed("words\n--jobs\n", "run", "--jo");
	assert_completed("words\n", "plan", "--jo");
	assert_completed("words\n--list\n", "init", "--li");
	assert_completed("words\n--junit\n", "--junit");
	assert_completed("files\n", "--junit=x");
}

static void a_value_is_completed_in_either_form(void **state)
{
	(void)state;
	assert_completed("words\nmissing\nalways\nnever\n", "--pull", "");
	assert_completed("words\n--pull=never\n", "--pull=n");
	assert_completed("words\njson\n", "-qo", "j");
	assert_completed("words\nmermaid\n", "plan", "-o", "me");
	assert_completed("words\n", "check", "-o", "me");
	assert_completed("folders\n", "-C", "x");
	assert_completed("files\n", "--file=x");
	assert_completed("words\nbuild\nbeside\n", "--skip", "b");
	assert_completed("words\n", "--timeout", "");
	assert_completed("words\n", "check", "--pull=n");
	assert_completed("words\nbash\n", "completion", "b");
	assert_completed("words\nall\n", "gc", "--kept", "a");
	assert_completed("words\ncargo\ncmake\n", "init", "npm", "c");
}

static void names_of_a_matrix_come_whole(void **state)
{
	(void)state;
	assert_completed(
		"words\nte:st=1\nte:st=1 (PY=3)\nte:st=1 (PY=4)\n", "te");
	assert_completed("words\nte:st=1 (PY=4)\n", "te:st=1 (PY=4");
}

static void quotes_are_handed_over(void **state)
{
	(void)state;
	assert_completed("words\nte:st=1 (PY=4)\n", "te:st=1\\ \\(PY=4");
	assert_completed("words\nte:st=1 (PY=4)\n", "'te:st=1 (PY=4");
	assert_completed("words\nit's\n", "\"it's");
	assert_completed("words\nbuild\n", "'bu'i");
}

static void the_project_is_where_the_line_says(void **state)
{
	br_autofree char *other = br_path_join(*state, "other");

	folder_write(
		*state, "other/.buildr.yaml", 0600, "stages: [far]\nfar: {}\n");
	assert_completed("words\nfar\n", "-C", other, "plan", "f");
	/* Nothing is said of what is wrong. */
	assert_completed("words\n", "-C", "/nowhere", "plan", "f");
	folder_write(*state, "other/.buildr.yaml", 0600, "stages: [far]\n");
	assert_completed("words\n", "-C", other, "plan", "f");
}

static void nothing_at_all_is_no_failure(void **state)
{
	br_autobuf struct br_buf text = { 0 };
	char *nothing[] = { NULL };

	(void)state;
	complete_answer(nothing, &text);
	assert_non_null(strstr(br_buf_text(&text), "words\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_word_is_a_command_or_a_stage),
		cmocka_unit_test(options_are_those_of_the_command),
		cmocka_unit_test(a_value_is_completed_in_either_form),
		cmocka_unit_test(names_of_a_matrix_come_whole),
		cmocka_unit_test(quotes_are_handed_over),
		cmocka_unit_test(the_project_is_where_the_line_says),
		cmocka_unit_test(nothing_at_all_is_no_failure),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
