/* SPDX-License-Identifier: MIT */
/*
 * builds.h - the builds that a command waits for, and how far each is.
 *
 * Events come by a broker: an agent that has lost its connection tells some of them
 * again, and one that takes over the job of another tells all of it anew, as a new
 * try. Here each event counts once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "event/event.h"

struct builds_one {
	char id[BR_UUID_TEXT_BYTES];
	/* Its agent, and a queue that is there as long as that; "". Borrowed. */
	const char *agent;
	const char *agent_queue;
	/* Of the last event; 0: none came. */
	uint32_t attempt;
	uint64_t seq;
	bool is_finished;
	/* Of the build; once it has finished. */
	int exit;
	/* When it was found that no agent has it, in monotonic ms; -1. */
	int64_t missed_ms;
};

/* Starts out all zero. */
struct builds {
	struct builds_one *items;
	size_t count;
	size_t capacity;
};

/* What an event is to the one who waits. */
enum builds_take {
	/* Of another build, or told before. */
	BUILDS_OLD,
	BUILDS_NEW,
	/* And the first one of another try. */
	BUILDS_NEW_TRY,
};

/* Wait for one more. `agent` and `agent_queue` are borrowed. */
void builds_add(struct builds *builds, const char *id, const char *agent,
	const char *agent_queue);

/* Wait no more: there will be no report, which is the environment's fault. */
void builds_give_up(struct builds_one *one);

/* Free the list. */
void builds_done(struct builds *builds);

/* Take note of an event, and say what it is. */
enum builds_take builds_take(
	struct builds *builds, const struct br_event *event);

/* Say whether all have finished. */
bool builds_are_finished(const struct builds *builds);

/* Give the worst exit code of those that have finished. */
int builds_exit(const struct builds *builds);
