/* SPDX-License-Identifier: MIT */
/*
 * facts.h - whose a file is, and which file it is.
 *
 * The birth time tells a file from an earlier one with the same inode number. It
 * comes from statx(2), which neither every libc nor every kernel has; without it,
 * the time is 0 for all.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct file_facts {
	uint64_t device;
	uint64_t inode;
	int64_t birth_ns;
	uid_t uid;
	bool is_folder;
};

/*
 * Look at `name` in `folder` without following a link; "" means the folder. Gives
 * false where it is gone.
 */
bool file_facts_read(int folder, const char *name, struct file_facts *facts);
