/* SPDX-License-Identifier: MIT */
#include "view/folds.h"

#include <ctype.h>
#include <inttypes.h>

#include "view/words.h"

bool br_folds_are_for_stdout(enum br_folds folds)
{
	return folds == BR_FOLDS_TEAMCITY;
}

/* `stage build, attempt 2` */
static void add_title(const char *stage, int64_t attempt, struct br_buf *title)
{
	br_buf_add_text(title, "stage ");
	br_words_add_safe(title, br_str(stage));
	if (attempt > 1)
		br_buf_addf(title, ", attempt %" PRId64, attempt);
}

/* The values of TeamCity's messages. */
static void add_teamcity(const struct br_buf *title, struct br_buf *text)
{
	for (size_t i = 0; i < title->len; i++) {
		char c = title->data[i];

		if (c == '|' || c == '\'' || c == '[' || c == ']')
			br_buf_add_char(text, '|');
		br_buf_add_char(text, c);
	}
}

/* The data of GitHub's commands. */
static void add_github(const struct br_buf *title, struct br_buf *text)
{
	for (size_t i = 0; i < title->len; i++) {
		br_buf_add_char(text, title->data[i]);
		if (title->data[i] == '%')
			br_buf_add_text(text, "25");
	}
}

/* GitLab's sections have names of letters, digits and few others. */
static void add_gitlab(const char *what, const struct br_event *event,
	const char *stage, struct br_buf *text)
{
	br_buf_addf(text, "\x1b[0Ksection_%s:%" PRId64 ":buildr_", what,
		event->wall_us / 1000000);
	for (const char *at = stage; *at != '\0'; at++)
		br_buf_add_char(text,
			isalnum((unsigned char)*at) || *at == '-' ? *at : '_');
	br_buf_add_text(text, "\r\x1b[0K");
}

static void open_fold(
	enum br_folds folds, const struct br_event *event, struct br_buf *text)
{
	const char *stage = event->stage_started.stage;
	br_autobuf struct br_buf title = { 0 };

	add_title(stage, event->stage_started.attempt, &title);
	switch (folds) {
	case BR_FOLDS_NONE:
		return;
	case BR_FOLDS_GITHUB:
		br_buf_add_text(text, "::group::");
		add_github(&title, text);
		break;
	case BR_FOLDS_GITLAB:
		add_gitlab("start", event, stage, text);
		br_buf_add(text, title.data, title.len);
		break;
	case BR_FOLDS_TEAMCITY:
		br_buf_add_text(text, "##teamcity[blockOpened name='");
		add_teamcity(&title, text);
		br_buf_add_text(text, "']");
		break;
	case BR_FOLDS_BUILDKITE:
		br_buf_add_text(text, "--- ");
		br_buf_add(text, title.data, title.len);
		break;
	}
	br_buf_add_char(text, '\n');
}

static bool has_failed(const struct br_event *event)
{
	return event->stage_finished.result == BR_RESULT_FAIL ||
		event->stage_finished.result == BR_RESULT_ERROR;
}

static void close_fold(
	enum br_folds folds, const struct br_event *event, struct br_buf *text)
{
	const char *stage = event->stage_finished.stage;
	br_autobuf struct br_buf title = { 0 };

	add_title(stage, event->stage_finished.attempt, &title);
	switch (folds) {
	case BR_FOLDS_NONE:
		return;
	case BR_FOLDS_GITHUB:
		br_buf_add_text(text, "::endgroup::\n");
		break;
	case BR_FOLDS_GITLAB:
		add_gitlab("end", event, stage, text);
		br_buf_add_char(text, '\n');
		break;
	case BR_FOLDS_TEAMCITY:
		br_buf_add_text(text, "##teamcity[blockClosed name='");
		add_teamcity(&title, text);
		br_buf_add_text(text, "']\n");
		break;
	case BR_FOLDS_BUILDKITE:
		/* It ends with the next one; this opens it. */
		if (has_failed(event))
			br_buf_add_text(text, "^^^ +++\n");
		break;
	}
}

void br_folds_begin(
	enum br_folds folds, const struct br_event *event, struct br_buf *text)
{
	if (event->type == BR_EVENT_STAGE_STARTED)
		open_fold(folds, event, text);
	else if (event->type == BR_EVENT_BUILD_FINISHED &&
		folds == BR_FOLDS_BUILDKITE)
		br_buf_add_text(text, "+++ the end of the build\n");
}

void br_folds_end(
	enum br_folds folds, const struct br_event *event, struct br_buf *text)
{
	if (event->type == BR_EVENT_STAGE_FINISHED)
		close_fold(folds, event, text);
}
