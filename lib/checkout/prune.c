/* SPDX-License-Identifier: MIT */
/* prune.c - the mirrors that go: by age, and by the room that they take. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/sha256.h"
#include "checkout/checkout.h"
#include "checkout/folder.h"
#include "checkout/lock.h"
#include "checkout/mirror.h"

enum {
	/* Files of LFS are the deepest: lfs/objects/01/23/<hash>. */
	DEPTH_MAX = 16,
	/* Of st_blocks, whatever the file system's are. */
	BLOCK_BYTES = 512,
	MS = 1000,
};

struct candidate {
	char *key;
	/* In seconds since 1970. */
	int64_t used;
	int64_t bytes;
};

/* All mirrors; only those in `items` are owned. */
struct mirrors {
	const char *folder;
	struct candidate *items;
	size_t count;
	size_t capacity;
	/* On the disk, of those that are left. */
	int64_t bytes;
};

/* A folder that is measured. */
struct measure {
	const char *folder;
	int depth;
	int64_t bytes;
};

static int64_t measure(const char *folder, int depth);

static void measure_entry(void *ctx, int at, const char *name)
{
	struct measure *all = ctx;
	br_autofree char *path = NULL;
	struct stat status;

	if (fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	all->bytes += (int64_t)status.st_blocks * BLOCK_BYTES;
	if (!S_ISDIR(status.st_mode) || all->depth >= DEPTH_MAX)
		return;
	path = br_path_join(all->folder, name);
	all->bytes += measure(path, all->depth + 1);
}

/* Calls itself through measure_entry(), up to the limit. */
static int64_t measure(const char *folder, int depth)
{
	struct measure all = { .folder = folder, .depth = depth };

	br_folder_each(folder, measure_entry, &all);
	return all.bytes;
}

/* A mirror has a hash for its name; its lock and the like are none. */
static bool is_key(const char *name)
{
	return strspn(name, "0123456789abcdef") == BR_SHA256_TEXT_BYTES - 1 &&
		name[BR_SHA256_TEXT_BYTES - 1] == '\0';
}

static void find_mirror(void *ctx, int at, const char *name)
{
	struct mirrors *mirrors = ctx;
	br_autofree char *lock = br_format("%s.lock", name);
	struct stat status = { 0 };

	if (!is_key(name) ||
		(fstatat(at, lock, &status, AT_SYMLINK_NOFOLLOW) < 0 &&
			fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) < 0))
		return;
	mirrors->items = br_grow(mirrors->items, mirrors->count,
		&mirrors->capacity, sizeof(*mirrors->items));
	mirrors->items[mirrors->count++] = (struct candidate){
		.key = br_strdup(name),
		.used = status.st_mtime,
	};
}

/* Remove one, unless somebody uses it, or has since we looked. */
static bool remove_mirror(
	struct mirrors *mirrors, const struct candidate *candidate)
{
	struct br_mirror mirror = { .lock_fd = -1 };
	struct br_err ignored = { 0 };

	if (!br_mirror_open(mirrors->folder, candidate->key, &mirror, &ignored))
		return false;

	bool is_removed = br_lock_try(mirror.lock_fd) &&
		br_mirror_used(&mirror) <= candidate->used &&
		br_mirror_remove(&mirror);
	if (is_removed)
		mirrors->bytes -= candidate->bytes;
	br_mirror_close(&mirror);
	return is_removed;
}

static int compare_use(const void *a, const void *b)
{
	const struct candidate *left = a;
	const struct candidate *right = b;

	return (left->used > right->used) - (left->used < right->used);
}

static bool has_room(
	const struct mirrors *mirrors, const struct br_checkout_limits *limits)
{
	struct statvfs space;

	if (limits->max_bytes > 0 && mirrors->bytes > limits->max_bytes)
		return false;
	return limits->min_free_bytes == 0 ||
		statvfs(mirrors->folder, &space) < 0 ||
		(int64_t)(space.f_bavail * space.f_frsize) >=
		limits->min_free_bytes;
}

static void measure_all(struct mirrors *mirrors)
{
	for (size_t i = 0; i < mirrors->count; i++) {
		struct candidate *candidate = &mirrors->items[i];
		br_autofree char *folder =
			br_path_join(mirrors->folder, candidate->key);

		candidate->bytes = measure(folder, 0);
		mirrors->bytes += candidate->bytes;
	}
}

static size_t prune(
	struct mirrors *mirrors, const struct br_checkout_limits *limits)
{
	int64_t oldest = limits->max_age_ms > 0
		? (int64_t)time(NULL) - limits->max_age_ms / MS
		: INT64_MIN;
	size_t removed_count = 0;

	if (mirrors->count > 0)
		qsort(mirrors->items, mirrors->count, sizeof(*mirrors->items),
			compare_use);
	if (limits->max_bytes > 0)
		measure_all(mirrors);
	for (size_t i = 0; i < mirrors->count; i++) {
		const struct candidate *candidate = &mirrors->items[i];

		if (candidate->used >= oldest && has_room(mirrors, limits))
			break;
		removed_count += remove_mirror(mirrors, candidate);
	}
	return removed_count;
}

size_t br_checkout_prune(
	const char *work_dir, const struct br_checkout_limits *limits)
{
	br_autofree char *folder = br_path_join(work_dir, "mirrors");
	struct mirrors mirrors = { .folder = folder };
	size_t removed_count;

	br_folder_each(folder, find_mirror, &mirrors);
	removed_count = prune(&mirrors, limits);
	for (size_t i = 0; i < mirrors.count; i++)
		free(mirrors.items[i].key);
	free(mirrors.items);
	return removed_count;
}
