/* SPDX-License-Identifier: MIT */
/* What lib/engine asks for, and what it makes of an engine's answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/fault/fixture.h"

static void asks_for_the_container_that_was_described(void **state)
{
	static const char *const parts[] = {
		"POST /v1.41/containers/create?name=buildr-" BUILD
		"-1 HTTP/1.1\r\n",
		"\"Image\":\"img:latest\",\"User\":\"0\",\"WorkingDir\":\"/\","
		"\"Tty\":false,\"Healthcheck\":{\"Test\":[\"NONE\"]},"
		"\"OpenStdin\":true,\"StdinOnce\":true,\"AttachStdin\":true",
		"\"Entrypoint\":[\"/.buildr/init\",\"stdio\"],\"Cmd\":[]",
		"\"Labels\":{\"io.buildr.build\":\"" BUILD
		"\",\"io.buildr.project\":\"/home/me/a \\\"b\\\"\","
		"\"io.buildr.owner\":\"boot/1/2/3\"}",
		"\"AutoRemove\":true,\"Init\":false,"
		"\"LogConfig\":{\"Type\":\"none\"},\"NetworkMode\":\"host\"",
		"{\"Type\":\"bind\",\"Source\":\"/run/private\","
		"\"Target\":\"/.buildr\",\"ReadOnly\":true}",
		"{\"Type\":\"bind\",\"Source\":\"/home/me/a \\\"b\\\"\","
		"\"Target\":\"/app\",\"ReadOnly\":false}",
		"\"Target\":\"/var/run/docker.sock\",\"ReadOnly\":false}]",
		"\"Memory\":1048576,\"MemorySwap\":1048576,"
		"\"NanoCpus\":1500000000,\"PidsLimit\":500}",
	};
	struct scripted server;
	struct br_err err = { 0 };

	(void)state;
	scripted_start(&server, good);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_true(call_create(engine, &err));

	br_autofree char *asked = scripted_requests(&server);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_part(asked, parts[i]);
	assert_null(strstr(asked, "Binds"));
	scripted_stop(&server);
}

static void refuses_to_send_what_is_not_utf8(void **state)
{
	struct br_container_spec bad = spec;
	struct scripted server;
	struct br_err err = { 0 };
	char *id = NULL;

	(void)state;
	bad.project_dir = "/home/\xff";
	scripted_start(&server, good);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_false(br_engine_create(engine, &bad, &id, &err));
	assert_int_equal(err.code, BR_EINPUT);
	assert_part(err.text, "path of the project is not UTF-8");
	scripted_stop(&server);
}

static void assert_ping(const char *body, const char *api_version,
	enum br_code code, const char *part)
{
	const struct scripted_rule rules[] = {
		{ .request = "/_ping",
			.status = api_version ? OK : NULL,
			.body = body,
			.api_version = api_version },
		SCRIPTED_RULES_END,
	};
	struct scripted server;
	struct br_err err = { 0 };

	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_false(call_describe(engine, &err));
	if (err.code != code)
		fail_msg("code %d: %s", (int)err.code, err.text);
	assert_part(err.text, part);
	scripted_stop(&server);
}

static void knows_an_engine_from_something_else(void **state)
{
	(void)state;
	assert_ping("OK", "1.24", BR_EPROTO,
		"too old: it speaks API 1.24, and 1.41 is the oldest");
	assert_ping("OK", "new", BR_EUNAVAIL,
		"speaks HTTP but is no container engine");
	assert_ping("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", NULL,
		BR_EUNAVAIL, "speaks HTTP but is no container engine");
	assert_ping("220 mail.example ESMTP\r\n", NULL, BR_EUNAVAIL,
		"does not speak HTTP and is no container engine");
	assert_ping("", NULL, BR_EUNAVAIL, "without an answer");
}

static void speaks_the_newest_version_that_both_know(void **state)
{
	const struct scripted_rule rules[] = {
		{ .request = "/_ping", .status = OK, .api_version = "1.99" },
		{ .request = "/info ", .status = OK, .body = "{}" },
		{ .request = "POST /v1.47/containers/" ID "/start ",
			.status = "204 No Content" },
		SCRIPTED_RULES_END,
	};
	struct scripted server;
	struct br_engine_info info = { 0 };
	struct br_err err = { 0 };

	(void)state;
	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_true(br_engine_describe(engine, &info, &err));
	assert_string_equal(info.api_version, "1.47");
	assert_string_equal(info.version, "20.10.24");
	assert_string_equal(info.address_source, "-H");
	assert_true(call_start(engine, &err));
	br_engine_info_done(&info);

	/* Said by hand, it is spoken, and a bad one is refused. */
	setenv("DOCKER_API_VERSION", "1.44", 1);
	br_auto(br_engine) struct br_engine *forced = open_engine(&server);
	assert_true(br_engine_describe(forced, &info, &err));
	assert_string_equal(info.api_version, "1.44");
	br_engine_info_done(&info);
	setenv("DOCKER_API_VERSION", "1.24", 1);
	br_auto(br_engine) struct br_engine *old = open_engine(&server);
	assert_false(br_engine_describe(old, &info, &err));
	assert_int_equal(err.code, BR_EINPUT);
	unsetenv("DOCKER_API_VERSION");
	scripted_stop(&server);
}

