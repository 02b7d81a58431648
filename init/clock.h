/* SPDX-License-Identifier: MIT */
/* clock.h - the monotonic clock in microseconds. */
#pragma once

#include <stdint.h>
#include <time.h>

static inline int64_t clock_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
