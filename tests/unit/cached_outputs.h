/* SPDX-License-Identifier: MIT */
/* cached_outputs.h - what a stage left, into a store and back, for the tests of both. */
#pragma once

#include <dirent.h>
#include <string.h>

#include "cache/globs.h"
#include "cache/listing.h"
#include "cached.h"

/* More than one process restores it. */
enum { LARGE_BYTES = 1024 * 1024 + 1 };

#define LOG "{\"v\":1}\n"

static const uint8_t identity[BR_HASH_BYTES] = { 0xaa, 0xbb };

/* Two small files, one that is split, a link and an empty folder. */
static inline void make_outputs(const struct cached *cached)
{
	br_autofree char *large = br_alloc((size_t)LARGE_BYTES + 1);

	memset(large, 'x', LARGE_BYTES);
	folder_write(cached->project, "out/a", 0644, "first");
	folder_write(cached->project, "out/deep/run", 0700, "#!/bin/sh\n");
	folder_write(cached->project, "out/large", 0600, large);
	assert_int_equal(
		symlinkat("../a", cached->project_fd, "out/deep/link"), 0);
	assert_int_equal(mkdirat(cached->project_fd, "out/empty", 0750), 0);
	assert_int_equal(
		fchmodat(cached->project_fd, "out/deep/run", 0755, 0), 0);
}

static inline bool put_as(const struct cached *cached,
	const uint8_t of[BR_HASH_BYTES], struct br_err *err)
{
	static const char *const texts[] = { "out/" };
	br_auto(br_globs) struct br_globs *globs = NULL;
	br_autolisting struct br_listing outputs = { 0 };

	assert_true(br_globs_new(texts, 1, &globs, err));
	assert_true(br_listing_find(
		cached->project_fd, globs, true, &outputs, err));
	return br_store_put(cached->store, of, cached->project_fd, &outputs,
		br_str(LOG), err);
}

static inline bool put(const struct cached *cached, struct br_err *err)
{
	return put_as(cached, identity, err);
}

static inline void put_outputs(const struct cached *cached)
{
	struct br_err err = { 0 };

	make_outputs(cached);
	if (!put(cached, &err))
		fail_msg("%s", err.text);
}

static inline void remove_below(const char *root, const char *path)
{
	folder_remove(br_path_join(root, path));
}

static inline bool restore_as(const struct cached *cached,
	const uint8_t of[BR_HASH_BYTES], struct br_err *err)
{
	br_autostored struct br_stored result = { 0 };

	return br_store_find(cached->store, of, &result, err) &&
		br_store_restore(
			cached->store, &result, cached->project_fd, err);
}

static inline bool restore(const struct cached *cached, struct br_err *err)
{
	return restore_as(cached, identity, err);
}

static inline void check_mode(
	const struct cached *cached, const char *path, unsigned mode)
{
	struct stat status;

	assert_int_equal(fstatat(cached->project_fd, path, &status, 0), 0);
	assert_int_equal(status.st_mode & 07777, mode);
}

static inline void check_content(
	const struct cached *cached, const char *path, const char *content)
{
	br_autofree char *whole = br_path_join(cached->project, path);
	br_autobuf struct br_buf found = { 0 };
	struct br_err err = { 0 };

	assert_true(br_file_load(whole, LARGE_BYTES, &found, &err));
	assert_string_equal(br_buf_text(&found), content);
}

static inline bool exists(const struct cached *cached, const char *path)
{
	return faccessat(cached->project_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) ==
		0;
}

/* Count what is in the folder `path`, of the project or the store. */
static inline int count_names(const char *path)
{
	DIR *dir = opendir(path);
	int count = -2;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count;
}

static inline void check_outputs(const struct cached *cached)
{
	char target[16] = { 0 };
	struct stat status;
	br_autofree char *empty = br_path_join(cached->project, "out/empty");

	check_content(cached, "out/a", "first");
	check_mode(cached, "out/a", 0644);
	check_content(cached, "out/deep/run", "#!/bin/sh\n");
	check_mode(cached, "out/deep/run", 0755);
	check_mode(cached, "out/large", 0600);
	assert_int_equal(
		fstatat(cached->project_fd, "out/large", &status, 0), 0);
	assert_int_equal(status.st_size, LARGE_BYTES);
	assert_int_equal(readlinkat(cached->project_fd, "out/deep/link", target,
				 sizeof(target)),
		4);
	assert_string_equal(target, "../a");
	check_mode(cached, "out/empty", 0750);
	assert_int_equal(count_names(empty), 0);
}

static inline char *result_of(const struct cached *cached)
{
	char hex[BR_HASH_TEXT_BYTES];

	br_hash_format(identity, hex);
	return br_format("%s/ac/%.2s/%s", cached->folder, hex, hex);
}
