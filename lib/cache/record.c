/* SPDX-License-Identifier: MIT */
#include "cache/record.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "cache/key.h"

/* Count the bytes at the start of `name` that a record has as they are. */
static size_t plain_len(const char *name)
{
	size_t len = 0;

	while ((unsigned char)name[len] >= ' ' && name[len] != 0x7f &&
		name[len] != '\\')
		len++;
	return len;
}

void br_record_escape(const char *name, struct br_buf *text)
{
	while (true) {
		size_t len = plain_len(name);

		br_buf_add(text, name, len);
		name += len;
		if (*name == '\0')
			return;
		br_buf_addf(text, "\\%03o", (unsigned char)*name++);
	}
}

static const char *const kind_names[] = {
	[BR_DIFFERENCE_ADDED] = "added",
	[BR_DIFFERENCE_REMOVED] = "removed",
	[BR_DIFFERENCE_CHANGED] = "changed",
	[BR_DIFFERENCE_MODE] = "mode",
};

const char *br_difference_kind_name(enum br_difference_kind kind)
{
	return kind_names[kind];
}

bool br_difference_kind_find(struct br_str name, enum br_difference_kind *kind)
{
	for (size_t i = 0; i < sizeof(kind_names) / sizeof(kind_names[0]); i++)
		if (br_str_is(name, kind_names[i])) {
			*kind = (enum br_difference_kind)i;
			return true;
		}
	return false;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

void br_record_unescape(const char *name, struct br_buf *text)
{
	for (const char *at = name; *at != '\0'; at++) {
		if (at[0] != '\\' || !is_octal(at[1]) || !is_octal(at[2]) ||
			!is_octal(at[3])) {
			br_buf_add_char(text, *at);
			continue;
		}
		br_buf_add_char(text,
			(char)((at[1] - '0') << 6 | (at[2] - '0') << 3 |
				(at[3] - '0')));
		at += 3;
	}
}

/* One line, cut up. All point into the record. */
struct line {
	struct br_str ingredient;
	/* Of a file the mode and the colon; else nothing. */
	struct br_str mode;
	struct br_str digest;
	struct br_str name;
};

/* A record, line by line. */
struct reader {
	struct br_str rest;
	struct line line;
	/* There is no `line`: the record is over. */
	bool is_over;
};

bool br_record_take(struct br_str *rest, char end, struct br_str *taken)
{
	const char *at =
		rest->len > 0 ? memchr(rest->data, end, rest->len) : NULL;

	if (!at)
		return false;
	*taken = (struct br_str){ rest->data, (size_t)(at - rest->data) };
	rest->data += taken->len + 1;
	rest->len -= taken->len + 1;
	return true;
}

static bool parse_line(struct br_str text, struct line *line)
{
	struct br_str value;
	uint8_t digest[BR_HASH_BYTES];

	*line = (struct line){ 0 };
	if (!br_record_take(&text, ' ', &line->ingredient) ||
		!br_record_take(&text, ' ', &value))
		return false;
	line->name = text;
	line->digest = value;
	(void)br_record_take(&line->digest, ':', &line->mode);
	return br_hash_parse(line->digest.data, line->digest.len, digest);
}

static bool next(struct reader *reader, struct br_err *err)
{
	struct br_str text;

	if (reader->rest.len == 0) {
		reader->is_over = true;
		return true;
	}
	return (br_record_take(&reader->rest, '\n', &text) &&
		       parse_line(text, &reader->line)) ||
		br_fail(err, BR_EINPUT,
			"a line of the record of the last run cannot be read");
}

static bool start(
	struct reader *reader, struct br_str record, struct br_err *err)
{
	br_autofree char *head = br_format("buildr-key %d", BR_KEY_VERSION);
	struct br_str line;

	*reader = (struct reader){ .rest = record };
	if (!br_record_take(&reader->rest, '\n', &line) ||
		!br_str_is(line, head))
		return br_fail(err, BR_EINPUT,
			"the record of the last run is of another version");
	return next(reader, err);
}

/* Rank an ingredient as a key does; one that nobody knows comes last. */
static int rank(struct br_str ingredient)
{
	int kind = 0;

	while (kind <= BR_INGREDIENT_LINK &&
		!br_str_is(ingredient,
			br_ingredient_name((enum br_ingredient)kind)))
		kind++;
	return kind;
}

static int compare_text(struct br_str a, struct br_str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.data, b.data, len) : 0;

	if (order != 0)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

/* Which of the two comes first; 0: it is the same ingredient. */
static int compare(const struct reader *before, const struct reader *after)
{
	int left = rank(before->line.ingredient);
	int right = rank(after->line.ingredient);

	if (before->is_over || after->is_over)
		return before->is_over ? 1 : -1;
	if (left != right)
		return left < right ? -1 : 1;
	/* Steps count up in both, so that one of them ends first. */
	return compare_text(before->line.name, after->line.name);
}

static void tell(enum br_difference_kind kind, const struct line *line,
	br_difference_fn *fn, void *ctx)
{
	const struct br_difference difference = {
		.kind = kind,
		.ingredient = line->ingredient,
		.name = line->name,
	};

	fn(ctx, &difference);
}

static void tell_change(const struct line *before, const struct line *after,
	br_difference_fn *fn, void *ctx)
{
	if (!br_str_equal(before->digest, after->digest))
		tell(BR_DIFFERENCE_CHANGED, after, fn, ctx);
	else if (!br_str_equal(before->mode, after->mode))
		tell(BR_DIFFERENCE_MODE, after, fn, ctx);
}

bool br_record_compare(struct br_str before, struct br_str after,
	br_difference_fn *fn, void *ctx, struct br_err *err)
{
	struct reader left;
	struct reader right;

	if (!start(&left, before, err) || !start(&right, after, err))
		return false;
	while (!left.is_over || !right.is_over) {
		int order = compare(&left, &right);

		if (order < 0)
			tell(BR_DIFFERENCE_REMOVED, &left.line, fn, ctx);
		else if (order > 0)
			tell(BR_DIFFERENCE_ADDED, &right.line, fn, ctx);
		else
			tell_change(&left.line, &right.line, fn, ctx);
		if ((order <= 0 && !next(&left, err)) ||
			(order >= 0 && !next(&right, err)))
			return false;
	}
	return true;
}
