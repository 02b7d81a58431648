/* SPDX-License-Identifier: MIT */
/* process.h - who this process is, and helper programs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * A process named so that no later one is taken for it: the boot, the pid
 * namespace, the pid and when it started (clock ticks since boot, field 22 of
 * proc(5) `stat`). The contract's label `io.buildr.owner` is its text form.
 */
struct br_process_id {
	char boot[37];
	uint64_t pid_namespace;
	pid_t pid;
	uint64_t start_ticks;
};

/* What the text form takes, with its NUL. */
enum { BR_PROCESS_ID_TEXT_BYTES = 120 };

/*
 * Find out who this process is.
 *
 * Fails with BR_ESYSTEM where /proc is not there.
 */
bool br_process_self(
	struct br_process_id *id, struct br_err *err) BR_MUST_CHECK;

/* Write `<boot id>/<pid namespace>/<pid>/<start time>`. */
void br_process_id_format(
	const struct br_process_id *id, char text[BR_PROCESS_ID_TEXT_BYTES]);

/*
 * Read the text form.
 *
 * Fails with BR_EINPUT where it is anything else.
 */
bool br_process_id_parse(const char *text, struct br_process_id *id,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Say whether the process `id` is certainly gone, as seen by `self`: same boot,
 * same pid namespace, and no such pid with that start time. A process of another
 * boot is not this machine's to judge, and gives false.
 */
bool br_process_is_gone(
	const struct br_process_id *id, const struct br_process_id *self);

struct br_process_result {
	/* Exit status, or 128 + the signal that ended it; 127: not found. */
	int status;
};

/* When to end a program that does not end by itself, and what it gets. */
struct br_process_limits {
	int64_t timeout_ms;
	/* Of what it writes to stdout. */
	size_t max_bytes;
	/* Of each file that it or a child of its writes; 0: any size. */
	int64_t max_file_bytes;
	/* Readable: end it. -1: never. */
	int cancel_fd;
	/* As environ(7), borrowed; NULL: that of this process. */
	const char *const *environment;
};

/*
 * br_process_run() that can be stopped: fails with BR_ECANCELED too.
 */
bool br_process_run_within(const char *const *argv, const char *input,
	const struct br_process_limits *limits, struct br_buf *output,
	struct br_process_result *result, struct br_err *err) BR_MUST_CHECK;

/*
 * Run the program `argv[0]` (found on PATH), give it `input` on stdin, add what
 * it writes to stdout to `output`, and wait for its end. Its stderr is thrown
 * away.
 *
 * Limits: ended with SIGKILL after `timeout_ms` (BR_ETIMEDOUT) and where it
 * writes more than `max_bytes` (BR_EPROTO). Fails with BR_ESYSTEM where no
 * process can be made. A program that is not there is status 127, not a failure.
 */
bool br_process_run(const char *const *argv, const char *input,
	int64_t timeout_ms, size_t max_bytes, struct br_buf *output,
	struct br_process_result *result, struct br_err *err) BR_MUST_CHECK;
