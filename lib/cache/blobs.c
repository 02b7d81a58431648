/* SPDX-License-Identifier: MIT */
#include "cache/blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/file.h"

enum {
	FOLDER_MODE = 0700,
	/* Nobody writes to a blob, not even by mistake. */
	BLOB_MODE = 0400,
};

void br_blob_path(const char *kind, const uint8_t digest[BR_HASH_BYTES],
	char path[BR_BLOB_PATH_BYTES])
{
	char hex[BR_HASH_TEXT_BYTES];

	br_hash_format(digest, hex);
	(void)snprintf(
		path, BR_BLOB_PATH_BYTES, "%.3s/%.2s/%s", kind, hex, hex);
}

int br_blob_make_temporary(int store_fd, char path[BR_BLOB_TEMPORARY_BYTES])
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -1;
	(void)snprintf(path, BR_BLOB_TEMPORARY_BYTES, "tmp/%016llx",
		(unsigned long long)number);
	return openat(store_fd, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
		BLOB_MODE);
}

/* Remove it, and leave errno as it is. */
static void remove_temporary(int store_fd, const char *temporary)
{
	int error = errno;

	(void)unlinkat(store_fd, temporary, 0);
	errno = error;
}

/* Make the folder that `path` is in. */
static void make_parent(int store_fd, const char *path)
{
	char parent[BR_BLOB_PATH_BYTES];
	const char *slash = strrchr(path, '/');
	size_t len = (size_t)(slash - path);

	memcpy(parent, path, len);
	parent[len] = '\0';
	/* What is wrong with it, the rename will say. */
	(void)mkdirat(store_fd, parent, FOLDER_MODE);
}

bool br_blob_publish(int store_fd, const char *temporary, const char *path,
	struct br_err *err)
{
	if (renameat(store_fd, temporary, store_fd, path) == 0)
		return true;
	if (errno == ENOENT) {
		make_parent(store_fd, path);
		if (renameat(store_fd, temporary, store_fd, path) == 0)
			return true;
	}
	(void)br_fail_errno(err, "store '%s'", path);
	remove_temporary(store_fd, temporary);
	return false;
}

bool br_blob_put(int store_fd, struct br_str bytes,
	uint8_t digest[BR_HASH_BYTES], struct br_err *err)
{
	char temporary[BR_BLOB_TEMPORARY_BYTES];
	char path[BR_BLOB_PATH_BYTES];
	br_autoclose int fd = br_blob_make_temporary(store_fd, temporary);

	if (fd < 0)
		return br_fail_errno(err, "make a file in the cache");
	if (!br_file_write(fd, bytes.data, bytes.len, err)) {
		remove_temporary(store_fd, temporary);
		return br_wrap(err, "store %zu bytes", bytes.len);
	}
	br_hash_bytes(bytes.data, bytes.len, digest);
	br_blob_path("cas", digest, path);
	return br_blob_publish(store_fd, temporary, path, err);
}

/* Have `copy_fd` the content of `fd`, and hash that. */
static bool copy(int fd, int copy_fd, uint8_t digest[BR_HASH_BYTES],
	uint64_t *sum, int64_t *size_bytes, struct br_err *err)
{
	*size_bytes = 0;
	if (ioctl(copy_fd, FICLONE, fd) == 0)
		return br_hash_fd_summed(
			copy_fd, -1, digest, sum, size_bytes, err);
	return br_hash_fd_summed(fd, copy_fd, digest, sum, size_bytes, err);
}

bool br_blob_put_file(int store_fd, int fd, uint8_t digest[BR_HASH_BYTES],
	uint64_t *sum, int64_t *size_bytes, struct br_err *err)
{
	char temporary[BR_BLOB_TEMPORARY_BYTES];
	char path[BR_BLOB_PATH_BYTES];
	br_autoclose int copy_fd = br_blob_make_temporary(store_fd, temporary);

	if (copy_fd < 0)
		return br_fail_errno(err, "make a file in the cache");
	if (!copy(fd, copy_fd, digest, sum, size_bytes, err)) {
		remove_temporary(store_fd, temporary);
		return false;
	}
	br_blob_path("cas", digest, path);
	return br_blob_publish(store_fd, temporary, path, err);
}

bool br_blob_is_there(
	int store_fd, const uint8_t digest[BR_HASH_BYTES], int64_t size_bytes)
{
	char path[BR_BLOB_PATH_BYTES];
	struct stat status;

	br_blob_path("cas", digest, path);
	return fstatat(store_fd, path, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISREG(status.st_mode) && status.st_size == size_bytes &&
		utimensat(store_fd, path, NULL, 0) == 0;
}

int br_blob_open(int store_fd, const uint8_t digest[BR_HASH_BYTES])
{
	char path[BR_BLOB_PATH_BYTES];

	br_blob_path("cas", digest, path);
	return openat(
		store_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

void br_blob_drop(int store_fd, const uint8_t digest[BR_HASH_BYTES])
{
	char path[BR_BLOB_PATH_BYTES];

	br_blob_path("cas", digest, path);
	(void)unlinkat(store_fd, path, 0);
}

static bool read_all(int fd, size_t len, struct br_buf *bytes)
{
	char *room = br_buf_room(bytes, len);
	size_t done = 0;

	while (done < len) {
		ssize_t count = read(fd, room + done, len - done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		done += (size_t)count;
	}
	br_buf_grew(bytes, len);
	return true;
}

bool br_blob_load(int store_fd, const uint8_t digest[BR_HASH_BYTES],
	int64_t size_bytes, size_t max_bytes, struct br_buf *bytes,
	struct br_err *err)
{
	br_autoclose int fd = br_blob_open(store_fd, digest);
	br_autobuf struct br_buf read = { 0 };
	uint8_t found[BR_HASH_BYTES];

	if (size_bytes < 0 || (uint64_t)size_bytes > max_bytes)
		return br_fail(err, BR_EPROTO,
			"a stored blob has more than %zu bytes", max_bytes);
	if (fd < 0)
		return br_fail(err, BR_ENOTFOUND, "a blob is not stored");
	if (read_all(fd, (size_t)size_bytes, &read)) {
		br_hash_bytes(read.data, read.len, found);
		if (memcmp(found, digest, BR_HASH_BYTES) == 0) {
			br_buf_add(bytes, read.data, read.len);
			return true;
		}
	}
	br_blob_drop(store_fd, digest);
	return br_fail(err, BR_ENOTFOUND, "a stored blob is damaged");
}
