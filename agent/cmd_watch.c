/* SPDX-License-Identifier: MIT */
/* cmd_watch.c - `buildr watch`: every build on the bus. */
#include <unistd.h>

#include "agent/board.h"
#include "agent/farm_commands.h"
#include "base/clean.h"
#include "base/file.h"
#include "event/json.h"

/* What the board has a line for; anything for a program. */
static bool subscribe(
	const struct options *options, struct farm *farm, struct br_err *err)
{
	static const char *const keys[] = { "*.build.started",
		"*.stage.finished", "*.build.finished" };

	if (options->output == OUTPUT_JSON)
		return farm_subscribe(farm, "#", err);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!farm_subscribe(farm, keys[i], err))
			return false;
	return true;
}

static bool show_raw(struct br_str body, struct br_err *err)
{
	br_autobuf struct br_buf line = { 0 };

	br_buf_add(&line, body.data, body.len);
	br_buf_add_char(&line, '\n');
	return br_file_write(STDOUT_FILENO, line.data, line.len, err) ||
		br_fail_errno(err, "write to stdout");
}

/* What is no event is left out: anybody may publish there. */
static bool show(const struct options *options, struct br_sink *board,
	struct br_str body, struct br_err *err)
{
	struct br_arena arena = { 0 };
	struct br_event event = { 0 };
	struct br_err ignored = { 0 };
	bool is_shown = true;

	if (br_event_parse(body, &arena, &event, &ignored))
		is_shown = options->output == OUTPUT_JSON
			? show_raw(body, err)
			: br_sink_handle(board, &event, err);
	br_arena_done(&arena);
	return is_shown;
}

static bool show_all(const struct options *options, struct farm *farm,
	struct br_sink *board, struct br_err *err)
{
	const struct farm_message *first = NULL;

	while ((first = farm_first(farm, FARM_EVENTS)) != NULL) {
		const struct br_str body = { first->body, first->body_len };

		if (!show(options, board, body, err))
			return false;
		farm_drop(farm, FARM_EVENTS);
	}
	return true;
}

static bool watch(const struct options *options, struct farm *farm,
	struct br_sink *board, struct br_err *err)
{
	if (!subscribe(options, farm, err))
		return false;
	while (farm->signal == 0)
		if (!farm_turn(farm, -1, -1, NULL, err) ||
			!show_all(options, farm, board, err))
			return false;
	return br_fail(err, BR_ECANCELED, "stopped");
}

int cmd_watch(const struct options *options)
{
	struct br_sink *board = board_new(STDOUT_FILENO);
	struct farm farm = { 0 };
	struct br_err err = { 0 };
	int status = FARM_EXIT_PASS;

	if (!farm_open(options, &farm, &err) ||
		!watch(options, &farm, board, &err))
		status = farm_complain(&farm, &err);
	farm_close(&farm);
	board_free(board);
	return status;
}
