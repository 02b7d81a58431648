/* SPDX-License-Identifier: MIT */
#include "run/output.h"

#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

/* Where masked bytes of one stream go to. */
struct target {
	struct br_output *output;
	enum br_stream stream;
};

void br_output_init(struct br_output *output, const struct br_mask *mask,
	br_output_fn *fn, void *ctx)
{
	*output = (struct br_output){ .fn = fn, .ctx = ctx };
	for (size_t i = 0; i < BR_OUTPUT_STREAMS; i++) {
		br_mask_stream_init(&output->streams[i].mask, mask);
		output->streams[i].deadline_ms = -1;
	}
}

void br_output_done(struct br_output *output)
{
	for (size_t i = 0; i < BR_OUTPUT_STREAMS; i++) {
		br_mask_stream_done(&output->streams[i].mask);
		br_buf_done(&output->streams[i].line);
	}
}

static void pass(const struct target *target, const char *data, size_t len)
{
	if (len > 0)
		target->output->fn(target->output->ctx, target->stream,
			(struct br_str){ .data = data, .len = len });
}

/* Count the bytes up to the last line end, with it; 0: there is none. */
static size_t whole_lines_len(const char *data, size_t len)
{
	const char *newline = len > 0 ? memrchr(data, '\n', len) : NULL;

	return newline ? (size_t)(newline - data) + 1 : 0;
}

/* Where to cut what is too long for one piece. */
static size_t cut_len(const char *data, size_t len)
{
	size_t lines = whole_lines_len(data, len);

	return lines > 0 ? lines : len - br_utf8_partial_len(data, len);
}

/* Pass on the line that was kept, but for a character that is not complete. */
static void pass_line(const struct target *target, struct br_output_lane *lane)
{
	struct br_buf *line = &lane->line;
	size_t len = line->len - br_utf8_partial_len(line->data, line->len);

	pass(target, line->data, len);
	br_buf_drop(line, len);
	lane->deadline_ms = -1;
}

/*
 * Add to the line that was kept until it is complete or too long, and pass it on
 * then. Gives the bytes of `data` that were taken.
 */
static size_t extend_line(const struct target *target,
	struct br_output_lane *lane, const char *data, size_t len)
{
	struct br_buf *line = &lane->line;
	size_t room = BR_LIMIT_OUTPUT_BYTES - line->len;
	size_t reach = len < room ? len : room;
	const char *newline = memchr(data, '\n', reach);
	size_t taken = newline ? (size_t)(newline - data) + 1 : reach;

	br_buf_add(line, data, taken);
	if (newline || line->len == BR_LIMIT_OUTPUT_BYTES)
		pass_line(target, lane);
	return taken;
}

static void take_masked(void *ctx, struct br_str piece)
{
	const struct target *target = ctx;
	struct br_output_lane *lane = &target->output->streams[target->stream];
	const char *at = piece.data;
	size_t left = piece.len;

	while (left > 0) {
		size_t taken;

		if (lane->line.len > 0) {
			taken = extend_line(target, lane, at, left);
		} else if (left > BR_LIMIT_OUTPUT_BYTES) {
			taken = cut_len(at, BR_LIMIT_OUTPUT_BYTES);
			pass(target, at, taken);
		} else {
			taken = whole_lines_len(at, left);
			pass(target, at, taken);
			br_buf_add(&lane->line, at + taken, left - taken);
			return;
		}
		at += taken;
		left -= taken;
	}
}

/* Say whether there is anything in `line` that must not wait for ever. */
static bool is_waiting(const struct br_buf *line)
{
	return line->len > br_utf8_partial_len(line->data, line->len);
}

void br_output_feed(struct br_output *output, enum br_stream stream,
	struct br_str data, int64_t now_ms)
{
	struct br_output_lane *lane = &output->streams[stream];
	struct target target = { .output = output, .stream = stream };

	br_mask_feed(&lane->mask, data, take_masked, &target);
	if (lane->deadline_ms < 0 && is_waiting(&lane->line))
		lane->deadline_ms = now_ms + BR_OUTPUT_WAIT_MS;
}

int64_t br_output_deadline_ms(const struct br_output *output)
{
	int64_t first = -1;

	for (size_t i = 0; i < BR_OUTPUT_STREAMS; i++) {
		int64_t deadline_ms = output->streams[i].deadline_ms;

		if (deadline_ms >= 0 && (first < 0 || deadline_ms < first))
			first = deadline_ms;
	}
	return first;
}

void br_output_tick(struct br_output *output, int64_t now_ms)
{
	for (size_t i = 0; i < BR_OUTPUT_STREAMS; i++) {
		struct br_output_lane *lane = &output->streams[i];
		struct target target = { .output = output,
			.stream = (enum br_stream)i };

		if (lane->deadline_ms < 0 || now_ms < lane->deadline_ms)
			continue;
		pass_line(&target, lane);
	}
}

void br_output_flush(struct br_output *output)
{
	for (size_t i = 0; i < BR_OUTPUT_STREAMS; i++) {
		struct br_output_lane *lane = &output->streams[i];
		struct target target = { .output = output,
			.stream = (enum br_stream)i };

		br_mask_end(&lane->mask, take_masked, &target);
		pass(&target, br_buf_text(&lane->line), lane->line.len);
		br_buf_clear(&lane->line);
		lane->deadline_ms = -1;
	}
}
