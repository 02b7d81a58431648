/* SPDX-License-Identifier: MIT */
#include "view/tail.h"

#include <string.h>

void br_tail_done(struct br_tail *tail)
{
	br_buf_done(&tail->kept);
	tail->is_cut = false;
}

void br_tail_clear(struct br_tail *tail)
{
	br_buf_clear(&tail->kept);
	tail->is_cut = false;
}

/* Drop what is in front of the last `len` bytes. */
static void keep_last(struct br_tail *tail, size_t len)
{
	if (tail->kept.len <= len)
		return;
	br_buf_drop(&tail->kept, tail->kept.len - len);
	tail->is_cut = true;
}

void br_tail_add(struct br_tail *tail, struct br_str data)
{
	size_t max = BR_TAIL_BYTES;

	if (data.len > max) {
		keep_last(tail, 0);
		tail->is_cut = true;
		data.data += data.len - max;
		data.len = max;
	}
	/* Only when there is twice too much, so that a byte is moved once. */
	if (tail->kept.len + data.len > 2 * max)
		keep_last(tail, max - data.len);
	br_buf_add(&tail->kept, data.data, data.len);
}

/* Find where the last lines begin; `end` is behind the last newline. */
static const char *find_start(const char *start, const char *end, size_t most)
{
	size_t lines = 0;
	const char *at = end;

	while (at > start) {
		if (at[-1] == '\n' && at < end && ++lines == most)
			return at;
		at--;
	}
	return start;
}

struct br_str br_tail_last(const struct br_tail *tail, size_t lines)
{
	const char *start = br_buf_text(&tail->kept);
	const char *end = start + tail->kept.len;
	const char *first = lines > 0 ? find_start(start, end, lines) : end;

	return (struct br_str){ first, (size_t)(end - first) };
}

/*
 * Leave out the rest of a line whose beginning is lost. Where nothing comes after
 * it, go to the start of a character and say that it is only a rest.
 */
static const char *skip_cut_line(
	const char *at, const char *end, const char **mark)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	if (newline && newline + 1 < end)
		return newline + 1;
	while (at < end && ((unsigned char)*at & 0xc0) == 0x80)
		at++;
	*mark = "…";
	return at;
}

void br_tail_format(
	const struct br_tail *tail, const char *prefix, struct br_buf *text)
{
	size_t len = tail->kept.len;
	bool is_over = len > BR_TAIL_BYTES;
	const char *end = br_buf_text(&tail->kept) + len;
	const char *first = is_over ? end - BR_TAIL_BYTES : end - len;
	const char *at = find_start(first, end, BR_TAIL_LINES);
	const char *mark = "";

	if (at == first && (tail->is_cut || is_over))
		at = skip_cut_line(at, end, &mark);
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *next = newline ? newline + 1 : end;

		br_buf_add_text(text, prefix);
		br_buf_add_text(text, mark);
		br_buf_add(text, at, (size_t)(next - at));
		if (!newline)
			br_buf_add_char(text, '\n');
		mark = "";
		at = next;
	}
}
