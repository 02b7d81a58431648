/* SPDX-License-Identifier: MIT */
/*
 * The first byte says whether colours stay and how many columns there are; the rest is
 * a line. Whatever it is, what is shown is UTF-8 without control characters but tabs
 * and colours, and what is cut to fit is no wider than it may be.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "view/columns.h"
#include "view/harmless.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Length of the colour at `at`; 0: it is something else. */
static size_t color_len(const char *at)
{
	size_t len = 2 + strspn(at + 2, "0123456789:;");

	return at[1] == '[' && at[len] == 'm' ? len + 1 : 0;
}

static void check_harmless(const struct br_buf *text, bool has_color)
{
	if (!br_utf8_is_valid(br_buf_text(text), text->len))
		abort();
	for (size_t i = 0; i < text->len; i++) {
		const char *at = text->data + i;
		unsigned char c = (unsigned char)*at;
		size_t color = c == 0x1b && has_color ? color_len(at) : 0;

		if ((c < 0x20 && c != '\t' && color == 0) || c == 0x7f ||
			(c == 0xc2 && (unsigned char)at[1] < 0xa0))
			abort();
		i += color > 0 ? color - 1 : 0;
	}
}

static void check_columns(const struct br_buf *text, size_t room)
{
	struct br_columns columns;
	br_autobuf struct br_buf line = { 0 };

	br_columns_init(&columns, room % 2 == 0);

	size_t used = br_columns_add(&columns, &line, br_buf_str(text), room);
	if (used > room ||
		br_columns_count(&columns, br_buf_str(&line)) != used)
		abort();
	br_columns_done(&columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;

	bool has_color = data[0] & 1;
	const struct br_str line = { (const char *)data + 1, size - 1 };
	br_autobuf struct br_buf text = { 0 };
	br_autobuf struct br_buf bare = { 0 };

	br_harmless_add_line(&text, line, has_color);
	check_harmless(&text, has_color);
	br_harmless_add_line(&bare, line, false);
	check_columns(&bare, data[0] >> 1);
	return 0;
}
