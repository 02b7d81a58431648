/* SPDX-License-Identifier: MIT */
#include "cache/prune.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clean.h"
#include "cache/blobs.h"
#include "cache/file_facts.h"
#include "cache/history.h"
#include "cache/store_private.h"

static const int64_t day_ns = (int64_t)24 * 60 * 60 * 1000000000;
static const int64_t hour_ns = (int64_t)60 * 60 * 1000000000;

static const int64_t memory_ns = BR_PRUNE_AGE_MS * 1000000;

enum {
	STAMP_MODE = 0600,
	/* Whatever else the machine does comes first. */
	NICENESS = 10,
};

static int64_t mtime_ns(const struct stat *status)
{
	return (int64_t)status->st_mtim.tv_sec * 1000000000 +
		status->st_mtim.tv_nsec;
}

static bool find_free(
	struct br_store *store, int64_t *free_bytes, struct br_err *err)
{
	struct statvfs status;

	if (fstatvfs(store->fd, &status) < 0)
		return br_fail_errno(
			err, "look how much is free in '%s'", store->folder);
	*free_bytes = (int64_t)(status.f_bavail * status.f_frsize);
	return true;
}

static bool is_over(const struct br_held_blob *blob, int64_t now_ns)
{
	return blob->result_count == 0 &&
		(blob->is_dropped || blob->stored_ns < now_ns - day_ns);
}

/* They go whatever the limits are. */
static void drop_leftovers(struct br_inventory *inventory)
{
	for (size_t i = 0; i < inventory->blob_count; i++)
		if (is_over(&inventory->blobs[i], inventory->begun_ns))
			inventory->size_bytes -= inventory->blobs[i].size_bytes;
}

/* Drop from the least recently used on until the account is not more than `size_bytes`. */
static void drop_down_to(struct br_inventory *inventory, int64_t size_bytes)
{
	for (size_t i = 0; i < inventory->result_count; i++) {
		if (inventory->size_bytes <= size_bytes)
			return;
		if (!inventory->results[i].is_dropped)
			br_inventory_drop(inventory, &inventory->results[i]);
	}
}

static void drop_old(struct br_inventory *inventory, int64_t max_age_ms)
{
	int64_t oldest_ns = inventory->begun_ns - max_age_ms * 1000000;

	for (size_t i = 0; i < inventory->result_count; i++) {
		struct br_held_result *result = &inventory->results[i];
		bool is_old = max_age_ms >= 0 && result->used_ns < oldest_ns;

		if (!result->is_dropped && (is_old || result->is_damaged))
			br_inventory_drop(inventory, result);
	}
}

bool br_prune_choose(struct br_store *store,
	const struct br_prune_limits *limits, struct br_inventory *inventory,
	struct br_err *err)
{
	int64_t before_bytes = inventory->size_bytes;
	int64_t free_bytes = 0;

	drop_leftovers(inventory);
	drop_old(inventory, limits->max_age_ms);
	if (limits->max_bytes >= 0)
		drop_down_to(inventory, limits->max_bytes);
	if (limits->min_free_bytes < 0)
		return true;
	if (!find_free(store, &free_bytes, err))
		return false;
	drop_down_to(inventory,
		before_bytes - (limits->min_free_bytes - free_bytes));
	return true;
}

static void remove_result(struct br_store *store,
	struct br_inventory *inventory, struct br_held_result *result)
{
	char path[BR_BLOB_PATH_BYTES];
	struct stat status;

