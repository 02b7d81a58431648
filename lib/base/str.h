/* SPDX-License-Identifier: MIT */
/*
 * str.h - a piece of text or bytes whose length is known.
 *
 * Always borrowed: a br_str never owns what it points to, and need not end in a
 * NUL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct br_str {
	const char *data;
	size_t len;
};

/* View a whole string. Borrowed from `text`. */
static inline struct br_str br_str(const char *text)
{
	return (struct br_str){ .data = text, .len = strlen(text) };
}

static inline bool br_str_equal(struct br_str a, struct br_str b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.data, b.data, a.len));
}

/* Say whether `str` is `text`. */
static inline bool br_str_is(struct br_str str, const char *text)
{
	return br_str_equal(str, br_str(text));
}

/*
 * Take the next line off `text`, without its end. Gives false where nothing is left; the last
 * line may have no end.
 */
static inline bool br_str_next_line(struct br_str *text, struct br_str *line)
{
	if (text->len == 0)
		return false;

	const char *end = memchr(text->data, '\n', text->len);
	size_t len = end ? (size_t)(end - text->data) : text->len;
	size_t taken = end ? len + 1 : len;

	*line = (struct br_str){ text->data, len };
	*text = (struct br_str){ text->data + taken, text->len - taken };
	return true;
}

static inline bool br_has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/*
 * A number made of a text, the same for the same text, so that different ones are
 * soon told apart (FNV-1a). Not for what somebody hostile chooses.
 */
static inline uint32_t br_text_hash(const char *text)
{
	uint32_t hash = 2166136261U;

	for (; *text != '\0'; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619U;
	return hash;
}
