/* SPDX-License-Identifier: MIT */
#include "cache/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "cache/blobs.h"
#include "cache/index.h"
#include "cache/store_private.h"

enum {
	FOLDER_MODE = 0700,
	/* Tag and length of field 1000, bytes. */
	SEAL_HEAD_BYTES = 3,
	SEAL_BYTES = SEAL_HEAD_BYTES + BR_HASH_BYTES,
};

static const uint8_t seal_head[SEAL_HEAD_BYTES] = { 0xc2, 0x3e, BR_HASH_BYTES };

bool br_store_find_folder(char **path, struct br_err *err)
{
	const char *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	/* A relative one is to be ignored (XDG Base Directory). */
	if (cache && cache[0] == '/')
		*path = br_path_join(cache, "buildr");
	else if (home && home[0] == '/')
		*path = br_path_join(home, ".cache/buildr");
	else
		return br_fail(err, BR_EUNAVAIL,
			"neither XDG_CACHE_HOME nor HOME is set");
	return true;
}

/* Make a folder and those above it. */
static void make_folders(const char *path)
{
	br_autofree char *part = br_strdup(path);

	if (mkdir(part, FOLDER_MODE) == 0 || errno == EEXIST)
		return;
	for (char *at = strchr(part + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		(void)mkdir(part, FOLDER_MODE);
		*at = '/';
	}
	/* What is wrong, whoever opens it will say. */
	(void)mkdir(part, FOLDER_MODE);
}

bool br_store_open(
	const char *folder, struct br_store **store, struct br_err *err)
{
	static const char *const parts[] = { "ac", "cas", "tmp", "who" };
	br_auto(br_store) struct br_store *made = br_alloc(sizeof(*made));

	made->fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (made->fd < 0) {
		make_folders(folder);
		made->fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (made->fd < 0)
		return br_fail_errno(err, "open the cache '%s'", folder);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (mkdirat(made->fd, parts[i], FOLDER_MODE) < 0 &&
			errno != EEXIST)
			return br_fail_errno(
				err, "make '%s/%s'", folder, parts[i]);
	made->folder = br_strdup(folder);
	*store = br_take_ptr(&made);
	return true;
}

void br_store_free(struct br_store *store)
{
	if (!store)
		return;
	br_index_free(store->index);
	if (store->fd >= 0)
		(void)close(store->fd);
	free(store->folder);
	free(store);
}

struct br_index *br_store_index(struct br_store *store)
{
	if (!store->index) {
		br_autofree char *path =
			br_path_join(store->folder, "index.db");

		store->index = br_index_open(path);
	}
	return store->index;
}

static bool load_key(int store_fd, uint8_t key[BR_HASH_BYTES])
{
	br_autoclose int fd = openat(
		store_fd, "secret.key", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && read(fd, key, BR_HASH_BYTES) == BR_HASH_BYTES;
}

/* Of two builds that make one at once the first wins. */
static bool make_key(int store_fd, struct br_err *err)
{
	uint8_t key[BR_HASH_BYTES];
	char temporary[BR_BLOB_TEMPORARY_BYTES];
	br_autoclose int fd = br_blob_make_temporary(store_fd, temporary);

	if (fd < 0)
		return br_fail_errno(err, "make a file in the cache");

	bool is_made = getrandom(key, sizeof(key), 0) == sizeof(key) &&
		br_file_write(fd, key, sizeof(key), err) &&
		(linkat(store_fd, temporary, store_fd, "secret.key", 0) == 0 ||
			errno == EEXIST);
	if (!is_made)
		(void)br_fail_errno(err, "make the cache's key for secrets");
	(void)unlinkat(store_fd, temporary, 0);
	return is_made;
}

bool br_store_secret_key(
	struct br_store *store, uint8_t key[BR_HASH_BYTES], struct br_err *err)
{
	if (load_key(store->fd, key))
		return true;
	if (!make_key(store->fd, err))
		return false;
	return load_key(store->fd, key) ||
		br_fail(err, BR_ESYSTEM, "'%s/secret.key' is not 32 bytes",
			store->folder);
}

static void hash_seal(const uint8_t identity[BR_HASH_BYTES],
	const struct br_buf *bytes, size_t len, uint8_t seal[BR_HASH_BYTES])
{
	br_autobuf struct br_buf all = { 0 };

	br_buf_add(&all, identity, BR_HASH_BYTES);
	br_buf_add(&all, bytes->data, len);
	br_hash_bytes(all.data, all.len, seal);
}

static void add_seal(
	const uint8_t identity[BR_HASH_BYTES], struct br_buf *bytes)
{
	uint8_t seal[BR_HASH_BYTES];

	hash_seal(identity, bytes, bytes->len, seal);
	br_buf_add(bytes, seal_head, sizeof(seal_head));
	br_buf_add(bytes, seal, sizeof(seal));
}

static bool has_seal(
	const uint8_t identity[BR_HASH_BYTES], const struct br_buf *bytes)
{
	uint8_t seal[BR_HASH_BYTES];
	size_t len = bytes->len - SEAL_BYTES;

	if (bytes->len < SEAL_BYTES ||
		memcmp(bytes->data + len, seal_head, SEAL_HEAD_BYTES) != 0)
		return false;
	hash_seal(identity, bytes, len, seal);
	return memcmp(bytes->data + len + SEAL_HEAD_BYTES, seal,
		       BR_HASH_BYTES) == 0;
}

bool br_store_save(struct br_store *store,
	const uint8_t identity[BR_HASH_BYTES], const struct br_stored *result,
	struct br_err *err)
{
	br_autobuf struct br_buf bytes = { 0 };
	char temporary[BR_BLOB_TEMPORARY_BYTES];
	char path[BR_BLOB_PATH_BYTES];

	if (!br_stored_encode(result, &bytes, err))
		return false;
	add_seal(identity, &bytes);

	br_autoclose int fd = br_blob_make_temporary(store->fd, temporary);
	if (fd < 0)
		return br_fail_errno(err, "make a file in the cache");
	if (!br_file_write(fd, bytes.data, bytes.len, err)) {
		(void)unlinkat(store->fd, temporary, 0);
		return br_wrap(err, "store a result");
	}
	br_blob_path("ac", identity, path);
	return br_blob_publish(store->fd, temporary, path, err);
}

static bool load(struct br_store *store, const uint8_t identity[BR_HASH_BYTES],
	struct br_stored *stored, struct br_err *err)
{
	char path[BR_BLOB_PATH_BYTES];
	br_autofree char *whole = NULL;
	br_autobuf struct br_buf bytes = { 0 };

	br_blob_path("ac", identity, path);
	whole = br_path_join(store->folder, path);
	if (!br_file_load(whole, BR_LIMIT_RESULT_BYTES, &bytes, err))
		return false;
	if (!has_seal(identity, &bytes))
		return br_fail(err, BR_EPROTO, "'%s' is damaged", path);
	return br_stored_decode(bytes.data, bytes.len, stored, err);
}

bool br_store_peek(struct br_store *store,
	const uint8_t identity[BR_HASH_BYTES], struct br_stored *stored)
{
	struct br_err err = { 0 };

	return load(store, identity, stored, &err);
}

static bool is_damaged(const struct br_err *cause)
{
	return cause->code != BR_ENOTFOUND && cause->code != BR_ESYSTEM;
}

static bool fail_to_load(const struct br_err *cause, struct br_err *err)
{
	if (is_damaged(cause))
		return br_fail(
			err, BR_ENOTFOUND, "the stored result is damaged");
	if (cause->code == BR_ENOTFOUND)
		return br_fail(err, BR_ENOTFOUND, "no result is stored");
	return br_fail(err, BR_ENOTFOUND, "%s", cause->text);
}

bool br_store_find(struct br_store *store,
	const uint8_t identity[BR_HASH_BYTES], struct br_stored *result,
	struct br_err *err)
{
	char path[BR_BLOB_PATH_BYTES];
	struct br_err cause = { 0 };

	br_blob_path("ac", identity, path);
	if (load(store, identity, result, &cause)) {
		(void)utimensat(store->fd, path, NULL, 0);
		return true;
	}
	if (is_damaged(&cause))
		(void)unlinkat(store->fd, path, 0);
	return fail_to_load(&cause, err);
}

static bool has_size(const struct br_store *store,
	const uint8_t digest[BR_HASH_BYTES], int64_t size_bytes)
{
	char path[BR_BLOB_PATH_BYTES];
	struct stat status;

	br_blob_path("cas", digest, path);
	return fstatat(store->fd, path, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		status.st_size == size_bytes;
}

/* All that a restore takes; what the stage said is not needed for that. */
static bool has_contents(
	const struct br_store *store, const struct br_stored *result)
{
	for (size_t i = 0; i < result->outputs.count; i++) {
		const struct br_listed *output = &result->outputs.items[i];

		if (output->kind != BR_LISTED_LINK &&
			!has_size(store, output->digest,
				output->facts.size_bytes))
			return false;
	}
	return true;
}

bool br_store_look(struct br_store *store,
	const uint8_t identity[BR_HASH_BYTES], struct br_err *err)
{
	br_autostored struct br_stored result = { 0 };
	struct br_err cause = { 0 };

	if (!load(store, identity, &result, &cause))
		return fail_to_load(&cause, err);
	return has_contents(store, &result) ||
		br_fail(err, BR_ENOTFOUND,
			"a content of the stored result is gone");
}

void br_store_drop(
	struct br_store *store, const uint8_t identity[BR_HASH_BYTES])
{
	char path[BR_BLOB_PATH_BYTES];

	br_blob_path("ac", identity, path);
	(void)unlinkat(store->fd, path, 0);
}

bool br_store_log(struct br_store *store, const struct br_stored *result,
	struct br_buf *log, struct br_err *err)
{
	return !result->has_log ||
		br_blob_load(store->fd, result->log_digest, result->log_bytes,
			BR_LIMIT_STORED_LOG_BYTES, log, err);
}
