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

#include "cache/globs.h"
#include "cache/history.h"
#include "cache/images.h"
#include "cache/listing.h"
#include "cache/prune.h"
#include "cache/store.h"
#include "tests/support/folder.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

enum { FILE_BYTES = 10000 };

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

/* Make all contents so old that no build can be about to name them. */
static void age_blobs(const struct fixture *fixture)
{
	struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct br_err err = { 0 };
	static const char *const all[] = { "cas/**" };
	br_auto(br_globs) struct br_globs *globs = NULL;
	br_autolisting struct br_listing listing = { 0 };
	br_autoclose int fd = open(fixture->home, O_RDONLY | O_DIRECTORY);

	assert_true(br_globs_new(all, 1, &globs, &err));
	assert_true(br_listing_find(fd, globs, false, &listing, &err));
	for (size_t i = 0; i < listing.count; i++)
		assert_int_equal(
			utimensat(fd, listing.items[i].path, old, 0), 0);
}

/* Store a result of two files: one of its own, and one that all have. */
static void put(const struct fixture *fixture, uint8_t number, int64_t days)
{
	static const char *const all[] = { "**" };
	uint8_t identity[BR_HASH_BYTES] = { number };
	br_auto(br_globs) struct br_globs *globs = NULL;
	br_autolisting struct br_listing listing = { 0 };
	char content[FILE_BYTES + 1] = { 0 };
	char hex[BR_HASH_TEXT_BYTES];
	struct timespec times[2] = { { 0 }, { 0 } };
	struct br_err err = { 0 };

	memset(content, 'a' + number, FILE_BYTES);
	folder_write(fixture->project, "own", 0644, content);
	memset(content, 'z', FILE_BYTES);
	folder_write(fixture->project, "common", 0644, content);
	assert_true(br_globs_new(all, 1, &globs, &err));
	assert_true(br_listing_find(
		fixture->project_fd, globs, true, &listing, &err));
	assert_true(br_store_put(fixture->store, identity, fixture->project_fd,
		&listing, br_str("log"), &err));
	br_hash_format(identity, hex);
	br_autofree char *path =
		br_format("%s/ac/%.2s/%s", fixture->home, hex, hex);
	times[0].tv_sec = time(NULL) - days * 86400;
	times[1] = times[0];
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool is_stored(const struct fixture *fixture, uint8_t number)
{
	uint8_t identity[BR_HASH_BYTES] = { number };
	br_autostored struct br_stored stored = { 0 };
	struct br_err err = { 0 };

	return br_store_find(fixture->store, identity, &stored, &err) &&
		br_store_restore(
			fixture->store, &stored, fixture->project_fd, &err);
}

static struct br_usage prune(
	const struct fixture *fixture, struct br_prune_limits limits)
{
	struct br_usage removed = { 0 };
	struct br_err err = { 0 };

	assert_true(br_store_prune(fixture->store, &limits, &removed, &err));
	return removed;
}

static void removes_nothing_where_everything_may_stay(void **state)
{
	const struct fixture *fixture = *state;
	struct br_prune_limits any = { -1, -1, -1 };

	put(fixture, 1, 400);
	put(fixture, 2, 1);
	age_blobs(fixture);
	assert_int_equal(prune(fixture, any).size_bytes, 0);
	assert_true(is_stored(fixture, 1));
	assert_true(is_stored(fixture, 2));
}

static void removes_first_what_was_used_longest_ago(void **state)
{
	const struct fixture *fixture = *state;
	/* Two files of their own, one that they share, and little more. */
	struct br_prune_limits limits = { 33000, -1, -1 };
	struct br_usage removed;
	struct br_usage left;

	put(fixture, 1, 2);
	put(fixture, 2, 9);
	put(fixture, 3, 5);
	age_blobs(fixture);
	removed = prune(fixture, limits);
	assert_int_equal(removed.result_count, 1);
	assert_int_equal(removed.blob_count, 1);
	assert_true(is_stored(fixture, 1));
	assert_false(is_stored(fixture, 2));
	assert_true(is_stored(fixture, 3));
	br_store_measure(fixture->store, &left);
	assert_int_equal(left.result_count, 2);
	/* Theirs, the common one, the log. */
	assert_int_equal(left.blob_count, 4);
	assert_true(left.size_bytes > INT64_C(30000));
	assert_true(left.size_bytes <= limits.max_bytes);
}

static void removes_what_has_not_been_used_for_long(void **state)
{
	const struct fixture *fixture = *state;
	struct br_prune_limits limits = { -1, 7 * DAY_NS, -1 };

	put(fixture, 1, 2);
	put(fixture, 2, 9);
	age_blobs(fixture);
	assert_int_equal(prune(fixture, limits).result_count, 1);
	assert_true(is_stored(fixture, 1));
	assert_false(is_stored(fixture, 2));
}

static void removes_all_where_the_disk_cannot_have_enough_free(void **state)
{
	const struct fixture *fixture = *state;
	struct br_prune_limits limits = { -1, -1, INT64_MAX };

	put(fixture, 1, 1);
	age_blobs(fixture);
	assert_int_equal(prune(fixture, limits).blob_count, 3);
	assert_false(is_stored(fixture, 1));
}

static void leaves_contents_that_a_build_may_be_about_to_name(void **state)
{
	const struct fixture *fixture = *state;
	struct br_prune_limits nothing = { 0, -1, -1 };
	struct br_usage removed;

	put(fixture, 1, 1);
	removed = prune(fixture, nothing);
	assert_int_equal(removed.result_count, 1);
	assert_int_equal(removed.blob_count, 0);
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
		TEST(removes_nothing_where_everything_may_stay),
		TEST(removes_first_what_was_used_longest_ago),
		TEST(removes_what_has_not_been_used_for_long),
		TEST(removes_all_where_the_disk_cannot_have_enough_free),
		TEST(leaves_contents_that_a_build_may_be_about_to_name),
		TEST(remembers_what_a_stage_was),
		TEST(remembers_what_an_image_was_on_an_engine),
		TEST(tells_every_stage_until_it_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
