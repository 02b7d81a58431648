/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "engine/address.h"
#include "tests/support/folder.h"

/* SHA-256 of `far`, as sha256sum has it. */
#define FAR "512eea46ceb3921dff4363c7069d89d4964d1d9fccaa0f411851a7aa60a5c868"

/* A test starts with a folder that is HOME, and none of docker's variables. */
static int set_up(void **state)
{
	static const char *const names[] = { "DOCKER_HOST", "DOCKER_CONTEXT",
		"DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS",
		"DOCKER_TLS_VERIFY", "XDG_RUNTIME_DIR" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	*state = folder_make();
	return setenv("HOME", *state, 1);
}

static int tear_down(void **state)
{
	folder_remove(*state);
	return 0;
}

static void assert_address(
	const char *option, const char *text, const char *source)
{
	br_autoaddress struct br_address found = { 0 };
	struct br_err err = { 0 };

	if (!br_address_find(option, &found, &err))
		fail_msg("%s", err.text);
	assert_string_equal(found.text, text);
	assert_string_equal(found.source, source);
}

static void assert_refused(const char *option, const char *part)
{
	br_autoaddress struct br_address found = { 0 };
	struct br_err err = { 0 };

	assert_false(br_address_find(option, &found, &err));
	assert_int_equal(err.code, BR_EINPUT);
	assert_null(found.text);
	if (!strstr(err.text, part))
		fail_msg("'%s' is not in '%s'", part, err.text);
}

static void takes_addresses_apart(void **state)
{
	static const struct {
		const char *text;
		const char *wanted;
		const char *socket_path;
		const char *host_port;
	} samples[] = {
		{ "unix:///run/x.sock", "unix:///run/x.sock", "/run/x.sock",
			NULL },
		{ "unix://var/run/docker.sock", "unix:///var/run/docker.sock",
			"/var/run/docker.sock", NULL },
		{ "/run/x.sock", "unix:///run/x.sock", "/run/x.sock", NULL },
		{ "tcp://host", "tcp://host:2375", NULL, "host:2375" },
		{ "tcp://127.0.0.1:80/", "tcp://127.0.0.1:80", NULL,
			"127.0.0.1:80" },
		{ "tcp://:4000", "tcp://127.0.0.1:4000", NULL,
			"127.0.0.1:4000" },
		{ "tcp://[::1]:99", "tcp://[::1]:99", NULL, "[::1]:99" },
		{ "tcp://[::1]", "tcp://[::1]:2375", NULL, "[::1]:2375" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		br_autoaddress struct br_address found = { 0 };
		struct br_err err = { 0 };

		assert_true(br_address_parse(samples[i].text, &found, &err));
		assert_string_equal(found.text, samples[i].wanted);
		if (samples[i].socket_path)
			assert_string_equal(
				found.socket_path, samples[i].socket_path);
		else
			assert_string_equal(
				found.host_port, samples[i].host_port);
	}
}

static void refuses_what_is_no_address(void **state)
{
	(void)state;
	assert_refused("", "-H: ");
	assert_refused("unix://", "has no path");
	assert_refused("http://x", "neither unix:///path nor tcp://host:port");
	assert_refused("tcp://host:port", "tcp://host:port");
	assert_refused("tcp://host:70000", "tcp://host:port");
	assert_refused("tcp://a b", "tcp://host:port");
	assert_refused("tcp://host/path", "tcp://host:port");
	assert_refused("tcp://user@host", "tcp://host:port");
	assert_refused("ssh://me@host", "ssh -L");
}

static void refuses_a_socket_path_that_the_system_does_not_take(void **state)
{
	char path[109];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	assert_refused(path, "more than 107 bytes");
	path[107] = '\0';

	br_autofree char *wanted = br_format("unix://%s", path);
	assert_address(path, wanted, "-H");
}

static void the_option_is_before_the_variable(void **state)
{
	(void)state;
	setenv("DOCKER_HOST", "unix:///b.sock", 1);
	setenv("DOCKER_CONTEXT", "missing", 1);
	assert_address("unix:///a.sock", "unix:///a.sock", "-H");
	assert_address(NULL, "unix:///b.sock", "DOCKER_HOST");
	setenv("DOCKER_HOST", "", 1);
	assert_refused(NULL, "docker context 'missing'");
}

static void takes_a_context_by_variable_or_configuration(void **state)
{
	const char *home = *state;

	folder_write(home, ".docker/contexts/meta/" FAR "/meta.json", 0600,
		"{\"Name\":\"far\",\"Endpoints\":{\"docker\":"
		"{\"Host\":\"tcp://far:1234\",\"SkipTLSVerify\":false}}}");
	setenv("DOCKER_CONTEXT", "far", 1);
	assert_address(NULL, "tcp://far:1234", "docker context 'far'");

	unsetenv("DOCKER_CONTEXT");
	folder_write(home, ".docker/config.json", 0600,
		"{\"currentContext\":\"far\"}");
	assert_address(NULL, "tcp://far:1234", "docker context 'far'");

	/* Any other folder, and none that is named. */
	br_autofree char *folder = br_format("%s/.docker", home);
	setenv("DOCKER_CONFIG", folder, 1);
	setenv("HOME", "/nonexistent", 1);
	assert_address(NULL, "tcp://far:1234", "docker context 'far'");
}

static void takes_the_certificates_of_a_context(void **state)
{
	const char *home = *state;
	br_autoaddress struct br_address found = { 0 };
	struct br_err err = { 0 };

	folder_write(home, ".docker/contexts/meta/" FAR "/meta.json", 0600,
		"{\"Endpoints\":{\"docker\":{\"Host\":\"tcp://far\"}}}");
	folder_write(
		home, ".docker/contexts/tls/" FAR "/docker/ca.pem", 0600, "x");
	setenv("DOCKER_CONTEXT", "far", 1);
	assert_true(br_address_find(NULL, &found, &err));
	assert_string_equal(found.text, "tcp://far:2376");
	assert_true(found.is_tls);
	assert_true(found.is_verified);
	assert_non_null(strstr(found.ca_path, FAR "/docker/ca.pem"));
	assert_null(found.key_path);
}

static void takes_the_variables_for_tls(void **state)
{
	const char *home = *state;
	br_autoaddress struct br_address found = { 0 };
	struct br_err err = { 0 };

	folder_write(home, "pki/cert.pem", 0600, "x");
	folder_write(home, "pki/key.pem", 0600, "x");
	br_autofree char *folder = br_format("%s/pki", home);
	setenv("DOCKER_CERT_PATH", folder, 1);
	setenv("DOCKER_TLS_VERIFY", "1", 1);
	assert_true(br_address_find("tcp://far", &found, &err));
	assert_string_equal(found.text, "tcp://far:2376");
	assert_true(found.is_tls && found.is_verified);
	assert_non_null(strstr(found.key_path, "/pki/key.pem"));
	assert_null(found.ca_path);
}

static void says_what_is_wrong_with_a_context(void **state)
{
	const char *home = *state;

	setenv("DOCKER_CONTEXT", "far", 1);
	assert_refused(NULL, "docker context 'far': no file '");
	folder_write(home, ".docker/contexts/meta/" FAR "/meta.json", 0600,
		"{\"Endpoints\":{}}");
	assert_refused(NULL, "has no address of an engine");
	folder_write(
		home, ".docker/contexts/meta/" FAR "/meta.json", 0600, "{");
	assert_refused(NULL, "not JSON");
	folder_write(home, ".docker/contexts/meta/" FAR "/meta.json", 0600,
		"{\"Endpoints\":{\"docker\":{\"Host\":\"ssh://far\"}}}");
	assert_refused(NULL, "ssh -L");
}

static void goes_on_without_a_configuration_that_is_broken(void **state)
{
	const char *home = *state;
	br_autoaddress struct br_address found = { 0 };
	struct br_err err = { 0 };

	folder_write(home, ".docker/config.json", 0600, "{\"currentContext\"");
	assert_true(br_address_find(NULL, &found, &err));
	assert_string_equal(found.source, "default");
	assert_non_null(found.socket_path);
	br_address_done(&found);

	setenv("DOCKER_CONTEXT", "default", 1);
	assert_true(br_address_find(NULL, &found, &err));
	assert_string_equal(found.source, "default");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_addresses_apart),
		cmocka_unit_test(refuses_what_is_no_address),
		cmocka_unit_test(
			refuses_a_socket_path_that_the_system_does_not_take),
		cmocka_unit_test_setup_teardown(
			the_option_is_before_the_variable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			takes_a_context_by_variable_or_configuration, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			takes_the_certificates_of_a_context, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			takes_the_variables_for_tls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			says_what_is_wrong_with_a_context, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			goes_on_without_a_configuration_that_is_broken, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
