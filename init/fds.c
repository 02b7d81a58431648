/* SPDX-License-Identifier: MIT */
#include "init/fds.h"

#include <sys/syscall.h>
#include <unistd.h>

void fds_close_from(int first)
{
	/* More than anybody has open where the kernel is as old as that. */
	enum { ENOUGH = 64 * 1024 };

	if (syscall(SYS_close_range, first, ~0U, 0) == 0)
		return;
	for (int fd = first; fd < ENOUGH; fd++)
		(void)close(fd);
}

void fds_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}
