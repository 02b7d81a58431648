/* SPDX-License-Identifier: MIT */
#include "base/disguise.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"

enum {
	/* Shorter values are taken as they are. */
	VALUE_MIN_BYTES = 4,
	/* Shorter lines are words that stand everywhere. */
	LINE_MIN_BYTES = 6,
	/* Of a value in lines of base64: four groups, or six characters. */
	PIECE_BYTES = 12,
	PIECE_MIN_BYTES = 5,
};

struct target {
	br_disguise_fn *fn;
	void *ctx;
};

static void give(const struct target *target, const char *data, size_t len)
{
	if (len > 0)
		target->fn(target->ctx,
			(struct br_str){ .data = data, .len = len });
}

static void give_lines(const struct target *target, struct br_str value)
{
	const char *at = value.data;
	const char *end = value.data + value.len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *line_end = newline ? newline : end;
		const char *next = newline ? newline + 1 : end;

		if (line_end > at && line_end[-1] == '\r')
			line_end--;
		if (line_end - at >= LINE_MIN_BYTES)
			give(target, at, (size_t)(line_end - at));
		at = next;
	}
}

/*
 * Give the base64 of `value` where `before` bytes (0 to 2) stand in front of it
 * in its first group of three. A character holds six bits; only those of which
 * all bits are the value's are known.
 */
static void give_base64(const struct target *target, struct br_str value,
	enum br_base64_alphabet alphabet, size_t before)
{
	br_autobuf struct br_buf bytes = { 0 };
	br_autobuf struct br_buf text = { 0 };
	size_t first = (before * 8 + 5) / 6;
	size_t bits = (before + value.len) * 8;

	br_buf_add(&bytes, "\0", before);
	br_buf_add(&bytes, value.data, value.len);
	br_base64_encode(alphabet, bytes.data, bytes.len, &text);

	size_t inner = bits / 6 - first;
	size_t unpadded = (bits + 5) / 6 - first;
	const char *start = text.data + first;
	give(target, start, inner);
	give(target, start, unpadded);
	give(target, start, text.len - first);
}

/*
 * Give what lines of base64 may hold of `value` where it is in the middle of more:
 * its start at the end of a line, its end at the start of one, and what can make up
 * whole lines. Lines are as long as any number of groups.
 */
static void give_base64_lines(const struct target *target, struct br_str value,
	enum br_base64_alphabet alphabet)
{
	const char *end = value.data + value.len;

	for (size_t len = PIECE_MIN_BYTES; len < PIECE_BYTES && len < value.len;
		len++) {
		struct br_str first = { value.data, len };
		struct br_str last = { end - len, len };

		give_base64(target, first, alphabet, (PIECE_BYTES - len) % 3);
		give_base64(target, last, alphabet, 0);
	}
	for (const char *at = value.data; end - at >= PIECE_BYTES; at++)
		give_base64(target, (struct br_str){ at, PIECE_BYTES },
			alphabet, 0);
}

/* A way to write bytes in a URL: these stay, and the digits for all others. */
struct percent {
	const char *kept;
	const char *digits;
};

static const struct percent percents[] = {
	{ "-._~", "0123456789ABCDEF" },
	{ "-._~", "0123456789abcdef" },
	/* A path, as Python's quote() leaves it. */
	{ "-._~/", "0123456789ABCDEF" },
	/* JavaScript's encodeURIComponent(). */
	{ "-._~!*'()", "0123456789ABCDEF" },
};

static void give_percent(const struct target *target, struct br_str value,
	const struct percent *percent)
{
	br_autobuf struct br_buf text = { 0 };

	for (size_t i = 0; i < value.len; i++) {
		uint8_t byte = (uint8_t)value.data[i];

		if (byte < 0x80 && byte != 0 &&
			(isalnum(byte) || strchr(percent->kept, byte)))
			br_buf_add_char(&text, (char)byte);
		else
			br_buf_addf(&text, "%%%c%c", percent->digits[byte >> 4],
				percent->digits[byte & 15]);
	}
	give(target, text.data, text.len);
}

static void add_json_char(struct br_buf *text, char c, const char *as_number)
{
	static const char plain[] = "\"\\\b\f\n\r\t";
	static const char letters[] = "\"\\bfnrt";
	const char *at = c != '\0' ? strchr(plain, c) : NULL;

	if (at)
		br_buf_addf(text, "\\%c", letters[at - plain]);
	else if ((uint8_t)c < 0x20 || strchr(as_number, c))
		br_buf_addf(text, "\\u%04x", (unsigned)(uint8_t)c);
	else
		br_buf_add_char(text, c);
}

/* `as_number`: characters that some writers give as \u00xx for safety. */
static void give_json(
	const struct target *target, struct br_str value, const char *as_number)
{
	br_autobuf struct br_buf text = { 0 };

	for (size_t i = 0; i < value.len; i++)
		add_json_char(&text, value.data[i], as_number);
	give(target, text.data, text.len);
}

/* `quote`: what a single quote becomes within single quotes. */
static void give_shell(
	const struct target *target, struct br_str value, const char *quote)
{
	br_autobuf struct br_buf text = { 0 };

	for (size_t i = 0; i < value.len; i++) {
		if (value.data[i] == '\'')
			br_buf_add_text(&text, quote);
		else
			br_buf_add_char(&text, value.data[i]);
	}
	give(target, text.data, text.len);
}

static void give_all(const struct target *target, struct br_str value)
{
	give(target, value.data, value.len);
	if (value.len < VALUE_MIN_BYTES)
		return;
	give_lines(target, value);
	for (size_t before = 0; before < 3; before++) {
		give_base64(target, value, BR_BASE64_STANDARD, before);
		give_base64(target, value, BR_BASE64_URL, before);
	}
	give_base64_lines(target, value, BR_BASE64_STANDARD);
	give_base64_lines(target, value, BR_BASE64_URL);
	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++)
		give_percent(target, value, &percents[i]);
	give_json(target, value, "");
	/* Go's encoding/json, and so most tools around containers. */
	give_json(target, value, "<>&");
	/* bash, and dash. */
	give_shell(target, value, "'\\''");
	give_shell(target, value, "'\"'\"'");
}

void br_disguise_each(struct br_str value, br_disguise_fn *fn, void *ctx)
{
	const struct target target = { .fn = fn, .ctx = ctx };
	struct br_str bare = value;

	while (bare.len > 0 &&
		(bare.data[bare.len - 1] == '\n' ||
			bare.data[bare.len - 1] == '\r'))
		bare.len--;
	give_all(&target, value);
	if (bare.len < value.len)
		give_all(&target, bare);
}
