/* SPDX-License-Identifier: MIT */
#include "cmd/log/log_table.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "view/color.h"
#include "view/words.h"

enum {
	/* `unfinished` is the longest result, `59 min 59 s` the longest duration. */
	NUMBER_COLUMNS = 3,
	RESULT_COLUMNS = 10,
	TIME_COLUMNS = 19,
	DURATION_COLUMNS = 11,
	COMMIT_CHARS = 10,
};

static bool is_shown(const struct br_log_build *build,
	const struct log_table_options *options)
{
	if (!options->is_failed_only)
		return true;
	return build->state == BR_LOG_FINISHED &&
		(build->result == BR_RESULT_FAIL ||
			build->result == BR_RESULT_ERROR);
}

static double seconds_of(const struct br_log_build *build,
	const struct log_table_options *options)
{
	int64_t passed_us = options->now_us - build->started_us;

	if (build->state != BR_LOG_RUNNING)
		return build->seconds;
	return passed_us > 0 ? (double)passed_us / 1e6 : 0;
}

static const char *state_name(enum br_log_state state)
{
	switch (state) {
	case BR_LOG_FINISHED:
		return "finished";
	case BR_LOG_RUNNING:
		return "running";
	case BR_LOG_UNFINISHED:
		return "unfinished";
	}
	return "";
}

static const char *result_text(const struct br_log_build *build)
{
	return build->state == BR_LOG_FINISHED
		? br_words_of_result(build->result)
		: state_name(build->state);
}

static enum br_color color_of(const struct br_log_build *build)
{
	switch (build->state) {
	case BR_LOG_FINISHED:
		return br_color_of_result(build->result);
	case BR_LOG_RUNNING:
		return BR_COLOR_BOLD;
	case BR_LOG_UNFINISHED:
		return BR_COLOR_YELLOW;
	}
	return BR_COLOR_BOLD;
}

/* In the time of the place, as people read it. */
static void add_time(struct br_buf *text, int64_t wall_us)
{
	time_t seconds = (time_t)(wall_us / 1000000);
	char digits[TIME_COLUMNS + 1] = "";
	struct tm local = { 0 };

	if (localtime_r(&seconds, &local))
		(void)strftime(
			digits, sizeof(digits), "%Y-%m-%d %H:%M:%S", &local);
	br_buf_addf(text, "%-*s", TIME_COLUMNS, digits);
}

static void add_duration(struct br_buf *text, double seconds)
{
	br_autobuf struct br_buf words = { 0 };

	br_words_add_duration(&words, seconds);
	br_buf_addf(text, "%*s", DURATION_COLUMNS, br_buf_text(&words));
}

/* Where no branch is checked out, the commit. */
static void add_branch(struct br_buf *text, const struct br_log_header *header)
{
	if (header->branch)
		br_words_add_safe(text, br_str(header->branch));
	else if (header->commit)
		br_buf_addf(text, "(%.*s)", COMMIT_CHARS, header->commit);
	else
		br_buf_add_char(text, '-');
}

static void add_row(struct br_buf *text, const struct br_log_build *build,
	int id_chars, const struct log_table_options *options)
{
	char number[24];

	(void)snprintf(number, sizeof(number), "@%zu", build->number);
	br_buf_addf(text, "%-*s  %.*s  ", NUMBER_COLUMNS, number, id_chars,
		build->build);
	br_color_start(text, options->has_color, color_of(build));
	br_buf_addf(text, "%-*s", RESULT_COLUMNS, result_text(build));
	br_color_end(text, options->has_color);
	br_buf_add_text(text, "  ");
	add_time(text, build->started_us);
	br_buf_add_text(text, "  ");
	add_duration(text, seconds_of(build, options));
	br_buf_add_text(text, "  ");
	add_branch(text, &build->header);
	br_buf_add_char(text, '\n');
}

void log_table_format(const struct br_log_builds *builds,
	const struct log_table_options *options, struct br_buf *text)
{
	int id_chars = (int)builds->id_chars;
	bool has_heading = false;

	for (size_t i = 0; i < builds->count; i++) {
		if (!is_shown(&builds->items[i], options))
			continue;
		if (!has_heading)
			br_buf_addf(text, "%-*s  %-*s  %-*s  %-*s  %*s  %s\n",
				NUMBER_COLUMNS, "", id_chars, "BUILD",
				RESULT_COLUMNS, "RESULT", TIME_COLUMNS,
				"STARTED", DURATION_COLUMNS, "TOOK", "BRANCH");
		has_heading = true;
		add_row(text, &builds->items[i], id_chars, options);
	}
}

static void add_text(struct br_buf *text, const char *key, const char *value)
{
	if (!value)
		return;
	br_buf_addf(text, ",\"%s\":", key);
	br_json_add_string(text, br_str(value));
}

static void add_object(struct br_buf *text, const struct br_log_build *build,
	const struct log_table_options *options)
{
	char started[BR_CLOCK_TEXT_BYTES];

	br_clock_format(build->started_us, started);
	br_buf_addf(text, "{\"build\":\"%s\",\"number\":%zu", build->build,
		build->number);
	add_text(text, "state", state_name(build->state));
	if (build->state == BR_LOG_FINISHED) {
		add_text(text, "result", br_result_name(build->result));
		br_buf_add_text(text, ",\"exit\":");
		br_json_add_int(text, build->exit);
	}
	add_text(text, "started", started);
	br_buf_add_text(text, ",\"seconds\":");
	br_json_add_seconds(text, seconds_of(build, options));
	add_text(text, "branch", build->header.branch);
	add_text(text, "commit", build->header.commit);
	add_text(text, "project", build->project);
	br_buf_add_text(text, ",\"bytes\":");
	br_json_add_int(text, build->size_bytes);
	br_buf_add_text(text, "}\n");
}

void log_table_format_json(const struct br_log_builds *builds,
	const struct log_table_options *options, struct br_buf *text)
{
	for (size_t i = 0; i < builds->count; i++)
		if (is_shown(&builds->items[i], options))
			add_object(text, &builds->items[i], options);
}
