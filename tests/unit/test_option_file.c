/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/options/option_sources.h"
#include "tests/support/folder.h"

enum { ARGUMENTS = 16 };

struct world {
	char *folder;
	struct options options;
	struct br_err err;
};

/* No variable of whoever runs the tests, and a file of our own. */
static int set_up(void **state)
{
	static const char *const names[] = { "BUILDR_JOBS", "BUILDR_GROUP",
		"BUILDR_ONLY", "BUILDR_ENV", "BUILDR_OUTPUT", "BUILDR_BROKER",
		"HOME" };
	struct world *world = br_alloc(sizeof(*world));

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unsetenv(names[i]);
	world->folder = folder_make();
	(void)setenv("XDG_CONFIG_HOME", world->folder, 1);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	options_done(&world->options);
	folder_remove(world->folder);
	free(world);
	return 0;
}

static void write_file(struct world *world, const char *text)
{
	folder_write(world->folder, "buildr/config", 0600, text);
}

/* Parse words that are one space apart. */
static bool parse(struct world *world, const char *line)
{
	static char words[256];
	char program[] = "buildr";
	char *argv[ARGUMENTS + 1] = { program };
	char *rest = words;
	int argc = 1;

	(void)snprintf(words, sizeof(words), "%s", line);
	while (rest && argc < ARGUMENTS)
		argv[argc++] = strsep(&rest, " ");
	optind = 0; /* getopt_long() begins anew */
	options_done(&world->options);
	return options_parse(argc, argv, &world->options, &world->err);
}

static void assert_refused(struct world *world, const char *text,
	const char *line, const char *message)
{
	write_file(world, text);
	assert_false(parse(world, line));
	assert_int_equal(world->err.code, BR_EINPUT);
	if (!strstr(world->err.text, message))
		fail_msg("'%s' is not in '%s'", message, world->err.text);
}

static void a_file_has_an_option_a_line(void **state)
{
	struct world *world = *state;
	struct options *options = &world->options;

	write_file(world,
		"\xef\xbb\xbf# A comment.\r\n\r\njobs = 3\r\n"
		"env  A=1 and more\nenv = B=2\ngroup\nfail-fast = false\n"
		"broker = amqp://broker/\n");
	assert_true(parse(world, "run"));
	assert_int_equal(options->jobs, 3);
	assert_int_equal(options->env.count, 2);
	assert_string_equal(options->env.items[0], "A=1 and more");
	assert_string_equal(options->env.items[1], "B=2");
	assert_true(options->is_grouped);
	assert_false(options->is_fail_fast);
	/* It is for other commands. */
	assert_null(options->broker);
	assert_true(parse(world, "watch"));
	assert_string_equal(options->broker, "amqp://broker/");
}

static void the_command_line_beats_the_environment_beats_the_file(void **state)
{
	struct world *world = *state;
	struct options *options = &world->options;

	write_file(world,
		"jobs 1\ngroup\nfail-fast\nonly a\nonly b\nenv A=1\nimage i\n");
	(void)setenv("BUILDR_JOBS", "2", 1);
	(void)setenv("BUILDR_GROUP", "0", 1);
	(void)setenv("BUILDR_ONLY", "c", 1);
	(void)setenv("BUILDR_ENV", "A=2", 1);
	assert_true(parse(world, "run -e A=3"));
	assert_int_equal(options->jobs, 2);
	assert_false(options->is_grouped);
	assert_true(options->is_fail_fast);
	assert_string_equal(options->image, "i");
	assert_int_equal(options->only.count, 1);
	assert_string_equal(options->only.items[0], "c");
	/* All are there, and of those of one name the last counts. */
	assert_int_equal(options->env.count, 3);
	assert_string_equal(options->env.items[0], "A=1");
	assert_string_equal(options->env.items[2], "A=3");
	assert_true(parse(world, "run --only d -j 4"));
	assert_int_equal(options->jobs, 4);
	assert_int_equal(options->only.count, 1);
	assert_string_equal(options->only.items[0], "d");
}

static void mistakes_have_their_place(void **state)
{
	struct world *world = *state;

	assert_refused(world, "jobs 1\n\njob = 2\n", "run",
		"buildr/config:3: there is no option 'job': did you mean "
		"'jobs'?");
	assert_refused(
		world, "jobs 1\njobs 2\n", "run", ":2: 'jobs' is given twice");
	assert_refused(world, "jobs\n", "run", ":1: 'jobs' needs a value");
	assert_refused(world, "jobs x\n", "run", ":1: --jobs: ");
	assert_refused(world, "group = maybe\n", "run", ":1: 'group': ");
	assert_refused(world, "help\n", "run", ":1: 'help' cannot stand in");
	assert_refused(world, "detach\n", "run", ":1: 'detach' cannot stand");
	/* Also where the command would not take the option. */
	assert_refused(world, "jbos 1\n", "check", ":1: there is no option");
	assert_refused(world, "= 1\n", "run", ":1: there is no option ''");
}

static void what_is_no_text_file_is_refused(void **state)
{
	struct world *world = *state;
	br_autofree char *path = br_path_join(world->folder, "buildr/config");
	struct br_err err = { 0 };

	folder_write(world->folder, "buildr/config/file", 0600, "");
	assert_false(parse(world, "run"));
	assert_non_null(strstr(world->err.text, "is a directory"));
	br_autofree char *inside = br_path_join(path, "file");
	assert_int_equal(unlink(inside), 0);
	assert_int_equal(rmdir(path), 0);

	assert_true(br_file_save_new(path, 0600, "jobs 1\n\0", 8, &err));
	assert_false(parse(world, "run"));
	assert_non_null(strstr(world->err.text, ":2: the line has a NUL"));
	assert_int_equal(unlink(path), 0);

	assert_int_equal(symlink("nowhere", path), 0);
	assert_true(parse(world, "run"));
}

static void a_broken_file_is_not_in_the_way_of_help(void **state)
{
	struct world *world = *state;

	write_file(world, "nonsense\n");
	assert_false(parse(world, "plan"));
	assert_true(parse(world, "plan --help"));
	assert_true(parse(world, "help plan"));
	assert_int_equal(world->options.command, COMMAND_PLAN);
	assert_true(parse(world, "--version"));
	assert_true(parse(world, "completion bash"));
	/* doctor tells. */
	assert_true(parse(world, "doctor"));
	assert_int_equal(world->options.file_err.code, BR_EINPUT);
	assert_non_null(strstr(world->options.file_err.text, ":1: there is"));
}

static void the_file_is_in_the_home_where_nothing_else_is_said(void **state)
{
	struct world *world = *state;

	(void)setenv("HOME", world->folder, 1);
	/* To be ignored: it is no absolute path. */
	(void)setenv("XDG_CONFIG_HOME", "relative", 1);
	folder_write(world->folder, ".config/buildr/config", 0600, "jobs 7\n");
	assert_true(parse(world, "run"));
	assert_int_equal(world->options.jobs, 7);
	(void)unsetenv("HOME");
	assert_true(parse(world, "run"));
	assert_int_equal(world->options.jobs, 0);
	assert_null(option_file_path());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_file_has_an_option_a_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_command_line_beats_the_environment_beats_the_file,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			mistakes_have_their_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_no_text_file_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_broken_file_is_not_in_the_way_of_help, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			the_file_is_in_the_home_where_nothing_else_is_said,
			set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
