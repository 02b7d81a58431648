/* SPDX-License-Identifier: MIT */
/* no_root.h - tests of what is forbidden, which nothing is to root. */
#pragma once

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NO_ROOT_ID = 65534 };

/* Be somebody who may read `folder` but owns nothing, if this is root. */
static inline void no_root_begin(const char *folder)
{
	if (geteuid() == 0 &&
		(chmod(folder, 0755) < 0 || seteuid(NO_ROOT_ID) < 0))
		abort();
}

/* Be who this was before. */
static inline void no_root_end(void)
{
	if (geteuid() == NO_ROOT_ID && getuid() == 0 && seteuid(0) < 0)
		abort();
}
