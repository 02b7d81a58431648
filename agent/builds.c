/* SPDX-License-Identifier: MIT */
#include "agent/builds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* What a process can end with, of what an event says. */
enum { EXIT_MAX = 255, EXIT_ENVIRONMENT = 3 };

void builds_add(struct builds *builds, const char *id, const char *agent,
	const char *agent_queue)
{
	struct builds_one one = {
		.agent = agent,
		.agent_queue = agent_queue,
		.missed_ms = -1,
	};

	(void)snprintf(one.id, sizeof(one.id), "%s", id);
	builds->items = br_grow(builds->items, builds->count, &builds->capacity,
		sizeof(*builds->items));
	builds->items[builds->count++] = one;
}

void builds_done(struct builds *builds)
{
	free(builds->items);
	*builds = (struct builds){ 0 };
}

void builds_give_up(struct builds_one *one)
{
	one->is_finished = true;
	one->exit = EXIT_ENVIRONMENT;
}

static struct builds_one *find(struct builds *builds, const char *id)
{
	for (size_t i = 0; i < builds->count; i++)
		if (strcmp(builds->items[i].id, id) == 0)
			return &builds->items[i];
	return NULL;
}

static int exit_of(const struct br_event *event)
{
	int64_t code = event->build_finished.exit;
	bool is_pass = event->build_finished.result == BR_RESULT_PASS;

	if (code < 0 || code > EXIT_MAX || (code == 0) != is_pass)
		return EXIT_ENVIRONMENT;
	return (int)code;
}

enum builds_take builds_take(
	struct builds *builds, const struct br_event *event)
{
	struct builds_one *one = find(builds, event->build);

	if (!one || one->is_finished || event->attempt < one->attempt ||
		(event->attempt == one->attempt && event->seq <= one->seq))
		return BUILDS_OLD;

	bool is_new_try = one->attempt > 0 && event->attempt > one->attempt;
	one->attempt = event->attempt;
	one->seq = event->seq;
	one->missed_ms = -1;
	if (event->type == BR_EVENT_BUILD_FINISHED) {
		one->is_finished = true;
		one->exit = exit_of(event);
	}
	return is_new_try ? BUILDS_NEW_TRY : BUILDS_NEW;
}

bool builds_are_finished(const struct builds *builds)
{
	for (size_t i = 0; i < builds->count; i++)
		if (!builds->items[i].is_finished)
			return false;
	return true;
}

int builds_exit(const struct builds *builds)
{
	int worst = 0;

	for (size_t i = 0; i < builds->count; i++)
		if (builds->items[i].exit > worst)
			worst = builds->items[i].exit;
	return worst;
}
