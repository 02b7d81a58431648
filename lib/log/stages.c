/* SPDX-License-Identifier: MIT */
#include "log/stages.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "log/reader.h"

/* How stages ended, in order; one that is tried again is there again. */
struct ends {
	struct br_stage_result *items;
	size_t count;
	size_t capacity;
};

static bool has_failed(enum br_result result)
{
	return result == BR_RESULT_FAIL || result == BR_RESULT_ERROR;
}

static void take_names(
	struct br_log_stages *stages, const struct br_names *names)
{
	const char **items =
		br_arena_array(&stages->arena, names->count, sizeof(*items));

	for (size_t i = 0; i < names->count; i++)
		items[i] = br_arena_strdup(&stages->arena, names->items[i]);
	stages->names = (struct br_names){ items, names->count };
	stages->has_names = names->items != NULL;
}

static void add_end(struct ends *ends, struct br_arena *arena,
	const char *stage, enum br_result result)
{
	ends->items = br_grow(ends->items, ends->count, &ends->capacity,
		sizeof(*ends->items));
	ends->items[ends->count++] = (struct br_stage_result){
		.stage = br_arena_strdup(arena, stage),
		.result = result,
	};
}

static void note(struct br_log_stages *stages, struct ends *ends,
	const struct br_event *event)
{
	const struct br_stage_results *results = &event->build_finished.stages;

	if (event->type == BR_EVENT_BUILD_STARTED) {
		take_names(stages, &event->build_started.stages);
	} else if (event->type == BR_EVENT_STAGE_FINISHED) {
		add_end(ends, &stages->arena, event->stage_finished.stage,
			event->stage_finished.result);
	} else if (event->type == BR_EVENT_BUILD_FINISHED) {
		/* It says all, with the last attempt of each. */
		ends->count = 0;
		for (size_t i = 0; i < results->count; i++)
			add_end(ends, &stages->arena, results->items[i].stage,
				results->items[i].result);
	}
}

/* Whether a later attempt of the `index`-th went better. */
static bool is_last(const struct ends *ends, size_t index)
{
	for (size_t i = index + 1; i < ends->count; i++)
		if (strcmp(ends->items[i].stage, ends->items[index].stage) == 0)
			return false;
	return true;
}

static void keep_failed(struct br_log_stages *stages, const struct ends *ends)
{
	const char **items =
		br_arena_array(&stages->arena, ends->count, sizeof(*items));
	size_t count = 0;

	for (size_t i = 0; i < ends->count; i++)
		if (has_failed(ends->items[i].result) && is_last(ends, i))
			items[count++] = ends->items[i].stage;
	stages->failed = (struct br_names){ items, count };
}

bool br_log_stages_load(const char *folder, const char *build,
	struct br_log_stages *stages, struct br_err *err)
{
	br_auto(br_log_reader) struct br_log_reader *reader = NULL;
	struct br_log_stages loaded = { 0 };
	const struct br_event *event;
	struct ends ends = { 0 };

	if (!br_log_reader_open(folder, build, false, &reader, err))
		return false;
	while ((event = br_log_reader_next(reader)) != NULL)
		note(&loaded, &ends, event);
	keep_failed(&loaded, &ends);
	free(ends.items);
	*stages = loaded;
	return true;
}

void br_log_stages_done(struct br_log_stages *stages)
{
	br_arena_done(&stages->arena);
	*stages = (struct br_log_stages){ 0 };
}
