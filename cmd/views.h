/* SPDX-License-Identifier: MIT */
/* views.h - from the options to the view of a build on stdout and stderr. */
#pragma once

#include "base/attr.h"
#include "cmd/options/options.h"
#include "event/sink.h"

/* Say whether `fd` is a terminal that has colour, and nobody says no. */
bool views_has_color(int fd);

/* Say whether views_make() makes the live one. */
bool views_are_live(const struct options *options);

/*
 * Make the view that --output asks for; `live` only where stdout and stderr are one
 * terminal. Its ticks must be heeded (sink.h). `command` is how to call buildr again for
 * one stage.
 *
 * Ownership: the caller frees the sink with br_view_free().
 */
struct br_sink *views_make(
	const struct options *options, const char *command) BR_NONNULL_RESULT;

/*
 * views_make() for what a log shows: all of it goes to stdout.
 *
 * Ownership: as views_make().
 */
struct br_sink *views_make_of_log(
	const struct options *options, const char *command) BR_NONNULL_RESULT;
