/* SPDX-License-Identifier: MIT */
/* cmd_log.c - `buildr log`: the builds of the project, or one of them again. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cmd/commands.h"
#include "cmd/log/log_show.h"
#include "cmd/log/log_table.h"
#include "cmd/views.h"

static void tell_rest(
	const struct options *options, const struct log_place *place)
{
	size_t shut = place->builds.shut_count;

	if (options->is_quiet)
		return;
	if (place->builds.count == 0)
		(void)fprintf(stderr, "buildr: no build of '%s' has a log\n",
			place->project);
	if (shut > 0)
		(void)fprintf(stderr,
			"buildr: %zu log%s in '%s' may not be read\n", shut,
			shut == 1 ? "" : "s", place->folder);
}

static int list_builds(
	const struct options *options, const struct log_place *place)
{
	const struct log_table_options how = {
		.now_us = br_clock_wall_us(),
		.is_failed_only = options->is_failed_only,
		.has_color = views_has_color(STDOUT_FILENO),
	};
	br_autobuf struct br_buf text = { 0 };
	struct br_err err = { 0 };

	if (options->output == OUTPUT_JSON)
		log_table_format_json(&place->builds, &how, &text);
	else
		log_table_format(&place->builds, &how, &text);
	if (!br_file_write(STDOUT_FILENO, br_buf_text(&text), text.len, &err)) {
		complain(&err);
		return STATUS_ENVIRONMENT;
	}
	tell_rest(options, place);
	return STATUS_PASS;
}

int cmd_log(const struct options *options)
{
	struct log_place place;
	int status = log_place_find(options, &place);

	if (status == STATUS_PASS)
		status = options->stage_count > 0 || options->is_followed ||
				options->junit
			? log_show(options, &place)
			: list_builds(options, &place);
	log_place_done(&place);
	return status;
}
