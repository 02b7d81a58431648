/* SPDX-License-Identifier: MIT */
/*
 * Which credentials a pull uses. Helpers are scripts in a folder that is put in
 * front of PATH.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "engine/config.h"
#include "engine/login.h"
#include "tests/support/folder.h"

/* base64 of `me:p?ss~>>word:x`: in base64url the header has `-` and `_`. */
#define AUTH "bWU6cD9zc34+PndvcmQ6eA=="

static int set_up(void **state)
{
	char *home = folder_make();
	const char *path = getenv("PATH");
	br_autofree char *with_helpers =
		br_format("%s/bin:%s", home, path ? path : "/bin");

	/* So do the programs: a helper may end before it has read. */
	(void)signal(SIGPIPE, SIG_IGN);
	unsetenv("DOCKER_CONFIG");
	*state = home;
	return setenv("HOME", home, 1) || setenv("PATH", with_helpers, 1);
}

static int tear_down(void **state)
{
	folder_remove(*state);
	return 0;
}

static void configure(const char *home, const char *json)
{
	folder_write(home, ".docker/config.json", 0600, json);
}

/* A helper that writes down what it was asked, and answers `answer`. */
static void add_helper(
	const char *home, const char *name, const char *answer, int status)
{
	br_autofree char *path = br_format("bin/docker-credential-%s", name);
	br_autofree char *script = br_format("#!/bin/sh\n"
					     "{ echo \"$*\"; cat; } >%s/asked\n"
					     "cat <<'END'\n%s\nEND\n"
					     "exit %d\n",
		home, answer, status);

	folder_write(home, path, 0755, script);
}

static void assert_asked(const char *home, const char *wanted)
{
	br_autofree char *path = br_format("%s/asked", home);
	br_autobuf struct br_buf text = { 0 };
	struct br_err err = { 0 };

	assert_true(br_file_load(path, 4096, &text, &err));
	assert_string_equal(br_buf_text(&text), wanted);
}

/* The JSON of the header must be `wanted`; NULL: there must be no header. */
static void assert_header(const char *registry, const char *wanted)
{
	br_autocredentials struct br_credentials found = { 0 };
	br_autobuf struct br_buf json = { 0 };
	struct br_err err = { 0 };

	br_credentials_find(registry, -1, &found);
	if (found.problem)
		fail_msg("%s", found.problem);
	if (!wanted) {
		assert_null(found.header);
		return;
	}
	assert_non_null(found.header);
	assert_int_equal(strlen(found.header) % 4, 0);
	assert_null(strpbrk(found.header, "+/"));
	for (char *at = found.header; *at != '\0'; at++)
		if (strchr("-_", *at))
			*at = (char)(*at == '-' ? '+' : '/');
	assert_true(br_base64_decode(
		found.header, strlen(found.header), &json, &err));
	assert_string_equal(br_buf_text(&json), wanted);
}

static void assert_problem(const char *registry, const char *part)
{
	br_autocredentials struct br_credentials found = { 0 };

	br_credentials_find(registry, -1, &found);
	assert_null(found.header);
	assert_non_null(found.problem);
	if (!strstr(found.problem, part))
		fail_msg("'%s' is not in '%s'", part, found.problem);
	assert_null(strstr(found.problem, "p?ss"));
	assert_null(strstr(found.problem, AUTH));
}

static void knows_nobody_without_a_configuration(void **state)
{
	const char *home = *state;

	assert_header("docker.io", NULL);
	configure(home, "{}");
	assert_header("docker.io", NULL);
}

static void takes_the_login_of_the_registry(void **state)
{
	configure(*state,
		"{\"auths\":{\"reg:5000\":{\"auth\":\"" AUTH "\"},"
		"\"https://old:1/v1/\":{\"auth\":\"YTpi\"},"
		"\"https://index.docker.io/v1/\":{\"username\":\"h\","
		"\"password\":\"q\\\"\",\"identitytoken\":\"tok\"}}}");
	assert_header("reg:5000",
		"{\"username\":\"me\",\"password\":\"p?ss~>>word:x\","
		"\"serveraddress\":\"reg:5000\"}");
	assert_header("old:1",
		"{\"username\":\"a\",\"password\":\"b\","
		"\"serveraddress\":\"old:1\"}");
	assert_header("docker.io",
		"{\"username\":\"h\",\"password\":\"q\\\"\","
		"\"identitytoken\":\"tok\","
		"\"serveraddress\":\"https://index.docker.io/v1/\"}");
	assert_header("reg", NULL);
	assert_header("reg:500", NULL);
}

