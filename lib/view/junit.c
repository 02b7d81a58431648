/* SPDX-License-Identifier: MIT */
#include "view/junit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clean.h"
#include "base/file.h"
#include "view/failure.h"
#include "view/harmless.h"
#include "view/junit_suite.h"
#include "view/words.h"

struct junit {
	struct br_sink sink;
	/* Where symbolic links lead to. */
	char *path;
	/* Where it is written first; NULL: `path` is a device or a pipe. */
	char *temporary;
	char *manifest;
	struct br_junit_suite *suites;
	size_t count;
	size_t capacity;
	bool is_passed;
	double seconds;
};

/* Find a stage, the newest first; NULL: none. */
static struct br_junit_suite *find(struct junit *junit, const char *stage)
{
	for (size_t i = junit->count; i > 0; i--)
		if (strcmp(junit->suites[i - 1].stage, stage) == 0)
			return &junit->suites[i - 1];
	return NULL;
}

static struct br_junit_suite *add(struct junit *junit, const char *stage)
{
	junit->suites = br_grow(junit->suites, junit->count, &junit->capacity,
		sizeof(*junit->suites));

	struct br_junit_suite *suite = &junit->suites[junit->count++];

	*suite = (struct br_junit_suite){ .stage = br_strdup(stage) };
	return suite;
}

/* Of several attempts the last one counts. */
static void start_stage(struct junit *junit, const struct br_event *event)
{
	const char *stage = event->stage_started.stage;
	struct br_junit_suite *suite =
		event->stage_started.attempt > 1 ? find(junit, stage) : NULL;

	if (suite)
		br_junit_suite_clear(suite);
	else
		suite = add(junit, stage);
	suite->started_us = event->wall_us;
	suite->step_count = event->stage_started.steps;
}

static void start_step(struct junit *junit, const struct br_event *event)
{
	struct br_junit_suite *suite = find(junit, event->step_started.stage);
	br_autobuf struct br_buf name = { 0 };

	if (!suite)
		return;
	br_buf_addf(&name, "%" PRId64 ": ", event->step_started.step);
	br_words_add_first_line(&name, event->step_started.command);
	suite->steps = br_grow(suite->steps, suite->begun, &suite->capacity,
		sizeof(*suite->steps));
	suite->steps[suite->begun++] = (struct br_junit_step){
		.name = br_buf_take(&name),
		.line = event->step_started.line,
		.seconds = -1,
	};
	br_tail_clear(&suite->tail);
}

static void finish_step(struct junit *junit, const struct br_event *event)
{
	struct br_junit_suite *suite = find(junit, event->step_finished.stage);

	if (suite && suite->begun > 0)
		suite->steps[suite->begun - 1].seconds =
			event->step_finished.seconds;
}

/* The last lines, without what only a terminal understands. */
static char *format_tail(const struct br_tail *tail)
{
	br_autobuf struct br_buf lines = { 0 };
	br_autobuf struct br_buf text = { 0 };

	br_tail_format(tail, "", &lines);
	for (const char *at = br_buf_text(&lines), *end = at + lines.len;
		at < end;) {
		/* Each of them ends in one. */
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)(newline - at);

		br_harmless_add_line(&text, (struct br_str){ at, len }, false);
		br_buf_add_char(&text, '\n');
		at = newline + 1;
	}
	return br_buf_take(&text);
}

static void finish_stage(struct junit *junit, const struct br_event *event)
{
	enum br_result result = event->stage_finished.result;
	struct br_junit_suite *suite = find(junit, event->stage_finished.stage);
	br_autobuf struct br_buf cause = { 0 };

	if (!suite)
		suite = add(junit, event->stage_finished.stage);
	suite->has_ended = true;
	suite->result = result;
	suite->reason = event->stage_finished.reason;
	suite->seconds = event->stage_finished.seconds;
	suite->failed_step = event->stage_finished.step;
	if (result != BR_RESULT_PASS && result != BR_RESULT_CACHED) {
		br_failures_add_cause(&cause, event);
		suite->cause = br_buf_take(&cause);
		suite->output = format_tail(&suite->tail);
	}
	br_tail_done(&suite->tail);
}

/* What was not asked for is no part of the build. */
static void skip_stage(struct junit *junit, const struct br_event *event)
{
	struct br_junit_suite *suite;

	if (event->stage_skipped.reason == BR_REASON_SELECTION)
		return;
	suite = add(junit, event->stage_skipped.stage);
	suite->has_ended = true;
	suite->result = BR_RESULT_SKIPPED;
	suite->reason = event->stage_skipped.reason;
}

static void note_output(struct junit *junit, const struct br_event *event)
{
	struct br_junit_suite *suite = find(junit, event->output.stage);

	if (suite)
		br_tail_add(&suite->tail, event->output.data);
}

static bool handle(
	struct br_sink *self, const struct br_event *event, struct br_err *err)
{
	struct junit *junit = (struct junit *)self;

