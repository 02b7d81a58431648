/* SPDX-License-Identifier: MIT */
/* sink.h - where events go. */
#pragma once

#include <stdint.h>

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
	/*
	 * May be NULL. Called when `tick_ms` has come, whether there are events
	 * or not, so that a view can show what changes by itself, as the time.
	 * Fails as `handle` does.
	 */
	bool (*tick)(struct br_sink *self, struct br_err *err);
	/*
	 * When, on the clock of br_clock_now_ms(); 0: never. The sink sets it
	 * anew in any of its functions, and who calls them waits no longer.
	 */
	int64_t tick_ms;
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

/* Tick if it is time. */
static inline bool br_sink_tick(
	struct br_sink *sink, int64_t now_ms, struct br_err *err)
{
	return !sink->tick || sink->tick_ms == 0 || now_ms < sink->tick_ms ||
		sink->tick(sink, err);
}
