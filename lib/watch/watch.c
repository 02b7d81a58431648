/* SPDX-License-Identifier: MIT */
#include "watch/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "watch/folders.h"

enum {
	/* At the end of writing, not at each write: half a file is no change yet. */
	WANTED = IN_CREATE | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE |
		IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF |
		IN_ONLYDIR | IN_EXCL_UNLINK,
	EVENTS_BYTES = 64 * 1024,
};

struct br_watch {
	struct br_watch_user user;
	char *top;
	int fd;
	/* The watch of the top. */
	int top_watch;
	bool is_top_gone;
	struct br_folders folders;
	/* br_watch_add_file(): absolute paths. */
	struct br_paths files;
};

static bool fail_to_watch(const char *folder, struct br_err *err)
{
	if (errno == ENOSPC)
		return br_fail(err, BR_ESYSTEM,
			"watch '%s': all watches of this user are taken; raise "
			"the limit with: sysctl fs.inotify.max_user_watches=N",
			folder);
	return br_fail_errno(err, "watch '%s'", folder);
}

/* A limit of the machine ends everything; a folder that is shut or gone does not. */
static bool is_passing(int error)
{
	return error != ENOSPC && error != ENOMEM && error != EMFILE;
}

/* Watch one folder. Gives false with errno where that cannot be. */
static bool add_folder(struct br_watch *watch, const char *folder)
{
	br_autofree char *path = br_path_join(watch->top, folder);
	int number =
		inotify_add_watch(watch->fd, path, WANTED | IN_DONT_FOLLOW);

	if (number < 0)
		return false;
	br_folders_set(&watch->folders, number, folder);
	if (folder[0] == '\0')
		watch->top_watch = number;
	return true;
}

static bool is_folder(int dir_fd, const struct dirent *entry)
{
	struct stat status;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dir_fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) ==
		0 &&
		S_ISDIR(status.st_mode);
}

/* List the folders in `folder`, and tell of the files where that is wanted. */
static void scan(struct br_watch *watch, const char *folder, bool is_told,
	struct br_paths *found)
{
	br_autofree char *path = br_path_join(watch->top, folder);
	DIR *dir = opendir(path);
	struct dirent *entry = NULL;

	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		bool is_dir = is_folder(dirfd(dir), entry);

		if (!strcmp(name, ".") || !strcmp(name, ".."))
			continue;
		char *inner =
			br_format("%s%s%s", folder, name, is_dir ? "/" : "");
		if (is_dir)
			br_paths_add(found, inner);
		else if (is_told)
			watch->user.tell(watch->user.ctx, BR_WATCH_MADE, inner);
		free(inner);
	}
	if (dir)
		(void)closedir(dir);
}

/* Watch folders and list those in them. */
static bool add_level(struct br_watch *watch, const struct br_paths *level,
	bool is_told, struct br_paths *next, struct br_err *err)
{
	for (size_t i = 0; i < level->count; i++) {
		const char *folder = level->items[i];

		if (add_folder(watch, folder)) {
			scan(watch, folder, is_told, next);
			continue;
		}
		if (!is_passing(errno) || folder[0] == '\0')
			return fail_to_watch(
				folder[0] != '\0' ? folder : watch->top, err);
		if (errno != ENOENT && errno != ENOTDIR)
			watch->user.cannot(watch->user.ctx, folder, errno);
	}
	return true;
}

/* Leave out what the user does not want. */
static void drop_ignored(const struct br_watch *watch, struct br_paths *folders)
{
	bool *is_ignored = br_alloc_array(folders->count, sizeof(*is_ignored));

	if (folders->count > 0)
		watch->user.ignore(watch->user.ctx,
			(const char *const *)folders->items, folders->count,
			is_ignored);
	br_paths_drop(folders, is_ignored);
	free(is_ignored);
}

/* Watch the folder and what is below it, level by level. */
static bool add_tree(struct br_watch *watch, const char *folder, bool is_told,
	struct br_err *err)
{
	struct br_paths level = { 0 };
	bool is_whole = true;

	br_paths_add(&level, folder);
	/* The top is not asked about. */
	if (folder[0] != '\0')
		drop_ignored(watch, &level);
	while (is_whole && level.count > 0) {
		struct br_paths next = { 0 };

		is_whole = add_level(watch, &level, is_told, &next, err);
		drop_ignored(watch, &next);
		br_paths_done(&level);
		level = next;
	}
	br_paths_done(&level);
	return is_whole;
}

/* Forget a folder that is elsewhere now: its watches have gone with it. */
static void drop_tree(struct br_watch *watch, const char *folder)
{
	size_t len = strlen(folder);

	for (size_t i = watch->folders.count; i-- > 0;) {
		const struct br_folder *at = &watch->folders.items[i];

		if (strncmp(at->path, folder, len) != 0)
			continue;
		(void)inotify_rm_watch(watch->fd, at->watch);
		br_folders_remove(&watch->folders, at->watch);
	}
}

static enum br_watch_news news_of(unsigned mask)
{
	if (mask & (IN_CREATE | IN_MOVED_TO))
		return BR_WATCH_MADE;
	return mask & (IN_DELETE | IN_MOVED_FROM) ? BR_WATCH_GONE
						  : BR_WATCH_CHANGED;
}

