/* SPDX-License-Identifier: MIT */
/*
 * lib/engine against the engine that is found here, which must have the image
 * buildr-sample:latest (tests/run makes it). Where none answers this fails.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "tests/engine/world.h"
#include "tests/support/folder.h"

static void describes_itself(void **state)
{
	struct world *world = *state;
	struct br_engine_info info = { 0 };
	struct br_err err = { 0 };

	assert_good(br_engine_describe(world->engine, &info, &err), &err);
	assert_part(info.api_version, "1.");
	assert_part(info.version, ".");
	assert_part(info.address, "://");
	assert_true(strlen(info.address_source) > 0);
	br_engine_info_done(&info);
}

static void describes_an_image_and_misses_another(void **state)
{
	struct world *world = *state;
	struct br_image image = { 0 };
	struct br_err err = { 0 };

	assert_good(br_engine_image(world->engine, "buildr-sample",
			    BR_PULL_MISSING, NULL, NULL, &image, &err),
		&err);
	assert_part(image.id, "sha256:");
	assert_part(image.digest, "sha256:");
	assert_string_equal(image.user, "");
	assert_true(strlen(image.architecture) > 0);

	/* By its id too, which must not be taken for a name to pull. */
	br_autofree char *id = br_strdup(image.id);
	br_image_done(&image);
	assert_good(br_engine_image(world->engine, id, BR_PULL_ALWAYS, NULL,
			    NULL, &image, &err),
		&err);
	assert_string_equal(image.id, id);
	br_image_done(&image);

	assert_false(br_engine_image(world->engine, "buildr-missing:none",
		BR_PULL_NEVER, NULL, NULL, &image, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_part(err.text, "image 'buildr-missing:none'");
}

/* An engine without root knows none where cgroups are root's. */
static bool knows_limits(const struct world *world)
{
	struct br_engine_info info = { 0 };
	struct br_err err = { 0 };

	assert_good(br_engine_describe(world->engine, &info, &err), &err);
	bool is_rootless = info.is_rootless;
	br_engine_info_done(&info);
	return !is_rootless || access("/sys/fs/cgroup/cgroup.procs", F_OK) == 0;
}

static void runs_a_container_and_removes_it(void **state)
{
	static const char *const command[] = { "/bin/sleep", "3600", NULL };
	struct world *world = *state;
	struct br_container_spec spec = spec_of(world, command);
	struct br_err err = { 0 };

	if (knows_limits(world)) {
		spec.memory_bytes = 64 << 20;
		spec.cpus_nano = 500000000;
		spec.pids = 50;
	}
	br_autofree char *id = create(world, &spec);
	br_autofree char *second = create(world, &spec);
	assert_string_not_equal(id, second);
	assert_true(inspect(world, id).exists);
	assert_false(inspect(world, id).is_running);
	assert_good(br_engine_start(world->engine, id, &err), &err);
	/* A second start is no failure. */
	assert_good(br_engine_start(world->engine, id, &err), &err);
	assert_true(inspect(world, id).is_running);
	assert_good(br_engine_remove(world->engine, id, &err), &err);
	assert_false(inspect(world, id).exists);
	assert_good(br_engine_remove(world->engine, id, &err), &err);
	assert_false(br_engine_start(world->engine, id, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
}

static void a_container_that_ends_is_removed_by_the_engine(void **state)
{
	static const char *const command[] = { "/bin/true", NULL };
	struct world *world = *state;
	struct br_container_spec spec = spec_of(world, command);
	struct br_err err = { 0 };
	br_autofree char *id = create(world, &spec);

	assert_good(br_engine_start(world->engine, id, &err), &err);
	await_removal(world, id);
}

static void tells_a_folder_that_the_engine_does_not_see(void **state)
{
	static const char *const command[] = { "/bin/true", NULL };
	struct world *world = *state;
	struct br_container_spec spec = spec_of(world, command);
	struct br_err err = { 0 };
	char *folder = folder_make();
	br_autofree char *id = NULL;

	br_autofree char *missing = br_format("%s/missing", folder);
	spec.private_dir = missing;
	/* Podman makes the folder. */
	if (is_podman(world)) {
		id = create(world, &spec);
	} else {
		assert_false(br_engine_create(world->engine, &spec, &id, &err));
		assert_int_equal(err.code, BR_ENOTFOUND);
		assert_part(err.text, missing);
	}
	folder_remove(folder);
}

static void tells_a_command_that_cannot_be_executed(void **state)
{
	static const char *const command[] = { "/nonexistent", NULL };
	struct world *world = *state;
	struct br_container_spec spec = spec_of(world, command);
	struct br_err err = { 0 };
	br_autofree char *id = create(world, &spec);

	assert_false(br_engine_start(world->engine, id, &err));
	assert_int_equal(err.code, BR_EINPUT);
	assert_part(err.text, "/nonexistent");
}

static void carries_a_mebibyte_both_ways(void **state)
{
	static const char *const command[] = { "/bin/cat", NULL };
	enum { BYTES = 1024 * 1024 };
	struct world *world = *state;
	struct br_container_spec spec = spec_of(world, command);
	struct br_attach *attach = NULL;
	br_autobuf struct br_buf input = { 0 };
	br_autobuf struct br_buf output = { 0 };
	struct br_err err = { 0 };

	for (uint32_t i = 0; input.len < BYTES; i = i * 1664525 + 1013904223)
		br_buf_add(&input, &i, sizeof(i));
	spec.is_attached = true;
	br_autofree char *id = create(world, &spec);
	assert_good(br_engine_attach(world->engine, id, &attach, &err), &err);
	/* test_remote.py runs all this over TLS as well. */
	assert_true((br_attach_plain_fd(attach) < 0) ==
		(getenv("DOCKER_TLS_VERIFY") != NULL));
	assert_good(br_engine_start(world->engine, id, &err), &err);
	converse(attach, &input, BYTES, &output);
	assert_int_equal(output.len, BYTES);
	assert_memory_equal(output.data, input.data, BYTES);

	/* Its stdin is closed with the connection, and so it ends. */
	br_attach_close(attach);
	await_removal(world, id);
}

static void executes_a_file_that_was_copied_in(void **state)
{
	static const char *const command[] = { "/.buildr/deep/init", "x",
		NULL };
	static const char script[] = "#!/bin/sh\n"
				     "ls -ln /.buildr/deep | tail -n 1\n"
				     "echo \"copied $1\"\n";
	struct world *world = *state;
	struct br_container_spec spec = spec_of(world, command);
	br_autobuf struct br_buf output = { 0 };
	struct br_err err = { 0 };

	spec.is_attached = true;
	br_autofree char *id = create(world, &spec);
	assert_good(br_engine_copy_in(world->engine, id, "/.buildr/deep/init",
			    script, strlen(script), &err),
		&err);
	run_attached(world, id, &output);
	assert_part(output.data, "-rwxr-xr-x    1 0        0");
	assert_part(output.data, "copied x\n");
}

static void mounts_folders_whatever_their_names(void **state)
{
	static const char *const command[] = { "/bin/sh", "-c",
		"cat /app/file; touch /.buildr/x 2>/dev/null || "
		"echo read-only; touch /app/new && id -u",
		NULL };
	struct world *world = *state;
	struct br_container_spec spec = spec_of(world, command);
	br_autobuf struct br_buf output = { 0 };
	char *folder = folder_make();
	/* Podman reads mounts as it reads its command line. */
	const char *name = is_podman(world) ? "a b:c" : "a b,c:d\ne\"é";
	br_autofree char *odd = br_path_join(folder, name);
	br_autofree char *file = br_path_join(odd, "file");
	br_autofree char *private = br_format("%s/p", folder);

	folder_write(folder, file + strlen(folder) + 1, 0644, "found\n");
	folder_write(folder, "p/file", 0644, "");
	spec.is_attached = true;
	spec.project_dir = odd;
	spec.project_target = "/app";
	spec.private_dir = private;
	br_autofree char *id = create(world, &spec);
	run_attached(world, id, &output);
	assert_string_equal(output.data, "found\nread-only\n0\n");
	folder_remove(folder);
}

static void sweeps_a_build_and_leaves_what_runs(void **state)
{
	static const char *const command[] = { "/bin/sleep", "3600", NULL };
	struct world *world = *state;
	struct br_container_spec spec = spec_of(world, command);
	struct br_sweep sweep = { .build = world->build };
	struct br_err err = { 0 };
	struct br_swept swept = { 0 };
	br_autofree char *created = create(world, &spec);
	br_autofree char *running = create(world, &spec);

	assert_good(br_engine_start(world->engine, running, &err), &err);
	assert_good(br_engine_sweep(world->engine, &sweep, &swept, &err), &err);
	assert_int_equal(swept.removed_count, 1);
	assert_int_equal(swept.left_count, 1);
	assert_false(inspect(world, created).exists);
	assert_true(inspect(world, running).is_running);

	sweep.is_forced = true;
	assert_good(br_engine_sweep(world->engine, &sweep, &swept, &err), &err);
	assert_int_equal(swept.removed_count, 1);
	assert_int_equal(swept.left_count, 0);
	assert_false(inspect(world, running).exists);
}

/* An agent runs a job again while what is left of the first try is swept. */
static void leaves_another_try_of_the_same_build(void **state)
{
	static const char *const command[] = { "/bin/sleep", "3600", NULL };
	struct world *world = *state;
	struct owner other = start_owner();
	struct br_container_spec theirs = spec_of(world, command);
	struct br_container_spec mine = spec_of(world, command);
	const struct br_sweep sweep = {
		.build = world->build,
		.self = &world->self,
		.is_forced = true,
	};
	struct br_err err = { 0 };
	struct br_swept swept = { 0 };

	theirs.owner = other.text;
	br_autofree char *kept = create(world, &theirs);
	br_autofree char *gone = create(world, &mine);

	assert_good(br_engine_start(world->engine, kept, &err), &err);
	assert_good(br_engine_sweep(world->engine, &sweep, &swept, &err), &err);
	assert_true(inspect(world, kept).is_running);
	assert_false(inspect(world, gone).exists);
	end_owner(&other);
}

/*
 * Builds that run beside this sweep too: while one of these containers may not be
 * swept, its owner must live or it must run. And what others left, which may not be
 * removable, decides whether the call succeeds; only what becomes of ours counts.
 */
static void sweeps_what_a_dead_owner_left_and_nothing_of_a_live_one(
	void **state)
{
	static const char *const command[] = { "/bin/sleep", "3600", NULL };
	struct world *world = *state;
	struct br_container_spec spec = spec_of(world, command);
	struct br_sweep sweep = { .self = &world->self };
	struct owner other = start_owner();
	struct br_swept swept = { 0 };
	struct br_err err = { 0 };
	br_autofree char *mine = create(world, &spec);

	spec.owner = other.text;
	br_autofree char *created = create(world, &spec);
	br_autofree char *running = create(world, &spec);
	assert_good(br_engine_start(world->engine, running, &err), &err);
	(void)!br_engine_sweep(world->engine, &sweep, &swept, &err);
	assert_true(inspect(world, created).exists);

	end_owner(&other);
	(void)!br_engine_sweep(world->engine, &sweep, &swept, &err);
	assert_true(inspect(world, mine).exists);
	await_removal(world, created);
	assert_true(inspect(world, running).is_running);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(describes_itself),
		IN_WORLD(describes_an_image_and_misses_another),
		IN_WORLD(runs_a_container_and_removes_it),
		IN_WORLD(a_container_that_ends_is_removed_by_the_engine),
		IN_WORLD(tells_a_folder_that_the_engine_does_not_see),
		IN_WORLD(tells_a_command_that_cannot_be_executed),
		IN_WORLD(carries_a_mebibyte_both_ways),
		IN_WORLD(executes_a_file_that_was_copied_in),
		IN_WORLD(mounts_folders_whatever_their_names),
		IN_WORLD(sweeps_a_build_and_leaves_what_runs),
		IN_WORLD(leaves_another_try_of_the_same_build),
		IN_WORLD(
			sweeps_what_a_dead_owner_left_and_nothing_of_a_live_one),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
