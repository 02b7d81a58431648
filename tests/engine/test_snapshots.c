/* SPDX-License-Identifier: MIT */
/* Images of a container's state, with the engine that is found here. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "engine/snapshot.h"
#include "tests/engine/world.h"
#include "tests/support/folder.h"

/* Far away, for what a test leaves by accident to be seen. */
enum { EXPIRES_S = 2000000000 };

static struct br_snapshot_spec snapshot_of(
	const struct world *world, const char *container, const char *image)
{
	return (struct br_snapshot_spec){
		.container = container,
		.image = image,
		.tag = world->build,
		.identity = world->build,
		.expires_s = EXPIRES_S,
	};
}

/* Start a container that runs `script`, until it has said `until`. */
static char *start_script(const struct world *world,
	struct br_container_spec spec, const char *script, const char *until)
{
	const char *const command[] = { "/bin/sh", "-c", script, NULL };
	const struct br_buf nothing = { 0 };
	br_autobuf struct br_buf output = { 0 };
	struct br_attach *attach = NULL;
	struct br_err err = { 0 };

	spec.command = command;
	spec.is_attached = true;
	char *id = create(world, &spec);
	assert_good(br_engine_attach(world->engine, id, &attach, &err), &err);
	assert_good(br_engine_start(world->engine, id, &err), &err);
	converse(attach, &nothing, strlen(until), &output);
	br_attach_close(attach);
	assert_string_equal(br_buf_text(&output), until);
	return id;
}

/* The snapshot of this world's identity; `snapshots` holds it. NULL: there is none. */
static const struct br_snapshot *find(
	const struct world *world, struct br_snapshots *snapshots)
{
	struct br_err err = { 0 };

	assert_good(
		br_engine_list_snapshots(world->engine, snapshots, &err), &err);
	for (size_t i = 0; i < snapshots->count; i++)
		if (!strcmp(snapshots->list[i].identity, world->build))
			return &snapshots->list[i];
	return NULL;
}

static bool remove_it(const struct world *world, const char *name)
{
	bool is_gone = false;
	struct br_err err = { 0 };

	assert_good(
		br_engine_remove_snapshot(world->engine, name, &is_gone, &err),
		&err);
	return is_gone;
}

static void remove_image(const char *start, const char *build, const char *end)
{
	br_autofree char *path =
		br_format("/images/%s%s%s?force=1", start, build, end);

	(void)call("DELETE", path, NULL);
}

/* Remove the images that a test may have made; then the rest of its world. */
static int remove_images(void **state)
{
	const struct world *world = *state;
	const struct br_sweep sweep = {
		.build = world->build,
		.is_forced = true,
	};
	struct br_swept swept = { 0 };
	struct br_err err = { 0 };

	/* Images go when nothing was made from them. */
	(void)!br_engine_sweep(world->engine, &sweep, &swept, &err);
	remove_image("buildr-base-", world->build, ":x");
	remove_image("buildr-mine-", world->build, ":x");
	remove_image(BR_SNAPSHOT_REPOSITORY ":", world->build, "");
	return tear_down(state);
}

#define WITH_IMAGES(test) \
	cmocka_unit_test_setup_teardown(test, set_up, remove_images)

/* An image with settings of every kind; gives its name. */
static char *make_base(const struct world *world)
{
	static const char *const changes[] = { "ENTRYPOINT [\"/e\", \"a $b\"]",
		"CMD [\"c\"]", "WORKDIR /tmp", "USER nobody", "ENV FROM=base",
		NULL };
	static const char *const command[] = { "/bin/true", NULL };
	struct br_container_spec spec = spec_of(world, command);
	br_autofree char *name = br_format("buildr-base-%s", world->build);
	br_autofree char *id = create(world, &spec);
	struct br_err err = { 0 };

	commit(id, name, changes);
	assert_good(br_engine_remove(world->engine, id, &err), &err);
	return br_format("%s:x", name);
}

/* Fail where the image has anything of what the build said or the container was. */
static void assert_clean(const char *id)
{
	br_auto(br_http) struct br_http *http = open_http();
	br_autoanswer struct br_http_answer answer = { 0 };
	br_autofree char *path = br_format("/images/%s/json", id);
	struct br_err err = { 0 };

	assert_good(br_http_want(http,
			    &(struct br_http_request){
				    .method = "GET", .path = path },
			    &answer, &err),
		&err);
	assert_part(answer.body.data, "\"io.buildr.owner\":\"\"");
	assert_part(answer.body.data, "\"io.buildr.build\":\"\"");
	assert_part(answer.body.data, "\"io.buildr.keep\":\"\"");
	assert_part(answer.body.data, "\"io.buildr.project\":\"/a/test\"");
}

