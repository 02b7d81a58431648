/* SPDX-License-Identifier: MIT */
#include "cache/users.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/file.h"
#include "base/limits.h"
#include "cache/blobs.h"
#include "cache/store_private.h"

enum {
	FILE_MODE = 0600,
	FOLDER_MODE = 0700,
	/* The last one may lie beyond the limit. */
	READ_MAX_BYTES = 2 * BR_LIMIT_USERS_BYTES,
	/* `who/AB`, with the NUL. */
	PARENT_BYTES = 7,
};

void br_users_load(struct br_store *store,
	const uint8_t identity[BR_HASH_BYTES], struct br_buf *bytes)
{
	char path[BR_BLOB_PATH_BYTES];
	struct br_err ignored = { 0 };

	br_blob_path("who", identity, path);

	br_autofree char *whole = br_path_join(store->folder, path);
	(void)!br_file_load(whole, READ_MAX_BYTES, bytes, &ignored);
}

static bool take_text(struct br_str *rest, struct br_str *text)
{
	const char *end =
		rest->len > 0 ? memchr(rest->data, '\0', rest->len) : NULL;

	if (!end)
		return false;
	*text = (struct br_str){ rest->data, (size_t)(end - rest->data) };
	rest->data += text->len + 1;
	rest->len -= text->len + 1;
	return true;
}

bool br_users_next(struct br_str *rest, struct br_user *user)
{
	return take_text(rest, &user->stage) && take_text(rest, &user->project);
}

static bool is_noted(
	struct br_str rest, const char *stage, const char *project_dir)
{
	struct br_user user;

	while (br_users_next(&rest, &user))
		if (br_str_is(user.stage, stage) &&
			br_str_is(user.project, project_dir))
			return true;
	return false;
}

static int open_to_add(int store_fd, const char *path)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(store_fd, path, flags, FILE_MODE);
	char parent[PARENT_BYTES];

	if (fd >= 0 || errno != ENOENT)
		return fd;
	memcpy(parent, path, PARENT_BYTES - 1);
	parent[PARENT_BYTES - 1] = '\0';
	(void)mkdirat(store_fd, parent, FOLDER_MODE);
	return openat(store_fd, path, flags, FILE_MODE);
}

void br_users_note(struct br_store *store,
	const uint8_t identity[BR_HASH_BYTES], const char *stage,
	const char *project_dir)
{
	br_autobuf struct br_buf known = { 0 };
	br_autobuf struct br_buf pair = { 0 };
	char path[BR_BLOB_PATH_BYTES];

	br_users_load(store, identity, &known);
	if (is_noted(br_buf_str(&known), stage, project_dir) ||
		known.len > BR_LIMIT_USERS_BYTES)
		return;
	br_buf_add(&pair, stage, strlen(stage) + 1);
	br_buf_add(&pair, project_dir, strlen(project_dir) + 1);
	br_blob_path("who", identity, path);

	br_autoclose int fd = open_to_add(store->fd, path);
	/* In one write, which others that add do not get between. */
	if (fd >= 0)
		(void)!write(fd, pair.data, pair.len);
}
