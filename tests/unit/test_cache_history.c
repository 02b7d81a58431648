/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cache/history.h"
#include "cache/images.h"
#include "cache/store.h"
#include "tests/support/folder.h"

struct fixture {
	char *home;
	char *project;
	int project_fd;
	struct br_store *store;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct br_err err = { 0 };

	fixture->home = folder_make();
	fixture->project = folder_make();
	fixture->project_fd = open(fixture->project, O_RDONLY | O_DIRECTORY);
	assert_true(br_store_open(fixture->home, &fixture->store, &err));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	br_store_free(fixture->store);
	(void)close(fixture->project_fd);
	folder_remove(fixture->home);
	folder_remove(fixture->project);
	free(fixture);
	return 0;
}

static void remembers_what_a_stage_was(void **state)
{
	const struct fixture *fixture = *state;
	static const uint8_t identity[BR_HASH_BYTES] = { 1, 2 };
	br_autohistory struct br_history history = { 0 };
	struct br_err err = { 0 };

	assert_true(br_history_save(fixture->store, "/home/a\nb", "test",
		identity, br_str("buildr-key 1\nstep x 1\n"), &err));
	assert_true(br_history_load(
		fixture->store, "/home/a\nb", "test", &history, &err));
	assert_memory_equal(history.identity, identity, BR_HASH_BYTES);
	assert_string_equal(history.project, "/home/a\\012b");
	assert_string_equal(history.stage, "test");
	assert_string_equal(
		br_buf_text(&history.record), "buildr-key 1\nstep x 1\n");
	assert_true(history.written_ns > 0);
	br_history_done(&history);
	assert_false(br_history_load(
		fixture->store, "/home/a", "test", &history, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_string_equal(
		err.text, "nothing is known of an earlier run of stage 'test'");
}

static void note(void *ctx, const struct br_history *history)
{
	size_t *sum = ctx;

	*sum += history->identity[0];
}

static void tells_every_stage_until_it_is_forgotten(void **state)
{
	const struct fixture *fixture = *state;
	struct br_err err = { 0 };
	size_t sum = 0;

	br_history_each(fixture->store, note, &sum);
	assert_int_equal(sum, 0);
	for (size_t i = 0; i < 4; i++) {
		uint8_t identity[BR_HASH_BYTES] = { (uint8_t)(1U << i) };

		/* The last two are one stage. */
		assert_true(br_history_save(fixture->store, i < 2 ? "/a" : "/b",
			i == 1 ? "y" : "x", identity, br_str(""), &err));
	}
	br_history_each(fixture->store, note, &sum);
	assert_int_equal(sum, 1 + 2 + 8);
	br_history_forget(fixture->store, "/a", "x");
	sum = 0;
	br_history_each(fixture->store, note, &sum);
	assert_int_equal(sum, 2 + 8);
}

static void remembers_what_an_image_was_on_an_engine(void **state)
{
	const struct fixture *fixture = *state;
	br_autofree char *digest = NULL;
	struct br_err err = { 0 };

	assert_false(br_images_find(
		fixture->store, "unix:///a", "alpine:3", &digest));
	assert_true(br_images_save(
		fixture->store, "unix:///a", "alpine:3", "sha256:12", &err));
	assert_true(br_images_save(
		fixture->store, "unix:///a", "alpine:3", "sha256:34", &err));
	assert_true(br_images_find(
		fixture->store, "unix:///a", "alpine:3", &digest));
	assert_string_equal(digest, "sha256:34");
	assert_false(br_images_find(
		fixture->store, "unix:///b", "alpine:3", &digest));
	assert_false(br_images_find(
		fixture->store, "unix:///a", "alpine:2", &digest));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(remembers_what_a_stage_was),
		TEST(remembers_what_an_image_was_on_an_engine),
		TEST(tells_every_stage_until_it_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
