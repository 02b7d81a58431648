/* SPDX-License-Identifier: MIT */
#include "cache/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"

static bool is_part(const char *part, size_t len, const char *name)
{
	return len == strlen(name) && strncmp(part, name, len) == 0;
}

/* Say whether a part leads anywhere but down. */
static bool is_sideways(const char *part, size_t len)
{
	return len == 0 || is_part(part, len, ".") || is_part(part, len, "..");
}

/* Open it part by part, where the kernel cannot do all at once. */
static int walk(int root_fd, const char *path, int flags)
{
	br_autoclose int fd =
		openat(root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	while (fd >= 0) {
		size_t len = strcspn(path, "/");
		bool is_last = path[len] == '\0';
		int how = is_last ? flags : O_PATH | O_DIRECTORY;
		br_autofree char *part = br_memdup(path, len);
		br_autoclose int above_fd = br_take_fd(&fd);

		if (is_sideways(path, len)) {
			errno = EXDEV;
			return -1;
		}
		fd = openat(above_fd, part, how | O_NOFOLLOW | O_CLOEXEC);
		if (is_last)
			return br_take_fd(&fd);
		path += len + 1;
	}
	return -1;
}

/* Before Linux 5.6 there is no such call; some containers forbid what they do not know. */
static bool is_unknown(int error)
{
	return error == ENOSYS || error == EPERM;
}

int br_beneath_open(int root_fd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	if (*path == '\0')
		return openat(root_fd, ".", flags | O_CLOEXEC);
	/* A rename on the way lets the kernel give up, though rarely twice. */
	do
		fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	while (fd < 0 && errno == EAGAIN);
	if (fd < 0 && is_unknown(errno))
		return walk(root_fd, path, flags);
	return (int)fd;
}

bool br_beneath_is_safe(const char *path)
{
	const char *part = path;

	while (true) {
		size_t len = strcspn(part, "/");

		if (len == 0 || is_part(part, len, ".") ||
			is_part(part, len, "..") || is_part(part, len, ".git"))
			return false;
		if (part[len] == '\0')
			return true;
		part += len + 1;
	}
}
