/* SPDX-License-Identifier: MIT */
#include "view/group.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "event/json.h"
#include "view/private.h"
#include "view/spool.h"
#include "view/view.h"

/* In front of each event that is put aside. */
struct record {
	size_t len;
	/* Output is put aside as it is: `len` bytes. All else is JSON. */
	bool is_output;
	enum br_stream stream;
	int64_t step;
};

/* A stage that runs. */
struct block {
	struct block *next;
	char *stage;
	struct br_spool spool;
	/* It is shown as it runs: it is the oldest, or nothing can be put aside. */
	bool is_direct;
	/* It waits for the oldest. */
	bool has_ended;
};

struct group {
	struct br_view view;
	struct br_sink *inner;
	enum br_group_order order;
	/* The oldest first. */
	struct block *blocks;
	/* Kept for their memory. */
	struct br_buf line;
};

/* Find the place in the list that points to `stage`, or its end. */
static struct block **find_slot(struct group *group, const char *stage)
{
	struct block **slot = &group->blocks;

	while (*slot &&
		((*slot)->has_ended || strcmp((*slot)->stage, stage) != 0))
		slot = &(*slot)->next;
	return slot;
}

static struct block *add_block(struct group *group, const char *stage)
{
	struct block *block = br_alloc(sizeof(*block));

	block->stage = br_strdup(stage);
	block->is_direct = group->order != BR_GROUP_ENDED && !group->blocks;
	br_spool_init(&block->spool);
	*find_slot(group, stage) = block;
	return block;
}

static void remove_block(struct group *group, struct block *block)
{
	struct block **slot = &group->blocks;

	while (*slot != block)
		slot = &(*slot)->next;
	*slot = block->next;
	br_spool_done(&block->spool);
	free(block->stage);
	free(block);
}

/* Give the stage whose block an event belongs to, or NULL. */
static const char *stage_of(const struct br_event *event)
{
	/* A stage that was skipped never runs. */
	return event->type == BR_EVENT_STAGE_SKIPPED
		? NULL
		: br_event_find_stage(event);
}

static void add_record(
	struct block *block, struct record record, const void *data)
{
	br_spool_add(&block->spool, &record, sizeof(record));
	br_spool_add(&block->spool, data, record.len);
}

static bool put_aside(struct group *group, struct block *block,
	const struct br_event *event, struct br_err *err)
{
	if (event->type == BR_EVENT_OUTPUT) {
		const struct record record = {
			.len = event->output.data.len,
			.is_output = true,
			.stream = event->output.stream,
			.step = event->output.step,
		};

		add_record(block, record, event->output.data.data);
	} else {
		br_buf_clear(&group->line);
		br_event_format(event, &group->line);
		add_record(block, (struct record){ .len = group->line.len },
			group->line.data);
	}
	return br_spool_spill(&block->spool, err);
}

static bool show_output(struct group *group, const struct block *block,
	const struct record *record, const char *data, struct br_err *err)
{
	const struct br_event event = {
		.type = BR_EVENT_OUTPUT,
		.output = { .stage = block->stage,
			.step = record->step,
			.stream = record->stream,
			.data = { data, record->len } },
	};

	return br_sink_handle(group->inner, &event, err);
}

static bool show_event(
	struct group *group, struct br_str line, struct br_err *err)
{
	struct br_arena arena = { 0 };
	struct br_event event = { 0 };
	bool is_shown = br_event_parse(line, &arena, &event, err) &&
		br_sink_handle(group->inner, &event, err);

	br_arena_done(&arena);
	return is_shown;
}

static bool show_next(
	struct group *group, struct block *block, struct br_err *err)
{
	struct record record;

	if (!br_spool_read(&block->spool, &record, sizeof(record), err))
		return false;
	br_buf_clear(&group->line);
	if (!br_spool_read(&block->spool, br_buf_room(&group->line, record.len),
		    record.len, err))
		return false;
	br_buf_grew(&group->line, record.len);
	return record.is_output
		? show_output(group, block, &record, group->line.data, err)
		: show_event(group, br_buf_str(&group->line), err);
}

/* Show all that was put aside. */
static bool show_block(
	struct group *group, struct block *block, struct br_err *err)
{
	while (!br_spool_is_read(&block->spool))
		if (!show_next(group, block, err))
			return false;
	return true;
}

/*
 * Where nothing more can be put aside (the disk is full), the stage is shown from
 * here on as it runs.
 */
static bool hold(struct group *group, struct block *block,
	const struct br_event *event, struct br_err *err)
{
	struct br_err full = { 0 };

	if (block->is_direct)
		return br_sink_handle(group->inner, event, err);
	if (put_aside(group, block, event, &full))
		return true;
	block->is_direct = true;
	return show_block(group, block, err);
}

/* Stages that did not come to their end. */
static bool show_all(struct group *group, struct br_err *err)
{
	bool is_shown = true;

	while (group->blocks) {
		/* Its last line may have no end: it must not come later. */
		is_shown = is_shown && show_block(group, group->blocks, err) &&
			br_sink_flush(group->inner, err);
		remove_block(group, group->blocks);
	}
	return is_shown;
}

/* The oldest has ended: show what waited for it, and the next one as it runs. */
static bool go_on(struct group *group, struct br_err *err)
{
	while (group->order != BR_GROUP_ENDED && group->blocks) {
		struct block *block = group->blocks;

		if (block->is_direct && !block->has_ended)
			break;
		block->is_direct = true;
		if (!show_block(group, block, err))
			return false;
		if (block->has_ended)
			remove_block(group, block);
	}
	return true;
}

/* Show the block, of which the last event is `event`, or have it wait. */
static bool finish(struct group *group, struct block *block,
	const struct br_event *event, struct br_err *err)
{
	if (group->order == BR_GROUP_WHOLE && block != group->blocks) {
		block->has_ended = true;
		return hold(group, block, event, err);
	}

	bool is_shown = (block->is_direct || show_block(group, block, err)) &&
		br_sink_handle(group->inner, event, err);

	remove_block(group, block);
	return is_shown && go_on(group, err);
}

static bool handle(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct group *group = (struct group *)self;
	const char *stage = stage_of(event);
	struct block *block = stage ? *find_slot(group, stage) : NULL;

	if (stage && event->type == BR_EVENT_STAGE_STARTED && !block)
		block = add_block(group, stage);
	if (event->type == BR_EVENT_BUILD_FINISHED && !show_all(group, err))
		return false;
	if (!block)
		return br_sink_handle(group->inner, event, err);
	if (event->type == BR_EVENT_STAGE_FINISHED)
		return finish(group, block, event, err);
	return hold(group, block, event, err);
}

static bool flush(struct br_sink *self, struct br_err *err)
{
	return br_sink_flush(((struct group *)self)->inner, err);
}

static void pause_group(struct br_view *view, bool is_paused)
{
	br_view_pause(((struct group *)view)->inner, is_paused);
}

static void free_group(struct br_view *view)
{
	struct group *group = (struct group *)view;
	struct br_err err = { 0 };
	/* There is nobody left to tell. */
	bool is_written = show_all(group, &err);

	(void)is_written;
	br_view_free(group->inner);
	br_buf_done(&group->line);
	free(group);
}

struct br_sink *br_group_new(struct br_sink *view, enum br_group_order order)
{
	struct group *group = br_alloc(sizeof(*group));

	group->view.sink.handle = handle;
	group->view.sink.flush = flush;
	group->view.free = free_group;
	group->view.pause = pause_group;
	group->inner = view;
	group->order = order;
	return &group->view.sink;
}
