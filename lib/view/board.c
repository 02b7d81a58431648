/* SPDX-License-Identifier: MIT */
#include "view/board.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

static void free_stage(struct br_board_stage *stage)
{
	br_tail_done(&stage->tail);
	free(stage->command);
	free(stage->name);
	free(stage);
}

static void free_pull(struct br_board_pull *pull)
{
	free(pull->image);
	free(pull);
}

void br_board_done(struct br_board *board)
{
	while (board->stages) {
		struct br_board_stage *stage = board->stages;

		board->stages = stage->next;
		free_stage(stage);
	}
	while (board->pulls) {
		struct br_board_pull *pull = board->pulls;

		board->pulls = pull->next;
		free_pull(pull);
	}
	*board = (struct br_board){ 0 };
}

/* Find the place in the list that points to `name`, or its end. */
static struct br_board_stage **find_stage(
	struct br_board *board, const char *name)
{
	struct br_board_stage **slot = &board->stages;

	while (*slot && strcmp((*slot)->name, name) != 0)
		slot = &(*slot)->next;
	return slot;
}

static struct br_board_pull **find_pull(
	struct br_board *board, const char *image)
{
	struct br_board_pull **slot = &board->pulls;

	while (*slot && strcmp((*slot)->image, image) != 0)
		slot = &(*slot)->next;
	return slot;
}

/* Its result is not told here: another attempt may follow. */
static void remove_stage(struct br_board *board, const char *name)
{
	struct br_board_stage **slot = find_stage(board, name);
	struct br_board_stage *stage = *slot;

	if (!stage)
		return;
	*slot = stage->next;
	free_stage(stage);
	board->running_count--;
}

static void start_build(struct br_board *board, const struct br_event *event)
{
	br_board_done(board);
	board->is_started = true;
	board->build_started_us = event->wall_us;
	board->stage_count = event->build_started.stages.count;
}

static void start_stage(struct br_board *board, const struct br_event *event)
{
	const char *name = event->stage_started.stage;
	struct br_board_stage *stage = br_alloc(sizeof(*stage));

	remove_stage(board, name);
	stage->name = br_strdup(name);
	stage->started_us = event->wall_us;
	stage->steps = event->stage_started.steps;
	*find_stage(board, name) = stage;
	board->running_count++;
	/* It was counted as failed. */
	if (event->stage_started.attempt > 1 && board->failed_count > 0)
		board->failed_count--;
}

static void start_step(struct br_board *board, const struct br_event *event)
{
	struct br_board_stage *stage =
		*find_stage(board, event->step_started.stage);

	if (!stage)
		return;
	free(stage->command);
	stage->command = br_strdup(event->step_started.command);
	stage->step = event->step_started.step;
	br_tail_clear(&stage->tail);
}

static void note_output(struct br_board *board, const struct br_event *event)
{
	struct br_board_stage *stage = *find_stage(board, event->output.stage);

	if (stage)
		br_tail_add(&stage->tail, event->output.data);
}

static void finish_stage(struct br_board *board, const struct br_event *event)
{
	remove_stage(board, event->stage_finished.stage);
	switch (event->stage_finished.result) {
	case BR_RESULT_PASS:
	case BR_RESULT_CACHED:
		board->passed_count++;
		break;
	case BR_RESULT_FAIL:
	case BR_RESULT_ERROR:
	case BR_RESULT_CANCELLED:
		board->failed_count++;
		break;
	case BR_RESULT_SKIPPED:
		board->skipped_count++;
		break;
	}
}

static void note_pull(struct br_board *board, const struct br_event *event)
{
	const char *image = event->image_pulling.image;
	struct br_board_pull **slot = find_pull(board, image);

	if (!*slot) {
		*slot = br_alloc(sizeof(**slot));
		(*slot)->image = br_strdup(image);
		(*slot)->started_us = event->wall_us;
	}
	(*slot)->done = event->image_pulling.done;
	(*slot)->total = event->image_pulling.total;
}

static void end_pull(struct br_board *board, const char *image)
{
	struct br_board_pull **slot = find_pull(board, image);
	struct br_board_pull *pull = *slot;

	if (!pull)
		return;
	*slot = pull->next;
	free_pull(pull);
}

void br_board_note(struct br_board *board, const struct br_event *event)
{
	switch (event->type) {
	case BR_EVENT_BUILD_STARTED:
		start_build(board, event);
		break;
	case BR_EVENT_IMAGE_PULLING:
		note_pull(board, event);
		break;
	case BR_EVENT_IMAGE_READY:
		end_pull(board, event->image_ready.image);
		break;
	case BR_EVENT_STAGE_STARTED:
		start_stage(board, event);
		break;
	case BR_EVENT_STEP_STARTED:
		start_step(board, event);
		break;
	case BR_EVENT_OUTPUT:
		note_output(board, event);
		break;
	case BR_EVENT_STAGE_FINISHED:
		finish_stage(board, event);
		break;
	case BR_EVENT_STAGE_SKIPPED:
		board->skipped_count++;
		break;
	case BR_EVENT_CONTAINER_STARTED:
	case BR_EVENT_STEP_FINISHED:
	case BR_EVENT_CACHE_HIT:
	case BR_EVENT_CACHE_MISS:
	case BR_EVENT_CACHE_STORED:
	case BR_EVENT_NOTICE:
	case BR_EVENT_BUILD_FINISHED:
		break;
	}
	board->event_wall_us = event->wall_us;
	board->event_us = br_clock_now_us();
}

int64_t br_board_now_us(const struct br_board *board)
{
	return board->event_wall_us + (br_clock_now_us() - board->event_us);
}

size_t br_board_waiting(const struct br_board *board)
{
	size_t known = board->passed_count + board->failed_count +
		board->skipped_count + board->running_count;

	return known < board->stage_count ? board->stage_count - known : 0;
}
