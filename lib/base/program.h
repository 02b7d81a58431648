/* SPDX-License-Identifier: MIT */
/*
 * program.h - another program, run to its end, with all that can be said of it.
 *
 * br_process_run() is the short form. The end of the program is the end of the call:
 * a child that it leaves behind and that holds its output open holds nobody up.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/process.h"

/* All zero but for `argv` is a program without input that says nothing wrong. */
struct br_program {
	/* The program, found on PATH, and its arguments; NULL-terminated. */
	const char *const *argv;
	/* For its stdin; NULL: nothing. */
	const char *input;
	/* Of `input` where it may hold NULs; 0: it is a string. */
	size_t input_len;
	/* Its working directory; NULL: the caller's. */
	const char *folder;
	/*
	 * It has no terminal to ask at, and whatever its process group still has
	 * when it ends, or is ended, ends with it.
	 */
	bool has_session;
	/* Gets the end of what it writes to stderr; NULL: thrown away. */
	struct br_buf *errors;
	/* With has_watcher: gets the `pid_t` of the program as it starts. */
	bool has_watcher;
	int watcher_fd;
};

/*
 * Run it: what it writes to stdout is added to `output`, and its exit status, or 128 +
 * the signal that ended it, goes to `status`. One that is not there is status 127.
 *
 * Limits: ended with SIGKILL when a limit is reached. Fails with BR_ETIMEDOUT,
 * BR_EPROTO where it writes too much, BR_ECANCELED, and BR_ESYSTEM where no process
 * can be made.
 */
bool br_program_run(const struct br_program *program,
	const struct br_process_limits *limits, struct br_buf *output,
	int *status, struct br_err *err) BR_MUST_CHECK;
