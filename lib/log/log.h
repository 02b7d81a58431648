/* SPDX-License-Identifier: MIT */
/*
 * log.h - builds on disk: the events of each build as JSON lines.
 *
 * A log is two files of its own (see folder.h for where), which only the user can
 * read: `BUILD.jsonl` has a header (header.h) and every event but `output`, which is
 * what most readers look for, and `BUILD.output.jsonl` the output. Both are in the
 * order of `seq`, so that br_log_reader_next() puts them together again.
 *
 * What has happened is there: each event is written when it comes, with one write, so
 * that the end of buildr takes nothing with it, and a child (syncer.h) brings it to the
 * disk within half a second, so that the loss of power takes no more than the last
 * second. What is half written is one line at the end, which readers pass over.
 *
 * A log takes a quarter of what all of a project may take, so that one build does not push
 * out all others. Of output beyond seven eighths of that only the end of each step is
 * kept (tails.h), with a notice in the place of the first event that is left out, and of
 * the last one of each step; `seq` has a gap there, and nowhere else.
 *
 * No log is ever needed: where it cannot be written the build goes on without.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "event/sink.h"
#include "log/folder.h"
#include "log/header.h"
#include "plan/durations.h"

enum {
	/* What is kept of a project where nothing else is said. */
	BR_LOG_KEPT = 50,
	BR_LOG_SIZE_BYTES = 1024 * 1024 * 1024,
	/* Logs that br_log_durations() looks at. */
	BR_LOG_DURATION_FILES = 10,
};

struct br_log_options {
	const char *project_dir;
	/* The id of the build. */
	const char *build;
	struct br_log_limits limits;
	/* Without secrets, which have been masked. */
	struct br_log_header header;
};

/*
 * Begin the log of a build, and remove the oldest logs of the project where there are
 * more than the limits allow. The log of an id that is there already goes on.
 *
 * *log is a sink whose calls never fail. Ownership: the caller frees it with
 * br_log_close(); what `options` points to is copied. Fails with BR_EUNAVAIL where
 * there is no home for it, and with BR_ESYSTEM where the files cannot be made.
 */
bool br_log_open(const struct br_log_options *options, struct br_sink **log,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Count the events that did not come into the log, and say in *why what was in the way
 * of the first. After it no more output is written.
 */
size_t br_log_lost(const struct br_sink *log, struct br_err *why);

/* End a log, which may be NULL. The child removes the oldest ones once more. */
void br_log_close(struct br_sink *log);

/*
 * Give how long each stage took when it last passed, from the newest logs of the
 * project: those that are there, as far as they can be read. Output is not looked at.
 *
 * Ownership: `arena` holds all of *durations. Limits: BR_LOG_DURATION_FILES, and
 * BR_LIMIT_LOG_BYTES of each; after BR_LIMIT_LOGS_BYTES no more is begun.
 */
void br_log_durations(const char *project_dir, struct br_arena *arena,
	struct br_durations *durations);
