/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event/bus.h"

/* A sink that counts, and fails from its `fails_at`-th call on. */
struct counter {
	struct br_sink sink;
	unsigned handled;
	unsigned flushed;
	unsigned fails_at;
	const char *name;
	struct br_event last;
};

static bool count_event(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct counter *counter = (struct counter *)self;

	counter->handled++;
	counter->last = *event;
	if (counter->handled == counter->fails_at)
		return br_fail(err, BR_ESYSTEM, "%sfull at %u", counter->name,
			counter->handled);
	return true;
}

static bool count_flush(struct br_sink *self, struct br_err *err)
{
	(void)err;
	((struct counter *)self)->flushed++;
	return true;
}

static struct counter make_counter(unsigned fails_at)
{
	return (struct counter){
		.sink = { .handle = count_event, .flush = count_flush },
		.fails_at = fails_at,
		.name = "",
	};
}

static const char build[] = "0192f0c1-2b3c-7d4e-8f50-61728394a5b6";

static void every_event_is_numbered_and_named(void **state)
{
	struct br_bus bus = { .attempt = 3 };
	struct counter sink = make_counter(0);
	struct br_event event = { .type = BR_EVENT_NOTICE };
	struct br_err err = { 0 };

	(void)state;
	memcpy(bus.build, build, sizeof(build));
	br_bus_add(&bus, &sink.sink);
	for (uint64_t seq = 1; seq <= 3; seq++) {
		assert_true(br_bus_emit(&bus, &event, &err));
		assert_int_equal(sink.last.seq, seq);
		assert_int_equal(sink.last.attempt, 3);
		assert_string_equal(sink.last.build, build);
		assert_true(sink.last.wall_us > INT64_C(1700000000000000));
	}
}

static void a_failure_is_told_once_and_keeps_no_event_from_others(void **state)
{
	struct br_bus bus = { .attempt = 1 };
	struct counter bad = make_counter(2);
	struct counter good = make_counter(0);
	struct br_event event = { .type = BR_EVENT_NOTICE };
	struct br_err err = { 0 };

	(void)state;
	br_bus_add(&bus, &bad.sink);
	br_bus_add(&bus, &good.sink);
	assert_true(br_bus_emit(&bus, &event, &err));
	assert_false(br_bus_emit(&bus, &event, &err));
	assert_string_equal(err.text, "full at 2");
	assert_true(br_bus_emit(&bus, &event, &err));
	assert_int_equal(bad.handled, 2);
	assert_int_equal(good.handled, 3);
	assert_int_equal(good.last.seq, 3);
}

static void the_first_of_two_failures_is_told(void **state)
{
	struct br_bus bus = { .attempt = 1 };
	struct counter sinks[2] = { make_counter(2), make_counter(2) };
	struct br_event event = { .type = BR_EVENT_NOTICE };
	struct br_err err = { 0 };

	(void)state;
	sinks[0].name = "first ";
	br_bus_add(&bus, &sinks[0].sink);
	br_bus_add(&bus, &sinks[1].sink);
	assert_true(br_bus_emit(&bus, &event, &err));
	assert_false(br_bus_emit(&bus, &event, &err));
	assert_string_equal(err.text, "first full at 2");
	assert_true(br_bus_emit(&bus, &event, &err));
	assert_int_equal(sinks[1].handled, 2);
}

static void a_flush_reaches_those_that_work(void **state)
{
	struct br_bus bus = { .attempt = 1 };
	struct counter bad = make_counter(1);
	struct counter good = make_counter(0);
	struct counter plain = make_counter(0);
	struct br_event event = { .type = BR_EVENT_NOTICE };
	struct br_err err = { 0 };

	(void)state;
	plain.sink.flush = NULL;
	br_bus_add(&bus, &plain.sink);
	br_bus_add(&bus, &bad.sink);
	br_bus_add(&bus, &good.sink);
	assert_false(br_bus_emit(&bus, &event, &err));
	assert_true(br_bus_flush(&bus, &err));
	assert_int_equal(bad.flushed, 0);
	assert_int_equal(good.flushed, 1);
}

static bool tick(struct br_sink *self, struct br_err *err)
{
	self->tick_ms = 0;
	return br_fail(err, BR_ESYSTEM, "ticked");
}

static void a_tick_reaches_those_whose_time_has_come(void **state)
{
	struct br_bus bus = { .attempt = 1 };
	struct counter sinks[3] = { make_counter(0), make_counter(0),
		make_counter(0) };
	struct br_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		br_bus_add(&bus, &sinks[i].sink);
	assert_int_equal(br_bus_tick_ms(&bus), -1);
	sinks[1].sink.tick = tick;
	sinks[1].sink.tick_ms = INT64_MAX;
	sinks[2].sink.tick = tick;
	sinks[2].sink.tick_ms = 1;
	assert_int_equal(br_bus_tick_ms(&bus), 1);
	assert_false(br_bus_tick(&bus, &err));
	assert_string_equal(err.text, "ticked");
	assert_true(sinks[1].sink.tick_ms == INT64_MAX);
	/* It has failed, and wants nothing any more. */
	sinks[2].sink.tick_ms = 1;
	assert_true(br_bus_tick_ms(&bus) == INT64_MAX);
	assert_true(br_bus_tick(&bus, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_is_numbered_and_named),
		cmocka_unit_test(
			a_failure_is_told_once_and_keeps_no_event_from_others),
		cmocka_unit_test(the_first_of_two_failures_is_told),
		cmocka_unit_test(a_flush_reaches_those_that_work),
		cmocka_unit_test(a_tick_reaches_those_whose_time_has_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
