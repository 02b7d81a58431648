/* SPDX-License-Identifier: MIT */
/* lines.h - the lines of a file that may still grow. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

/* Starts out all zero, then with the descriptor. Private. */
struct br_log_lines {
	/* Owned; -1: there is no file. */
	int fd;
	struct br_buf text;
	/* Where the next line starts, and up to where there is no end of it. */
	size_t start;
	size_t searched;
	/* A line that is too long is passed over to its end. */
	bool is_skipping;
};

/* Close the file and free the lines. */
void br_log_lines_done(struct br_log_lines *lines);

/*
 * Give the next whole line without its newline; false: there is none now. What cannot be
 * read is an end.
 *
 * Ownership: *line is good until the next call. Limits: a line of more than
 * BR_LIMIT_EVENT_BYTES is given as an empty one.
 */
bool br_log_lines_next(
	struct br_log_lines *lines, struct br_str *line) BR_MUST_CHECK;