#define TOO_NEW \
	"{\"message\":\"client version 1.47 is too new. Maximum supported " \
	"API version is 1.41\"}"
#define TOO_OLD \
	"{\"message\":\"client version 1.47 is too old. Minimum supported " \
	"API version is 1.50\"}"

static void agrees_again_with_an_engine_that_was_exchanged(void **state)
{
	const struct scripted_rule rules[] = {
		{ .request = "/_ping",
			.times = 1,
			.status = OK,
			.api_version = "1.47" },
		PING,
		{ .request = "/v1.47/",
			.status = "400 Bad Request",
			.body = TOO_NEW },
		{ .request = "POST /v1.41/containers/" ID "/start ",
			.status = "204 No Content" },
		SCRIPTED_RULES_END,
	};
	struct scripted server;
	struct br_err err = { 0 };

	(void)state;
	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	if (!call_start(engine, &err))
		fail_msg("%s", err.text);
	scripted_stop(&server);
}

static void gives_up_on_an_engine_that_is_too_new(void **state)
{
	const struct scripted_rule rules[] = {
		{ .request = "/_ping", .status = OK, .api_version = "1.60" },
		{ .request = "/v1.47/",
			.times = 1,
			.status = "400 Bad Request",
			.body = TOO_OLD },
		{ .status = "204 No Content" },
		SCRIPTED_RULES_END,
	};
	struct scripted server;
	struct br_err err = { 0 };

	(void)state;
	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_false(call_remove(engine, &err));
	assert_int_equal(err.code, BR_EPROTO);
	assert_part(err.text, "Minimum supported API version is 1.50");
	scripted_stop(&server);
}

