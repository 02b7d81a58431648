/* SPDX-License-Identifier: MIT */
#include "view/failure.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "view/color.h"
#include "view/tail.h"
#include "view/words.h"

/* Lines of a command that are repeated; the manifest has them all. */
enum { COMMAND_LINES = 10 };

/* Of a step that SIGKILL ended. */
enum { STATUS_KILLED = 128 + SIGKILL };

/* A stage that runs, or has failed. */
struct br_failure {
	struct br_failure *next;
	char *stage;
	bool has_failed;
	/* Why, without the step and its status where there is none to blame. */
	enum br_result result;
	enum br_reason reason;
	int64_t status;
	double seconds;
	/* The step that it is at, or was at in the end; 0: before the first. */
	int64_t step;
	char *command;
	int64_t line;
	/* Negative: it did not come to its end. */
	double step_seconds;
	struct br_tail tail;
};

static void free_failure(struct br_failure *failure)
{
	br_tail_done(&failure->tail);
	free(failure->command);
	free(failure->stage);
	free(failure);
}

void br_failures_done(struct br_failures *failures)
{
	while (failures->stages) {
		struct br_failure *stage = failures->stages;

		failures->stages = stage->next;
		free_failure(stage);
	}
	free(failures->manifest);
	free(failures->error);
	*failures = (struct br_failures){ 0 };
}

/* Find the place in the list that points to `name`, or its end. */
static struct br_failure **find_slot(
	struct br_failures *failures, const char *name)
{
	struct br_failure **slot = &failures->stages;

	while (*slot && strcmp((*slot)->stage, name) != 0)
		slot = &(*slot)->next;
	return slot;
}

static void forget(struct br_failures *failures, const char *name)
{
	struct br_failure **slot = find_slot(failures, name);
	struct br_failure *stage = *slot;

	if (!stage)
		return;
	*slot = stage->next;
	if (stage->has_failed)
		failures->kept_count--;
	free_failure(stage);
}

/* A new attempt makes the failure of the last one forgotten. */
static void start_stage(struct br_failures *failures, const char *name)
{
	forget(failures, name);

	struct br_failure *stage = br_alloc(sizeof(*stage));

	stage->stage = br_strdup(name);
	*find_slot(failures, name) = stage;
}

static void start_step(
	struct br_failures *failures, const struct br_event *event)
{
	struct br_failure *stage =
		*find_slot(failures, event->step_started.stage);

	if (!stage)
		return;
	free(stage->command);
	stage->command = br_strdup(event->step_started.command);
	stage->step = event->step_started.step;
	stage->line = event->step_started.line;
	stage->step_seconds = -1;
	br_tail_clear(&stage->tail);
}

static void finish_step(
	struct br_failures *failures, const struct br_event *event)
{
	struct br_failure *stage =
		*find_slot(failures, event->step_finished.stage);

	if (stage && stage->step == event->step_finished.step)
		stage->step_seconds = event->step_finished.seconds;
}

static void note_output(
	struct br_failures *failures, const struct br_event *event)
{
	struct br_failure *stage = *find_slot(failures, event->output.stage);

	if (stage)
		br_tail_add(&stage->tail, event->output.data);
}

static void finish_stage(
	struct br_failures *failures, const struct br_event *event)
{
	const char *name = event->stage_finished.stage;
	enum br_result result = event->stage_finished.result;
	bool has_failed = result == BR_RESULT_FAIL || result == BR_RESULT_ERROR;
	struct br_failure *stage = *find_slot(failures, name);

	if (!stage || stage->has_failed)
		return;
	if (!has_failed) {
		forget(failures, name);
		return;
	}
	if (failures->kept_count == BR_FAILURES_SHOWN) {
		forget(failures, name);
		return;
	}
	failures->kept_count++;
	stage->has_failed = true;
	stage->result = result;
	stage->reason = event->stage_finished.reason;
	stage->status = event->stage_finished.status;
	stage->seconds = event->stage_finished.seconds;
	if (event->stage_finished.step == 0)
		stage->step = 0;
}

/* The first error is the cause of those that follow. */
static void note_notice(
	struct br_failures *failures, const struct br_event *event)
{
	if (!failures->error && event->notice.level == BR_LEVEL_ERROR)
		failures->error = br_strdup(event->notice.text);
}

void br_failures_note(
	struct br_failures *failures, const struct br_event *event)
{
	switch (event->type) {
	case BR_EVENT_BUILD_STARTED:
		free(failures->manifest);
		failures->manifest = event->build_started.manifest
			? br_strdup(event->build_started.manifest)
			: NULL;
		break;
	case BR_EVENT_STAGE_STARTED:
		start_stage(failures, event->stage_started.stage);
		break;
	case BR_EVENT_STEP_STARTED:
		start_step(failures, event);
		break;
	case BR_EVENT_OUTPUT:
		note_output(failures, event);
		break;
	case BR_EVENT_STEP_FINISHED:
		finish_step(failures, event);
		break;
	case BR_EVENT_STAGE_FINISHED:
		finish_stage(failures, event);
		break;
	case BR_EVENT_NOTICE:
		note_notice(failures, event);
		break;
	case BR_EVENT_IMAGE_PULLING:
	case BR_EVENT_IMAGE_READY:
	case BR_EVENT_CONTAINER_STARTED:
	case BR_EVENT_STAGE_SKIPPED:
	case BR_EVENT_CACHE_HIT:
	case BR_EVENT_CACHE_MISS:
	case BR_EVENT_CACHE_STORED:
	case BR_EVENT_BUILD_FINISHED:
		break;
	}
}

