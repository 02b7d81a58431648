/* SPDX-License-Identifier: MIT */
#include "view/headings.h"

#include <inttypes.h>
#include <string.h>

#include "view/color.h"
#include "view/failure.h"
#include "view/words.h"

/* The first 48 bits of a UUIDv7 are its milliseconds: enough to find it by. */
enum { SHORT_ID_BYTES = 13 };

static void add_safe(struct br_buf *text, const char *before, const char *value)
{
	br_buf_add_text(text, before);
	br_words_add_safe(text, br_str(value));
}

static void start_heading(struct br_buf *text, bool has_color)
{
	br_color_start(text, has_color, BR_COLOR_BOLD);
	br_buf_add_text(text, "==> ");
}

static void end_heading(struct br_buf *text, bool has_color)
{
	br_color_end(text, has_color);
	br_buf_add_char(text, '\n');
}

static void add_details(const struct br_event *event, struct br_buf *text)
{
	const struct br_event_host *host = &event->build_started.host;

	add_safe(text, "  buildr ", event->build_started.version);
	add_safe(text, " on ", host->name);
	add_safe(text, " (", host->system);
	add_safe(text, " ", host->release);
	add_safe(text, " ", host->machine);
	br_buf_add_text(text, ")\n");
	if (event->build_started.manifest) {
		add_safe(text, "  manifest ", event->build_started.manifest);
		br_buf_add_char(text, '\n');
	}
}

static void add_checkout(const struct br_event *event, struct br_buf *text)
{
	add_safe(text, "  ", event->build_started.repo);
	if (event->build_started.branch)
		add_safe(text, ", branch ", event->build_started.branch);
	if (event->build_started.commit)
		add_safe(text, ", commit ", event->build_started.commit);
	br_buf_add_char(text, '\n');
}

static void add_build(const struct br_event *event,
	const struct br_view_options *options, struct br_buf *text)
{
	start_heading(text, options->has_err_color);
	br_buf_addf(text, "build %.*s", SHORT_ID_BYTES, event->build);
	if (event->build_started.project)
		add_safe(text, " of ", event->build_started.project);
	if (event->build_started.image)
		add_safe(text, " in ", event->build_started.image);
	end_heading(text, options->has_err_color);
	if (event->build_started.repo)
		add_checkout(event, text);
	if (options->is_verbose)
		add_details(event, text);
}

/* Of one that is cached it says so before what it wrote another time. */
static void add_stage(const struct br_event *event, bool has_color,
	bool is_cached, struct br_buf *text)
{
	int64_t steps = event->stage_started.steps;

	start_heading(text, has_color);
	add_safe(text, "stage ", event->stage_started.stage);
	if (event->stage_started.attempt > 1)
		br_buf_addf(text, ", attempt %" PRId64,
			event->stage_started.attempt);
	br_buf_addf(
		text, " (%" PRId64 " step%s)", steps, steps == 1 ? "" : "s");
	if (is_cached)
		br_buf_add_text(text, " from the cache");
	end_heading(text, has_color);
}

static void add_step(const struct br_event *event, bool has_color,
	bool is_alone, struct br_buf *text)
{
	br_buf_add_text(text, "  ");
	if (!is_alone) {
		br_words_add_safe(text, br_str(event->step_started.stage));
		br_buf_add_char(text, ' ');
	}
	br_color_start(text, has_color, BR_COLOR_BOLD);
	br_buf_add_text(text, "$ ");
	br_words_add_first_line(text, event->step_started.command);
	end_heading(text, has_color);
}

static void add_step_figures(const struct br_event *event, struct br_buf *text)
{
	add_safe(text, "  ", event->step_finished.stage);
	br_buf_addf(text, " step %" PRId64 ": ", event->step_finished.step);
	br_words_add_status(text, event->step_finished.status);
	br_buf_add_text(text, ", ");
	br_words_add_duration(text, event->step_finished.seconds);
	br_buf_add_text(text, ", processor ");
	br_words_add_duration(text, event->step_finished.cpu_seconds);
	br_buf_add_text(text, ", memory ");
	br_words_add_size(text, event->step_finished.max_rss);
	br_buf_add_char(text, '\n');
}

/*
 * That a stage has passed, or is cached, is seen from the table; a block of its own says so
 * as well.
 */
static void add_stage_end(const struct br_event *event, bool has_color,
	bool is_grouped, struct br_buf *text)
{
	enum br_result result = event->stage_finished.result;
	int64_t attempt = event->stage_finished.attempt;

	if ((result == BR_RESULT_PASS || result == BR_RESULT_CACHED) &&
		!is_grouped)
		return;
	start_heading(text, has_color);
	add_safe(text, "stage ", event->stage_finished.stage);
	if (attempt > 1)
		br_buf_addf(text, ", attempt %" PRId64, attempt);
	br_buf_add_char(text, ' ');
	br_color_start(text, has_color, br_color_of_result(result));
	br_buf_add_text(text, br_words_of_result(result));
	if (result == BR_RESULT_PASS) {
		br_buf_add_text(text, " in ");
		br_words_add_duration(text, event->stage_finished.seconds);
	} else if (result == BR_RESULT_FAIL || result == BR_RESULT_ERROR) {
		br_buf_add_text(text, ": ");
		br_failures_add_cause(text, event);
	}
	end_heading(text, has_color);
}

