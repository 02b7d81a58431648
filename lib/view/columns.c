/* SPDX-License-Identifier: MIT */
#include "view/columns.h"

#include <string.h>
#include <wchar.h>

/* It asks for the wide form of the character before it, which some show. */
enum { WIDE_SELECTOR = 0xfe0f };

void br_columns_init(struct br_columns *columns, bool has_unicode)
{
	*columns = (struct br_columns){
		.has_unicode = has_unicode,
		.locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0),
	};
}

void br_columns_done(struct br_columns *columns)
{
	if (columns->locale)
		freelocale(columns->locale);
	*columns = (struct br_columns){ 0 };
}

/* One character: its bytes and its columns. */
struct glyph {
	size_t len;
	size_t columns;
};

static size_t utf8_len(const char *at, size_t left)
{
	size_t len = 1;

	while (len < left && ((unsigned char)at[len] & 0xc0) == 0x80)
		len++;
	return len;
}

/* Rather too wide than too narrow: what is too narrow would wrap. */
static struct glyph wide_glyph(
	const struct br_columns *columns, const char *at, size_t left)
{
	struct glyph glyph = { .len = utf8_len(at, left), .columns = 2 };
	mbstate_t state = { 0 };
	wchar_t c = 0;

	if (!columns->has_unicode) {
		glyph.columns = 1;
		return glyph;
	}
	if (!columns->locale)
		return glyph;

	size_t len = mbrtowc(&c, at, left, &state);
	if (len == 0 || len > left)
		return glyph;

	int width = wcwidth(c);
	glyph.len = len;
	if (c == WIDE_SELECTOR)
		glyph.columns = 1;
	else if (width >= 0)
		glyph.columns = (size_t)width;
	return glyph;
}

static struct glyph glyph_at(
	const struct br_columns *columns, const char *at, size_t left)
{
	if ((unsigned char)*at < 0x80)
		return (struct glyph){ .len = 1, .columns = 1 };
	return wide_glyph(columns, at, left);
}

/* Count what fits into `room`: its bytes go to `*len`, its columns are given. */
static size_t measure(const struct br_columns *columns, struct br_str text,
	size_t room, size_t *len)
{
	locale_t before =
		columns->locale ? uselocale(columns->locale) : (locale_t)0;
	size_t used = 0;
	size_t at = 0;

	while (at < text.len) {
		struct glyph glyph =
			glyph_at(columns, text.data + at, text.len - at);

		if (used + glyph.columns > room)
			break;
		used += glyph.columns;
		at += glyph.len;
	}
	if (columns->locale)
		(void)uselocale(before);
	*len = at;
	return used;
}

size_t br_columns_count(const struct br_columns *columns, struct br_str text)
{
	size_t len = 0;

	return measure(columns, text, SIZE_MAX, &len);
}

/* Nothing that gets here may move the cursor. */
static void add_text(const struct br_columns *columns, struct br_buf *line,
	struct br_str text)
{
	size_t i = 0;

	while (i < text.len) {
		unsigned char c = (unsigned char)text.data[i];
		size_t len =
			c < 0x80 ? 1 : utf8_len(text.data + i, text.len - i);

		if (c == '\t')
			br_buf_add_char(line, ' ');
		else if (c < ' ' || c == 0x7f ||
			(c >= 0x80 && !columns->has_unicode))
			br_buf_add_char(line, '?');
		else
			br_buf_add(line, text.data + i, len);
		i += len;
	}
}

size_t br_columns_add(const struct br_columns *columns, struct br_buf *line,
	struct br_str text, size_t room)
{
	const char *mark = columns->has_unicode ? "…" : "~";
	size_t len = 0;
	size_t used = measure(columns, text, room, &len);

	if (len == text.len) {
		add_text(columns, line, text);
		return used;
	}
	if (room == 0)
		return 0;
	used = measure(columns, text, room - 1, &len);
	add_text(columns, line, (struct br_str){ text.data, len });
	br_buf_add_text(line, mark);
	return used + 1;
}

void br_columns_add_spaces(struct br_buf *line, size_t count)
{
	for (; count > 0; count--)
		br_buf_add_char(line, ' ');
}
