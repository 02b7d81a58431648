/* SPDX-License-Identifier: MIT */
/* What the engine is told of a container's network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clean.h"
#include "engine/container.h"
#include "engine/network.h"

static const char *const command[] = { "/c", NULL };
static const char *const hosts[] = { "a:10.0.0.1", "b:::1", NULL };

static struct br_container_spec spec_in(const char *network)
{
	return (struct br_container_spec){
		.image = "img",
		.command = command,
		.build = "b",
		.project_label = "p",
		.owner = "o",
		.network = network,
		.alias = "db",
		.extra_hosts = hosts,
	};
}

static void assert_encoded(
	const struct br_container_spec *spec, const char *part, bool is_in)
{
	br_autobuf struct br_buf json = { 0 };
	struct br_err err = { 0 };

	if (!br_container_encode(spec, "/s", &json, &err))
		fail_msg("%s", err.text);
	if ((strstr(json.data, part) != NULL) != is_in)
		fail_msg("'%s' %s '%s'", part, is_in ? "not in" : "in",
			json.data);
}

static void names_the_container_in_its_network(void **state)
{
	struct br_container_spec spec = spec_in("my \"net\"");

	(void)state;
	assert_encoded(&spec, "\"NetworkMode\":\"my \\\"net\\\"\"", true);
	assert_encoded(&spec,
		",\"NetworkingConfig\":{\"EndpointsConfig\":{"
		"\"my \\\"net\\\"\":{\"Aliases\":[\"db\"]}}}}",
		true);
	assert_encoded(
		&spec, "\"ExtraHosts\":[\"a:10.0.0.1\",\"b:::1\"]", true);
	assert_encoded(&spec, "\"Healthcheck\":{\"Test\":[\"NONE\"]}", true);

	spec = spec_in(NULL);
	spec.alias = NULL;
	assert_encoded(&spec, "\"NetworkMode\":\"bridge\"", true);
	assert_encoded(&spec, "NetworkingConfig", false);
}

/* An engine refuses what is another's to say. */
static void says_nothing_of_a_network_that_is_another_container_s(void **state)
{
	const struct br_container_spec spec = spec_in("container:abc");

	(void)state;
	assert_true(br_container_is_joined(&spec));
	assert_encoded(&spec, "\"NetworkMode\":\"container:abc\"", true);
	assert_encoded(&spec, "NetworkingConfig", false);
	assert_encoded(&spec, "ExtraHosts", false);
}

static void refuses_an_alias_where_nobody_would_find_it(void **state)
{
	static const char *const networks[] = { NULL, "bridge", "none",
		"host" };

	(void)state;
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		const struct br_container_spec spec = spec_in(networks[i]);
		br_autobuf struct br_buf json = { 0 };
		struct br_err err = { 0 };

		assert_false(br_container_encode(&spec, "/s", &json, &err));
		assert_int_equal(err.code, BR_EINPUT);
		assert_non_null(strstr(err.text, "'db' is not reachable"));
	}
}

static void finds_the_network_that_is_missing(void **state)
{
	static const struct {
		const char *message;
		bool is_missing;
		const char *name;
	} rows[] = {
		{ "network n-1 not found", true, "n-1" },
		{ "unable to find network with name or ID n: network not found",
			true, NULL },
		{ "No such container: n", false, NULL },
		{ "network n has active endpoints", false, NULL },
		{ "network ", false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		br_autofree char *name =
			br_network_find_missing(rows[i].message);

		assert_int_equal(br_network_is_missing(rows[i].message),
			rows[i].is_missing);
		if (rows[i].name)
			assert_string_equal(name, rows[i].name);
		else
			assert_null(name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_the_container_in_its_network),
		cmocka_unit_test(
			says_nothing_of_a_network_that_is_another_container_s),
		cmocka_unit_test(refuses_an_alias_where_nobody_would_find_it),
		cmocka_unit_test(finds_the_network_that_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
