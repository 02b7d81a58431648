/* SPDX-License-Identifier: MIT */
#include "run/tape.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clean.h"
#include "base/file.h"
#include "base/limits.h"
#include "event/json.h"

enum {
	FILE_MODE = 0600,
	/* Written at once: a step may write a line a time. */
	LINES_BYTES = 64 * 1024,
};

bool br_tape_open(const char *folder, struct br_tape *tape, struct br_err *err)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE);

	if (fd < 0)
		return br_fail_errno(err, "make a file in '%s'", folder);
	*tape = (struct br_tape){ .fd = fd };
	return true;
}

bool br_tape_flush(struct br_tape *tape)
{
	struct br_err ignored = { 0 };

	if (tape->fd < 0 || tape->is_broken)
		return false;
	if (!br_file_write(
		    tape->fd, tape->lines.data, tape->lines.len, &ignored))
		tape->is_broken = true;
	tape->size_bytes += (int64_t)tape->lines.len;
	br_buf_clear(&tape->lines);
	return !tape->is_broken;
}

void br_tape_add(struct br_tape *tape, const struct br_event *event)
{
	if (tape->fd < 0 || tape->is_broken ||
		(event->type != BR_EVENT_STEP_STARTED &&
			event->type != BR_EVENT_OUTPUT &&
			event->type != BR_EVENT_STEP_FINISHED))
		return;
	br_event_format(event, &tape->lines);
	if (tape->lines.len >= LINES_BYTES)
		(void)br_tape_flush(tape);
	if (tape->size_bytes > BR_LIMIT_STORED_LOG_BYTES - LINES_BYTES)
		tape->is_broken = true;
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

static void play_line(struct br_str line, const struct br_plan_stage *stage,
	struct br_emitter *emitter)
{
	struct br_arena arena = { 0 };
	struct br_event event = { 0 };
	struct br_err ignored = { 0 };

	if (br_event_parse(line, &arena, &event, &ignored) &&
		rename_event(&event, stage))
		br_emit(emitter, &event);
	br_arena_done(&arena);
}

void br_tape_play(struct br_str tape, const struct br_plan_stage *stage,
	struct br_emitter *emitter)
{
	while (tape.len > 0 && !emitter->has_failed) {
		const char *end = memchr(tape.data, '\n', tape.len);
		size_t len = end ? (size_t)(end - tape.data) + 1 : tape.len;

		play_line((struct br_str){ tape.data, len }, stage, emitter);
		tape.data += len;
		tape.len -= len;
	}
}
