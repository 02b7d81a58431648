/* SPDX-License-Identifier: MIT */
#include "cache/inventory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "cache/blobs.h"
#include "cache/file_facts.h"
#include "cache/store_private.h"
#include "cache/users.h"

enum {
	/* `cas/AB`, with the NUL. */
	PARENT_BYTES = 8,
	PARENTS = 256,
};

/* Takes a file of the store that is named by a hash. */
typedef void held_fn(struct br_inventory *inventory,
	const uint8_t name[BR_HASH_BYTES], const struct stat *status);

static int64_t ns_of(const struct timespec *when)
{
	return (int64_t)when->tv_sec * 1000000000 + when->tv_nsec;
}

static void add_result(struct br_inventory *inventory,
	const uint8_t name[BR_HASH_BYTES], const struct stat *status)
{
	inventory->results = br_grow(inventory->results,
		inventory->result_count, &inventory->result_capacity,
		sizeof(*inventory->results));

	struct br_held_result *result =
		&inventory->results[inventory->result_count++];
	*result = (struct br_held_result){
		.used_ns = ns_of(&status->st_mtim),
		.own_bytes = status->st_size,
	};
	memcpy(result->identity, name, BR_HASH_BYTES);
}

static void add_blob(struct br_inventory *inventory,
	const uint8_t name[BR_HASH_BYTES], const struct stat *status)
{
	inventory->blobs = br_grow(inventory->blobs, inventory->blob_count,
		&inventory->blob_capacity, sizeof(*inventory->blobs));

	struct br_held_blob *blob = &inventory->blobs[inventory->blob_count++];
	*blob = (struct br_held_blob){
		.size_bytes = status->st_size,
		.stored_ns = ns_of(&status->st_mtim),
	};
	memcpy(blob->digest, name, BR_HASH_BYTES);
	inventory->size_bytes += status->st_size;
}

