/* SPDX-License-Identifier: MIT */
/*
 * diag.h - what is wrong with a user's file, and where.
 *
 * Mistakes in a file are a result, not an error: all of them are collected in
 * one go and shown in the order of their places. As text, each is
 *
 *	.buildr.yml:12:3: error: unknown key 'scirpt'
 *	   12 |   scirpt:
 *	      |   ^
 *	help: did you mean 'script'?
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"
#include "manifest/lines.h"

enum br_severity {
	BR_SEVERITY_ERROR,
	BR_SEVERITY_WARNING,
};

struct br_diag {
	enum br_severity severity;
	struct br_place place;
	/* Owned by the list; one line each. */
	char *text;
	/* What to do or write instead; NULL where nothing helps. */
	char *help;
	/*
	 * The line of the file at `place`, fit to be shown: without its end,
	 * control characters and what is not UTF-8 replaced by blanks or `?`,
	 * and a long one cut around the place, with `...`; NULL: none.
	 */
	char *source_line;
	/* Where the place is in `source_line`: characters before it. */
	unsigned caret;
};

/* Starts out all zero, then br_diags_init(). */
struct br_diags {
	/* The file as the user would name it. */
	char *file;
	struct br_diag *items;
	size_t count;
	size_t capacity;
	size_t error_count;
	/* Errors past BR_LIMIT_DIAGS: counted, not kept. */
	size_t dropped_count;
	/* The whole text of the file, borrowed, for the source lines. */
	struct br_lines source;
};

/*
 * Start an empty list for `file` with the text `source`; a byte order mark in
 * front of it is not part of its first line.
 *
 * Ownership: `file` is copied, `source` borrowed for as long as items are added.
 */
void br_diags_init(
	struct br_diags *diags, const char *file, struct br_str source);

/* Free the list's contents. */
void br_diags_done(struct br_diags *diags);

/*
 * Add a mistake at `place`. `help` is NULL where there is none, and is copied.
 * Both texts may quote what the file has: control characters are replaced.
 *
 * Limits: of more than BR_LIMIT_DIAGS only the number is kept; a text is cut
 * after some 500 bytes.
 */
void br_diags_add(struct br_diags *diags, enum br_severity severity,
	struct br_place place, const char *help, const char *fmt, ...)
	BR_PRINTF(5, 6);

/* Sort by place; those with the same place keep their order. */
void br_diags_sort(struct br_diags *diags);

/* Add all of them to `text` as the top of this file shows. */
void br_diags_format(const struct br_diags *diags, struct br_buf *text);
