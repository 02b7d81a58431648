/* SPDX-License-Identifier: MIT */
/*
 * show_events - shows events, which it reads as JSON lines, with a view.
 *
 *	show_events plain|jsonl|quiet [color] [group] [verbose] <events
 *
 * A line `flush` stands for a while in which no event comes.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/json.h"
#include "view/view.h"

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
		} else {
			options.is_verbose = true;
		}
	}
	if (argc > 1 && strcmp(argv[1], "plain") == 0)
		return br_plain_new(&options);
	if (argc > 1 && strcmp(argv[1], "jsonl") == 0)
		return br_jsonl_new(&options);
	if (argc > 1 && strcmp(argv[1], "quiet") == 0)
		return br_quiet_new(&options);
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

int main(int argc, char **argv)
{
	struct br_sink *view = make_view(argc, argv);
	struct br_err err = { 0 };
	bool is_shown = view != NULL;
	char *line = NULL;
	size_t size = 0;

	(void)signal(SIGPIPE, SIG_IGN);
	for (ssize_t len = getline(&line, &size, stdin);
		is_shown && line && len > 0; len = getline(&line, &size, stdin))
		is_shown =
			show(view, (struct br_str){ line, (size_t)len }, &err);
	free(line);
	br_view_free(view);
	if (!is_shown)
		(void)fprintf(stderr, "show_events: %s\n", err.text);
	return is_shown ? EXIT_SUCCESS : EXIT_FAILURE;
}
