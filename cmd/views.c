/* SPDX-License-Identifier: MIT */
#include "cmd/views.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "view/view.h"

/* Colour where it is a terminal that has it, and nobody says no. */
static bool has_color(int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (no_color && no_color[0] != '\0')
		return false;
	return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

struct br_sink *views_make(const struct options *options, const char *command)
{
	const struct br_view_options how = {
		.out_fd = STDOUT_FILENO,
		.err_fd = STDERR_FILENO,
		.has_out_color = has_color(STDOUT_FILENO),
		.has_err_color = has_color(STDERR_FILENO),
		.is_verbose = options->is_verbose,
		.is_grouped = options->is_grouped,
		.command = command,
	};

	if (options->output == OUTPUT_JSON)
		return br_jsonl_new(&how);
	if (options->output == OUTPUT_QUIET || options->is_quiet)
		return br_quiet_new(&how);
	return br_plain_new(&how);
}