static void add_cause(struct br_buf *text, enum br_result result,
	enum br_reason reason, int64_t status, double seconds)
{
	switch (reason) {
	case BR_REASON_STATUS:
	case BR_REASON_SIGNAL:
		br_words_add_status(text, status);
		break;
	case BR_REASON_TIMEOUT:
		br_buf_add_text(text, "timeout after ");
		br_words_add_duration(text, seconds);
		break;
	case BR_REASON_MEMORY:
		if (status >= 0)
			br_buf_addf(text, "exit status %" PRId64 ": ", status);
		br_buf_add_text(text,
			status == STATUS_KILLED ? "killed, out of memory"
						: "out of memory");
		break;
	case BR_REASON_OUTPUTS:
		br_buf_add_text(text, "an output is missing or wrong");
		break;
	case BR_REASON_SERVICE:
		br_buf_add_text(text, "a service failed");
		break;
	case BR_REASON_ENGINE:
		br_buf_add_text(text, "the container or its engine failed");
		break;
	case BR_REASON_CANCELLED:
	case BR_REASON_NONE:
	case BR_REASON_WHEN:
	case BR_REASON_NEEDS:
	case BR_REASON_SELECTION:
	case BR_REASON_FAIL_FAST:
	case BR_REASON_TRIES:
		br_buf_add_text(text, br_words_of_result(result));
		break;
	}
}

void br_failures_add_cause(struct br_buf *text, const struct br_event *event)
{
	add_cause(text, event->stage_finished.result,
		event->stage_finished.reason, event->stage_finished.status,
		event->stage_finished.seconds);
}

/* `FAILED build, step 2 (ci.yml:12), after 1.2 s: exit status 1` */
static void add_headline(struct br_buf *text, const struct br_failure *failure,
	const char *manifest, bool is_allowed, bool has_color)
{
	br_color_start(
		text, has_color, is_allowed ? BR_COLOR_YELLOW : BR_COLOR_RED);
	br_buf_add_text(text, is_allowed ? "failed (allowed) " : "FAILED ");
	br_words_add_safe(text, br_str(failure->stage));
	br_color_end(text, has_color);
	if (failure->step > 0) {
		br_buf_addf(text, ", step %" PRId64 " (", failure->step);
		br_words_add_safe(text, br_str(manifest ? manifest : "line"));
		br_buf_addf(text, ":%" PRId64 ")", failure->line);
	}
	br_buf_add_text(text, ", after ");
	br_words_add_duration(text,
		failure->step > 0 && failure->step_seconds >= 0
			? failure->step_seconds
			: failure->seconds);
	br_buf_add_text(text, ": ");
	add_cause(text, failure->result, failure->reason, failure->status,
		failure->seconds);
	br_buf_add_char(text, '\n');
}

static void add_command(
	struct br_buf *text, const char *command, bool has_color)
{
	const char *at = command;

	br_color_start(text, has_color, BR_COLOR_BOLD);
	for (size_t lines = 0; *at && lines < COMMAND_LINES; lines++) {
		size_t len = strcspn(at, "\n");

		br_buf_add_text(text, lines == 0 ? "  $ " : "\n    ");
		br_words_add_safe(text, (struct br_str){ at, len });
		at += len;
		at += *at == '\n';
	}
	if (*at)
		br_buf_add_text(text, "\n    …");
	br_color_end(text, has_color);
	br_buf_add_char(text, '\n');
}

static void add_block(struct br_buf *text, const struct br_failure *failure,
	const char *manifest, bool is_allowed,
	const struct br_view_options *options)
{
	bool has_color = options->has_err_color;

	add_headline(text, failure, manifest, is_allowed, has_color);
	if (failure->step > 0 && failure->command)
		add_command(text, failure->command, has_color);
	br_tail_format(&failure->tail, "  | ", text);
	/* The lines may have left a colour on. */
	br_color_end(text, has_color);
	br_buf_add_text(text, "  again: ");
	br_buf_add_text(text, options->command ? options->command : "buildr");
	br_buf_add_text(text, " --only ");
	br_words_add_quoted(text, failure->stage);
	br_buf_add_char(text, '\n');
}

static size_t count_failed(const struct br_stage_results *results)
{
	size_t count = 0;

	for (size_t i = 0; i < results->count; i++)
		count += results->items[i].result == BR_RESULT_FAIL ||
			results->items[i].result == BR_RESULT_ERROR;
	return count;
}

const char *br_failures_find_error(
	const struct br_failures *failures, const struct br_event *finished)
{
	return finished->build_finished.result == BR_RESULT_ERROR
		? failures->error
		: NULL;
}

void br_failures_format(const struct br_failures *failures,
	const struct br_event *finished, const struct br_view_options *options,
	struct br_buf *text)
{
	size_t failed = count_failed(&finished->build_finished.stages);
	bool is_allowed = finished->build_finished.result == BR_RESULT_PASS;

	for (const struct br_failure *failure = failures->stages; failure;
		failure = failure->next) {
		if (!failure->has_failed)
			continue;
		add_block(
			text, failure, failures->manifest, is_allowed, options);
		br_buf_add_char(text, '\n');
	}
	if (failed > failures->kept_count)
		br_buf_addf(text, "and %zu more failed\n\n",
			failed - failures->kept_count);
}