static void assert_settings(const struct world *world, const char *id)
{
	struct br_image image = { 0 };
	struct br_err err = { 0 };

	assert_good(br_engine_image(world->engine, id, BR_PULL_NEVER, NULL,
			    NULL, &image, &err),
		&err);
	assert_string_equal(image.entrypoint[0], "/e");
	assert_string_equal(image.entrypoint[1], "a $b");
	assert_null(image.entrypoint[2]);
	assert_string_equal(image.command[0], "c");
	assert_null(image.command[1]);
	assert_string_equal(image.workdir, "/tmp");
	assert_string_equal(image.user, "nobody");
	br_image_done(&image);
}

/* Give what `script` writes in a container of the image. */
static void run_in(const struct world *world, const char *image,
	const char *script, struct br_buf *output)
{
	const char *const command[] = { "/bin/sh", "-c", script, NULL };
	struct br_container_spec spec = spec_of(world, command);

	spec.image = image;
	spec.is_attached = true;
	br_autofree char *id = create(world, &spec);
	run_attached(world, id, output);
}

static void keeps_what_was_written_and_the_settings_of_the_image(void **state)
{
	struct world *world = *state;
	br_autofree char *base = make_base(world);
	struct br_container_spec spec = spec_of(world, NULL);
	struct br_snapshots snapshots = { 0 };
	br_autobuf struct br_buf output = { 0 };
	struct br_err err = { 0 };
	char *folder = folder_make();
	br_autofree char *private = br_format("%s/p", folder);

	folder_write(folder, "p/secret", 0644, "hush\n");
	spec.image = base;
	spec.private_dir = private;
	spec.project_dir = private;
	spec.project_target = "/app";
	spec.may_stay = true;
	br_autofree char *id = start_script(world, spec,
		"echo kept >/made; cat /app/secret; sleep 3600", "hush\n");
	const struct br_snapshot_spec wanted = snapshot_of(world, id, base);
	assert_good(
		br_engine_save_snapshot(world->engine, &wanted, &err), &err);
	assert_true(inspect(world, id).is_running);
	assert_good(br_engine_remove(world->engine, id, &err), &err);

	const struct br_snapshot *found = find(world, &snapshots);
	assert_non_null(found);
	assert_part(found->name, world->build);
	assert_string_equal(found->project, "/a/test");
	assert_int_equal(found->expires_s, EXPIRES_S);
	assert_true(found->created_s > 1700000000);
	assert_clean(found->id);
	assert_settings(world, found->id);
	run_in(world, found->id, "cat /made; echo $FROM; ls -A /.buildr /app",
		&output);
	assert_part(br_buf_text(&output), "kept\nbase\n");
	assert_null(strstr(output.data, "secret"));
	br_snapshots_done(&snapshots);
	folder_remove(folder);
}

static void a_snapshot_that_is_used_stays_and_its_children_are_not_ours(
	void **state)
{
	static const char *const none[] = { NULL };
	static const char *const command[] = { "/bin/sleep", "3600", NULL };
	struct world *world = *state;
	struct br_container_spec spec = spec_of(world, command);
	struct br_snapshots snapshots = { 0 };
	struct br_snapshots rest = { 0 };
	struct br_err err = { 0 };
	br_autofree char *mine = br_format("buildr-mine-%s", world->build);
	br_autofree char *id = create(world, &spec);
	const struct br_snapshot_spec wanted =
		snapshot_of(world, id, "buildr-sample:latest");

	assert_good(
		br_engine_save_snapshot(world->engine, &wanted, &err), &err);
	const struct br_snapshot *found = find(world, &snapshots);
	assert_non_null(found);
	spec.image = found->id;
	br_autofree char *user = create(world, &spec);
	assert_good(br_engine_start(world->engine, user, &err), &err);
	assert_false(remove_it(world, found->name));
	commit(user, mine, none);
	assert_good(br_engine_remove(world->engine, user, &err), &err);

	assert_true(remove_it(world, found->name));
	assert_true(remove_it(world, found->name));
	assert_null(find(world, &rest));
	br_snapshots_done(&snapshots);
	br_snapshots_done(&rest);
}

static void says_that_there_is_no_such_container(void **state)
{
	struct world *world = *state;
	const struct br_snapshot_spec wanted =
		snapshot_of(world, "0123456789ab", "buildr-sample:latest");
	struct br_err err = { 0 };

	assert_false(br_engine_save_snapshot(world->engine, &wanted, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_part(err.text, "make an image of the container");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_IMAGES(
			keeps_what_was_written_and_the_settings_of_the_image),
		WITH_IMAGES(
			a_snapshot_that_is_used_stays_and_its_children_are_not_ours),
		WITH_IMAGES(says_that_there_is_no_such_container),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
