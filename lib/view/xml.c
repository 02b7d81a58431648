/* SPDX-License-Identifier: MIT */
#include "view/xml.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

/* Length of the character at `at`; 0 where its bytes are not UTF-8. */
static size_t char_len(const char *at, size_t left)
{
	for (size_t len = 1; len <= 4 && len <= left; len++)
		if (br_utf8_is_valid(at, len))
			return len;
	return 0;
}

/* U+FFFE and U+FFFF are none, and neither are controls without a use in text. */
static bool is_allowed(const char *at, size_t len)
{
	unsigned char lead = (unsigned char)at[0];

	if (len == 1)
		return (lead >= 0x20 && lead != 0x7f) || strchr("\t\n\r", *at);
	return len != 3 ||
		(memcmp(at, "\xef\xbf\xbe", 3) != 0 &&
			memcmp(at, "\xef\xbf\xbf", 3) != 0);
}

static const char *name_of(char c, bool is_attribute)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '\r':
		return "&#13;";
	case '"':
		return is_attribute ? "&quot;" : NULL;
	case '\n':
		return is_attribute ? "&#10;" : NULL;
	case '\t':
		return is_attribute ? "&#9;" : NULL;
	default:
		return NULL;
	}
}

static void add(struct br_buf *xml, struct br_str text, bool is_attribute)
{
	size_t i = 0;

	while (i < text.len) {
		const char *at = text.data + i;
		const char *name = name_of(*at, is_attribute);
		size_t len = char_len(at, text.len - i);

		if (name)
			br_buf_add_text(xml, name);
		else if (len > 0 && *at != '\0' && is_allowed(at, len))
			br_buf_add(xml, at, len);
		else
			br_buf_add_char(xml, '?');
		i += len > 0 ? len : 1;
	}
}

void br_xml_add_text(struct br_buf *xml, struct br_str text)
{
	add(xml, text, false);
}

void br_xml_add_attribute(
	struct br_buf *xml, const char *name, const char *value)
{
	br_buf_addf(xml, " %s=\"", name);
	add(xml, br_str(value), true);
	br_buf_add_char(xml, '"');
}
