/* SPDX-License-Identifier: MIT */
#include "log/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/sha256.h"

enum {
	/* Of a project's name and of the hash's text. */
	NAME_BYTES = 40,
	HASH_CHARS = 12,
	FOLDER_MODE = 0700,
};

/* Letters, digits and `.`, `-`, `_` stay; no name starts with a dot. */
static void add_name(struct br_buf *path, const char *project_dir)
{
	const char *slash = strrchr(project_dir, '/');
	const char *name = slash ? slash + 1 : project_dir;

	if (*name == '\0')
		name = "root";
	size_t len = strnlen(name, NAME_BYTES);
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		bool is_plain = (c >= 'a' && c <= 'z') ||
			(c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '_' || (c == '.' && i > 0);

		br_buf_add(path, is_plain ? &name[i] : "_", 1);
	}
}

static void add_hash(struct br_buf *path, const char *project_dir)
{
	uint8_t digest[BR_SHA256_BYTES];
	char text[BR_SHA256_TEXT_BYTES];
	struct br_sha256 sha;

	br_sha256_init(&sha);
	br_sha256_feed(&sha, project_dir, strlen(project_dir));
	br_sha256_end(&sha, digest);
	br_sha256_format(digest, text);
	br_buf_add(path, text, HASH_CHARS);
}

/* A relative XDG_STATE_HOME is to be ignored (XDG Base Directory). */
static char *state_home(void)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (state && state[0] == '/')
		return br_strdup(state);
	if (home && home[0] == '/')
		return br_path_join(home, ".local/state");
	return NULL;
}

bool br_log_folder_find(
	const char *project_dir, char **path, struct br_err *err)
{
	br_autofree char *real = realpath(project_dir, NULL);
	br_autofree char *state = state_home();
	br_autobuf struct br_buf built = { 0 };

	if (!state)
		return br_fail(err, BR_EUNAVAIL,
			"neither XDG_STATE_HOME nor HOME is set");
	br_buf_addf(&built, "%s/buildr/", state);
	add_name(&built, real ? real : project_dir);
	br_buf_add_char(&built, '-');
	add_hash(&built, real ? real : project_dir);
	*path = br_buf_take(&built);
	return true;
}

bool br_log_folder_make(const char *path, struct br_err *err)
{
	br_autofree char *part = br_strdup(path);

	/* Mostly it is there, or only it is missing. */
	if (mkdir(part, FOLDER_MODE) == 0 || errno == EEXIST)
		return true;
	for (char *at = strchr(part + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		/* Whatever is wrong, the last one fails as well. */
		(void)mkdir(part, FOLDER_MODE);
		*at = '/';
	}
	return mkdir(part, FOLDER_MODE) == 0 || errno == EEXIST ||
		br_fail_errno(err, "make folder '%s'", path);
}

char *br_log_path(const char *folder, const char *build, const char *suffix)
{
	br_autofree char *name = br_format("%s%s", build, suffix);

	return br_path_join(folder, name);
}

/* Gives false where `name` is not that of a log. */
static bool find_build(const char *name, char build[BR_UUID_TEXT_BYTES])
{
	enum { ID_CHARS = BR_UUID_TEXT_BYTES - 1 };

	if (strlen(name) != ID_CHARS + strlen(BR_LOG_SUFFIX) ||
		strcmp(name + ID_CHARS, BR_LOG_SUFFIX) != 0)
		return false;
	memcpy(build, name, ID_CHARS);
	build[ID_CHARS] = '\0';
	return br_uuid_is_valid(build);
}

/* The first 48 bits of a UUIDv7; -1: it is another one. */
static int64_t begun_ms_of(const char *build)
{
	enum { HIGH_CHARS = 8, LOW_CHARS = 4, VERSION_AT = 14 };
	char digits[HIGH_CHARS + LOW_CHARS + 1] = "";

	if (build[VERSION_AT] != '7')
		return -1;
	memcpy(digits, build, HIGH_CHARS);
	memcpy(digits + HIGH_CHARS, build + HIGH_CHARS + 1, LOW_CHARS);
	return (int64_t)strtoull(digits, NULL, 16);
}

static bool look_at(int folder, const char *name, struct stat *status)
{
	return fstatat(folder, name, status, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISREG(status->st_mode);
}

static int64_t output_bytes(int folder, const char *build)
{
	char name[BR_UUID_TEXT_BYTES + sizeof(BR_LOG_OUTPUT_SUFFIX)];
	struct stat status;

	(void)snprintf(name, sizeof(name), "%s%s", build, BR_LOG_OUTPUT_SUFFIX);
	return look_at(folder, name, &status) ? status.st_size : 0;
}

static void note_file(struct br_log_files *files, int folder, const char *name)
{
	struct br_log_file file = { .begun_ms = -1 };
	struct stat status;

	if (!find_build(name, file.build) || !look_at(folder, name, &status))
		return;
	file.size_bytes = status.st_size + output_bytes(folder, file.build);
	file.begun_ms = begun_ms_of(file.build);
	if (file.begun_ms < 0)
		file.begun_ms = (int64_t)status.st_mtim.tv_sec * 1000 +
			status.st_mtim.tv_nsec / 1000000;
	files->items = br_grow(files->items, files->count, &files->capacity,
		sizeof(*files->items));
	files->items[files->count++] = file;
}

/* The newest first. */
static int compare(const void *a, const void *b)
{
	const struct br_log_file *left = a;
	const struct br_log_file *right = b;

	if (left->begun_ms != right->begun_ms)
		return left->begun_ms < right->begun_ms ? 1 : -1;
	return strcmp(right->build, left->build);
}

bool br_log_files_load(const char *folder, struct br_log_files *files)
{
	DIR *dir = opendir(folder);

	if (!dir)
		return false;
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		note_file(files, dirfd(dir), entry->d_name);
	(void)closedir(dir);
	if (files->count > 0)
		qsort(files->items, files->count, sizeof(*files->items),
			compare);
	return true;
}

void br_log_files_done(struct br_log_files *files)
{
	free(files->items);
	*files = (struct br_log_files){ 0 };
}

/*
 * Of the process, not of the open file: children that are forked do not have it,
 * and it is gone with the process, whatever becomes of that.
 */
void br_log_lock(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	/* Where there are no locks the build is taken for one that has ended. */
	(void)fcntl(fd, F_SETLK, &whole);
}

bool br_log_is_locked(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

static bool is_running(const char *path)
{
	br_autoclose int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return fd >= 0 && br_log_is_locked(fd);
}

/* What is found by comes last; any of it may be gone already. */
static void remove_log(const char *folder, const char *build)
{
	br_autofree char *path = br_log_path(folder, build, BR_LOG_SUFFIX);
	br_autofree char *output =
		br_log_path(folder, build, BR_LOG_OUTPUT_SUFFIX);

	if (is_running(path))
		return;
	(void)unlink(output);
	(void)unlink(path);
}

void br_log_folder_prune(
	const char *folder, const struct br_log_limits *limits, const char *own)
{
	struct br_log_files files = { 0 };
	int64_t total_bytes = 0;

	if (!br_log_files_load(folder, &files))
		return;
	for (size_t i = 0; i < files.count; i++) {
		const struct br_log_file *file = &files.items[i];

		total_bytes += file->size_bytes;
		/* To open our own would let go of its lock. */
		if ((i >= limits->builds || total_bytes > limits->size_bytes) &&
			strcmp(file->build, own) != 0)
			remove_log(folder, file->build);
	}
	br_log_files_done(&files);
}
