/* SPDX-License-Identifier: MIT */
#include "view/both.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "view/private.h"

struct both {
	struct br_view view;
	struct br_sink *inner;
	struct br_sink *other;
};

static bool handle(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct both *both = (struct both *)self;

	return br_sink_handle(both->other, event, err) &&
		br_sink_handle(both->inner, event, err);
}

static bool flush(struct br_sink *self, struct br_err *err)
{
	return br_sink_flush(((struct both *)self)->inner, err);
}

/* It is the view's to say when, and it is asked each time. */
static bool tick(struct br_sink *self, struct br_err *err)
{
	return br_sink_tick(
		((struct both *)self)->inner, br_clock_now_ms(), err);
}

static void free_both(struct br_view *view)
{
	struct both *both = (struct both *)view;

	br_view_free(both->inner);
	free(both);
}

struct br_sink *br_both_new(struct br_sink *view, struct br_sink *other)
{
	struct both *both = br_alloc(sizeof(*both));

	both->view.sink.handle = handle;
	both->view.sink.flush = flush;
	both->view.sink.tick = tick;
	both->view.sink.tick_ms = 1;
	both->view.free = free_both;
	both->inner = view;
	both->other = other;
	return &both->view.sink;
}
