/* SPDX-License-Identifier: MIT */
#include "cache/history.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/limits.h"
#include "cache/blobs.h"
#include "cache/file_facts.h"
#include "cache/history_private.h"
#include "cache/record.h"
#include "cache/store_private.h"
#include "cache/users.h"

enum { FOLDER_MODE = 0700 };

static const char head[] = "buildr-stage 1\n";

void br_history_path(const char *project_dir, const char *stage,
	const char *suffix, char path[BR_HISTORY_PATH_BYTES])
{
	uint8_t digest[BR_HASH_BYTES];
	char project_hex[BR_HASH_TEXT_BYTES];
	char stage_hex[BR_HASH_TEXT_BYTES];

	br_hash_bytes(project_dir, strlen(project_dir), digest);
	br_hash_format(digest, project_hex);
	br_hash_bytes(stage, strlen(stage), digest);
	br_hash_format(digest, stage_hex);
	(void)snprintf(path, BR_HISTORY_PATH_BYTES, BR_HISTORY_TOP "/%s/%s%s",
		project_hex, stage_hex, suffix);
}

static void format(const char *project_dir, const char *stage,
	const uint8_t identity[BR_HASH_BYTES], struct br_str record,
	struct br_buf *text)
{
	char hex[BR_HASH_TEXT_BYTES];

	br_hash_format(identity, hex);
	br_buf_addf(text, "%s%s\n", head, hex);
	br_record_escape(project_dir, text);
	br_buf_add_char(text, '\n');
	br_record_escape(stage, text);
	br_buf_add_char(text, '\n');
	br_buf_add(text, record.data, record.len);
}

static void make_folders(int store_fd, const char *path)
{
	char project[BR_HISTORY_PATH_BYTES];
	size_t len = (size_t)(strrchr(path, '/') - path);

	memcpy(project, path, len);
	project[len] = '\0';
	/* What is wrong with them, the rename will say. */
	(void)mkdirat(store_fd, BR_HISTORY_TOP, FOLDER_MODE);
	(void)mkdirat(store_fd, project, FOLDER_MODE);
}

/* The clock that stamps files is coarse, and these are compared with each other. */
static void find_now(struct timespec times[2])
{
	(void)clock_gettime(CLOCK_REALTIME, &times[0]);
	times[1] = times[0];
}

bool br_history_write(struct br_store *store, const char *path,
	struct br_str text, struct br_err *err)
{
	char temporary[BR_BLOB_TEMPORARY_BYTES];
	struct timespec times[2];
	br_autoclose int fd = br_blob_make_temporary(store->fd, temporary);

	if (fd < 0)
		return br_fail_errno(err, "make a file in the cache");
	make_folders(store->fd, path);
	find_now(times);
	if (br_file_write(fd, text.data, text.len, err) &&
		futimens(fd, times) == 0)
		return br_blob_publish(store->fd, temporary, path, err);
	(void)br_fail_errno(err, "write '%s'", path);
	(void)unlinkat(store->fd, temporary, 0);
	return false;
}

bool br_history_save(struct br_store *store, const char *project_dir,
	const char *stage, const uint8_t identity[BR_HASH_BYTES],
	struct br_str record, struct br_err *err)
{
	br_autobuf struct br_buf text = { 0 };
	char path[BR_HISTORY_PATH_BYTES];

	format(project_dir, stage, identity, record, &text);
	br_history_path(project_dir, stage, "", path);
	br_users_note(store, identity, stage, project_dir);
	return br_history_write(store, path, br_buf_str(&text), err) ||
		br_wrap(err, "remember stage '%s'", stage);
}

void br_history_touch(
	struct br_store *store, const char *project_dir, const char *stage)
{
	char path[BR_HISTORY_PATH_BYTES];
	struct timespec times[2];

	find_now(times);
	br_history_path(project_dir, stage, "", path);
	(void)utimensat(store->fd, path, times, AT_SYMLINK_NOFOLLOW);
}

char *br_history_take_line(struct br_buf *text)
{
	char *end = text->len > 0 ? memchr(text->data, '\n', text->len) : NULL;

	if (!end)
		return NULL;

	size_t len = (size_t)(end - text->data);
	char *line = br_memdup(text->data, len);
	br_buf_drop(text, len + 1);
	return line;
}

static bool parse(struct br_buf *text, struct br_history *history)
{
	br_autofree char *identity = NULL;

	if (text->len < sizeof(head) - 1 ||
		memcmp(text->data, head, sizeof(head) - 1) != 0)
		return false;
	br_buf_drop(text, sizeof(head) - 1);
	identity = br_history_take_line(text);
	history->project = br_history_take_line(text);
	history->stage = br_history_take_line(text);
	if (!identity || !history->project || !history->stage)
		return false;
	br_buf_add(&history->record, text->data, text->len);
	return br_hash_parse(identity, strlen(identity), history->identity);
}

bool br_history_read(const struct br_store *store, const char *path,
	struct br_history *history)
{
	br_autohistory struct br_history read = { 0 };
	br_autofree char *whole = br_path_join(store->folder, path);
	br_autobuf struct br_buf text = { 0 };
	struct stat status;
	struct br_err err = { 0 };

	if (fstatat(store->fd, path, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		!br_file_load(whole, BR_LIMIT_RESULT_BYTES, &text, &err) ||
		!parse(&text, &read))
		return false;
	read.written_ns = br_file_facts_of(&status).mtime_ns;
	*history = read;
	read = (struct br_history){ 0 };
	return true;
}

bool br_history_load(struct br_store *store, const char *project_dir,
	const char *stage, struct br_history *history, struct br_err *err)
{
	char path[BR_HISTORY_PATH_BYTES];

	br_history_path(project_dir, stage, "", path);
	return br_history_read(store, path, history) ||
		br_fail(err, BR_ENOTFOUND,
			"nothing is known of an earlier run of stage '%s'",
			stage);
}

DIR *br_history_open_folder(const struct br_store *store, const char *path)
{
	int fd = openat(store->fd, path,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!dir && fd >= 0)
		(void)close(fd);
	return dir;
}

void br_history_done(struct br_history *history)
{
	free(history->project);
	free(history->stage);
	br_buf_done(&history->record);
	*history = (struct br_history){ 0 };
}
