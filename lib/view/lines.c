/* SPDX-License-Identifier: MIT */
#include "view/lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "view/color.h"
#include "view/words.h"

/* Holds a whole piece of output (64 KiB) with short lines' prefixes. */
enum { OUT_BYTES = 128 * 1024 };

struct br_lines_stage {
	struct br_lines_stage *next;
	char *name;
	struct br_buf prefix;
	/* The beginning of a line. */
	struct br_buf held;
};

void br_lines_init(struct br_lines *lines, int fd, bool has_color)
{
	*lines = (struct br_lines){
		.fd = fd,
		.has_color = has_color,
		.out = br_alloc(OUT_BYTES),
	};
}

static void free_stage(struct br_lines_stage *stage)
{
	br_buf_done(&stage->prefix);
	br_buf_done(&stage->held);
	free(stage->name);
	free(stage);
}

void br_lines_done(struct br_lines *lines)
{
	while (lines->stages) {
		struct br_lines_stage *stage = lines->stages;

		lines->stages = stage->next;
		free_stage(stage);
	}
	br_labels_done(&lines->labels);
	free(lines->out);
	*lines = (struct br_lines){ 0 };
}

void br_lines_set_names(struct br_lines *lines, const struct br_names *names)
{
	br_labels_set(&lines->labels, names);
}

static void make_prefix(
	struct br_lines *lines, const char *name, struct br_buf *prefix)
{
	const struct br_label *label = br_labels_find(&lines->labels, name);
	br_autobuf struct br_buf text = { 0 };
	size_t index = label ? label->index
			     : lines->labels.count + lines->unlisted_count++;

	if (label)
		br_buf_add_text(&text, label->text);
	else
		br_labels_add_short(&text, name);
	br_color_start_stage(prefix, lines->has_color, index);
	br_buf_add(prefix, text.data, text.len);
	br_color_end(prefix, lines->has_color);
	for (size_t columns = br_words_columns(br_buf_text(&text));
		columns < lines->labels.columns; columns++)
		br_buf_add_char(prefix, ' ');
	br_buf_add_text(prefix, " | ");
}

/* Find the place in the list that points to `name`, or its end. */
static struct br_lines_stage **find_slot(
	struct br_lines *lines, const char *name)
{
	struct br_lines_stage **slot = &lines->stages;

	while (*slot && strcmp((*slot)->name, name) != 0)
		slot = &(*slot)->next;
	return slot;
}

static struct br_lines_stage *get_stage(
	struct br_lines *lines, const char *name)
{
	struct br_lines_stage *stage = *find_slot(lines, name);

	if (stage)
		return stage;
	stage = br_alloc(sizeof(*stage));
	stage->name = br_strdup(name);
	make_prefix(lines, name, &stage->prefix);
	stage->next = lines->stages;
	lines->stages = stage;
	return stage;
}

static bool write_fd(struct br_lines *lines, const char *data, size_t len,
	struct br_err *err)
{
	if (br_file_write(lines->fd, data, len, err))
		return true;
	lines->has_failed = true;
	return br_fail_errno(err, "write to stdout");
}

static bool write_out(struct br_lines *lines, struct br_err *err)
{
	size_t len = lines->out_len;

	lines->out_len = 0;
	return len == 0 || write_fd(lines, lines->out, len, err);
}

static bool put(struct br_lines *lines, const char *data, size_t len,
	struct br_err *err)
{
	if (len > OUT_BYTES - lines->out_len) {
		if (!write_out(lines, err))
			return false;
		if (len > OUT_BYTES)
			return write_fd(lines, data, len, err);
	}
	memcpy(lines->out + lines->out_len, data, len);
	lines->out_len += len;
	return true;
}

static bool put_buf(
	struct br_lines *lines, const struct br_buf *buf, struct br_err *err)
{
	return put(lines, br_buf_text(buf), buf->len, err);
}

static bool end_line(struct br_lines *lines, struct br_err *err)
{
	lines->open = NULL;
	return put(lines, "\n", 1, err);
}

