/* SPDX-License-Identifier: MIT */
#include "checkout/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/uuid.h"
#include "checkout/folder.h"
#include "checkout/lock.h"

enum { FOLDER_MODE = 0700, WORK_MODE = 0755, LOCK_MODE = 0600 };

static const char dead_prefix[] = "dead-";

/* Lock `trees` for a moment. Gives -1 where it cannot be. */
static int lock_trees(const char *trees)
{
	br_autoclose int fd = open(trees, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	while (fd >= 0 && flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -1;
	return br_take_fd(&fd);
}

/*
 * Lock a folder in `trees`. Gives -1 where somebody else has it; one without a lock
 * file is of a process that died early, and gets one.
 */
static int lock_tree(int trees, const char *name)
{
	br_autofree char *path = br_path_join(name, "lock");
	br_autoclose int fd = openat(trees, path,
		O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, LOCK_MODE);

	return fd >= 0 && br_lock_try(fd) ? br_take_fd(&fd) : -1;
}

/*
 * Rename the folder `name` if it is dead, and give its new path; NULL where it lives.
 * The caller frees it, and has its lock in `lock_fd`.
 */
static char *bury(const char *folder, int trees, const char *name, int *lock_fd)
{
	char unique[BR_UUID_TEXT_BYTES];
	struct br_err ignored = { 0 };
	br_autoclose int fd = lock_tree(trees, name);
	br_autofree char *dead = NULL;

	if (fd < 0 || !br_uuid_make(unique, &ignored))
		return NULL;
	dead = br_format("%s%s", dead_prefix, unique);
	if (renameat(trees, name, trees, dead) < 0)
		return NULL;
	*lock_fd = br_take_fd(&fd);
	return br_path_join(folder, dead);
}

/* What is dead in `trees`. */
struct graves {
	const char *folder;
	char **paths;
	int *lock_fds;
	size_t count;
	size_t capacity;
	size_t fd_capacity;
};

static void look_at_tree(void *ctx, int at, const char *name)
{
	struct graves *graves = ctx;
	int lock_fd = -1;
	char *path = bury(graves->folder, at, name, &lock_fd);

	if (!path)
		return;
	graves->paths = br_grow(graves->paths, graves->count, &graves->capacity,
		sizeof(*graves->paths));
	graves->lock_fds = br_grow(graves->lock_fds, graves->count,
		&graves->fd_capacity, sizeof(*graves->lock_fds));
	graves->paths[graves->count] = path;
	graves->lock_fds[graves->count++] = lock_fd;
}

/* Remove what is dead; whoever else sweeps leaves it to us for as long. */
static size_t remove_graves(struct graves *graves)
{
	size_t removed_count = 0;

	for (size_t i = 0; i < graves->count; i++) {
		if (br_folder_remove(graves->paths[i]))
			removed_count++;
		(void)close(graves->lock_fds[i]);
		free(graves->paths[i]);
	}
	free(graves->paths);
	free(graves->lock_fds);
	return removed_count;
}

size_t br_tree_sweep(const char *work_dir)
{
	br_autofree char *trees = br_path_join(work_dir, "trees");
	struct graves graves = { .folder = trees };
	int fd = lock_trees(trees);

	if (fd < 0)
		return 0;
	br_folder_each(trees, look_at_tree, &graves);
	(void)close(fd);
	return remove_graves(&graves);
}

/* Make the folder and lock it; `grave` gets what was there before, if it was dead. */
static bool claim(const char *trees, const char *build, int *lock_fd,
	struct graves *grave, struct br_err *err)
{
	br_autofree char *folder = br_path_join(trees, build);
	br_autoclose int trees_fd = lock_trees(trees);

	if (trees_fd < 0)
		return br_fail_errno(err, "lock '%s'", trees);
	if (mkdir(folder, FOLDER_MODE) < 0) {
		if (errno != EEXIST)
			return br_fail_errno(err, "make '%s'", folder);
		look_at_tree(grave, trees_fd, build);
		if (grave->count == 0)
			return br_fail(err, BR_ESYSTEM,
				"the work tree of build %s is in use", build);
		if (mkdir(folder, FOLDER_MODE) < 0)
			return br_fail_errno(err, "make '%s'", folder);
	}
	*lock_fd = lock_tree(trees_fd, build);
	return *lock_fd >= 0 || br_fail_errno(err, "lock '%s'", folder);
}

bool br_tree_new(const char *work_dir, const char *build, struct br_tree **tree,
	struct br_err *err)
{
	br_autofree char *trees = br_path_join(work_dir, "trees");
	struct graves grave = { .folder = trees };
	int lock_fd = -1;

	if (!br_folder_make(trees, FOLDER_MODE, err))
		return false;

	bool is_claimed = claim(trees, build, &lock_fd, &grave, err);
	(void)remove_graves(&grave);
	if (!is_claimed)
		return false;

	struct br_tree *made = br_alloc(sizeof(*made));
	made->lock_fd = lock_fd;
	made->folder = br_path_join(trees, build);
	made->work = br_path_join(made->folder, "tree");
	made->git_dir = br_path_join(made->work, ".git");
	*tree = made;
	return true;
}

void br_tree_free(struct br_tree *tree)
{
	if (!tree)
		return;
	/* Even if another sweeps now: what is locked is left to us. */
	(void)br_folder_remove(tree->folder);
	(void)close(tree->lock_fd);
	free(tree->git_dir);
	free(tree->work);
	free(tree->folder);
	free(tree);
}

bool br_tree_empty(struct br_tree *tree, struct br_err *err)
{
	return br_folder_remove(tree->work) ||
		br_fail(err, BR_ESYSTEM, "remove '%s': files are left",
			tree->work);
}
