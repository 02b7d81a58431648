/* SPDX-License-Identifier: MIT */
/* Pulls: credentials, errors in the report, and a report without an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fault/fixture.h"
#include "tests/support/folder.h"

#define PULLED "{\"status\":\"Pulling fs layer\",\"id\":\"aa\"}\n"

/* Pull `img`, which the engine does not have, and of which it then tells this. */
static void assert_pull(
	struct scripted_rule told, enum br_code code, const char *part)
{
	const struct scripted_rule rules[] = { PING,
		{ .request = "/images/img:latest/json ",
			.times = 1,
			.status = "404 Not Found",
			.body = "{}" },
		told,
		{ .request = "/images/img:latest/json ",
			.status = OK,
			.body = IMAGE_JSON },
		SCRIPTED_RULES_END };
	struct scripted server;
	struct br_image image = { 0 };
	struct br_err err = { 0 };

	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	bool is_good = br_engine_image(
		engine, "img", BR_PULL_MISSING, NULL, NULL, &image, &err);
	if (is_good != (code == BR_OK) || err.code != code)
		fail_msg("code %d: %s", (int)err.code, err.text);
	assert_part(err.text, part);
	br_image_done(&image);

	br_autofree char *asked = scripted_requests(&server);
	assert_part(
		asked, "POST /v1.41/images/create?fromImage=img&tag=latest ");
	assert_null(strstr(asked, "X-Registry-Auth"));
	scripted_stop(&server);
}

static void a_pull_is_good_only_with_its_end_and_without_an_error(void **state)
{
	struct scripted_rule rule = { .request = "/images/create?",
		.status = OK,
		.body = PULLED,
		.is_chunked = true };
	/* The same, and the connection ends where the end chunk should be. */
	const struct scripted_rule cut = { .request = "/images/create?",
		.body = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			"28\r\n" PULLED "\r\n" };

	(void)state;
	assert_pull(rule, BR_OK, "");
	assert_int_equal(strlen(PULLED), 0x28);
	assert_pull(cut, BR_EUNAVAIL, "broke its answer off");
	rule.body = PULLED "{\"errorDetail\":{\"message\":\"unexpected EOF\"},"
			   "\"error\":\"unexpected EOF\"}\n";
	assert_pull(
		rule, BR_EUNAVAIL, "image 'img:latest': pull: unexpected EOF");
	rule.body = PULLED "<html>";
	assert_pull(rule, BR_EPROTO, "is no JSON: <html>");
	rule.status = "404 Not Found";
	rule.body = "{\"message\":\"pull access denied for img, repository "
		    "does not exist or may require 'docker login'\"}";
	assert_pull(rule, BR_ENOTFOUND, "pull access denied");
	rule.status = "500 Internal Server Error";
	rule.body = "{\"message\":\"toomanyrequests: slow down\"}";
	assert_pull(rule, BR_EUNAVAIL, "toomanyrequests");
}

static void a_failed_pull_tells_what_was_wrong_with_the_credentials(
	void **state)
{
	const struct scripted_rule rules[] = { PING,
		{ .request = "/json ", .status = "404 Not Found" },
		{ .status = "500 Oh", .body = "{\"message\":\"denied\"}" },
		SCRIPTED_RULES_END };
	struct scripted server;
	struct br_image image = { 0 };
	struct br_err err = { 0 };

	(void)state;
	scripted_start(&server, rules);
	folder_write(server.folder, "config.json", 0600, "{");
	setenv("DOCKER_CONFIG", server.folder, 1);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_false(br_engine_image(engine, "reg:5000/img", BR_PULL_MISSING,
		NULL, NULL, &image, &err));
	setenv("DOCKER_CONFIG", "/nonexistent", 1);
	assert_part(
		err.text, "denied (credentials for reg:5000 were not used: ");
	assert_part(err.text, "config.json: not JSON");
	scripted_stop(&server);
}

static void sends_the_credentials_of_the_registry(void **state)
{
	const struct scripted_rule rules[] = { PING,
		{ .request = "/json ", .status = "404 Not Found" },
		{ .status = "500 Oh", .body = "{\"message\":\"denied\"}" },
		SCRIPTED_RULES_END };
	struct scripted server;
	struct br_image image = { 0 };
	struct br_err err = { 0 };

	(void)state;
	scripted_start(&server, rules);
	folder_write(server.folder, "config.json", 0600,
		"{\"auths\":{\"reg:5000\":{\"auth\":\"YTpi\"}}}");
	setenv("DOCKER_CONFIG", server.folder, 1);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_false(br_engine_image(engine, "reg:5000/img:1", BR_PULL_ALWAYS,
		NULL, NULL, &image, &err));
	setenv("DOCKER_CONFIG", "/nonexistent", 1);

	br_autofree char *asked = scripted_requests(&server);
	assert_part(asked, "fromImage=reg%3A5000%2Fimg&tag=1 ");
	/* base64 of {"username":"a","password":"b","serveraddress":"reg:5000"} */
	assert_part(asked,
		"\r\nX-Registry-Auth: eyJ1c2VybmFtZSI6ImEiLCJwYXNzd29yZCI6ImIi"
		"LCJzZXJ2ZXJhZGRyZXNzIjoicmVnOjUwMDAifQ==\r\n");
	assert_null(strstr(err.text, "YTpi"));
	scripted_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_pull_is_good_only_with_its_end_and_without_an_error),
		cmocka_unit_test(
			a_failed_pull_tells_what_was_wrong_with_the_credentials),
		cmocka_unit_test(sends_the_credentials_of_the_registry),
	};

	prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
