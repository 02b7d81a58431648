/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"

static bool open_regular(const char *path, int *fd, struct br_err *err)
{
	/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
	br_autoclose int opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	if (opened < 0 && (errno == ENOENT || errno == ENOTDIR))
		return br_fail(err, BR_ENOTFOUND, "no file '%s'", path);
	if (opened < 0 || fstat(opened, &status) < 0)
		return br_fail_errno(err, "open '%s'", path);
	if (S_ISDIR(status.st_mode))
		return br_fail(err, BR_EINPUT, "'%s' is a directory", path);
	if (!S_ISREG(status.st_mode))
		return br_fail(
			err, BR_EINPUT, "'%s' is not a regular file", path);
	*fd = br_take_fd(&opened);
	return true;
}

bool br_file_load(const char *path, size_t max_bytes, struct br_buf *content,
	struct br_err *err)
{
	enum { PIECE_BYTES = 16 * 1024 };
	br_autoclose int fd = -1;
	br_autobuf struct br_buf loaded = { 0 };

	if (!open_regular(path, &fd, err))
		return false;
	for (;;) {
		char *room = br_buf_room(&loaded, PIECE_BYTES);
		ssize_t n = read(fd, room, PIECE_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return br_fail_errno(err, "read '%s'", path);
		if (n == 0)
			break;
		br_buf_grew(&loaded, (size_t)n);
		if (loaded.len > max_bytes)
			return br_fail(err, BR_EINPUT,
				"'%s' is larger than %zu bytes", path,
				max_bytes);
	}
	br_buf_add(content, br_buf_text(&loaded), loaded.len);
	return true;
}

bool br_file_write(int fd, const void *data, size_t len, struct br_err *err)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd wait = { .fd = fd, .events = POLLOUT };

			(void)poll(&wait, 1, -1);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return br_fail_errno(err, "write");
		at += n;
		len -= (size_t)n;
	}
	return true;
}

bool br_file_save_new(const char *path, unsigned mode, const void *data,
	size_t len, struct br_err *err)
{
	br_autoclose int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0)
		return br_fail_errno(err, "create '%s'", path);
	/* The umask must not decide what others may do with it. */
	if (fchmod(fd, mode) < 0) {
		br_fail_errno(err, "set the mode of '%s'", path);
		(void)unlink(path);
		return false;
	}
	if (!br_file_write(fd, data, len, err)) {
		(void)unlink(path);
		return br_wrap(err, "'%s'", path);
	}
	return true;
}

char *br_path_join(const char *folder, const char *name)
{
	size_t len = strlen(folder);

	if (name[0] == '/' || len == 0)
		return br_strdup(name);
	return br_format(
		"%s%s%s", folder, folder[len - 1] == '/' ? "" : "/", name);
}
