/* SPDX-License-Identifier: MIT */
/*
 * show_events - shows events, which it reads as JSON lines, with a view.
 *
 *	show_events plain|jsonl|quiet|live|junit [color] [group] [verbose] [unicode] [SYSTEM] <events
 *
 * A line `flush` stands for a while in which no event comes. `live` wants a terminal,
 * and goes on to tick while its input is open.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "event/json.h"
#include "view/junit.h"
#include "view/view.h"

static void set_folds(const char *name, struct br_view_options *options)
{
	static const char *const systems[] = {
		[BR_FOLDS_GITHUB] = "github",
		[BR_FOLDS_GITLAB] = "gitlab",
		[BR_FOLDS_TEAMCITY] = "teamcity",
		[BR_FOLDS_BUILDKITE] = "buildkite",
	};

	for (size_t i = 1; i < sizeof(systems) / sizeof(systems[0]); i++)
		if (strcmp(systems[i], name) == 0)
			options->folds = (enum br_folds)i;
}

static struct br_sink *make_view(int argc, char **argv)
{
	struct br_view_options options = {
		.out_fd = STDOUT_FILENO,
		.err_fd = STDERR_FILENO,
		.command = "buildr -f ci.yml",
	};

	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "color") == 0) {
			options.has_out_color = true;
			options.has_err_color = true;
		} else if (strcmp(argv[i], "group") == 0) {
			options.is_grouped = true;
		} else if (strcmp(argv[i], "unicode") == 0) {
			options.has_unicode = true;
		} else if (strcmp(argv[i], "verbose") == 0) {
			options.is_verbose = true;
		} else {
			set_folds(argv[i], &options);
		}
	}
	if (argc > 1 && strcmp(argv[1], "plain") == 0)
		return br_plain_new(&options);
	if (argc > 1 && strcmp(argv[1], "jsonl") == 0)
		return br_jsonl_new(&options);
	if (argc > 1 && strcmp(argv[1], "quiet") == 0)
		return br_quiet_new(&options);
	if (argc > 1 && strcmp(argv[1], "live") == 0)
		return br_live_new(&options);
	return NULL;
}

static bool show(struct br_sink *view, struct br_str line, struct br_err *err)
{
	struct br_arena arena = { 0 };
	struct br_event event = { 0 };

	if (br_str_is(line, "flush\n"))
		return br_sink_flush(view, err);

	bool is_shown = br_event_parse(line, &arena, &event, err) &&
		br_sink_handle(view, &event, err);

	br_arena_done(&arena);
	return is_shown;
}

/* Show the whole lines of `input`, and drop them from it. */
static bool show_lines(
	struct br_sink *view, struct br_buf *input, struct br_err *err)
{
	const char *at = br_buf_text(input);
	const char *newline = memchr(at, '\n', input->len);

	for (; newline; newline = memchr(at, '\n',
				input->len - (size_t)(at - input->data))) {
		if (!show(view,
			    (struct br_str){ at, (size_t)(newline + 1 - at) },
			    err))
			return false;
		at = newline + 1;
	}
	br_buf_drop(input, (size_t)(at - br_buf_text(input)));
	return true;
}

/* Wait for more input, or until the view wants a tick. */
static bool wait_for_input(const struct br_sink *view)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t left_ms = view->tick_ms - br_clock_now_ms();

	if (view->tick_ms == 0)
		left_ms = -1;
	else if (left_ms < 0)
		left_ms = 0;
	return poll(&input, 1, (int)left_ms) > 0;
}

static bool show_all(struct br_sink *view, struct br_err *err)
{
	enum { PIECE_BYTES = 64 * 1024 };
	br_autobuf struct br_buf input = { 0 };

	for (;;) {
		if (wait_for_input(view)) {
			char *room = br_buf_room(&input, PIECE_BYTES);
			ssize_t n = read(STDIN_FILENO, room, PIECE_BYTES);

			if (n <= 0)
				return true;
			br_buf_grew(&input, (size_t)n);
			if (!show_lines(view, &input, err))
				return false;
		}
		if (!br_sink_tick(view, br_clock_now_ms(), err))
			return false;
	}
}

int main(int argc, char **argv)
{
	struct br_sink *view = make_view(argc, argv);
	struct br_err err = { 0 };

	(void)signal(SIGPIPE, SIG_IGN);

	bool is_junit = argc > 1 && strcmp(argv[1], "junit") == 0;
	bool is_shown =
		(view ||
			(is_junit &&
				br_junit_open("/dev/stdout", &view, &err))) &&
		show_all(view, &err);

	if (is_junit)
		is_shown = br_junit_close(view, &err) && is_shown;
	else
		br_view_free(view);
	if (!is_shown)
		(void)fprintf(stderr, "show_events: %s\n", err.text);
	return is_shown ? EXIT_SUCCESS : EXIT_FAILURE;
}
