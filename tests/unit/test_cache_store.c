/* SPDX-License-Identifier: MIT */
/*
 * The bugs that these tests were seen to catch: a link followed while restoring, a mode
 * forgotten, our folder left in the project.
 */
#include "cached_outputs.h"

static void puts_back_what_a_stage_left(void **state)
{
	const struct cached *cached = *state;
	br_autostored struct br_stored result = { 0 };
	br_autobuf struct br_buf log = { 0 };
	struct br_err err = { 0 };

	put_outputs(cached);
	remove_below(cached->project, "out");
	assert_true(restore(cached, &err));
	check_outputs(cached);
	/* Nothing of ours stays. */
	assert_int_equal(count_names(cached->project), 1);
	assert_true(br_store_find(cached->store, identity, &result, &err));
	assert_true(br_store_log(cached->store, &result, &log, &err));
	assert_string_equal(br_buf_text(&log), LOG);
}

static void replaces_what_differs_and_leaves_the_rest(void **state)
{
	const struct cached *cached = *state;
	struct stat before;
	struct stat after;
	struct br_err err = { 0 };

	put_outputs(cached);
	assert_int_equal(
		fstatat(cached->project_fd, "out/large", &before, 0), 0);
	/* The same size; a mode; a file for a link; and one that is not ours. */
	folder_write(cached->project, "out/a", 0644, "other");
	assert_int_equal(
		fchmodat(cached->project_fd, "out/deep/run", 0600, 0), 0);
	folder_write(cached->project, "out/deep/link", 0644, "x");
	folder_write(cached->project, "out/more", 0644, "more");
	assert_true(restore(cached, &err));
	check_outputs(cached);
	check_content(cached, "out/more", "more");
	assert_int_equal(
		fstatat(cached->project_fd, "out/large", &after, 0), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
}

static void knows_nothing_of_another_identity(void **state)
{
	const struct cached *cached = *state;
	static const uint8_t other[BR_HASH_BYTES] = { 1 };
	br_autostored struct br_stored result = { 0 };
	struct br_err err = { 0 };

	put_outputs(cached);
	assert_false(br_store_find(cached->store, other, &result, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
}

static void follows_no_link_out_of_the_project(void **state)
{
	const struct cached *cached = *state;
	struct br_err err = { 0 };
	br_autofree char *outside = br_path_join(cached->home, "outside");

	put_outputs(cached);
	remove_below(cached->project, "out");
	assert_int_equal(mkdir(outside, 0700), 0);
	assert_int_equal(symlinkat(outside, cached->project_fd, "out"), 0);
	assert_false(restore(cached, &err));
	assert_int_equal(err.code, BR_ESYSTEM);
	assert_int_equal(count_names(outside), 0);
	assert_int_equal(count_names(cached->project), 1);
}

static void replaces_no_folder_by_a_file(void **state)
{
	const struct cached *cached = *state;
	struct br_err err = { 0 };

	put_outputs(cached);
	remove_below(cached->project, "out/a");
	folder_write(cached->project, "out/a/precious", 0644, "kept");
	assert_false(restore(cached, &err));
	assert_string_equal(err.text, "put back 'out/a': Is a directory");
	check_content(cached, "out/a/precious", "kept");
}

static void makes_one_key_for_secrets(void **state)
{
	const struct cached *cached = *state;
	uint8_t first[BR_HASH_BYTES] = { 0 };
	uint8_t second[BR_HASH_BYTES] = { 0 };
	static const uint8_t nothing[BR_HASH_BYTES];
	br_autofree char *path = br_format("%s/secret.key", cached->folder);
	struct stat status;
	struct br_err err = { 0 };

	assert_true(br_store_secret_key(cached->store, first, &err));
	assert_true(br_store_secret_key(cached->store, second, &err));
	assert_memory_equal(first, second, sizeof(first));
	assert_memory_not_equal(first, nothing, sizeof(first));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 077, 0);
}

static void says_that_a_result_was_used(void **state)
{
	const struct cached *cached = *state;
	struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	br_autostored struct br_stored result = { 0 };
	struct stat status;
	struct br_err err = { 0 };

	put_outputs(cached);
	br_autofree char *path = result_of(cached);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	assert_true(br_store_find(cached->store, identity, &result, &err));
	assert_int_equal(stat(path, &status), 0);
	assert_true(status.st_mtim.tv_sec > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CACHED_TEST(puts_back_what_a_stage_left),
		CACHED_TEST(replaces_what_differs_and_leaves_the_rest),
		CACHED_TEST(knows_nothing_of_another_identity),
		CACHED_TEST(follows_no_link_out_of_the_project),
		CACHED_TEST(replaces_no_folder_by_a_file),
		CACHED_TEST(makes_one_key_for_secrets),
		CACHED_TEST(says_that_a_result_was_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
