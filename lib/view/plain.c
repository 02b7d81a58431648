/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "view/failure.h"
#include "view/folds.h"
#include "view/group.h"
#include "view/headings.h"
#include "view/lines.h"
#include "view/private.h"
#include "view/pulls.h"
#include "view/summary.h"

struct plain {
	struct br_view view;
	struct br_view_options options;
	char *command;
	struct br_lines lines;
	struct br_failures failures;
	struct br_summary summary;
	struct br_pulls pulls;
	/* Stages that run now. */
	size_t running;
	/* The last event was cache.hit. */
	bool is_after_hit;
	/* What buildr says; kept for its memory. */
	struct br_buf text;
	/* The terminal is raw: somebody types to another program. */
	bool is_raw;
};

/* Table, failures, verdict: what matters most stands last. */
static void add_end(struct plain *plain, const struct br_event *event)
{
	bool has_color = plain->options.has_err_color;

	br_buf_add_char(&plain->text, '\n');
	br_summary_add_table(&plain->summary, event, has_color, &plain->text);
	if (event->build_finished.stages.count > 0)
		br_buf_add_char(&plain->text, '\n');
	br_failures_format(
		&plain->failures, event, &plain->options, &plain->text);
	br_summary_add_verdict(event,
		br_failures_find_error(&plain->failures, event), has_color,
		&plain->text);
}

static void add_text(struct plain *plain, const struct br_event *event)
{
	const struct br_headings_place place = {
		.is_alone = plain->running <= 1,
		.is_after_hit = plain->is_after_hit,
	};

	if (event->type == BR_EVENT_IMAGE_PULLING ||
		event->type == BR_EVENT_IMAGE_READY)
		br_pulls_format(&plain->pulls, event, plain->options.is_verbose,
			&plain->text);
	else if (event->type == BR_EVENT_BUILD_FINISHED)
		add_end(plain, event);
	else
		br_headings_format(event, &plain->options, place, &plain->text);
	plain->is_after_hit = event->type == BR_EVENT_CACHE_HIT;
}

/* Nothing puts the cursor at the left, and somebody's line may stand there. */
static void end_lines_as_raw(struct br_buf *text)
{
	br_autobuf struct br_buf lines = { 0 };

	br_buf_add_text(&lines, "\r\n");
	for (size_t i = 0; i < text->len; i++) {
		if (text->data[i] == '\n')
			br_buf_add_char(&lines, '\r');
		br_buf_add_char(&lines, text->data[i]);
	}
	br_buf_clear(text);
	br_buf_add(text, lines.data, lines.len);
}

/* Say what there is to say, behind all output that came before. */
static bool say(struct plain *plain, struct br_err *err)
{
	if (plain->text.len == 0)
		return true;
	if (br_view_is_one_file(&plain->options) &&
		!br_lines_break(&plain->lines, err))
		return false;
	if (plain->is_raw)
		end_lines_as_raw(&plain->text);
	return br_view_write_err(&plain->options, &plain->text, err);
}

/* Write the marks in `text`, to the stream where they are read. */
static bool mark(struct plain *plain, struct br_err *err)
{
	if (plain->text.len > 0 &&
		br_folds_are_for_stdout(plain->options.folds))
		return br_view_write_out(
			plain->options.out_fd, &plain->text, err);
	return say(plain, err);
}

/* End lines that nothing can end any more. */
static bool end_lines(
	struct plain *plain, const struct br_event *event, struct br_err *err)
{
	if (event->type == BR_EVENT_STEP_FINISHED)
		return br_lines_end(
			&plain->lines, event->step_finished.stage, err);
	if (event->type == BR_EVENT_STAGE_FINISHED)
		return br_lines_end_stage(
			&plain->lines, event->stage_finished.stage, err);
	if (event->type == BR_EVENT_BUILD_FINISHED)
		return br_lines_end_all(&plain->lines, err);
	return true;
}

static void note(struct plain *plain, const struct br_event *event)
{
	br_failures_note(&plain->failures, event);
	br_summary_note(&plain->summary, event);
	if (event->type == BR_EVENT_BUILD_STARTED)
		br_lines_set_names(&plain->lines, &event->build_started.stages);
	else if (event->type == BR_EVENT_STAGE_STARTED)
		plain->running++;
	else if (event->type == BR_EVENT_STAGE_FINISHED && plain->running > 0)
		plain->running--;
}

static bool handle(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct plain *plain = (struct plain *)self;

	note(plain, event);
	if (event->type == BR_EVENT_OUTPUT)
		return br_lines_add(&plain->lines, event->output.stage,
			event->output.data, err);
	br_folds_begin(plain->options.folds, event, &plain->text);
	if (!mark(plain, err))
		return false;
	add_text(plain, event);
	if (!end_lines(plain, event, err) || !say(plain, err))
		return false;
	br_folds_end(plain->options.folds, event, &plain->text);
	return mark(plain, err);
}

static bool flush(struct br_sink *self, struct br_err *err)
{
	return br_lines_flush(&((struct plain *)self)->lines, err);
}

/* Of output nothing comes then; what must be said is said. */
static void pause_plain(struct br_view *view, bool is_paused)
{
	struct plain *plain = (struct plain *)view;

	plain->is_raw = is_paused && isatty(plain->options.err_fd);
}

static void free_plain(struct br_view *view)
{
	struct plain *plain = (struct plain *)view;
	struct br_err err = { 0 };
	/* There is nobody left to tell. */
	bool is_written = br_lines_end_all(&plain->lines, &err);

	(void)is_written;
	br_lines_done(&plain->lines);
	br_failures_done(&plain->failures);
	br_summary_done(&plain->summary);
	br_pulls_done(&plain->pulls);
	br_buf_done(&plain->text);
	free(plain->command);
	free(plain);
}

struct br_sink *br_plain_new(const struct br_view_options *options)
{
	struct plain *plain = br_alloc(sizeof(*plain));

	plain->view.sink.handle = handle;
	plain->view.sink.flush = flush;
	plain->view.free = free_plain;
	plain->view.pause = pause_plain;
	plain->options = *options;
	plain->command =
		br_strdup(options->command ? options->command : "buildr");
	plain->options.command = plain->command;
	/* A block of either kind ends by saying how. */
	plain->options.is_grouped =
		options->is_grouped || options->folds != BR_FOLDS_NONE;
	br_lines_init(&plain->lines, options->out_fd, options->has_out_color);
	if (options->is_grouped)
		return br_group_new(&plain->view.sink, BR_GROUP_ENDED);
	return options->folds != BR_FOLDS_NONE
		? br_group_new(&plain->view.sink, BR_GROUP_WHOLE)
		: &plain->view.sink;
}
