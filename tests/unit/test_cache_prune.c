/* SPDX-License-Identifier: MIT */
/*
 * The bugs that these tests were seen to catch: a shared content removed with the first
 * result that names it, the newest result removed first, a result removed though it was
 * used meanwhile, a content of a running build removed, a dry run that removes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "cache/blobs.h"
#include "cache/globs.h"
#include "cache/history.h"
#include "cache/history_private.h"
#include "cache/images.h"
#include "cache/last_run.h"
#include "cache/listing.h"
#include "cache/prune.h"
#include "cache/users.h"
#include "cached.h"

enum {
	CONTENT_BYTES = 100 * 1000,
	DAY_SECONDS = 24 * 60 * 60,
	/* A busy machine is slow. */
	PATIENCE_MS = 120 * 1000,
};

static void identity_of(int number, uint8_t identity[BR_HASH_BYTES])
{
	memset(identity, number, BR_HASH_BYTES);
}

/* Let a file of the store have been written days ago. */
static void make_older(const struct cached *cached, const char *path, int days)
{
	struct timespec times[2];

	assert_int_equal(clock_gettime(CLOCK_REALTIME, &times[0]), 0);
	times[0].tv_sec -= (time_t)days * DAY_SECONDS;
	times[1] = times[0];
	assert_int_equal(utimensat(cached->folder_fd, path, times, 0), 0);
}

static size_t folder_count(const char *path)
{
	DIR *folder = opendir(path);
	size_t count = 0;

	assert_non_null(folder);
	for (struct dirent *entry = readdir(folder); entry;
		entry = readdir(folder))
		count += entry->d_name[0] != '.';
	(void)closedir(folder);
	return count;
}

/*
 * Store result `number`, used `days` ago: 100 kB that no other has, and as much that
 * every other has.
 */
static void put(const struct cached *cached, int number, int days)
{
	static const char *const globs[] = { "out/" };
	br_auto(br_globs) struct br_globs *chosen = NULL;
	br_autolisting struct br_listing outputs = { 0 };
	br_autofree char *content = br_alloc(CONTENT_BYTES + 1);
	uint8_t identity[BR_HASH_BYTES];
	char path[BR_BLOB_PATH_BYTES];
	struct br_err err = { 0 };

	memset(content, 'a' + number, CONTENT_BYTES);
	folder_write(cached->project, "out/own", 0644, content);
	memset(content, 'z', CONTENT_BYTES);
	folder_write(cached->project, "out/shared", 0644, content);
	assert_true(br_globs_new(globs, 1, &chosen, &err));
	assert_true(br_listing_find(
		cached->project_fd, chosen, true, &outputs, &err));
	identity_of(number, identity);
	assert_true(br_store_put(cached->store, identity, cached->project_fd,
		&outputs, br_str(""), &err));
	br_blob_path("ac", identity, path);
	make_older(cached, path, days);
}

static bool is_stored(const struct cached *cached, int number)
{
	uint8_t identity[BR_HASH_BYTES];
	char path[BR_BLOB_PATH_BYTES];

	identity_of(number, identity);
	br_blob_path("ac", identity, path);
	return faccessat(cached->folder_fd, path, F_OK, 0) == 0;
}

/* Whether it can be put back where nothing of it is. */
static bool is_whole(const struct cached *cached, int number)
{
	br_autostored struct br_stored result = { 0 };
	uint8_t identity[BR_HASH_BYTES];
	struct br_err err = { 0 };

	folder_write(cached->project, "out/own", 0644, "of somebody else");
	folder_write(cached->project, "out/shared", 0644, "this too");
	identity_of(number, identity);
	return br_store_find(cached->store, identity, &result, &err) &&
		br_store_restore(
			cached->store, &result, cached->project_fd, &err);
}

static const struct br_prune_limits no_limits = { -1, -1, -1 };

static struct br_pruned prune(const struct cached *cached,
	const struct br_prune_limits *limits, bool is_dry)
{
	br_autoinventory struct br_inventory inventory = { 0 };
	struct br_pruned pruned;
	struct br_err err = { 0 };

	assert_true(br_inventory_build(cached->store, &inventory, &err));
	assert_true(br_prune_choose(cached->store, limits, &inventory, &err));
	br_prune_remove(cached->store, &inventory, is_dry, &pruned);
	return pruned;
}