static void asks_the_helper_of_the_registry_before_that_of_all(void **state)
{
	const char *home = *state;

	configure(home,
		"{\"auths\":{\"reg:5000\":{\"auth\":\"" AUTH "\"}},"
		"\"credsStore\":\"all\",\"credHelpers\":{\"reg:5000\":\"own\"}}");
	add_helper(
		home, "all", "{\"Username\":\"<token>\",\"Secret\":\"s3\"}", 0);
	add_helper(home, "own",
		"{\"ServerURL\":\"x\",\"Username\":\"u\",\"Secret\":\"s\"}", 0);
	assert_header("reg:5000",
		"{\"username\":\"u\",\"password\":\"s\","
		"\"serveraddress\":\"reg:5000\"}");
	assert_asked(home, "get\nreg:5000");
	assert_header("docker.io",
		"{\"identitytoken\":\"s3\","
		"\"serveraddress\":\"https://index.docker.io/v1/\"}");
	assert_asked(home, "get\nhttps://index.docker.io/v1/");
}

static void what_a_helper_for_all_does_not_know_nobody_knows(void **state)
{
	const char *home = *state;

	configure(home,
		"{\"auths\":{\"reg:5000\":{\"auth\":\"" AUTH "\"}},"
		"\"credsStore\":\"all\"}");
	add_helper(home, "all", "credentials not found in native keychain", 1);
	assert_header("reg:5000", NULL);
}

static void tells_what_is_wrong_with_a_helper(void **state)
{
	const char *home = *state;

	configure(home, "{\"credsStore\":\"all\"}");
	assert_problem("reg:1", "'docker-credential-all' is not installed");
	add_helper(home, "all", "no keyring, p?ss", 2);
	assert_problem("reg:1", "'docker-credential-all' ended with status 2");
	add_helper(home, "all", "p?ss", 0);
	assert_problem("reg:1", "not JSON");
	add_helper(home, "all", "{\"Username\":\"u\"}", 0);
	assert_problem("reg:1", "it has no secret");
	configure(home, "{\"credsStore\":\"../../evil\"}");
	assert_problem("reg:1", "is no name of a credential helper");
}

static void does_not_wait_for_a_helper_when_it_is_cancelled(void **state)
{
	br_autocredentials struct br_credentials found = { 0 };
	const char *home = *state;
	int cancel[2];

	assert_int_equal(pipe(cancel), 0);
	assert_int_equal(write(cancel[1], "\2", 1), 1);
	configure(home, "{\"credsStore\":\"hung\"}");
	folder_write(home, "bin/docker-credential-hung", 0755,
		"#!/bin/sh\nexec sleep 3600\n");
	br_credentials_find("reg:1", cancel[0], &found);
	assert_null(found.header);
	assert_non_null(strstr(found.problem, "stopped on request"));
	(void)close(cancel[0]);
	(void)close(cancel[1]);
}

static void tells_what_is_wrong_with_the_configuration(void **state)
{
	const char *home = *state;

	configure(home, "{\"auths\":");
	assert_problem("reg:1", "config.json: not JSON");
	configure(home, "[]");
	assert_problem("reg:1", "config.json: not a JSON object");
	configure(home, "{\"auths\":{\"reg:1\":{\"auth\":\"%%\"}}}");
	assert_problem("reg:1", "'auth' is not base64");
	/* base64 of `p?ss`: no colon in it. */
	configure(home, "{\"auths\":{\"reg:1\":{\"auth\":\"cD9zcw==\"}}}");
	assert_problem("reg:1", "'auth' is not base64 of user:password");
}

#define WITH_HOME(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_HOME(knows_nobody_without_a_configuration),
		WITH_HOME(takes_the_login_of_the_registry),
		WITH_HOME(asks_the_helper_of_the_registry_before_that_of_all),
		WITH_HOME(what_a_helper_for_all_does_not_know_nobody_knows),
		WITH_HOME(tells_what_is_wrong_with_a_helper),
		WITH_HOME(does_not_wait_for_a_helper_when_it_is_cancelled),
		WITH_HOME(tells_what_is_wrong_with_the_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
