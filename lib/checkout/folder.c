/* SPDX-License-Identifier: MIT */
#include "checkout/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clean.h"

enum {
	/*
	 * A build can nest folders deeper than there are descriptors or stack:
	 * what lies deeper than this is moved up and removed from there.
	 */
	DEPTH_MAX = 64,
	/* Rounds of that; each takes off at least DEPTH_MAX levels. */
	ROUNDS_MAX = 100000,
	NAME_BYTES = 32,
	PATH_BYTES = 64,
};

bool br_folder_make(const char *path, unsigned mode, struct br_err *err)
{
	return mkdir(path, mode) == 0 || errno == EEXIST ||
		br_fail_errno(err, "make the folder '%s'", path);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Make a folder of our own usable; `name` may be a link, which is left alone. */
static void make_usable(int at, const char *name)
{
	const int how = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	br_autoclose int fd = openat(at, name, how);
	char path[PATH_BYTES];

	/* fchmod() takes no such descriptor. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd >= 0)
		(void)chmod(path, S_IRWXU);
}

static DIR *open_folder(int at, const char *name)
{
	const int how = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	br_autoclose int fd = openat(at, name, how);

	if (fd < 0 && errno == EACCES) {
		make_usable(at, name);
		fd = openat(at, name, how);
	}
	if (fd < 0)
		return NULL;

	DIR *folder = fdopendir(fd);
	if (folder)
		(void)br_take_fd(&fd);
	return folder;
}

static void each_name(DIR *folder, br_folder_fn *fn, void *ctx)
{
	for (;;) {
		/* One thread: readdir_r() is deprecated for good reasons. */
		/* cppcheck-suppress readdirCalled */
		const struct dirent *entry = readdir(folder);

		if (!entry)
			return;
		if (!is_dots(entry->d_name))
			fn(ctx, dirfd(folder), entry->d_name);
	}
}

void br_folder_each(const char *path, br_folder_fn *fn, void *ctx)
{
	DIR *folder = open_folder(AT_FDCWD, path);

	if (!folder)
		return;
	each_name(folder, fn, ctx);
	(void)closedir(folder);
}

/* Where a removal is. */
struct removal {
	/* The folder that all is in. */
	int top;
	int depth;
	unsigned long moved_count;
	/* Something was moved up, and is to be removed in another round. */
	bool has_moved;
};

static void remove_one(void *ctx, int at, const char *name);

/* Remove what is in a folder. Calls itself through remove_one(), up to the limit. */
static void remove_content(struct removal *removal, int at, const char *name)
{
	DIR *folder = open_folder(at, name);
	struct stat status;

	if (!folder)
		return;
	/* What belongs to another stays as it is, and may be writable all the same. */
	if (fstat(dirfd(folder), &status) == 0 &&
		(status.st_mode & S_IRWXU) != S_IRWXU)
		(void)fchmod(dirfd(folder), S_IRWXU);
	removal->depth++;
	each_name(folder, remove_one, removal);
	removal->depth--;
	(void)closedir(folder);
}

static void remove_one(void *ctx, int at, const char *name)
{
	struct removal *removal = ctx;
	char moved[NAME_BYTES];

	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return;
	if (errno != EISDIR && errno != EPERM)
		return;
	if (unlinkat(at, name, AT_REMOVEDIR) == 0)
		return;
	if (removal->depth < DEPTH_MAX) {
		remove_content(removal, at, name);
		(void)unlinkat(at, name, AT_REMOVEDIR);
		return;
	}
	(void)snprintf(
		moved, sizeof(moved), ".deep-%lu", removal->moved_count++);
	/* Where the name is taken, it is free in the next round. */
	if (renameat2(at, name, removal->top, moved, RENAME_NOREPLACE) == 0 ||
		errno == EEXIST)
		removal->has_moved = true;
}

static bool is_empty(int fd)
{
	/* NULL where it is not a folder that can be read. */
	DIR *folder = open_folder(fd, ".");
	bool has_names = false;

	if (!folder)
		return false;
	for (;;) {
		/* cppcheck-suppress readdirCalled */
		const struct dirent *entry = readdir(folder);

		if (!entry)
			break;
		has_names = has_names || !is_dots(entry->d_name);
	}
	(void)closedir(folder);
	return !has_names;
}

bool br_folder_empty(const char *path)
{
	DIR *folder = open_folder(AT_FDCWD, path);

	if (!folder)
		return errno == ENOENT;

	struct removal removal = { .top = dirfd(folder) };
	for (int i = 0; i < ROUNDS_MAX; i++) {
		removal.has_moved = false;
		remove_content(&removal, removal.top, ".");
		if (!removal.has_moved)
			break;
	}
	bool is_done = is_empty(removal.top);
	(void)closedir(folder);
	return is_done;
}

bool br_folder_remove(const char *path)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return true;
	(void)br_folder_empty(path);
	return rmdir(path) == 0;
}
