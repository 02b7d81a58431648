/* SPDX-License-Identifier: MIT */
/*
 * lines.h - output of stages as lines, each behind its stage's name.
 *
 * A line belongs to one stage. The beginning of a line is kept back until its end
 * comes, so that stages that run at once do not write into each other's lines; it
 * is written early where it gets long, or when nothing else comes (a prompt). If
 * another stage writes then, the line is broken and goes on later behind the name
 * again. The bytes themselves are not changed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "event/event.h"
#include "view/labels.h"

/* A longer beginning of a line is not kept back. */
enum { BR_LINES_HELD_BYTES = 64 * 1024 };

/* Private, except that callers allocate it. */
struct br_lines {
	int fd;
	bool has_color;
	struct br_labels labels;
	/* Stages that have begun to write, the last first. */
	struct br_lines_stage *stages;
	/* Those that were not listed, for their colours. */
	size_t unlisted_count;
	/* Whose line has begun on `fd`; NULL: nobody's. */
	const struct br_lines_stage *open;
	/* What one call writes is put together here. */
	char *out;
	size_t out_len;
	bool has_failed;
};

/* Begin to write to `fd`, which is borrowed. */
void br_lines_init(struct br_lines *lines, int fd, bool has_color);

/* Free it. What is kept back is lost: call br_lines_end_all() before. */
void br_lines_done(struct br_lines *lines);

/* Make the names of these stages equally wide, and give each its colour. */
void br_lines_set_names(struct br_lines *lines, const struct br_names *names);

/*
 * Write what `stage` wrote: whole lines at once, the rest later.
 *
 * Fails with BR_ESYSTEM, as all of the following; after that nothing is written
 * any more.
 */
bool br_lines_add(struct br_lines *lines, const char *stage, struct br_str data,
	struct br_err *err) BR_MUST_CHECK;

/* End the line that `stage` has begun, if it has. */
bool br_lines_end(struct br_lines *lines, const char *stage,
	struct br_err *err) BR_MUST_CHECK;

/* br_lines_end(), and forget the stage. */
bool br_lines_end_stage(struct br_lines *lines, const char *stage,
	struct br_err *err) BR_MUST_CHECK;

/* br_lines_end_stage() for every stage. */
bool br_lines_end_all(struct br_lines *lines, struct br_err *err) BR_MUST_CHECK;

/* Write what is kept back. */
bool br_lines_flush(struct br_lines *lines, struct br_err *err) BR_MUST_CHECK;

/*
 * Break the line that has begun on `fd`, so that something else can be written
 * there.
 */
bool br_lines_break(struct br_lines *lines, struct br_err *err) BR_MUST_CHECK;