static void removes_what_was_not_used_for_longest(void **state)
{
	const struct cached *cached = *state;
	struct br_prune_limits limits = no_limits;

	put(cached, 1, 5);
	put(cached, 2, 9);
	put(cached, 3, 7);
	/* Two results of their own 100 kB, and what they share. */
	limits.max_bytes = 320000;
	assert_int_equal(prune(cached, &limits, false).result_count, 1);
	assert_false(is_stored(cached, 2));
	assert_true(is_whole(cached, 1));
	assert_true(is_whole(cached, 3));
}

static void removes_what_is_older_than_wanted(void **state)
{
	const struct cached *cached = *state;
	struct br_prune_limits limits = no_limits;

	put(cached, 1, 5);
	put(cached, 2, 9);
	limits.max_age_ms = (int64_t)7 * DAY_SECONDS * 1000;
	assert_int_equal(prune(cached, &limits, false).result_count, 1);
	assert_false(is_stored(cached, 2));
	assert_true(is_whole(cached, 1));
}

static void makes_as_much_room_as_is_wanted(void **state)
{
	const struct cached *cached = *state;
	struct br_prune_limits limits = no_limits;

	put(cached, 1, 5);
	limits.min_free_bytes = 1;
	assert_int_equal(prune(cached, &limits, false).result_count, 0);
	limits.min_free_bytes = INT64_MAX / 2;
	assert_int_equal(prune(cached, &limits, false).result_count, 1);
	assert_false(is_stored(cached, 1));
}

static void says_without_doing_it_what_a_prune_would_do(void **state)
{
	const struct cached *cached = *state;
	struct br_prune_limits limits = no_limits;

	put(cached, 1, 5);
	put(cached, 2, 9);
	limits.max_bytes = 0;

	struct br_pruned would = prune(cached, &limits, true);
	assert_true(is_whole(cached, 1));
	assert_true(is_whole(cached, 2));

	struct br_pruned did = prune(cached, &limits, false);
	assert_int_equal(did.result_count, would.result_count);
	assert_int_equal(did.size_bytes, would.size_bytes);
	assert_true(did.size_bytes > (int64_t)3 * CONTENT_BYTES);
}

static void keeps_a_result_that_is_used_meanwhile(void **state)
{
	const struct cached *cached = *state;
	const struct br_prune_limits limits = { 0, -1, -1 };
	br_autoinventory struct br_inventory inventory = { 0 };
	br_autostored struct br_stored result = { 0 };
	uint8_t identity[BR_HASH_BYTES];
	struct br_pruned pruned;
	struct br_err err = { 0 };

	put(cached, 1, 5);
	put(cached, 2, 9);
	assert_true(br_inventory_build(cached->store, &inventory, &err));
	assert_true(br_prune_choose(cached->store, &limits, &inventory, &err));
	identity_of(2, identity);
	assert_true(br_store_find(cached->store, identity, &result, &err));
	br_prune_remove(cached->store, &inventory, false, &pruned);
	assert_int_equal(pruned.result_count, 1);
	assert_false(is_stored(cached, 1));
	assert_true(is_whole(cached, 2));
}

