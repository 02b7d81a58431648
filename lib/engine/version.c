/* SPDX-License-Identifier: MIT */
#include "engine/version.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"

/* What this code was written for, and what it was tried with. */
static const struct br_version oldest_spoken = { 1, 41 };
static const struct br_version newest_spoken = { 1, 47 };

bool br_version_parse(
	const char *text, struct br_version *version, struct br_err *err)
{
	const char *dot = strchr(text, '.');
	char major_text[8];
	int64_t major = 0;
	int64_t minor = 0;
	struct br_err why = { 0 };

	if (!dot || (size_t)(dot - text) >= sizeof(major_text))
		return br_fail(
			err, BR_EINPUT, "'%.40s' is no API version", text);
	(void)snprintf(major_text, sizeof(major_text), "%.*s",
		(int)(dot - text), text);
	if (!br_parse_int(major_text, 1, 1000, &major, &why) ||
		!br_parse_int(dot + 1, 0, 100000, &minor, &why))
		return br_fail(
			err, BR_EINPUT, "'%.40s' is no API version", text);
	*version = (struct br_version){ (int)major, (int)minor };
	return true;
}

void br_version_format(
	struct br_version version, char text[BR_VERSION_TEXT_BYTES])
{
	(void)snprintf(text, BR_VERSION_TEXT_BYTES, "%d.%d", version.major,
		version.minor);
}

static bool is_older(struct br_version a, struct br_version b)
{
	return a.major < b.major || (a.major == b.major && a.minor < b.minor);
}

bool br_version_choose(struct br_version newest, const char *forced,
	struct br_version *chosen, struct br_err *err)
{
	struct br_version wish = { 0 };

	if (is_older(newest, oldest_spoken))
		return br_fail(err, BR_EPROTO,
			"the engine is too old: it speaks API %d.%d, and %d.%d is the oldest that works (Docker 20.10)",
			newest.major, newest.minor, oldest_spoken.major,
			oldest_spoken.minor);
	if (forced && forced[0] != '\0') {
		if (!br_version_parse(forced, &wish, err))
			return br_wrap(err, "DOCKER_API_VERSION");
		if (is_older(wish, oldest_spoken))
			return br_fail(err, BR_EINPUT,
				"DOCKER_API_VERSION is %d.%d, and %d.%d is the oldest that works",
				wish.major, wish.minor, oldest_spoken.major,
				oldest_spoken.minor);
		*chosen = wish;
		return true;
	}
	*chosen = is_older(newest, newest_spoken) ? newest : newest_spoken;
	return true;
}
