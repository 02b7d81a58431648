/* SPDX-License-Identifier: MIT */
#include "view/region.h"

#include <inttypes.h>
#include <string.h>

#include "view/color.h"
#include "view/harmless.h"
#include "view/words.h"

enum {
	/* On fewer columns nothing could be told. */
	LEAST_COLUMNS = 16,
	/* Of each stage's output. */
	TAIL_LINES = 3,
	BAR_COLUMNS = 24,
	LEAST_BAR_COLUMNS = 6,
	/* `12 s` to `1 min 02 s`. */
	ELAPSED_COLUMNS = 6,
	/* Names get no more of the width than one in so many parts. */
	NAME_PART = 3,
};

/* A line in the making: what it has, and how many columns are left for more. */
struct row {
	const struct br_region_options *options;
	struct br_buf *line;
	size_t left;
};

/* Give the next line, empty; its last column is never used. */
static struct row start_row(
	const struct br_region_options *options, struct br_screen_lines *lines)
{
	struct br_buf *line = &lines->items[lines->count++];

	br_buf_clear(line);
	return (struct row){ options, line, options->width - 1 };
}

static void add(struct row *row, struct br_str text)
{
	row->left -= br_columns_add(
		row->options->columns, row->line, text, row->left);
}

static void add_text(struct row *row, const char *text)
{
	add(row, br_str(text));
}

/* Fill up to where `columns` are left. */
static void fill(struct row *row, size_t columns)
{
	if (row->left <= columns)
		return;
	br_columns_add_spaces(row->line, row->left - columns);
	row->left = columns;
}

static void start_color(struct row *row, enum br_color color)
{
	br_color_start(row->line, row->options->has_color, color);
}

static void end_color(struct row *row)
{
	br_color_end(row->line, row->options->has_color);
}

/* In whole seconds, since it is read while it changes. */
static void format_elapsed(int64_t us, struct br_buf *text)
{
	int64_t seconds = us > 0 ? us / 1000000 : 0;

	if (seconds < 60)
		br_buf_addf(text, "%" PRId64 " s", seconds);
	else
		br_words_add_duration(text, (double)seconds);
}

/* `   12 s `: of one width, so that it stands still. */
static void add_elapsed(struct row *row, int64_t us)
{
	br_autobuf struct br_buf elapsed = { 0 };

	format_elapsed(us, &elapsed);
	start_color(row, BR_COLOR_DIM);
	for (size_t columns = elapsed.len; columns < ELAPSED_COLUMNS; columns++)
		add_text(row, " ");
	add(row, br_buf_str(&elapsed));
	end_color(row);
	add_text(row, "  ");
}

static const char *name_of(
	const struct br_region_options *options, const char *stage)
{
	const struct br_label *label = br_labels_find(options->labels, stage);

	return label ? label->text : stage;
}

static size_t widest_name(
	const struct br_board *board, const struct br_region_options *options)
{
	size_t most = options->width / NAME_PART;
	size_t widest = 0;

	for (const struct br_board_stage *stage = board->stages; stage;
		stage = stage->next) {
		size_t columns = br_columns_count(options->columns,
			br_str(name_of(options, stage->name)));

		widest = columns > widest ? columns : widest;
	}
	return widest < most ? widest : most;
}

static void add_name(struct row *row, const char *stage, size_t columns)
{
	const struct br_label *label =
		br_labels_find(row->options->labels, stage);
	struct row name = *row;

	name.left = columns;
	if (label)
		br_color_start_stage(
			row->line, row->options->has_color, label->index);
	add_text(&name, name_of(row->options, stage));
	end_color(row);
	fill(&name, 0);
	row->left -= columns;
}

static void add_stage(const struct br_board_stage *stage, int64_t now_us,
	size_t name_columns, const struct br_region_options *options,
	struct br_screen_lines *lines)
{
	struct row row = start_row(options, lines);
	br_autobuf struct br_buf step = { 0 };

