/* SPDX-License-Identifier: MIT */
#include "cache/prune.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/limits.h"
#include "cache/blobs.h"
#include "cache/facts.h"
#include "cache/store_private.h"
#include "cache/stored.h"

/* A build may still be about to name it. */
#define YOUNG_NS (INT64_C(3600) * 1000000000)

/* A file of the store: a result or a blob. */
struct entry {
	uint8_t digest[BR_HASH_BYTES];
	int64_t size_bytes;
	int64_t used_ns;
	/* Of a blob: a result that stays names it. */
	bool is_named;
};

struct entries {
	struct entry *items;
	size_t count;
	size_t capacity;
};

struct pruning {
	struct br_store *store;
	const struct br_prune_limits *limits;
	struct br_usage *removed;
	int64_t now_ns;
	/* Those used last come first. */
	struct entries results;
	/* By digest. */
	struct entries blobs;
	/* Of results that stay and what they name, each once. */
	int64_t kept_bytes;
	/* What the file system has free, and would have. */
	int64_t free_bytes;
};

static void note(struct entries *entries, int folder_fd, const char *name)
{
	struct entry entry = { 0 };
	struct stat status;

	if (!br_hash_parse(name, strlen(name), entry.digest) ||
		fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	entry.size_bytes = status.st_size;
	entry.used_ns = br_facts_of(&status).mtime_ns;
	entries->items = br_grow(entries->items, entries->count,
		&entries->capacity, sizeof(*entries->items));
	entries->items[entries->count++] = entry;
}

static DIR *open_folder(int at_fd, const char *path)
{
	int fd = openat(
		at_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!dir && fd >= 0)
		(void)close(fd);
	return dir;
}

static void list_folder(struct entries *entries, int kind_fd, const char *name)
{
	DIR *dir = open_folder(kind_fd, name);

	if (!dir)
		return;
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		note(entries, dirfd(dir), entry->d_name);
	(void)closedir(dir);
}

/* List `ac` or `cas`. */
static bool list(const struct br_store *store, const char *kind,
	struct entries *entries, struct br_err *err)
{
	DIR *dir = open_folder(store->fd, kind);

	if (!dir)
		return br_fail_errno(err, "read '%s/%s'", store->folder, kind);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		if (entry->d_name[0] != '.')
			list_folder(entries, dirfd(dir), entry->d_name);
	(void)closedir(dir);
	return true;
}

static int compare_use(const void *a, const void *b)
{
	const struct entry *left = a;
	const struct entry *right = b;

	if (left->used_ns != right->used_ns)
		return left->used_ns > right->used_ns ? -1 : 1;
	return memcmp(left->digest, right->digest, BR_HASH_BYTES);
}

static int compare_digest(const void *a, const void *b)
{
	return memcmp(((const struct entry *)a)->digest,
		((const struct entry *)b)->digest, BR_HASH_BYTES);
}

static struct entry *find_blob(
	struct pruning *pruning, const uint8_t digest[BR_HASH_BYTES])
{
	struct entry wanted = { 0 };

	memcpy(wanted.digest, digest, BR_HASH_BYTES);
	return pruning->blobs.count == 0
		? NULL
		: bsearch(&wanted, pruning->blobs.items, pruning->blobs.count,
			  sizeof(wanted), compare_digest);
}

/* Count a blob that a result names, or with `is_kept` mark it as named. */
static int64_t count_blob(struct pruning *pruning,
	const uint8_t digest[BR_HASH_BYTES], bool is_kept)
{
	struct entry *blob = find_blob(pruning, digest);

	if (!blob || blob->is_named)
		return 0;
	blob->is_named = is_kept;
	return blob->size_bytes;
}

/* Go through what a result names and nothing before it has named. */
static int64_t count_blobs(
	struct pruning *pruning, const struct br_stored *stored, bool is_kept)
{
	int64_t total = 0;

	for (size_t i = 0; i < stored->outputs.count; i++)
		if (stored->outputs.items[i].kind != BR_LISTED_LINK)
			total += count_blob(pruning,
				stored->outputs.items[i].digest, is_kept);
	if (stored->has_log)
		total += count_blob(pruning, stored->log_digest, is_kept);
	return total;
}

static void remove_entry(
	struct pruning *pruning, const char *kind, const struct entry *entry)
{
	char path[BR_BLOB_PATH_BYTES];

	br_blob_path(kind, entry->digest, path);
	if (unlinkat(pruning->store->fd, path, 0) < 0)
		return;
	pruning->removed->size_bytes += entry->size_bytes;
	if (strcmp(kind, "ac") == 0)
		pruning->removed->result_count++;
	else
		pruning->removed->blob_count++;
}

static bool is_too_old(const struct pruning *pruning, const struct entry *entry)
{
	int64_t max_age_ns = pruning->limits->max_age_ns;

	return max_age_ns >= 0 && pruning->now_ns - entry->used_ns > max_age_ns;
}

static bool is_too_much(const struct pruning *pruning, int64_t size_bytes)
{
	const struct br_prune_limits *limits = pruning->limits;
	int64_t kept_bytes = pruning->kept_bytes + size_bytes;

	return (limits->max_bytes >= 0 && kept_bytes > limits->max_bytes) ||
		(limits->min_free_bytes >= 0 &&
			pruning->free_bytes - kept_bytes <
				limits->min_free_bytes);
}

/* Keep it with all that it names, or remove it. */
static void judge_result(struct pruning *pruning, const struct entry *entry)
{
	br_autostored struct br_stored stored = { 0 };
	int64_t size_bytes = entry->size_bytes;

	if (!is_too_old(pruning, entry) &&
		br_store_peek(pruning->store, entry->digest, &stored)) {
		size_bytes += count_blobs(pruning, &stored, false);
		if (!is_too_much(pruning, size_bytes)) {
			(void)count_blobs(pruning, &stored, true);
			pruning->kept_bytes += size_bytes;
			return;
		}
	}
	remove_entry(pruning, "ac", entry);
}

static void sweep_blobs(struct pruning *pruning)
{
	for (size_t i = 0; i < pruning->blobs.count; i++) {
		const struct entry *blob = &pruning->blobs.items[i];

		if (!blob->is_named &&
			pruning->now_ns - blob->used_ns > YOUNG_NS)
			remove_entry(pruning, "cas", blob);
	}
}

static void sweep_temporaries(const struct pruning *pruning)
{
	DIR *dir = open_folder(pruning->store->fd, "tmp");

	if (!dir)
		return;
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		struct stat status;

		if (fstatat(dirfd(dir), entry->d_name, &status,
			    AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(status.st_mode) &&
			pruning->now_ns - br_facts_of(&status).mtime_ns >
				24 * YOUNG_NS)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	(void)closedir(dir);
}

static int64_t sum(const struct entries *entries)
{
	int64_t total = 0;

	for (size_t i = 0; i < entries->count; i++)
		total += entries->items[i].size_bytes;
	return total;
}

static bool gather(struct pruning *pruning, struct br_err *err)
{
	struct statvfs system = { 0 };

	/* Blobs first: what a build stores meanwhile is in neither list. */
	if (!list(pruning->store, "cas", &pruning->blobs, err) ||
		!list(pruning->store, "ac", &pruning->results, err))
		return false;
	if (pruning->results.count > 0)
		qsort(pruning->results.items, pruning->results.count,
			sizeof(struct entry), compare_use);
	if (pruning->blobs.count > 0)
		qsort(pruning->blobs.items, pruning->blobs.count,
			sizeof(struct entry), compare_digest);
	if (fstatvfs(pruning->store->fd, &system) < 0)
		return br_fail_errno(err, "look at the file system of '%s'",
			pruning->store->folder);
	/* If nothing were stored at all. */
	pruning->free_bytes = (int64_t)(system.f_bavail * system.f_frsize) +
		sum(&pruning->results) + sum(&pruning->blobs);
	return true;
}

bool br_store_prune(struct br_store *store,
	const struct br_prune_limits *limits, struct br_usage *removed,
	struct br_err *err)
{
	struct pruning pruning = {
		.store = store,
		.limits = limits,
		.removed = removed,
		.now_ns = br_facts_now_ns(),
	};
	bool is_good = gather(&pruning, err);

	*removed = (struct br_usage){ 0 };
	if (is_good) {
		for (size_t i = 0; i < pruning.results.count; i++)
			judge_result(&pruning, &pruning.results.items[i]);
		sweep_blobs(&pruning);
		sweep_temporaries(&pruning);
	}
	free(pruning.results.items);
	free(pruning.blobs.items);
	return is_good;
}

void br_store_measure(struct br_store *store, struct br_usage *usage)
{
	struct entries results = { 0 };
	struct entries blobs = { 0 };
	struct br_err err = { 0 };

	/* A folder that is not there has nothing. */
	(void)(list(store, "ac", &results, &err) &&
		list(store, "cas", &blobs, &err));
	*usage = (struct br_usage){
		.result_count = results.count,
		.blob_count = blobs.count,
		.size_bytes = sum(&results) + sum(&blobs),
	};
	free(results.items);
	free(blobs.items);
}
