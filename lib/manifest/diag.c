/* SPDX-License-Identifier: MIT */
#include "manifest/diag.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/utf8.h"

enum {
	/* A whole message or help; what they quote may be a whole file. */
	TEXT_BYTES = 512,
	/* What is shown of a line: an 80-column terminal less the margin. */
	SHOWN_CHARS = 72,
	/* Of a long line, at most this stands before the place. */
	LEFT_CHARS = 40,
};

static const char ellipsis[] = "...";

void br_diags_init(
	struct br_diags *diags, const char *file, struct br_str source)
{
	*diags = (struct br_diags){
		.file = br_strdup(file),
		.source = { .text = br_lines_skip_bom(source) },
	};
}

void br_diags_done(struct br_diags *diags)
{
	for (size_t i = 0; i < diags->count; i++) {
		free(diags->items[i].text);
		free(diags->items[i].help);
		free(diags->items[i].source_line);
	}
	free(diags->items);
	free(diags->file);
	*diags = (struct br_diags){ 0 };
}

/* Length of the UTF-8 character at the start of `text`; 0: there is none. */
static size_t char_len(struct br_str text)
{
	for (size_t len = 1; len <= 4 && len <= text.len; len++)
		if (br_utf8_valid_len(text.data, len) == len)
			return len;
	return 0;
}

/*
 * Say whether a terminal would do something else with the character than show
 * it: C0 and C1 controls, line and paragraph separators, marks that turn the
 * direction of what follows, and byte order marks.
 */
static bool is_control(const char *at, size_t len)
{
	static const char *const marks[] = {
		"\u200e",
		"\u200f",
		"\u2028",
		"\u2029",
		"\u202a",
		"\u202b",
		"\u202c",
		"\u202d",
		"\u202e",
		"\u2066",
		"\u2067",
		"\u2068",
		"\u2069",
		"\ufeff",
	};
	unsigned char first = (unsigned char)at[0];

	if (len == 1)
		return first < 0x20 || first == 0x7f;
	if (len == 2)
		return first == 0xc2 && (unsigned char)at[1] < 0xa0;
	for (size_t i = 0; len == 3 && i < sizeof(marks) / sizeof(marks[0]);
		i++)
		if (!memcmp(at, marks[i], len))
			return true;
	return false;
}

/* Add `text` so that each of its characters takes one, and is only shown. */
static void add_clean(struct br_buf *clean, struct br_str text)
{
	while (text.len > 0) {
		size_t len = char_len(text);

		if (text.data[0] == '\t')
			br_buf_add_char(clean, ' ');
		else if (len == 0 || is_control(text.data, len))
			br_buf_add_char(clean, '?');
		else
			br_buf_add(clean, text.data, len);

		size_t step = br_lines_skip_chars(text, 1);
		text.data += step;
		text.len -= step;
	}
}

/* Give a message as it is kept; the caller frees it. */
static char *clean_text(const char *text)
{
	br_autobuf struct br_buf clean = { 0 };
	struct br_str all = br_str(text);

	if (all.len < TEXT_BYTES) {
		add_clean(&clean, all);
		return br_buf_take(&clean);
	}
	all.len = TEXT_BYTES - sizeof(ellipsis);
	all.len -= br_utf8_partial_len(all.data, all.len);
	add_clean(&clean, all);
	br_buf_add_text(&clean, ellipsis);
	return br_buf_take(&clean);
}

/* Fill in the line at the diagnostic's place, cut where it is long. */
static void show_source(struct br_lines *source, struct br_diag *diag)
{
	br_autobuf struct br_buf shown = { 0 };
	struct br_str line = br_lines_find(source, diag->place.line);
	size_t before = diag->place.column - 1;
	size_t total = br_lines_count_chars(line);
	size_t from = 0;

	if (br_lines_offset(source, diag->place.line) >= source->text.len)
		return;
	if (total > SHOWN_CHARS && before > LEFT_CHARS)
		from = before - LEFT_CHARS;
	if (from + SHOWN_CHARS > total)
		from = total > SHOWN_CHARS ? total - SHOWN_CHARS : 0;

	size_t skipped = br_lines_skip_chars(line, from);
	line.data += skipped;
	line.len -= skipped;
	size_t kept = br_lines_skip_chars(line, SHOWN_CHARS);
	bool is_cut = kept < line.len;
	line.len = kept;

	if (from > 0)
		br_buf_add_text(&shown, ellipsis);
	diag->caret = (unsigned)(before - from + shown.len);
	add_clean(&shown, line);
	if (is_cut)
		br_buf_add_text(&shown, ellipsis);
	diag->source_line = br_buf_take(&shown);
}

void br_diags_add(struct br_diags *diags, enum br_severity severity,
	struct br_place place, const char *help, const char *fmt, ...)
{
	char text[TEXT_BYTES + 1];
	va_list args;

	if (severity == BR_SEVERITY_ERROR)
		diags->error_count++;
	if (diags->count >= BR_LIMIT_DIAGS) {
		diags->dropped_count++;
		return;
	}
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);

	diags->items = br_grow(diags->items, diags->count, &diags->capacity,
		sizeof(*diags->items));
	struct br_diag *diag = &diags->items[diags->count++];
	*diag = (struct br_diag){ .severity = severity, .place = place };
	diag->text = clean_text(text);
	diag->help = help ? clean_text(help) : NULL;
	if (place.line > 0 && place.column > 0)
		show_source(&diags->source, diag);
}

static bool is_after(struct br_place a, struct br_place b)
{
	if (a.line != b.line)
		return a.line > b.line;
	return a.column > b.column;
}

void br_diags_sort(struct br_diags *diags)
{
	/* By insertion: it is stable, and there are few. */
	for (size_t i = 1; i < diags->count; i++) {
		struct br_diag moved = diags->items[i];
		size_t to = i;

		for (; to > 0 &&
			is_after(diags->items[to - 1].place, moved.place);
			to--)
			diags->items[to] = diags->items[to - 1];
		diags->items[to] = moved;
	}
}

static void format_source(const struct br_diag *diag, struct br_buf *text)
{
	bool is_blank = diag->source_line[0] == '\0';

	br_buf_addf(text, "%5u |%s%s\n", diag->place.line, is_blank ? "" : " ",
		diag->source_line);
	br_buf_addf(text, "      | %*s^\n", (int)diag->caret, "");
}

static void format_diag(
	const char *file, const struct br_diag *diag, struct br_buf *text)
{
	bool is_error = diag->severity == BR_SEVERITY_ERROR;

	br_buf_add_text(text, file);
	if (diag->place.line > 0)
		br_buf_addf(
			text, ":%u:%u", diag->place.line, diag->place.column);
	br_buf_addf(
		text, ": %s: %s\n", is_error ? "error" : "warning", diag->text);
	if (diag->source_line)
		format_source(diag, text);
	if (diag->help)
		br_buf_addf(text, "help: %s\n", diag->help);
}

void br_diags_format(const struct br_diags *diags, struct br_buf *text)
{
	for (size_t i = 0; i < diags->count; i++)
		format_diag(diags->file, &diags->items[i], text);
	if (diags->dropped_count > 0)
		br_buf_addf(text, "%s: and %zu more\n", diags->file,
			diags->dropped_count);
}
