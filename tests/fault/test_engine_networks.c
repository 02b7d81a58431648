/* SPDX-License-Identifier: MIT */
/* Networks that cannot be made, are missing, or do not go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fault/fixture.h"

#define NETWORKS "/v1.41/networks/"
#define CONTAINERS "/v1.41/containers/"
#define CREATED \
	{ \
		.request = "POST " CONTAINERS "create?", .status = OK, \
		.body = "{\"Id\":\"" ID "\"}" \
	}
#define REMOVED \
	{ \
		.request = "DELETE " CONTAINERS ID "?", \
		.status = "204 No Content" \
	}

/* Make `call` where the engine answers it with `status` and `body`. */
static void assert_answer(
	bool (*call)(struct br_engine *engine, struct br_err *err),
	const char *status, const char *body, enum br_code code,
	const char *part)
{
	const struct scripted_rule rules[] = { PING,
		{ .status = status, .body = body }, SCRIPTED_RULES_END };
	struct scripted server;
	struct br_err err = { 0 };

	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_false(call(engine, &err));
	if (err.code != code)
		fail_msg("code %d: %s", (int)err.code, err.text);
	assert_part(err.text, part);
	scripted_stop(&server);
}

static void asks_for_the_network_that_was_described(void **state)
{
	struct scripted server;
	struct br_err err = { 0 };

	(void)state;
	scripted_start(&server, good);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_true(call_create_network(engine, &err));

	br_autofree char *asked = scripted_requests(&server);
	assert_part(asked, "POST " NETWORKS "create HTTP/1.1\r\n");
	assert_part(asked,
		"{\"Name\":\"buildr-" BUILD "\",\"CheckDuplicate\":true,"
		"\"Driver\":\"bridge\",\"Labels\":{"
		"\"io.buildr.build\":\"" BUILD
		"\",\"io.buildr.project\":\"/home/me/a \\\"b\\\"\","
		"\"io.buildr.owner\":\"boot/1/2/3\"}}");
	scripted_stop(&server);
}

static void says_why_a_network_cannot_be_made(void **state)
{
	(void)state;
	assert_answer(call_create_network, "409 Conflict",
		"{\"message\":\"network with name x already exists\"}",
		BR_EINPUT, "x already exists");
	/* Podman's way. */
	assert_answer(call_create_network, "500 Internal Server Error",
		"{\"message\":\"network name x already used: network already "
		"exists\"}",
		BR_EINPUT, "x already used");
	assert_answer(call_create_network, "404 Not Found",
		"{\"message\":\"could not find an available, non-overlapping "
		"IPv4 address pool among the defaults to assign to the "
		"network\"}",
		BR_EUNAVAIL, "with 'buildr gc' and 'docker network prune'");
	assert_answer(call_create_network, "400 Bad Request",
		"{\"message\":\"all predefined address pools have been fully "
		"subnetted\"}",
		BR_EUNAVAIL, "no addresses left");
	assert_answer(call_create_network, "403 Forbidden",
		"{\"message\":\"oh\"}", BR_EUNAVAIL,
		"create the network 'buildr-" BUILD "': the engine says: oh");
}

static void says_how_to_make_the_network_that_is_missing(void **state)
{
	static const char part[] = "there is no network 'n-1': make it with "
				   "'docker network create n-1'";

	(void)state;
	assert_answer(call_create, "404 Not Found",
		"{\"message\":\"network n-1 not found\"}", BR_EINPUT, part);
	assert_answer(call_start, "404 Not Found",
		"{\"message\":\"network n-1 not found\"}", BR_EINPUT, part);
	/* Podman's way does not say which. */
	assert_answer(call_create, "500 Internal Server Error",
		"{\"message\":\"container create: unable to find network with "
		"name or ID n: network not found\"}",
		BR_EINPUT, "there is no network 'host'");
}

/* Create a container with a second network; gives what was asked. */
static char *create_with_second(const struct scripted_rule *rules,
	const char *network, bool *is_good, struct br_err *err)
{
	struct br_container_spec wanted = spec;
	struct scripted server;
	br_autofree char *id = NULL;

	wanted.network = network;
	wanted.second_network = "a b";
	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	*is_good = br_engine_create(engine, &wanted, &id, err);
	assert_int_equal(*is_good, id != NULL);
	char *asked = scripted_requests(&server);
	scripted_stop(&server);
	return asked;
}

