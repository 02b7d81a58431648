/* SPDX-License-Identifier: MIT */
/*
 * watch.h - what happens to the files below a folder, by inotify(7).
 *
 * Every folder has a watch of its own, and new ones get theirs as they come; what
 * was put into them before that is told too, so nothing is missed, but the same may
 * be told twice. Links are told as files and not followed. Which folders are left
 * out is the user's to say, a whole level of the tree in one call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/clean.h"
#include "base/err.h"

enum br_watch_news {
	/* It is there now and may not have been before. */
	BR_WATCH_MADE,
	/* Its content or mode was changed. */
	BR_WATCH_CHANGED,
	BR_WATCH_GONE,
	/*
	 * Not known what: the kernel had to drop something, or a whole folder went
	 * away. `path` is that folder, or "".
	 */
	BR_WATCH_LOST,
};

/* Who is told. Paths are relative to the top, and good for the call. */
struct br_watch_user {
	void *ctx;
	/* Set is_ignored[i] for folders, each `path/`, that are not to be watched. */
	void (*ignore)(void *ctx, const char *const *folders, size_t count,
		bool *is_ignored);
	/* A file, a link or the like; of a file of br_watch_add_file() its own path. */
	void (*tell)(void *ctx, enum br_watch_news news, const char *path);
	/* A folder that cannot be watched, with errno; the others are. */
	void (*cannot)(void *ctx, const char *folder, int error);
};

struct br_watch;

/*
 * Watch `top` and all below it. What is there already is not told.
 *
 * Ownership: the caller frees *watch with br_watch_free(). `top` and `user` are
 * copied. Fails with BR_ESYSTEM; where the kernel's limit of watches or of
 * instances is reached the text names the setting.
 */
bool br_watch_open(const char *top, const struct br_watch_user *user,
	struct br_watch **watch, struct br_err *err) BR_MUST_CHECK;

/*
 * Watch one file more, by its absolute path, which need not exist. Its folder must.
 *
 * Fails with BR_ESYSTEM.
 */
bool br_watch_add_file(struct br_watch *watch, const char *path,
	struct br_err *err) BR_MUST_CHECK;

/* Give the descriptor that is readable when there is something to read. */
int br_watch_fd(const struct br_watch *watch);

/*
 * Tell what has come, without waiting.
 *
 * Fails with BR_ENOTFOUND where the top is gone, and as br_watch_open().
 */
bool br_watch_read(struct br_watch *watch, struct br_err *err) BR_MUST_CHECK;

/*
 * Look for folders that have no watch yet: the user ignores others now. What is in
 * them is not told. Fails as br_watch_open().
 */
bool br_watch_look_again(
	struct br_watch *watch, struct br_err *err) BR_MUST_CHECK;

/* Count the folders that are watched. */
size_t br_watch_folder_count(const struct br_watch *watch);

/* Stop watching. `watch` may be NULL. */
void br_watch_free(struct br_watch *watch);

BR_DEFINE_AUTO(br_watch)
