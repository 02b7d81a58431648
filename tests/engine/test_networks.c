/* SPDX-License-Identifier: MIT */
/* Networks, and what an image runs, with the engine that is found here. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "engine/http.h"
#include "engine/json.h"
#include "tests/engine/world.h"

/* Greets whoever connects. */
static const char *const greeter[] = { "/bin/nc", "-ll", "-p", "7000", "-e",
	"/bin/echo", "hello", NULL };

static char *network_name(const struct world *world)
{
	return br_format("buildr-%s", world->build);
}

static bool create_network(const struct world *world, struct br_err *err)
{
	br_autofree char *name = network_name(world);
	const struct br_network_spec spec = {
		.name = name,
		.build = world->build,
		.project_label = "/a/test",
		.owner = world->owner,
	};

	return br_engine_create_network(world->engine, &spec, err);
}

static bool network_exists(const char *name)
{
	br_autofree char *path = br_format("/networks/%s", name);

	return call("GET", path, NULL) == 200;
}

static char *start(
	const struct world *world, const struct br_container_spec *spec)
{
	struct br_err err = { 0 };
	char *id = create(world, spec);

	assert_good(br_engine_start(world->engine, id, &err), &err);
	return id;
}

/* A running container that greets, as `db` in the network. */
static char *start_greeter(const struct world *world, const char *network)
{
	struct br_container_spec spec = spec_of(world, greeter);

	spec.network = network;
	spec.alias = "db";
	return start(world, &spec);
}

/* Run `script`, and fail where it does not end with `expected`. */
static void assert_says(const struct world *world,
	struct br_container_spec spec, const char *script, const char *expected)
{
	const char *const command[] = { "/bin/sh", "-c", script, NULL };
	br_autobuf struct br_buf output = { 0 };

	spec.command = command;
	spec.is_attached = true;
	br_autofree char *id = create(world, &spec);
	run_attached(world, id, &output);
	assert_string_equal(br_buf_text(&output), expected);
}

static void containers_find_each_other_by_alias(void **state)
{
	struct world *world = *state;
	br_autofree char *network = network_name(world);
	struct br_container_spec spec = spec_of(world, greeter);
	struct br_err err = { 0 };

	assert_good(create_network(world, &err), &err);
	br_autofree char *id = start_greeter(world, network);
	assert_non_null(id);
	spec.network = network;
	assert_says(world, spec,
		"until nc -w 5 db 7000 2>/dev/null; do sleep 0.1; done",
		"hello\n");
}

static void a_container_is_in_two_networks_and_knows_other_hosts(void **state)
{
	static const char *const hosts[] = { "elsewhere:10.9.8.7", NULL };
	struct world *world = *state;
	br_autofree char *network = network_name(world);
	struct br_container_spec spec = spec_of(world, greeter);
	struct br_err err = { 0 };

	assert_good(create_network(world, &err), &err);
	br_autofree char *id = start_greeter(world, network);
	assert_non_null(id);
	spec.network = NULL;
	spec.second_network = network;
	spec.extra_hosts = hosts;
	assert_says(world, spec,
		"until nc -w 5 db 7000 2>/dev/null; do sleep 0.1; done\n"
		"cd /sys/class/net && echo *[0-9]\n"
		"grep -o '10.9.8.7.*elsewhere' /etc/hosts | tr '\\t' ' '",
		"hello\neth0 eth1\n10.9.8.7 elsewhere\n");
}

static void a_container_shares_the_network_of_another(void **state)
{
	static const char *const hosts[] = { "unheard:10.9.8.7", NULL };
	struct world *world = *state;
	struct br_container_spec spec = spec_of(world, greeter);

	br_autofree char *id = start(world, &spec);
	br_autofree char *network = br_format("container:%s", id);
	spec.network = network;
	/* These are the other's to have. */
	spec.alias = "unheard";
	spec.second_network = "unheard";
	spec.extra_hosts = hosts;
	assert_says(world, spec,
		"until nc 127.0.0.1 7000 2>/dev/null; do sleep 0.1; done",
		"hello\n");
}

static void a_network_is_made_once_and_one_that_is_missing_is_named(
	void **state)
{
	struct world *world = *state;
	br_autofree char *network = network_name(world);
	struct br_container_spec spec = spec_of(world, greeter);
	struct br_err err = { 0 };
	br_autofree char *id = NULL;
	br_autofree char *missing = br_format(
		"there is no network '%s': make it with '%s network "
		"create %s'",
		network, is_podman(world) ? "podman" : "docker", network);

	/* Docker says it at the start, Podman at once. */
	spec.network = network;
	assert_false(br_engine_create(world->engine, &spec, &id, &err) &&
		br_engine_start(world->engine, id, &err));
	assert_int_equal(err.code, BR_EINPUT);
	assert_part(err.text, missing);

	assert_good(create_network(world, &err), &err);
	assert_false(create_network(world, &err));
	assert_int_equal(err.code, BR_EINPUT);
	assert_part(err.text, network);
}

