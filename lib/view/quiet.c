/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/alloc.h"
#include "view/failure.h"
#include "view/headings.h"
#include "view/private.h"
#include "view/summary.h"

/* Of more errors than this only the first are told. */
enum { ERRORS_BYTES = 64 * 1024 };

struct quiet {
	struct br_view view;
	struct br_view_options options;
	char *command;
	struct br_failures failures;
	/* Notices of errors: told only where the build does not pass. */
	struct br_buf errors;
};

static bool tell(
	struct quiet *quiet, const struct br_event *event, struct br_err *err)
{
	br_autobuf struct br_buf text = { 0 };

	br_buf_add(&text, quiet->errors.data, quiet->errors.len);
	br_failures_format(&quiet->failures, event, &quiet->options, &text);
	br_summary_add_verdict(
		event, NULL, quiet->options.has_err_color, &text);
	return br_view_write_err(&quiet->options, &text, err);
}

static bool handle(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct quiet *quiet = (struct quiet *)self;

	br_failures_note(&quiet->failures, event);
	if (event->type == BR_EVENT_NOTICE &&
		event->notice.level == BR_LEVEL_ERROR &&
		quiet->errors.len < ERRORS_BYTES)
		br_headings_add_notice(
			event, quiet->options.has_err_color, &quiet->errors);
	if (event->type == BR_EVENT_BUILD_FINISHED &&
		event->build_finished.result != BR_RESULT_PASS)
		return tell(quiet, event, err);
	return true;
}

static void free_quiet(struct br_view *view)
{
	struct quiet *quiet = (struct quiet *)view;

	br_failures_done(&quiet->failures);
	br_buf_done(&quiet->errors);
	free(quiet->command);
	free(quiet);
}

struct br_sink *br_quiet_new(const struct br_view_options *options)
{
	struct quiet *quiet = br_alloc(sizeof(*quiet));

	quiet->view.sink.handle = handle;
	quiet->view.free = free_quiet;
	quiet->options = *options;
	quiet->command =
		br_strdup(options->command ? options->command : "buildr");
	quiet->options.command = quiet->command;
	return &quiet->view.sink;
}
