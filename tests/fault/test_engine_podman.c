/* SPDX-License-Identifier: MIT */
/* What is done differently where the engine is Podman. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/attach.h"
#include "tests/fault/fixture.h"

#define CREATE "POST /v1.41/containers/create?"
#define ATTACH "POST /v1.41/containers/" ID "/attach?"

/* An answer of Podman. */
#define PODMAN(of, what, said) \
	{ \
		.request = (of), .status = (what), .body = (said), \
		.server = "Libpod/4.3.1 (linux)" \
	}
#define PODMAN_PING PODMAN("GET /_ping ", OK, "OK"), PODMAN("/info ", OK, "{}")

static const struct scripted_rule podman[] = {
	PODMAN_PING,
	PODMAN(CREATE, OK, "{\"Id\":\"" ID "\"}"),
	{ .request = ATTACH, .body = "HTTP/1.1 101 UPGRADED\r\n\r\n" },
	SCRIPTED_RULES_END,
};

static const struct scripted_rule docker[] = {
	PING,
	{ .request = CREATE, .status = OK, .body = "{\"Id\":\"" ID "\"}" },
	{ .request = ATTACH, .body = "HTTP/1.1 101 UPGRADED\r\n\r\n" },
	SCRIPTED_RULES_END,
};

static bool create_with(const struct scripted_rule *rules,
	const struct br_container_spec *wanted, struct br_err *err)
{
	struct scripted server;
	char *id = NULL;

	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	bool is_good = br_engine_create(engine, wanted, &id, err);
	free(id);
	scripted_stop(&server);
	return is_good;
}

static void assert_refused(const struct br_container_spec *wanted)
{
	struct br_err err = { 0 };

	assert_false(create_with(podman, wanted, &err));
	assert_int_equal(err.code, BR_EINPUT);
	assert_part(err.text, "there is a comma in the path");
	assert_true(create_with(docker, wanted, &err));
}

/* Mounting `/home/me/a`, read-only, would be worse than an error. */
static void refuses_a_comma_that_would_end_a_path(void **state)
{
	struct br_container_spec project = spec;
	struct br_container_spec private = spec;
	struct br_err err = { 0 };

	(void)state;
	project.project_dir = "/home/me/a,ro";
	private.private_dir = "/run/b,c";
	assert_refused(&project);
	assert_refused(&private);
	assert_true(create_with(podman, &spec, &err));
}

static bool has_monitor(const struct scripted_rule *rules)
{
	struct scripted server;
	struct br_attach *attach = NULL;
	struct br_err err = { 0 };

	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	assert_true(br_engine_attach(engine, ID, &attach, &err));
	bool is_monitored = br_attach_has_monitor(attach);
	br_attach_close(attach);
	scripted_stop(&server);
	return is_monitored;
}

static void expects_no_monitor_of_docker(void **state)
{
	(void)state;
	assert_true(has_monitor(podman));
	assert_false(has_monitor(docker));
}

/* Ask for the image `img`, of which Podman's own words are `health`. */
static bool get_image(const char *status, const char *health,
	struct br_image *image, struct br_err *err)
{
	const struct scripted_rule rules[] = { PODMAN_PING,
		PODMAN("GET /v1.41/images/img:latest/json ", OK, IMAGE_JSON),
		PODMAN("GET /v1.41/libpod/images/" ID "/json ", status, health),
		SCRIPTED_RULES_END };
	struct scripted server;

	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	bool is_good = br_engine_image(
		engine, "img", BR_PULL_NEVER, NULL, NULL, image, err);
	scripted_stop(&server);
	return is_good;
}

static void asks_podman_for_the_health_in_its_own_words(void **state)
{
	static const char health[] =
		"{\"Healthcheck\":{\"Test\":[\"CMD\",\"/h\"],"
		"\"Interval\":1000000000}}";
	struct br_image image = { 0 };
	struct br_err err = { 0 };

	(void)state;
	assert_true(get_image(OK, health, &image, &err));
	assert_string_equal(image.health_command[0], "/h");
	assert_int_equal(image.health_interval_ms, 1000);
	br_image_done(&image);

	assert_true(get_image("404 Not Found", "", &image, &err));
	assert_null(image.health_command);
	br_image_done(&image);

	assert_false(get_image(OK, "{\"Healthcheck\":", &image, &err));
	assert_int_equal(err.code, BR_EPROTO);
}

#define LISTED(id) "{\"Id\":\"" id "\",\"State\":\"created\"}"
#define REMOVE(id) "DELETE /v1.41/containers/" id "?"

static void removes_first_what_has_the_network_of_another(void **state)
{
	struct scripted_rule rules[] = { PODMAN_PING,
		PODMAN("/containers/json?", OK,
			"[" LISTED("a1") "," LISTED("a2") "]"),
		PODMAN("/containers/json?", OK, "[" LISTED("a1") "]"),
		PODMAN(REMOVE("a1"), "500 Internal Server Error",
			"{\"message\":\"container a1 has dependent "
			"containers\"}"),
		PODMAN("DELETE ", "204 No Content", ""),
		PODMAN("/networks?", OK, "[{\"Id\":\"b1\",\"Name\":\"n 1\"}]"),
		SCRIPTED_RULES_END };
	struct scripted server;
	struct br_err err = { 0 };
	struct br_swept swept = { 0 };

	(void)state;
	rules[2].times = 1;
	rules[4].times = 1;
	scripted_start(&server, rules);
	br_auto(br_engine) struct br_engine *engine = open_engine(&server);
	if (!br_engine_sweep(
		    engine, &(struct br_sweep){ .build = BUILD }, &swept, &err))
		fail_msg("%s", err.text);
	assert_int_equal(swept.removed_count, 3);
	assert_int_equal(swept.left_count, 0);

	/* By its id Podman would remove a network that is in use. */
	br_autofree char *asked = scripted_requests(&server);
	assert_part(asked, "DELETE /v1.41/networks/n%201 ");
	scripted_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_a_comma_that_would_end_a_path),
		cmocka_unit_test(expects_no_monitor_of_docker),
		cmocka_unit_test(asks_podman_for_the_health_in_its_own_words),
		cmocka_unit_test(removes_first_what_has_the_network_of_another),
	};

	prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
