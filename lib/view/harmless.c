/* SPDX-License-Identifier: MIT */
#include "view/harmless.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

enum {
	BELL = 0x07,
	BACKSPACE = 0x08,
	ESCAPE = 0x1b,
	DELETE = 0x7f,
};

enum kind {
	/* Shown. */
	KIND_TEXT,
	/* A colour or another look of characters: may stay. */
	KIND_LOOK,
	/* What follows overwrites the line from its beginning. */
	KIND_BACK,
	/* Left out. */
	KIND_GONE,
};

/* Some bytes of a line that belong together. */
struct token {
	enum kind kind;
	size_t len;
};

static size_t span(const char *at, size_t left, uint8_t first, uint8_t last)
{
	size_t len = 0;

	while (len < left && (uint8_t)at[len] >= first &&
		(uint8_t)at[len] <= last)
		len++;
	return len;
}

static bool is_one(const char *parameters, size_t len)
{
	return len == 0 ||
		(len == 1 && (*parameters == '0' || *parameters == '1'));
}

/* ESC [: parameters, intermediate bytes, and a byte that says what it is. */
static struct token read_control(const char *at, size_t left)
{
	size_t parameters = span(at + 2, left - 2, 0x30, 0x3f);
	size_t len = 2 + parameters;

	len += span(at + len, left - len, 0x20, 0x2f);
	if (len == left || (uint8_t)at[len] < 0x40 || (uint8_t)at[len] > 0x7e)
		return (struct token){ KIND_GONE, len };

	struct token token = { KIND_GONE, len + 1 };
	bool is_simple = len == 2 + parameters;
	if (at[len] == 'm' && is_simple &&
		span(at + 2, parameters, '0', ';') == parameters)
		token.kind = KIND_LOOK;
	else if (is_simple &&
		((at[len] == 'G' && is_one(at + 2, parameters)) ||
			(at[len] == 'K' && parameters == 1 && at[2] == '2')))
		token.kind = KIND_BACK;
	return token;
}

/* A title, a clipboard, a device's language: up to its end, or that of the line. */
static size_t string_len(const char *at, size_t left)
{
	for (size_t i = 2; i < left; i++) {
		if (at[i] == BELL)
			return i + 1;
		if (at[i] == ESCAPE && i + 1 < left && at[i + 1] == '\\')
			return i + 2;
	}
	return left;
}

static struct token read_escape(const char *at, size_t left)
{
	if (left == 1)
		return (struct token){ KIND_GONE, 1 };
	if (at[1] == '[')
		return read_control(at, left);
	if (strchr("]PX^_", at[1]) && at[1] != '\0')
		return (struct token){ KIND_GONE, string_len(at, left) };

	size_t len = 1 + span(at + 1, left - 1, 0x20, 0x2f);
	bool has_end = len < left && (uint8_t)at[len] >= 0x30 &&
		(uint8_t)at[len] <= 0x7e;
	return (struct token){ KIND_GONE, len + has_end };
}

/* Length of the character at `at`; 0 where its bytes are not UTF-8. */
static size_t char_len(const char *at, size_t left)
{
	for (size_t len = 1; len <= 4 && len <= left; len++)
		if (br_utf8_is_valid(at, len))
			return len;
	return 0;
}

static struct token read_token(const char *at, size_t left)
{
	switch (*at) {
	case ESCAPE:
		return read_escape(at, left);
	case '\r':
		return (struct token){ KIND_BACK, 1 };
	case BELL:
	case BACKSPACE:
	case '\0':
		return (struct token){ KIND_GONE, 1 };
	default:
		break;
	}

	size_t len = span(at, left, 0x20, 0x7e);
	if (len == 0)
		len = char_len(at, left);
	return (struct token){ KIND_TEXT, len > 0 ? len : 1 };
}

/* Find where the text begins that nothing overwrites. */
static size_t find_start(struct br_str line)
{
	size_t start = 0;
	size_t back = 0;

	for (size_t at = 0; at < line.len;) {
		struct token token = read_token(line.data + at, line.len - at);

		at += token.len;
		if (token.kind == KIND_BACK)
			back = at;
		else if (token.kind == KIND_TEXT)
			start = back;
	}
	return start;
}

static void add_char(struct br_buf *text, const char *at, size_t len)
{
	uint8_t lead = (uint8_t)at[0];

	if (len == 1 && (lead < 0x20 || lead == DELETE) && lead != '\t') {
		br_buf_add_char(text, '^');
		br_buf_add_char(text, (char)(lead ^ 0x40));
	} else if ((len == 1 && lead >= 0x80) ||
		(len == 2 && lead == 0xc2 && (uint8_t)at[1] < 0xa0)) {
		br_buf_add_char(text, '?'); /* U+0080 to U+009F: controls too */
	} else {
		br_buf_add(text, at, len);
	}
}

/* Nearly every line: nothing but ASCII that is shown. */
static bool is_harmless(struct br_str line)
{
	const uint64_t ones = 0x0101010101010101;
	const uint64_t highs = 0x80 * ones;
	size_t at = 0;
	uint64_t bad = 0;

	for (; at + 8 <= line.len; at += 8) {
		uint64_t word;

		memcpy(&word, line.data + at, sizeof(word));
		/* Above 0x7e, or below 0x20. */
		bad |= word | (word + ones) | (word - 0x20 * ones);
	}
	for (; at < line.len; at++)
		if ((uint8_t)line.data[at] < 0x20 ||
			(uint8_t)line.data[at] > 0x7e)
			return false;
	return (bad & highs) == 0;
}

void br_harmless_add_line(
	struct br_buf *text, struct br_str line, bool has_color)
{
	bool is_colored = false;

	if (is_harmless(line)) {
		br_buf_add(text, line.data, line.len);
		return;
	}
	for (size_t at = find_start(line); at < line.len;) {
		struct token token = read_token(line.data + at, line.len - at);

		if (token.kind == KIND_TEXT)
			add_char(text, line.data + at, token.len);
		else if (token.kind == KIND_LOOK && has_color)
			br_buf_add(text, line.data + at, token.len);
		is_colored = is_colored || token.kind == KIND_LOOK;
		at += token.len;
	}
	if (is_colored && has_color)
		br_buf_add_text(text, "\x1b[0m");
}