	add_name(&row, stage->name, name_columns);
	add_elapsed(&row, now_us - stage->started_us);
	if (stage->step > 0)
		br_buf_addf(&step, "%" PRId64 "/%" PRId64 " $ ", stage->step,
			stage->steps);
	if (stage->command)
		br_words_add_first_line(&step, stage->command);
	add(&row, br_buf_str(&step));
}

static void add_tail_line(const struct br_region_options *options,
	struct br_str text, struct br_screen_lines *lines)
{
	br_autobuf struct br_buf clean = { 0 };
	struct row row = start_row(options, lines);

	br_harmless_add_line(&clean, text, false);
	start_color(&row, BR_COLOR_DIM);
	add_text(&row, options->columns->has_unicode ? "  │ " : "  | ");
	add(&row, br_buf_str(&clean));
	end_color(&row);
}

/* The last `count` lines; of the oldest stage only one that has no end yet. */
static void add_tail(const struct br_board_stage *stage, bool is_oldest,
	size_t count, const struct br_region_options *options,
	struct br_screen_lines *lines)
{
	struct br_str tail = br_tail_last(&stage->tail, is_oldest ? 1 : count);
	const char *at = tail.data;
	const char *end = tail.data + tail.len;

	if (count == 0 || (is_oldest && tail.len > 0 && end[-1] == '\n'))
		return;
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		add_tail_line(options,
			(struct br_str){ at, (size_t)(stop - at) }, lines);
		at = newline ? newline + 1 : end;
	}
}

static void add_bar(struct row *row, double part, size_t columns)
{
	bool has_unicode = row->options->columns->has_unicode;
	size_t full = (size_t)(part * (double)columns + 0.5);

	if (!has_unicode)
		add_text(row, "[");
	for (size_t i = 0; i < columns; i++) {
		const char *wide = i < full ? "█" : "░";
		const char *narrow = i < full ? "#" : "-";

		add_text(row, has_unicode ? wide : narrow);
	}
	add_text(row, has_unicode ? " " : "] ");
}

static void format_amount(const struct br_board_pull *pull, struct br_buf *text)
{
	if (pull->done < 0)
		return;
	br_words_add_size(text, pull->done);
	if (pull->total <= 0)
		return;
	br_buf_add_text(text, " of ");
	br_words_add_size(text, pull->total);
}

/* `pulling postgres:16  12 s  [####----] 12.3 MB of 45.1 MB`; the bar where there is room. */
static void add_pull(const struct br_board_pull *pull, int64_t now_us,
	const struct br_region_options *options, struct br_screen_lines *lines)
{
	struct row row = start_row(options, lines);
	br_autobuf struct br_buf image = { 0 };
	br_autobuf struct br_buf amount = { 0 };

	br_words_add_safe(&image, br_str(pull->image));
	format_amount(pull, &amount);
	add_text(&row, "pulling ");
	add(&row, br_buf_str(&image));
	add_elapsed(&row, now_us - pull->started_us);

	/* Its frame, and a space behind it. */
	size_t rest = amount.len + 3;
	if (pull->total > 0 && pull->done >= 0 &&
		row.left >= rest + LEAST_BAR_COLUMNS) {
		size_t room = row.left - rest;

		add_bar(&row, (double)pull->done / (double)pull->total,
			room < BAR_COLUMNS ? room : BAR_COLUMNS);
	}
	add(&row, br_buf_str(&amount));
}

static const char *turning(const struct br_region_options *options)
{
	static const char *const dots[] = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦",
		"⠧", "⠇", "⠏" };
	static const char *const strokes[] = { "|", "/", "-", "\\" };

	return options->columns->has_unicode ? dots[options->turn % 10]
					     : strokes[options->turn % 4];
}

static void add_count(struct br_buf *text, size_t count, const char *what)
{
	if (count > 0)
		br_buf_addf(text, "%s%zu %s", text->len > 0 ? ", " : "", count,
			what);
}

