/* SPDX-License-Identifier: MIT */
/*
 * lines.h - the lines of a text by their numbers.
 *
 * A line ends with LF, and CR LF is the same. The place where a line starts is
 * looked for from the one that was asked for last, so that asking in rising
 * order reads the text once.
 */
#pragma once

#include <stddef.h>

#include "base/str.h"

/* Line and column count from 1, the column in characters; 0: none known. */
struct br_place {
	unsigned line;
	unsigned column;
};

/* `{ .text = ... }` is ready; the rest is private. The text is borrowed. */
struct br_lines {
	struct br_str text;
	/* Lines before the one that starts at `offset`. */
	size_t passed_count;
	size_t offset;
};

/* A byte order mark, which may stand in front of any text. */
enum { BR_LINES_BOM_BYTES = 3 };

/* Give `text` without a byte order mark. Borrowed as `text` is. */
struct br_str br_lines_skip_bom(struct br_str text);

/*
 * Find the byte with which `line` starts. One past the last line starts at the
 * end of the text, and so do all after it.
 */
size_t br_lines_offset(struct br_lines *lines, unsigned line);

/* Find `line` without its end. Borrowed; empty past the last line. */
struct br_str br_lines_find(struct br_lines *lines, unsigned line);

/* Count the bytes of the first `count` characters of `text`, or all of them. */
size_t br_lines_skip_chars(struct br_str text, size_t count);

/* Count the characters of `text`; a byte that belongs to none is one. */
size_t br_lines_count_chars(struct br_str text);
