/* SPDX-License-Identifier: MIT */
/*
 * board.h - what a build is at right now: stages that run, images that are pulled, and
 * how many stages have ended how.
 *
 * Made from events alone. The time is that of the last event and what has passed here
 * since, so that it also fits a build that is watched late or ran elsewhere.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "event/event.h"
#include "view/tail.h"

/* A stage that runs. */
struct br_board_stage {
	struct br_board_stage *next;
	char *name;
	/* Wall time. */
	int64_t started_us;
	int64_t steps;
	/* 0: before the first. */
	int64_t step;
	char *command;
	/* What it wrote last, as it is. */
	struct br_tail tail;
};

/* An image that is pulled. */
struct br_board_pull {
	struct br_board_pull *next;
	char *image;
	int64_t started_us;
	/* Bytes; -1: not known. */
	int64_t done;
	int64_t total;
};

/* Starts out all zero. */
struct br_board {
	/* The oldest first. */
	struct br_board_stage *stages;
	struct br_board_pull *pulls;
	size_t running_count;
	/* Of build.started. */
	size_t stage_count;
	size_t passed_count;
	size_t failed_count;
	size_t skipped_count;
	bool is_started;
	int64_t build_started_us;
	/* Wall time of the last event, and the monotonic one when it came. */
	int64_t event_wall_us;
	int64_t event_us;
};

/* Free it; it may be used again. */
void br_board_done(struct br_board *board);

/* Take note of an event. */
void br_board_note(struct br_board *board, const struct br_event *event);

/* Give the wall time of the build now. */
int64_t br_board_now_us(const struct br_board *board);

/* Count the stages that have neither ended nor run. */
size_t br_board_waiting(const struct br_board *board);
