/* SPDX-License-Identifier: MIT */
#include "agent/diary.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json_text.h"

static bool is_plain(const char *text)
{
	static const char chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_.:/@+-";

	return strspn(text, chars) == strlen(text);
}

static void begin(enum diary_form form, struct br_buf *line)
{
	char now[BR_CLOCK_TEXT_BYTES];

	br_clock_format(br_clock_wall_us(), now);
	br_buf_addf(line, form == DIARY_JSON ? "{\"ts\":\"%s\"" : "%s", now);
}

static void add(enum diary_form form, struct br_buf *line, const char *key,
	const char *value)
{
	if (!value || value[0] == '\0')
		return;
	br_buf_addf(line, form == DIARY_JSON ? ",\"%s\":" : " %s=", key);
	if (form == DIARY_TEXT && is_plain(value))
		br_buf_add_text(line, value);
	else
		br_json_add_string(line, br_str(value));
}

void diary(enum diary_form form, const char *event, ...)
{
	br_autobuf struct br_buf line = { 0 };
	struct br_err ignored = { 0 };
	va_list pairs;

	begin(form, &line);
	add(form, &line, "event", event);
	va_start(pairs, event);
	for (const char *key = va_arg(pairs, const char *); key;
		key = va_arg(pairs, const char *))
		add(form, &line, key, va_arg(pairs, const char *));
	va_end(pairs);
	br_buf_add_text(&line, form == DIARY_JSON ? "}\n" : "\n");
	/* Where nobody reads it the agent goes on. */
	(void)!br_file_write(STDERR_FILENO, line.data, line.len, &ignored);
}
