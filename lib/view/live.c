/* SPDX-License-Identifier: MIT */
/*
 * live.c - the view of `-o live`: what happens now at the bottom of the terminal,
 * above it all that has happened.
 *
 * Events go two ways. The board takes note of them at once, and the region is made
 * from it. And they pass through the group, which lets the oldest stage run on and
 * keeps the others back until they end, into the transcript. A frame puts what is new
 * of the transcript above the region; there are at most 20 a second, however much is written.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "view/board.h"
#include "view/columns.h"
#include "view/group.h"
#include "view/private.h"
#include "view/region.h"
#include "view/screen.h"
#include "view/transcript.h"

enum {
	/* Between two frames. */
	FRAME_MS = 50,
	/* Where nothing comes: for the time, and what turns. */
	IDLE_MS = 100,
	/*
	 * Every line is written anew so often, whether it differs or not: what was
	 * typed stands there too, or what another program has written.
	 */
	WHOLE_MS = 1000,
};

struct live {
	struct br_view view;
	struct br_view_options options;
	char *command;
	struct br_columns columns;
	struct br_board board;
	struct br_transcript transcript;
	/* In front of the transcript. */
	struct br_sink *group;
	struct br_screen screen;
	struct br_screen_lines lines;
	/* Monotonic: when the last frame was, and the last whole one. */
	int64_t frame_ms;
	int64_t whole_ms;
	size_t turn;
	/* The build has ended. */
	bool is_over;
	/* Nothing may be written now: the transcript grows until it may. */
	bool is_paused;
};

/* The group frees what it stands in front of as a view. */
struct inner {
	struct br_view view;
	struct live *live;
};

static bool show_frame(struct live *live, int64_t now_ms, struct br_err *err)
{
	if (live->is_paused) {
		live->view.sink.tick_ms = 0;
		return true;
	}

	bool is_new_size = br_screen_look(&live->screen);
	bool is_whole = is_new_size || now_ms - live->whole_ms >= WHOLE_MS;
	const struct br_region_options options = {
		.columns = &live->columns,
		.labels = &live->transcript.labels,
		.width = live->screen.columns,
		.height = live->screen.rows,
		.has_color = live->options.has_out_color,
		.turn = live->turn,
	};

	live->lines.count = 0;
	if (!live->is_over)
		br_region_format(&live->board, &options, &live->lines);
	live->turn = (size_t)(now_ms / IDLE_MS);
	live->frame_ms = now_ms;
	if (is_whole)
		live->whole_ms = now_ms;
	live->view.sink.tick_ms = live->is_over ? 0 : now_ms + IDLE_MS;
	return br_screen_show(&live->screen, &live->transcript.text,
		&live->lines, is_whole, err);
}

/* Show what there is, now or when the time has come for another frame. */
static bool show_soon(struct live *live, struct br_err *err)
{
	int64_t now_ms = br_clock_now_ms();

	if (live->is_over || live->is_paused ||
		now_ms - live->frame_ms >= FRAME_MS)
		return show_frame(live, now_ms, err);
	live->view.sink.tick_ms = live->frame_ms + FRAME_MS;
	return true;
}

/* Much text between two frames: the lines below come back with the next one. */
static bool take_text(void *ctx, struct br_err *err)
{
	struct live *live = ctx;
	const struct br_screen_lines none = { .count = 0 };
	int64_t now_ms = br_clock_now_ms();

	if (live->is_paused || now_ms - live->frame_ms >= FRAME_MS)
		return show_frame(live, now_ms, err);
	return br_screen_show(
		&live->screen, &live->transcript.text, &none, false, err);
}

static bool handle(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct live *live = (struct live *)self;

	br_board_note(&live->board, event);
	if (!br_sink_handle(live->group, event, err))
		return false;
	if (event->type == BR_EVENT_BUILD_FINISHED)
		live->is_over = true;
	return show_soon(live, err);
}

static bool tick(struct br_sink *self, struct br_err *err)
{
	return show_frame((struct live *)self, br_clock_now_ms(), err);
}

static bool pass_on(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct live *live = ((struct inner *)self)->live;

	return br_sink_handle(&live->transcript.sink, event, err);
}

static void free_inner(struct br_view *view)
{
	free(view);
}

static struct br_sink *make_group(struct live *live)
{
	struct inner *inner = br_alloc(sizeof(*inner));

	inner->view.sink.handle = pass_on;
	inner->view.free = free_inner;
	inner->live = live;
	return br_group_new(&inner->view.sink, BR_GROUP_OLDEST);
}

static void hide(struct br_view *view)
{
	struct live *live = (struct live *)view;
	const struct br_screen_lines none = { .count = 0 };
	struct br_err err = { 0 };

	/* Whoever hides it goes on to write there, and will see. */
	(void)!br_screen_show(&live->screen, &live->transcript.text, &none,
		live->screen.line_count > 0, &err);
}

static void pause_live(struct br_view *view, bool is_paused)
{
	struct live *live = (struct live *)view;

	if (is_paused)
		hide(view);
	live->is_paused = is_paused;
}

static void free_live(struct br_view *view)
{
	struct live *live = (struct live *)view;

	/* What the group still holds comes into the transcript. */
	br_view_free(live->group);
	br_transcript_end(&live->transcript);
	hide(view);
	br_screen_done(&live->screen);
	for (size_t i = 0; i < BR_SCREEN_LINES; i++)
		br_buf_done(&live->lines.items[i]);
	br_transcript_done(&live->transcript);
	br_board_done(&live->board);
	br_columns_done(&live->columns);
	free(live->command);
	free(live);
}

struct br_sink *br_live_new(const struct br_view_options *options)
{
	struct live *live = br_alloc(sizeof(*live));

	live->view.sink.handle = handle;
	live->view.sink.tick = tick;
	live->view.free = free_live;
	live->view.hide = hide;
	live->view.pause = pause_live;
	live->options = *options;
	live->command =
		br_strdup(options->command ? options->command : "buildr");
	live->options.command = live->command;
	br_columns_init(&live->columns, options->has_unicode);
	br_screen_init(&live->screen, options->out_fd);
	br_transcript_init(&live->transcript, &live->options);
	live->transcript.take = take_text;
	live->transcript.ctx = live;
	live->group = make_group(live);
	return &live->view.sink;
}
