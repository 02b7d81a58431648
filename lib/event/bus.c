/* SPDX-License-Identifier: MIT */
#include "event/bus.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"

void br_bus_add(struct br_bus *bus, struct br_sink *sink)
{
	assert(bus->sink_count < BR_BUS_SINKS);
	bus->sinks[bus->sink_count++] = sink;
}

/* Take note of what one sink said; the first failure of a call is told. */
static void note(struct br_bus *bus, size_t index, const struct br_err *said,
	struct br_err *first)
{
	bus->has_failed[index] = true;
	if (first->code == BR_OK)
		*first = *said;
}

/* Hand `event` to every sink, or flush them all where it is NULL. */
static bool for_each_sink(
	struct br_bus *bus, const struct br_event *event, struct br_err *err)
{
	struct br_err first = { 0 };

	for (size_t i = 0; i < bus->sink_count; i++) {
		struct br_err said = { 0 };

		if (bus->has_failed[i])
			continue;
		if (event ? !br_sink_handle(bus->sinks[i], event, &said)
			  : !br_sink_flush(bus->sinks[i], &said))
			note(bus, i, &said, &first);
	}
	if (first.code != BR_OK)
		*err = first;
	return first.code == BR_OK;
}

bool br_bus_emit(struct br_bus *bus, struct br_event *event, struct br_err *err)
{
	event->seq = ++bus->seq;
	event->attempt = bus->attempt;
	event->wall_us = br_clock_wall_us();
	memcpy(event->build, bus->build, sizeof(event->build));
	return for_each_sink(bus, event, err);
}

bool br_bus_flush(struct br_bus *bus, struct br_err *err)
{
	return for_each_sink(bus, NULL, err);
}
