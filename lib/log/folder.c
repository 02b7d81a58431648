/* SPDX-License-Identifier: MIT */
#include "log/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

static bool is_log(const char *name)
{
	char build[BR_UUID_TEXT_BYTES] = "";
	size_t len = strlen(name);

	if (len != sizeof(build) - 1 + strlen(BR_LOG_SUFFIX) ||
		strcmp(name + sizeof(build) - 1, BR_LOG_SUFFIX) != 0)
		return false;
	memcpy(build, name, sizeof(build) - 1);
	return br_uuid_is_valid(build);
}

static void note_file(struct br_log_files *files, int folder, const char *name)
{
	struct stat status;

	if (!is_log(name) ||
		fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(status.st_mode))
		return;
	files->items = br_grow(files->items, files->count, &files->capacity,
		sizeof(*files->items));

	struct br_log_file *file = &files->items[files->count++];

	*file = (struct br_log_file){
		.written_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 +
			status.st_mtim.tv_nsec,
	};
	memcpy(file->name, name, strlen(name));
}

/* The newest first; names of builds that buildr made are sorted by time, too. */
static int compare(const void *a, const void *b)
{
	const struct br_log_file *left = a;
	const struct br_log_file *right = b;

	if (left->written_ns != right->written_ns)
		return left->written_ns < right->written_ns ? 1 : -1;
	return strcmp(right->name, left->name);
}

void br_log_files_load(const char *folder, struct br_log_files *files)
{
	DIR *dir = opendir(folder);

	if (!dir)
		return;
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		note_file(files, dirfd(dir), entry->d_name);
	(void)closedir(dir);
	if (files->count > 0)
		qsort(files->items, files->count, sizeof(*files->items),
			compare);
}

void br_log_files_done(struct br_log_files *files)
{
	free(files->items);
	*files = (struct br_log_files){ 0 };
}

void br_log_folder_prune(const char *folder, size_t kept)
{
	struct br_log_files files = { 0 };

	br_log_files_load(folder, &files);
	for (size_t i = kept; i < files.count; i++) {
		br_autofree char *path =
			br_path_join(folder, files.items[i].name);

		/* It may be gone already. */
		(void)unlink(path);
	}
	br_log_files_done(&files);
}
