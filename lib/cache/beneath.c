/* SPDX-License-Identifier: MIT */
#include "cache/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int br_beneath_open(int root_fd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	/* A rename on the way lets the kernel give up, though rarely twice. */
	do
		fd = syscall(SYS_openat2, root_fd, *path ? path : ".", &how,
			sizeof(how));
	while (fd < 0 && errno == EAGAIN);
	return (int)fd;
}

static bool is_part(const char *part, size_t len, const char *name)
{
	return len == strlen(name) && strncmp(part, name, len) == 0;
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
