/* SPDX-License-Identifier: MIT */
/* logged.h - the log of a build, written event by event, for the tests of what reads it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/folder.h"
#include "log/log.h"
#include "tests/support/folder.h"

#define PROJECT "/home/ann/app"
#define BUILD "0192f0c1-2b3c-7d4e-8f50-617283940000"

struct logged {
	char *home;
	char *folder;
	struct br_sink *log;
	uint64_t seq;
};

static inline struct br_sink *logged_open(const char *build, int64_t size_bytes)
{
	const struct br_log_options options = {
		.project_dir = PROJECT,
		.build = build,
		.limits = { .builds = 50, .size_bytes = size_bytes },
		.header = { .branch = "main" },
	};
	struct br_sink *log = NULL;
	struct br_err err = { 0 };

	assert_true(br_log_open(&options, &log, &err));
	return log;
}

static inline int logged_set_up(void **state)
{
	struct logged *logged = calloc(1, sizeof(*logged));
	struct br_err err = { 0 };

	logged->home = folder_make();
	setenv("XDG_STATE_HOME", logged->home, 1);
	assert_true(br_log_folder_find(PROJECT, &logged->folder, &err));
	logged->log = logged_open(BUILD, BR_LOG_SIZE_BYTES);
	*state = logged;
	return 0;
}

static inline int logged_tear_down(void **state)
{
	struct logged *logged = *state;

	br_log_close(logged->log);
	folder_remove(logged->home);
	free(logged->folder);
	free(logged);
	return 0;
}

static inline void logged_tell(struct logged *logged, struct br_event event)
{
	struct br_err err = { 0 };

	event.seq = ++logged->seq;
	event.attempt = 1;
	event.wall_us = (int64_t)logged->seq * 1000000;
	memcpy(event.build, BUILD, sizeof(event.build));
	assert_true(br_sink_handle(logged->log, &event, &err));
}

static inline struct br_event logged_started(void)
{
	static const char *const stages[] = { "build", "test (py=3.12)" };

	return (struct br_event){
		.type = BR_EVENT_BUILD_STARTED,
		.build_started = { .project = PROJECT,
			.stages = { stages, 2 },
			.host = { "vm", "Linux", "6", "x86_64" },
			.version = "1" },
	};
}

static inline struct br_event logged_output(const char *stage, const char *text)
{
	return (struct br_event){
		.type = BR_EVENT_OUTPUT,
		.output = { .stage = stage, .step = 1, .data = br_str(text) },
	};
}

static inline struct br_event logged_step_end(const char *stage)
{
	return (struct br_event){
		.type = BR_EVENT_STEP_FINISHED,
		.step_finished = { .stage = stage, .step = 1 },
	};
}

static inline struct br_event logged_stage_end(
	const char *stage, enum br_result result)
{
	return (struct br_event){
		.type = BR_EVENT_STAGE_FINISHED,
		.stage_finished = { .stage = stage,
			.attempt = 1,
			.result = result,
			.status = -1 },
	};
}

static inline struct br_event logged_finished(enum br_result result)
{
	return (struct br_event){
		.type = BR_EVENT_BUILD_FINISHED,
		.build_finished = { .result = result, .seconds = 2.5 },
	};
}

/* A step that writes `count` pieces of 1 KiB, and a last word. */
static inline void logged_tell_much(
	struct logged *logged, const char *stage, int count)
{
	char text[1025];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < count; i++)
		logged_tell(logged, logged_output(stage, text));
	logged_tell(logged, logged_output(stage, "the last word"));
	logged_tell(logged, logged_step_end(stage));
}

/* A test, and the two around it. */
#define LOGGED_TEST(function) \
	cmocka_unit_test_setup_teardown( \
		function, logged_set_up, logged_tear_down)
