/* SPDX-License-Identifier: MIT */
#include "view/front.h"

#include <stdlib.h>

#include "base/clock.h"

static bool flush(struct br_sink *self, struct br_err *err)
{
	return br_sink_flush(((struct br_front *)self)->inner, err);
}

/* It is the view's to say when, and it is asked each time. */
static bool tick(struct br_sink *self, struct br_err *err)
{
	return br_sink_tick(
		((struct br_front *)self)->inner, br_clock_now_ms(), err);
}

static void free_front(struct br_view *view)
{
	br_view_free(((struct br_front *)view)->inner);
	free(view);
}

void br_front_init(struct br_front *front, struct br_sink *inner)
{
	front->view.sink.flush = flush;
	front->view.sink.tick = tick;
	front->view.sink.tick_ms = 1;
	front->view.free = free_front;
	front->inner = inner;
}
