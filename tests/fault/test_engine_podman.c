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

static const struct scripted_rule podman[] = {
	{ .request = "GET /_ping ",
		.body = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n"
			"Server: Libpod/4.3.1 (linux)\r\nContent-Length: 2\r\n"
			"Connection: close\r\n\r\nOK" },
	{ .request = "/info ", .status = OK, .body = "{}" },
	{ .request = CREATE, .status = OK, .body = "{\"Id\":\"" ID "\"}" },
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_a_comma_that_would_end_a_path),
		cmocka_unit_test(expects_no_monitor_of_docker),
	};

	prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
