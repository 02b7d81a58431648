/* SPDX-License-Identifier: MIT */
/*
 * reader.h - the events of a log again, in their order.
 *
 * A log may be written to while it is read, and may be anything: lines that are no
 * events of its build are passed over and counted, and one that has no end yet is
 * waited for. Nothing is held in memory but the two lines that come next.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/clean.h"
#include "base/err.h"
#include "event/event.h"
#include "log/header.h"

struct br_log_reader;

/*
 * Open the log of `build` in `folder`, with the output of its steps or without.
 *
 * Ownership: the caller frees *reader with br_log_reader_free(). Fails with
 * BR_ENOTFOUND where there is none, and with BR_ESYSTEM where it cannot be read.
 */
bool br_log_reader_open(const char *folder, const char *build, bool has_output,
	struct br_log_reader **reader, struct br_err *err) BR_MUST_CHECK;

/* Free a reader, which may be NULL. */
void br_log_reader_free(struct br_log_reader *reader);

BR_DEFINE_AUTO(br_log_reader)

/*
 * Give the next event, or NULL where there is no more of the log now; what is written
 * to it later comes with a later call.
 *
 * Ownership: the reader's, until the next call.
 */
const struct br_event *br_log_reader_next(struct br_log_reader *reader);

/*
 * Say whether the build runs. What it wrote until it ended is there when this says no:
 * read on until there is no more.
 */
bool br_log_reader_is_running(const struct br_log_reader *reader);

/*
 * Give the header, all of it NULL where there is none; known once
 * br_log_reader_next() has been called.
 *
 * Ownership: the reader's.
 */
const struct br_log_header *br_log_reader_header(
	const struct br_log_reader *reader) BR_NONNULL_RESULT;

/* Count the lines that were passed over. */
size_t br_log_reader_unreadable(const struct br_log_reader *reader);
