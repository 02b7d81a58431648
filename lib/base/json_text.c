/* SPDX-License-Identifier: MIT */
#include "base/json_text.h"

#include <endian.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static bool is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f;
}

/*
 * Mark the bytes of a word that do not stand for themselves, in their highest bits. What
 * is above the lowest mark may be marked without cause. Eight bytes at a time, since all
 * output goes through here.
 */
static uint64_t mark_special(uint64_t word)
{
	static const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t quotes = word ^ ones * '"';
	uint64_t slashes = word ^ ones * '\\';
	uint64_t deletes = word ^ ones * 0x7f;

	return (((word - ones * 0x20) & ~word) | ((quotes - ones) & ~quotes) |
		       ((slashes - ones) & ~slashes) |
		       ((deletes - ones) & ~deletes)) &
		ones * 0x80;
}

size_t br_json_plain_len(const char *text, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t i = 0;

	while (i + sizeof(uint64_t) <= len) {
		uint64_t word;

		memcpy(&word, bytes + i, sizeof(word));
		word = mark_special(le64toh(word));
		if (word != 0)
			return i + (size_t)(ffsll((long long)word) - 1) / 8;
		i += sizeof(word);
	}
	while (i < len && is_plain(bytes[i]))
		i++;
	return i;
}

static char short_escape(char c)
{
	switch (c) {
	case '\n':
		return 'n';
	case '\t':
		return 't';
	case '\r':
		return 'r';
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '"':
	case '\\':
		return c;
	default:
		return '\0';
	}
}

static void add_escape(struct br_buf *line, char c)
{
	static const char digits[] = "0123456789abcdef";
	char letter = short_escape(c);

	if (letter != '\0') {
		br_buf_add(line, (const char[]){ '\\', letter }, 2);
		return;
	}
	br_buf_add_text(line, "\\u00");
	br_buf_add_char(line, digits[(uint8_t)c >> 4]);
	br_buf_add_char(line, digits[(uint8_t)c & 15]);
}

/* Add UTF-8. */
static void add_valid(struct br_buf *line, const char *text, size_t len)
{
	while (len > 0) {
		size_t plain = br_json_plain_len(text, len);

		br_buf_add(line, text, plain);
		if (plain == len)
			return;
		add_escape(line, text[plain]);
		text += plain + 1;
		len -= plain + 1;
	}
}

void br_json_add_string(struct br_buf *line, struct br_str text)
{
	const char *at = text.data;
	size_t left = text.len;

	br_buf_add_char(line, '"');
	while (left > 0) {
		size_t valid = br_utf8_valid_len(at, left);

		add_valid(line, at, valid);
		at += valid;
		left -= valid;
		if (left > 0) {
			br_buf_add_text(line, "\xef\xbf\xbd");
			at++;
			left--;
		}
	}
	br_buf_add_char(line, '"');
}

void br_json_add_int(struct br_buf *line, int64_t value)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRId64, value);

	br_buf_add(line, digits, (size_t)len);
}

void br_json_add_seconds(struct br_buf *line, double seconds)
{
	char digits[32];
	int64_t micros = 0;

	if (seconds >= BR_JSON_SECONDS_MAX)
		micros = (int64_t)BR_JSON_SECONDS_MAX * 1000000;
	else if (seconds > 0) /* a NaN is not */
		micros = (int64_t)(seconds * 1e6 + 0.5);

	size_t len = (size_t)snprintf(digits, sizeof(digits),
		"%" PRId64 ".%06" PRId64, micros / 1000000, micros % 1000000);

	while (digits[len - 1] == '0')
		len--;
	if (digits[len - 1] == '.')
		len--;
	br_buf_add(line, digits, len);
}
