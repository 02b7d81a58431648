/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock_us(clockid_t id)
{
	struct timespec now = { 0 };

	(void)clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t br_clock_now_us(void)
{
	return read_clock_us(CLOCK_MONOTONIC);
}

int64_t br_clock_now_ms(void)
{
	return br_clock_now_us() / 1000;
}

int64_t br_clock_earlier(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

int br_clock_left_ms(int64_t until_ms)
{
	int64_t left_ms = until_ms - br_clock_now_ms();

	if (until_ms < 0)
		return -1;
	if (left_ms < 0)
		return 0;
	return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

int64_t br_clock_wall_us(void)
{
	return read_clock_us(CLOCK_REALTIME);
}

void br_clock_format(int64_t wall_us, char text[BR_CLOCK_TEXT_BYTES])
{
	time_t seconds = (time_t)(wall_us / 1000000);
	struct tm parts = { 0 };
	char date[32];

	(void)gmtime_r(&seconds, &parts);
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
	(void)snprintf(text, BR_CLOCK_TEXT_BYTES, "%.19s.%06uZ", date,
		(unsigned)(wall_us % 1000000) % 1000000U);
}

bool br_clock_parse(const char *text, int64_t *wall_us, struct br_err *err)
{
	struct tm parts = { 0 };
	char again[BR_CLOCK_TEXT_BYTES] = "none";
	unsigned micros = 0;
	int64_t parsed_us = 0;
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);

	/* NOLINTNEXTLINE(cert-err34-c): at most six digits fit any unsigned */
	if (rest && sscanf(rest, ".%6uZ", &micros) == 1) {
		parsed_us = (int64_t)timegm(&parts) * 1000000 + micros;
		br_clock_format(parsed_us, again);
	}
	/* Both calls above are lenient: blanks, signs, the 31st of February. */
	if (strcmp(text, again) != 0)
		return br_fail(err, BR_EINPUT, "'%s' is not a time", text);
	*wall_us = parsed_us;
	return true;
}