/* Of what was not asked for, only -v wants to hear. */
static void add_skip(const struct br_event *event,
	const struct br_view_options *options, struct br_buf *text)
{
	bool has_color = options->has_err_color;

	if (event->stage_skipped.reason == BR_REASON_SELECTION &&
		!options->is_verbose)
		return;
	start_heading(text, has_color);
	add_safe(text, "stage ", event->stage_skipped.stage);
	br_buf_addf(text, " skipped: %s",
		br_words_of_skip(event->stage_skipped.reason));
	end_heading(text, has_color);
}

static void add_container(const struct br_event *event, struct br_buf *text)
{
	add_safe(text, "  container ", event->container_started.container);
	add_safe(text, " of ", event->container_started.image);
	br_buf_add_text(text, " started in ");
	br_words_add_duration(text, event->container_started.seconds);
	br_buf_add_char(text, '\n');
}

static void add_cache(
	const struct br_event *event, const char *what, struct br_buf *text)
{
	add_safe(text, "  ", event->cache.stage);
	add_safe(text, what, event->cache.key);
	if (event->type == BR_EVENT_CACHE_MISS)
		add_safe(text, ": ", event->cache.why);
	br_buf_add_char(text, '\n');
}

/* Only with -v. */
static void add_verbose(const struct br_event *event, struct br_buf *text)
{
	switch (event->type) {
	case BR_EVENT_CONTAINER_STARTED:
		add_container(event, text);
		break;
	case BR_EVENT_STEP_FINISHED:
		add_step_figures(event, text);
		break;
	case BR_EVENT_CACHE_HIT:
		add_cache(event, " found in the cache: ", text);
		break;
	case BR_EVENT_CACHE_MISS:
		add_cache(event, " not in the cache: ", text);
		break;
	case BR_EVENT_CACHE_STORED:
		add_cache(event, " stored in the cache: ", text);
		break;
	case BR_EVENT_BUILD_STARTED:
	case BR_EVENT_IMAGE_PULLING:
	case BR_EVENT_IMAGE_READY:
	case BR_EVENT_STAGE_STARTED:
	case BR_EVENT_STEP_STARTED:
	case BR_EVENT_OUTPUT:
	case BR_EVENT_STAGE_FINISHED:
	case BR_EVENT_STAGE_SKIPPED:
	case BR_EVENT_NOTICE:
	case BR_EVENT_BUILD_FINISHED:
		break;
	}
}

void br_headings_add_notice(
	const struct br_event *event, bool has_color, struct br_buf *text)
{
	static const enum br_color colors[] = {
		[BR_LEVEL_INFO] = BR_COLOR_BOLD,
		[BR_LEVEL_WARNING] = BR_COLOR_YELLOW,
		[BR_LEVEL_ERROR] = BR_COLOR_RED,
	};
	const char *at = event->notice.text;

	br_color_start(text, has_color, colors[event->notice.level]);
	br_buf_addf(text, "%s:", br_level_name(event->notice.level));
	br_color_end(text, has_color);
	for (;;) {
		size_t len = strcspn(at, "\n");

		br_buf_add_char(text, ' ');
		br_words_add_safe(text, (struct br_str){ at, len });
		br_buf_add_char(text, '\n');
		at += len + (at[len] == '\n');
		if (*at == '\0')
			break;
		br_buf_add_char(text, ' ');
	}
}

void br_headings_format(const struct br_event *event,
	const struct br_view_options *options, struct br_headings_place place,
	struct br_buf *text)
{
	bool has_color = options->has_err_color;

	switch (event->type) {
	case BR_EVENT_BUILD_STARTED:
		add_build(event, options, text);
		break;
	case BR_EVENT_STAGE_STARTED:
		add_stage(event, has_color, place.is_after_hit, text);
		break;
	case BR_EVENT_STEP_STARTED:
		add_step(event, has_color, place.is_alone, text);
		break;
	case BR_EVENT_STAGE_FINISHED:
		add_stage_end(event, has_color, options->is_grouped, text);
		break;
	case BR_EVENT_STAGE_SKIPPED:
		add_skip(event, options, text);
		break;
	case BR_EVENT_NOTICE:
		br_headings_add_notice(event, has_color, text);
		break;
	case BR_EVENT_CONTAINER_STARTED:
	case BR_EVENT_STEP_FINISHED:
	case BR_EVENT_CACHE_HIT:
	case BR_EVENT_CACHE_MISS:
	case BR_EVENT_CACHE_STORED:
		if (options->is_verbose)
			add_verbose(event, text);
		break;
	case BR_EVENT_IMAGE_PULLING:
	case BR_EVENT_IMAGE_READY:
	case BR_EVENT_OUTPUT:
	case BR_EVENT_BUILD_FINISHED:
		break;
	}
}
