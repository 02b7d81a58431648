/* SPDX-License-Identifier: MIT */
/*
 * clock.h - what time it is, and how long something took.
 *
 * Durations and deadlines use the monotonic clock, which no jump of the wall
 * clock moves; only the times that people read come from the wall clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/* Microseconds since some fixed moment; never goes back. */
int64_t br_clock_now_us(void);

/* Milliseconds of the same clock. */
int64_t br_clock_now_ms(void);

/* Give the earlier of two times or spans of which a negative one means never. */
int64_t br_clock_earlier(int64_t a, int64_t b);

/* Give what poll(2) takes to wait until `until_ms`, of br_clock_now_ms(); -1: for ever. */
int br_clock_left_ms(int64_t until_ms);

/* Microseconds since 1970 in UTC. */
int64_t br_clock_wall_us(void);

/* What a text of br_clock_format() takes, with its NUL. */
enum { BR_CLOCK_TEXT_BYTES = 28 };

/* Write a wall time as `2026-11-21T02:30:00.123456Z` (RFC 3339, UTC). */
void br_clock_format(int64_t wall_us, char text[BR_CLOCK_TEXT_BYTES]);

/*
 * Read what br_clock_format() writes.
 *
 * Fails with BR_EINPUT for any other form.
 */
bool br_clock_parse(
	const char *text, int64_t *wall_us, struct br_err *err) BR_MUST_CHECK;
