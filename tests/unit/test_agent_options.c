/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/options.h"
#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"

enum { ARGUMENTS = 16 };

/* A file with options in a folder of its own. */
struct world {
	char folder[24];
	char *path;
	/* The words of command lines, which options point into. */
	char *lines[2];
	struct options options;
	struct br_buf kept;
	struct br_err err;
};

/* All but how cmocka is to print, which is no business of the tests. */
static void clear_environment(void)
{
	static const char how[] = "CMOCKA_MESSAGE_OUTPUT";
	const char *value = getenv(how);
	br_autofree char *kept = value ? br_strdup(value) : NULL;

	assert_int_equal(clearenv(), 0);
	if (kept)
		assert_int_equal(setenv(how, kept, 1), 0);
}

static int begin(void **state)
{
	struct world *world = br_alloc(sizeof(*world));

	clear_environment();
	memcpy(world->folder, "/tmp/options-XXXXXX",
		sizeof("/tmp/options-XXXXXX"));
	assert_non_null(mkdtemp(world->folder));
	world->path = br_path_join(world->folder, "agent.conf");
	*state = world;
	return 0;
}

static int end(void **state)
{
	struct world *world = *state;

	options_done(&world->options);
	br_buf_done(&world->kept);
	(void)unlink(world->path);
	(void)rmdir(world->folder);
	free(world->path);
	free(world->lines[0]);
	free(world->lines[1]);
	free(world);
	return 0;
}

static void write_file(struct world *world, const char *text)
{
	(void)unlink(world->path);
	assert_true(br_file_save_new(
		world->path, 0600, text, strlen(text), &world->err));
}

/* Parse `line`, words apart from each other by one space, after --config. */
static bool parse(struct world *world, const char *line, bool is_again)
{
	char program[] = "buildr-agent";
	char option[] = "--config";
	char *argv[ARGUMENTS + 1] = { program, option, world->path };
	char *rest = br_strdup(line);
	int argc = 3;

	free(world->lines[is_again]);
	world->lines[is_again] = rest;
	while (rest && *rest != '\0' && argc < ARGUMENTS)
		argv[argc++] = strsep(&rest, " ");
	if (is_again)
		return options_parse_again(
			argc, argv, &world->options, &world->kept, &world->err);
	return options_parse(argc, argv, &world->options, &world->err);
}

static void a_file_has_an_option_a_line(void **state)
{
	struct world *world = *state;
	const struct agent_options *agent = &world->options.agent;

	write_file(world,
		"# a comment\n"
		"\n"
		"jobs = 3\r\n"
		"  label   linux  \n"
		"label=big\n"
		"allow-repo = https://example.org/#a = b\n"
		"no-network\n"
		"docker-socket = false\n"
		"log json");
	assert_true(parse(world, "", false));
	assert_int_equal(agent->jobs, 3);
	assert_int_equal(agent->labels.count, 2);
	assert_string_equal(agent->labels.items[0], "big");
	assert_string_equal(agent->labels.items[1], "linux");
	assert_string_equal(
		agent->policy.repos[0], "https://example.org/#a = b");
	assert_true(agent->policy.has_no_network);
	assert_false(agent->policy.has_docker_socket);
	assert_int_equal(agent->log, DIARY_JSON);
}

static void the_stage_cache_has_limits_and_another_one(void **state)
{
	struct world *world = *state;
	const struct worker_cache *cache = &world->options.agent.cache;

	write_file(world,
		"remote-cache https://u:p@cache/a\n"
		"remote-cache-ca /etc/ca.pem\n"
		"remote-cache-read-only\n"
		"cache-size unlimited\n");
	setenv("BUILDR_REMOTE_CACHE_TOKEN", "a.b-c", 1);
	assert_true(parse(world, "--cache-age 2d --no-cache", false));
	assert_true(cache->is_off);
	assert_int_equal(cache->size_bytes, -1);
	assert_int_equal(cache->age_ms, 2 * 24 * 60 * 60 * 1000);
	assert_string_equal(cache->remote, "https://u:p@cache/a");
	assert_string_equal(cache->token, "a.b-c");
	assert_string_equal(cache->ca_file, "/etc/ca.pem");
	assert_true(cache->is_read_only);
	/* What the file says can be taken back. */
	assert_true(parse(world, "--remote-cache= --cache-size=0", true));
	assert_null(cache->remote);
	assert_int_equal(cache->size_bytes, 0);
	assert_false(
		parse(world, "--remote-cache ftp://u:hunter2@cache", true));
	assert_null(strstr(world->err.text, "hunter2"));
}

