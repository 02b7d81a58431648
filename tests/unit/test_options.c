/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "cmd/options/option_rows.h"
#include "cmd/options/options.h"

enum { ARGUMENTS = 16 };

/* Parse `line`, words apart from each other by one space. */
static bool parse(char *line, struct options *options, struct br_err *err)
{
	char program[] = "buildr";
	char *argv[ARGUMENTS + 1] = { program };
	char *rest = line;
	int argc = 1;

	while (rest && argc < ARGUMENTS)
		argv[argc++] = strsep(&rest, " ");
	optind = 0; /* getopt_long() begins anew */
	return options_parse(argc, argv, options, err);
}

/* All but how cmocka is to print, which is no business of the tests. */
static int clear_environment(void **state)
{
	static const char how[] = "CMOCKA_MESSAGE_OUTPUT";
	const char *value = getenv(how);
	br_autofree char *kept = value ? br_strdup(value) : NULL;

	(void)state;
	if (clearenv() != 0)
		return -1;
	return kept ? setenv(how, kept, 1) : 0;
}

static void assert_list(
	const struct option_list *list, const char *const *items)
{
	size_t count = 0;

	for (; items[count]; count++) {
		assert_true(count < list->count);
		assert_string_equal(list->items[count], items[count]);
	}
	assert_int_equal(list->count, count);
}

static void names_can_be_repeated(void **state)
{
	char line[] = "--only a --skip=b --only c* --from d e";
	struct options options = { 0 };
	struct br_err err = { 0 };

	(void)state;
	assert_true(parse(line, &options, &err));
	assert_list(&options.only, (const char *const[]){ "a", "c*", NULL });
	assert_list(&options.skip, (const char *const[]){ "b", NULL });
	assert_list(&options.from, (const char *const[]){ "d", NULL });
	assert_int_equal(options.stage_count, 1);
	options_done(&options);
}

static void a_variable_holds_one_name_a_line(void **state)
{
	char line[] = "plan";
	struct options options = { 0 };
	struct br_err err = { 0 };

	(void)state;
	setenv("BUILDR_SKIP", "test (py=3.12, os=slim)\n\nlint\n", 1);
	assert_true(parse(line, &options, &err));
	assert_list(&options.skip,
		(const char *const[]){
			"test (py=3.12, os=slim)", "lint", NULL });
	options_done(&options);
}

static void names_of_an_option_replace_those_of_its_variable(void **state)
{
	char line[] = "--skip a --skip b -e C=3";
	struct options options = { 0 };
	struct br_err err = { 0 };

	(void)state;
	setenv("BUILDR_SKIP", "x\ny", 1);
	setenv("BUILDR_FROM", "z", 1);
	setenv("BUILDR_ENV", "A=1\nB=2", 1);
	assert_true(parse(line, &options, &err));
	assert_list(&options.skip, (const char *const[]){ "a", "b", NULL });
	assert_list(&options.from, (const char *const[]){ "z", NULL });
	assert_list(&options.env,
		(const char *const[]){ "A=1", "B=2", "C=3", NULL });
	options_done(&options);
}

static void switches_have_variables(void **state)
{
	char line[] = "--group --event push";
	struct options options = { 0 };
	struct br_err err = { 0 };

	(void)state;
	setenv("BUILDR_FAIL_FAST", "true", 1);
	setenv("BUILDR_BASE", "origin/main", 1);
	assert_true(parse(line, &options, &err));
	assert_true(options.is_fail_fast);
	assert_true(options.is_grouped);
	assert_string_equal(options.event, "push");
	assert_string_equal(options.base, "origin/main");
	options_done(&options);
}

static void a_switch_wants_a_value_it_knows(void **state)
{
	char line[] = "run";
	struct options options = { 0 };
	struct br_err err = { 0 };

	(void)state;
	setenv("BUILDR_GROUP", "maybe", 1);
	assert_false(parse(line, &options, &err));
	assert_string_equal(err.text,
		"BUILDR_GROUP: the value 'maybe' is none of 1, true, 0, false");
	options_done(&options);
}

static void assert_refused(char *line, const char *message)
{
	struct options options = { 0 };
	struct br_err err = { 0 };

	assert_false(parse(line, &options, &err));
	assert_int_equal(err.code, BR_EINPUT);
	assert_string_equal(err.text, message);
	options_done(&options);
}