static void names_what_the_engine_does_not_see(void **state)
{
	static const struct {
		const char *status;
		const char *body;
		enum br_code code;
		const char *part;
	} answers[] = {
		{ "400 Bad Request",
			"{\"message\":\"invalid mount config for type "
			"\\\"bind\\\": bind source path does not exist: "
			"/run/private\"}",
			BR_ENOTFOUND,
			"the engine does not see '/run/private'" },
		{ "500 Internal Server Error",
			"{\"message\":\"statfs /run/private: no such file or "
			"directory\"}",
			BR_ENOTFOUND,
			"the engine does not see '/run/private'" },
		{ "404 Not Found",
			"{\"message\":\"No such image: img:latest\"}",
			BR_ENOTFOUND, "does not have the image 'img:latest'" },
		{ "404 Not Found", "{\"message\":\"network x not found\"}",
			BR_EINPUT,
			"there is no network 'x': make it with 'docker network create x'" },
		{ "400 Bad Request", "{\"message\":\"bad\"}", BR_EINPUT,
			"bad" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct scripted_rule rules[] = { PING,
			{ .status = answers[i].status,
				.body = answers[i].body },
			SCRIPTED_RULES_END };
		struct scripted server;
		struct br_err err = { 0 };

		scripted_start(&server, rules);
		br_auto(br_engine) struct br_engine *engine =
			open_engine(&server);
		assert_false(call_create(engine, &err));
		if (err.code != answers[i].code)
			fail_msg("code %d: %s", (int)err.code, err.text);
		assert_part(err.text, answers[i].part);
		scripted_stop(&server);
	}
}

static void takes_another_name_where_one_is_taken(void **state)
{
	const struct scripted_rule rules[] = {
		PING,
		{ .request = BUILD "-1 ",
			.status = "409 Conflict",
			.body = "{\"message\":\"Conflict. The container name "
				"\\\"/x\\\" is already in use by y.\"}" },
		{ .request = BUILD "-2 ",
			.status = "201 Created",
			.body = "{\"Id\":\"" ID "\"}" },
		SCRIPTED_RULES_END,
	};
	struct scripted server;
	struct br_err err = { 0 };

	(void)state;
	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	if (!call_create(engine, &err))
		fail_msg("%s", err.text);
	scripted_stop(&server);
}

static void tells_a_command_that_cannot_be_executed(void **state)
{
	static const struct {
		const char *status;
		const char *body;
		enum br_code code;
	} answers[] = {
		{ "400 Bad Request",
			"{\"message\":\"OCI runtime create failed: oh\"}",
			BR_EINPUT },
		/* Podman's way. */
		{ "500 Internal Server Error",
			"{\"message\":\"runc: exec: oh: executable file not "
			"found in $PATH\"}",
			BR_EINPUT },
		{ "500 Internal Server Error", "{\"message\":\"oh, no space\"}",
			BR_EUNAVAIL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct scripted_rule rules[] = { PING,
			{ .status = answers[i].status,
				.body = answers[i].body },
			SCRIPTED_RULES_END };
		struct scripted server;
		struct br_err err = { 0 };

		scripted_start(&server, rules);
		br_auto(br_engine) struct br_engine *engine =
			open_engine(&server);
		assert_false(call_start(engine, &err));
		if (err.code != answers[i].code)
			fail_msg("code %d: %s", (int)err.code, err.text);
		assert_part(err.text, "oh");
		scripted_stop(&server);
	}
}

static void reads_images_and_states(void **state)
{
	struct scripted server;
	struct br_image image = { 0 };
	struct br_container_state found = { 0 };
	struct br_err err = { 0 };

	(void)state;
	scripted_start(&server, good);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_true(br_engine_image(
		engine, "img", BR_PULL_MISSING, NULL, NULL, &image, &err));
	assert_string_equal(image.id, "sha256:" ID);
	assert_string_equal(image.digest, "sha256:" HEX2);
	assert_string_equal(image.user, "me");
	assert_string_equal(image.architecture, "arm64");
	br_image_done(&image);
	assert_true(br_engine_inspect(engine, ID, &found, &err));
	assert_true(found.exists && !found.is_running && found.is_oom_killed);
	assert_int_equal(found.exit_code, 137);
	assert_string_equal(found.error, "no way");
	scripted_stop(&server);
}

static void what_is_gone_or_going_is_removed(void **state)
{
	static const char *const answers[][2] = {
		{ "404 Not Found", "{\"message\":\"No such container\"}" },
		/* Podman's way. */
		{ "500 Internal Server Error",
			"{\"message\":\"x does not exist in database: no such "
			"container\"}" },
		{ "409 Conflict",
			"{\"message\":\"removal of container x is already in "
			"progress\"}" },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct scripted_rule rules[] = { PING,
			{ .status = answers[i][0], .body = answers[i][1] },
			SCRIPTED_RULES_END };
		struct scripted server;
		struct br_container_state found = { .exists = true };
		struct br_err err = { 0 };

		scripted_start(&server, rules);
		br_auto(br_engine) struct br_engine *engine =
			open_engine(&server);
		if (!call_remove(engine, &err))
			fail_msg("%s", err.text);
		if (i < 2) {
			assert_true(
				br_engine_inspect(engine, ID, &found, &err));
			assert_false(found.exists);
		}
		scripted_stop(&server);
	}
}

#define OWNED(id, owner, state) \
	"{\"Id\":\"" id "\",\"State\":\"" state \
	"\",\"Labels\":{\"io.buildr.owner\":\"" owner "\"}}"
#define BOOT "00000000-0000-0000-0000-000000000000"

static void sweeps_only_what_a_dead_owner_left_at_rest(void **state)
{
	/* No process has started at tick 1 but those of the kernel. */
	const struct scripted_rule rules[] = {
		PING,
		{ .request = "GET /v1.41/containers/json?all=1&filters=",
			.status = OK,
			.body = "[" OWNED("a1", BOOT "/1/1/1",
				"created") "," OWNED("a2", BOOT "/1/1/1",
				"running") "," OWNED("a3", BOOT "/2/1/1",
				"exited") "," OWNED("a4", "other/1/1/1",
				"exited") "," OWNED("a5", "nonsense",
				"exited") "," OWNED("a6", BOOT "/1/1/1",
				"dead") ","
					"{\"Id\":\"a7\",\"State\":\"exited\"}]" },
		{ .request = "GET /v1.41/networks?filters=",
			.status = OK,
			.body = "[{\"Id\":\"b1\",\"Labels\":"
				"{\"io.buildr.owner\":\"" BOOT "/1/1/1\"}}]" },
		{ .request = "DELETE /v1.41/containers/a1?",
			.status = "500 Oh",
			.body = "{\"message\":\"busy\"}" },
		{ .status = "204 No Content" },
		SCRIPTED_RULES_END,
	};
	struct scripted server;
	const struct br_process_id self = { .boot = BOOT,
		.pid_namespace = 1,
		.pid = getpid(),
		.start_ticks = 1 };
	struct br_swept swept = { 0 };
	struct br_err err = { 0 };

	(void)state;
	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_false(br_engine_sweep(
		engine, &(struct br_sweep){ .self = &self }, &swept, &err));
	assert_part(err.text, "busy");

	br_autofree char *asked = scripted_requests(&server);
	assert_part(asked, "DELETE /v1.41/containers/a1?force=0&v=1 ");
	assert_part(asked, "DELETE /v1.41/containers/a6?force=0&v=1 ");
	assert_part(asked, "DELETE /v1.41/networks/b1 ");
	assert_part(asked, "filters=%7B%22label%22%3A%5B%22io.buildr.owner%22");
	for (char id[] = "/a2?"; id[2] <= '7'; id[2]++)
		if (id[2] != '6')
			assert_null(strstr(asked, id));
	scripted_stop(&server);
}

/* Between the list and the removal a container may have been started. */
static void leaves_what_has_begun_to_run_since_it_was_listed(void **state)
{
	const struct scripted_rule rules[] = {
		PING,
		{ .request = "GET /v1.41/containers/json?all=1&filters=",
			.status = OK,
			.body = "[" OWNED("a1", BOOT "/1/1/1",
				"created") ",{\"Id\":\"a2\",\"State\":"
					   "\"running\",\"Labels\":"
					   "{\"io.buildr.keep\":\"true\","
					   "\"io.buildr.owner\":\"" BOOT
					   "/1/1/1\"}}]" },
		{ .request = "GET /v1.41/networks?filters=",
			.status = OK,
			.body = "[]" },
		{ .request = "DELETE /v1.41/containers/a1?force=0&",
			.status = "409 Conflict",
			.body = "{\"message\":\"You cannot remove a running "
				"container a1. Stop it before\"}" },
		{ .status = "204 No Content" },
		SCRIPTED_RULES_END,
	};
	const struct br_process_id self = { .boot = BOOT,
		.pid_namespace = 1,
		.pid = getpid(),
		.start_ticks = 1 };
	struct br_sweep what = { .self = &self };
	struct scripted server;
	struct br_swept swept = { 0 };
	struct br_err err = { 0 };

	(void)state;
	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_true(br_engine_sweep(engine, &what, &swept, &err));
	assert_int_equal(swept.removed_count, 0);
	assert_int_equal(swept.left_count, 2);
	what.kept = "another";
	assert_true(br_engine_sweep(engine, &what, &swept, &err));
	assert_int_equal(swept.left_count, 2);
	/* What was kept goes when somebody says so. */
	what.kept = "";
	assert_true(br_engine_sweep(engine, &what, &swept, &err));
	assert_int_equal(swept.removed_count, 1);
	assert_int_equal(swept.left_count, 1);

	br_autofree char *asked = scripted_requests(&server);
	assert_part(asked, "DELETE /v1.41/containers/a2?force=1&v=1 ");
	scripted_stop(&server);
}

/* What Docker removes while it starts again it may list from then on. */
static void counts_nothing_that_is_listed_and_not_there(void **state)
{
	const struct scripted_rule rules[] = {
		PING,
		{ .request = "GET /v1.41/containers/json?all=1&filters=",
			.status = OK,
			.body = "[" OWNED(
				"a1", BOOT "/1/1/1", "dead") "," OWNED("a2",
				BOOT "/1/1/1", "exited") "]" },
		{ .request = "GET /v1.41/networks?filters=",
			.status = OK,
			.body = "[]" },
		{ .request = "DELETE /v1.41/containers/a1?",
			.status = "404 Not Found",
			.body = "{\"message\":\"No such container: a1\"}" },
		{ .status = "204 No Content" },
		SCRIPTED_RULES_END,
	};
	const struct br_process_id self = { .boot = BOOT,
		.pid_namespace = 1,
		.pid = getpid(),
		.start_ticks = 1 };
	const struct br_sweep what = { .self = &self };
	struct scripted server;
	struct br_swept swept = { 0 };
	struct br_err err = { 0 };

	(void)state;
	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_true(br_engine_sweep(engine, &what, &swept, &err));
	assert_int_equal(swept.removed_count, 1);
	assert_int_equal(swept.left_count, 0);
	assert_int_equal(swept.missing_count, 1);
	scripted_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_for_the_container_that_was_described),
		cmocka_unit_test(refuses_to_send_what_is_not_utf8),
		cmocka_unit_test(knows_an_engine_from_something_else),
		cmocka_unit_test(speaks_the_newest_version_that_both_know),
		cmocka_unit_test(
			agrees_again_with_an_engine_that_was_exchanged),
		cmocka_unit_test(gives_up_on_an_engine_that_is_too_new),
		cmocka_unit_test(names_what_the_engine_does_not_see),
		cmocka_unit_test(takes_another_name_where_one_is_taken),
		cmocka_unit_test(tells_a_command_that_cannot_be_executed),
		cmocka_unit_test(reads_images_and_states),
		cmocka_unit_test(what_is_gone_or_going_is_removed),
		cmocka_unit_test(sweeps_only_what_a_dead_owner_left_at_rest),
		cmocka_unit_test(
			leaves_what_has_begun_to_run_since_it_was_listed),
		cmocka_unit_test(counts_nothing_that_is_listed_and_not_there),
	};

	prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