/* Be in a line of `stage`: the one that is open, or a new one. */
static bool begin_line(struct br_lines *lines,
	const struct br_lines_stage *stage, struct br_err *err)
{
	if (lines->open == stage)
		return true;
	if (lines->open && !end_line(lines, err))
		return false;
	lines->open = stage;
	return put_buf(lines, &stage->prefix, err);
}

static bool put_held(struct br_lines *lines, struct br_lines_stage *stage,
	struct br_err *err)
{
	if (!begin_line(lines, stage, err) ||
		!put_buf(lines, &stage->held, err))
		return false;
	br_buf_clear(&stage->held);
	return true;
}

/*
 * Put whole lines, each behind the prefix. All of a build's output comes through
 * here: two copies a line, and no call but for memchr.
 */
static bool put_lines(struct br_lines *lines, struct br_str prefix,
	const char *at, const char *end, struct br_err *err)
{
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)(newline + 1 - at);
		char *out = lines->out + lines->out_len;

		if (prefix.len + len <= OUT_BYTES - lines->out_len) {
			memcpy(out, prefix.data, prefix.len);
			memcpy(out + prefix.len, at, len);
			lines->out_len += prefix.len + len;
		} else if (!put(lines, prefix.data, prefix.len, err) ||
			!put(lines, at, len, err)) {
			return false;
		}
		at += len;
	}
	return true;
}

/* Put lines of which the first may have begun already. */
static bool put_more_lines(struct br_lines *lines, struct br_lines_stage *stage,
	const char *at, const char *end, struct br_err *err)
{
	if (at < end && (lines->open || stage->held.len > 0)) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		if (!put_held(lines, stage, err) ||
			!put(lines, at, (size_t)(newline - at), err) ||
			!end_line(lines, err))
			return false;
		at = newline + 1;
	}
	return put_lines(lines, br_buf_str(&stage->prefix), at, end, err);
}

/* Keep the beginning of a line back, unless it gets too long. */
static bool hold(struct br_lines *lines, struct br_lines_stage *stage,
	const char *data, size_t len, struct br_err *err)
{
	if (stage->held.len + len <= BR_LINES_HELD_BYTES) {
		br_buf_add(&stage->held, data, len);
		return true;
	}
	return put_held(lines, stage, err) && put(lines, data, len, err);
}

bool br_lines_add(struct br_lines *lines, const char *stage, struct br_str data,
	struct br_err *err)
{
	struct br_lines_stage *self = get_stage(lines, stage);

	if (data.len == 0 || !data.data)
		return true;

	const char *last = memrchr(data.data, '\n', data.len);
	const char *rest = last ? last + 1 : data.data;
	size_t rest_len = (size_t)(data.data + data.len - rest);

	return put_more_lines(lines, self, data.data, rest, err) &&
		hold(lines, self, rest, rest_len, err) && write_out(lines, err);
}

bool br_lines_end(struct br_lines *lines, const char *stage, struct br_err *err)
{
	struct br_lines_stage *self = *find_slot(lines, stage);

	if (!self || lines->has_failed)
		return true;
	if (self->held.len > 0 && !put_held(lines, self, err))
		return false;
	if (lines->open == self && !end_line(lines, err))
		return false;
	return write_out(lines, err);
}

bool br_lines_end_stage(
	struct br_lines *lines, const char *stage, struct br_err *err)
{
	struct br_lines_stage **slot = find_slot(lines, stage);
	struct br_lines_stage *self = *slot;

	if (!self)
		return true;

	bool is_ended = br_lines_end(lines, stage, err);

	*slot = self->next;
	if (lines->open == self) /* only where writing has failed */
		lines->open = NULL;
	free_stage(self);
	return is_ended;
}

bool br_lines_end_all(struct br_lines *lines, struct br_err *err)
{
	while (lines->stages)
		if (!br_lines_end_stage(lines, lines->stages->name, err))
			return false;
	return true;
}

bool br_lines_flush(struct br_lines *lines, struct br_err *err)
{
	for (struct br_lines_stage *stage = lines->stages; stage;
		stage = stage->next)
		if (stage->held.len > 0 && !put_held(lines, stage, err))
			return false;
	return write_out(lines, err);
}

bool br_lines_break(struct br_lines *lines, struct br_err *err)
{
	return (!lines->open || end_line(lines, err)) && write_out(lines, err);
}
