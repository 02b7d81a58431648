/* SPDX-License-Identifier: MIT */
#include "cache/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "cache/beneath.h"
#include "cache/globs.h"

/* A folder that is still to be read, and how far each glob has come there. */
struct folder {
	char *path;
	struct br_globs_spot *spots;
};

/*
 * Folders wait in a list and are opened by their whole path, so that a deep tree
 * takes neither stack nor descriptors.
 */
struct walk {
	int root_fd;
	struct br_globs *globs;
	bool has_folders;
	struct br_listing *listing;
	struct folder *waiting;
	size_t waiting_count;
	size_t waiting_capacity;
	/* Of the name that is looked at. */
	struct br_globs_spot *spots;
	/* Its path, in memory that is used again: there may be many. */
	struct br_buf path;
};

struct br_listed *br_listing_add(
	struct br_listing *listing, const char *path, enum br_listed_kind kind)
{
	listing->items = br_grow(listing->items, listing->count,
		&listing->capacity, sizeof(*listing->items));

	struct br_listed *listed = &listing->items[listing->count++];
	*listed = (struct br_listed){
		.path = br_arena_strdup(&listing->arena, path),
		.kind = kind,
	};
	return listed;
}

static int compare(const void *a, const void *b)
{
	const struct br_listed *left = a;
	const struct br_listed *right = b;

	return strcmp(left->path, right->path);
}

void br_listing_sort(struct br_listing *listing)
{
	if (listing->count > 0)
		qsort(listing->items, listing->count, sizeof(*listing->items),
			compare);
}

void br_listing_done(struct br_listing *listing)
{
	br_arena_done(&listing->arena);
	free(listing->items);
	*listing = (struct br_listing){ 0 };
}

/* Borrowed until the next call. */
static const char *join(struct walk *walk, const char *folder, const char *name)
{
	br_buf_clear(&walk->path);
	br_buf_add_text(&walk->path, folder);
	if (*folder)
		br_buf_add_char(&walk->path, '/');
	br_buf_add_text(&walk->path, name);
	return br_buf_text(&walk->path);
}

/* Put a folder on the list; `spots` are copied. */
static void wait_for(
	struct walk *walk, const char *path, const struct br_globs_spot *spots)
{
	size_t count = br_globs_count(walk->globs);
	struct folder folder = {
		.path = br_strdup(path),
		.spots = br_alloc_array(count, sizeof(*spots)),
	};

	if (count > 0)
		memcpy(folder.spots, spots, count * sizeof(*spots));
	walk->waiting = br_grow(walk->waiting, walk->waiting_count,
		&walk->waiting_capacity, sizeof(*walk->waiting));
	walk->waiting[walk->waiting_count++] = folder;
}

static void folder_done(struct folder *folder)
{
	free(folder->path);
	free(folder->spots);
}

static void walk_done(struct walk *walk)
{
	while (walk->waiting_count > 0)
		folder_done(&walk->waiting[--walk->waiting_count]);
	free(walk->waiting);
	free(walk->spots);
	br_buf_done(&walk->path);
}

