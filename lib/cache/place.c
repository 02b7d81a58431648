/* SPDX-License-Identifier: MIT */
#include "cache/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/str.h"
#include "cache/beneath.h"
#include "cache/listing.h"

enum {
	OWN_MODE = 0700,
	/* Less what the user's umask takes away. */
	PARENT_MODE = 0777,
	/* How often another build may take a folder for one that nobody uses. */
	TRIES_MAX = 10,
};

/* Remove a folder of ours with all that is in it: files and links, no folders. */
static void remove_folder(int root_fd, const char *name, int fd)
{
	int copy_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy_fd >= 0 ? fdopendir(copy_fd) : NULL;

	if (!dir) {
		if (copy_fd >= 0)
			(void)close(copy_fd);
		return;
	}
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		if (entry->d_name[0] != '.')
			(void)unlinkat(fd, entry->d_name, 0);
	(void)closedir(dir);
	(void)unlinkat(root_fd, name, AT_REMOVEDIR);
}

/* Who has the lock still uses it. */
bool br_place_sweep(int root_fd)
{
	bool is_clean = true;
	int copy_fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy_fd >= 0 ? fdopendir(copy_fd) : NULL;

	if (!dir) {
		if (copy_fd >= 0)
			(void)close(copy_fd);
		return false;
	}
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		if (!br_has_prefix(entry->d_name, BR_LISTING_OWN_PREFIX))
			continue;

		br_autoclose int fd = br_beneath_open(
			root_fd, entry->d_name, O_RDONLY | O_DIRECTORY);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			remove_folder(root_fd, entry->d_name, fd);
		else
			is_clean = false;
	}
	(void)closedir(dir);
	return is_clean;
}

/* Between its making and its lock another build may have removed it. */
static bool is_ours(int fd)
{
	struct stat status;

	return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &status) == 0 &&
		status.st_nlink > 0;
}

static int make(int root_fd, char *name, size_t size)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		uint64_t number = 0;
		br_autoclose int fd = -1;

		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return -1;
		(void)snprintf(name, size, BR_LISTING_OWN_PREFIX "%016llx",
			(unsigned long long)number);
		if (mkdirat(root_fd, name, OWN_MODE) < 0)
			return -1;
		fd = br_beneath_open(root_fd, name, O_RDONLY | O_DIRECTORY);
		if (fd >= 0 && is_ours(fd))
			return br_take_fd(&fd);
	}
	return -1;
}

bool br_place_open(
	int root_fd, struct br_place_folder *folder, struct br_err *err)
{
	struct br_place_folder made = { .root_fd = root_fd, .parent_fd = -1 };

	(void)br_place_sweep(root_fd);
	made.fd = make(root_fd, made.name, sizeof(made.name));
	if (made.fd < 0)
		return br_fail_errno(err, "make a folder in the project");
	*folder = made;
	return true;
}

void br_place_close(struct br_place_folder *folder)
{
	remove_folder(folder->root_fd, folder->name, folder->fd);
	(void)close(folder->fd);
	if (folder->parent_fd >= 0)
		(void)close(folder->parent_fd);
	free(folder->parent);
	*folder = (struct br_place_folder){ 0 };
}

/* Open the folder that the first `len` bytes of `name` name, and make it if needed. */
static int open_part(int above_fd, const char *name, size_t len)
{
	br_autofree char *part = br_memdup(name, len);

	if (mkdirat(above_fd, part, PARENT_MODE) < 0 && errno != EEXIST)
		return -1;
	return br_beneath_open(above_fd, part, O_PATH | O_DIRECTORY);
}

/* Open the folder `path` in the project, and make what is missing of it. */
static int open_parent(int root_fd, const char *path)
{
	int fd = br_beneath_open(root_fd, path, O_PATH | O_DIRECTORY);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	fd = br_beneath_open(root_fd, "", O_PATH | O_DIRECTORY);
	while (fd >= 0 && *path != '\0') {
		br_autoclose int above_fd = fd;
		size_t len = strcspn(path, "/");

		fd = open_part(above_fd, path, len);
		path += len;
		path += *path == '/';
	}
	return fd;
}

/* Have `parent_fd` be the folder of `path`, and give its last part. */
static const char *enter(struct br_place_folder *folder, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	br_autofree char *parent = br_memdup(path, len);

	if (!folder->parent || strcmp(folder->parent, parent) != 0) {
		if (folder->parent_fd >= 0)
			(void)close(folder->parent_fd);
		free(folder->parent);
		folder->parent = NULL;
		folder->parent_fd = open_parent(folder->root_fd, parent);
		if (folder->parent_fd < 0)
			return NULL;
		folder->parent = br_take_ptr(&parent);
	}
	return slash ? slash + 1 : path;
}

static bool place_folder(int parent_fd, const char *name, uint32_t mode)
{
	br_autoclose int fd = -1;

	if (mkdirat(parent_fd, name, OWN_MODE) < 0 && errno != EEXIST)
		return false;
	fd = br_beneath_open(parent_fd, name, O_RDONLY | O_DIRECTORY);
	return fd >= 0 && fchmod(fd, mode) == 0;
}

static bool place(struct br_place_folder *folder, const char *staged,
	const char *name, const struct br_listed *listed, uint32_t mode)
{
	switch (listed->kind) {
	case BR_LISTED_FOLDER:
		return place_folder(folder->parent_fd, name, mode);
	case BR_LISTED_LINK:
		if (symlinkat(listed->target, folder->fd, staged) < 0)
			return false;
		break;
	case BR_LISTED_FILE:
		break;
	}
	return renameat(folder->fd, staged, folder->parent_fd, name) == 0;
}

bool br_place_output(struct br_place_folder *folder, size_t number,
	const struct br_listed *listed, uint32_t mode, struct br_err *err)
{
	char staged[32];
	const char *name = enter(folder, listed->path);

	(void)snprintf(staged, sizeof(staged), "%zu", number);
	return (name && place(folder, staged, name, listed, mode)) ||
		br_fail_errno(err, "put back '%s'", listed->path);
}
