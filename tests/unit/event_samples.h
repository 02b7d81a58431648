/* SPDX-License-Identifier: MIT */
/* event_samples.h - an event of every type, with and without optional fields. */
#pragma once

#include <stddef.h>

#include "event/event.h"

#define SAMPLE(sample_type) \
	.type = (sample_type), .seq = 7, .attempt = 1, \
	.wall_us = INT64_C(1795228200123456), \
	.build = "0192f0c1-2b3c-7d4e-8f50-61728394a5b6"

static const char *const event_sample_names[] = { "prepare", "build \"x\"" };

static const struct br_stage_result event_sample_results[] = {
	{ "prepare", BR_RESULT_PASS },
	{ "build \"x\"", BR_RESULT_FAIL },
	{ "lint", BR_RESULT_CACHED },
	{ "test", BR_RESULT_CANCELLED },
	{ "pack", BR_RESULT_ERROR },
	{ "deploy", BR_RESULT_SKIPPED },
};

static const struct br_event event_samples[] = {
	{ SAMPLE(BR_EVENT_BUILD_STARTED),
		.build_started = { .project = "/home/ann/app",
			.manifest = ".buildr.yml",
			.image = "alpine:3.20",
			.stages = { event_sample_names, 2 },
			.host = { "box", "Linux", "6.1.0", "x86_64" },
			.version = "0.1.0",
			.repo = "https://example.org/app.git",
			.branch = "main",
			.commit =
				"9fceb02d0ae598e95dc970b74767f19372d61af8" } },
	{ SAMPLE(BR_EVENT_BUILD_STARTED),
		.build_started = { .host = { "box", "Linux", "6.1", "aarch64" },
			.version = "0.1.0" } },
	{ SAMPLE(BR_EVENT_IMAGE_PULLING),
		.image_pulling = { "alpine:3.20", 1048576, 3145728 } },
	{ SAMPLE(BR_EVENT_IMAGE_PULLING),
		.image_pulling = { "alpine:3.20", -1, -1 } },
	{ SAMPLE(BR_EVENT_IMAGE_READY),
		.image_ready = { "alpine:3.20", "sha256:0a1b", 3.25 } },
	{ SAMPLE(BR_EVENT_IMAGE_READY), .image_ready = { "local", NULL, 0 } },
	{ SAMPLE(BR_EVENT_CONTAINER_STARTED),
		.container_started = { "4c01db0b339c", "alpine:3.20", 0.2 } },
	{ SAMPLE(BR_EVENT_STAGE_STARTED),
		.stage_started = { "build", 2, "alpine:3.20", 3 } },
	{ SAMPLE(BR_EVENT_STEP_STARTED),
		.step_started = { "build", 1, "make\n\t\"all\"", 12 } },
	{ SAMPLE(BR_EVENT_OUTPUT),
		.output = { "build", 1, BR_STREAM_STDOUT,
			{ "gr\xc3\xbc\xc3\x9f\0e\n", 9 } } },
	{ SAMPLE(BR_EVENT_OUTPUT),
		.output = { "build", 1, BR_STREAM_STDERR, { "\xff\n", 2 } } },
	{ SAMPLE(BR_EVENT_STEP_FINISHED),
		.step_finished = { "build", 1, 137, 12.345678, 0.5, 4096 } },
	{ SAMPLE(BR_EVENT_STAGE_FINISHED),
		.stage_finished = { "build", 1, BR_RESULT_FAIL, 12.5,
			BR_REASON_MEMORY, 1, 137 } },
	{ SAMPLE(BR_EVENT_STAGE_FINISHED),
		.stage_finished = { "build", 1, BR_RESULT_PASS, 12.5,
			BR_REASON_NONE, 0, -1 } },
	{ SAMPLE(BR_EVENT_STAGE_SKIPPED),
		.stage_skipped = { "deploy", BR_REASON_FAIL_FAST } },
	{ SAMPLE(BR_EVENT_CACHE_HIT), .cache = { "build", "0a1b", NULL } },
	{ SAMPLE(BR_EVENT_CACHE_MISS),
		.cache = { "build", "0a1b", "src/main.c changed" } },
	{ SAMPLE(BR_EVENT_CACHE_STORED), .cache = { "build", "0a1b", NULL } },
	{ SAMPLE(BR_EVENT_NOTICE),
		.notice = { BR_LEVEL_WARNING, "\x1b[2J is harmless" } },
	{ SAMPLE(BR_EVENT_BUILD_FINISHED),
		.build_finished = { .result = BR_RESULT_FAIL,
			.exit = 1,
			.seconds = 754.321,
			.stages = { event_sample_results, 6 } } },
	{ SAMPLE(BR_EVENT_BUILD_FINISHED),
		.build_finished = { .result = BR_RESULT_CANCELLED,
			.exit = 130,
			.seconds = 0.1 } },
	{ SAMPLE(BR_EVENT_BUILD_FINISHED),
		.build_finished = { .result = BR_RESULT_ERROR,
			.exit = 3,
			.reason = BR_REASON_TRIES,
			.host = { "agent-1", "Linux", "6.1", "x86_64" } } },
};

static inline size_t event_sample_count(void)
{
	return sizeof(event_samples) / sizeof(event_samples[0]);
}

/* Get sample `i`. Static. */
static inline const struct br_event *event_sample_get(size_t i)
{
	return &event_samples[i];
}
