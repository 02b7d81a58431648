/* SPDX-License-Identifier: MIT */
#include "base/settings.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"

static const char blanks[] = " \t\r";
static const char byte_order_mark[] = "\xef\xbb\xbf";

/* End the text before its trailing blanks. */
static void cut_blanks(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && strchr(blanks, text[len - 1]))
		len--;
	text[len] = '\0';
}

/* Cut the name off, and give what follows as its value; NULL: nothing does. */
static char *cut_name(char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz-");
	char *value = text + len + strspn(text + len, blanks);
	bool is_apart = value > text + len || *value == '=' || *value == '\0';

	/* What is no name is told by who looks it up. */
	if (!is_apart)
		return NULL;
	if (*value == '=') {
		value++;
		value += strspn(value, blanks);
		text[len] = '\0';
		return value;
	}
	text[len] = '\0';
	return *value == '\0' ? NULL : value;
}

static bool parse_line(
	char *line, br_setting_fn *fn, void *ctx, struct br_err *err)
{
	char *name = line + strspn(line, blanks);

	cut_blanks(name);
	if (*name == '\0' || *name == '#')
		return true;

	const char *value = cut_name(name);
	return fn(ctx, name, value, err);
}

bool br_settings_parse(const char *path, struct br_str text, br_setting_fn *fn,
	void *ctx, struct br_err *err)
{
	size_t mark_len = strlen(byte_order_mark);
	bool has_mark = text.len >= mark_len &&
		!memcmp(text.data, byte_order_mark, mark_len);
	size_t number = 1;

	for (size_t at = has_mark ? mark_len : 0; at < text.len; number++) {
		const char *start = text.data + at;
		const char *end = memchr(start, '\n', text.len - at);
		size_t len = end ? (size_t)(end - start) : text.len - at;
		br_autofree char *line = br_memdup(start, len);

		if (memchr(start, '\0', len))
			return br_fail(err, BR_EINPUT,
				"%s:%zu: the line has a NUL in it", path,
				number);
		if (!parse_line(line, fn, ctx, err))
			return br_wrap(err, "%s:%zu", path, number);
		at += len + 1;
	}
	return true;
}