	br_blob_path("ac", result->identity, path);
	if (fstatat(store->fd, path, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		(mtime_ns(&status) != result->used_ns ||
			unlinkat(store->fd, path, 0) < 0)) {
		br_inventory_keep(inventory, result);
		return;
	}
	br_blob_path("who", result->identity, path);
	(void)unlinkat(store->fd, path, 0);
}

static bool remove_blob(struct br_store *store, const struct br_held_blob *blob)
{
	char path[BR_BLOB_PATH_BYTES];
	struct stat status;

	br_blob_path("cas", blob->digest, path);
	return fstatat(store->fd, path, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		mtime_ns(&status) == blob->stored_ns &&
		unlinkat(store->fd, path, 0) == 0;
}

static void close_folder(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

/* Takes a file of an open folder. */
typedef void file_fn(struct br_store *store, int folder_fd, const char *name);

/* Have `fn` look at each file of a folder that nobody has touched since then. */
static void each_old(struct br_store *store, const char *path,
	int64_t before_ns, file_fn *fn)
{
	br_autoclose int fd =
		openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__attribute__((cleanup(close_folder))) DIR *folder =
		fd >= 0 ? fdopendir(fd) : NULL;

	if (!folder)
		return;
	(void)br_take_fd(&fd);
	for (struct dirent *found = readdir(folder); found;
		found = readdir(folder)) {
		struct stat status;

		if (fstatat(dirfd(folder), found->d_name, &status,
			    AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(status.st_mode) &&
			mtime_ns(&status) < before_ns)
			fn(store, dirfd(folder), found->d_name);
	}
}

static void remove_file(struct br_store *store, int folder_fd, const char *name)
{
	(void)store;
	(void)unlinkat(folder_fd, name, 0);
}

/* The note of a stage that failed, or of a result that is gone. */
static void remove_note(struct br_store *store, int folder_fd, const char *name)
{
	uint8_t identity[BR_HASH_BYTES];
	char path[BR_BLOB_PATH_BYTES];

	if (!br_hash_parse(name, strlen(name), identity))
		return;
	br_blob_path("ac", identity, path);
	if (faccessat(store->fd, path, F_OK, 0) < 0)
		(void)unlinkat(folder_fd, name, 0);
}

static void remove_leftovers(struct br_store *store, int64_t now_ns)
{
	/* What was being written when a build crashed. */
	each_old(store, "tmp", now_ns - day_ns, remove_file);
	for (unsigned i = 0; i <= UINT8_MAX; i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "who/%02x", i);
		each_old(store, path, now_ns - day_ns, remove_note);
	}
	/* A build remembers its own again. */
	each_old(store, "images", now_ns - memory_ns, remove_file);
	br_history_prune(store, now_ns - memory_ns);
}

void br_prune_remove(struct br_store *store, struct br_inventory *inventory,
	bool is_dry, struct br_pruned *pruned)
{
	*pruned = (struct br_pruned){ 0 };
	/* The results first: what is still named is not taken away. */
	for (size_t i = 0; i < inventory->result_count; i++) {
		struct br_held_result *result = &inventory->results[i];

		if (result->is_dropped && !is_dry)
			remove_result(store, inventory, result);
		if (!result->is_dropped)
			continue;
		pruned->result_count++;
		pruned->size_bytes += result->own_bytes;
	}
	for (size_t i = 0; i < inventory->blob_count; i++) {
		const struct br_held_blob *blob = &inventory->blobs[i];

		if (is_over(blob, inventory->begun_ns) &&
			(is_dry || remove_blob(store, blob)))
			pruned->size_bytes += blob->size_bytes;
	}
	if (!is_dry)
		remove_leftovers(store, inventory->begun_ns);
}

/* Whether an hour has passed since the last time; this is the next one then. */
static bool is_due(const char *folder)
{
	struct stat status;
	br_autoclose int store_fd =
		open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (store_fd < 0 ||
		(fstatat(store_fd, "pruned", &status, 0) == 0 &&
			br_file_facts_now_ns() - mtime_ns(&status) < hour_ns))
		return false;

	br_autoclose int fd = openat(store_fd, "pruned",
		O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, STAMP_MODE);
	return fd >= 0 && futimens(fd, NULL) == 0;
}

static void prune(const char *folder, const struct br_prune_limits *limits)
{
	br_auto(br_store) struct br_store *store = NULL;
	br_autoinventory struct br_inventory inventory = { 0 };
	struct br_pruned pruned;
	struct br_err ignored = { 0 };

	if (br_store_open(folder, &store, &ignored) &&
		br_inventory_build(store, &inventory, &ignored) &&
		br_prune_choose(store, limits, &inventory, &ignored))
		br_prune_remove(store, &inventory, false, &pruned);
}

/* What its parent holds, a terminal or a pipe, is not held up by it. */
static void leave(void)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (int fd = 0; nothing >= 0 && fd <= 2; fd++)
		(void)dup2(nothing, fd);
	(void)close_range(3, ~0U, 0);
	(void)!nice(NICENESS);
}

void br_prune_start(const char *folder, const struct br_prune_limits *limits)
{
	if (!is_due(folder))
		return;

	pid_t child = fork();
	/* Its own child has no parent that would have to wait for it. */
	if (child == 0) {
		if (fork() == 0) {
			leave();
			prune(folder, limits);
		}
		_exit(0);
	}
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		continue;
}
