/* SPDX-License-Identifier: MIT */
#include "view/transcript.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "view/color.h"
#include "view/harmless.h"
#include "view/headings.h"
#include "view/words.h"

/* A stage that writes. */
struct br_transcript_stage {
	struct br_transcript_stage *next;
	char *name;
	struct br_buf prefix;
	/* The beginning of a line. */
	struct br_buf held;
};

static void free_stage(struct br_transcript_stage *stage)
{
	br_buf_done(&stage->prefix);
	br_buf_done(&stage->held);
	free(stage->name);
	free(stage);
}

void br_transcript_done(struct br_transcript *transcript)
{
	while (transcript->stages) {
		struct br_transcript_stage *stage = transcript->stages;

		transcript->stages = stage->next;
		free_stage(stage);
	}
	br_labels_done(&transcript->labels);
	br_failures_done(&transcript->failures);
	br_summary_done(&transcript->summary);
	br_pulls_done(&transcript->pulls);
	br_buf_done(&transcript->scratch);
	br_buf_done(&transcript->text);
}

/* `build | `, as wide for all stages. */
static void make_prefix(struct br_transcript *transcript, const char *name,
	struct br_buf *prefix)
{
	const struct br_label *label =
		br_labels_find(&transcript->labels, name);
	bool has_color = transcript->options.has_out_color;
	br_autobuf struct br_buf text = { 0 };
	size_t index = label
		? label->index
		: transcript->labels.count + transcript->unlisted_count++;

	if (label)
		br_buf_add_text(&text, label->text);
	else
		br_labels_add_short(&text, name);
	br_color_start_stage(prefix, has_color, index);
	br_buf_add(prefix, text.data, text.len);
	br_color_end(prefix, has_color);
	for (size_t columns = br_words_columns(br_buf_text(&text));
		columns < transcript->labels.columns; columns++)
		br_buf_add_char(prefix, ' ');
	br_buf_add_text(prefix, " | ");
}

/* Find the place in the list that points to `name`, or its end. */
static struct br_transcript_stage **find_slot(
	struct br_transcript *transcript, const char *name)
{
	struct br_transcript_stage **slot = &transcript->stages;

	while (*slot && strcmp((*slot)->name, name) != 0)
		slot = &(*slot)->next;
	return slot;
}

static struct br_transcript_stage *get_stage(
	struct br_transcript *transcript, const char *name)
{
	struct br_transcript_stage *stage = *find_slot(transcript, name);

	if (stage)
		return stage;
	stage = br_alloc(sizeof(*stage));
	stage->name = br_strdup(name);
	make_prefix(transcript, name, &stage->prefix);
	stage->next = transcript->stages;
	transcript->stages = stage;
	return stage;
}

static void add_line(struct br_transcript *transcript,
	const struct br_transcript_stage *stage, struct br_str line)
{
	br_buf_add(&transcript->text, stage->prefix.data, stage->prefix.len);
	br_harmless_add_line(
		&transcript->text, line, transcript->options.has_out_color);
	br_buf_add_char(&transcript->text, '\n');
}

static void end_held(
	struct br_transcript *transcript, struct br_transcript_stage *stage)
{
	if (stage->held.len == 0)
		return;
	add_line(transcript, stage, br_buf_str(&stage->held));
	br_buf_clear(&stage->held);
}

/* Add whole lines, of which the first may have begun before. */
static void add_lines(struct br_transcript *transcript,
	struct br_transcript_stage *stage, const char *at, const char *end)
{
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)(newline - at);

		if (stage->held.len > 0) {
			br_buf_add(&stage->held, at, len);
			end_held(transcript, stage);
		} else {
			add_line(transcript, stage, (struct br_str){ at, len });
		}
		at = newline + 1;
	}
}

static void add_output(
	struct br_transcript *transcript, const struct br_event *event)
{
	struct br_str data = event->output.data;
	struct br_transcript_stage *stage =
		get_stage(transcript, event->output.stage);

	if (data.len == 0 || !data.data)
		return;

	const char *last = memrchr(data.data, '\n', data.len);
	const char *rest = last ? last + 1 : data.data;
	size_t rest_len = (size_t)(data.data + data.len - rest);

	add_lines(transcript, stage, data.data, rest);
	if (stage->held.len + rest_len > BR_TRANSCRIPT_HELD_BYTES)
		end_held(transcript, stage);
	br_buf_add(&stage->held, rest, rest_len);
}

