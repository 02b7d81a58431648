/* SPDX-License-Identifier: MIT */
/*
 * junit.h - a build as a JUnit report: a suite for each stage, a case for each step.
 *
 * A sink collects what happens, and the report is written when it is closed, to a file
 * beside the one that is asked for, which takes its place in one rename.
 */
#pragma once

#include "base/attr.h"
#include "event/sink.h"

/*
 * Begin a report in the file `path`. That it could be written is tried at once, so that
 * nobody waits for a build and then has none.
 *
 * Ownership: the caller closes *sink with br_junit_close(). `path` is copied.
 * Fails with BR_EINPUT where there can be no such file, with BR_ESYSTEM where it cannot
 * be made.
 */
bool br_junit_open(const char *path, struct br_sink **sink,
	struct br_err *err) BR_MUST_CHECK;

/*
 * Write the report and free `sink`, which may be NULL.
 *
 * Fails with BR_ESYSTEM; what was in the file before is still there then.
 */
bool br_junit_close(struct br_sink *sink, struct br_err *err) BR_MUST_CHECK;
