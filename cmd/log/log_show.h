/* SPDX-License-Identifier: MIT */
/* log_show.h - one build again, from its log. */
#pragma once

#include "base/attr.h"
#include "cmd/options/options.h"
#include "log/builds.h"

/* The logs of the project that the options mean. */
struct log_place {
	/* The project's directory, and that of its logs. */
	char *project;
	char *folder;
	struct br_log_builds builds;
};

/*
 * Find the project and its builds. What is wrong goes to stderr.
 *
 * Gives the exit status to end with, or STATUS_PASS. Ownership: the caller frees what
 * *place holds with log_place_done(), in any case.
 */
int log_place_find(const struct options *options, struct log_place *place);

/* Free what it holds. */
void log_place_done(struct log_place *place);

/*
 * Show the build that the first argument names, or else the newest, in the view that
 * --output asks for: of the stages that the other arguments name, or all. Gives the exit
 * status.
 */
int log_show(const struct options *options, const struct log_place *place);