static void each_command_has_its_own_forms_and_options(void **state)
{
	char graph[] = "plan -o mermaid";
	char dry[] = "run --dry-run -o mermaid";
	char wet[] = "run -o mermaid";
	char group[] = "plan --group";
	char only[] = "check --only a";
	char watch[] = "plan --watch";
	char both[] = "--watch --dry-run";
	struct options options = { 0 };
	struct br_err err = { 0 };

	(void)state;
	assert_true(parse(graph, &options, &err));
	assert_int_equal(options.output, OUTPUT_MERMAID);
	options_done(&options);
	assert_true(parse(dry, &options, &err));
	assert_int_equal(options.output, OUTPUT_MERMAID);
	options_done(&options);
	assert_refused(wet,
		"'buildr run' does not know this form of --output, only auto, "
		"live, plain, json, quiet");
	assert_refused(group, "--group is no option of 'buildr plan'");
	assert_refused(only, "--only is no option of 'buildr check'");
	assert_refused(watch, "--watch is no option of 'buildr plan'");
	assert_refused(both, "--watch and --dry-run exclude each other");
}

static void buildr_output_is_for_run_alone(void **state)
{
	char run[] = "run";
	char plan[] = "plan";
	struct options options = { 0 };
	struct br_err err = { 0 };

	(void)state;
	setenv("BUILDR_OUTPUT", "quiet", 1);
	assert_true(parse(run, &options, &err));
	assert_int_equal(options.output, OUTPUT_QUIET);
	options_done(&options);
	assert_true(parse(plan, &options, &err));
	assert_int_equal(options.output, OUTPUT_AUTO);
	options_done(&options);
}

static void a_command_stands_before_the_dashes(void **state)
{
	char before[] = "check -v --";
	char behind[] = "-v -- check";
	char stage[] = "run -- check";
	struct options options = { 0 };
	struct br_err err = { 0 };

	(void)state;
	assert_true(parse(before, &options, &err));
	assert_int_equal(options.command, COMMAND_CHECK);
	options_done(&options);
	assert_true(parse(behind, &options, &err));
	assert_int_equal(options.command, COMMAND_RUN);
	assert_int_equal(options.stage_count, 1);
	options_done(&options);
	assert_true(parse(stage, &options, &err));
	assert_int_equal(options.command, COMMAND_RUN);
	assert_int_equal(options.stage_count, 1);
	assert_string_equal(options.stages[0], "check");
	options_done(&options);
}

static void a_job_is_told_by_its_command_line_alone(void **state)
{
	char line[] = "submit --label a --stage s -e A=1 repo -- -branch";
	struct options options = { 0 };
	struct br_err err = { 0 };

	(void)state;
	assert_int_equal(setenv("BUILDR_BROKER", "amqp://broker/", 1), 0);
	assert_int_equal(setenv("BUILDR_QUEUE", "queue", 1), 0);
	assert_int_equal(setenv("BUILDR_COMMIT", "0123456", 1), 0);
	assert_int_equal(setenv("BUILDR_LABEL", "b", 1), 0);
	assert_int_equal(setenv("BUILDR_STAGE", "t", 1), 0);
	assert_int_equal(setenv("BUILDR_ENV", "B=1", 1), 0);
	assert_int_equal(setenv("BUILDR_WAIT", "1", 1), 0);
	assert_true(parse(line, &options, &err));
	assert_list(&options.labels, (const char *const[]){ "a", NULL });
	assert_list(&options.job_stages, (const char *const[]){ "s", NULL });
	assert_list(&options.env, (const char *const[]){ "A=1", NULL });
	assert_null(options.commit);
	assert_false(options.is_wait);
	assert_string_equal(options.broker, "amqp://broker/");
	assert_string_equal(options.queue, "queue");
	assert_int_equal(options.stage_count, 2);
	assert_string_equal(options.stages[1], "-branch");
	options_done(&options);
}

