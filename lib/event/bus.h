/* SPDX-License-Identifier: MIT */
/*
 * bus.h - numbers events and hands each to every sink.
 *
 * The one place where seq, time, try and build id are set, so no maker of events
 * can get them wrong.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "event/event.h"
#include "event/sink.h"

enum { BR_BUS_SINKS = 8 };

/* Starts out all zero; fill in `build` and `attempt`, then add sinks. */
struct br_bus {
	char build[BR_UUID_TEXT_BYTES];
	uint32_t attempt;
	/* Of the last event. */
	uint64_t seq;
	struct br_sink *sinks[BR_BUS_SINKS];
	/* A sink that failed is not called again. */
	bool has_failed[BR_BUS_SINKS];
	size_t sink_count;
};

/* Add a sink, borrowed until the last event. At most BR_BUS_SINKS. */
void br_bus_add(struct br_bus *bus, struct br_sink *sink);

/*
 * Complete `event` (seq, try, time, build) and hand it to all sinks.
 *
 * Every sink gets it, also after another one failed. Fails with the first
 * failure of a sink, once for each sink.
 */
bool br_bus_emit(struct br_bus *bus, struct br_event *event,
	struct br_err *err) BR_MUST_CHECK;

/* Flush all sinks. Fails as br_bus_emit() does. */
bool br_bus_flush(struct br_bus *bus, struct br_err *err) BR_MUST_CHECK;

/*
 * Give when the first of the sinks wants a tick, on the clock of
 * br_clock_now_ms(); -1: none does.
 */
int64_t br_bus_tick_ms(const struct br_bus *bus);

/* Tick the sinks whose time has come. Fails as br_bus_emit() does. */
bool br_bus_tick(struct br_bus *bus, struct br_err *err) BR_MUST_CHECK;
