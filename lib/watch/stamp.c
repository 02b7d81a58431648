/* SPDX-License-Identifier: MIT */
#include "watch/stamp.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/limits.h"

enum { PIECE_BYTES = 64 * 1024 };

/* Feed the content of a file that is still as `status` says. */
static bool feed_content(
	const char *path, const struct stat *status, struct br_sha256 *sha)
{
	/* It may have become a pipe, which must not hold us up. */
	br_autoclose int fd = open(path,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	char piece[PIECE_BYTES];
	off_t left = status->st_size;
	ssize_t n = 0;

	if (fd < 0)
		return false;
	while (left > 0 && (n = read(fd, piece, sizeof(piece))) > 0) {
		br_sha256_feed(sha, piece, (size_t)n);
		left -= n;
	}
	return n >= 0;
}

static bool feed_target(const char *path, struct br_sha256 *sha)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n < 0)
		return false;
	br_sha256_feed(sha, target, (size_t)n);
	return true;
}

static void feed_times(const struct stat *status, struct br_sha256 *sha)
{
	br_sha256_feed(sha, &status->st_ino, sizeof(status->st_ino));
	br_sha256_feed(sha, &status->st_size, sizeof(status->st_size));
	br_sha256_feed(sha, &status->st_mtim, sizeof(status->st_mtim));
}

void br_stamp_take(const char *path, struct br_stamp *stamp)
{
	struct stat status;
	struct br_sha256 sha;
	bool is_read = false;

	*stamp = (struct br_stamp){ 0 };
	if (lstat(path, &status) < 0)
		return;
	br_sha256_init(&sha);
	br_sha256_feed(&sha, &status.st_mode, sizeof(status.st_mode));
	if (S_ISLNK(status.st_mode))
		is_read = feed_target(path, &sha);
	else if (S_ISREG(status.st_mode) &&
		status.st_size <= BR_LIMIT_WATCH_HASH_BYTES)
		is_read = feed_content(path, &status, &sha);
	else if (S_ISDIR(status.st_mode))
		is_read = true;
	if (!is_read)
		feed_times(&status, &sha);
	stamp->is_there = true;
	br_sha256_end(&sha, stamp->digest);
}

bool br_stamp_equal(const struct br_stamp *a, const struct br_stamp *b)
{
	return a->is_there == b->is_there &&
		!memcmp(a->digest, b->digest, sizeof(a->digest));
}