static void a_restore_that_loses_its_contents_finds_nothing(void **state)
{
	const struct cached *cached = *state;
	const struct br_prune_limits limits = { 0, -1, -1 };
	br_autostored struct br_stored result = { 0 };
	uint8_t identity[BR_HASH_BYTES];
	struct br_err err = { 0 };

	put(cached, 1, 5);
	folder_write(cached->project, "out/own", 0644, "of somebody else");
	identity_of(1, identity);
	assert_true(br_store_find(cached->store, identity, &result, &err));
	assert_int_equal(prune(cached, &limits, false).result_count, 1);
	assert_false(br_store_restore(
		cached->store, &result, cached->project_fd, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
}

static void leaves_what_a_build_is_storing(void **state)
{
	const struct cached *cached = *state;
	const struct br_prune_limits limits = { 0, -1, -1 };
	char path[BR_BLOB_PATH_BYTES];
	char temporary[BR_BLOB_TEMPORARY_BYTES];
	char note[BR_BLOB_PATH_BYTES];
	uint8_t digest[BR_HASH_BYTES];
	struct br_err err = { 0 };
	int fd = br_blob_make_temporary(cached->folder_fd, temporary);

	assert_true(fd >= 0);
	(void)close(fd);
	assert_true(br_blob_put(
		cached->folder_fd, br_str("content"), digest, &err));
	br_blob_path("cas", digest, path);
	br_users_note(cached->store, digest, "build", "/one");
	br_blob_path("who", digest, note);
	assert_int_equal(prune(cached, &limits, false).size_bytes, 0);
	assert_true(br_blob_is_there(cached->folder_fd, digest, 7));
	assert_int_equal(faccessat(cached->folder_fd, temporary, F_OK, 0), 0);
	assert_int_equal(faccessat(cached->folder_fd, note, F_OK, 0), 0);

	/* Two days later its build is gone. */
	make_older(cached, note, 2);
	make_older(cached, path, 2);
	make_older(cached, temporary, 2);
	assert_int_equal(prune(cached, &no_limits, false).size_bytes, 7);
	assert_false(br_blob_is_there(cached->folder_fd, digest, 7));
	assert_int_equal(faccessat(cached->folder_fd, temporary, F_OK, 0), -1);
	assert_int_equal(faccessat(cached->folder_fd, note, F_OK, 0), -1);
}

static void removes_what_is_damaged(void **state)
{
	const struct cached *cached = *state;
	uint8_t identity[BR_HASH_BYTES];
	char path[BR_BLOB_PATH_BYTES];

	put(cached, 1, 0);
	put(cached, 2, 0);
	identity_of(1, identity);
	br_blob_path("ac", identity, path);
	assert_int_equal(unlinkat(cached->folder_fd, path, 0), 0);
	br_autofree char *whole = br_path_join(cached->folder, path);
	struct br_err err = { 0 };
	assert_true(br_file_save_new(whole, 0600, "no result", 9, &err));
	assert_int_equal(prune(cached, &no_limits, false).result_count, 1);
	assert_false(is_stored(cached, 1));
	assert_true(is_whole(cached, 2));
}

static void knows_which_stages_have_had_a_result(void **state)
{
	const struct cached *cached = *state;
	br_autoinventory struct br_inventory inventory = { 0 };
	uint8_t identity[BR_HASH_BYTES];
	struct br_user user;
	struct br_err err = { 0 };

	put(cached, 1, 0);
	identity_of(1, identity);
	br_users_note(cached->store, identity, "build", "/one");
	br_users_note(cached->store, identity, "build", "/two");
	br_users_note(cached->store, identity, "build", "/one");
	assert_true(br_inventory_build(cached->store, &inventory, &err));
	assert_int_equal(inventory.result_count, 1);

	struct br_str rest = br_buf_str(&inventory.results[0].users);
	assert_true(br_users_next(&rest, &user));
	assert_true(br_str_is(user.stage, "build"));
	assert_true(br_str_is(user.project, "/one"));
	assert_true(br_users_next(&rest, &user));
	assert_true(br_str_is(user.project, "/two"));
	assert_false(br_users_next(&rest, &user));
}

static void a_process_of_its_own_prunes_once_an_hour(void **state)
{
	const struct cached *cached = *state;
	const struct br_prune_limits limits = { 0, -1, -1 };
	const struct timespec moment = { .tv_nsec = 5000000 };
	int64_t deadline_ms = br_clock_now_ms() + PATIENCE_MS;

	put(cached, 1, 5);
	br_prune_start(cached->folder, &limits);
	while (is_stored(cached, 1) && br_clock_now_ms() < deadline_ms)
		(void)nanosleep(&moment, NULL);
	assert_false(is_stored(cached, 1));

	make_older(cached, "pruned", 0);
	struct stat before;
	struct stat after;
	assert_int_equal(fstatat(cached->folder_fd, "pruned", &before, 0), 0);
	br_prune_start(cached->folder, &limits);
	assert_int_equal(fstatat(cached->folder_fd, "pruned", &after, 0), 0);
	assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

static bool is_remembered(
	const struct cached *cached, const char *project, const char *stage)
{
	br_autohistory struct br_history history = { 0 };
	struct br_err err = { 0 };

	return br_history_load(cached->store, project, stage, &history, &err);
}

/* Remember a stage, looked at `days` ago, and why it ran, which was as long ago again. */
static void remember(const struct cached *cached, const char *project,
	const char *stage, int days)
{
	static const uint8_t identity[BR_HASH_BYTES] = { 1 };
	const struct br_last_run run = { 0 };
	char path[BR_HISTORY_PATH_BYTES];
	struct br_err err = { 0 };

	assert_true(br_history_save(cached->store, project, stage, identity,
		br_str("record"), &err));
	assert_true(
		br_last_run_save(cached->store, project, stage, &run, &err));
	br_history_path(project, stage, "", path);
	make_older(cached, path, days);
	br_history_path(project, stage, BR_HISTORY_RUN, path);
	make_older(cached, path, 2 * days);
}

static void forgets_stages_that_nobody_has_looked_at(void **state)
{
	const struct cached *cached = *state;
	br_autolastrun struct br_last_run run = { 0 };
	br_autofree char *stages = br_path_join(cached->folder, "stages");

	remember(cached, cached->project, "old", 31);
	remember(cached, cached->project, "young", 29);
	remember(cached, "https://host/repo", "old", 31);
	remember(cached, "https://host/repo", "young", 29);
	remember(cached, "https://host/other", "old", 31);
	(void)prune(cached, &no_limits, true);
	assert_true(is_remembered(cached, cached->project, "old"));
	(void)prune(cached, &no_limits, false);
	assert_false(is_remembered(cached, cached->project, "old"));
	assert_false(
		br_last_run_load(cached->store, cached->project, "old", &run));
	assert_true(is_remembered(cached, cached->project, "young"));
	assert_true(br_last_run_load(
		cached->store, cached->project, "young", &run));
	assert_false(is_remembered(cached, "https://host/repo", "old"));
	assert_true(is_remembered(cached, "https://host/repo", "young"));
	/* And nothing is left of the third. */
	assert_int_equal(folder_count(stages), 2);
}

static void forgets_projects_that_are_gone(void **state)
{
	const struct cached *cached = *state;
	br_autofree char *gone = br_format("%s/a\nb\\c", cached->project);
	br_autofree char *below = br_format("%s/file/x", cached->project);
	br_autofree char *there = br_format("%s/d\ne", cached->project);
	br_autofree char *stages = br_path_join(cached->folder, "stages");

	folder_write(cached->project, "file", 0644, "");
	assert_int_equal(mkdir(there, 0700), 0);
	remember(cached, gone, "one", 0);
	remember(cached, gone, "two", 0);
	remember(cached, below, "one", 0);
	remember(cached, there, "one", 0);
	(void)prune(cached, &no_limits, false);
	assert_false(is_remembered(cached, gone, "one"));
	assert_false(is_remembered(cached, below, "one"));
	assert_true(is_remembered(cached, there, "one"));
	assert_int_equal(folder_count(stages), 1);
}

static void make_images_older(const struct cached *cached, int days)
{
	br_autofree char *path = br_path_join(cached->folder, "images");
	DIR *folder = opendir(path);

	for (struct dirent *entry = readdir(folder); entry;
		entry = readdir(folder)) {
		br_autofree char *file = br_path_join("images", entry->d_name);

		if (entry->d_name[0] != '.')
			make_older(cached, file, days);
	}
	(void)closedir(folder);
}

static void forgets_images_that_nobody_has_used(void **state)
{
	const struct cached *cached = *state;
	br_autofree char *images = br_path_join(cached->folder, "images");
	br_autofree char *digest = NULL;
	struct br_err err = { 0 };

	assert_true(br_images_save(
		cached->store, "unix:///a", "alpine:3", "sha256:1", &err));
	make_images_older(cached, 31);
	assert_true(br_images_find(
		cached->store, "unix:///a", "alpine:3", &digest));
	(void)prune(cached, &no_limits, false);
	assert_int_equal(folder_count(images), 1);
	make_images_older(cached, 31);
	(void)prune(cached, &no_limits, false);
	assert_int_equal(folder_count(images), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CACHED_TEST(removes_what_was_not_used_for_longest),
		CACHED_TEST(removes_what_is_older_than_wanted),
		CACHED_TEST(makes_as_much_room_as_is_wanted),
		CACHED_TEST(says_without_doing_it_what_a_prune_would_do),
		CACHED_TEST(keeps_a_result_that_is_used_meanwhile),
		CACHED_TEST(a_restore_that_loses_its_contents_finds_nothing),
		CACHED_TEST(leaves_what_a_build_is_storing),
		CACHED_TEST(removes_what_is_damaged),
		CACHED_TEST(knows_which_stages_have_had_a_result),
		CACHED_TEST(a_process_of_its_own_prunes_once_an_hour),
		CACHED_TEST(forgets_stages_that_nobody_has_looked_at),
		CACHED_TEST(forgets_projects_that_are_gone),
		CACHED_TEST(forgets_images_that_nobody_has_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