/* Output that is shown again is not ours: line by line. */
static void add_harmless(struct br_transcript *transcript, struct br_str text)
{
	const char *at = text.data;
	const char *end = text.data + text.len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len =
			newline ? (size_t)(newline - at) : (size_t)(end - at);

		br_harmless_add_line(&transcript->text,
			(struct br_str){ at, len },
			transcript->options.has_err_color);
		br_buf_add_char(&transcript->text, '\n');
		at += len + 1;
	}
}

/* Table, failures, verdict: what matters most stands last. */
static void add_end(
	struct br_transcript *transcript, const struct br_event *event)
{
	bool has_color = transcript->options.has_err_color;

	br_buf_clear(&transcript->scratch);
	br_buf_add_char(&transcript->text, '\n');
	br_summary_add_table(
		&transcript->summary, event, has_color, &transcript->text);
	if (event->build_finished.stages.count > 0)
		br_buf_add_char(&transcript->text, '\n');
	br_failures_format(&transcript->failures, event, &transcript->options,
		&transcript->scratch);
	add_harmless(transcript, br_buf_str(&transcript->scratch));
	br_summary_add_verdict(event,
		br_failures_find_error(&transcript->failures, event), has_color,
		&transcript->text);
}

/* How far a pull is changes where it can; that it has ended stays. */
static void add_pull(
	struct br_transcript *transcript, const struct br_event *event)
{
	br_buf_clear(&transcript->scratch);
	br_pulls_format(&transcript->pulls, event,
		transcript->options.is_verbose, &transcript->scratch);
	if (event->type == BR_EVENT_IMAGE_READY)
		br_buf_add(&transcript->text, transcript->scratch.data,
			transcript->scratch.len);
}

static void end_stage(struct br_transcript *transcript, const char *name)
{
	struct br_transcript_stage **slot = find_slot(transcript, name);
	struct br_transcript_stage *stage = *slot;

	if (!stage)
		return;
	end_held(transcript, stage);
	*slot = stage->next;
	free_stage(stage);
}

void br_transcript_end(struct br_transcript *transcript)
{
	while (transcript->stages)
		end_stage(transcript, transcript->stages->name);
}

/* What ends before something is said of it. */
static void end_lines(
	struct br_transcript *transcript, const struct br_event *event)
{
	struct br_transcript_stage *stage = NULL;

	if (event->type == BR_EVENT_STEP_FINISHED)
		stage = *find_slot(transcript, event->step_finished.stage);
	if (stage)
		end_held(transcript, stage);
	if (event->type == BR_EVENT_STAGE_FINISHED)
		end_stage(transcript, event->stage_finished.stage);
	if (event->type == BR_EVENT_BUILD_FINISHED)
		br_transcript_end(transcript);
}

static void add_event(
	struct br_transcript *transcript, const struct br_event *event)
{
	const struct br_headings_place place = {
		.is_after_hit = transcript->is_after_hit,
	};

	if (event->type == BR_EVENT_OUTPUT)
		add_output(transcript, event);
	else if (event->type == BR_EVENT_IMAGE_PULLING ||
		event->type == BR_EVENT_IMAGE_READY)
		add_pull(transcript, event);
	else if (event->type == BR_EVENT_BUILD_FINISHED)
		add_end(transcript, event);
	else
		br_headings_format(
			event, &transcript->options, place, &transcript->text);
	transcript->is_after_hit = event->type == BR_EVENT_CACHE_HIT;
}

static bool handle(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct br_transcript *transcript = (struct br_transcript *)self;

	br_failures_note(&transcript->failures, event);
	br_summary_note(&transcript->summary, event);
	if (event->type == BR_EVENT_BUILD_STARTED)
		br_labels_set(
			&transcript->labels, &event->build_started.stages);
	end_lines(transcript, event);
	add_event(transcript, event);
	return transcript->text.len <= BR_TRANSCRIPT_BYTES ||
		transcript->take(transcript->ctx, err);
}

void br_transcript_init(
	struct br_transcript *transcript, const struct br_view_options *options)
{
	*transcript = (struct br_transcript){
		.sink = { .handle = handle },
		.options = *options,
	};
	/* Every stage is a block, of which the last line says how it ended. */
	transcript->options.is_grouped = true;
}
