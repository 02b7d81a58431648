/* SPDX-License-Identifier: MIT */
#include "manifest/lines.h"

#include <stdbool.h>

struct br_str br_lines_skip_bom(struct br_str text)
{
	if (text.len >= BR_LINES_BOM_BYTES &&
		!memcmp(text.data, "\xef\xbb\xbf", BR_LINES_BOM_BYTES)) {
		text.data += BR_LINES_BOM_BYTES;
		text.len -= BR_LINES_BOM_BYTES;
	}
	return text;
}

size_t br_lines_offset(struct br_lines *lines, unsigned line)
{
	const struct br_str *text = &lines->text;

	if (line <= lines->passed_count) {
		lines->passed_count = 0;
		lines->offset = 0;
	}
	while (lines->passed_count + 1 < line && lines->offset < text->len) {
		const char *at = text->data + lines->offset;
		const char *end = memchr(at, '\n', text->len - lines->offset);

		if (!end)
			return text->len;
		lines->offset += (size_t)(end - at) + 1;
		lines->passed_count++;
	}
	return lines->offset;
}

struct br_str br_lines_find(struct br_lines *lines, unsigned line)
{
	size_t offset = br_lines_offset(lines, line);
	struct br_str rest = { "", 0 };

	if (offset >= lines->text.len)
		return rest;
	rest.data = lines->text.data + offset;
	rest.len = lines->text.len - offset;

	const char *end = memchr(rest.data, '\n', rest.len);
	if (end)
		rest.len = (size_t)(end - rest.data);
	if (rest.len > 0 && rest.data[rest.len - 1] == '\r')
		rest.len--;
	return rest;
}

/* A byte that only goes on with a character does not start one. */
static bool goes_on(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

size_t br_lines_skip_chars(struct br_str text, size_t count)
{
	size_t i = 0;

	for (; count > 0 && i < text.len; count--) {
		i++;
		while (i < text.len && goes_on(text.data[i]))
			i++;
	}
	return i;
}

size_t br_lines_count_chars(struct br_str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += i == 0 || !goes_on(text.data[i]);
	return count;
}