static bool take_folder(struct br_watch *watch, const char *path, unsigned mask,
	struct br_err *err)
{
	br_autofree char *folder = br_format("%s/", path);

	if (mask & (IN_CREATE | IN_MOVED_TO))
		return add_tree(watch, folder, true, err);
	if (mask & IN_MOVED_FROM && br_folders_has(&watch->folders, folder)) {
		drop_tree(watch, folder);
		watch->user.tell(watch->user.ctx, BR_WATCH_LOST, folder);
	}
	return true;
}

/* One of the single files, whose folder may be watched for nothing else. */
static void take_file(struct br_watch *watch, const char *folder,
	const char *name, enum br_watch_news news)
{
	br_autofree char *above = br_path_join(watch->top, folder);
	br_autofree char *path = br_path_join(above, name);

	for (size_t i = 0; i < watch->files.count; i++)
		if (!strcmp(watch->files.items[i], path))
			watch->user.tell(watch->user.ctx, news, path);
}

static bool take_named(struct br_watch *watch, const char *folder,
	const struct inotify_event *event, struct br_err *err)
{
	br_autofree char *path = br_format("%s%s", folder, event->name);

	if (folder[0] == '/')
		take_file(watch, folder, event->name, news_of(event->mask));
	else if (event->mask & IN_ISDIR)
		return take_folder(watch, path, event->mask, err);
	else
		watch->user.tell(watch->user.ctx, news_of(event->mask), path);
	return true;
}

static bool take_event(struct br_watch *watch,
	const struct inotify_event *event, struct br_err *err)
{
	const struct br_folder *folder =
		br_folders_find(&watch->folders, event->wd);

	if (event->mask & IN_Q_OVERFLOW) {
		watch->user.tell(watch->user.ctx, BR_WATCH_LOST, "");
		return br_watch_look_again(watch, err);
	}
	if (!folder)
		return true;
	if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT) &&
		event->wd == watch->top_watch)
		watch->is_top_gone = true;
	if (event->mask & IN_IGNORED) {
		br_folders_remove(&watch->folders, event->wd);
		return true;
	}
	if (event->len == 0)
		return true;
	/* The list may grow, and move, while this is done. */
	br_autofree char *path = br_strdup(folder->path);
	return take_named(watch, path, event, err);
}

static bool take_events(struct br_watch *watch, const char *data, size_t len,
	struct br_err *err)
{
	for (size_t at = 0; at < len;) {
		/* The kernel aligns them. */
		const struct inotify_event *event = (const void *)(data + at);

		if (!take_event(watch, event, err))
			return false;
		at += sizeof(*event) + event->len;
	}
	return true;
}

bool br_watch_read(struct br_watch *watch, struct br_err *err)
{
	alignas(struct inotify_event) char data[EVENTS_BYTES];

	for (;;) {
		ssize_t n = read(watch->fd, data, sizeof(data));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return br_fail_errno(err, "watch '%s'", watch->top);
		if (n <= 0)
			break;
		if (!take_events(watch, data, (size_t)n, err))
			return false;
	}
	return !watch->is_top_gone ||
		br_fail(err, BR_ENOTFOUND, "the directory '%s' is gone",
			watch->top);
}

bool br_watch_look_again(struct br_watch *watch, struct br_err *err)
{
	return add_tree(watch, "", false, err);
}

static bool open_inotify(struct br_watch *watch, struct br_err *err)
{
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->fd >= 0)
		return true;
	if (errno == EMFILE)
		return br_fail(err, BR_ESYSTEM,
			"watch for changes: too many programs of this user do "
			"or too many files are open; raise the limit with: "
			"sysctl fs.inotify.max_user_instances=N");
	return br_fail_errno(err, "watch for changes");
}

bool br_watch_open(const char *top, const struct br_watch_user *user,
	struct br_watch **watch, struct br_err *err)
{
	br_auto(br_watch) struct br_watch *opened = br_alloc(sizeof(*opened));

	opened->user = *user;
	opened->top = br_strdup(top);
	if (!open_inotify(opened, err) || !add_tree(opened, "", false, err))
		return false;
	*watch = br_take_ptr(&opened);
	return true;
}

bool br_watch_add_file(
	struct br_watch *watch, const char *path, struct br_err *err)
{
	br_autofree char *folder = br_strdup(path);
	char *slash = strrchr(folder, '/');

	slash[slash == folder] = '\0';
	int number = inotify_add_watch(watch->fd, folder, WANTED);
	if (number < 0)
		return fail_to_watch(folder, err);
	/* One that is in the tree is told from there. */
	if (!br_folders_find(&watch->folders, number))
		br_folders_set(&watch->folders, number, folder);
	for (size_t i = 0; i < watch->files.count; i++)
		if (!strcmp(watch->files.items[i], path))
			return true;
	br_paths_add(&watch->files, path);
	return true;
}

int br_watch_fd(const struct br_watch *watch)
{
	return watch->fd;
}

size_t br_watch_folder_count(const struct br_watch *watch)
{
	return watch->folders.count;
}

void br_watch_free(struct br_watch *watch)
{
	if (!watch)
		return;
	if (watch->fd >= 0)
		(void)close(watch->fd);
	br_folders_done(&watch->folders);
	br_paths_done(&watch->files);
	free(watch->top);
	free(watch);
}
