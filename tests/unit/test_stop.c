/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "run/stop.h"

/* Long enough for any machine; a test never waits for it to pass. */
enum { PATIENCE_MS = 240 * 1000, LONG_MS = 3600 * 1000 };

static void request(int fd, unsigned char number)
{
	assert_int_equal(write(fd, &number, 1), 1);
}

/* Whether there is something to look at: at once, or after `wait_ms`. */
static bool calls(const struct br_stop *stop, int wait_ms)
{
	struct pollfd wait = { .fd = stop->fd, .events = POLLIN };

	return poll(&wait, 1, wait_ms) == 1;
}

static void counts_requests_and_keeps_the_first_signal(void **state)
{
	struct br_stop stop;
	struct br_err err = { 0 };
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_true(br_stop_open(ends[0], LONG_MS, &stop, &err));
	assert_false(calls(&stop, 0));
	assert_false(br_stop_look(&stop));
	assert_false(br_stop_is_asked(&stop));

	request(ends[1], SIGINT);
	assert_true(calls(&stop, PATIENCE_MS));
	assert_true(br_stop_look(&stop));
	assert_true(br_stop_is_asked(&stop));
	/* Quiet, so that what follows is not stopped by the same one. */
	assert_false(calls(&stop, 0));
	assert_false(br_stop_look(&stop));

	request(ends[1], SIGTERM);
	request(ends[1], SIGTERM);
	assert_true(br_stop_look(&stop));
	assert_int_equal(stop.request_count, 3);
	assert_int_equal(stop.signal, SIGINT);
	assert_false(stop.is_timed_out);
	br_stop_close(&stop);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void any_other_signal_stops_like_sigterm(void **state)
{
	struct br_stop stop;
	struct br_err err = { 0 };
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_true(br_stop_open(ends[0], 0, &stop, &err));
	request(ends[1], SIGHUP);
	assert_true(br_stop_look(&stop));
	assert_int_equal(stop.signal, SIGTERM);
	br_stop_close(&stop);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* Else it would be readable for ever, and every wait a loop without a pause. */
static void is_quiet_when_nobody_can_ask_any_more(void **state)
{
	struct br_stop stop;
	struct br_err err = { 0 };
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_true(br_stop_open(ends[0], 0, &stop, &err));
	(void)close(ends[1]);
	(void)br_stop_look(&stop);
	assert_false(calls(&stop, 0));
	assert_false(br_stop_is_asked(&stop));
	br_stop_close(&stop);
	(void)close(ends[0]);
}

static void stops_once_when_the_time_is_over(void **state)
{
	struct br_stop stop;
	struct br_err err = { 0 };

	(void)state;
	assert_true(br_stop_open(-1, 1, &stop, &err));
	assert_true(calls(&stop, PATIENCE_MS));
	assert_true(br_stop_look(&stop));
	assert_true(stop.is_timed_out);
	assert_true(br_stop_is_asked(&stop));
	assert_int_equal(stop.request_count, 0);
	assert_false(calls(&stop, 0));
	assert_false(br_stop_look(&stop));
	br_stop_close(&stop);
}

static void says_what_it_cannot_watch(void **state)
{
	struct br_stop stop;
	struct br_err err = { 0 };
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
	assert_false(br_stop_open(ends[0], 0, &stop, &err));
	assert_int_equal(err.code, BR_ESYSTEM);
}

static void holds_the_clock_still_while_it_is_paused(void **state)
{
	enum { SHORT_MS = 20 };
	struct br_stop stop;
	struct br_err err = { 0 };

	(void)state;
	assert_true(br_stop_open(-1, SHORT_MS, &stop, &err));
	br_stop_pause(&stop, true);
	br_stop_pause(&stop, true);
	/* Whatever had come before that is not taken back. */
	if (!calls(&stop, 0))
		assert_false(calls(&stop, 10 * SHORT_MS));
	br_stop_pause(&stop, false);
	assert_true(calls(&stop, PATIENCE_MS));
	assert_true(br_stop_look(&stop));
	assert_true(stop.is_timed_out);
	br_stop_pause(&stop, true);
	br_stop_close(&stop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_requests_and_keeps_the_first_signal),
		cmocka_unit_test(any_other_signal_stops_like_sigterm),
		cmocka_unit_test(is_quiet_when_nobody_can_ask_any_more),
		cmocka_unit_test(stops_once_when_the_time_is_over),
		cmocka_unit_test(says_what_it_cannot_watch),
		cmocka_unit_test(holds_the_clock_still_while_it_is_paused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
