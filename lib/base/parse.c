/* SPDX-License-Identifier: MIT */
#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool br_parse_int(const char *text, int64_t min, int64_t max, int64_t *value,
	struct br_err *err)
{
	if (!is_digit(text[0]) && !(text[0] == '-' && is_digit(text[1])))
		return br_fail(err, BR_EINPUT, "'%s' is not a number", text);

	char *end = NULL;
	errno = 0;
	intmax_t parsed = strtoimax(text, &end, 10);

	if (*end != '\0')
		return br_fail(err, BR_EINPUT, "'%s' is not a number", text);
	if (errno == ERANGE || parsed < min || parsed > max)
		return br_fail(err, BR_EINPUT,
			"'%s' is not between %" PRId64 " and %" PRId64, text,
			min, max);
	*value = parsed;
	return true;
}

/*
 * Read digits and an optional fraction at `*text` as billionths, and move on to
 * what follows. Without a digit, or with a value over `max`, give false.
 */
static bool take_nano(const char **text, int64_t max, int64_t *nano)
{
	static const int64_t billion = 1000000000;
	const char *at = *text;
	int64_t whole = 0;
	int64_t part = 0;

	if (!is_digit(*at))
		return false;
	for (; is_digit(*at); at++) {
		whole = whole * 10 + (*at - '0');
		if (whole > max)
			return false;
	}
	if (*at == '.') {
		int64_t unit = billion / 10;

		at++;
		if (!is_digit(*at))
			return false;
		for (; is_digit(*at); at++, unit /= 10)
			part += unit * (*at - '0');
	}
	*nano = whole * billion + part;
	*text = at;
	return true;
}

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit *find_unit(
	const struct unit *units, size_t count, const char *text, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(units[i].name) == len &&
			!strncasecmp(units[i].name, text, len))
			return &units[i];
	return NULL;
}

bool br_parse_duration(
	const char *text, int64_t *duration_ms, struct br_err *err)
{
	static const struct unit units[] = {
		{ "ms", 1 },
		{ "s", 1000 },
		{ "m", INT64_C(60) * 1000 },
		{ "h", INT64_C(60) * 60 * 1000 },
		{ "d", INT64_C(24) * 60 * 60 * 1000 },
	};
	static const int64_t max_ms = INT64_C(10000) * 24 * 60 * 60 * 1000;
	const char *at = text;
	int64_t total = 0;

	do {
		int64_t number = 0;
		size_t digits = strspn(at, "0123456789");
		size_t letters = 0;

		for (size_t i = 0; i < digits && number <= max_ms; i++)
			number = number * 10 + (at[i] - '0');
		at += digits;
		while (isalpha((unsigned char)at[letters]))
			letters++;

		const struct unit *unit = find_unit(
			units, sizeof(units) / sizeof(units[0]), at, letters);
		if (digits == 0 || !unit)
			return br_fail(err, BR_EINPUT,
				"'%s' is not a duration like 90s, 20m or 2h",
				text);
		if (number > (max_ms - total) / unit->factor)
			return br_fail(err, BR_EINPUT,
				"'%s' is longer than 10000 days", text);
		total += number * unit->factor;
		at += letters;
	} while (*at != '\0');

	if (total == 0)
		return br_fail(
			err, BR_EINPUT, "a duration of 0 leaves no time");
	*duration_ms = total;
	return true;
}

bool br_parse_size(const char *text, int64_t *size_bytes, struct br_err *err)
{
	static const int64_t kib = 1024;
	static const struct unit units[] = {
		{ "", 1 },
		{ "b", 1 },
		{ "k", kib },
		{ "kb", kib },
		{ "kib", kib },
		{ "m", kib * kib },
		{ "mb", kib * kib },
		{ "mib", kib * kib },
		{ "g", kib * kib * kib },
		{ "gb", kib * kib * kib },
		{ "gib", kib * kib * kib },
		{ "t", kib * kib * kib * kib },
		{ "tb", kib * kib * kib * kib },
		{ "tib", kib * kib * kib * kib },
	};
	static const int64_t max_bytes = INT64_C(1) << 60;
	static const int64_t max_whole = INT64_C(8000000000);
	const char *at = text;
	int64_t nano = 0;

	/* A plain count of bytes may be larger than a number with a unit. */
	if (text[0] != '\0' && strspn(text, "0123456789") == strlen(text))
		return br_parse_int(text, 1, max_bytes, size_bytes, err) ||
			br_fail(err, BR_EINPUT,
				"a size of '%s' is out of range", text);

	const struct unit *unit = NULL;
	if (take_nano(&at, max_whole, &nano))
		unit = find_unit(units, sizeof(units) / sizeof(units[0]), at,
			strlen(at));
	if (!unit)
		return br_fail(err, BR_EINPUT,
			"'%s' is not a size like 512m or 2g", text);

	double size = (double)nano / 1e9 * (double)unit->factor;
	if (size < 1 || size > (double)max_bytes)
		return br_fail(
			err, BR_EINPUT, "a size of '%s' is out of range", text);
	*size_bytes = (int64_t)size;
	return true;
}

bool br_parse_nano(const char *text, int64_t *value_nano, struct br_err *err)
{
	static const int64_t max_nano = INT64_C(1000000) * 1000000000;
	const char *at = text;
	int64_t nano = 0;

	if (!take_nano(&at, 1000000, &nano) || *at != '\0' || nano == 0 ||
		nano > max_nano)
		return br_fail(err, BR_EINPUT,
			"'%s' is not a number like 2 or 1.5, above 0 and at "
			"most 1000000",
			text);
	*value_nano = nano;
	return true;
}
