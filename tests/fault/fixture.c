/* SPDX-License-Identifier: MIT */
#include "tests/fault/fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void prepare(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setenv("DOCKER_CONFIG", "/nonexistent", 1);
	(void)unsetenv("DOCKER_API_VERSION");
}

const struct scripted_rule good[] = {
	PING,
	{ .request = "GET /v1.41/images/img:latest/json ",
		.status = OK,
		.body = IMAGE_JSON },
	{ .request = "POST /v1.41/containers/create?",
		.status = "201 Created",
		.body = "{\"Id\":\"" ID "\",\"Warnings\":[]}" },
	{ .request = "PUT /v1.41/containers/" ID "/archive?", .status = OK },
	{ .request = "POST /v1.41/containers/" ID "/start ",
		.status = "204 No Content" },
	{ .request = "GET /v1.41/containers/" ID "/json ",
		.status = OK,
		.body = "{\"State\":{\"Running\":false,\"ExitCode\":137,"
			"\"OOMKilled\":true,\"Error\":\"no\\nway\"}}" },
	{ .request = "DELETE /v1.41/containers/" ID "?",
		.status = "204 No Content" },
	{ .request = "GET /v1.41/containers/json?",
		.status = OK,
		.body = "[{\"Id\":\"" ID "\",\"State\":\"created\"}]",
		.is_chunked = true },
	{ .request = "GET /v1.41/networks?", .status = OK, .body = "[]" },
	{ .request = "POST /v1.41/networks/create ",
		.status = "201 Created",
		.body = "{\"Id\":\"" ID "\",\"Warning\":\"\"}" },
	{ .request = "GET /v1.41/images/img/json ",
		.status = OK,
		.body = IMAGE_JSON },
	{ .request = "POST /v1.41/commit?",
		.status = "201 Created",
		.body = "{\"Id\":\"sha256:" ID "\"}" },
	{ .request = "GET /v1.41/images/json?",
		.status = OK,
		.body = "[" SNAPSHOT_JSON "]" },
	{ .request = "DELETE /v1.41/images/buildr-prepare%3At?",
		.status = OK,
		.body = "[]" },
	SCRIPTED_RULES_END,
};

struct br_engine *open_engine(const struct scripted *server)
{
	struct br_docker_options options = { .address = server->address };
	struct br_engine *engine = NULL;
	struct br_err err = { 0 };

	assert_true(br_docker_open(&options, &engine, &err));
	return engine;
}

bool call_describe(struct br_engine *engine, struct br_err *err)
{
	struct br_engine_info info = { 0 };
	bool is_good = br_engine_describe(engine, &info, err);

	br_engine_info_done(&info);
	return is_good;
}

static bool call_image(struct br_engine *engine, struct br_err *err)
{
	struct br_image image = { 0 };
	bool is_good = br_engine_image(
		engine, "img", BR_PULL_NEVER, NULL, NULL, &image, err);

	br_image_done(&image);
	return is_good;
}

static const char *const command[] = { "/.buildr/init", "stdio", NULL };

const struct br_container_spec spec = {
	.image = "img:latest",
	.command = command,
	.build = BUILD,
	.project_label = "/home/me/a \"b\"",
	.owner = "boot/1/2/3",
	.private_dir = "/run/private",
	.project_dir = "/home/me/a \"b\"",
	.project_target = "/app",
	.has_docker = true,
	.is_attached = true,
	.memory_bytes = 1 << 20,
	.cpus_nano = 1500000000,
	.pids = 500,
	.network = "host",
};

bool call_create(struct br_engine *engine, struct br_err *err)
{
	br_autofree char *id = NULL;

	return br_engine_create(engine, &spec, &id, err);
}

static bool call_copy_in(struct br_engine *engine, struct br_err *err)
{
	return br_engine_copy_in(engine, ID, "/.buildr/init", "x", 1, err);
}

bool call_start(struct br_engine *engine, struct br_err *err)
{
	return br_engine_start(engine, ID, err);
}

bool call_inspect(struct br_engine *engine, struct br_err *err)
{
	struct br_container_state state = { 0 };

	return br_engine_inspect(engine, ID, &state, err);
}

bool call_remove(struct br_engine *engine, struct br_err *err)
{
	return br_engine_remove(engine, ID, err);
}

bool call_create_network(struct br_engine *engine, struct br_err *err)
{
	const struct br_network_spec network = {
		.name = "buildr-" BUILD,
		.build = spec.build,
		.project_label = spec.project_label,
		.owner = spec.owner,
	};

	return br_engine_create_network(engine, &network, err);
}

static bool call_sweep(struct br_engine *engine, struct br_err *err)
{
	struct br_swept swept = { 0 };

	return br_engine_sweep(
		engine, &(struct br_sweep){ .build = BUILD }, &swept, err);
}

const struct br_snapshot_spec snapshot = {
	.container = ID,
	.image = "img",
	.tag = "t",
	.identity = HEX,
	.expires_s = 1800000000,
};

bool call_save_snapshot(struct br_engine *engine, struct br_err *err)
{
	return br_engine_save_snapshot(engine, &snapshot, err);
}

bool call_list_snapshots(struct br_engine *engine, struct br_err *err)
{
	struct br_snapshots snapshots = { 0 };
	bool is_good = br_engine_list_snapshots(engine, &snapshots, err);

	br_snapshots_done(&snapshots);
	return is_good;
}

bool call_remove_snapshot(struct br_engine *engine, struct br_err *err)
{
	bool is_gone = false;

	return br_engine_remove_snapshot(
		engine, "buildr-prepare:t", &is_gone, err);
}

const struct call calls[CALLS] = {
	{ "describe", call_describe },
	{ "image", call_image },
	{ "create", call_create },
	{ "copy_in", call_copy_in },
	{ "start", call_start },
	{ "inspect", call_inspect },
	{ "remove", call_remove },
	{ "create_network", call_create_network },
	{ "save_snapshot", call_save_snapshot },
	{ "list_snapshots", call_list_snapshots },
	{ "remove_snapshot", call_remove_snapshot },
	{ "sweep", call_sweep },
};

void assert_part(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
}
