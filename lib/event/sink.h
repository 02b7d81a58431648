/* SPDX-License-Identifier: MIT */
/* sink.h - where events go. */
#pragma once

#include "base/err.h"
#include "event/event.h"

/*
 * A consumer of events: embed it first in the consumer's own struct and fill in
 * `handle`. Handlers are called one at a time, in seq order.
 */
struct br_sink {
	/*
	 * Take one event, borrowed for the call.
	 *
	 * Fails with any code: the run then stops as at a SIGTERM, and ends as
	 * the environment's fault. The sink is not called again after that.
	 */
	bool (*handle)(struct br_sink *self, const struct br_event *event,
		struct br_err *err);
	/*
	 * May be NULL. Called when no event came for a while, so that a view
	 * can write what it kept back. Fails as `handle` does.
	 */
	bool (*flush)(struct br_sink *self, struct br_err *err);
};

static inline bool br_sink_handle(
	struct br_sink *sink, const struct br_event *event, struct br_err *err)
{
	return sink->handle(sink, event, err);
}

static inline bool br_sink_flush(struct br_sink *sink, struct br_err *err)
{
	return !sink->flush || sink->flush(sink, err);
}
