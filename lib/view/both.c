/* SPDX-License-Identifier: MIT */
#include "view/both.h"

#include "base/alloc.h"
#include "view/front.h"

struct both {
	struct br_front front;
	struct br_sink *other;
};

static bool handle(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct both *both = (struct both *)self;

	return br_sink_handle(both->other, event, err) &&
		br_sink_handle(both->front.inner, event, err);
}

struct br_sink *br_both_new(struct br_sink *view, struct br_sink *other)
{
	struct both *both = br_alloc(sizeof(*both));

	br_front_init(&both->front, view);
	both->front.view.sink.handle = handle;
	both->other = other;
	return &both->front.view.sink;
}
