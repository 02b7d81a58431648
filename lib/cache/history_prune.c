/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "cache/file_facts.h"
#include "cache/history.h"
#include "cache/history_private.h"
#include "cache/record.h"
#include "cache/store_private.h"

/* All that is remembered of one project. */
struct folder {
	struct br_store *store;
	const char *path;
	DIR *dir;
};

static bool is_stage(const char *name)
{
	return !strchr(name, '.');
}

/* The project's name is in each of its files. */
static bool find_project(const struct folder *folder, struct br_buf *project)
{
	bool is_found = false;

	for (struct dirent *entry = readdir(folder->dir); entry && !is_found;
		entry = readdir(folder->dir)) {
		br_autofree char *path =
			br_path_join(folder->path, entry->d_name);
		br_autohistory struct br_history history = { 0 };

		is_found = is_stage(entry->d_name) &&
			br_history_read(folder->store, path, &history);
		if (is_found)
			br_record_unescape(history.project, project);
	}
	rewinddir(folder->dir);
	return is_found;
}

/* What cannot be looked at for another reason may be there. */
static bool is_gone(const struct folder *folder)
{
	br_autobuf struct br_buf project = { 0 };

	return find_project(folder, &project) &&
		br_buf_text(&project)[0] == '/' &&
		access(br_buf_text(&project), F_OK) < 0 &&
		(errno == ENOENT || errno == ENOTDIR);
}

/* Why a stage ran is as old as the stage, as long as that is remembered. */
static bool is_older(
	const struct folder *folder, const char *name, int64_t before_ns)
{
	br_autofree char *stage = br_memdup(name, strcspn(name, "."));
	struct stat status;

	if (fstatat(dirfd(folder->dir), stage, &status, AT_SYMLINK_NOFOLLOW) <
			0 &&
		fstatat(dirfd(folder->dir), name, &status,
			AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return br_file_facts_of(&status).mtime_ns < before_ns;
}

static void prune_project(const struct folder *folder, int64_t before_ns)
{
	bool is_all = is_gone(folder);

	for (struct dirent *entry = readdir(folder->dir); entry;
		entry = readdir(folder->dir))
		if (entry->d_name[0] != '.' &&
			(is_all || is_older(folder, entry->d_name, before_ns)))
			(void)unlinkat(dirfd(folder->dir), entry->d_name, 0);
	/* It stays where anything is left. */
	(void)unlinkat(folder->store->fd, folder->path, AT_REMOVEDIR);
}

void br_history_prune(struct br_store *store, int64_t before_ns)
{
	DIR *top = br_history_open_folder(store, BR_HISTORY_TOP);

	for (struct dirent *entry = top ? readdir(top) : NULL; entry;
		entry = readdir(top)) {
		br_autofree char *path =
			br_path_join(BR_HISTORY_TOP, entry->d_name);
		const struct folder folder = {
			.store = store,
			.path = path,
			.dir = entry->d_name[0] != '.'
				? br_history_open_folder(store, path)
				: NULL,
		};

		if (!folder.dir)
			continue;
		prune_project(&folder, before_ns);
		(void)closedir(folder.dir);
	}
	if (top)
		(void)closedir(top);
}
