/* SPDX-License-Identifier: MIT */
/*
 * The bugs that these tests were seen to catch: contents not checked on reading, a
 * result without its seal, a link followed while restoring, a mode forgotten, our folder
 * left in the project, a lock not asked for, a blob left after it was found damaged.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cache/globs.h"
#include "cache/listing.h"
#include "cache/store.h"
#include "tests/support/folder.h"

/* More than one process restores it. */
enum { LARGE_BYTES = 3 * 1024 * 1024 };

#define LOG "{\"v\":1}\n"

static const uint8_t identity[BR_HASH_BYTES] = { 0xaa, 0xbb };

struct fixture {
	char *home;
	char *project;
	int project_fd;
	struct br_store *store;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	br_autofree char *folder = NULL;
	struct br_err err = { 0 };

	fixture->home = folder_make();
	fixture->project = folder_make();
	fixture->project_fd = open(fixture->project, O_RDONLY | O_DIRECTORY);
	assert_int_equal(setenv("XDG_CACHE_HOME", fixture->home, 1), 0);
	assert_true(br_store_find_folder(&folder, &err));
	assert_true(br_store_open(folder, &fixture->store, &err));
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

/* Two small files, one that is split, a link and an empty folder. */
static void make_outputs(const struct fixture *fixture)
{
	br_autofree char *large = br_alloc((size_t)LARGE_BYTES + 1);

	memset(large, 'x', LARGE_BYTES);
	folder_write(fixture->project, "out/a", 0644, "first");
	folder_write(fixture->project, "out/deep/run", 0700, "#!/bin/sh\n");
	folder_write(fixture->project, "out/large", 0600, large);
	assert_int_equal(
		symlinkat("../a", fixture->project_fd, "out/deep/link"), 0);
	assert_int_equal(mkdirat(fixture->project_fd, "out/empty", 0750), 0);
	assert_int_equal(
		fchmodat(fixture->project_fd, "out/deep/run", 0755, 0), 0);
}

static bool put_as(const struct fixture *fixture,
	const uint8_t of[BR_HASH_BYTES], struct br_err *err)
{
	static const char *const texts[] = { "out/" };
	br_auto(br_globs) struct br_globs *globs = NULL;
	br_autolisting struct br_listing outputs = { 0 };

	assert_true(br_globs_new(texts, 1, &globs, err));
	assert_true(br_listing_find(
		fixture->project_fd, globs, true, &outputs, err));
	return br_store_put(fixture->store, of, fixture->project_fd, &outputs,
		br_str(LOG), err);
}

static bool put(const struct fixture *fixture, struct br_err *err)
{
	return put_as(fixture, identity, err);
}

static void put_outputs(const struct fixture *fixture)
{
	struct br_err err = { 0 };

	make_outputs(fixture);
	if (!put(fixture, &err))
		fail_msg("%s", err.text);
}

static void remove_below(const char *root, const char *path)
{
	folder_remove(br_path_join(root, path));
}

static bool restore_as(const struct fixture *fixture,
	const uint8_t of[BR_HASH_BYTES], struct br_err *err)
{
	br_autostored struct br_stored result = { 0 };

	return br_store_find(fixture->store, of, &result, err) &&
		br_store_restore(
			fixture->store, &result, fixture->project_fd, err);
}

static bool restore(const struct fixture *fixture, struct br_err *err)
{
	return restore_as(fixture, identity, err);
}

static void check_mode(
	const struct fixture *fixture, const char *path, unsigned mode)
{
	struct stat status;

	assert_int_equal(fstatat(fixture->project_fd, path, &status, 0), 0);
	assert_int_equal(status.st_mode & 07777, mode);
}

static void check_content(
	const struct fixture *fixture, const char *path, const char *content)
{
	br_autofree char *whole = br_path_join(fixture->project, path);
	br_autobuf struct br_buf found = { 0 };
	struct br_err err = { 0 };

	assert_true(br_file_load(whole, LARGE_BYTES, &found, &err));
	assert_string_equal(br_buf_text(&found), content);
}

static bool exists(const struct fixture *fixture, const char *path)
{
	return faccessat(fixture->project_fd, path, F_OK,
		       AT_SYMLINK_NOFOLLOW) == 0;
}

/* Count what is in the folder `path`, of the project or the store. */
static int count_names(const char *path)
{
	DIR *dir = opendir(path);
	int count = -2;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count;
}

static void check_outputs(const struct fixture *fixture)
{
	char target[16] = { 0 };
	struct stat status;
	br_autofree char *empty = br_path_join(fixture->project, "out/empty");

	check_content(fixture, "out/a", "first");
	check_mode(fixture, "out/a", 0644);
	check_content(fixture, "out/deep/run", "#!/bin/sh\n");
	check_mode(fixture, "out/deep/run", 0755);
	check_mode(fixture, "out/large", 0600);
	assert_int_equal(
		fstatat(fixture->project_fd, "out/large", &status, 0), 0);
	assert_int_equal(status.st_size, LARGE_BYTES);
	assert_int_equal(readlinkat(fixture->project_fd, "out/deep/link",
				 target, sizeof(target)),
		4);
	assert_string_equal(target, "../a");
	check_mode(fixture, "out/empty", 0750);
	assert_int_equal(count_names(empty), 0);
}

static void puts_back_what_a_stage_left(void **state)
{
	const struct fixture *fixture = *state;
	br_autostored struct br_stored result = { 0 };
	br_autobuf struct br_buf log = { 0 };
	struct br_err err = { 0 };

	put_outputs(fixture);
	remove_below(fixture->project, "out");
	assert_true(restore(fixture, &err));
	check_outputs(fixture);
	/* Nothing of ours stays. */
	assert_int_equal(count_names(fixture->project), 1);
	assert_true(br_store_find(fixture->store, identity, &result, &err));
	assert_true(br_store_log(fixture->store, &result, &log, &err));
	assert_string_equal(br_buf_text(&log), LOG);
}

static void replaces_what_differs_and_leaves_the_rest(void **state)
{
	const struct fixture *fixture = *state;
	struct stat before;
	struct stat after;
	struct br_err err = { 0 };

	put_outputs(fixture);
	assert_int_equal(
		fstatat(fixture->project_fd, "out/large", &before, 0), 0);
	/* The same size; a mode; a file for a link; and one that is not ours. */
	folder_write(fixture->project, "out/a", 0644, "other");
	assert_int_equal(
		fchmodat(fixture->project_fd, "out/deep/run", 0600, 0), 0);
	folder_write(fixture->project, "out/deep/link", 0644, "x");
	folder_write(fixture->project, "out/more", 0644, "more");
	assert_true(restore(fixture, &err));
	check_outputs(fixture);
	check_content(fixture, "out/more", "more");
	assert_int_equal(
		fstatat(fixture->project_fd, "out/large", &after, 0), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
}

static void knows_nothing_of_another_identity(void **state)
{
	const struct fixture *fixture = *state;
	static const uint8_t other[BR_HASH_BYTES] = { 1 };
	br_autostored struct br_stored result = { 0 };
	struct br_err err = { 0 };

	put_outputs(fixture);
	assert_false(br_store_find(fixture->store, other, &result, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
}

/* Give where the blob with this content is. */
static char *blob_of(
	const struct fixture *fixture, const char *data, size_t len)
{
	uint8_t digest[BR_HASH_BYTES];
	char hex[BR_HASH_TEXT_BYTES];

	br_hash_bytes(data, len, digest);
	br_hash_format(digest, hex);
	return br_format("%s/buildr/cas/%.2s/%s", fixture->home, hex, hex);
}

static char *result_of(const struct fixture *fixture)
{
	char hex[BR_HASH_TEXT_BYTES];

	br_hash_format(identity, hex);
	return br_format("%s/buildr/ac/%.2s/%s", fixture->home, hex, hex);
}

/* Flip a bit in the middle of a file. */
static void damage(const char *path)
{
	char byte = 0;
	struct stat status;
	int fd = -1;

	assert_int_equal(chmod(path, 0600), 0);
	fd = open(path, O_RDWR);
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(pread(fd, &byte, 1, status.st_size / 2), 1);
	byte ^= 4;
	assert_int_equal(pwrite(fd, &byte, 1, status.st_size / 2), 1);
	(void)close(fd);
}

/* Damage the blob, and see that it and nothing else is lost. */
static void check_damage(struct fixture *fixture, const char *blob)
{
	struct br_err err = { 0 };

	put_outputs(fixture);
	folder_write(fixture->project, "out/a", 0644, "old!!");
	remove_below(fixture->project, "out/deep");
	remove_below(fixture->project, "out/large");
	remove_below(fixture->project, "out/empty");
	damage(blob);
	assert_false(restore(fixture, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_int_equal(access(blob, F_OK), -1);
	/* Nothing has been changed. */
	check_content(fixture, "out/a", "old!!");
	assert_false(exists(fixture, "out/deep"));
	assert_false(exists(fixture, "out/empty"));
	assert_int_equal(count_names(fixture->project), 1);
	/* Storing it again heals it, whatever the index remembers. */
	remove_below(fixture->project, "out");
	put_outputs(fixture);
	remove_below(fixture->project, "out");
	if (!restore(fixture, &err))
		fail_msg("%s", err.text);
	check_outputs(fixture);
	remove_below(fixture->project, "out");
}

static void drops_a_content_that_is_damaged(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *large = br_alloc(LARGE_BYTES);
	br_autobuf struct br_buf tree = { 0 };
	br_autofree char *small_blob = blob_of(fixture, "first", 5);
	br_autofree char *large_blob = NULL;
	br_autofree char *tree_blob = NULL;

	memset(large, 'x', LARGE_BYTES);
	large_blob = blob_of(fixture, large, LARGE_BYTES);
	br_stored_encode_tree(0750, &tree);
	tree_blob = blob_of(fixture, tree.data, tree.len);
	check_damage(fixture, small_blob);
	check_damage(fixture, large_blob);
	check_damage(fixture, tree_blob);
}

/* As for results that came from a server, or of outputs that were stored before. */
static void checks_the_hash_where_no_sum_is_known(void **state)
{
	const struct fixture *fixture = *state;
	br_autostored struct br_stored result = { 0 };
	br_autofree char *blob = blob_of(fixture, "first", 5);
	struct br_err err = { 0 };

	put_outputs(fixture);
	assert_true(br_store_find(fixture->store, identity, &result, &err));
	assert_true(result.outputs.items[0].sum != 0);
	br_stored_forget_sums(&result);
	remove_below(fixture->project, "out");
	assert_true(br_store_restore(
		fixture->store, &result, fixture->project_fd, &err));
	check_outputs(fixture);
	remove_below(fixture->project, "out");
	damage(blob);
	assert_false(br_store_restore(
		fixture->store, &result, fixture->project_fd, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_int_equal(access(blob, F_OK), -1);
}

static void drops_a_log_that_is_damaged(void **state)
{
	struct fixture *fixture = *state;
	br_autofree char *blob = blob_of(fixture, LOG, strlen(LOG));
	br_autostored struct br_stored result = { 0 };
	br_autobuf struct br_buf log = { 0 };
	struct br_err err = { 0 };

	put_outputs(fixture);
	damage(blob);
	assert_true(br_store_find(fixture->store, identity, &result, &err));
	assert_false(br_store_log(fixture->store, &result, &log, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_int_equal(log.len, 0);
	assert_int_equal(access(blob, F_OK), -1);
	/* What the steps said is part of the result. */
	remove_below(fixture->project, "out");
	assert_false(br_store_restore(
		fixture->store, &result, fixture->project_fd, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_false(exists(fixture, "out"));
}

static void drops_a_result_that_is_damaged(void **state)
{
	const struct fixture *fixture = *state;
	br_autostored struct br_stored result = { 0 };
	br_autofree char *path = result_of(fixture);
	struct br_err err = { 0 };

	put_outputs(fixture);
	damage(path);
	assert_false(br_store_find(fixture->store, identity, &result, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_string_equal(err.text, "the stored result is damaged");
	assert_false(br_store_find(fixture->store, identity, &result, &err));
	assert_string_equal(err.text, "no result is stored");
}

static void takes_no_result_for_that_of_another_identity(void **state)
{
	const struct fixture *fixture = *state;
	static const uint8_t other[BR_HASH_BYTES] = { 0xaa, 0xbc };
	br_autostored struct br_stored result = { 0 };
	br_autofree char *folder = br_format("%s/buildr/ac/aa", fixture->home);
	char hex[BR_HASH_TEXT_BYTES];
	struct br_err err = { 0 };

	put_outputs(fixture);
	br_hash_format(identity, hex);
	br_autofree char *from = br_path_join(folder, hex);
	br_hash_format(other, hex);
	br_autofree char *to = br_path_join(folder, hex);
	assert_int_equal(rename(from, to), 0);
	assert_false(br_store_find(fixture->store, other, &result, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
}

static void follows_no_link_out_of_the_project(void **state)
{
	const struct fixture *fixture = *state;
	struct br_err err = { 0 };
	br_autofree char *outside = br_path_join(fixture->home, "outside");

	put_outputs(fixture);
	remove_below(fixture->project, "out");
	assert_int_equal(mkdir(outside, 0700), 0);
	assert_int_equal(symlinkat(outside, fixture->project_fd, "out"), 0);
	assert_false(restore(fixture, &err));
	assert_int_equal(err.code, BR_ESYSTEM);
	assert_int_equal(count_names(outside), 0);
	assert_int_equal(count_names(fixture->project), 1);
}

static void replaces_no_folder_by_a_file(void **state)
{
	const struct fixture *fixture = *state;
	struct br_err err = { 0 };

	put_outputs(fixture);
	remove_below(fixture->project, "out/a");
	folder_write(fixture->project, "out/a/precious", 0644, "kept");
	assert_false(restore(fixture, &err));
	assert_string_equal(err.text, "put back 'out/a': Is a directory");
	check_content(fixture, "out/a/precious", "kept");
}

static void removes_what_a_crash_has_left_in_the_project(void **state)
{
	const struct fixture *fixture = *state;
	struct br_err err = { 0 };
	int used = -1;

	put_outputs(fixture);
	remove_below(fixture->project, "out");
	folder_write(
		fixture->project, BR_LISTING_OWN_PREFIX "dead/0", 0600, "");
	folder_write(
		fixture->project, BR_LISTING_OWN_PREFIX "used/0", 0600, "");
	used = openat(fixture->project_fd, BR_LISTING_OWN_PREFIX "used",
		O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(used, LOCK_EX), 0);
	assert_true(restore(fixture, &err));
	assert_false(exists(fixture, BR_LISTING_OWN_PREFIX "dead"));
	assert_true(exists(fixture, BR_LISTING_OWN_PREFIX "used/0"));
	(void)close(used);
}

static void stores_nothing_where_the_disk_is_full(void **state)
{
	const struct fixture *fixture = *state;
	struct rlimit old;
	struct rlimit little = { 0 };
	br_autostored struct br_stored result = { 0 };
	br_autofree char *temporary = br_format("%s/buildr/tmp", fixture->home);
	struct br_err err = { 0 };

	/* A file that may not grow is the same to us. */
	make_outputs(fixture);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	little = old;
	little.rlim_cur = LARGE_BYTES - 1;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	bool is_put = put(fixture, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_false(is_put);
	assert_string_equal(
		err.text, "store output 'out/large': File too large");
	assert_int_equal(count_names(temporary), 0);
	assert_false(br_store_find(fixture->store, identity, &result, &err));
}

/* What one of two builds does: in a process of its own, which closes what it opens. */
static bool put_often(const struct fixture *fixture)
{
	struct br_err err = { 0 };
	bool is_good = true;

	for (int round = 0; is_good && round < 20; round++)
		is_good = put(fixture, &err) && restore(fixture, &err);
	br_store_free(fixture->store);
	return is_good;
}

static void lets_two_builds_store_the_same_at_once(void **state)
{
	const struct fixture *fixture = *state;
	pid_t pids[2];
	struct br_err err = { 0 };

	make_outputs(fixture);
	for (size_t i = 0; i < 2; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(put_often(fixture) ? 0 : 1);
	}
	for (size_t i = 0; i < 2; i++) {
		int status = 0;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	remove_below(fixture->project, "out");
	assert_true(restore(fixture, &err));
	check_outputs(fixture);
}

/* One of two sets of outputs that differ in every byte. */
static void write_all(const struct fixture *fixture, char byte)
{
	for (int i = 0; i < 8; i++) {
		br_autofree char *path = br_format("out/%d", i);
		/* Some are restored by one process, some by two. */
		size_t len = i % 2 ? LARGE_BYTES / 2 : 10;
		br_autofree char *content = br_alloc(len + 1);

		memset(content, byte, len);
		folder_write(fixture->project, path, 0644, content);
	}
}

/* Say whether a file has one byte all over, and its whole length. */
static bool is_whole(const struct fixture *fixture, int number)
{
	br_autofree char *path =
		br_format("%s/out/%d", fixture->project, number);
	br_autobuf struct br_buf found = { 0 };
	struct br_err err = { 0 };

	if (!br_file_load(path, LARGE_BYTES, &found, &err) ||
		found.len != (number % 2 ? LARGE_BYTES / 2 : 10))
		return false;
	for (size_t i = 1; i < found.len; i++)
		if (found.data[i] != found.data[0])
			return false;
	return true;
}

/* Put back one set after the other, and say so each time, until killed. */
static void restore_for_ever(const struct fixture *fixture, int told_fd)
{
	static const uint8_t other[BR_HASH_BYTES] = { 0xcc };
	struct br_err err = { 0 };

	for (int i = 0;; i++)
		if (!restore_as(fixture, i % 2 ? identity : other, &err) ||
			write(told_fd, "", 1) != 1)
			_exit(1);
}

static void leaves_each_file_old_or_new_when_it_is_killed(void **state)
{
	const struct fixture *fixture = *state;
	static const uint8_t other[BR_HASH_BYTES] = { 0xcc };
	struct br_err err = { 0 };
	unsigned seed = 3;

	write_all(fixture, 'a');
	assert_true(put(fixture, &err));
	write_all(fixture, 'b');
	assert_true(put_as(fixture, other, &err));
	for (int round = 0; round < 15; round++) {
		int told[2];
		int status = 0;
		char byte = 0;
		pid_t pid = -1;

		assert_int_equal(pipe(told), 0);
		pid = fork();
		if (pid == 0)
			restore_for_ever(fixture, told[1]);
		(void)close(told[1]);
		/* Then it is anywhere in the next one. */
		for (int i = rand_r(&seed) % 3; i >= 0; i--)
			assert_int_equal(read(told[0], &byte, 1), 1);
		(void)poll(NULL, 0, rand_r(&seed) % 8);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		/* Its workers hold the pipe open until they are gone too. */
		while (read(told[0], &byte, 1) > 0)
			continue;
		(void)close(told[0]);
		for (int i = 0; i < 8; i++)
			assert_true(is_whole(fixture, i));
	}
	write_all(fixture, 'c');
	assert_true(restore(fixture, &err));
	assert_int_equal(count_names(fixture->project), 1);
}

static void makes_one_key_for_secrets(void **state)
{
	const struct fixture *fixture = *state;
	uint8_t first[BR_HASH_BYTES] = { 0 };
	uint8_t second[BR_HASH_BYTES] = { 0 };
	static const uint8_t nothing[BR_HASH_BYTES];
	br_autofree char *path =
		br_format("%s/buildr/secret.key", fixture->home);
	struct stat status;
	struct br_err err = { 0 };

	assert_true(br_store_secret_key(fixture->store, first, &err));
	assert_true(br_store_secret_key(fixture->store, second, &err));
	assert_memory_equal(first, second, sizeof(first));
	assert_memory_not_equal(first, nothing, sizeof(first));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 077, 0);
}

static void says_that_a_result_was_used(void **state)
{
	const struct fixture *fixture = *state;
	struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	br_autostored struct br_stored result = { 0 };
	struct stat status;
	struct br_err err = { 0 };

	put_outputs(fixture);
	br_autofree char *path = result_of(fixture);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	assert_true(br_store_find(fixture->store, identity, &result, &err));
	assert_int_equal(stat(path, &status), 0);
	assert_true(status.st_mtim.tv_sec > 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(puts_back_what_a_stage_left),
		TEST(replaces_what_differs_and_leaves_the_rest),
		TEST(knows_nothing_of_another_identity),
		TEST(drops_a_content_that_is_damaged),
		TEST(checks_the_hash_where_no_sum_is_known),
		TEST(drops_a_log_that_is_damaged),
		TEST(drops_a_result_that_is_damaged),
		TEST(takes_no_result_for_that_of_another_identity),
		TEST(follows_no_link_out_of_the_project),
		TEST(replaces_no_folder_by_a_file),
		TEST(removes_what_a_crash_has_left_in_the_project),
		TEST(stores_nothing_where_the_disk_is_full),
		TEST(lets_two_builds_store_the_same_at_once),
		TEST(leaves_each_file_old_or_new_when_it_is_killed),
		TEST(makes_one_key_for_secrets),
		TEST(says_that_a_result_was_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