	(void)err;
	switch (event->type) {
	case BR_EVENT_BUILD_STARTED:
		free(junit->manifest);
		junit->manifest = event->build_started.manifest
			? br_strdup(event->build_started.manifest)
			: NULL;
		break;
	case BR_EVENT_STAGE_STARTED:
		start_stage(junit, event);
		break;
	case BR_EVENT_STEP_STARTED:
		start_step(junit, event);
		break;
	case BR_EVENT_OUTPUT:
		note_output(junit, event);
		break;
	case BR_EVENT_STEP_FINISHED:
		finish_step(junit, event);
		break;
	case BR_EVENT_STAGE_FINISHED:
		finish_stage(junit, event);
		break;
	case BR_EVENT_STAGE_SKIPPED:
		skip_stage(junit, event);
		break;
	case BR_EVENT_BUILD_FINISHED:
		junit->is_passed =
			event->build_finished.result == BR_RESULT_PASS;
		junit->seconds = event->build_finished.seconds;
		break;
	case BR_EVENT_IMAGE_PULLING:
	case BR_EVENT_IMAGE_READY:
	case BR_EVENT_CONTAINER_STARTED:
	case BR_EVENT_CACHE_HIT:
	case BR_EVENT_CACHE_MISS:
	case BR_EVENT_CACHE_STORED:
	case BR_EVENT_NOTICE:
		break;
	}
	return true;
}

static void format(const struct junit *junit, struct br_buf *xml)
{
	br_autobuf struct br_buf suites = { 0 };
	struct br_junit_sums sums = { 0 };

	for (size_t i = 0; i < junit->count; i++)
		br_junit_suite_format(&junit->suites[i], junit->manifest,
			junit->is_passed, &sums, &suites);
	br_buf_addf(xml,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"buildr\" tests=\"%zu\" failures=\"%zu\" "
		"errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\">\n",
		sums.tests, sums.failures, sums.errors, sums.skipped,
		junit->seconds);
	br_buf_add(xml, suites.data, suites.len);
	br_buf_add_text(xml, "</testsuites>\n");
}

/* Open `path`, on the way to the report that was asked for. */
static bool open_file(const struct junit *junit, const char *path, int flags,
	int *fd, struct br_err *err)
{
	*fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0666);
	if (*fd >= 0)
		return true;
	if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
		return br_fail(err, BR_EINPUT, "make the report '%s': %s",
			junit->path, strerror(errno));
	return br_fail_errno(err, "make the report '%s'", junit->path);
}

/* Try to make the file that will be written, and leave nothing of it. */
static bool try(const struct junit *junit, struct br_err *err)
{
	br_autoclose int fd = -1;

	if (!junit->temporary)
		return open_file(junit, junit->path, O_NONBLOCK, &fd, err);
	(void)unlink(junit->temporary);
	if (!open_file(junit, junit->temporary, O_CREAT | O_EXCL, &fd, err))
		return false;
	(void)unlink(junit->temporary);
	return true;
}

static void free_junit(struct junit *junit)
{
	for (size_t i = 0; i < junit->count; i++) {
		br_junit_suite_clear(&junit->suites[i]);
		free(junit->suites[i].stage);
	}
	free(junit->suites);
	free(junit->manifest);
	free(junit->temporary);
	free(junit->path);
	free(junit);
}

static bool resolve(struct junit *junit, const char *path, struct br_err *err)
{
	struct stat there;
	bool is_there = stat(path, &there) == 0;

	if (is_there && S_ISDIR(there.st_mode))
		return br_fail(err, BR_EINPUT,
			"make the report '%s': it is a directory", path);
	junit->path = is_there ? realpath(path, NULL) : NULL;
	if (!junit->path)
		junit->path = br_strdup(path);
	if (!is_there || S_ISREG(there.st_mode))
		junit->temporary =
			br_format("%s.%ld.tmp", junit->path, (long)getpid());
	return true;
}

bool br_junit_open(const char *path, struct br_sink **sink, struct br_err *err)
{
	struct junit *junit = br_alloc(sizeof(*junit));

	junit->sink.handle = handle;
	if (!resolve(junit, path, err) || !try(junit, err)) {
		free_junit(junit);
		return false;
	}
	*sink = &junit->sink;
	return true;
}

static bool save(
	const struct junit *junit, const struct br_buf *xml, struct br_err *err)
{
	const char *path = junit->temporary ? junit->temporary : junit->path;
	br_autoclose int fd = -1;

	if (!open_file(junit, path, junit->temporary ? O_CREAT | O_EXCL : 0,
		    &fd, err))
		return false;
	if (!br_file_write(fd, xml->data, xml->len, err)) {
		if (junit->temporary)
			(void)unlink(path);
		return br_wrap(err, "write the report '%s'", junit->path);
	}
	if (!junit->temporary || rename(path, junit->path) == 0)
		return true;
	br_fail_errno(err, "make the report '%s'", junit->path);
	(void)unlink(path);
	return false;
}

bool br_junit_close(struct br_sink *sink, struct br_err *err)
{
	br_autobuf struct br_buf xml = { 0 };
	struct junit *junit = (struct junit *)sink;

	if (!junit)
		return true;
	format(junit, &xml);

	bool is_saved = save(junit, &xml, err);

	free_junit(junit);
	return is_saved;
}
