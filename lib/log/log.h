/* SPDX-License-Identifier: MIT */
/*
 * log.h - builds on disk: the events of each build as JSON lines.
 *
 * A log is a file of its own (see folder.h for where), which only the user can
 * read. It holds every event but `output`, as br_event_format() writes it. No log
 * is ever needed: where it cannot be written the build goes on without, and a line
 * that cannot be read is passed over.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "event/sink.h"
#include "plan/durations.h"

enum {
	/* Logs that are kept of a project. */
	BR_LOG_KEPT = 50,
	/* Logs that br_log_durations() looks at. */
	BR_LOG_DURATION_FILES = 10,
};

/*
 * Begin the log of `build`, the id of a build of the project in `project_dir`, and
 * remove the oldest logs of the project where there are more than BR_LOG_KEPT. The
 * log of an id that is there already goes on.
 *
 * *log is a sink whose calls never fail. Ownership: the caller frees it with
 * br_log_close(). Fails with BR_EUNAVAIL where there is no home for it, and with
 * BR_ESYSTEM where the file cannot be made.
 */
bool br_log_open(const char *project_dir, const char *build,
	struct br_sink **log, struct br_err *err) BR_MUST_CHECK;

/*
 * Count the events that did not come to the disk. After the first of them nothing
 * more is written.
 */
size_t br_log_lost(const struct br_sink *log);

/* End a log, which may be NULL. */
void br_log_close(struct br_sink *log);

/*
 * Give how long each stage took when it last passed, from the newest logs of the
 * project: those that are there, as far as they can be read.
 *
 * Ownership: `arena` holds all of *durations. Limits: BR_LOG_DURATION_FILES, and
 * BR_LIMIT_LOG_BYTES of each; after BR_LIMIT_LOGS_BYTES no more is begun.
 */
void br_log_durations(const char *project_dir, struct br_arena *arena,
	struct br_durations *durations);
