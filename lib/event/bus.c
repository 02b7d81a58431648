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

enum call { CALL_HANDLE, CALL_FLUSH, CALL_TICK };

/* What the sinks are called for; `event` and `now_ms` where it takes them. */
struct occasion {
	enum call call;
	const struct br_event *event;
	int64_t now_ms;
};

static bool call_sink(struct br_sink *sink, const struct occasion *occasion,
	struct br_err *err)
{
	switch (occasion->call) {
	case CALL_HANDLE:
		return br_sink_handle(sink, occasion->event, err);
	case CALL_FLUSH:
		return br_sink_flush(sink, err);
	case CALL_TICK:
		return br_sink_tick(sink, occasion->now_ms, err);
	}
	return true;
}

static bool for_each_sink(
	struct br_bus *bus, const struct occasion *occasion, struct br_err *err)
{
	struct br_err first = { 0 };

	for (size_t i = 0; i < bus->sink_count; i++) {
		struct br_err said = { 0 };

		if (!bus->has_failed[i] &&
			!call_sink(bus->sinks[i], occasion, &said))
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
	return for_each_sink(bus,
		&(const struct occasion){ .call = CALL_HANDLE, .event = event },
		err);
}

bool br_bus_flush(struct br_bus *bus, struct br_err *err)
{
	return for_each_sink(
		bus, &(const struct occasion){ .call = CALL_FLUSH }, err);
}

int64_t br_bus_tick_ms(const struct br_bus *bus)
{
	int64_t first_ms = -1;

	for (size_t i = 0; i < bus->sink_count; i++)
		if (!bus->has_failed[i] && bus->sinks[i]->tick_ms > 0)
			first_ms = br_clock_earlier(
				first_ms, bus->sinks[i]->tick_ms);
	return first_ms;
}

bool br_bus_tick(struct br_bus *bus, struct br_err *err)
{
	const struct occasion occasion = { .call = CALL_TICK,
		.now_ms = br_clock_now_ms() };

	return for_each_sink(bus, &occasion, err);
}
