/* SPDX-License-Identifier: MIT */
/*
 * header.h - the first line of a log: what no event says of the build.
 *
 * `{"log":1,"branch":"main","commit":"…","command":"buildr run -C app"}`. The events
 * of a build in a work tree of the user's do not name its branch, since nothing was
 * checked out for it. A log without this line is one of an earlier version.
 */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

struct br_log_header {
	/* Where the project is a git work tree, else NULL. */
	const char *branch;
	const char *commit;
	/* How to call buildr for one stage of the same build; NULL: not known. */
	const char *command;
};

/* Add the line with its newline. */
void br_log_header_format(
	const struct br_log_header *header, struct br_buf *line);

/*
 * Read such a line. Gives false, and leaves *header alone, where it is another one.
 *
 * Ownership: the strings live in `arena`. Limits: BR_LIMIT_EVENT_BYTES.
 */
bool br_log_header_parse(struct br_str line, struct br_arena *arena,
	struct br_log_header *header) BR_MUST_CHECK;
