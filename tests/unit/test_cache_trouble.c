/* SPDX-License-Identifier: MIT */
/*
 * What comes between a store and its results: damage, a full disk, two at once, a kill. The
 * bugs that these tests were seen to catch: contents not checked on reading, a result without
 * its seal, our folder left in the project, a lock not asked for, a blob left after it was
 * found damaged.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "cached_outputs.h"

/* Give where the blob with this content is. */
static char *blob_of(const struct cached *cached, const char *data, size_t len)
{
	uint8_t digest[BR_HASH_BYTES];
	char hex[BR_HASH_TEXT_BYTES];

	br_hash_bytes(data, len, digest);
	br_hash_format(digest, hex);
	return br_format("%s/cas/%.2s/%s", cached->folder, hex, hex);
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
static void check_damage(struct cached *cached, const char *blob)
{
	struct br_err err = { 0 };

	put_outputs(cached);
	folder_write(cached->project, "out/a", 0644, "old!!");
	remove_below(cached->project, "out/deep");
	remove_below(cached->project, "out/large");
	remove_below(cached->project, "out/empty");
	damage(blob);
	assert_false(restore(cached, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_int_equal(access(blob, F_OK), -1);
	/* Nothing has been changed. */
	check_content(cached, "out/a", "old!!");
	assert_false(exists(cached, "out/deep"));
	assert_false(exists(cached, "out/empty"));
	assert_int_equal(count_names(cached->project), 1);
	/* Storing it again heals it, whatever the index remembers. */
	remove_below(cached->project, "out");
	put_outputs(cached);
	remove_below(cached->project, "out");
	if (!restore(cached, &err))
		fail_msg("%s", err.text);
	check_outputs(cached);
	remove_below(cached->project, "out");
}

static void drops_a_content_that_is_damaged(void **state)
{
	struct cached *cached = *state;
	br_autofree char *large = br_alloc(LARGE_BYTES);
	br_autobuf struct br_buf tree = { 0 };
	br_autofree char *small_blob = blob_of(cached, "first", 5);
	br_autofree char *large_blob = NULL;
	br_autofree char *tree_blob = NULL;

	memset(large, 'x', LARGE_BYTES);
	large_blob = blob_of(cached, large, LARGE_BYTES);
	br_stored_encode_tree(0750, &tree);
	tree_blob = blob_of(cached, tree.data, tree.len);
	check_damage(cached, small_blob);
	check_damage(cached, large_blob);
	check_damage(cached, tree_blob);
}

/* As for results that came from a server, or of outputs that were stored before. */
static void checks_the_hash_where_no_sum_is_known(void **state)
{
	const struct cached *cached = *state;
	br_autostored struct br_stored result = { 0 };
	br_autofree char *blob = blob_of(cached, "first", 5);
	struct br_err err = { 0 };

	put_outputs(cached);
	assert_true(br_store_find(cached->store, identity, &result, &err));
	assert_true(result.outputs.items[0].sum != 0);
	br_stored_forget_sums(&result);
	remove_below(cached->project, "out");
	assert_true(br_store_restore(
		cached->store, &result, cached->project_fd, &err));
	check_outputs(cached);
	remove_below(cached->project, "out");
	damage(blob);
	assert_false(br_store_restore(
		cached->store, &result, cached->project_fd, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_int_equal(access(blob, F_OK), -1);
}

static void drops_a_log_that_is_damaged(void **state)
{
	struct cached *cached = *state;
	br_autofree char *blob = blob_of(cached, LOG, strlen(LOG));
	br_autostored struct br_stored result = { 0 };
	br_autobuf struct br_buf log = { 0 };
	struct br_err err = { 0 };

	put_outputs(cached);
	damage(blob);
	assert_true(br_store_find(cached->store, identity, &result, &err));
	assert_false(br_store_log(cached->store, &result, &log, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_int_equal(log.len, 0);
	assert_int_equal(access(blob, F_OK), -1);
	/* What the steps said is part of the result. */
	remove_below(cached->project, "out");
	assert_false(br_store_restore(
		cached->store, &result, cached->project_fd, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_false(exists(cached, "out"));
}

static void drops_a_result_that_is_damaged(void **state)
{
	const struct cached *cached = *state;
	br_autostored struct br_stored result = { 0 };
	br_autofree char *path = result_of(cached);
	struct br_err err = { 0 };

	put_outputs(cached);
	damage(path);
	assert_false(br_store_find(cached->store, identity, &result, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
	assert_string_equal(err.text, "the stored result is damaged");
	assert_false(br_store_find(cached->store, identity, &result, &err));
	assert_string_equal(err.text, "no result is stored");
}

static void looks_at_a_result_without_using_it(void **state)
{
	const struct cached *cached = *state;
	struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	br_autofree char *path = result_of(cached);
	br_autofree char *blob = blob_of(cached, "first", 5);
	struct stat status;
	struct br_err err = { 0 };

	assert_false(br_store_look(cached->store, identity, &err));
	assert_string_equal(err.text, "no result is stored");
	put_outputs(cached);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	assert_true(br_store_look(cached->store, identity, &err));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mtim.tv_sec, 1);
	assert_int_equal(unlink(blob), 0);
	assert_false(br_store_look(cached->store, identity, &err));
	assert_string_equal(err.text, "a content of the stored result is gone");
	damage(path);
	assert_false(br_store_look(cached->store, identity, &err));
	assert_string_equal(err.text, "the stored result is damaged");
	assert_int_equal(access(path, F_OK), 0);
}

static void takes_no_result_for_that_of_another_identity(void **state)
{
	const struct cached *cached = *state;
	static const uint8_t other[BR_HASH_BYTES] = { 0xaa, 0xbc };
	br_autostored struct br_stored result = { 0 };
	br_autofree char *folder = br_format("%s/ac/aa", cached->folder);
	char hex[BR_HASH_TEXT_BYTES];
	struct br_err err = { 0 };

	put_outputs(cached);
	br_hash_format(identity, hex);
	br_autofree char *from = br_path_join(folder, hex);
	br_hash_format(other, hex);
	br_autofree char *to = br_path_join(folder, hex);
	assert_int_equal(rename(from, to), 0);
	assert_false(br_store_find(cached->store, other, &result, &err));
	assert_int_equal(err.code, BR_ENOTFOUND);
}

static void removes_what_a_crash_has_left_in_the_project(void **state)
{
	const struct cached *cached = *state;
	struct br_err err = { 0 };
	int used = -1;

	put_outputs(cached);
	remove_below(cached->project, "out");
	folder_write(cached->project, BR_LISTING_OWN_PREFIX "dead/0", 0600, "");
	folder_write(cached->project, BR_LISTING_OWN_PREFIX "used/0", 0600, "");
	used = openat(cached->project_fd, BR_LISTING_OWN_PREFIX "used",
		O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(used, LOCK_EX), 0);
	assert_true(restore(cached, &err));
	assert_false(exists(cached, BR_LISTING_OWN_PREFIX "dead"));
	assert_true(exists(cached, BR_LISTING_OWN_PREFIX "used/0"));
	(void)close(used);
}

static void stores_nothing_where_the_disk_is_full(void **state)
{
	const struct cached *cached = *state;
	struct rlimit old;
	struct rlimit little = { 0 };
	br_autostored struct br_stored result = { 0 };
	br_autofree char *temporary = br_format("%s/tmp", cached->folder);
	struct br_err err = { 0 };

	/* A file that may not grow is the same to us. */
	make_outputs(cached);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	little = old;
	little.rlim_cur = LARGE_BYTES - 1;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	bool is_put = put(cached, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_false(is_put);
	assert_string_equal(
		err.text, "store output 'out/large': File too large");
	assert_int_equal(count_names(temporary), 0);
	assert_false(br_store_find(cached->store, identity, &result, &err));
}

/* What one of two builds does: in a process of its own, which closes what it opens. */
static bool put_often(const struct cached *cached)
{
	struct br_err err = { 0 };
	bool is_good = true;

	for (int round = 0; is_good && round < 20; round++)
		is_good = put(cached, &err) && restore(cached, &err);
	br_store_free(cached->store);
	return is_good;
}

static void lets_two_builds_store_the_same_at_once(void **state)
{
	const struct cached *cached = *state;
	pid_t pids[2];
	struct br_err err = { 0 };

	make_outputs(cached);
	for (size_t i = 0; i < 2; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(put_often(cached) ? 0 : 1);
	}
	for (size_t i = 0; i < 2; i++) {
		int status = 0;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	remove_below(cached->project, "out");
	assert_true(restore(cached, &err));
	check_outputs(cached);
}

/* One of two sets of outputs that differ in every byte. */
static void write_all(const struct cached *cached, char byte)
{
	for (int i = 0; i < 8; i++) {
		br_autofree char *path = br_format("out/%d", i);
		/* Some are restored by one process, some by two. */
		size_t len = i % 2 ? LARGE_BYTES : 10;
		br_autofree char *content = br_alloc(len + 1);

		memset(content, byte, len);
		folder_write(cached->project, path, 0644, content);
	}
}

/* Say whether a file has one byte all over, and its whole length. */
static bool is_whole(const struct cached *cached, int number)
{
	br_autofree char *path =
		br_format("%s/out/%d", cached->project, number);
	br_autobuf struct br_buf found = { 0 };
	struct br_err err = { 0 };

	if (!br_file_load(path, LARGE_BYTES, &found, &err) ||
		found.len != (number % 2 ? LARGE_BYTES : 10))
		return false;
	for (size_t i = 1; i < found.len; i++)
		if (found.data[i] != found.data[0])
			return false;
	return true;
}

/* Put back one set after the other, and say so each time, until killed. */
static void restore_for_ever(const struct cached *cached, int told_fd)
{
	static const uint8_t other[BR_HASH_BYTES] = { 0xcc };
	struct br_err err = { 0 };

	for (int i = 0;; i++)
		if (!restore_as(cached, i % 2 ? identity : other, &err) ||
			write(told_fd, "", 1) != 1)
			_exit(1);
}

static void leaves_each_file_old_or_new_when_it_is_killed(void **state)
{
	const struct cached *cached = *state;
	static const uint8_t other[BR_HASH_BYTES] = { 0xcc };
	struct br_err err = { 0 };
	unsigned seed = 3;

	write_all(cached, 'a');
	assert_true(put(cached, &err));
	write_all(cached, 'b');
	assert_true(put_as(cached, other, &err));
	for (int round = 0; round < 15; round++) {
		int told[2];
		int status = 0;
		char byte = 0;
		pid_t pid = -1;

		assert_int_equal(pipe(told), 0);
		pid = fork();
		if (pid == 0)
			restore_for_ever(cached, told[1]);
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
			assert_true(is_whole(cached, i));
	}
	write_all(cached, 'c');
	assert_true(restore(cached, &err));
	assert_int_equal(count_names(cached->project), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CACHED_TEST(drops_a_content_that_is_damaged),
		CACHED_TEST(checks_the_hash_where_no_sum_is_known),
		CACHED_TEST(drops_a_log_that_is_damaged),
		CACHED_TEST(drops_a_result_that_is_damaged),
		CACHED_TEST(looks_at_a_result_without_using_it),
		CACHED_TEST(takes_no_result_for_that_of_another_identity),
		CACHED_TEST(removes_what_a_crash_has_left_in_the_project),
		CACHED_TEST(stores_nothing_where_the_disk_is_full),
		CACHED_TEST(lets_two_builds_store_the_same_at_once),
		CACHED_TEST(leaves_each_file_old_or_new_when_it_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
