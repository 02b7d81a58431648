/* SPDX-License-Identifier: MIT */
#include "init/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init/mem.h"

/* A folder on the way from the top to the open one. */
struct level {
	uint64_t device;
	uint64_t inode;
	/* Names of folders in it, each with its NUL; those before `at` are done. */
	char *names;
	size_t len;
	size_t capacity;
	size_t at;
};

struct walk {
	walk_fn *fn;
	void *ctx;
	/* The open folder: the last level. */
	int folder;
	struct level *levels;
	size_t count;
	size_t capacity;
	/* Something that is there was left out. */
	bool is_incomplete;
};

/* Note why a folder or an entry is left out: the last error. */
static void note_omission(struct walk *walk)
{
	if (errno == ENOMEM || errno == EMFILE || errno == ENFILE ||
		errno == EIO)
		walk->is_incomplete = true;
}

static int open_folder(struct walk *walk, int at, const char *name)
{
	int folder = openat(at, name,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (folder < 0)
		note_omission(walk);
	return folder;
}

static bool look(struct walk *walk, int folder, const char *name,
	struct file_facts *facts)
{
	if (file_facts_read(folder, name, facts))
		return true;
	note_omission(walk);
	return false;
}

static void add_name(struct level *level, const char *name)
{
	size_t len = strlen(name) + 1;

	while (level->capacity < level->len + len)
		level->names = mem_grow(
			level->names, level->capacity, &level->capacity, 1);
	memcpy(level->names + level->len, name, len);
	level->len += len;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Show all entries of the open folder and note the folders among them. */
static bool read_folder(struct walk *walk, struct level *level)
{
	int copy = fcntl(walk->folder, F_DUPFD_CLOEXEC, 0);
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);
	bool goes_on = true;

	if (!entries) {
		note_omission(walk);
		if (copy >= 0)
			(void)close(copy);
		return true;
	}
	while (goes_on) {
		struct file_facts facts;

		/* It tells an error from the end by errno alone. */
		errno = 0;
		const struct dirent *entry = readdir(entries);
		if (!entry) {
			note_omission(walk);
			break;
		}
		if (is_dots(entry->d_name) ||
			!look(walk, walk->folder, entry->d_name, &facts))
			continue;
		if (facts.is_folder)
			add_name(level, entry->d_name);
		goes_on = walk->fn(
			walk->ctx, walk->folder, entry->d_name, &facts);
	}
	(void)closedir(entries);
	return goes_on;
}

/* Make `folder` the open one; takes it. */
static bool enter(struct walk *walk, int folder)
{
	struct file_facts facts;

	if (walk->folder != folder)
		(void)close(walk->folder);
	walk->folder = folder;
	if (!look(walk, folder, "", &facts))
		return false;
	walk->levels = mem_grow(walk->levels, walk->count, &walk->capacity,
		sizeof(*walk->levels));
	walk->levels[walk->count++] =
		(struct level){ .device = facts.device, .inode = facts.inode };
	return read_folder(walk, &walk->levels[walk->count - 1]);
}

/* Back to the folder above, which must be the one that we came from. */
static bool leave(struct walk *walk)
{
	struct file_facts facts;

	free(walk->levels[--walk->count].names);
	if (walk->count == 0)
		return false;

	const struct level *above = &walk->levels[walk->count - 1];
	int folder = open_folder(walk, walk->folder, "..");
	(void)close(walk->folder);
	walk->folder = folder;
	return folder >= 0 && look(walk, folder, "", &facts) &&
		facts.device == above->device && facts.inode == above->inode;
}

/* Go one folder down or up. */
static bool step(struct walk *walk)
{
	struct level *level = &walk->levels[walk->count - 1];

	if (level->at == level->len)
		return leave(walk);

	const char *name = level->names + level->at;
	level->at += strlen(name) + 1;
	int folder = open_folder(walk, walk->folder, name);
	return folder < 0 || enter(walk, folder);
}

bool walk_tree(const char *path, walk_fn *fn, void *ctx)
{
	struct walk walk = { .fn = fn, .ctx = ctx };
	struct file_facts facts;

	walk.folder = open_folder(&walk, AT_FDCWD, path);
	if (walk.folder < 0)
		return !walk.is_incomplete;
	if (look(&walk, walk.folder, "", &facts) &&
		fn(ctx, walk.folder, "", &facts) && enter(&walk, walk.folder))
		while (step(&walk))
			continue;
	if (walk.folder >= 0)
		(void)close(walk.folder);
	while (walk.count > 0)
		free(walk.levels[--walk.count].names);
	free(walk.levels);
	return !walk.is_incomplete;
}
