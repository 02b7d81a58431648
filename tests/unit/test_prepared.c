/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "run/prepared.h"
#include "tests/support/folder.h"
#include "tests/unit/planned.h"

#define PREPARE "stages: []\nimage: i\nprepare: {cache: 7d, script: [make]}\n"
#define FAR_S 4000000000

/* An engine that has one snapshot, once it was made. */
struct fake {
	struct br_engine engine;
	struct br_snapshot snapshot;
	bool is_broken;
};

static struct fake *fake_of(struct br_engine *engine)
{
	return (struct fake *)engine;
}

static bool save_snapshot(struct br_engine *engine,
	const struct br_snapshot_spec *spec, struct br_err *err)
{
	(void)err;
	fake_of(engine)->snapshot = (struct br_snapshot){
		.id = br_strdup("sha256:kept"),
		.name = br_format("buildr-prepare:%s", spec->tag),
		.identity = br_strdup(spec->identity),
		.project = br_strdup("/p"),
		.created_s = FAR_S,
		.expires_s = spec->expires_s,
	};
	return true;
}

static bool list_snapshots(struct br_engine *engine,
	struct br_snapshots *snapshots, struct br_err *err)
{
	const struct br_snapshot *from = &fake_of(engine)->snapshot;

	if (fake_of(engine)->is_broken)
		return br_fail(err, BR_EUNAVAIL, "the engine is broken");
	*snapshots = (struct br_snapshots){ 0 };
	if (!from->id)
		return true;
	snapshots->list = br_alloc(sizeof(*snapshots->list));
	snapshots->count = 1;
	snapshots->list[0] = *from;
	snapshots->list[0].id = br_strdup(from->id);
	snapshots->list[0].name = br_strdup(from->name);
	snapshots->list[0].identity = br_strdup(from->identity);
	snapshots->list[0].project = br_strdup(from->project);
	return true;
}

static const struct br_engine_ops ops = {
	.save_snapshot = save_snapshot,
	.list_snapshots = list_snapshots,
};

static char image_id[] = "sha256:image";
static char image_digest[] = "sha256:digest";

struct world {
	struct fake fake;
	char *folder;
	struct planned planned;
	struct br_image image;
	struct br_prepared_options options;
};

static int set_up(void **state)
{
	struct world *world = br_alloc(sizeof(*world));

	world->fake.engine.ops = &ops;
	world->folder = folder_make();
	planned_must(&world->planned, PREPARE);
	world->image =
		(struct br_image){ .id = image_id, .digest = image_digest };
	world->options = (struct br_prepared_options){
		.engine = &world->fake.engine,
		.plan = world->planned.plan,
		.store_folder = world->folder,
		.project_label = "/p",
		.image = &world->image,
	};
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	free(world->fake.snapshot.id);
	free(world->fake.snapshot.name);
	free(world->fake.snapshot.identity);
	free(world->fake.snapshot.project);
	planned_done(&world->planned);
	folder_remove(world->folder);
	free(world);
	return 0;
}

static void find(const struct world *world, struct br_prepared *prepared)
{
	br_prepared_find(&world->options, prepared);
	assert_true(prepared->is_wanted);
	assert_true(prepared->is_known);
	assert_string_equal(prepared->image, image_id);
}

static void keep(struct world *world, const struct br_prepared *prepared)
{
	const struct br_prepared_save save = {
		.prepared = prepared,
		.container = "c",
		.build = "11111111-2222-4333-8444-abcdef012345",
		.kept_ms = 1000,
	};
	struct br_err err = { 0 };

	assert_true(br_prepared_keep(&world->fake.engine, &save, &err));
	/* 24 digits of the identity. */
	assert_string_equal(
		world->fake.snapshot.name + strlen("buildr-prepare:") + 24,
		"-abcdef012345");
	world->fake.snapshot.expires_s = FAR_S;
}

static void finds_what_was_kept(void **state)
{
	struct world *world = *state;
	struct br_prepared prepared;
	struct br_prepared again;

	find(world, &prepared);
	assert_string_equal(prepared.snapshot, "");
	assert_string_equal(prepared.why, "the engine has no image of it");
	keep(world, &prepared);
	find(world, &again);
	assert_string_equal(again.snapshot, "sha256:kept");
	assert_memory_equal(again.identity, prepared.identity, BR_HASH_BYTES);

	br_prepared_lose(&again);
	assert_string_equal(again.snapshot, "");
}

static void another_image_or_repository_is_another_identity(void **state)
{
	static char digest[] = "sha256:other";
	struct world *world = *state;
	struct br_prepared prepared;

	world->options.repo = "https://a";
	find(world, &prepared);
	keep(world, &prepared);
	find(world, &prepared);
	assert_string_equal(prepared.snapshot, "sha256:kept");

	world->options.repo = "https://b";
	find(world, &prepared);
	assert_string_equal(prepared.snapshot, "");
	world->options.repo = NULL;
	find(world, &prepared);
	assert_string_equal(prepared.snapshot, "");
	world->options.repo = "https://a";
	world->image.digest = digest;
	find(world, &prepared);
	assert_string_equal(prepared.snapshot, "");
}

static void without_a_store_or_a_list_nothing_is_kept(void **state)
{
	struct world *world = *state;
	struct br_prepared prepared;

	world->fake.is_broken = true;
	br_prepared_find(&world->options, &prepared);
	assert_false(prepared.is_known);
	assert_string_equal(prepared.why, "the engine is broken");

	world->options.store_folder = "/dev/null/store";
	br_prepared_find(&world->options, &prepared);
	assert_true(prepared.is_wanted);
	assert_false(prepared.is_known);
	assert_non_null(strstr(prepared.why, "/dev/null/store"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			finds_what_was_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			another_image_or_repository_is_another_identity, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			without_a_store_or_a_list_nothing_is_kept, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
