/* SPDX-License-Identifier: MIT */
/* log_table.h - the list of builds, for people and as JSON. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "log/builds.h"

struct log_table_options {
	/* Microseconds since 1970: up to when a build that runs has taken. */
	int64_t now_us;
	/* Only builds that failed, by whosever fault. */
	bool is_failed_only;
	bool has_color;
};

/* Add a heading and a line for each build. Nothing where there is none. */
void log_table_format(const struct br_log_builds *builds,
	const struct log_table_options *options, struct br_buf *text);

/* Add an object on a line of its own for each build. */
void log_table_format_json(const struct br_log_builds *builds,
	const struct log_table_options *options, struct br_buf *text);