static void a_network_is_swept_when_nothing_runs_in_it(void **state)
{
	struct world *world = *state;
	br_autofree char *network = network_name(world);
	struct br_sweep sweep = { .build = world->build };
	struct br_err err = { 0 };
	struct br_swept swept = { 0 };

	assert_good(create_network(world, &err), &err);
	br_autofree char *running = start_greeter(world, network);
	assert_non_null(running);
	struct br_container_spec spec = spec_of(world, greeter);
	spec.network = network;
	br_autofree char *created = create(world, &spec);

	assert_good(br_engine_sweep(world->engine, &sweep, &swept, &err), &err);
	assert_int_equal(swept.removed_count, 1);
	assert_false(inspect(world, created).exists);
	assert_true(network_exists(network));

	sweep.is_forced = true;
	assert_good(br_engine_sweep(world->engine, &sweep, &swept, &err), &err);
	assert_int_equal(swept.removed_count, 2);
	assert_false(network_exists(network));
}

/* As in test_engine.c, sweeps of other builds may be faster than this one. */
static void a_network_is_swept_when_its_owner_is_gone(void **state)
{
	struct world *world = *state;
	br_autofree char *mine = network_name(world);
	br_autofree char *theirs = br_format("%s-other", mine);
	struct br_sweep sweep = { .self = &world->self };
	struct owner other = start_owner();
	const struct br_network_spec spec = {
		.name = theirs,
		.build = world->build,
		.project_label = "/a/test",
		.owner = other.text,
	};
	struct br_swept swept = { 0 };
	struct br_err err = { 0 };

	assert_good(create_network(world, &err), &err);
	assert_good(br_engine_create_network(world->engine, &spec, &err), &err);
	(void)!br_engine_sweep(world->engine, &sweep, &swept, &err);
	assert_true(network_exists(theirs));

	end_owner(&other);
	(void)!br_engine_sweep(world->engine, &sweep, &swept, &err);
	assert_false(network_exists(theirs));
	assert_true(network_exists(mine));
}

static void assert_list(char *const *list, const char *const *expected)
{
	size_t i = 0;

	assert_non_null(list);
	for (; expected[i] && list[i]; i++)
		assert_string_equal(list[i], expected[i]);
	assert_true(!expected[i] && !list[i]);
}

/* Whether the engine checks the health of a container. */
static bool has_health(const char *id)
{
	br_auto(br_http) struct br_http *http = open_http();
	br_autojson struct cJSON *value = NULL;
	br_autofree char *path = br_format("/containers/%s/json", id);
	struct br_err err = { 0 };

	assert_good(br_http_ask_json(http, path, &value, &err), &err);
	const struct cJSON *health =
		br_json_find(br_json_find(value, "State"), "Health");
	const char *status = br_json_find_text(health, "Status");
	return strcmp(status, "") != 0 && strcmp(status, "none") != 0;
}

/* Podman has no HEALTHCHECK among the changes that it takes. */
static void tells_what_an_image_runs_and_runs_none_of_it(void **state)
{
	static const char *const changes[] = { "ENTRYPOINT [\"/e\", \"a b\"]",
		"CMD [\"c\"]", "WORKDIR /tmp", NULL };
	static const char *const docker_changes[] = {
		"ENTRYPOINT [\"/e\", \"a b\"]", "CMD [\"c\"]", "WORKDIR /tmp",
		"HEALTHCHECK --interval=1s CMD /bin/false || exit 1", NULL
	};
	static const char *const health[] = { "/bin/sh", "-c",
		"/bin/false || exit 1", NULL };
	struct world *world = *state;
	struct br_container_spec spec = spec_of(world, greeter);
	bool has_check = !is_podman(world);
	struct br_image image = { 0 };
	struct br_err err = { 0 };
	br_autofree char *name = br_format("buildr-facts-%s", world->build);
	br_autofree char *full = br_format("%s:x", name);
	br_autofree char *path = br_format("/images/%s?force=1", full);

	br_autofree char *id = create(world, &spec);
	commit(id, name, has_check ? docker_changes : changes);
	bool is_described = br_engine_image(
		world->engine, full, BR_PULL_NEVER, NULL, NULL, &image, &err);
	spec.image = full;
	br_autofree char *running = start(world, &spec);
	bool is_checked = has_health(running);
	assert_good(br_engine_remove(world->engine, running, &err), &err);
	assert_int_equal(call("DELETE", path, NULL), 200);

	assert_good(is_described, &err);
	assert_list(
		image.entrypoint, (const char *const[]){ "/e", "a b", NULL });
	assert_list(image.command, (const char *const[]){ "c", NULL });
	assert_string_equal(image.workdir, "/tmp");
	if (has_check) {
		assert_list(image.health_command, health);
		assert_int_equal(image.health_interval_ms, 1000);
	}
	assert_false(is_checked);
	br_image_done(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(containers_find_each_other_by_alias),
		IN_WORLD(a_container_is_in_two_networks_and_knows_other_hosts),
		IN_WORLD(a_container_shares_the_network_of_another),
		IN_WORLD(
			a_network_is_made_once_and_one_that_is_missing_is_named),
		IN_WORLD(a_network_is_swept_when_nothing_runs_in_it),
		IN_WORLD(a_network_is_swept_when_its_owner_is_gone),
		IN_WORLD(tells_what_an_image_runs_and_runs_none_of_it),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
