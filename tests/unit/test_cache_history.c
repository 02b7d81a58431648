/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "cache/difference.h"
#include "cache/history.h"
#include "cache/images.h"
#include "cache/last_run.h"
#include "cache/store.h"
#include "cached.h"

static void remembers_what_a_stage_was(void **state)
{
	const struct cached *cached = *state;
	static const uint8_t identity[BR_HASH_BYTES] = { 1, 2 };
	br_autohistory struct br_history history = { 0 };
	struct br_err err = { 0 };

	assert_true(br_history_save(cached->store, "/home/a\nb", "test",
		identity, br_str("buildr-key 1\nstep x 1\n"), &err));
	assert_true(br_history_load(
		cached->store, "/home/a\nb", "test", &history, &err));
	assert_memory_equal(history.identity, identity, BR_HASH_BYTES);
	assert_string_equal(history.project, "/home/a\\012b");
	assert_string_equal(history.stage, "test");
	assert_string_equal(
		br_buf_text(&history.record), "buildr-key 1\nstep x 1\n");
	assert_true(history.written_ns > 0);
	br_history_done(&history);
	assert_false(br_history_load(
		cached->store, "/home/a", "test", &history, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_string_equal(
		err.text, "nothing is known of an earlier run of stage 'test'");
}

static void add_name(void *ctx, const struct br_difference *difference)
{
	br_difference_format(difference, ctx);
	br_buf_add_char(ctx, ';');
}

static void remembers_why_a_stage_ran(void **state)
{
	const struct cached *cached = *state;
	struct br_last_run run = {
		.since_ns = 42,
		.result = BR_LAST_RUN_REFUSED,
		.refusal = (char[]){ "a\nb" },
	};
	const struct br_difference differences[] = {
		{ BR_DIFFERENCE_MODE, br_str("file"), br_str("a b\\012") },
		{ BR_DIFFERENCE_ADDED, br_str("secret"), br_str("KEY") },
	};
	br_autolastrun struct br_last_run found = { 0 };
	br_autobuf struct br_buf names = { 0 };
	struct br_err err = { 0 };

	for (size_t i = 0; i < 2; i++)
		br_last_run_add(&run, &differences[i]);
	assert_false(br_last_run_load(cached->store, "/a", "x", &found));
	assert_true(br_last_run_save(cached->store, "/a", "x", &run, &err));
	br_buf_done(&run.differences);
	assert_true(br_last_run_load(cached->store, "/a", "x", &found));
	assert_int_equal(found.since_ns, 42);
	assert_int_equal(found.result, BR_LAST_RUN_REFUSED);
	assert_string_equal(found.refusal, "a\\012b");
	assert_null(found.cause);
	br_last_run_each(&found, add_name, &names);
	assert_string_equal(br_buf_text(&names),
		"file 'a b\\012' has another mode;secret KEY was added;");
	br_last_run_done(&found);
	assert_false(br_last_run_load(cached->store, "/a", "y", &found));
}

/* The only file of a stage whose name ends so. */
static char *find_file(const struct cached *cached, const char *suffix)
{
	br_autofree char *pattern =
		br_format("%s/stages/*/*%s", cached->folder, suffix);
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, 1);
	char *path = br_strdup(found.gl_pathv[0]);
	globfree(&found);
	return path;
}

static void a_reason_that_is_damaged_is_not_known(void **state)
{
	const struct cached *cached = *state;
	const struct br_last_run run = { .cause = (char[]){ "x" } };
	br_autolastrun struct br_last_run found = { 0 };
	static const off_t lens[] = { 0, 5, 13, 18, 20, 22 };
	struct br_err err = { 0 };

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		assert_true(
			br_last_run_save(cached->store, "/a", "x", &run, &err));
		br_autofree char *path = find_file(cached, ".run");
		assert_int_equal(truncate(path, lens[i]), 0);
		assert_false(
			br_last_run_load(cached->store, "/a", "x", &found));
	}
}

static void a_stage_that_is_looked_at_again_is_not_older(void **state)
{
	const struct cached *cached = *state;
	static const uint8_t identity[BR_HASH_BYTES] = { 1 };
	static const struct timespec old[2] = { { .tv_sec = 1 },
		{ .tv_sec = 1 } };
	br_autohistory struct br_history history = { 0 };
	struct br_err err = { 0 };

	assert_true(br_history_save(
		cached->store, "/a", "x", identity, br_str(""), &err));
	br_autofree char *path = find_file(cached, "");
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	br_history_touch(cached->store, "/a", "x");
	assert_true(br_history_load(cached->store, "/a", "x", &history, &err));
	assert_true(history.written_ns > INT64_C(1000000000));
}

static void remembers_what_an_image_was_on_an_engine(void **state)
{
	const struct cached *cached = *state;
	br_autofree char *digest = NULL;
	struct br_err err = { 0 };

	assert_false(br_images_find(
		cached->store, "unix:///a", "alpine:3", &digest));
	assert_true(br_images_save(
		cached->store, "unix:///a", "alpine:3", "sha256:12", &err));
	assert_true(br_images_save(
		cached->store, "unix:///a", "alpine:3", "sha256:34", &err));
	assert_true(br_images_find(
		cached->store, "unix:///a", "alpine:3", &digest));
	assert_string_equal(digest, "sha256:34");
	assert_false(br_images_find(
		cached->store, "unix:///b", "alpine:3", &digest));
	assert_false(br_images_find(
		cached->store, "unix:///a", "alpine:2", &digest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CACHED_TEST(remembers_what_a_stage_was),
		CACHED_TEST(remembers_why_a_stage_ran),
		CACHED_TEST(a_reason_that_is_damaged_is_not_known),
		CACHED_TEST(a_stage_that_is_looked_at_again_is_not_older),
		CACHED_TEST(remembers_what_an_image_was_on_an_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