static void connects_a_container_to_its_second_network(void **state)
{
	const struct scripted_rule rules[] = { PING, CREATED,
		{ .request = "POST " NETWORKS "a%20b/connect ", .status = OK },
		SCRIPTED_RULES_END };
	struct br_err err = { 0 };
	bool is_good = false;

	(void)state;
	br_autofree char *asked =
		create_with_second(rules, NULL, &is_good, &err);
	assert_true(is_good);
	assert_part(asked, "{\"Container\":\"" ID "\"}");
	assert_null(strstr(asked, "DELETE"));

	/* Where it is in another's, there is nothing to connect. */
	br_autofree char *joined =
		create_with_second(rules, "container:" ID, &is_good, &err);
	assert_true(is_good);
	assert_null(strstr(joined, "/connect"));
}

static void removes_a_container_that_cannot_be_connected(void **state)
{
	static const struct scripted_rule answers[] = {
		{ .status = "404 Not Found",
			.body = "{\"message\":\"network a b not found\"}" },
		{ .status = "500 Internal Server Error",
			.body = "{\"message\":\"oh\"}" },
		/* Closed without an answer. */
		{ .body = "" },
	};
	static const char *const parts[] = {
		"there is no network 'a b'",
		"the engine says: oh",
		"without an answer",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct scripted_rule rules[] = { PING, CREATED, REMOVED,
			answers[i], SCRIPTED_RULES_END };
		struct br_err err = { 0 };
		bool is_good = true;
		br_autofree char *asked =
			create_with_second(rules, NULL, &is_good, &err);

		assert_false(is_good);
		assert_part(err.text,
			"create a container: connect it to the network 'a b'");
		assert_part(err.text, parts[i]);
		assert_part(asked, "DELETE " CONTAINERS ID "?force=1&v=1 ");
	}
}

#define LISTS \
	{ .request = "GET " CONTAINERS "json?", .status = OK, .body = "[]" }, \
	{ \
		.request = "GET /v1.41/networks?", .status = OK, \
		.body = "[{\"Id\":\"b1\"}]" \
	}
#define IN_USE \
	.request = "DELETE " NETWORKS "b1 ", .status = "403 Forbidden", \
	.body = "{\"message\":\"network x id b1 has active endpoints\"}"
#define MEMBERS(containers) \
	{ \
		.request = "GET " NETWORKS "b1 ", .status = OK, \
		.body = "{\"Containers\":" containers "}" \
	}

/* Sweep and give how much was removed; `asked` is what for. */
static size_t sweep(const struct scripted_rule *rules, char **asked)
{
	struct scripted server;
	struct br_err err = { 0 };
	struct br_swept swept = { 0 };

	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	if (!br_engine_sweep(
		    engine, &(struct br_sweep){ .build = BUILD }, &swept, &err))
		fail_msg("%s", err.text);
	*asked = scripted_requests(&server);
	scripted_stop(&server);
	return swept.removed_count;
}

static void leaves_a_network_that_a_container_is_in(void **state)
{
	const struct scripted_rule rules[] = { PING, LISTS, { IN_USE },
		MEMBERS("{\"a1\":{\"Name\":\"one\"}}"),
		{ .request = "GET " CONTAINERS "a1/json ",
			.status = OK,
			.body = "{\"State\":{\"Running\":true}}" },
		SCRIPTED_RULES_END };
	br_autofree char *asked = NULL;

	(void)state;
	assert_int_equal(sweep(rules, &asked), 0);
	assert_null(strstr(asked, "/disconnect"));
}

static void removes_a_network_that_only_the_gone_are_in(void **state)
{
	const struct scripted_rule rules[] = { PING, LISTS,
		{ IN_USE, .times = 1 },
		MEMBERS("{\"a1\":{\"Name\":\"one\"},"
			"\"ep-7\":{\"Name\":\"t\\\"wo\"}}"),
		{ .request = "GET " CONTAINERS "a1/json ",
			.status = "404 Not Found" },
		{ .request = "POST " NETWORKS "b1/disconnect ", .status = OK },
		{ .request = "DELETE " NETWORKS "b1 ",
			.status = "204 No Content" },
		SCRIPTED_RULES_END };
	br_autofree char *asked = NULL;

	(void)state;
	assert_int_equal(sweep(rules, &asked), 1);
	assert_part(asked, "{\"Force\":true,\"Container\":\"one\"}");
	assert_part(asked, "{\"Force\":true,\"Container\":\"t\\\"wo\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_for_the_network_that_was_described),
		cmocka_unit_test(says_why_a_network_cannot_be_made),
		cmocka_unit_test(says_how_to_make_the_network_that_is_missing),
		cmocka_unit_test(connects_a_container_to_its_second_network),
		cmocka_unit_test(removes_a_container_that_cannot_be_connected),
		cmocka_unit_test(leaves_a_network_that_a_container_is_in),
		cmocka_unit_test(removes_a_network_that_only_the_gone_are_in),
	};

	prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