static void the_stage_cache_has_limits_and_another_one(void **state)
{
	char line[] = "--cache-size unlimited --remote-cache "
		      "https://u:p@cache:8080/a --remote-cache-read-only";
	char none[] = "--remote-cache= --cache-size 0 --verify-cache";
	struct options options = { 0 };
	struct br_err err = { 0 };

	(void)state;
	assert_int_equal(setenv("BUILDR_REMOTE_CACHE", "http://other", 1), 0);
	assert_int_equal(setenv("BUILDR_REMOTE_CACHE_TOKEN", "a.b-c", 1), 0);
	assert_int_equal(setenv("BUILDR_REMOTE_CACHE_CA", "ca.pem", 1), 0);
	assert_int_equal(setenv("BUILDR_CACHE_AGE", "2d", 1), 0);
	assert_true(parse(line, &options, &err));
	assert_int_equal(options.cache_bytes, -1);
	assert_int_equal(options.cache_age_ms, 2 * 24 * 60 * 60 * 1000);
	assert_string_equal(options.remote_cache, "https://u:p@cache:8080/a");
	assert_string_equal(options.remote_cache_token, "a.b-c");
	assert_string_equal(options.remote_cache_ca, "ca.pem");
	assert_true(options.is_remote_cache_read_only);
	assert_false(options.is_no_cache);
	options_done(&options);
	/* What the file or a variable says can be taken back. */
	assert_true(parse(none, &options, &err));
	assert_int_equal(options.cache_bytes, 0);
	assert_null(options.remote_cache);
	assert_true(options.is_verify_cache);
	options_done(&options);
}

static void a_password_of_the_cache_is_in_no_message(void **state)
{
	char url[] = "--remote-cache ftp://me:hunter2@cache";
	char host[] = "--remote-cache http://me:hunter2@";
	char token[] = "--remote-cache-token hunter2\xc3\xbc";
	char both[] = "--no-cache --verify-cache";
	char age[] = "--cache-age 0";

	(void)state;
	assert_refused(url,
		"--remote-cache: the remote cache is no URL that begins with "
		"http:// or https://");
	assert_refused(host,
		"--remote-cache: the URL of the remote cache names no host");
	assert_refused(token,
		"--remote-cache-token: the token of the remote cache is empty, "
		"or has a blank or a byte that is not ASCII");
	assert_refused(
		both, "--verify-cache and --no-cache exclude each other");
	assert_refused(
		age, "--cache-age: '0' is not a duration like 90s, 20m or 2h");
}

static void the_help_of_a_command_has_its_options_alone(void **state)
{
	br_autobuf struct br_buf submit = { 0 };
	br_autobuf struct br_buf run = { 0 };

	(void)state;
	options_help(COMMAND_SUBMIT, &submit);
	assert_non_null(strstr(submit.data, "submit [OPTIONS] REPO [BRANCH]"));
	assert_non_null(strstr(submit.data, "--everywhere"));
	assert_null(strstr(submit.data, "--jobs"));
	assert_null(strstr(submit.data, "--docker-sock"));
	assert_null(strstr(submit.data, "mermaid"));
	options_help(COMMAND_RUN, &run);
	assert_non_null(strstr(run.data, "--jobs"));
	assert_null(strstr(run.data, "--everywhere"));
}

static void the_tables_are_as_long_as_they_say(void **state)
{
	(void)state;
	assert_non_null(option_rows[OPTION_ROWS - 1].name);
	assert_non_null(command_rows[COMMAND_ROWS - 1].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			names_can_be_repeated, clear_environment),
		cmocka_unit_test_setup(
			a_variable_holds_one_name_a_line, clear_environment),
		cmocka_unit_test_setup(
			names_of_an_option_replace_those_of_its_variable,
			clear_environment),
		cmocka_unit_test_setup(
			switches_have_variables, clear_environment),
		cmocka_unit_test_setup(
			a_switch_wants_a_value_it_knows, clear_environment),
		cmocka_unit_test_setup(
			each_command_has_its_own_forms_and_options,
			clear_environment),
		cmocka_unit_test_setup(
			buildr_output_is_for_run_alone, clear_environment),
		cmocka_unit_test_setup(
			a_command_stands_before_the_dashes, clear_environment),
		cmocka_unit_test_setup(a_job_is_told_by_its_command_line_alone,
			clear_environment),
		cmocka_unit_test_setup(
			the_stage_cache_has_limits_and_another_one,
			clear_environment),
		cmocka_unit_test_setup(a_password_of_the_cache_is_in_no_message,
			clear_environment),
		cmocka_unit_test(the_help_of_a_command_has_its_options_alone),
		cmocka_unit_test(the_tables_are_as_long_as_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