static void mistakes_in_a_file_have_their_place(void **state)
{
	static const char *const cases[][2] = {
		{ "jobs 2\n\nfoo 1\n", ":3: there is no option 'foo'" },
		{ "jobs = x\n", ":1: --jobs: " },
		{ "name\n", ":1: 'name' needs a value" },
		{ "name =\n", ":1: 'name' needs a value" },
		{ "jobs 1\njobs 2\n", ":2: 'jobs' is given twice" },
		{ "config other\n", ":1: 'config' cannot stand in a file" },
		{ "no-network perhaps\n", ":1: --no-network 'perhaps'" },
		{ "Jobs 2\n", ":1: there is no option 'Jobs 2'" },
		{ "jobs\xc2\xa0 2\n", ":1: there is no option 'jobs\xc2\xa0" },
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		br_autofree char *wanted =
			br_format("%s%s", world->path, cases[i][1]);

		write_file(world, cases[i][0]);
		assert_false(parse(world, "", false));
		assert_int_equal(world->err.code, BR_EINPUT);
		assert_memory_equal(world->err.text, wanted, strlen(wanted));
		options_done(&world->options);
	}
}

static void the_command_line_beats_the_environment_beats_the_file(void **state)
{
	struct world *world = *state;
	const struct agent_options *agent = &world->options.agent;

	write_file(world,
		"jobs 1\nqueue a\nname a\nlabel a\nlabel b\nallow-image x\n"
		"no-network\nallow-protocol file\n");
	setenv("BUILDR_QUEUE", "b", 1);
	setenv("BUILDR_NAME", "b", 1);
	setenv("BUILDR_LABEL", "c\nd", 1);
	setenv("BUILDR_ALLOW_PROTOCOL", "", 1);
	setenv("BUILDR_NO_NETWORK", "0", 1);
	assert_true(parse(world, "--name c --label e", false));
	assert_int_equal(agent->jobs, 1);
	assert_string_equal(agent->queue, "b");
	assert_string_equal(agent->name, "c");
	assert_int_equal(agent->labels.count, 1);
	assert_string_equal(agent->labels.items[0], "e");
	assert_int_equal(agent->policy.image_count, 1);
	assert_false(agent->policy.has_no_network);
	assert_string_equal(agent->policy.protocols[0], "file");
	assert_null(agent->policy.protocols[1]);
}

static void what_is_read_again_changes_what_can_change(void **state)
{
	struct world *world = *state;
	const struct agent_options *agent = &world->options.agent;

	write_file(world, "jobs 1\nqueue a\nlabel a\nallow-repo x\n");
	assert_true(parse(world, "--name n", false));
	write_file(world, "jobs 2\nqueue b\nlisten :0\nallow-image y\n");
	assert_true(parse(world, "--name n", true));
	assert_int_equal(agent->jobs, 2);
	assert_int_equal(agent->labels.count, 0);
	assert_int_equal(agent->policy.repo_count, 0);
	assert_int_equal(agent->policy.image_count, 1);
	assert_string_equal(agent->queue, "a");
	assert_null(agent->listen);
	assert_string_equal(br_buf_text(&world->kept), "--queue --listen");
}

static void a_broken_file_leaves_all_as_it_was(void **state)
{
	struct world *world = *state;

	write_file(world, "jobs 1\n");
	assert_true(parse(world, "", false));
	write_file(world, "jobs 2\njob 3\n");
	assert_false(parse(world, "", true));
	assert_int_equal(world->options.agent.jobs, 1);
	assert_int_equal(unlink(world->path), 0);
	assert_false(parse(world, "", true));
	assert_int_equal(world->options.agent.jobs, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_has_an_option_a_line),
		TEST(the_stage_cache_has_limits_and_another_one),
		TEST(mistakes_in_a_file_have_their_place),
		TEST(the_command_line_beats_the_environment_beats_the_file),
		TEST(what_is_read_again_changes_what_can_change),
		TEST(a_broken_file_leaves_all_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
