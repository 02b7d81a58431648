/* SPDX-License-Identifier: MIT */
#include "run/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "event/json.h"
#include "run/output.h"

enum {
	FILE_MODE = 0600,
	/* Written at once: a step may write a line a time. */
	LINES_BYTES = 64 * 1024,
};

/* Not every file system has files that never had a name. */
static int make_file(const char *folder)
{
	br_autofree char *path = br_path_join(folder, "tape-XXXXXX");
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

void br_tape_open(const char *folder, struct br_tape *tape)
{
	*tape = (struct br_tape){ .fd = make_file(folder) };
	if (tape->fd < 0)
		(void)br_fail_errno(
			&tape->failure, "make a file in '%s'", folder);
}

static bool is_whole(const struct br_tape *tape)
{
	return tape->failure.code == BR_OK;
}

static void write_lines(struct br_tape *tape)
{
	if (tape->size_bytes + (int64_t)tape->lines.len >
		BR_LIMIT_STORED_LOG_BYTES)
		(void)br_fail(&tape->failure, BR_EINPUT,
			"what it has said is more than %d bytes",
			BR_LIMIT_STORED_LOG_BYTES);
	else
		(void)!br_file_write(tape->fd, tape->lines.data,
			tape->lines.len, &tape->failure);
	tape->size_bytes += (int64_t)tape->lines.len;
	br_buf_clear(&tape->lines);
}

bool br_tape_flush(struct br_tape *tape, struct br_err *err)
{
	if (tape->fd >= 0 && is_whole(tape))
		write_lines(tape);
	if (is_whole(tape) && tape->fd < 0)
		return br_fail(err, BR_EUNAVAIL, "nothing was recorded");
	if (!is_whole(tape))
		*err = tape->failure;
	return is_whole(tape);
}

void br_tape_add(struct br_tape *tape, const struct br_event *event)
{
	if (tape->fd < 0 || !is_whole(tape) ||
		(event->type != BR_EVENT_STEP_STARTED &&
			event->type != BR_EVENT_OUTPUT &&
			event->type != BR_EVENT_STEP_FINISHED))
		return;
	br_event_format(event, &tape->lines);
	if (tape->lines.len >= LINES_BYTES)
		write_lines(tape);
}

void br_tape_close(struct br_tape *tape)
{
	if (tape->fd >= 0)
		(void)close(tape->fd);
	br_buf_done(&tape->lines);
	*tape = BR_TAPE_CLOSED;
}

/* Give the event the names of today. False: it is not of this stage's. */
static bool rename_event(
	struct br_event *event, const struct br_plan_stage *stage)
{
	int64_t step = 0;

	switch (event->type) {
	case BR_EVENT_STEP_STARTED:
		step = event->step_started.step;
		event->step_started.stage = stage->name;
		break;
	case BR_EVENT_OUTPUT:
		step = event->output.step;
		event->output.stage = stage->name;
		break;
	case BR_EVENT_STEP_FINISHED:
		step = event->step_finished.step;
		event->step_finished.stage = stage->name;
		break;
	default:
		return false;
	}
	if (step < 1 || (size_t)step > stage->step_count)
		return false;
	if (event->type == BR_EVENT_STEP_STARTED) {
		event->step_started.command = stage->steps[step - 1].command;
		event->step_started.line = stage->steps[step - 1].line;
	}
	return true;
}

/* A tape that is played. */
struct player {
	const struct br_plan_stage *stage;
	struct br_emitter *emitter;
	/* Cuts anew what may have secrets in it now. */
	struct br_output output;
	int64_t step;
	enum br_stream stream;
};

static void emit_piece(void *ctx, enum br_stream stream, struct br_str piece)
{
	const struct player *player = ctx;
	struct br_event event = {
		.type = BR_EVENT_OUTPUT,
		.output = {
			.stage = player->stage->name,
			.step = player->step,
			.stream = stream,
			.data = piece,
		},
	};

	br_emit(player->emitter, &event);
}

/* A secret may be in two events, but in one stream. */
static void play_masked(struct player *player, const struct br_event *event)
{
	if (event->output.stream != player->stream)
		br_output_flush(&player->output);
	player->step = event->output.step;
	player->stream = event->output.stream;
	br_output_feed(&player->output, player->stream, event->output.data,
		br_clock_now_ms());
}

static void play_event(struct player *player, struct br_event *event)
{
	if (!rename_event(event, player->stage))
		return;
	if (event->type == BR_EVENT_OUTPUT && player->emitter->mask) {
		play_masked(player, event);
		return;
	}
	br_output_flush(&player->output);
	br_emit(player->emitter, event);
}

static void play_line(struct player *player, struct br_str line)
{
	struct br_arena arena = { 0 };
	struct br_event event = { 0 };
	struct br_err ignored = { 0 };

	if (br_event_parse(line, &arena, &event, &ignored))
		play_event(player, &event);
	br_arena_done(&arena);
}

void br_tape_play(struct br_str tape, const struct br_plan_stage *stage,
	struct br_emitter *emitter)
{
	struct player player = { .stage = stage, .emitter = emitter };

	br_output_init(&player.output, emitter->mask, emit_piece, &player);
	while (tape.len > 0 && !emitter->has_failed) {
		const char *end = memchr(tape.data, '\n', tape.len);
		size_t len = end ? (size_t)(end - tape.data) + 1 : tape.len;

		play_line(&player, (struct br_str){ tape.data, len });
		tape.data += len;
		tape.len -= len;
	}
	br_output_flush(&player.output);
	br_output_done(&player.output);
}
