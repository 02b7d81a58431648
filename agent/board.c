/* SPDX-License-Identifier: MIT */
#include "agent/board.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "view/words.h"

enum { SHORT_COMMIT_BYTES = 12 };

/* Who builds it. */
struct seat {
	char build[BR_UUID_TEXT_BYTES];
	char *agent;
};

struct board {
	struct br_sink sink;
	int fd;
	/* A ring: the oldest gives way. */
	struct seat *seats;
	size_t next;
};

static struct seat *find_seat(struct board *board, const char *build)
{
	for (size_t i = 0; i < BOARD_AGENTS_MAX; i++)
		if (strcmp(board->seats[i].build, build) == 0)
			return &board->seats[i];
	return NULL;
}

static void leave_seat(struct seat *seat)
{
	free(seat->agent);
	*seat = (struct seat){ 0 };
}

static void take_seat(struct board *board, const struct br_event *event)
{
	struct seat *seat = find_seat(board, event->build);

	if (!seat)
		seat = &board->seats[board->next++ % BOARD_AGENTS_MAX];
	leave_seat(seat);
	(void)snprintf(seat->build, sizeof(seat->build), "%s", event->build);
	seat->agent = br_strdup(event->build_started.host.name);
}

static const char *agent_of(struct board *board, const struct br_event *event)
{
	const struct seat *seat = find_seat(board, event->build);

	if (seat)
		return seat->agent;
	/* It began before we were there. */
	if (event->type == BR_EVENT_BUILD_FINISHED &&
		event->build_finished.host.name)
		return event->build_finished.host.name;
	return "-";
}

static void add_safe(struct br_buf *text, const char *before, const char *value)
{
	if (!value)
		return;
	br_buf_add_text(text, before);
	br_words_add_safe(text, br_str(value));
}

static void add_started(const struct br_event *event, struct br_buf *text)
{
	const struct br_event_host *host = &event->build_started.host;

	br_buf_add_text(text, "started");
	if (event->attempt > 1)
		br_buf_addf(text, " (try %" PRIu32 ")", event->attempt);
	add_safe(text, " on ", host->system);
	add_safe(text, " ", host->release);
	add_safe(text, " ", host->machine);
	add_safe(text, ": ", event->build_started.repo);
	add_safe(text, "@", event->build_started.branch);
	if (event->build_started.commit) {
		br_buf_add_char(text, ' ');
		br_words_add_safe(text,
			(struct br_str){ event->build_started.commit,
				strnlen(event->build_started.commit,
					SHORT_COMMIT_BYTES) });
	}
}

static void add_stage(const struct br_event *event, struct br_buf *text)
{
	add_safe(text, "stage ", event->stage_finished.stage);
	br_buf_addf(text, " %s in ",
		br_words_of_result(event->stage_finished.result));
	br_words_add_duration(text, event->stage_finished.seconds);
}

static void add_finished(const struct br_event *event, struct br_buf *text)
{
	br_buf_addf(text, "%s in ",
		br_words_of_result(event->build_finished.result));
	br_words_add_duration(text, event->build_finished.seconds);
}

/* Gives false where the event has no line. */
static bool add_what(const struct br_event *event, struct br_buf *text)
{
	if (event->type == BR_EVENT_BUILD_STARTED)
		add_started(event, text);
	else if (event->type == BR_EVENT_STAGE_FINISHED)
		add_stage(event, text);
	else if (event->type == BR_EVENT_BUILD_FINISHED)
		add_finished(event, text);
	else if (event->type == BR_EVENT_NOTICE &&
		event->notice.level == BR_LEVEL_ERROR)
		add_safe(text, "error: ", event->notice.text);
	else
		return false;
	return true;
}

static bool handle(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct board *board = (struct board *)self;
	br_autobuf struct br_buf text = { 0 };
	struct seat *seat = NULL;

	if (event->type == BR_EVENT_BUILD_STARTED)
		take_seat(board, event);
	/* All of it: `buildr cancel` wants it so. */
	br_buf_add_text(&text, event->build);
	add_safe(&text, " ", agent_of(board, event));
	br_buf_add_char(&text, ' ');
	if (!add_what(event, &text))
		return true;
	br_buf_add_char(&text, '\n');
	seat = find_seat(board, event->build);
	if (seat && event->type == BR_EVENT_BUILD_FINISHED)
		leave_seat(seat);
	return br_file_write(board->fd, text.data, text.len, err) ||
		br_fail_errno(err, "write to stdout");
}

struct br_sink *board_new(int fd)
{
	struct board *board = br_alloc(sizeof(*board));

	*board = (struct board){
		.sink = { .handle = handle },
		.fd = fd,
		.seats =
			br_alloc_array(BOARD_AGENTS_MAX, sizeof(*board->seats)),
	};
	return &board->sink;
}

void board_free(struct br_sink *sink)
{
	struct board *board = (struct board *)sink;

	if (!board)
		return;
	for (size_t i = 0; i < BOARD_AGENTS_MAX; i++)
		free(board->seats[i].agent);
	free(board->seats);
	free(board);
}
