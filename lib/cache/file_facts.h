/* SPDX-License-Identifier: MIT */
/*
 * file_facts.h - what stat(2) says of a file and what makes it another one.
 *
 * Two equal facts of one file mean equal content, unless it changed so soon after it
 * was looked at that its time stamps are the same: br_file_facts_are_settled().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct br_file_facts {
	uint64_t device;
	uint64_t inode;
	int64_t size_bytes;
	/* Since 1970. */
	int64_t mtime_ns;
	int64_t ctime_ns;
};

/* Take them from `status`. */
struct br_file_facts br_file_facts_of(const struct stat *status);

/* Say whether both are of the same file, which nobody has changed in between. */
bool br_file_facts_are_equal(
	const struct br_file_facts *a, const struct br_file_facts *b);

/*
 * Say whether a file with these facts, looked at `looked_ns` after 1970, would have
 * others after any later change: its time stamps are older than the clock that
 * stamps files is coarse. git calls one that is not "racy".
 */
bool br_file_facts_are_settled(
	const struct br_file_facts *facts, int64_t looked_ns);

/* Give the time by the clock that stamps files, in ns since 1970. */
int64_t br_file_facts_now_ns(void);