/* How many stages are where. */
static void add_status(const struct br_board *board, int64_t now_us,
	const struct br_region_options *options, struct br_screen_lines *lines)
{
	struct row row = start_row(options, lines);
	br_autobuf struct br_buf counts = { 0 };

	add_count(&counts, board->failed_count, "failed");
	add_count(&counts, board->running_count, "running");
	add_count(&counts, br_board_waiting(board), "waiting");
	add_count(&counts, board->passed_count, "passed");
	add_count(&counts, board->skipped_count, "skipped");
	br_buf_add_text(&counts, counts.len > 0 ? ", " : "");
	format_elapsed(now_us - board->build_started_us, &counts);
	start_color(
		&row, board->failed_count > 0 ? BR_COLOR_RED : BR_COLOR_GREEN);
	add_text(&row, turning(options));
	end_color(&row);
	add_text(&row, " ");
	add(&row, br_buf_str(&counts));
}

/* How the lines are shared. */
struct shares {
	size_t pulls;
	size_t stages;
	/* Stages that there is no room for. */
	size_t hidden;
	/* Lines of output of each. */
	size_t tails;
};

static size_t count_pulls(const struct br_board *board)
{
	size_t count = 0;

	for (const struct br_board_pull *pull = board->pulls; pull;
		pull = pull->next)
		count++;
	return count;
}

static struct shares share(const struct br_board *board, size_t room)
{
	size_t pulls = count_pulls(board);
	size_t stages = board->running_count;
	struct shares shares = { 0 };

	shares.stages = stages < room ? stages : room;
	if (shares.stages < stages && room > 0) {
		/* One line says how many more there are. */
		shares.stages--;
		shares.hidden = stages - shares.stages;
		return shares;
	}
	room -= shares.stages;
	shares.pulls = pulls < room ? pulls : room;
	room -= shares.pulls;
	shares.tails = stages > 0 ? room / stages : 0;
	if (shares.tails > TAIL_LINES)
		shares.tails = TAIL_LINES;
	return shares;
}

static void add_hidden(size_t hidden, const struct br_region_options *options,
	struct br_screen_lines *lines)
{
	br_autobuf struct br_buf text = { 0 };

	if (hidden == 0)
		return;

	struct row row = start_row(options, lines);

	br_buf_addf(&text, "and %zu more", hidden);
	start_color(&row, BR_COLOR_DIM);
	add(&row, br_buf_str(&text));
	end_color(&row);
}

/* Two thirds of the screen, so that what has happened is seen as well. */
static size_t room_of(const struct br_region_options *options)
{
	size_t room = options->height * 2 / 3;

	if (options->width < LEAST_COLUMNS)
		return 0;
	return room < BR_SCREEN_LINES ? room : BR_SCREEN_LINES;
}

static void add_stages(const struct br_board *board, int64_t now_us,
	const struct shares *shares, const struct br_region_options *options,
	struct br_screen_lines *lines)
{
	size_t name_columns = widest_name(board, options);
	const struct br_board_stage *stage = board->stages;

	for (size_t i = 0; stage && i < shares->stages; i++) {
		add_stage(stage, now_us, name_columns, options, lines);
		add_tail(stage, i == 0, shares->tails, options, lines);
		stage = stage->next;
	}
}

void br_region_format(const struct br_board *board,
	const struct br_region_options *options, struct br_screen_lines *lines)
{
	size_t room = room_of(options);
	int64_t now_us = br_board_now_us(board);

	lines->count = 0;
	if (room == 0 || !board->is_started)
		return;

	const struct shares shares = share(board, room - 1);
	const struct br_board_pull *pull = board->pulls;

	for (size_t i = 0; pull && i < shares.pulls; i++) {
		add_pull(pull, now_us, options, lines);
		pull = pull->next;
	}
	add_stages(board, now_us, &shares, options, lines);
	add_hidden(shares.hidden, options, lines);
	add_status(board, now_us, options, lines);
}