static bool is_gone(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

static bool add_link(struct walk *walk, int folder_fd, const char *name,
	const char *path, const struct stat *status, struct br_err *err)
{
	char target[BR_LIMIT_PATH_BYTES];
	ssize_t len = readlinkat(folder_fd, name, target, sizeof(target));

	if (len < 0)
		return is_gone(errno) || errno == EINVAL ||
			br_fail_errno(err, "read link '%s'", path);

	struct br_listed *listed =
		br_listing_add(walk->listing, path, BR_LISTED_LINK);
	listed->facts = br_file_facts_of(status);
	listed->target =
		br_arena_memdup(&walk->listing->arena, target, (size_t)len);
	return true;
}

/* Take what was chosen, whatever it turns out to be. */
static bool add(struct walk *walk, int folder_fd, const char *name,
	const char *path, struct br_err *err)
{
	struct stat status;

	if (fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return is_gone(errno) ||
			br_fail_errno(err, "look at '%s'", path);
	if (walk->listing->count == BR_LIMIT_LISTED_FILES)
		return br_fail(err, BR_EINPUT, "more than %d files are chosen",
			BR_LIMIT_LISTED_FILES);
	if (S_ISLNK(status.st_mode))
		return add_link(walk, folder_fd, name, path, &status, err);
	if (!S_ISREG(status.st_mode))
		return true;

	struct br_listed *listed =
		br_listing_add(walk->listing, path, BR_LISTED_FILE);
	listed->mode = status.st_mode & 07777;
	listed->facts = br_file_facts_of(&status);
	return true;
}

static bool is_left_out(const struct folder *folder, const char *name)
{
	return strcmp(name, ".git") == 0 ||
		(*folder->path == '\0' &&
			br_has_prefix(name, BR_LISTING_OWN_PREFIX));
}

/* Some file systems leave it to stat(2) what a name is of. */
static bool is_folder(int folder_fd, const struct dirent *entry)
{
	struct stat status;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(folder_fd, entry->d_name, &status,
		       AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISDIR(status.st_mode);
}

static bool look_at(struct walk *walk, const struct folder *folder,
	int folder_fd, const struct dirent *entry, struct br_err *err)
{
	const char *name = entry->d_name;
	bool is_dir = is_folder(folder_fd, entry);

	br_globs_enter(walk->globs, folder->spots, name, is_dir, walk->spots);
	if (is_dir ? !br_globs_may_choose_in(walk->globs, walk->spots)
		   : !br_globs_are_choosing(walk->globs, walk->spots))
		return true;

	const char *path = join(walk, folder->path, name);
	if (!is_dir)
		return add(walk, folder_fd, name, path, err);
	wait_for(walk, path, walk->spots);
	return true;
}

static void add_empty(
	struct walk *walk, const struct folder *folder, int folder_fd)
{
	struct stat status;

	if (!walk->has_folders || *folder->path == '\0' ||
		!br_globs_are_choosing(walk->globs, folder->spots) ||
		fstat(folder_fd, &status) < 0)
		return;

	struct br_listed *listed =
		br_listing_add(walk->listing, folder->path, BR_LISTED_FOLDER);
	listed->mode = status.st_mode & 07777;
	listed->facts = br_file_facts_of(&status);
}

static bool read_folder(struct walk *walk, const struct folder *folder,
	DIR *dir, struct br_err *err)
{
	bool is_empty = true;

	errno = 0;
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		const char *name = entry->d_name;

		if (!strcmp(name, ".") || !strcmp(name, ".."))
			continue;
		is_empty = false;
		if (!is_left_out(folder, name) &&
			!look_at(walk, folder, dirfd(dir), entry, err))
			return false;
		errno = 0;
	}
	if (errno != 0 && !is_gone(errno))
		return br_fail_errno(err, "read folder '%s'", folder->path);
	if (is_empty)
		add_empty(walk, folder, dirfd(dir));
	return true;
}

static bool visit(
	struct walk *walk, const struct folder *folder, struct br_err *err)
{
	int fd = br_beneath_open(
		walk->root_fd, folder->path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return is_gone(errno) ||
			br_fail_errno(err, "open folder '%s'", folder->path);

	DIR *dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return br_fail_errno(err, "open folder '%s'", folder->path);
	}

	bool is_good = read_folder(walk, folder, dir, err);
	(void)closedir(dir);
	return is_good;
}

bool br_listing_find(int root_fd, struct br_globs *globs, bool has_folders,
	struct br_listing *listing, struct br_err *err)
{
	bool is_good = true;
	struct br_listing found = { 0 };
	struct walk walk = {
		.root_fd = root_fd,
		.globs = globs,
		.has_folders = has_folders,
		.listing = &found,
		.spots = br_alloc_array(
			br_globs_count(globs), sizeof(*walk.spots)),
	};

	br_globs_start(globs, walk.spots);
	wait_for(&walk, "", walk.spots);
	while (is_good && walk.waiting_count > 0) {
		struct folder folder = walk.waiting[--walk.waiting_count];

		is_good = visit(&walk, &folder, err);
		folder_done(&folder);
	}
	walk_done(&walk);
	if (!is_good) {
		br_listing_done(&found);
		return false;
	}
	br_listing_sort(&found);
	*listing = found;
	return true;
}
