/* SPDX-License-Identifier: MIT */
#include "view/only.h"

#include <fnmatch.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "view/front.h"

struct only {
	struct br_front front;
	const struct br_names *names;
};

/* `test (py=3.12)` is of the matrix `test`. */
static bool is_of_matrix(const char *stage, const char *name)
{
	size_t len = strlen(name);

	return strncmp(stage, name, len) == 0 &&
		br_has_prefix(stage + len, " (");
}

bool br_only_matches(const char *wanted, const char *stage)
{
	return strcmp(wanted, stage) == 0 || is_of_matrix(stage, wanted) ||
		(strpbrk(wanted, "*?[") && fnmatch(wanted, stage, 0) == 0);
}

static bool is_wanted(const struct only *only, const char *stage)
{
	for (size_t i = 0; i < only->names->count; i++)
		if (br_only_matches(only->names->items[i], stage))
			return true;
	return false;
}

static bool show_start(const struct only *only, const struct br_event *event,
	struct br_err *err)
{
	const struct br_names *all = &event->build_started.stages;
	br_autofree const char **items =
		br_alloc_array(all->count, sizeof(*items));
	struct br_event shown = *event;
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++)
		if (is_wanted(only, all->items[i]))
			items[count++] = all->items[i];
	/* Absent stays absent. */
	if (all->items)
		shown.build_started.stages = (struct br_names){ items, count };
	return br_sink_handle(only->front.inner, &shown, err);
}

static bool show_end(const struct only *only, const struct br_event *event,
	struct br_err *err)
{
	const struct br_stage_results *all = &event->build_finished.stages;
	br_autofree struct br_stage_result *items =
		br_alloc_array(all->count, sizeof(*items));
	struct br_event shown = *event;
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++)
		if (is_wanted(only, all->items[i].stage))
			items[count++] = all->items[i];
	shown.build_finished.stages = (struct br_stage_results){ items, count };
	return br_sink_handle(only->front.inner, &shown, err);
}

static bool handle(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct only *only = (struct only *)self;
	const char *stage = br_event_find_stage(event);

	if (event->type == BR_EVENT_BUILD_STARTED)
		return show_start(only, event, err);
	if (event->type == BR_EVENT_BUILD_FINISHED)
		return show_end(only, event, err);
	if (event->type == BR_EVENT_NOTICE || (stage && is_wanted(only, stage)))
		return br_sink_handle(only->front.inner, event, err);
	return true;
}

struct br_sink *br_only_new(struct br_sink *view, const struct br_names *names)
{
	struct only *only = br_alloc(sizeof(*only));

	br_front_init(&only->front, view);
	only->front.view.sink.handle = handle;
	only->names = names;
	return &only->front.view.sink;
}
