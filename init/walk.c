/* SPDX-License-Identifier: MIT */
#include "init/walk.h"

#include <dirent.h>
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
};

static int open_folder(int at, const char *name)
{
	return openat(at, name,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
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
		if (copy >= 0)
			(void)close(copy);
		return true;
	}
	for (struct dirent *entry = readdir(entries); entry && goes_on;
		entry = readdir(entries)) {
		struct file_facts facts;

		if (is_dots(entry->d_name) ||
			!file_facts_read(walk->folder, entry->d_name, &facts))
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
	if (!file_facts_read(folder, "", &facts))
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
	int folder = open_folder(walk->folder, "..");
	(void)close(walk->folder);
	walk->folder = folder;
	return folder >= 0 && file_facts_read(folder, "", &facts) &&
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
	int folder = open_folder(walk->folder, name);
	return folder < 0 || enter(walk, folder);
}

void walk_tree(const char *path, walk_fn *fn, void *ctx)
{
	struct walk walk = { .fn = fn, .ctx = ctx };
	struct file_facts facts;

	walk.folder = open_folder(AT_FDCWD, path);
	if (walk.folder < 0)
		return;
	if (file_facts_read(walk.folder, "", &facts) &&
		fn(ctx, walk.folder, "", &facts) && enter(&walk, walk.folder))
		while (step(&walk))
			continue;
	if (walk.folder >= 0)
		(void)close(walk.folder);
	while (walk.count > 0)
		free(walk.levels[--walk.count].names);
	free(walk.levels);
}
