/* SPDX-License-Identifier: MIT */
/*
 * durations.h - how long stages took in earlier builds.
 *
 * What the scheduler estimates from: where more stages are ready than may run, the
 * one on the longest path goes first. A stage that is not here is taken for as long
 * as the median of those that are, or all for equally long.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct br_duration {
	/* The stage's full name, with the values of its matrix. */
	const char *stage;
	int64_t ms;
};

/* Each stage once, in any order. */
struct br_durations {
	struct br_duration *items;
	size_t count;
};