static void close_folder(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

static bool walk_parent(struct br_inventory *inventory, int store_fd,
	const char *parent, held_fn *fn, struct br_err *err)
{
	br_autoclose int fd =
		openat(store_fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ||
			br_fail_errno(err, "open the cache's '%s'", parent);

	__attribute__((cleanup(close_folder))) DIR *folder = fdopendir(fd);
	if (!folder)
		return br_fail_errno(err, "read the cache's '%s'", parent);
	(void)br_take_fd(&fd);
	for (struct dirent *found = readdir(folder); found;
		found = readdir(folder)) {
		uint8_t name[BR_HASH_BYTES];
		struct stat status;

		if (br_hash_parse(found->d_name, strlen(found->d_name), name) &&
			fstatat(dirfd(folder), found->d_name, &status,
				AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(status.st_mode))
			fn(inventory, name, &status);
	}
	return true;
}

static bool walk(struct br_inventory *inventory, int store_fd, const char *kind,
	held_fn *fn, struct br_err *err)
{
	for (int i = 0; i < PARENTS; i++) {
		char parent[PARENT_BYTES];

		(void)snprintf(parent, sizeof(parent), "%.3s/%02x", kind,
			(unsigned)i & 0xff);
		if (!walk_parent(inventory, store_fd, parent, fn, err))
			return false;
	}
	return true;
}

static int compare_digests(const void *a, const void *b)
{
	const struct br_held_blob *left = a;
	const struct br_held_blob *right = b;

	return memcmp(left->digest, right->digest, BR_HASH_BYTES);
}

static int compare_uses(const void *a, const void *b)
{
	const struct br_held_result *left = a;
	const struct br_held_result *right = b;

	if (left->used_ns != right->used_ns)
		return left->used_ns < right->used_ns ? -1 : 1;
	return memcmp(left->identity, right->identity, BR_HASH_BYTES);
}

static int compare_numbers(const void *a, const void *b)
{
	const size_t *left = a;
	const size_t *right = b;

	return *left < *right ? -1 : *left > *right;
}

/* Have each blob once. */
static void settle(struct br_held_result *result)
{
	size_t kept = 0;

	if (result->blob_count > 0)
		qsort(result->blobs, result->blob_count, sizeof(*result->blobs),
			compare_numbers);
	for (size_t i = 0; i < result->blob_count; i++)
		if (kept == 0 || result->blobs[kept - 1] != result->blobs[i])
			result->blobs[kept++] = result->blobs[i];
	result->blob_count = kept;
}

static void name_blob(const struct br_inventory *inventory,
	struct br_held_result *result, const uint8_t digest[BR_HASH_BYTES])
{
	struct br_held_blob wanted = { 0 };
	const struct br_held_blob *found = NULL;

	memcpy(wanted.digest, digest, BR_HASH_BYTES);
	if (inventory->blob_count > 0)
		found = bsearch(&wanted, inventory->blobs,
			inventory->blob_count, sizeof(wanted), compare_digests);
	if (found)
		result->blobs[result->blob_count++] =
			(size_t)(found - inventory->blobs);
	else
		result->is_damaged = true;
}

static void read_result(struct br_store *store, struct br_inventory *inventory,
	struct br_held_result *result)
{
	br_autostored struct br_stored stored = { 0 };

	br_users_load(store, result->identity, &result->users);
	result->own_bytes += (int64_t)result->users.len;
	inventory->size_bytes += result->own_bytes;
	if (!br_store_peek(store, result->identity, &stored)) {
		result->is_damaged = true;
		return;
	}
	result->blobs = br_alloc_array(
		stored.outputs.count + 1, sizeof(*result->blobs));
	for (size_t i = 0; i < stored.outputs.count; i++)
		if (stored.outputs.items[i].kind != BR_LISTED_LINK)
			name_blob(inventory, result,
				stored.outputs.items[i].digest);
	if (stored.has_log)
		name_blob(inventory, result, stored.log_digest);
	settle(result);
	for (size_t i = 0; i < result->blob_count; i++)
		inventory->blobs[result->blobs[i]].result_count++;
}

bool br_inventory_build(struct br_store *store, struct br_inventory *inventory,
	struct br_err *err)
{
	br_autoinventory struct br_inventory built = {
		.begun_ns = br_file_facts_now_ns(),
	};

	/*
	 * Results first: what one that is listed names was stored before, and so is
	 * listed too.
	 */
	if (!walk(&built, store->fd, "ac", add_result, err) ||
		!walk(&built, store->fd, "cas", add_blob, err))
		return false;
	if (built.blob_count > 0)
		qsort(built.blobs, built.blob_count, sizeof(*built.blobs),
			compare_digests);
	if (built.result_count > 0)
		qsort(built.results, built.result_count, sizeof(*built.results),
			compare_uses);
	for (size_t i = 0; i < built.result_count; i++)
		read_result(store, &built, &built.results[i]);
	*inventory = built;
	built = (struct br_inventory){ 0 };
	return true;
}

int64_t br_inventory_result_bytes(const struct br_inventory *inventory,
	const struct br_held_result *result)
{
	int64_t size_bytes = result->own_bytes;

	for (size_t i = 0; i < result->blob_count; i++)
		size_bytes += inventory->blobs[result->blobs[i]].size_bytes;
	return size_bytes;
}

void br_inventory_drop(
	struct br_inventory *inventory, struct br_held_result *result)
{
	inventory->size_bytes -= result->own_bytes;
	result->is_dropped = true;
	for (size_t i = 0; i < result->blob_count; i++) {
		struct br_held_blob *blob = &inventory->blobs[result->blobs[i]];

		blob->is_dropped = true;
		if (--blob->result_count == 0)
			inventory->size_bytes -= blob->size_bytes;
	}
}

void br_inventory_keep(
	struct br_inventory *inventory, struct br_held_result *result)
{
	inventory->size_bytes += result->own_bytes;
	result->is_dropped = false;
	for (size_t i = 0; i < result->blob_count; i++) {
		struct br_held_blob *blob = &inventory->blobs[result->blobs[i]];

		if (blob->result_count++ == 0)
			inventory->size_bytes += blob->size_bytes;
	}
}

void br_inventory_done(struct br_inventory *inventory)
{
	for (size_t i = 0; i < inventory->result_count; i++) {
		br_buf_done(&inventory->results[i].users);
		free(inventory->results[i].blobs);
	}
	free(inventory->results);
	free(inventory->blobs);
	*inventory = (struct br_inventory){ 0 };
}
