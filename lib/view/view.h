/* SPDX-License-Identifier: MIT */
/*
 * view.h - events as people and programs see them.
 *
 * Each view is a sink made from events alone. Output of steps goes to `out`,
 * everything that buildr says itself to `err`; the JSON view writes only to `out`.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/clean.h"
#include "event/sink.h"

/* The CI system whose log folds up what stands between certain marks. */
enum br_folds {
	BR_FOLDS_NONE,
	BR_FOLDS_GITHUB,
	BR_FOLDS_GITLAB,
	BR_FOLDS_TEAMCITY,
	BR_FOLDS_BUILDKITE,
};

struct br_view_options {
	/* Descriptors; borrowed until br_view_free(). */
	int out_fd;
	int err_fd;
	/* Colour on that descriptor. */
	bool has_out_color;
	bool has_err_color;
	/* Live: the terminal has Unicode. */
	bool has_unicode;
	/* -v: steps' times, cache and container details. */
	bool is_verbose;
	/* Plain: print each stage as a block when it ends, see group.h. */
	bool is_grouped;
	/* Plain: each stage in one piece, between such marks. */
	enum br_folds folds;
	/*
	 * How the user called buildr, for the command that runs a failed stage
	 * again ("buildr -f ci.yml"); NULL: "buildr".
	 */
	const char *command;
};

/*
 * Make the view of `-o plain`: each line of output behind its stage's name,
 * headings, a table of stages with durations at the end, and of a failure the
 * last lines again with the command that shows it.
 *
 * Ownership: the caller frees the sink with br_view_free().
 */
struct br_sink *br_plain_new(const struct br_view_options *options);

/*
 * Make the view of `-o json`: one event on one line.
 *
 * Ownership: the caller frees the sink with br_view_free().
 */
struct br_sink *br_jsonl_new(const struct br_view_options *options);

/*
 * Make the view of `-o quiet`: nothing, unless the build does not pass; then what
 * plain says of the failure.
 *
 * Ownership: the caller frees the sink with br_view_free().
 */
struct br_sink *br_quiet_new(const struct br_view_options *options);

/*
 * Make the view of `-o live`: what runs now at the bottom of the terminal that both
 * `out` and `err` are, above it all that has happened, as plain has it in blocks. Its
 * `tick` must be called (sink.h).
 *
 * Ownership: the caller frees the sink with br_view_free().
 */
struct br_sink *br_live_new(const struct br_view_options *options);

/*
 * Take away what a view shows only while the build runs, so that something else can be
 * written to the terminal. It is there again with the next event or tick. `view` may
 * be NULL.
 */
void br_view_hide(struct br_sink *view);

/*
 * The terminal is somebody else's, and raw: hide it as br_view_hide() does, and keep what
 * comes back until it may go on. One that only prints goes on, and ends its lines as such a
 * terminal needs. `view` may be NULL.
 */
void br_view_pause(struct br_sink *view, bool is_paused);

/* Write what is kept back and free a view, which may be NULL. */
void br_view_free(struct br_sink *view);
